//! Where journals live: a small trait, so that a folder, a database and a bucket can do it alike.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Entry, Holder};
use crate::model::Result;
use crate::model::time::Timestamp;

/// A lock as it is, by the store's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    /// `env:staging`, `rds:ACCOUNT/REGION/NAME`, `dns:ZONE`.
    pub name: String,
    /// Whose it is.
    pub holder: Holder,
    /// The run it was taken for.
    pub run: String,
    /// When it was taken.
    pub since: Timestamp,
    /// When it was last renewed.
    pub heartbeat: Timestamp,
    /// When it ends unless renewed.
    pub expires: Timestamp,
    /// The same by the time since the holder's machine started, in milliseconds, where the store has no clock of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_since_boot_ms: Option<u64>,
    /// Tells this holding from every other: the fence.
    pub fence: String,
    /// Whether its lease was over when it was read: by the clock that the store holds to, not by whoever asks.
    #[serde(skip)]
    pub expired: bool,
}

/// A lock that we hold. Its fence is compared at every append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The environment.
    pub environment: String,
    /// Every lock taken together.
    pub names: Vec<String>,
    /// Tells this holding from every other.
    pub fence: String,
    /// How long it lasts unless renewed.
    pub length: Duration,
}

/// What a lock is wanted for.
#[derive(Debug, Clone)]
pub struct Acquire {
    /// The environment: its lock is always among `names`.
    pub environment: String,
    /// Locks to be taken together: all or none.
    pub names: Vec<String>,
    /// Who wants it.
    pub holder: Holder,
    /// For which run.
    pub run: String,
    /// How long it lasts unless renewed.
    pub length: Duration,
    /// Whether a lock whose lease has expired may be taken from its holder, though nobody knows that its process is gone.
    pub takeover: bool,
}

/// One run as a store has it.
#[derive(Debug, Clone)]
pub struct StoredRun {
    /// Its id.
    pub run: String,
    /// Its entries, in order.
    pub entries: Vec<Entry>,
}

/// Where journals and locks are kept.
///
/// A store promises: an append that returned well is durable; appends of one run are in order, without gaps; an append under a lease that
/// was taken over or removed fails and leaves nothing behind; a torn tail (the last append of a writer that died) is left out of reads; any other
/// damage is an error that names the place, never a shorter history.
#[async_trait]
pub trait Store: Send + Sync {
    /// For people: the folder, or the URL without its password.
    fn place(&self) -> String;
    /// Takes locks. Held by somebody else: an error with exit code 7 that says whose it is.
    async fn acquire(&self, acquire: &Acquire) -> Result<Lease>;
    /// Makes a lease last its length from now. Taken over: an error.
    async fn renew(&self, lease: &Lease) -> Result<()>;
    /// Gives locks back. One that was taken over is left alone.
    async fn release(&self, lease: &Lease) -> Result<()>;
    /// A lock, if anybody holds it.
    async fn lock(&self, name: &str, environment: &str) -> Result<Option<LockInfo>>;
    /// Removes a lock, whoever holds it, unless it has changed hands since it was read. Gives whether it is removed.
    async fn remove_lock(&self, held: &LockInfo, environment: &str) -> Result<bool>;
    /// Ids of an environment's runs, oldest first.
    async fn runs(&self, environment: &str) -> Result<Vec<String>>;
    /// Those of them that may not have ended: all, where a store can tell no more without reading each.
    async fn maybe_unfinished(&self, environment: &str) -> Result<Vec<String>> {
        self.runs(environment).await
    }
    /// One run; none when there is no such run.
    async fn read(&self, environment: &str, run: &str) -> Result<Option<StoredRun>>;
    /// Adds entries, numbered from the first missing one, durably.
    async fn append(&self, lease: &Lease, run: &str, entries: &[Entry]) -> Result<()>;
}
