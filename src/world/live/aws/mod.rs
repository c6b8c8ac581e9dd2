//! AWS: RDS, EC2 and STS behind the feature `aws`.
//!
//! One connection per provider (`connect`), kept in [`AwsDoors`]; the account is checked with STS before anything else is asked.
//! The SDK's own retries are off everywhere: who retries must know what the failed call may have done, and `error` tells it
//! exactly. An answer that breaks off is no answer (`whole`); credentials go
//! neither out in plain text nor into a message (`guard`). `settings` and `instance` translate between the SDK's shapes and the names that people declare.

mod chain;
mod connect;
mod ec2;
mod error;
mod guard;
mod instance;
mod pages;
mod rds;
mod settings;
mod whole;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell};

use super::super::CallResult;
use super::super::ec2::Ec2Read;
use super::super::provider::AwsProvider;
use super::super::rds::RdsWrite;
pub use chain::Chain;
use connect::{Connection, Keys};

/// The connections that are open, one per provider. A connection that could not be opened is not kept: the next door tries again.
#[derive(Default)]
pub struct AwsDoors {
    keys: Option<Keys>,
    connections: Mutex<HashMap<AwsProvider, Arc<OnceCell<Arc<Connection>>>>>,
}

impl AwsDoors {
    /// Credentials come from the provider's profile, else from the SDK's standard chain.
    #[must_use]
    pub fn new() -> Self {
        AwsDoors::default()
    }

    /// Where a provider names no profile, these keys instead of the standard chain: for emulators, which take any.
    #[must_use]
    pub fn with_keys(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        AwsDoors { keys: Some(Keys { id: access_key_id.into(), secret: secret_access_key.into() }), ..AwsDoors::default() }
    }

    async fn connection(&self, provider: &AwsProvider) -> CallResult<Arc<Connection>> {
        let cell = Arc::clone(self.connections.lock().await.entry(provider.clone()).or_default());
        cell.get_or_try_init(|| connect::open(provider, self.keys.as_ref())).await.map(Arc::clone)
    }
}

impl fmt::Debug for AwsDoors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsDoors").finish_non_exhaustive()
    }
}

/// RDS in the provider's account and region.
///
/// # Errors
/// As the call that checks the account: `Denied` without credentials, and when they belong to another account than declared.
pub async fn rds(provider: &AwsProvider, cache: &AwsDoors) -> CallResult<Arc<dyn RdsWrite>> {
    Ok(Arc::new(rds::Rds::new(cache.connection(provider).await?)))
}

/// EC2 in the provider's account and region.
///
/// # Errors
/// As [`rds`].
pub async fn ec2(provider: &AwsProvider, cache: &AwsDoors) -> CallResult<Arc<dyn Ec2Read>> {
    Ok(Arc::new(ec2::Ec2::new(cache.connection(provider).await?)))
}
