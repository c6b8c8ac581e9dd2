//! Slack, simulated: notices are kept.

use std::sync::Arc;

use async_trait::async_trait;

use super::core::Core;
use super::state::{MAX_MESSAGES, Message};
use super::touched::Touched;
use crate::world::CallResult;
use crate::world::chat::Chat;
use crate::world::provider::SlackProvider;

/// The door.
pub(super) struct ChatDoor(pub(super) Arc<Core>);

#[async_trait]
impl Chat for ChatDoor {
    async fn post(&self, channel: &SlackProvider, text: &str) -> CallResult<()> {
        let keep = |work: &mut super::core::Work<'_>| {
            let at = work.now();
            let messages = &mut work.state.slack.messages;
            if messages.len() < MAX_MESSAGES {
                work.dirty.insert(Touched::Message(messages.len()));
                messages.push(Message { at, channel: channel.name.clone(), text: text.to_owned() });
            }
            Ok(())
        };
        self.0.call("slack:post", channel.name.clone(), true, keep).await
    }
}
