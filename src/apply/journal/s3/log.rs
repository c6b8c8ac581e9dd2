//! The log of one lease: everything that was appended under it, and the seal that ends it. This is the fence.
//!
//! Objects are numbered from 0 and written only where none is, so that of all who want to write number *n* one does. A holder appends at the head;
//! whoever ends the lease writes a seal there. Whichever comes second finds the other one: the sealer goes further, the holder is told and
//! writes nothing more, in this process or in any other that has the same lease. Objects of a log are never removed by the tool, so the place in
//! front of a holder that slept for a week is still taken.

use futures_util::{StreamExt, TryStreamExt};

use super::bucket::{Bucket, Listed, Put};
use super::layout::{self, Layout};
use super::object::{self, Header, Holds, Seal};
use crate::apply::journal::locks;
use crate::model::{Error, Exit, Result};

/// A seal is shorter than this; what is longer need not be read to know that it is none.
const SEAL_BYTES_MAX: u64 = 8 << 10;
/// How many seals are written at once at most, by a sealer that found the holder quicker every time before.
const SEALS_AT_ONCE_MAX: u64 = 256;
/// Objects that are read at once.
const READS_AT_ONCE: usize = 16;
/// All objects of one log together are no longer.
const LOG_BYTES_MAX: u64 = 1 << 30;

/// The log of one lease.
pub struct Log<'a> {
    bucket: &'a Bucket,
    folder: String,
    fence: &'a str,
}

/// Where a log ends.
#[derive(Debug)]
pub struct Head {
    /// The number of the next object.
    pub next: u64,
    /// How it ended, if it has.
    pub seal: Option<Seal>,
}

/// One object of records.
#[derive(Debug)]
pub struct Part {
    /// Its name.
    pub key: String,
    /// Its run.
    pub run: String,
    /// The number of its first record.
    pub from: u64,
    /// How many it must have.
    pub count: u64,
    /// Their lines.
    pub lines: Vec<u8>,
}

impl<'a> Log<'a> {
    /// The log of a lease.
    pub fn of(bucket: &'a Bucket, layout: &Layout, environment: &str, fence: &'a str) -> Result<Self> {
        if layout::is_fence(fence) {
            return Ok(Log { bucket, folder: layout.lease(environment, fence), fence });
        }
        Err(Error::new(Exit::Error, format!("`{fence}` is no lease of the journal {}", bucket.place), "report this"))
    }

    /// Where it ends now.
    pub async fn head(&self, patient: bool) -> Result<Head> {
        let listed = self.list(patient).await?;
        let next = listed.len() as u64;
        let Some(last) = listed.last().filter(|last| last.size <= SEAL_BYTES_MAX) else { return Ok(Head { next, seal: None }) };
        let object = self.bucket.get(&last.key, last.size, patient).await?.ok_or_else(|| damaged(&last.key, "it is gone"))?;
        match self.read(&object.bytes, next - 1)?.holds {
            Holds::Seal(seal) => Ok(Head { next, seal: Some(seal) }),
            Holds::Records { .. } => Ok(Head { next, seal: None }),
        }
    }

    /// Writes object `number`, or says what is in its place.
    pub async fn append(&self, number: u64, body: &[u8]) -> Result<()> {
        match self.bucket.put_new(&layout::numbered(&self.folder, number), body, true).await? {
            Put::Made => Ok(()),
            Put::Taken(bytes) => Err(match self.read(&bytes, number)?.holds {
                Holds::Seal(seal) => over(&seal),
                Holds::Records { .. } => {
                    let what = format!("record object {number} of lease {} was written by another process", self.fence);
                    Error::new(Exit::Error, what, "nothing was written; one process alone may hold a lease")
                }
            }),
        }
    }

    /// Ends the lease, if it has not ended: when this returns well, nothing can be appended under it any more.
    ///
    /// A holder that writes all the time would always be one number ahead of a sealer that looks first. So the sealer, once it came too late,
    /// writes seals at several numbers at once, none left out between them: the holder writes one after the other, and cannot get past the first.
    pub async fn seal(&self, why: &Seal) -> Result<()> {
        let head = self.head(false).await?;
        if head.seal.is_some() {
            return Ok(());
        }
        let (mut next, mut width) = (head.next, 1);
        while width <= SEALS_AT_ONCE_MAX {
            let writes = (next..next + width).map(|number| async move {
                let body = object::write_seal(self.fence, number, why.clone()).map_err(cannot_write)?;
                match self.bucket.put_new(&layout::numbered(&self.folder, number), &body, false).await? {
                    Put::Made => Ok(true),
                    Put::Taken(bytes) => Ok(matches!(self.read(&bytes, number)?.holds, Holds::Seal(_))),
                }
            });
            // All of them, so that no number is left out: only then has the lease surely ended.
            let sealed: Vec<bool> = futures_util::future::try_join_all(writes).await?;
            if sealed.contains(&true) {
                return Ok(());
            }
            (next, width) = (next + width, width * 4);
        }
        let what = format!("lease {} of the journal {} cannot be ended: its holder writes all the time", self.fence, self.bucket.place);
        Err(Error::new(Exit::Locked, what, "its process is at work: wait for it, or stop it"))
    }

    /// Everything that was appended, in order.
    pub async fn parts(&self) -> Result<Vec<Part>> {
        let listed = self.list(false).await?;
        if let Some(last) = listed.last()
            && listed.iter().map(|object| object.size).sum::<u64>() > LOG_BYTES_MAX
        {
            return Err(damaged(&last.key, "with those before it, it is larger than any journal of ours"));
        }
        let read = listed.into_iter().zip(0..).map(|(object, number)| async move {
            let found = self.bucket.get(&object.key, object.size, false).await?.ok_or_else(|| damaged(&object.key, "it is gone"))?;
            let (header, lines) = object::read(&found.bytes, self.fence, number).map_err(|why| damaged(&object.key, &why))?;
            match header.holds {
                Holds::Records { run, from, count } => Ok(Some(Part { key: object.key, run, from, count, lines: lines.to_vec() })),
                Holds::Seal(_) => Ok(None),
            }
        });
        let parts: Vec<Option<Part>> = futures_util::stream::iter(read).buffered(READS_AT_ONCE).try_collect().await?;
        let records = parts.iter().take_while(|part| part.is_some()).count();
        if let Some(part) = parts[records..].iter().flatten().next() {
            return Err(damaged(&part.key, "it follows the end of its lease"));
        }
        Ok(parts.into_iter().flatten().collect())
    }

    /// Its objects, by number: none is missing.
    async fn list(&self, patient: bool) -> Result<Vec<Listed>> {
        let mut listed = self.bucket.list(&self.folder, patient).await?;
        listed.retain(|object| layout::number(&object.key).is_some());
        for (object, expected) in listed.iter().zip(0..) {
            if object.key != layout::numbered(&self.folder, expected) {
                return Err(damaged(&layout::numbered(&self.folder, expected), "it is missing, and later ones are there"));
            }
        }
        Ok(listed)
    }

    fn read(&self, bytes: &[u8], number: u64) -> Result<Header> {
        let key = layout::numbered(&self.folder, number);
        object::read(bytes, self.fence, number).map(|(header, _)| header).map_err(|why| damaged(&key, &why))
    }
}

/// What a holder hears whose lease was ended.
pub fn over(seal: &Seal) -> Error {
    let what = match seal {
        Seal::Removed { lock } => return locks::taken_over(lock, None),
        Seal::Released => "the lease was given back".to_owned(),
        Seal::TakenOver { lock, by, run } => {
            format!("the lock {lock} was taken over by {} on {} (process {}, run {run})", by.actor, by.host, by.pid)
        }
    };
    Error::new(Exit::Person, what, "this process does nothing more; `switchover status` says whether another one has gone on with the run")
}

/// Damage, with the object that has it.
pub fn damaged(key: &str, why: &str) -> Error {
    let help = "nothing was done; move the run's objects aside and plan again: reality is the state, and planning again finds what the run left";
    Error::new(Exit::Error, format!("the journal object {key} is damaged"), help).because_text(why)
}

/// What should never happen to our own data.
pub fn cannot_write(why: String) -> Error {
    Error::new(Exit::Error, "the journal cannot hold this", "report this").because_text(why)
}
