//! One operation under way.

use std::sync::Arc;
use std::time::Duration;

use crate::apply::operation::Operation;
use crate::model::time::{self, Timestamp};

/// Which operation: a step's own, or one of its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The step's place in the plan.
    pub step: usize,
    /// Which operation of its way back.
    pub undo: Option<usize>,
}

/// The first pause between two looks; each later one is twice as long, up to the step's own.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// The pause while people notice an outage.
const PAUSE_IN_OUTAGE: Duration = Duration::from_secs(1);

/// One operation under way.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all may hold at once")]
pub struct Track {
    /// What runs.
    pub operation: Arc<dyn Operation>,
    /// When this process took it up.
    pub began: Timestamp,
    /// When it looks next.
    pub next: Timestamp,
    /// The pause before the look after that.
    pub pause: Duration,
    /// Whether a call of it is under way.
    pub busy: bool,
    /// Whether its facts were found to hold by this process.
    pub facts_hold: bool,
    /// Whether it was told that this process watches it (operations that start nothing).
    pub told: bool,
    /// Looks that failed one after the other.
    pub failed_looks: u32,
    /// Whether a look has shown, since a call was refused, that the thing was busy with something else.
    pub explained: bool,
}

impl Track {
    /// Taken up now: looks at once.
    pub fn new(operation: Arc<dyn Operation>, now: Timestamp) -> Self {
        Track { operation, began: now, next: now, pause: PAUSE_FIRST, busy: false, facts_hold: false, told: false, failed_looks: 0, explained: false }
    }

    /// Looks again after a pause that grows; within an outage every second.
    pub fn rest(&mut self, now: Timestamp, poll: Duration, in_outage: bool) {
        let pause = if in_outage { PAUSE_IN_OUTAGE } else { self.pause.min(poll.max(PAUSE_FIRST)) };
        self.next = time::after(now, pause);
        self.pause = (self.pause * 2).min(poll.max(PAUSE_FIRST));
    }

    /// The last moment to which a pause may last, whatever a service asks for: then its time is over, and it looks once more.
    pub fn limit(&self, timeout: Duration) -> Timestamp {
        time::after(self.began, timeout + PAUSE_FIRST)
    }

    /// Looks at once, and often again for a while: something has just happened.
    pub fn wake(&mut self, now: Timestamp) {
        self.next = now;
        self.pause = PAUSE_FIRST;
    }
}
