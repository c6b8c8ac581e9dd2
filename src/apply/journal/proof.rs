//! What the turn's file counts: how often locks have changed hands, so that an append need not read every lock again to know that all of them are still
//! its own.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use super::local::cannot;
use super::turn::Turn;
use crate::model::Result;
use crate::model::time::{self, Timestamp};

/// Digits of the count. Always as many, so that no later count needs more room on a disk that is full by then.
const DIGITS: usize = 20;
/// File systems date changes in steps of some milliseconds: what was changed this short a time ago may change again under the same date.
const DATE_STEP: Duration = Duration::from_millis(100);

impl Turn {
    /// How often locks have changed hands. A file that does not say so counts as none.
    fn count(&self) -> u64 {
        let mut digits = [0; DIGITS];
        let read = self.file.read_at(&mut digits, 0).ok().and_then(|length| digits.get(..length));
        read.and_then(|digits| std::str::from_utf8(digits).ok()?.trim_end().parse().ok()).unwrap_or(0)
    }

    /// Counts that locks are about to change hands.
    pub fn count_change(&self, root: &Path) -> Result<()> {
        let next = self.count().wrapping_add(1);
        self.file.write_all_at(format!("{next:0DIGITS$}").as_bytes(), 0).map_err(|error| cannot("write", &root.join(".turn"), &error))
    }

    /// What is the same as long as no lock of this fence has changed hands: the count, for what our own processes do, and the dates of the places where
    /// locks are, for what people do by hand.
    pub fn proof(&self, fence: &str, places: &[&Path]) -> Proof {
        Proof { fence: fence.to_owned(), count: self.count(), dates: places.iter().map(|place| Date::of(place)).collect() }
    }
}

/// See [`Turn::proof`].
#[derive(Debug, PartialEq, Eq)]
pub struct Proof {
    fence: String,
    count: u64,
    dates: Vec<Option<Date>>,
}

/// One state of a file or a folder: device, inode, size, seconds and nanoseconds of the last change of its content and of itself.
#[derive(Debug, PartialEq, Eq)]
struct Date([i128; 7]);

impl Date {
    fn of(path: &Path) -> Option<Date> {
        let data = fs::symlink_metadata(path).ok()?;
        let (content, itself) = ([data.mtime(), data.mtime_nsec()], [data.ctime(), data.ctime_nsec()]);
        let place = [i128::from(data.dev()), i128::from(data.ino()), i128::from(data.size())];
        Some(Date([place[0], place[1], place[2], content[0].into(), content[1].into(), itself[0].into(), itself[1].into()]))
    }

    fn changed(&self) -> Option<Timestamp> {
        Timestamp::new(i64::try_from(self.0[5]).ok()?, i32::try_from(self.0[6]).ok()?).ok()
    }
}

impl Proof {
    /// Whether a later change would have another date than what is there at `now`.
    pub fn is_lasting(&self, now: Timestamp) -> bool {
        let apart = |at: Timestamp| time::between(at, now).max(time::between(now, at)) > DATE_STEP;
        self.dates.iter().flatten().all(|date| date.changed().is_some_and(apart))
    }
}
