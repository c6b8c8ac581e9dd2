//! Events → people: progress lines, the final report, notices, JSON lines; and the views of what is stored (status, runs).
//!
//! Telling fails open: what cannot be written is lost, and never stops a run.

mod final_report;
mod json_lines;
pub mod live;
mod progress;
pub mod runs;
pub mod slack;
pub mod status;
mod steps;
mod story;
mod tee;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod views_tests;
mod wording;

pub use final_report::{Outcome, final_report};
pub use json_lines::JsonLines;
pub use live::Live;
pub use progress::Progress;
pub use runs::RunsDoc;
pub use slack::{Notices, notice};
pub use status::StatusDoc;
pub use story::{Failed, Story};
pub use tee::Tee;
