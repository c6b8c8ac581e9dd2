//! Where notices go.

use async_trait::async_trait;

use super::CallResult;
use super::provider::SlackProvider;

/// Slack's incoming webhooks.
#[async_trait]
pub trait Chat: Send + Sync {
    /// One POST of JSON with `text`.
    async fn post(&self, channel: &SlackProvider, text: &str) -> CallResult<()>;
}
