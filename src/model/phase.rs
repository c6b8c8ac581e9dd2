//! The five phases of every change.

use serde::{Deserialize, Serialize};

/// What a step may do and what happens when it fails. A property of a step, not its place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Make new things beside the old; nothing that users see changes.
    Prepare,
    /// Read only: checks, counts, comparisons.
    Verify,
    /// The short moment that users can notice.
    Switch,
    /// Read only: the new answers are there.
    Confirm,
    /// What is right only when nothing will be turned back.
    Retire,
}

impl Phase {
    /// All phases, in the order in which a resource goes through them.
    pub const ALL: [Phase; 5] = [Phase::Prepare, Phase::Verify, Phase::Switch, Phase::Confirm, Phase::Retire];

    /// The word people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Phase::Prepare => "prepare",
            Phase::Verify => "verify",
            Phase::Switch => "switch",
            Phase::Confirm => "confirm",
            Phase::Retire => "retire",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}
