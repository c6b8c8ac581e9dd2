//! Approved + writers + journal → events: the loop, decide, journal, lock.

pub mod engine;
pub mod event;
pub mod journal;
pub mod operation;

pub use event::{Event, EventKind, Sink};
pub use operation::{Cx, Look, Operation, Operations, Progress, StartCx};
