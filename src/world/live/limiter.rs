//! How many calls a service takes in a span of time, kept on our side: whoever exceeds Cloudflare's budget is locked out for
//! minutes, the way back included.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A sliding window over the calls of one account, shared by all doors to it.
#[derive(Debug)]
pub struct Limiter {
    calls: usize,
    window: Duration,
    sent: Mutex<VecDeque<Instant>>,
}

impl Limiter {
    /// At most `calls` in any span of length `window`.
    #[must_use]
    pub fn new(calls: usize, window: Duration) -> Self {
        Limiter { calls, window, sent: Mutex::new(VecDeque::new()) }
    }

    /// Takes one call out of the budget if more than `reserve` are left.
    ///
    /// # Errors
    /// How long until there will be room.
    pub fn take(&self, reserve: usize) -> Result<(), Duration> {
        // A poisoned lock holds nothing worse than times of calls.
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while sent.front().is_some_and(|first| now.duration_since(*first) >= self.window) {
            sent.pop_front();
        }
        let room = self.calls.saturating_sub(reserve).max(1);
        if sent.len() < room {
            sent.push_back(now);
            return Ok(());
        }
        // When the oldest of the calls that are too many leaves the window, there is room for one more.
        let leaves = sent.get(sent.len() - room).map_or(now, |first| *first + self.window);
        Err(leaves.duration_since(now).max(Duration::from_millis(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_window_slides_and_the_reserve_is_for_writes() {
        let limiter = Limiter::new(3, Duration::from_mins(5));
        assert_eq!(limiter.take(1), Ok(()));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(limiter.take(1), Ok(()));
        assert_eq!(limiter.take(1), Err(Duration::from_secs(290)), "the last one is kept for a write");
        assert_eq!(limiter.take(0), Ok(()));
        assert_eq!(limiter.take(0), Err(Duration::from_secs(290)));
        tokio::time::advance(Duration::from_secs(290)).await;
        assert_eq!(limiter.take(0), Ok(()));
        assert_eq!(limiter.take(0), Err(Duration::from_secs(10)));
    }
}
