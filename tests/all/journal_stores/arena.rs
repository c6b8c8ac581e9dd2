//! What the suite has to know of a store, and what it may do to one behind its back.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use switchover::apply::journal::{Acquire, Entry, Holder, Record, Store};
use switchover::model::time::Timestamp;

use crate::services::cutter::Cutter;

/// Something that happens to what is stored of one run, done by somebody who knows nothing of the format. Numbers are those of records.
#[derive(Debug, Clone, Copy)]
pub enum Damage {
    /// One bit of one byte of a record; `at` counts in thousandths of its length.
    Flip { record: u64, at: usize },
    /// A record is gone, the later ones stay.
    Remove(u64),
    /// Two records change places.
    Swap(u64, u64),
    /// A record stands a second time, in the place of another.
    Double { record: u64, over: u64 },
    /// A record ends in its middle, and whatever says where it ends agrees.
    Shorten(u64),
}

impl Damage {
    /// Does it to the lines of a run, for stores that keep lines. There are as many afterwards; one that is gone is empty.
    pub fn done_to(self, lines: &mut [Vec<u8>]) {
        let place = |record: u64| usize::try_from(record).unwrap();
        match self {
            Damage::Flip { record, at } => {
                let line = &mut lines[place(record)];
                let at = line.len() * at / 1_000;
                line[at] ^= 1;
            }
            Damage::Remove(record) => lines[place(record)].clear(),
            Damage::Swap(one, other) => lines.swap(place(one), place(other)),
            Damage::Double { record, over } => {
                let copy = lines[place(record)].clone();
                lines[place(over)] = copy;
            }
            Damage::Shorten(record) => {
                let line = &mut lines[place(record)];
                line.truncate(line.len() / 2);
                line.push(b'\n');
            }
        }
    }
}

/// The last line ends in its middle.
pub fn tear(lines: &mut [Vec<u8>]) {
    let line = lines.last_mut().unwrap();
    line.truncate(line.len() / 2);
}

/// What becomes of a last record that is not whole, or not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// It was being written when its writer died: it is left out, and the next append takes its place.
    LeftOut,
    /// The store never keeps half a record, so that this is damage: refused.
    Refused,
}

/// Whose clock ends a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseClock {
    /// The store's own: no machine's clock matters.
    Store,
    /// On one boot of one machine the time since then; between machines their times of day.
    SameBoot,
}

/// One store with data of its own, empty at first.
#[async_trait]
pub trait Arena: Send + Sync {
    /// A new handle on the same data, as another process would have it.
    fn open(&self) -> Arc<dyn Store>;

    /// A handle of a process whose machine's time of day is off by this many seconds.
    fn skewed(&self, seconds: i64) -> Arc<dyn Store>;

    /// Whose clock ends a lease.
    fn lease_clock(&self) -> LeaseClock;

    /// Does this to a stored run; `false` where nothing is stored outside of the process.
    async fn damage(&self, environment: &str, run: &str, damage: Damage) -> bool;

    /// Cuts the last record of a run in its middle, as a writer that dies leaves it, if this store can come to that.
    /// `None` where nothing is stored outside of the process.
    async fn tear(&self, environment: &str, run: &str) -> Option<Tail>;

    /// Something of a run that an error about its damage has to name, for people to find it.
    fn place_of(&self, run: &str) -> String;

    /// Whether anything at all is stored: reading must not make a thing.
    async fn is_untouched(&self) -> bool;

    /// A handle whose connections go through a cutter; none where there is no connection.
    fn through_cutter(&self) -> Option<(Arc<dyn Store>, Cutter)> {
        None
    }

    /// From now on nothing can be written, or again: by right.
    async fn forbid_writing(&self, forbid: bool);

    /// From now on there is no room for more, or again there is.
    async fn fill(&self, full: bool);
}

/// Long enough for every test.
pub const LONG: Duration = Duration::from_mins(10);

/// An entry of this number.
pub fn entry(seq: u64) -> Entry {
    Entry {
        seq,
        time: Timestamp::from_second(1_000 + i64::try_from(seq).unwrap()).unwrap(),
        record: Record::Undone { step: format!("a/{seq}"), assumed: false },
    }
}

/// Entries with these numbers.
pub fn entries(numbers: std::ops::Range<u64>) -> Vec<Entry> {
    numbers.map(entry).collect()
}

/// Another machine's process: nobody here can know whether it lives.
pub fn somebody() -> Holder {
    Holder { host: "elsewhere".to_owned(), boot: "another".to_owned(), ..Holder::this_process("somebody") }
}

/// Wants the lock of an environment, and those of resources.
pub fn acquire(environment: &str, run: &str, names: &[&str], length: Duration) -> Acquire {
    let mut all = vec![format!("env:{environment}")];
    all.extend(names.iter().map(|name| (*name).to_owned()));
    Acquire { environment: environment.to_owned(), names: all, holder: somebody(), run: run.to_owned(), length, takeover: false }
}
