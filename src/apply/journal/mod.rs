//! The journal: what a run intended, did and found out, written ahead of every call. It belongs to a run; losing it costs nothing but
//! the history.
//!
//! Records are facts; [`fold`](fold::fold) turns them into a [`RunState`](fold::RunState), and refuses a history that cannot have happened.
//! A [`Store`](store::Store) keeps them durably and fenced: a holder whose lock was taken over cannot append any more.

mod call;
pub mod clock;
pub mod codec;
pub mod experience;
mod files;
pub mod fold;
pub mod hold;
pub mod holder;
mod legal;
pub mod local;
pub mod locks;
pub mod patience;
pub mod postgres;
mod proof;
pub mod record;
pub mod s3;
pub mod store;
mod turn;
pub mod writer;

pub use clock::{Clocks, MachineClocks};
pub use fold::{RunState, Stage, Standing, StepState};
pub use hold::Hold;
pub use holder::Holder;
pub use patience::Patience;
pub use record::{Answer, Entry, Record};
pub use store::{Acquire, Lease, LockInfo, Store, StoredRun};
pub use writer::Writer;
