//! Real services. Every door is opened when it is first asked for, and its secrets are resolved then and not before.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(not(feature = "aws"))]
#[path = "no_aws.rs"]
pub mod aws;
pub mod clock;
pub mod cloudflare;
pub mod http;
pub mod limiter;
pub mod postgres;
pub mod presentation;
pub mod resolver;
pub mod slack;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::model::{SecretRef, Secrets};
use crate::world::provider::{AwsProvider, CloudflareProvider};
use crate::world::sql::{SqlRead, SqlTarget, SqlWrite};
use crate::world::{CallError, CallResult, Clock, Failure, Readers, Writers, chat, dns, ec2, rds};

use clock::MachineClock;
use cloudflare::Cloudflare;
use http::HttpLimits;
use limiter::Limiter;
use postgres::{Postgres, SqlLimits};
use resolver::{DnsLimits, NetworkResolver};

/// What a live world is told from outside.
#[derive(Debug, Clone, Copy, Default)]
pub struct LiveOptions {
    /// Where everything random begins.
    pub seed: u64,
    /// Of calls over HTTP, except AWS's.
    pub http: HttpLimits,
    /// Of questions to name servers.
    pub dns: DnsLimits,
    /// Of sessions with databases.
    pub sql: SqlLimits,
}

/// Whose rate budget a call counts against: endpoint and token.
type Account = (Option<String>, Option<SecretRef>);

/// The doors to real services.
pub struct LiveWorld {
    secrets: Arc<dyn Secrets>,
    options: LiveOptions,
    clock: Arc<MachineClock>,
    random: Mutex<fastrand::Rng>,
    resolver: Arc<NetworkResolver>,
    aws: aws::AwsDoors,
    cloudflare: Mutex<HashMap<CloudflareProvider, Arc<Cloudflare>>>,
    budgets: Mutex<HashMap<Account, Arc<Limiter>>>,
}

impl LiveWorld {
    /// A world with no door open yet.
    #[must_use]
    pub fn new(secrets: Arc<dyn Secrets>, options: LiveOptions) -> Self {
        let mut random = fastrand::Rng::with_seed(options.seed);
        let aws = aws::AwsDoors::new();
        let resolver = Arc::new(NetworkResolver::new(options.dns, random.u64(..)));
        LiveWorld {
            secrets,
            options,
            clock: Arc::new(MachineClock::new()),
            random: Mutex::new(random),
            resolver,
            aws,
            cloudflare: Mutex::new(HashMap::new()),
            budgets: Mutex::new(HashMap::new()),
        }
    }

    fn open_cloudflare(&self, provider: &CloudflareProvider) -> CallResult<Arc<Cloudflare>> {
        let mut open = self.cloudflare.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(door) = open.get(provider) {
            return Ok(Arc::clone(door));
        }
        let Some(reference) = &provider.api_token else {
            return Err(CallError::new("cloudflare:zones", Failure::Denied, format!("{} has no api_token", provider.name)));
        };
        let token = resolve("cloudflare:zones", self.secrets.as_ref(), reference)?;
        let account = (provider.base_url.clone(), provider.api_token.clone());
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = Arc::clone(budgets.entry(account).or_insert_with(|| Arc::new(cloudflare::budget())));
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let door = Arc::new(Cloudflare::open(provider, &token, self.options.http, budget, clock)?);
        open.insert(provider.clone(), Arc::clone(&door));
        Ok(door)
    }

    fn open_sql(&self, target: &SqlTarget) -> CallResult<Arc<Postgres>> {
        let password = target.password.as_ref().map(|reference| resolve("postgres:query", self.secrets.as_ref(), reference)).transpose()?;
        Postgres::open(target, password, self.options.sql).map(Arc::new)
    }
}

/// The value of a secret, for a door that is being opened.
fn resolve(call: &str, secrets: &dyn Secrets, reference: &SecretRef) -> CallResult<String> {
    secrets.resolve(reference).map_err(|error| CallError::new(call, Failure::Denied, format!("{}; {}", error.chain(), error.help())))
}

#[async_trait]
impl Readers for LiveWorld {
    fn identity(&self) -> String {
        "live".to_owned()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    fn random(&self) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).u64(..)
    }

    async fn rds(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsRead>> {
        Ok(aws::rds(aws, &self.aws).await?)
    }

    async fn ec2(&self, aws: &AwsProvider) -> CallResult<Arc<dyn ec2::Ec2Read>> {
        aws::ec2(aws, &self.aws).await
    }

    async fn dns(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsRead>> {
        Ok(self.open_cloudflare(cloudflare)?)
    }

    async fn resolver(&self) -> CallResult<Arc<dyn crate::world::resolver::Resolver>> {
        Ok(Arc::clone(&self.resolver) as Arc<dyn crate::world::resolver::Resolver>)
    }

    async fn sql(&self, target: &SqlTarget) -> CallResult<Arc<dyn SqlRead>> {
        Ok(self.open_sql(target)?)
    }
}

#[async_trait]
impl Writers for LiveWorld {
    async fn rds_writer(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsWrite>> {
        aws::rds(aws, &self.aws).await
    }

    async fn dns_writer(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsWrite>> {
        Ok(self.open_cloudflare(cloudflare)?)
    }

    async fn sql_writer(&self, target: &SqlTarget) -> CallResult<Arc<dyn SqlWrite>> {
        Ok(self.open_sql(target)?)
    }

    async fn chat(&self) -> CallResult<Arc<dyn chat::Chat>> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Ok(Arc::new(slack::Slack { secrets: Arc::clone(&self.secrets), clock, limits: self.options.http }))
    }
}
