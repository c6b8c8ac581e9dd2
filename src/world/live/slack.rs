//! Notices through Slack's incoming webhooks.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{Method, Url};

use super::http::{HttpDoor, HttpLimits, Request};
use super::resolve;
use crate::model::Secrets;
use crate::world::chat::Chat;
use crate::world::provider::SlackProvider;
use crate::world::{CallError, CallResult, Clock, Failure};

const CALL: &str = "slack:post";
/// A shorter part of a webhook's path or query is no secret by itself.
const PART_MIN: usize = 8;
/// Slack cuts longer texts itself, in the middle of a character at times.
const TEXT_MAX: usize = 30_000;

/// Slack.
pub struct Slack {
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: HttpLimits,
}

#[async_trait]
impl Chat for Slack {
    async fn post(&self, channel: &SlackProvider, text: &str) -> CallResult<()> {
        let Some(reference) = &channel.webhook_url else {
            return Err(CallError::new(CALL, Failure::Denied, format!("{} has no webhook_url", channel.name)));
        };
        let secret = resolve(CALL, self.secrets.as_ref(), reference)?;
        let url: Url =
            secret.trim().parse().map_err(|_| CallError::new(CALL, Failure::Denied, format!("the webhook_url of {} is not a URL", channel.name)))?;
        let secrets = secret_parts(&url);
        let door = HttpDoor::open(CALL, &url, secrets, (false, false), self.limits, Arc::clone(&self.clock))?;
        let short: String = text.chars().take(TEXT_MAX).collect();
        let body = serde_json::json!({ "text": short }).to_string().into_bytes();
        let answer = door.send(Request { call: CALL, method: Method::POST, url, body: Some(body), reserve: 0 }).await?;
        match answer.failure() {
            None => Ok(()),
            Some(failure) => Err(door.error(CALL, failure, &door.excerpt(&answer)).code(answer.status.as_str())),
        }
    }
}

/// Not only the whole URL is the secret: its path, the last part of it, its query and a password in it are as good.
fn secret_parts(url: &Url) -> Vec<String> {
    let mut parts = vec![url.path().trim_start_matches('/').to_owned()];
    parts.extend(url.path_segments().and_then(|mut segments| segments.rfind(|segment| segment.len() >= PART_MIN)).map(str::to_owned));
    parts.extend(url.password().map(str::to_owned));
    parts.extend(url.query().map(str::to_owned));
    parts.extend(url.query_pairs().map(|(_, value)| value.into_owned()).filter(|value| value.len() >= PART_MIN));
    parts
}
