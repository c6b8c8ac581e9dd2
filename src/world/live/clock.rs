//! The machine's clock.

use std::time::Duration;

use async_trait::async_trait;
use rustix::time::{ClockId, clock_gettime};

use crate::model::time::{self, Timestamp};
use crate::world::Clock;

/// The longest sleep in one go. Timers stand still while a machine is suspended, so a long wait looks at the clock again every now and then.
const SLICE: Duration = Duration::from_secs(15);

/// Real time: the time of day when it was made, and from then on the time since boot, which goes on while the machine sleeps and which nobody
/// can set. A machine whose clock is corrected by an hour in the middle of a run neither ends its waits too early nor makes them an hour longer.
#[derive(Debug, Clone, Copy)]
pub struct MachineClock {
    began: Timestamp,
    began_since_boot: Duration,
}

impl MachineClock {
    /// A clock that shows the time of day.
    #[must_use]
    pub fn new() -> Self {
        MachineClock { began: Timestamp::now(), began_since_boot: since_boot() }
    }

    fn at(&self, since_boot: Duration) -> Timestamp {
        time::after(self.began, since_boot.saturating_sub(self.began_since_boot))
    }
}

impl Default for MachineClock {
    fn default() -> Self {
        Self::new()
    }
}

fn since_boot() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    // The kernel's answer is never negative; a clock that says so stands still, which no wait outlives unnoticed.
    Duration::new(u64::try_from(now.tv_sec).unwrap_or_default(), u32::try_from(now.tv_nsec).unwrap_or_default())
}

#[async_trait]
impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        self.at(since_boot())
    }

    async fn sleep_until(&self, instant: Timestamp) {
        loop {
            let left = time::between(self.now(), instant);
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(SLICE)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleep_ends_at_its_instant_and_a_past_one_at_once() {
        let clock = MachineClock::new();
        let begin = clock.now();
        clock.sleep(Duration::from_millis(20)).await;
        assert!(time::between(begin, clock.now()) >= Duration::from_millis(20));
        clock.sleep_until(begin).await;
    }

    #[test]
    fn what_is_set_on_the_machine_meanwhile_does_not_move_it() {
        let began = "2026-11-05T09:00:00Z".parse().unwrap();
        let clock = MachineClock { began, began_since_boot: Duration::from_secs(50) };
        assert_eq!(clock.at(Duration::from_secs(50)), began);
        assert_eq!(time::between(began, clock.at(Duration::from_secs(3_650))), Duration::from_hours(1));
        assert_eq!(clock.at(Duration::from_secs(10)), began, "it never goes back");
    }
}
