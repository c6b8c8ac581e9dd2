//! One operation's calls, as the journal tells of them.

use super::record::Answer;
use crate::model::time::Timestamp;

/// How far a step's (or its undo operation's) call came.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own about one call, and any of them goes with any other")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When the first intent was written.
    pub first: Timestamp,
    /// When the last intent was written or, once that call has ended, when it did: what it set off shows after this.
    pub last: Timestamp,
    /// How many intents there are.
    pub attempts: u32,
    /// How many of them earlier processes wrote: whoever goes on with a run may try as often as the first one did.
    pub earlier: u32,
    /// Whether the outcome of one before the last is not known: a refusal of the last may then mean that it is at work.
    pub doubt: bool,
    /// Whether the service answered one of them well: its effect comes, however late.
    pub taken: bool,
    /// Whether a person was told that its effect does not show, and goes on all the same.
    pub told: bool,
    /// Whether it failed, for whatever cause, and somebody goes on: earlier versions called it again then.
    pub may_repeat: bool,
    /// What is known of the last one; none: the process died before it could say, which is as good as unknown.
    pub answer: Option<Answer>,
    /// Whether the process at work waits for its answer right now.
    pub out: bool,
}

impl Call {
    pub(super) fn begun(time: Timestamp) -> Self {
        Call {
            first: time,
            last: time,
            attempts: 0,
            earlier: 0,
            doubt: false,
            taken: false,
            told: false,
            may_repeat: false,
            answer: None,
            out: false,
        }
    }

    /// Whether it has had no effect, for certain: it was refused, and no earlier attempt is in doubt.
    #[must_use]
    pub fn had_no_effect(&self) -> bool {
        matches!(self.answer, Some(Answer::Nothing { .. })) && !self.doubt && !self.taken
    }

    /// Another process goes on: whoever starts it has mended what was refused. An attempt before that whose outcome is not known keeps its doubt.
    /// Where the clock was set back meanwhile, what is waited for after the last call is counted from `now`.
    pub(super) fn goes_on(&mut self, told: bool, failed: bool, now: Timestamp) {
        (self.earlier, self.out) = (self.attempts, false);
        (self.first, self.last) = (self.first.min(now), self.last.min(now));
        self.told |= told;
        self.may_repeat |= failed;
        if let Some(Answer::Nothing { error, .. }) = &self.answer {
            self.answer = Some(Answer::Unknown { error: error.clone() });
        }
    }
}
