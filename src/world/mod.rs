//! The doors to everything outside. [`Readers`] is all that planning gets, so planning cannot write; [`Writers`] is what apply
//! gets. Two worlds stand behind them: `live` (real services) and `sim` (a model of each, with a virtual clock).

pub mod call;
pub mod chat;
pub mod clock;
pub mod dns;
pub mod ec2;
pub mod gated;
pub mod keys;
pub mod live;
pub mod postgres;
pub mod provider;
pub mod rds;
pub mod resolver;
pub mod sim;
pub mod sql;
pub mod traced;

use std::sync::Arc;

use async_trait::async_trait;

pub use call::{CallError, CallResult, Failure};
pub use clock::Clock;

use provider::{AwsProvider, CloudflareProvider};

/// The reading half of a world.
#[async_trait]
pub trait Readers: Send + Sync {
    /// `live`, or the simulated world's own id: a plan made in one world is refused in another.
    fn identity(&self) -> String;
    /// The only source of time.
    fn clock(&self) -> Arc<dyn Clock>;
    /// The only source of randomness: 64 bits, the same sequence for the same seed.
    fn random(&self) -> u64;
    /// RDS in one account and region.
    async fn rds(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsRead>>;
    /// EC2 in one account and region.
    async fn ec2(&self, aws: &AwsProvider) -> CallResult<Arc<dyn ec2::Ec2Read>>;
    /// Cloudflare's DNS.
    async fn dns(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsRead>>;
    /// Questions to name servers.
    async fn resolver(&self) -> CallResult<Arc<dyn resolver::Resolver>>;
    /// Reading SQL in one database of one instance.
    async fn sql(&self, target: &sql::SqlTarget) -> CallResult<Arc<dyn sql::SqlRead>>;
}

/// The writing half, for apply alone.
#[async_trait]
pub trait Writers: Readers {
    /// RDS, writing.
    async fn rds_writer(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsWrite>>;
    /// Cloudflare's DNS, writing.
    async fn dns_writer(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsWrite>>;
    /// SQL, writing.
    async fn sql_writer(&self, target: &sql::SqlTarget) -> CallResult<Arc<dyn sql::SqlWrite>>;
    /// Where notices go.
    async fn chat(&self) -> CallResult<Arc<dyn chat::Chat>>;
}
