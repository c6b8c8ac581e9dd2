//! A world that tells of every call: its word, what it is about, how long it took, how it ended. Never what was sent or answered, and what a service
//! said when it failed goes on without the secrets that it was sent.

mod doors;
mod hider;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::doors::Door;
use self::hider::Hider;
use super::call::{CallError, CallResult};
use super::provider::{AwsProvider, CloudflareProvider};
use super::{Clock, Readers, Writers, chat, dns, ec2, rds, resolver, sql};
use crate::model::time::{self, Timestamp};
use crate::model::{SecretRef, Secrets};

/// One call that has ended.
#[derive(Debug)]
pub struct Traced<'a> {
    /// When it went out, by the world's clock.
    pub at: Timestamp,
    /// The operation in the service's words: `rds:ModifyDBInstance`.
    pub call: &'a str,
    /// What it was about: a name, a zone's id, a server.
    pub about: &'a str,
    /// Whether it writes.
    pub write: bool,
    /// How long it took, by the world's clock.
    pub took: Duration,
    /// Why it failed, if it did.
    pub error: Option<&'a CallError>,
}

/// Who is told of calls.
pub type Listener = Arc<dyn Fn(&Traced<'_>) + Send + Sync>;

/// What all doors of one traced world share.
struct Trace {
    clock: Arc<dyn Clock>,
    listener: Listener,
    hider: Hider,
}

impl Trace {
    async fn time<T>(&self, call: &str, about: &str, write: bool, work: impl Future<Output = CallResult<T>> + Send) -> CallResult<T> {
        let at = self.clock.now();
        let result = work.await.map_err(|error| self.hider.hide(error));
        let took = time::between(at, self.clock.now());
        (self.listener)(&Traced { at, call, about, write, took, error: result.as_ref().err() });
        result
    }
}

/// A world whose calls are told of.
pub struct TracedWorld {
    inner: Arc<dyn Writers>,
    trace: Arc<Trace>,
}

impl TracedWorld {
    /// Tells `listener` of every call that goes through this world; `secrets` are those that doors are opened with.
    #[must_use]
    pub fn new(inner: Arc<dyn Writers>, secrets: Arc<dyn Secrets>, listener: Listener) -> Self {
        let trace = Arc::new(Trace { clock: inner.clock(), listener, hider: Hider::new(secrets) });
        TracedWorld { inner, trace }
    }

    /// A door that was opened with this secret, or was not opened.
    fn door<D: ?Sized>(&self, inner: CallResult<Arc<D>>, secret: Option<&SecretRef>, place: &str) -> CallResult<Arc<Door<D>>> {
        self.trace.hider.learn(secret);
        let inner = inner.map_err(|error| self.trace.hider.hide(error))?;
        Ok(Arc::new(Door { inner, trace: Arc::clone(&self.trace), place: place.to_owned() }))
    }
}

#[async_trait]
impl Readers for TracedWorld {
    fn identity(&self) -> String {
        self.inner.identity()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock()
    }

    fn random(&self) -> u64 {
        self.inner.random()
    }

    async fn rds(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsRead>> {
        Ok(self.door(self.inner.rds(aws).await, None, &aws.name)?)
    }

    async fn ec2(&self, aws: &AwsProvider) -> CallResult<Arc<dyn ec2::Ec2Read>> {
        Ok(self.door(self.inner.ec2(aws).await, None, &aws.name)?)
    }

    async fn dns(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsRead>> {
        Ok(self.door(self.inner.dns(cloudflare).await, cloudflare.api_token.as_ref(), &cloudflare.name)?)
    }

    async fn resolver(&self) -> CallResult<Arc<dyn resolver::Resolver>> {
        Ok(self.door(self.inner.resolver().await, None, "")?)
    }

    async fn sql(&self, target: &sql::SqlTarget) -> CallResult<Arc<dyn sql::SqlRead>> {
        Ok(self.door(self.inner.sql(target).await, target.password.as_ref(), &place_of(target))?)
    }
}

#[async_trait]
impl Writers for TracedWorld {
    async fn rds_writer(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsWrite>> {
        Ok(self.door(self.inner.rds_writer(aws).await, None, &aws.name)?)
    }

    async fn dns_writer(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsWrite>> {
        Ok(self.door(self.inner.dns_writer(cloudflare).await, cloudflare.api_token.as_ref(), &cloudflare.name)?)
    }

    async fn sql_writer(&self, target: &sql::SqlTarget) -> CallResult<Arc<dyn sql::SqlWrite>> {
        Ok(self.door(self.inner.sql_writer(target).await, target.password.as_ref(), &place_of(target))?)
    }

    async fn chat(&self) -> CallResult<Arc<dyn chat::Chat>> {
        Ok(self.door(self.inner.chat().await, None, "")?)
    }
}

fn place_of(target: &sql::SqlTarget) -> String {
    format!("{}:{}/{}", target.host, target.port, target.database)
}
