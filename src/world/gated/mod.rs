//! A world whose every write asks at a gate first, as late as can be: in the door itself, after all that an operation reads before its call, once
//! for each call of several, and once more between a transaction's last statement and its COMMIT. Reads go through as they are.

mod doors;

use std::sync::Arc;

use async_trait::async_trait;

use self::doors::Door;
use super::call::CallResult;
use super::provider::{AwsProvider, CloudflareProvider};
use super::{Clock, Readers, Writers, chat, dns, ec2, rds, resolver, sql};

/// Who says whether a write may go out.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Asked right before `call` goes out. An error means that it does not.
    async fn pass(&self, call: &'static str) -> CallResult<()>;
    /// The same for a notice to people.
    async fn pass_notice(&self, call: &'static str) -> CallResult<()>;
}

/// A world behind a gate.
pub struct GatedWorld {
    inner: Arc<dyn Writers>,
    gate: Arc<dyn Gate>,
}

impl GatedWorld {
    /// Asks `gate` before every write to this world.
    #[must_use]
    pub fn new(inner: Arc<dyn Writers>, gate: Arc<dyn Gate>) -> Self {
        GatedWorld { inner, gate }
    }

    fn door<D: ?Sized>(&self, inner: Arc<D>) -> Arc<Door<D>> {
        Arc::new(Door { inner, gate: Arc::clone(&self.gate) })
    }
}

#[async_trait]
impl Readers for GatedWorld {
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
        self.inner.rds(aws).await
    }

    async fn ec2(&self, aws: &AwsProvider) -> CallResult<Arc<dyn ec2::Ec2Read>> {
        self.inner.ec2(aws).await
    }

    async fn dns(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsRead>> {
        self.inner.dns(cloudflare).await
    }

    async fn resolver(&self) -> CallResult<Arc<dyn resolver::Resolver>> {
        self.inner.resolver().await
    }

    async fn sql(&self, target: &sql::SqlTarget) -> CallResult<Arc<dyn sql::SqlRead>> {
        self.inner.sql(target).await
    }
}

#[async_trait]
impl Writers for GatedWorld {
    async fn rds_writer(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsWrite>> {
        Ok(self.door(self.inner.rds_writer(aws).await?))
    }

    async fn dns_writer(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsWrite>> {
        Ok(self.door(self.inner.dns_writer(cloudflare).await?))
    }

    async fn sql_writer(&self, target: &sql::SqlTarget) -> CallResult<Arc<dyn sql::SqlWrite>> {
        Ok(self.door(self.inner.sql_writer(target).await?))
    }

    async fn chat(&self) -> CallResult<Arc<dyn chat::Chat>> {
        Ok(self.door(self.inner.chat().await?))
    }
}
