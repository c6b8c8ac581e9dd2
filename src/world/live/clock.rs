//! The machine's clock.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::time::{self, Timestamp};
use crate::world::Clock;

/// The longest sleep in one go. Timers stand still while a machine is suspended and wall clocks get corrected, so a long wait
/// looks at the wall clock again every now and then.
const SLICE: Duration = Duration::from_secs(15);

/// Real time.
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineClock;

#[async_trait]
impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
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
        let clock = MachineClock;
        let begin = clock.now();
        clock.sleep(Duration::from_millis(20)).await;
        assert!(time::between(begin, clock.now()) >= Duration::from_millis(20));
        clock.sleep_until(begin).await;
    }
}
