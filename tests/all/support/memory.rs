//! A [`Store`] in memory. It passes the same conformance suite as the real ones, and can stop the world before or after any append.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use switchover::apply::journal::{Acquire, Entry, Lease, LockInfo, MachineClocks, Store, StoredRun, locks};
use switchover::model::{Error, Exit, Result};

/// When the process is to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Die {
    /// Before this append (from 1) is on disk.
    BeforeWrite(u64),
    /// After it is.
    AfterWrite(u64),
    /// Before this call (from 1) has any effect.
    BeforeCall(u64),
    /// After its effect, before its reply.
    AfterCall(u64),
}

#[derive(Default)]
struct Inner {
    runs: BTreeMap<(String, String), Vec<Entry>>,
    locks: BTreeMap<String, LockInfo>,
    appends: u64,
    die: Option<Die>,
    dead: Option<Arc<tokio::sync::Notify>>,
}

/// A [`Store`] in memory.
#[derive(Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Stops at this append, and tells `dead`.
    pub fn die_at(&self, die: Die, dead: Arc<tokio::sync::Notify>) {
        let mut inner = self.inner.lock().unwrap();
        inner.die = Some(die);
        inner.dead = Some(dead);
        inner.appends = 0;
    }

    /// Lives again, without locks of the dead.
    pub fn revive(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.die = None;
        inner.locks.clear();
    }

    /// Takes every lock away from its holder.
    pub fn drop_locks(&self) {
        self.inner.lock().unwrap().locks.clear();
    }

    /// Appends so far.
    pub fn appends(&self) -> u64 {
        self.inner.lock().unwrap().appends
    }

    /// A store that holds the same, without its locks.
    pub fn copy(&self) -> Arc<Self> {
        let runs = self.inner.lock().unwrap().runs.clone();
        Arc::new(MemoryStore { inner: Mutex::new(Inner { runs, ..Inner::default() }) })
    }

    /// All entries of all runs.
    pub fn entries(&self) -> Vec<Entry> {
        self.inner.lock().unwrap().runs.values().flatten().cloned().collect()
    }

    /// Forgets every run: a journal that was lost.
    pub fn lose(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.runs.clear();
        inner.locks.clear();
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    async fn acquire(&self, acquire: &Acquire) -> Result<Lease> {
        let mut inner = self.inner.lock().unwrap();
        for name in &acquire.names {
            if let Some(held) = inner.locks.get(name) {
                locks::may_take(&seen(held), acquire)?;
            }
        }
        let fence = locks::new_fence(&acquire.holder);
        for name in &acquire.names {
            let lock = locks::fresh(name, acquire, &fence, &MachineClocks);
            inner.locks.insert(name.clone(), lock);
        }
        Ok(Lease { environment: acquire.environment.clone(), names: acquire.names.clone(), fence, length: acquire.length })
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        let mut inner = self.inner.lock().unwrap();
        for name in &lease.names {
            let held = inner.locks.get(name).cloned();
            match held {
                Some(lock) if lock.fence == lease.fence => drop(inner.locks.insert(name.clone(), locks::renewed(lock, lease.length, &MachineClocks))),
                other => return Err(locks::taken_over(name, other.as_ref())),
            }
        }
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.inner.lock().unwrap().locks.retain(|_, lock| lock.fence != lease.fence);
        Ok(())
    }

    async fn lock(&self, name: &str, _environment: &str) -> Result<Option<LockInfo>> {
        Ok(self.inner.lock().unwrap().locks.get(name).map(seen))
    }

    async fn remove_lock(&self, held: &LockInfo, _environment: &str) -> Result<bool> {
        let locks = &mut self.inner.lock().unwrap().locks;
        let is_the_same = locks.get(&held.name).is_some_and(|now| now.fence == held.fence);
        Ok(is_the_same && locks.remove(&held.name).is_some())
    }

    async fn runs(&self, environment: &str) -> Result<Vec<String>> {
        Ok(self.inner.lock().unwrap().runs.keys().filter(|(env, _)| env == environment).map(|(_, run)| run.clone()).collect())
    }

    async fn read(&self, environment: &str, run: &str) -> Result<Option<StoredRun>> {
        let entries = self.inner.lock().unwrap().runs.get(&(environment.to_owned(), run.to_owned())).cloned();
        Ok(entries.map(|entries| StoredRun { run: run.to_owned(), entries }))
    }

    async fn append(&self, lease: &Lease, run: &str, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let hang = {
            let mut inner = self.inner.lock().unwrap();
            for name in &lease.names {
                let held = inner.locks.get(name);
                if held.is_none_or(|lock| lock.fence != lease.fence) {
                    return Err(locks::taken_over(name, held));
                }
            }
            inner.appends += 1;
            let (at, die) = (inner.appends, inner.die);
            let before = matches!(die, Some(Die::BeforeWrite(n)) if at >= n);
            let after = matches!(die, Some(Die::AfterWrite(n)) if at >= n);
            let dead_already = matches!(die, Some(Die::AfterWrite(n)) if at > n);
            if !before && !dead_already {
                let list = inner.runs.entry((lease.environment.clone(), run.to_owned())).or_default();
                if list.len() as u64 != entries[0].seq {
                    let what = format!("record {} does not follow {} records", entries[0].seq, list.len());
                    return Err(Error::new(Exit::Error, what, "appends come in order, without gaps"));
                }
                list.extend(entries.iter().cloned());
            }
            if before || after {
                if let Some(dead) = &inner.dead {
                    dead.notify_one();
                }
                true
            } else {
                false
            }
        };
        if hang {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

/// A lock as it is now.
fn seen(lock: &LockInfo) -> LockInfo {
    LockInfo { expired: locks::is_expired(lock, &MachineClocks), ..lock.clone() }
}
