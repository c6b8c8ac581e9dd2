//! One connection: configuration, time limits, and the account behind the credentials.

use std::sync::Arc;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_rds::config::StalledStreamProtectionConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error;
use super::guard::{NoPlainText, Seen, Watched};
use super::whole::WholeAnswers;
use crate::world::provider::AwsProvider;
use crate::world::{CallError, CallResult, Failure};

/// To a socket with TLS on it. AWS answers a connect within a second or never.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// One whole call. RDS takes some seconds for a modification; past half a minute an answer is as good as lost.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Credentials may come from a process or a sign-on service, which take their time.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(20);
/// Calls in flight per account and region; AWS throttles by rate and does not say at which.
const CONCURRENT_CALLS: usize = 8;

/// Fixed credentials.
pub(super) struct Keys {
    pub id: String,
    pub secret: String,
}

/// Clients of one account and region.
pub(super) struct Connection {
    pub account_id: String,
    pub rds: aws_sdk_rds::Client,
    pub ec2: aws_sdk_ec2::Client,
    calls: Semaphore,
    seen: Seen,
}

impl Connection {
    /// The error of a call over this connection, without its credentials.
    pub fn error<E>(&self, call: &str, error: &SdkError<E, HttpResponse>) -> CallError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.seen.hide(error::from_sdk(call, error))
    }

    /// Held while a call is in flight.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed; were it, a call without a turn would do no harm.
        self.calls.acquire().await.ok()
    }
}

/// Opens a connection and asks whose it is.
pub(super) async fn open(provider: &AwsProvider, keys: Option<&Keys>) -> CallResult<Arc<Connection>> {
    let (config, seen) = watched(load(provider, keys).await);
    let plain = || NoPlainText { allowed: provider.allow_plain_http };
    let call = "sts:GetCallerIdentity";
    let sts = aws_sdk_sts::config::Builder::from(&config).interceptor(WholeAnswers).interceptor(plain()).build();
    let asked = aws_sdk_sts::Client::from_conf(sts).get_caller_identity().send().await;
    let identity = asked.map_err(|e| seen.hide(error::from_sdk(call, &e)))?;
    let account_id = identity.account.filter(|id| !id.is_empty()).ok_or_else(|| error::unreadable(call, "it names no account"))?;
    if let Some(wanted) = provider.account_id.as_deref().filter(|wanted| *wanted != account_id) {
        let message = format!("the credentials of provider {} belong to account {account_id}, the environment declares {wanted}", provider.name);
        return Err(CallError::new(call, Failure::Denied, message));
    }
    Ok(Arc::new(Connection {
        account_id,
        rds: aws_sdk_rds::Client::from_conf(aws_sdk_rds::config::Builder::from(&config).interceptor(WholeAnswers).interceptor(plain()).build()),
        ec2: aws_sdk_ec2::Client::from_conf(aws_sdk_ec2::config::Builder::from(&config).interceptor(WholeAnswers).interceptor(plain()).build()),
        calls: Semaphore::new(CONCURRENT_CALLS),
        seen,
    }))
}

/// The same configuration, whose credentials are remembered as they are used.
fn watched(config: SdkConfig) -> (SdkConfig, Seen) {
    let seen = Seen::default();
    let Some(inner) = config.credentials_provider() else { return (config, seen) };
    let watched = SharedCredentialsProvider::new(Watched { inner, seen: seen.clone() });
    (config.into_builder().credentials_provider(watched).build(), seen)
}

async fn load(provider: &AwsProvider, keys: Option<&Keys>) -> SdkConfig {
    let region = Region::new(provider.region.clone());
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(CALL_TIMEOUT)
        .operation_attempt_timeout(CALL_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    // The version is pinned, since `latest` changes defaults (retries, timeouts) with an update of the SDK.
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build());
    if let Some(url) = &provider.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(profile) = &provider.profile {
        // The standard chain looks at keys in environment variables first; a profile that the environment names must win.
        let surroundings = ProviderConfig::without_region().with_region(Some(region));
        let credentials = ProfileFileCredentialsProvider::builder().configure(&surroundings).profile_name(profile).build();
        loader = loader.profile_name(profile).credentials_provider(credentials);
    } else if let Some(keys) = keys {
        loader = loader.credentials_provider(Credentials::new(&keys.id, &keys.secret, None, None, "switchover"));
    }
    loader.load().await
}
