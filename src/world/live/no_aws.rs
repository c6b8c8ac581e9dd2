//! What stands in for the AWS doors in a build without the feature `aws`: the same names, and one clear refusal.

use std::sync::Arc;

use async_trait::async_trait;

use crate::model::{Error, Exit, Result};
use crate::world::ec2::Ec2Read;
use crate::world::keys::{AccessKeys, KeySource};
use crate::world::provider::AwsProvider;
use crate::world::rds::RdsWrite;
use crate::world::{CallError, CallResult, Failure};

/// No connections.
#[derive(Debug, Default)]
pub struct AwsDoors;

impl AwsDoors {
    /// No connections.
    #[must_use]
    pub fn new() -> Self {
        AwsDoors
    }
}

fn refused<T>(provider: &AwsProvider) -> CallResult<T> {
    let why = format!("{}: this build has no AWS doors; build it with the feature `aws`, or use --world", provider.name);
    Err(CallError::new("sts:GetCallerIdentity", Failure::Refused, why))
}

/// Refused.
///
/// # Errors
/// Always.
#[allow(clippy::unused_async, reason = "the same signature as with the feature")]
pub async fn rds(provider: &AwsProvider, _doors: &AwsDoors) -> CallResult<Arc<dyn RdsWrite>> {
    refused(provider)
}

/// Refused.
///
/// # Errors
/// Always.
#[allow(clippy::unused_async, reason = "the same signature as with the feature")]
pub async fn ec2(provider: &AwsProvider, _doors: &AwsDoors) -> CallResult<Arc<dyn Ec2Read>> {
    refused(provider)
}

/// No keys but those in environment variables.
#[derive(Debug)]
pub struct Chain;

impl Chain {
    /// None, whatever is named.
    #[must_use]
    pub fn new(_profile: Option<String>, _region: Option<String>) -> Self {
        Chain
    }
}

#[async_trait]
impl KeySource for Chain {
    async fn keys(&self) -> Result<AccessKeys> {
        let help = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or build it with the feature `aws`";
        Err(Error::new(Exit::Error, "this build takes AWS credentials from environment variables only, and they are not set", help))
    }

    async fn region(&self) -> Option<String> {
        None
    }
}
