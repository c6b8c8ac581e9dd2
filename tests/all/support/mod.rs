//! What tests share: a journal in memory that can die at any write, and the pipeline from files to a run's end.

pub mod journals;
pub mod memory;
pub mod pipeline;

pub use memory::{Die, MemoryStore};
pub use pipeline::Scene;
