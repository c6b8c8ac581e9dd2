//! The journal in a `PostgreSQL` database that a team shares.
//!
//! ```text
//! SCHEMA.versions   which migrations were made
//! SCHEMA.locks      one row a lock: holder, fence, until when, by the database's clock
//! SCHEMA.runs       one row a run: how many entries, the last one's checksum
//! SCHEMA.entries    one row an entry: its checksummed line, and the nonce of whoever wrote it
//! ```
//!
//! # Guarantees
//! An append compares the fence of every lock of its lease in the transaction that adds the rows; an append of a holder whose lock was taken
//! is refused, however late it arrives. An answer that was lost is found out by the nonce before anything is repeated. Every answer
//! means that the server has it on disk, whatever its settings say. No clock but the database's ends a lease. Reading makes nothing.
//!
//! # Caveats
//! A server that fails over to a standby which had not received the last commits loses them: `synchronous_standby_names` is the server's to set.

mod entries;
mod link;
mod locks;
mod schema;
mod url;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio_postgres::types::Type;

use self::entries::{Added, Batch};
use self::link::Link;
use self::schema::{Found, VERSION};
use super::patience::Patience;
use super::store::{Acquire, Lease, LockInfo, Store, StoredRun};
use super::{Entry, codec};
use crate::model::{Error, Exit, Result};

/// A [`Store`] in a database.
pub struct PostgresStore {
    link: Link,
    schema: String,
    /// Whether the tables were found to be there and ours.
    ready: AtomicBool,
    /// Where the next entry of a run goes: its number, and the checksum before it.
    tails: Mutex<HashMap<(String, String), (u64, u32)>>,
    /// Tells this handle from every other, and its appends from one another.
    nonce: String,
    count: AtomicU64,
}

impl PostgresStore {
    /// The store that a URL names. Nothing is sent yet. `nonce` is a word that no other handle has.
    pub fn new(url: &str, nonce: String, patience: Patience) -> Result<Self> {
        let place = url::parse(url)?;
        let link = Link::new(&place, patience)?;
        let (ready, tails) = (AtomicBool::new(false), Mutex::default());
        Ok(PostgresStore { link, schema: place.schema, ready, tails, nonce, count: AtomicU64::new(0) })
    }

    fn next_nonce(&self) -> String {
        format!("{}-{}", self.nonce, self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether there are tables to ask. Those of a newer version are refused.
    async fn there(&self) -> Result<bool> {
        if self.ready.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let found = self.link.work(self.link.before(), |client| async move { schema::look(&client, &self.schema).await }.boxed()).await?;
        self.is_ours(found)
    }

    fn is_ours(&self, found: Found) -> Result<bool> {
        match found {
            Found::Version(version) if version > VERSION => {
                let what = format!("the journal at {} was made by a newer version: {version}, this one knows {VERSION}", self.link.place());
                Err(Error::new(Exit::Error, what, "nothing was done; use the version of the tool that the team uses there"))
            }
            Found::Version(VERSION) => {
                self.ready.store(true, Ordering::Relaxed);
                Ok(true)
            }
            Found::Version(_) | Found::Nothing => Ok(false),
        }
    }

    /// Makes the tables, or brings them up to date, before something is written.
    async fn prepare(&self) -> Result<()> {
        if self.there().await? {
            return Ok(());
        }
        let work = |mut client| async move { schema::migrate(&mut client, &self.schema).await }.boxed();
        let made = self.link.work_alone(self.link.before(), work).await;
        let found = made.map_err(|error| error.within(format!("cannot make the tables of the journal at {}", self.link.place())))?;
        self.is_ours(found).map(drop)
    }

    fn damaged(&self, run: &str, why: &str) -> Error {
        let what = format!("the journal of run {run} at {} is damaged", self.link.place());
        let help = format!(
            "nothing was done; keep its rows in {}.entries aside and remove them and its row in {0}.runs, and plan again: reality is the state, and \
             planning again finds what the run left",
            self.schema
        );
        Error::new(Exit::Error, what, help).because_text(why)
    }

    async fn stored(&self, environment: &str, run: &str) -> Result<entries::Stored> {
        let work = |client| async move { entries::read(client, &self.schema, environment, run).await }.boxed();
        self.link.work(self.link.before(), work).await?.map_err(|why| self.damaged(run, &why))
    }

    /// Where the next entry goes, and the checksum before it.
    async fn tail(&self, environment: &str, run: &str) -> Result<(u64, u32)> {
        let key = (environment.to_owned(), run.to_owned());
        let known = self.tails.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let stored = self.stored(environment, run).await?;
        Ok((stored.entries.len() as u64, stored.chain))
    }

    fn remember(&self, environment: &str, run: &str, tail: Option<(u64, u32)>) {
        let (key, mut tails) = ((environment.to_owned(), run.to_owned()), self.tails.lock().unwrap_or_else(PoisonError::into_inner));
        match tail {
            Some(tail) => drop(tails.insert(key, tail)),
            None => drop(tails.remove(&key)),
        }
    }

    async fn batch(&self, lease: &Lease, run: &str, new: &[Entry]) -> Result<Batch> {
        let (mut next, mut chain) = self.tail(&lease.environment, run).await?;
        let first = new.first().map_or(next, |entry| entry.seq);
        if first != next {
            // Another handle under the same lease may have written meanwhile.
            self.remember(&lease.environment, run, None);
            (next, chain) = self.tail(&lease.environment, run).await?;
        }
        if first != next {
            return Err(self.damaged(run, &format!("it has {next} records where {first} were expected")));
        }
        let (mut lines, mut last) = (Vec::new(), chain);
        for entry in new {
            let (line, sum) = codec::encode(entry, last).map_err(|why| self.damaged(run, &why))?;
            lines.push(line.trim_end_matches('\n').to_owned());
            last = sum;
        }
        Ok(Batch {
            names: lease.names.clone(),
            fence: lease.fence.clone(),
            environment: lease.environment.clone(),
            run: run.to_owned(),
            first: i64::try_from(first).unwrap_or(i64::MAX),
            chain,
            lines,
            chain_after: last,
            nonce: self.next_nonce(),
        })
    }

    async fn fenced(&self, lease: &Lease) -> Error {
        let work = |client: Arc<tokio_postgres::Client>| async move { locks::lost(&client, &self.schema, &lease.names, &lease.fence).await }.boxed();
        match self.link.work(self.link.before(), work).await {
            Ok((name, held)) => super::locks::taken_over(&name, held.as_ref()),
            Err(error) => error.exit_as(Exit::Person),
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn place(&self) -> String {
        self.link.place().to_owned()
    }

    async fn acquire(&self, acquire: &Acquire) -> Result<Lease> {
        self.prepare().await?;
        let nonce = &self.next_nonce();
        let work = |client| async move { locks::take(client, &self.schema, acquire, nonce).await }.boxed();
        match self.link.work_alone(self.link.before(), work).await? {
            locks::Taken::Refused(refused) => Err(refused),
            locks::Taken::Ours(fence) => {
                Ok(Lease { environment: acquire.environment.clone(), names: acquire.names.clone(), fence, length: acquire.length })
            }
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        let seconds = lease.length.as_secs_f64();
        let work = |client| async move { locks::renew(client, &self.schema, &lease.names, &lease.fence, seconds).await }.boxed();
        // A run under way waits for its journal: as long as nobody took the lock, the lease becomes valid again.
        match self.link.work(self.link.holding(), work).await? {
            None => Ok(()),
            Some((name, held)) => Err(super::locks::taken_over(&name, held.as_ref())),
        }
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let sql = &format!("DELETE FROM {}.locks WHERE name = ANY($1) AND fence || '/' || nonce = $2", self.schema);
        let work = |client: Arc<tokio_postgres::Client>| {
            async move { client.query_typed(sql, &[(&lease.names, Type::TEXT_ARRAY), (&lease.fence, Type::TEXT)]).await.map(drop) }.boxed()
        };
        self.link.work(self.link.before(), work).await
    }

    async fn lock(&self, name: &str, _environment: &str) -> Result<Option<LockInfo>> {
        if !self.there().await? {
            return Ok(None);
        }
        let work = |client: Arc<tokio_postgres::Client>| async move { locks::one(&client, &self.schema, name).await }.boxed();
        Ok(self.link.work(self.link.before(), work).await?.map(|held| held.info))
    }

    async fn remove_lock(&self, held: &LockInfo, _environment: &str) -> Result<bool> {
        if !self.there().await? {
            return Ok(false);
        }
        let (name, fence) = (held.name.as_str(), held.fence.as_str());
        let sql = &format!("DELETE FROM {}.locks WHERE name = $1 AND fence || '/' || nonce = $2 RETURNING name", self.schema);
        let work = |client: Arc<tokio_postgres::Client>| {
            async move { Ok(!client.query_typed(sql, &[(&name, Type::TEXT), (&fence, Type::TEXT)]).await?.is_empty()) }.boxed()
        };
        self.link.work(self.link.before(), work).await
    }

    async fn runs(&self, environment: &str) -> Result<Vec<String>> {
        if !self.there().await? {
            return Ok(Vec::new());
        }
        // A run whose row is gone is still a run, and damaged.
        let sql = &format!(
            "SELECT run FROM {0}.runs WHERE environment = $1 UNION SELECT run FROM {0}.entries WHERE environment = $1 AND seq = 0 ORDER BY 1",
            self.schema
        );
        let work = |client: Arc<tokio_postgres::Client>| {
            async move { client.query_typed(sql, &[(&environment, Type::TEXT)]).await?.iter().map(|row| row.try_get(0)).collect() }.boxed()
        };
        self.link.work(self.link.before(), work).await
    }

    async fn read(&self, environment: &str, run: &str) -> Result<Option<StoredRun>> {
        if !self.there().await? {
            return Ok(None);
        }
        let stored = self.stored(environment, run).await?;
        Ok((!stored.entries.is_empty()).then(|| StoredRun { run: run.to_owned(), entries: stored.entries }))
    }

    async fn append(&self, lease: &Lease, run: &str, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        if !self.there().await? {
            return Err(super::locks::taken_over(lease.names.first().map_or("", String::as_str), None));
        }
        let batch = &self.batch(lease, run, entries).await?;
        let tried = &AtomicBool::new(false);
        let work = |client| async move { entries::append(client, &self.schema, batch, tried.swap(true, Ordering::Relaxed)).await }.boxed();
        // Whatever becomes of it, only what is known to be there is built upon.
        self.remember(&lease.environment, run, None);
        match self.link.work(self.link.holding(), work).await? {
            Added::Yes => {
                let next = entries.last().map_or(0, |entry| entry.seq + 1);
                self.remember(&lease.environment, run, Some((next, batch.chain_after)));
                Ok(())
            }
            Added::Fenced => Err(self.fenced(lease).await),
            Added::Elsewhere => Err(self.damaged(run, "another writer added to it, or its last record is not the one that was expected")),
        }
    }
}
