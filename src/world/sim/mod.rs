//! The simulated world: a small model of every service with its real manners, a virtual clock, and faults on demand. It is a file.
//!
//! A world file is JSON (`State`): `format_version`, the world's own `id`, `now`, `seed`; `aws` (accounts, their regions, in them
//! instances by `DbiResourceId`, snapshots, Elastic IPs, groups), `cloudflare` (zones by id, records by id), `dns` (how far each
//! name server is behind), `slack` (notices received), `faults` and `chaos`, `timings` (seconds, all with defaults) and `counters`.
//! Unknown keys are refused. It is written back with sorted keys, by commands that wrote, when they end; until then what changed is in
//! `FILE.log` (`store`). Things that are under way stand in the file with their ends, so editing `now` lets time pass.
//!
//! Objects move only when the clock does, and the clock moves only in [`Clock::sleep_until`] (and by slow replies), if time is
//! allowed to pass. Futures are done at their first poll, except calls that hang and sleeping at a pace.
//!
//! What is random in the services (ids, chaos) comes from the world's seed and its counters, or from `--seed`; what the tool draws
//! ([`Readers::random`]) comes from `--seed`, else from the machine: else two runs planned in the same state would bear one id.

mod aws;
mod chat;
mod check;
mod cloudflare;
mod core;
mod ec2;
mod faults;
mod rds;
mod resolver;
mod sql;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod touched;

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::clock::Clock;
use super::provider::{AwsProvider, CloudflareProvider};
use super::sql::SqlTarget;
use super::{CallError, CallResult, Failure, Readers, Writers};
use crate::model::{Error, Exit, Json, Result, time};

pub use self::core::Hook;
pub use faults::{CALLS, CallInfo, Called, Fault, Outcome, When};

/// How a world is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SimOptions {
    /// Fixes everything random, the world's own seed included.
    pub seed: Option<u64>,
    /// Simulated seconds a real one; as fast as possible when none.
    pub pace: Option<f64>,
}

/// A simulated world, open.
pub struct SimWorld {
    core: Arc<core::Core>,
}

impl SimWorld {
    /// Opens a world file, with what a killed command left in `FILE.log`. Nothing is written until something is changed.
    ///
    /// # Errors
    /// A file that cannot be read, or is no world: with line, column and path of the mistake.
    pub fn open(path: &Path, options: SimOptions) -> Result<Arc<SimWorld>> {
        check_options(options)?;
        let (store, state) = store::Store::open(path)?;
        Ok(Self::with(state, Some(store), options))
    }

    /// A world in memory alone.
    ///
    /// # Errors
    /// As [`SimWorld::open`].
    pub fn from_json(json: &Json, options: SimOptions) -> Result<Arc<SimWorld>> {
        check_options(options)?;
        Ok(Self::with(check::parse(&json.to_string(), "world")?, None, options))
    }

    fn with(state: state::State, store: Option<store::Store>, options: SimOptions) -> Arc<SimWorld> {
        Arc::new(SimWorld { core: Arc::new(core::Core::new(state, store, options.seed, options.pace)) })
    }

    /// The whole world as it would be written now.
    #[must_use]
    pub fn snapshot(&self) -> Json {
        // Keys are texts and numbers are finite, so there is nothing that JSON cannot say.
        store::to_json(&self.core.lock().state).unwrap_or_default()
    }

    /// Ends the session: folds the log into the file when this session wrote, or was allowed to and found a killed one's log. Without that the file stays as it is.
    ///
    /// # Errors
    /// The file cannot be written; what happened is in the log then.
    pub fn close(&self) -> Result<()> {
        let mut guard = self.core.lock();
        let inner = &mut *guard;
        let Some(store) = inner.store.as_ref() else { return Ok(()) };
        if !inner.wrote {
            if !store.has_log() || !self.core.time_is_allowed() {
                return Ok(());
            }
        } else if !store.has_log() {
            store.drop_empty_log();
            return Ok(());
        }
        let log = store
            .lock()
            .map_err(|error| Error::new(Exit::Person, "cannot lock the world's log", "mend permissions beside the world file").because(error))?;
        inner.refresh()?;
        if let Some(store) = inner.store.as_mut() {
            store.fold(log, &inner.state)?;
        }
        inner.wrote = false;
        Ok(())
    }

    /// Whether the clock moves when somebody sleeps; not until this is called.
    pub fn allow_time(&self, allowed: bool) {
        self.core.allow_time(allowed);
    }

    /// From here on every move of the clock outlives a SIGKILL, before the first write of this session too: for who goes on with a run that
    /// has written, and has seen what came of it.
    pub fn keep_time(&self) {
        self.core.keep_time();
    }

    /// Moves the clock, allowed or not.
    pub fn advance(&self, duration: Duration) {
        let mut inner = self.core.lock();
        let then = time::after(inner.state.now, duration);
        inner.move_to(then);
    }

    /// What somebody does by hand, past every service: changes the world as the data it is written as. For tests; a world in memory alone.
    ///
    /// # Errors
    /// What is left is no world: nothing is changed then.
    pub fn edit(&self, change: impl FnOnce(&mut Json)) -> Result<()> {
        let mut json = self.snapshot();
        change(&mut json);
        let state = check::parse(&json.to_string(), "world")?;
        self.core.lock().replace(state);
        Ok(())
    }

    /// Asks `hook` about every call, reads too; what it gives comes before the faults of script and chance.
    pub fn set_hook(&self, hook: Hook) {
        *self.core.hook.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    /// Asks no hook any more.
    pub fn clear_hook(&self) {
        *self.core.hook.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// All calls since the world was opened, in order, at most the last million.
    #[must_use]
    pub fn calls(&self) -> Vec<Called> {
        self.core.lock().calls.iter().cloned().collect()
    }

    /// The account that a provider's credentials belong to, checked against the one that it names.
    fn place(&self, provider: &AwsProvider) -> CallResult<rds::Place> {
        let inner = self.core.lock();
        let aws = &inner.state.aws;
        let denied = |why: String| CallError::new("sts:GetCallerIdentity", Failure::Denied, why);
        let maps_profiles = aws.accounts.values().any(|account| !account.profiles.is_empty());
        let by_profile = match &provider.profile {
            Some(profile) if maps_profiles => {
                let found = aws.accounts.iter().find(|(_, account)| account.profiles.contains(profile));
                Some(found.map(|(id, _)| id).ok_or_else(|| denied(format!("this world has no profile {profile}")))?)
            }
            _ => None,
        };
        let only = aws.accounts.keys().next().filter(|_| aws.accounts.len() == 1);
        let fallback = by_profile.or(aws.default_account.as_ref()).or(only);
        let account = match (&provider.account_id, by_profile) {
            (Some(wanted), None) => aws.accounts.contains_key(wanted).then_some(wanted),
            (Some(wanted), Some(found)) => Some(found).filter(|found| *found == wanted),
            (None, _) => fallback,
        };
        let Some(account) = account else {
            return Err(denied(match (&provider.account_id, fallback) {
                (Some(wanted), Some(found)) => format!("the credentials belong to account {found}, and {} wants {wanted}", provider.name),
                (Some(wanted), None) => format!("this world has no account {wanted}"),
                (None, _) => format!("this world has {} accounts, none of them the default: name account_id or profile", aws.accounts.len()),
            }));
        };
        Ok(rds::Place { account: account.clone(), region: provider.region.clone() })
    }
}

fn check_options(options: SimOptions) -> Result<()> {
    match options.pace {
        Some(pace) if !(pace.is_finite() && (0.001..=1e9).contains(&pace)) => {
            Err(Error::new(Exit::Error, format!("a pace of {pace} is not possible"), "give simulated seconds a real one, e.g. --pace 60x"))
        }
        _ => Ok(()),
    }
}

#[async_trait]
impl Readers for SimWorld {
    fn identity(&self) -> String {
        self.core.lock().state.id.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.core.clone()
    }

    fn random(&self) -> u64 {
        self.core.random()
    }

    async fn rds(&self, aws: &AwsProvider) -> CallResult<Arc<dyn super::rds::RdsRead>> {
        Ok(Arc::new(rds::RdsDoor { core: self.core.clone(), place: self.place(aws)? }))
    }

    async fn ec2(&self, aws: &AwsProvider) -> CallResult<Arc<dyn super::ec2::Ec2Read>> {
        Ok(Arc::new(ec2::Ec2Door { core: self.core.clone(), place: self.place(aws)? }))
    }

    async fn dns(&self, _cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn super::dns::DnsRead>> {
        Ok(Arc::new(cloudflare::DnsDoor(self.core.clone())))
    }

    async fn resolver(&self) -> CallResult<Arc<dyn super::resolver::Resolver>> {
        Ok(Arc::new(resolver::ResolverDoor(self.core.clone())))
    }

    async fn sql(&self, target: &SqlTarget) -> CallResult<Arc<dyn super::sql::SqlRead>> {
        Ok(Arc::new(sql::SqlDoor { core: self.core.clone(), target: target.clone() }))
    }
}

#[async_trait]
impl Writers for SimWorld {
    async fn rds_writer(&self, aws: &AwsProvider) -> CallResult<Arc<dyn super::rds::RdsWrite>> {
        Ok(Arc::new(rds::RdsDoor { core: self.core.clone(), place: self.place(aws)? }))
    }

    async fn dns_writer(&self, _cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn super::dns::DnsWrite>> {
        Ok(Arc::new(cloudflare::DnsDoor(self.core.clone())))
    }

    async fn sql_writer(&self, target: &SqlTarget) -> CallResult<Arc<dyn super::sql::SqlWrite>> {
        Ok(Arc::new(sql::SqlDoor { core: self.core.clone(), target: target.clone() }))
    }

    async fn chat(&self) -> CallResult<Arc<dyn super::chat::Chat>> {
        Ok(Arc::new(chat::ChatDoor(self.core.clone())))
    }
}
