//! What the process says when it ends: the exit codes of the command line, fixed by contract.

use serde::{Deserialize, Serialize};

/// One meaning per exit code; never reused for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// 0: done, or nothing to do.
    Done,
    /// 1: bad input, cannot read, cannot plan, cannot start; no write was tried.
    Error,
    /// 2: `plan --detailed-exitcode` found changes.
    Changes,
    /// 3: waiting at a gate, or `fmt --check` found an unformatted file.
    Waiting,
    /// 4: failed after a write was tried, and the world is as it was.
    Restored,
    /// 5: failed or unfinished; a person is needed.
    Person,
    /// 6: the plan is stale, edited, from another world, or already applied.
    Stale,
    /// 7: locked by another run.
    Locked,
    /// 8: stopped at a safe point; `resume` goes on.
    Stopped,
}

impl Exit {
    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Changes => 2,
            Exit::Waiting => 3,
            Exit::Restored => 4,
            Exit::Person => 5,
            Exit::Stale => 6,
            Exit::Locked => 7,
            Exit::Stopped => 8,
        }
    }
}
