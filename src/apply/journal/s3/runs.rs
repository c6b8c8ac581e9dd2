//! Runs: which there are, and what was appended to one, put together from the logs of the leases that wrote to it.

use std::collections::BTreeSet;

use super::bucket::Bucket;
use super::layout::{self, Layout, Mark};
use super::log::{Log, Part, damaged};
use crate::apply::journal::codec;
use crate::apply::journal::record::Entry;
use crate::model::{Error, Exit, Result};

/// One run, read whole.
#[derive(Debug, Default)]
pub struct Whole {
    /// Its records.
    pub entries: Vec<Entry>,
    /// The checksum of the last one's line.
    pub chain: u32,
    /// The leases that wrote to it, or were about to.
    pub leases: BTreeSet<String>,
}

/// The ids of an environment's runs, oldest first.
pub async fn ids(bucket: &Bucket, layout: &Layout, environment: &str) -> Result<Vec<String>> {
    let folder = layout.runs(environment);
    let mut runs = Vec::new();
    for name in bucket.folders(&folder).await? {
        runs.push(layout::unescape(&name).ok_or_else(|| damaged(&format!("{folder}/{name}"), "no run has such a name"))?);
    }
    // Ids begin with the moment of their plan, so that their order is that of time.
    runs.sort();
    Ok(runs)
}

/// The same without those that have surely ended: a run is marked at its end with the number of leases that had written to it, and
/// a lease that goes on with it later makes that number wrong.
pub async fn maybe_unfinished(bucket: &Bucket, layout: &Layout, environment: &str) -> Result<Vec<String>> {
    let folder = layout.runs(environment);
    let mut runs: Vec<(String, usize, usize)> = Vec::new();
    for object in bucket.list(&folder, false).await? {
        let Some((name, mark)) = object.key.strip_prefix(&folder).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        let run = layout::unescape(name).ok_or_else(|| damaged(&object.key, "no run has such a name"))?;
        if runs.last().is_none_or(|(last, _, _)| *last != run) {
            runs.push((run, 0, 0));
        }
        if let Some((_, leases, ended)) = runs.last_mut() {
            match layout::mark(mark) {
                Some(Mark::Lease(_)) => *leases += 1,
                Some(Mark::Ended(count)) => *ended = (*ended).max(count),
                None => {}
            }
        }
    }
    let mut open: Vec<String> = runs.into_iter().filter(|(_, leases, ended)| leases != ended).map(|(run, _, _)| run).collect();
    open.sort();
    Ok(open)
}

/// One run, checked from its first byte to its last.
pub async fn whole(bucket: &Bucket, layout: &Layout, environment: &str, run: &str) -> Result<Whole> {
    let listed = bucket.list(&layout.run(environment, run), false).await?;
    let mut whole = Whole::default();
    let mut parts: Vec<Part> = Vec::new();
    for object in listed {
        if let Some(Mark::Lease(fence)) = layout::mark(&object.key) {
            let log = Log::of(bucket, layout, environment, &fence)?;
            parts.extend(log.parts().await?.into_iter().filter(|part| part.run == run));
            whole.leases.insert(fence);
        }
    }
    // Each lease began to write where the one before had ended, and that one was sealed before: their parts do not mix.
    parts.sort_by_key(|part| part.from);
    for part in parts {
        let at = whole.entries.len() as u64;
        if part.from != at {
            return Err(damaged(&part.key, &format!("it begins with record {}, and record {at} is missing", part.from)));
        }
        let decoded = codec::decode_after(&part.lines, at, whole.chain).map_err(|why| damaged(&part.key, &why))?;
        if decoded.whole != part.lines.len() as u64 || decoded.entries.len() as u64 != part.count {
            return Err(damaged(&part.key, &format!("it has {} whole records of {}", decoded.entries.len(), part.count)));
        }
        whole.chain = decoded.chain;
        whole.entries.extend(decoded.entries);
    }
    Ok(whole)
}

/// What a writer hears who is not where the run is.
pub fn elsewhere(bucket: &Bucket, run: &str, has: usize, wanted: u64) -> Error {
    let what = format!("run {run} in the journal {} has {has} records where {wanted} were expected", bucket.place);
    Error::new(Exit::Error, what, "nothing was written; `switchover resume` reads the run anew and goes on with it")
}
