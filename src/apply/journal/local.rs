//! The journal in a folder: `.switchover/` beside `environments/`.
//!
//! ```text
//! .switchover/            0700, like every folder below it; no link
//!   ENV/lock.json         who runs this environment now
//!   ENV/runs/RUN.journal  one file a run, one checksummed line an entry, 0600
//!   locks/NAME.json       what else a run has locked, across environments
//!   .turn                 taken (flock) for the moment of every change, so that a fence is compared and a line written in one turn
//! ```

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::Entry;
use super::clock::{Clocks, MachineClocks};
use super::locks;
use super::store::{Acquire, Lease, LockInfo, Store, StoredRun};
use super::{codec, files};
use crate::model::{Error, Exit, Result};

/// A run's journal larger than this is neither read nor written: the plan in its first line may have all but a little of it, and its other lines are short.
const JOURNAL_BYTES_MAX: u64 = 528 << 20;

/// A [`Store`] in a folder.
pub struct LocalStore {
    root: PathBuf,
    clocks: Arc<dyn Clocks>,
    tails: Mutex<HashMap<String, Tail>>,
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
        LocalStore { root, clocks, tails: Mutex::new(HashMap::new()) }
    }

    fn environment(&self, environment: &str) -> PathBuf {
        self.root.join(locks::file_name(environment))
    }

    fn journal(&self, environment: &str, run: &str) -> PathBuf {
        self.environment(environment).join("runs").join(format!("{}.journal", locks::file_name(run)))
    }

    /// Takes the store's turn: whoever holds the returned file is alone in changing anything.
    fn turn(&self) -> Result<File> {
        let path = self.root.join(".turn");
        let file = files::open(&self.root, &path)?;
        file.lock().map_err(|error| cannot("lock", &path, &error))?;
        Ok(file)
    }

    fn lock_path(&self, name: &str, environment: &str) -> PathBuf {
        if name == format!("env:{environment}") {
            self.environment(environment).join("lock.json")
        } else {
            self.root.join("locks").join(format!("{}.json", locks::file_name(name)))
        }
    }

    fn held(&self, path: &Path) -> Result<Option<LockInfo>> {
        locks::read(&self.root, path, &*self.clocks)
    }

    fn check_fence(&self, lease: &Lease) -> Result<()> {
        for name in &lease.names {
            let held = self.held(&self.lock_path(name, &lease.environment))?;
            if held.as_ref().is_none_or(|lock| lock.fence != lease.fence) {
                return Err(locks::taken_over(name, held.as_ref()));
            }
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
        let _turn = self.turn()?;
        files::make_folder(&self.root, &self.environment(&acquire.environment))?;
        let fence = locks::new_fence(&acquire.holder);
        let mut paths = Vec::new();
        for name in &acquire.names {
            let path = self.lock_path(name, &acquire.environment);
            if let Some(held) = self.held(&path)? {
                locks::may_take(&held, acquire)?;
            }
            paths.push((name, path));
        }
        for (name, path) in paths {
            if let Some(parent) = path.parent() {
                files::make_folder(&self.root, parent)?;
            }
            locks::write(&path, &locks::fresh(name, acquire, &fence, &*self.clocks))?;
        }
        Ok(Lease { environment: acquire.environment.clone(), names: acquire.names.clone(), fence, length: acquire.length })
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        let _turn = self.turn()?;
        self.check_fence(lease)?;
        for name in &lease.names {
            let path = self.lock_path(name, &lease.environment);
            if let Some(held) = self.held(&path)? {
                locks::write(&path, &locks::renewed(held, lease.length, &*self.clocks))?;
            }
        }
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let _turn = self.turn()?;
        for name in &lease.names {
            let path = self.lock_path(name, &lease.environment);
            if self.held(&path)?.is_some_and(|held| held.fence == lease.fence) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    async fn lock(&self, name: &str, environment: &str) -> Result<Option<LockInfo>> {
        self.held(&self.lock_path(name, environment))
    }

    async fn remove_lock(&self, name: &str, environment: &str) -> Result<()> {
        let path = self.lock_path(name, environment);
        if self.held(&path)?.is_none() {
            return Ok(());
        }
        let _turn = self.turn()?;
        remove(&path)
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
        let _turn = self.turn()?;
        self.check_fence(lease)?;
        let mut tails = self.tails.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut tail = match tails.remove(run) {
            Some(tail) if tail.next == first.seq => tail,
            _ => self.open_tail(&path, first.seq)?,
        };
        let mut text = String::new();
        for entry in entries {
            let (line, chain) = codec::encode(entry, tail.chain).map_err(|why| damaged(&path, &why))?;
            text.push_str(&line);
            tail.chain = chain;
            tail.next += 1;
        }
        if tail.whole + text.len() as u64 > JOURNAL_BYTES_MAX {
            let why = std::io::Error::new(std::io::ErrorKind::FileTooLarge, format!("it would be larger than {} MiB", JOURNAL_BYTES_MAX >> 20));
            return Err(cannot("write", &path, &why));
        }
        let before = tail.whole;
        if let Err(error) = tail.file.write_all(text.as_bytes()).and_then(|()| tail.file.sync_data()) {
            // What was refused must not be read later as if it had happened. The tail stays removed: the next append reads the file again, and
            // cuts off a line that is not whole should this fail too.
            drop(tail.file.set_len(before).and_then(|()| tail.file.sync_data()));
            return Err(cannot("write", &path, &error));
        }
        tail.whole += text.len() as u64;
        tails.insert(run.to_owned(), tail);
        Ok(())
    }
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
