//! Calls that went out and have not been answered: each has a moment, by the world's clock, after which its answer is not waited for any more.
//!
//! The doors have limits of their own, by which a call ends long before. This one holds whatever a door does, so that no call can keep a run for ever.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{AbortHandle, Abortable};

use super::calls::{Answered, Came};
use super::track::Key;
use super::{Engine, Program};
use crate::model::time::{self, Timestamp};
use crate::world::{CallError, Failure};

/// The longest wait for an answer, except of operations that work on for as long as their step may.
pub const CALL_LIMIT: Duration = Duration::from_mins(5);

/// Calls under way, and when each is given up.
#[derive(Default)]
pub struct Outstanding(BTreeMap<Key, (Timestamp, AbortHandle)>);

impl Outstanding {
    /// The first moment at which one is given up.
    pub fn first(&self) -> Option<Timestamp> {
        self.0.values().map(|(until, _)| *until).min()
    }

    /// Gives up what has had its time.
    pub fn give_up(&mut self, now: Timestamp) {
        self.0.retain(|_, (until, handle)| {
            if *until <= now {
                handle.abort();
            }
            *until > now
        });
    }

    /// An answer has come.
    pub fn answered(&mut self, key: Key) {
        self.0.remove(&key);
    }

    /// Nothing is waited for any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// What stands for an answer that has not come.
pub fn no_answer(call: &str, limit: Duration) -> CallError {
    CallError::new(call, Failure::Unknown { retry_after: None }, format!("no answer within {}", time::words(limit)))
}

/// How long the answers of a step's operation are waited for.
pub fn limit(program: &Program, key: Key, lasts: bool) -> Duration {
    if lasts { program.step(key.step).limits.timeout.max(CALL_LIMIT) } else { CALL_LIMIT }
}

impl Engine {
    /// Sends a call; `late` makes what stands for its answer when none has come within the limit.
    pub(super) fn send(
        &mut self,
        key: Key,
        limit: Duration,
        late: impl FnOnce() -> Came + Send + 'static,
        call: impl Future<Output = Came> + Send + 'static,
    ) {
        let (handle, registration) = AbortHandle::new_pair();
        self.outstanding.0.insert(key, (time::after(self.now(), limit), handle));
        self.calls.push(Box::pin(async move {
            let what = Abortable::new(call, registration).await.unwrap_or_else(|_| late());
            Answered { key, what }
        }));
    }
}
