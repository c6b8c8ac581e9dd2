//! Providers as a plan holds them: everything needed to open a door, secrets as references.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{SecretRef, time};

/// `provider "aws" …`
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsProvider {
    /// `aws` or `aws.sydney`.
    pub name: String,
    /// e.g. `ap-southeast-2`.
    pub region: String,
    /// A profile of the shared configuration files; wins over keys in environment variables.
    pub profile: Option<String>,
    /// Any other account is an error before anything is read.
    pub account_id: Option<String>,
    /// Instead of AWS's own endpoints, for all services.
    pub endpoint_url: Option<String>,
    /// Whether the endpoint may be `http://` on another machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_plain_http: bool,
    /// The longest pause between two looks while no outage lasts.
    #[serde(with = "time::seconds", rename = "poll_seconds")]
    pub poll: Duration,
}

/// `provider "cloudflare" …`
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudflareProvider {
    /// `cloudflare` or `cloudflare.other`.
    pub name: String,
    /// The API token; none only in a simulated world.
    pub api_token: Option<SecretRef>,
    /// With the API version; `https://api.cloudflare.com/client/v4` when none.
    pub base_url: Option<String>,
    /// Whether that may be `http://` on another machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_plain_http: bool,
    /// Changes that one batch call may hold: 200 on Free, 3,500 on paid plans.
    pub max_batch: u32,
}

/// `provider "slack" …`
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackProvider {
    /// `slack.maintainers`.
    pub name: String,
    /// The incoming webhook; none only in a simulated world.
    pub webhook_url: Option<SecretRef>,
}
