//! What tests share: a journal in memory that can die at any write, and the pipeline from files to a run's end.

pub mod journals;
pub mod memory;
pub mod pipeline;

pub use memory::{Die, MemoryStore};
pub use pipeline::Scene;

/// Copies a folder with all that is in it.
pub fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
