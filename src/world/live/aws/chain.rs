//! The SDK's standard chain of credentials (environment, profiles, sign-on, web identity, containers, instances) for clients that are not the SDK's.

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use tokio::sync::{Mutex, OnceCell};

use crate::model::{Error, Exit, Result};
use crate::world::keys::{AccessKeys, KeySource};

/// Credentials may come from a process or a sign-on service, which take their time.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Keys that end sooner than this are asked for anew, so that none ends on its way to the service.
const MARGIN: Duration = Duration::from_mins(5);

/// The chain, or one profile of it.
pub struct Chain {
    profile: Option<String>,
    region: Option<String>,
    config: OnceCell<SdkConfig>,
    last: Mutex<Option<Credentials>>,
}

impl Chain {
    /// Nothing is read yet. A profile wins over everything else; a region is named to those who need one to ask.
    #[must_use]
    pub fn new(profile: Option<String>, region: Option<String>) -> Self {
        Chain { profile, region, config: OnceCell::new(), last: Mutex::new(None) }
    }

    async fn config(&self) -> &SdkConfig {
        let load = || async {
            let region = self.region.clone().map(Region::new);
            // The version is pinned, since `latest` changes defaults with an update of the SDK.
            let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
            if let Some(region) = region.clone() {
                loader = loader.region(region);
            }
            if let Some(profile) = &self.profile {
                let surroundings = ProviderConfig::without_region().with_region(region);
                let credentials = ProfileFileCredentialsProvider::builder().configure(&surroundings).profile_name(profile).build();
                loader = loader.profile_name(profile).credentials_provider(credentials);
            }
            loader.load().await
        };
        self.config.get_or_init(load).await
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("profile", &self.profile).finish_non_exhaustive()
    }
}

fn none(why: &str) -> Error {
    let help = "sign in, name a profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; then run the same command again, or \
                `switchover resume ENV` for a run that has begun";
    Error::new(Exit::Error, "there are no AWS credentials", help).because_text(why)
}

#[async_trait]
impl KeySource for Chain {
    async fn keys(&self) -> Result<AccessKeys> {
        let mut last = self.last.lock().await;
        let lasts = |keys: &Credentials| keys.expiry().is_none_or(|end| end > SystemTime::now() + MARGIN);
        let keys = if let Some(keys) = last.take().filter(lasts) {
            keys
        } else {
            let provider = self.config().await.credentials_provider().ok_or_else(|| none("no place to take them from is known"))?;
            let asked = tokio::time::timeout(TIMEOUT, provider.provide_credentials()).await;
            asked.map_err(|_| none("whoever gives them did not answer in time"))?.map_err(|error| none(&error.to_string()))?
        };
        let given = AccessKeys {
            id: keys.access_key_id().to_owned(),
            secret: keys.secret_access_key().to_owned(),
            session: keys.session_token().map(str::to_owned),
        };
        *last = Some(keys);
        Ok(given)
    }

    async fn region(&self) -> Option<String> {
        self.config().await.region().map(ToString::to_string)
    }
}
