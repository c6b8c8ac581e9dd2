//! The only source of time.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::time::{self, Timestamp};

/// Time as a world has it: the machine's, or a virtual one that moves only when somebody waits.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Waits until `instant`. In the simulated world this moves the clock, and with it everything that happens by itself.
    async fn sleep_until(&self, instant: Timestamp);
    /// Waits for `duration`.
    async fn sleep(&self, duration: Duration) {
        self.sleep_until(time::after(self.now(), duration)).await;
    }
}
