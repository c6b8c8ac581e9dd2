//! What a person must do, always in the same order: what happened, what to mend, and then the command that goes on.

use super::{Engine, summary};

impl Engine {
    /// The commands that go on from here. `rollback` is named only where it is not refused: what cannot be undone may have been done.
    pub(super) fn how_to_go_on(&self) -> String {
        let (state, environment) = (&self.journal.state, &self.program.plan.environment);
        if state.turned_back.is_some() {
            format!("`switchover rollback {environment}` goes on with the way back")
        } else if summary::gone(state).is_empty() {
            format!("`switchover resume {environment}` goes on, `switchover rollback {environment}` turns it back")
        } else {
            format!("`switchover resume {environment}` goes on")
        }
    }
}

/// One thing to do: what happened and why, what to mend, which command then.
pub fn need(happened: &str, error: &str, mend: &str, then: &str) -> String {
    format!("{happened} ({error}): {mend}; then {then}")
}
