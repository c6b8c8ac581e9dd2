//! Locks: for each name a sequence of generations, of which the highest number counts.
//!
//! Taking, renewing and freeing a lock each write the next generation, and only where none is: of all who saw generation *n* as the last, one
//! writes *n* + 1. Old generations are removed, and a removed number could be written again by somebody who was slow; so whoever has written one
//! looks whether it is the highest, and has lost if it is not. That is enough, because the highest number never goes down (only generations
//! below the highest are removed): was a higher one there when ours was written, it or a higher one still is; was none, ours followed the one that it was
//! decided on. What was written and lost counts for nothing and is removed with the others.
//!
//! **The last generation names another holder than *F*, or none, only after the log of *F* was sealed**: whoever takes, removes or gives
//! back a lock does that first. Therefore an append needs no look at the locks.
//!
//! A lease ends by the server's clock: the same answer that gives a generation says when it was written and what time it is there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::{Bucket, Object, Put};
use super::layout::{self, Layout};
use super::log::cannot_write;
use super::object::{FORMAT, nonce};
use crate::apply::journal::Holder;
use crate::apply::journal::store::{Acquire, LockInfo};
use crate::model::time::{self, Timestamp};
use crate::model::{Error, Exit, Result};

/// So many generations stay, and so many more may gather before the old ones are removed.
const KEPT: usize = 8;
const GATHERED: usize = 8;
/// How often a generation may be gone before it is read, because so many newer ones were written.
const READ_ATTEMPTS: usize = 5;
/// Times of writing are told in whole seconds.
const CLOCK_STEP: Duration = Duration::from_secs(1);

/// One generation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generation {
    format: u32,
    number: u64,
    nonce: String,
    held: Option<Held>,
}

/// Whose a lock is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    name: String,
    /// Whose lease: its log stands there.
    pub environment: String,
    run: String,
    holder: Holder,
    /// The lease.
    pub fence: String,
    length_ms: u64,
    /// When it was taken, by the server's clock; none in the generation that took it.
    since: Option<Timestamp>,
}

impl Held {
    /// The lock `name` for whoever wants it, under a lease.
    pub fn new(name: &str, acquire: &Acquire, fence: &str) -> Self {
        Held {
            name: name.to_owned(),
            environment: acquire.environment.clone(),
            run: acquire.run.clone(),
            holder: acquire.holder.clone(),
            fence: fence.to_owned(),
            length_ms: milliseconds(acquire.length),
            since: None,
        }
    }

    /// The same, for this long from when it is written.
    pub fn renewed(&self, info: &LockInfo, length: Duration) -> Self {
        Held { length_ms: milliseconds(length), since: Some(info.since), ..self.clone() }
    }

    /// How long it lasts from when it was written.
    pub fn length(&self) -> Duration {
        Duration::from_millis(self.length_ms)
    }

    fn info(&self, object: &Object) -> LockInfo {
        let length = Duration::from_millis(self.length_ms);
        // What was written in a second was written before its end. And what we read was written before we read it, whatever clocks say.
        let age = object.now.map(|now| time::between(object.written, now).saturating_sub(CLOCK_STEP));
        LockInfo {
            name: self.name.clone(),
            holder: self.holder.clone(),
            run: self.run.clone(),
            since: self.since.unwrap_or(object.written),
            heartbeat: object.written,
            expires: time::after(object.written, length),
            expires_since_boot_ms: None,
            fence: self.fence.clone(),
            // A server that does not tell its time ends no lease.
            expired: age.is_some_and(|age| age >= length),
        }
    }
}

/// A lock as it was when it was read.
#[derive(Debug)]
pub struct State {
    /// The number of the next generation.
    pub next: u64,
    /// Whose it is, if it is anybody's.
    pub held: Option<(Held, LockInfo)>,
}

/// One lock.
pub struct Lock<'a> {
    bucket: &'a Bucket,
    name: &'a str,
    folder: String,
}

impl<'a> Lock<'a> {
    /// The lock of this name.
    pub fn of(bucket: &'a Bucket, layout: &Layout, name: &'a str) -> Self {
        Lock { bucket, name, folder: layout.lock(name) }
    }

    /// As it is.
    pub async fn read(&self) -> Result<State> {
        for _ in 0..READ_ATTEMPTS {
            let Some(last) = self.numbers().await?.pop() else { return Ok(State { next: 0, held: None }) };
            let key = layout::numbered(&self.folder, last);
            let Some(object) = self.bucket.get(&key, 0, false).await? else { continue };
            let generation: Generation = serde_json::from_slice(&object.bytes).map_err(|error| damaged(&key, &error.to_string()))?;
            if generation.format > FORMAT {
                return Err(damaged(&key, "it was written by a newer version of this tool"));
            }
            if generation.number != last || generation.held.as_ref().is_some_and(|held| held.name != self.name) {
                return Err(damaged(&key, "it belongs elsewhere"));
            }
            let held = generation.held.map(|held| {
                let info = held.info(&object);
                (held, info)
            });
            return Ok(State { next: last + 1, held });
        }
        let what = format!("the lock {} of the journal {} cannot be read: it changes all the time", self.name, self.bucket.place);
        Err(Error::new(Exit::Locked, what, "somebody is at work there: try again"))
    }

    /// Writes a generation. `false`: somebody else was first, and the lock is to be read again.
    pub async fn write(&self, number: u64, held: Option<Held>) -> Result<bool> {
        let generation = Generation { format: FORMAT, number, nonce: nonce(), held };
        let body = serde_json::to_vec(&generation).map_err(|error| cannot_write(error.to_string()))?;
        if self.bucket.put_new(&layout::numbered(&self.folder, number), &body, false).await? != Put::Made {
            return Ok(false);
        }
        let mut numbers = self.numbers().await?;
        let won = numbers.last() == Some(&number);
        if won && numbers.len() > KEPT + GATHERED {
            numbers.truncate(numbers.len() - KEPT);
            let old: Vec<String> = numbers.iter().map(|number| layout::numbered(&self.folder, *number)).collect();
            self.bucket.remove(&old).await;
        }
        Ok(won)
    }

    async fn numbers(&self) -> Result<Vec<u64>> {
        let listed = self.bucket.list(&self.folder, false).await?;
        let mut numbers: Vec<u64> = listed.iter().filter_map(|object| layout::number(&object.key)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

fn milliseconds(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

fn damaged(key: &str, why: &str) -> Error {
    let help = "make sure that nothing runs, then remove this object, and no other";
    Error::new(Exit::Error, format!("the lock object {key} is damaged"), help).because_text(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_by_the_servers_clock_and_never_early() {
        let acquire = Acquire {
            environment: "staging".to_owned(),
            names: Vec::new(),
            holder: Holder::this_process("a"),
            run: "r1".to_owned(),
            length: Duration::from_mins(1),
            takeover: false,
        };
        let written = Timestamp::from_second(1_000).unwrap();
        let expired = |length, now: Option<i64>| {
            let held = Held::new("env:staging", &Acquire { length: Duration::from_secs(length), ..acquire.clone() }, "f");
            let now = now.map(|now| Timestamp::from_second(now).unwrap());
            held.info(&Object { bytes: Vec::new(), written, now }).expired
        };
        // Written at the end of its second, read at the beginning of the other.
        assert!(!expired(60, Some(1_060)) && expired(60, Some(1_061)));
        assert!(expired(0, Some(1_000)) && expired(0, Some(900)), "no time at all is over at once");
        assert!(!expired(60, Some(500)), "the server's clock went back");
        assert!(!expired(0, None), "a server that does not tell its time");
    }
}
