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
    /// Since when reality could not be seen, if it cannot at the moment.
    pub blind_since: Option<Timestamp>,
    /// How long it could not be seen before, all such times together.
    blind_before: Duration,
    /// When it was last told that looks fail, and how long until it is told again.
    told_failing: Option<(Timestamp, Duration)>,
    /// Since when what it works on is seen nowhere, look after look.
    pub missing_since: Option<Timestamp>,
    /// Whether a look has shown, since a call was refused, that the thing was busy with something else.
    pub explained: bool,
}

/// A lost network does not use up the time that a step has, unless it is lost for longer than this.
pub const BLIND_MAX: Duration = Duration::from_hours(1);
/// The first pause between two words about looks that fail one after the other; each later one is twice as long, up to the slowest.
const FAILING_TOLD: Duration = Duration::from_secs(30);
const FAILING_TOLD_SLOWEST: Duration = Duration::from_mins(5);

impl Track {
    /// Taken up now: looks at once.
    pub fn new(operation: Arc<dyn Operation>, now: Timestamp) -> Self {
        Track {
            operation,
            began: now,
            next: now,
            pause: PAUSE_FIRST,
            busy: false,
            facts_hold: false,
            told: false,
            failed_looks: 0,
            blind_since: None,
            blind_before: Duration::ZERO,
            told_failing: None,
            missing_since: None,
            explained: false,
        }
    }

    /// When its time began to run: what passed while nothing could be seen is not counted.
    pub fn counted_from(&self, now: Timestamp) -> Timestamp {
        let at_the_moment = self.blind_since.map_or(Duration::ZERO, |since| time::between(since, now));
        time::after(self.began, (self.blind_before + at_the_moment).min(BLIND_MAX))
    }

    /// Nothing can be seen. Gives since when.
    pub fn is_blind(&mut self, now: Timestamp) -> Timestamp {
        *self.blind_since.get_or_insert(now)
    }

    /// Whether one more look that failed is worth a word: at first, and then now and then.
    pub fn is_worth_a_word(&mut self, now: Timestamp) -> bool {
        let pause = match self.told_failing {
            None => FAILING_TOLD,
            Some((at, pause)) if time::between(at, now) >= pause => (pause * 2).min(FAILING_TOLD_SLOWEST),
            Some(_) => return false,
        };
        self.told_failing = Some((now, pause));
        true
    }

    /// Reality is seen again. Gives for how long it was not, if that was so.
    pub fn sees(&mut self, now: Timestamp) -> Option<Duration> {
        self.told_failing = None;
        let lasted = time::between(self.blind_since.take()?, now);
        self.blind_before = self.blind_before.saturating_add(lasted);
        Some(lasted)
    }

    /// Looks again after a pause that grows; within an outage every second.
    pub fn rest(&mut self, now: Timestamp, poll: Duration, in_outage: bool) {
        let pause = if in_outage { PAUSE_IN_OUTAGE } else { self.pause.min(poll.max(PAUSE_FIRST)) };
        self.next = time::after(now, pause);
        self.pause = (self.pause * 2).min(poll.max(PAUSE_FIRST));
    }

    /// The last moment to which a pause may last, whatever a service asks for: then its time is over, and it looks once more.
    pub fn limit(&self, timeout: Duration, now: Timestamp) -> Timestamp {
        time::after(self.counted_from(now), timeout + PAUSE_FIRST)
    }

    /// Looks at once, and often again for a while: something has just happened.
    pub fn wake(&mut self, now: Timestamp) {
        self.next = now;
        self.pause = PAUSE_FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::operation::{Cx, Look, StartCx};
    use crate::world::CallResult;

    struct Nothing;

    #[async_trait::async_trait]
    impl Operation for Nothing {
        fn name(&self) -> &'static str {
            "wait"
        }

        fn writes(&self) -> Vec<String> {
            Vec::new()
        }

        async fn look(&self, _: &Cx<'_>) -> CallResult<Look> {
            Ok(Look::done())
        }

        async fn start(&self, _: &StartCx<'_>) -> CallResult<()> {
            Ok(())
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_lost_network_is_not_counted_and_told_a_few_times() {
        let mut track = Track::new(Arc::new(Nothing), at(0));
        assert!((100..700).all(|second| track.is_blind(at(second)) == at(100)));
        let told = (100..700).filter(|second| track.is_worth_a_word(at(*second))).count();
        assert_eq!(told, 5, "after 0, 30, 90, 210 and 450 seconds");
        assert_eq!(track.counted_from(at(700)), at(600), "while it lasts");
        assert_eq!(track.sees(at(700)), Some(Duration::from_mins(10)));
        assert_eq!((track.counted_from(at(900)), track.sees(at(901))), (at(600), None), "and afterwards");
        assert_eq!((track.is_blind(at(1_000)), track.is_worth_a_word(at(1_000))), (at(1_000), true), "the next one is told at once");
        assert_eq!(track.counted_from(at(100_000)), at(3_600), "but not for ever");
    }
}
