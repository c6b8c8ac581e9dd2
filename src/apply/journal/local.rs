//! The journal in a folder: `.switchover/` beside `environments/`.
//!
//! ```text
//! .switchover/            0700, like every folder below it; no link
//!   ENV/lock.json         who runs this environment now
//!   ENV/runs/RUN.journal  one file a run, one checksummed line an entry, 0600
//!   locks/NAME.json       what else a run has locked, across environments: one file under many names, which lasts as long as ENV/lock.json does
//!   .turn                 taken (flock) for the moment of every change, so that a fence is compared and a line written in one turn; counts how
//!                         often locks have changed hands
//! ```

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::Entry;
use super::clock::{Clocks, MachineClocks};
use super::locks;
use super::patience::Patience;
use super::proof::Proof;
use super::store::{Acquire, Lease, LockInfo, Store, StoredRun};
use super::turn::{self, Turn};
use super::{codec, files};
use crate::model::{Error, Exit, Result};

/// A run's journal larger than this is neither read nor written: the plan in its first line may have all but a little of it, and its other lines are short.
const JOURNAL_BYTES_MAX: u64 = 528 << 20;

/// A [`Store`] in a folder.
pub struct LocalStore {
    root: PathBuf,
    clocks: Arc<dyn Clocks>,
    patience: Patience,
    tails: Mutex<HashMap<String, Tail>>,
    kept: Arc<turn::Kept>,
    /// What was the same when every lock of a lease was last read and was its own.
    proven: Mutex<Option<Proof>>,
}

/// Where the next entry of a run goes.
struct Tail {
    file: File,
    /// Bytes of whole lines.
    whole: u64,
    chain: u32,
    next: u64,
}

impl LocalStore {
    /// The store in `root` (`…/.switchover`). Nothing is made before something is written.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self::with_clocks(root, Arc::new(MachineClocks))
    }

    /// The same on a machine with these clocks.
    #[must_use]
    pub fn with_clocks(root: PathBuf, clocks: Arc<dyn Clocks>) -> Self {
        LocalStore { root, clocks, patience: Patience::default(), tails: Mutex::default(), kept: Arc::default(), proven: Mutex::default() }
    }

    /// The same store, with this patience towards whoever has its turn.
    #[must_use]
    pub fn patient(self, patience: Patience) -> Self {
        LocalStore { patience, ..self }
    }

    fn environment(&self, environment: &str) -> PathBuf {
        self.root.join(locks::file_name(environment))
    }

    fn journal(&self, environment: &str, run: &str) -> PathBuf {
        self.environment(environment).join("runs").join(format!("{}.journal", locks::file_name(run)))
    }

    /// Takes the store's turn for a change that a run under way needs.
    async fn turn(&self) -> Result<Turn> {
        turn::take(&self.root, &self.kept, &self.patience, self.patience.holding).await
    }

    /// The same where people would rather know than wait.
    async fn short_turn(&self) -> Result<Turn> {
        turn::take(&self.root, &self.kept, &self.patience, self.patience.before).await
    }

    fn lock_path(&self, name: &str, environment: &str) -> PathBuf {
        if name == own_lock(environment) { self.own_path(environment) } else { self.others().join(format!("{}.json", locks::file_name(name))) }
    }

    fn own_path(&self, environment: &str) -> PathBuf {
        self.environment(environment).join("lock.json")
    }

    fn others(&self) -> PathBuf {
        self.root.join("locks")
    }

    fn held(&self, name: &str, environment: &str) -> Result<Option<LockInfo>> {
        let Some(locks::Filed { mut lock, lasts_with }) = locks::read(&self.root, &self.lock_path(name, environment))? else { return Ok(None) };
        if let Some(environment) = lasts_with {
            name.clone_into(&mut lock.name);
            let own = locks::read(&self.root, &self.own_path(&environment))?;
            if let Some(own) = own.map(|own| own.lock).filter(|own| own.fence == lock.fence) {
                (lock.heartbeat, lock.expires, lock.expires_since_boot_ms) = (own.heartbeat, own.expires, own.expires_since_boot_ms);
            }
        }
        lock.expired = locks::is_expired(&lock, &*self.clocks);
        Ok(Some(lock))
    }

    /// Makes sure that every lock of a lease is still its own. Gives those that do not last with another one.
    fn check_fence(&self, lease: &Lease) -> Result<Vec<(PathBuf, LockInfo)>> {
        let (mut alone, mut shared) = (Vec::new(), None);
        for name in &lease.names {
            let path = self.lock_path(name, &lease.environment);
            // Thousands of names are links to one file, in a folder that was looked at when the first of them was read.
            if shared.is_some() && files::identity(&path) == shared {
                continue;
            }
            match locks::read(&self.root, &path)? {
                Some(filed) if filed.lock.fence == lease.fence && filed.lasts_with.is_some() => shared = files::identity(&path),
                Some(filed) if filed.lock.fence == lease.fence => alone.push((path, filed.lock)),
                _ => return Err(locks::taken_over(name, self.held(name, &lease.environment)?.as_ref())),
            }
        }
        Ok(alone)
    }

    /// The same before every append, when as a rule nothing has changed since the last one.
    fn prove(&self, turn: &Turn, lease: &Lease) -> Result<()> {
        let now = turn.proof(&lease.fence, &[&self.own_path(&lease.environment), &self.others()]);
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        if proven.as_ref() != Some(&now) {
            *proven = None;
            self.check_fence(lease)?;
            *proven = Some(now).filter(|now| now.is_lasting(self.clocks.wall()));
        }
        Ok(())
    }

    /// Takes locks that are free for the taking: the environment's own first, and all others to last with it.
    fn write_locks(&self, acquire: &Acquire, fence: &str) -> Result<()> {
        let (own, others): (Vec<&String>, Vec<&String>) = acquire.names.iter().partition(|name| **name == own_lock(&acquire.environment));
        if !others.is_empty() {
            files::make_folder(&self.root, &self.others())?;
        }
        for name in if own.is_empty() { &others } else { &own } {
            let lock = locks::fresh(name, acquire, fence, &*self.clocks);
            locks::write(&self.lock_path(name, &acquire.environment), &lock)?;
        }
        if let Some(name) = own.first() {
            let paths: Vec<PathBuf> = others.iter().map(|name| self.lock_path(name, &acquire.environment)).collect();
            locks::write_together(&paths, &locks::fresh(name, acquire, fence, &*self.clocks), &acquire.environment)?;
        }
        Ok(())
    }

    fn open_tail(&self, path: &Path, entries_before: u64) -> Result<Tail> {
        let bytes = files::read(&self.root, path, JOURNAL_BYTES_MAX)?;
        let decoded = codec::decode(&bytes.unwrap_or_default()).map_err(|why| damaged(path, &why))?;
        if decoded.entries.len() as u64 != entries_before {
            return Err(damaged(path, &format!("it has {} records where {entries_before} were expected", decoded.entries.len())));
        }
        let mut file = files::open(&self.root, path)?;
        let mut cut = || -> std::io::Result<()> {
            file.set_len(decoded.whole)?;
            file.seek(SeekFrom::End(0))?;
            file.sync_all()?;
            sync_folder(path)
        };
        cut().map_err(|error| cannot("write", path, &error))?;
        Ok(Tail { file, whole: decoded.whole, chain: decoded.chain, next: entries_before })
    }
}

#[async_trait]
impl Store for LocalStore {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    async fn acquire(&self, acquire: &Acquire) -> Result<Lease> {
        let turn = self.short_turn().await?;
        files::make_folder(&self.root, &self.environment(&acquire.environment))?;
        let fence = locks::new_fence(&acquire.holder);
        for name in &acquire.names {
            if let Some(held) = self.held(name, &acquire.environment)? {
                locks::may_take(&held, acquire)?;
            }
        }
        turn.count_change(&self.root)?;
        self.write_locks(acquire, &fence)?;
        Ok(Lease { environment: acquire.environment.clone(), names: acquire.names.clone(), fence, length: acquire.length })
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        let _turn = self.turn().await?;
        for (path, held) in self.check_fence(lease)? {
            locks::write(&path, &locks::renewed(held, lease.length, &*self.clocks))?;
        }
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let turn = self.short_turn().await?;
        turn.count_change(&self.root)?;
        for name in &lease.names {
            let path = self.lock_path(name, &lease.environment);
            if locks::read(&self.root, &path)?.is_some_and(|held| held.lock.fence == lease.fence) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    async fn lock(&self, name: &str, environment: &str) -> Result<Option<LockInfo>> {
        self.held(name, environment)
    }

    async fn remove_lock(&self, held: &LockInfo, environment: &str) -> Result<bool> {
        if self.held(&held.name, environment)?.is_none() {
            return Ok(false);
        }
        let turn = self.short_turn().await?;
        if self.held(&held.name, environment)?.is_none_or(|now| now.fence != held.fence) {
            return Ok(false);
        }
        turn.count_change(&self.root)?;
        remove(&self.lock_path(&held.name, environment)).map(|()| true)
    }

    async fn runs(&self, environment: &str) -> Result<Vec<String>> {
        let folder = self.environment(environment).join("runs");
        if !files::is_folder(&self.root, &folder)? {
            return Ok(Vec::new());
        }
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(cannot("list", &folder, &error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| cannot("list", &folder, &error))?.file_name();
            runs.extend(name.to_str().and_then(|name| name.strip_suffix(".journal")).and_then(locks::name_of));
        }
        // Ids begin with the moment of their plan, so that their order is that of time.
        runs.sort();
        Ok(runs)
    }

    async fn read(&self, environment: &str, run: &str) -> Result<Option<StoredRun>> {
        let path = self.journal(environment, run);
        let Some(bytes) = files::read(&self.root, &path, JOURNAL_BYTES_MAX)? else { return Ok(None) };
        let decoded = codec::decode(&bytes).map_err(|why| damaged(&path, &why))?;
        if decoded.entries.is_empty() {
            return Ok(None);
        }
        Ok(Some(StoredRun { run: run.to_owned(), entries: decoded.entries }))
    }

    async fn append(&self, lease: &Lease, run: &str, entries: &[Entry]) -> Result<()> {
        let Some(first) = entries.first() else { return Ok(()) };
        let path = self.journal(&lease.environment, run);
        let turn = self.turn().await?;
        self.prove(&turn, lease)?;
        let mut tails = self.tails.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tail = match tails.remove(run) {
            Some(tail) if tail.next == first.seq => tail,
            _ => self.open_tail(&path, first.seq)?,
        };
        let mut lines = Vec::new();
        for entry in entries {
            tail.chain = codec::encode_into(&mut lines, entry, tail.chain).map_err(|why| damaged(&path, &why))?;
            tail.next += 1;
        }
        if tail.whole + lines.len() as u64 > JOURNAL_BYTES_MAX {
            let why = std::io::Error::new(std::io::ErrorKind::FileTooLarge, format!("it would be larger than {} MiB", JOURNAL_BYTES_MAX >> 20));
            return Err(cannot("write", &path, &why));
        }
        let before = tail.whole;
        if let Err(error) = tail.file.write_all(&lines).and_then(|()| tail.file.sync_data()) {
            // What was refused must not be read later as if it had happened. The tail stays removed: the next append reads the file again, and
            // cuts off a line that is not whole should this fail too.
            drop(tail.file.set_len(before).and_then(|()| tail.file.sync_data()));
            return Err(cannot("write", &path, &error));
        }
        tail.whole += lines.len() as u64;
        tails.insert(run.to_owned(), tail);
        Ok(())
    }
}

/// The name of an environment's own lock.
fn own_lock(environment: &str) -> String {
    format!("env:{environment}")
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(cannot("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Makes the file's name durable, not only its content.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

pub(super) fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        Exit::Error,
        format!("cannot {verb} {}", path.display()),
        "check that the folder is there, is yours to write and that its disk is not full",
    )
    .because_text(error.to_string())
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::new(
        Exit::Error,
        format!("the journal {} is damaged", path.display()),
        "nothing was done; move the file aside and plan again: reality is the state, and planning again finds what the run left",
    )
    .because_text(why)
}
