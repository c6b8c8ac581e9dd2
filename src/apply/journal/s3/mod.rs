//! The journal in a bucket: `s3://BUCKET/PREFIX`.
//!
//! S3 has no transactions, no locks and no append. It has one thing to build them from: a write that succeeds only where no object of that name is
//! (`If-None-Match: *`), and reads and lists that show every write that has succeeded. So everything here is a numbered object, written once and
//! never changed: [`layout`] says where, [`object`] how.
//!
//! - **Order and durability.** What one append adds is one object of its lease's [`log`]. Of two that want to write the same number, one does.
//! - **An unknown outcome** is resolved by reading: an object holds a nonce of its write, so that what has the name is ours or another's.
//!   (An `ETag` is a hash of the content and tells no two writers of the same bytes apart.)
//! - **The fence.** Whoever takes, removes or gives back a lock seals the log of the lease that held it, *before* it writes the next generation of
//!   the [`lock`]. A holder that slept, in whatever line of this program, appends into that seal and is told. An append is therefore one
//!   request, needs no look at a lock, and cannot come between a look and a write.
//! - **Time** is the server's alone. This machine's clock is used for nothing but the signature of requests, which S3 refuses when it is more
//!   than fifteen minutes off.
//! - **Damage.** A number that is missing, an object that is not the one its name says, a checksum that does not fit: refused, with the name of
//!   the object. There is no torn tail, since an object is there as a whole or not at all.
//!
//! What is needed: `s3:ListBucket` on the bucket, `s3:GetObject`, `s3:PutObject` and `s3:DeleteObject` below the prefix. Nothing else may write or
//! remove objects there, nor may a lifecycle rule, `probes/` excepted: where generations of a lock or a lease's seal are gone, the fence is.

mod bucket;
mod door;
mod layout;
mod lock;
mod log;
pub mod object;
mod probe;
mod runs;
mod settings;
mod trouble;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;

pub use settings::Settings;

use bucket::Bucket;
use layout::Layout;
use lock::{Held, Lock, State};
use log::Log;
use object::Seal;

use super::locks;
use super::patience::Patience;
use super::record::{Entry, Record};
use super::store::{Acquire, Lease, LockInfo, Store, StoredRun};
use crate::model::{Error, Exit, Result, time};
use crate::world::keys::KeySource;

/// How often somebody else may be quicker before a lock is left to them.
const ATTEMPTS: usize = 50;
/// How often a lease is looked at whose end is waited for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Servers that are not Amazon's take any region, and most call it this.
const REGION_OF_OTHERS: &str = "us-east-1";

/// A [`Store`] in a bucket.
pub struct S3Store {
    settings: Settings,
    layout: Layout,
    keys: Arc<dyn KeySource>,
    patience: Patience,
    bucket: OnceCell<Bucket>,
    /// Set once the server has been found to honour conditional writes.
    fit: OnceCell<()>,
    tails: Mutex<HashMap<(String, String), Tail>>,
}

/// Where the next record of a run goes under a lease.
struct Tail {
    /// The next object of the lease's log.
    number: u64,
    /// The next record of the run.
    next: u64,
    chain: u32,
    /// How many leases have written to the run, this one included.
    leases: usize,
}

impl S3Store {
    /// The store in a bucket. Nothing is asked before something is wanted.
    #[must_use]
    pub fn new(settings: Settings, keys: Arc<dyn KeySource>, patience: Patience) -> Self {
        let layout = Layout::new(&settings.prefix);
        let (bucket, fit) = (OnceCell::new(), OnceCell::new());
        S3Store { settings, layout, keys, patience, bucket, fit, tails: Mutex::default() }
    }

    async fn bucket(&self) -> Result<&Bucket> {
        let open = || async {
            let mut region = self.settings.region.clone();
            if region.is_none() {
                region = self.keys.region().await;
            }
            let others = self.settings.endpoint.is_some().then(|| REGION_OF_OTHERS.to_owned());
            let region = region.or(others).ok_or_else(|| {
                let what = format!("cannot open the journal {}: its region is not known", self.place());
                Error::new(Exit::Error, what, "name it: ?region=… in the journal's URL, or AWS_REGION")
            })?;
            Bucket::open(&self.settings, region, Arc::clone(&self.keys), self.patience.clone())
        };
        self.bucket.get_or_try_init(open).await
    }

    fn log<'a>(&'a self, bucket: &'a Bucket, environment: &str, fence: &'a str) -> Result<Log<'a>> {
        Log::of(bucket, &self.layout, environment, fence)
    }

    /// Takes one lock for a lease. `ended` are the leases that were ended on the way: what they still hold is for the taking.
    async fn claim(&self, lock: &Lock<'_>, mut state: State, acquire: &Acquire, name: &str, fence: &str, ended: &mut BTreeSet<String>) -> Result<()> {
        let bucket = self.bucket().await?;
        for _ in 0..ATTEMPTS {
            state = self.outlast(lock, state, acquire, ended).await?;
            if let Some((held, info)) = &state.held
                && !ended.contains(&held.fence)
            {
                locks::may_take(info, acquire)?;
                let why = Seal::TakenOver { lock: name.to_owned(), by: acquire.holder.clone(), run: acquire.run.clone() };
                self.log(bucket, &held.environment, &held.fence)?.seal(&why).await?;
                ended.insert(held.fence.clone());
            }
            if lock.write(state.next, Some(Held::new(name, acquire, fence))).await? {
                return Ok(());
            }
            state = lock.read().await?;
        }
        Err(self.busy(name))
    }

    /// Waits until a lease that was ended is over. It may have been renewed in that moment: its holder writes nothing more and renews it no more, but is
    /// sure of it to its end, and a call whose intent was written before may leave until then.
    async fn outlast(&self, lock: &Lock<'_>, mut state: State, acquire: &Acquire, ended: &BTreeSet<String>) -> Result<State> {
        let mut looks = 0;
        while let Some((held, info)) =
            state.held.as_ref().filter(|(held, info)| ended.contains(&held.fence) && locks::may_take(info, acquire).is_err())
        {
            if looks == 0 {
                let what = format!(
                    "{} was renewed while it was being taken over: waiting until that is over, for {} at most",
                    info.name,
                    time::words(held.length())
                );
                (self.patience.listener)(&what);
            }
            // A server whose clock is set back would end it much later, or never.
            looks += 1;
            if LOOK_AGAIN * looks > held.length() * 2 + LOOK_AGAIN {
                locks::may_take(info, acquire)?;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            state = lock.read().await?;
        }
        Ok(state)
    }

    /// Frees a lock, if this lease holds it.
    async fn free(&self, bucket: &Bucket, name: &str, fence: &str) -> Result<()> {
        let lock = Lock::of(bucket, &self.layout, name);
        for _ in 0..ATTEMPTS {
            let state = lock.read().await?;
            if state.held.is_none_or(|(held, _)| held.fence != fence) || lock.write(state.next, None).await? {
                return Ok(());
            }
        }
        Err(self.busy(name))
    }

    fn busy(&self, name: &str) -> Error {
        let what = format!("the lock {name} of the journal {} changes all the time", self.place());
        Error::new(Exit::Locked, what, "somebody is at work there: wait, and try again")
    }

    async fn open_tail(&self, bucket: &Bucket, lease: &Lease, run: &str, before: u64) -> Result<Tail> {
        let head = self.log(bucket, &lease.environment, &lease.fence)?.head(true).await?;
        if let Some(seal) = head.seal {
            return Err(log::over(&seal));
        }
        let mut whole = runs::whole(bucket, &self.layout, &lease.environment, run).await?;
        if whole.entries.len() as u64 != before {
            return Err(runs::elsewhere(bucket, run, whole.entries.len(), before));
        }
        if whole.leases.insert(lease.fence.clone()) {
            // Before the first record, so that no record is where nobody looks for it.
            let mark = format!("{}/{}", self.layout.run(&lease.environment, run), lease.fence);
            bucket.put_new(&mark, lease.fence.as_bytes(), true).await?;
        }
        Ok(Tail { number: head.next, next: before, chain: whole.chain, leases: whole.leases.len() })
    }

    fn tails(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), Tail>> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The environment's own lock first, the others by name: of all who want some of the same locks, one gets as far as to hold them all.
fn in_order(acquire: &Acquire) -> Vec<String> {
    let own = format!("env:{}", acquire.environment);
    let others: BTreeSet<&String> = acquire.names.iter().filter(|name| **name != own).collect();
    let own = acquire.names.contains(&own).then_some(own);
    own.into_iter().chain(others.into_iter().cloned()).collect()
}

#[async_trait]
impl Store for S3Store {
    fn place(&self) -> String {
        self.settings.place()
    }

    async fn acquire(&self, acquire: &Acquire) -> Result<Lease> {
        let bucket = self.bucket().await?;
        let names = in_order(acquire);
        let mut states = Vec::new();
        for name in &names {
            let state = Lock::of(bucket, &self.layout, name).read().await?;
            if let Some((_, info)) = &state.held {
                locks::may_take(info, acquire)?;
            }
            states.push(state);
        }
        self.fit.get_or_try_init(|| probe::check(bucket, &self.layout)).await?;
        let first = states.first().map_or(0, |state| state.next);
        let fence = format!("{first:010}-{}", object::nonce());
        let lease = Lease { environment: acquire.environment.clone(), names: names.clone(), fence, length: acquire.length };
        let mut ended = BTreeSet::new();
        for (name, state) in names.iter().zip(states) {
            let lock = Lock::of(bucket, &self.layout, name);
            if let Err(error) = self.claim(&lock, state, acquire, name, &lease.fence, &mut ended).await {
                // What was taken before is given back; where that fails too, it ends by itself.
                let _ = self.release(&lease).await;
                return Err(error);
            }
        }
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        let bucket = self.bucket().await?;
        let mut states = Vec::new();
        for name in &lease.names {
            let state = Lock::of(bucket, &self.layout, name).read().await?;
            match state.held {
                Some((held, info)) if held.fence == lease.fence => states.push((name, state.next, held.renewed(&info, lease.length))),
                other => return Err(locks::taken_over(name, other.map(|(_, info)| info).as_ref())),
            }
        }
        // Somebody may have ended the lease, and died before it took the lock.
        if let Some(seal) = self.log(bucket, &lease.environment, &lease.fence)?.head(false).await?.seal {
            return Err(log::over(&seal));
        }
        for (name, next, held) in states {
            let lock = Lock::of(bucket, &self.layout, name);
            if !lock.write(next, Some(held)).await? {
                let now = lock.read().await?.held.map(|(_, info)| info);
                if now.as_ref().is_none_or(|info| info.fence != lease.fence) {
                    return Err(locks::taken_over(name, now.as_ref()));
                }
            }
        }
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let bucket = self.bucket().await?;
        self.log(bucket, &lease.environment, &lease.fence)?.seal(&Seal::Released).await?;
        for name in &lease.names {
            self.free(bucket, name, &lease.fence).await?;
        }
        Ok(())
    }

    async fn lock(&self, name: &str, _environment: &str) -> Result<Option<LockInfo>> {
        let state = Lock::of(self.bucket().await?, &self.layout, name).read().await?;
        Ok(state.held.map(|(_, info)| info))
    }

    async fn remove_lock(&self, held: &LockInfo, _environment: &str) -> Result<bool> {
        let bucket = self.bucket().await?;
        let name = &held.name;
        let Some((now, _)) = Lock::of(bucket, &self.layout, name).read().await?.held.filter(|(now, _)| now.fence == held.fence) else {
            return Ok(false);
        };
        // What follows is bound to this fence: it does nothing to a lock that changes hands now.
        self.log(bucket, &now.environment, &now.fence)?.seal(&Seal::Removed { lock: name.clone() }).await?;
        self.free(bucket, name, &now.fence).await.map(|()| true)
    }

    async fn runs(&self, environment: &str) -> Result<Vec<String>> {
        runs::ids(self.bucket().await?, &self.layout, environment).await
    }

    async fn maybe_unfinished(&self, environment: &str) -> Result<Vec<String>> {
        runs::maybe_unfinished(self.bucket().await?, &self.layout, environment).await
    }

    async fn read(&self, environment: &str, run: &str) -> Result<Option<StoredRun>> {
        let whole = runs::whole(self.bucket().await?, &self.layout, environment, run).await?;
        Ok((!whole.entries.is_empty()).then(|| StoredRun { run: run.to_owned(), entries: whole.entries }))
    }

    async fn append(&self, lease: &Lease, run: &str, entries: &[Entry]) -> Result<()> {
        let Some(first) = entries.first() else { return Ok(()) };
        let bucket = self.bucket().await?;
        let place = (lease.fence.clone(), run.to_owned());
        let known = self.tails().remove(&place).filter(|tail| tail.next == first.seq);
        let tail = match known {
            Some(tail) => tail,
            None => self.open_tail(bucket, lease, run, first.seq).await?,
        };
        let (body, chain) = object::write_records(&lease.fence, tail.number, run, entries, tail.chain).map_err(log::cannot_write)?;
        if body.len() as u64 > door::OBJECT_BYTES_MAX {
            return Err(log::cannot_write(format!("one append is limited to {} bytes", door::OBJECT_BYTES_MAX)));
        }
        // On failure the tail stays removed: the next append looks anew.
        self.log(bucket, &lease.environment, &lease.fence)?.append(tail.number, &body).await?;
        if matches!(entries.last().map(|entry| &entry.record), Some(Record::Finished { .. })) {
            // Only a help for those who look for unfinished runs: without it the run is read.
            let _ = bucket.put_new(&self.layout.ended(&lease.environment, run, tail.leases), lease.fence.as_bytes(), false).await;
        }
        let next = tail.next + entries.len() as u64;
        self.tails().retain(|(fence, _), _| *fence != lease.fence);
        self.tails().insert(place, Tail { number: tail.number + 1, next, chain, leases: tail.leases });
        Ok(())
    }
}
