//! Tags: laid over, taken away, and the one that says until when the old instance is kept.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::marks::{self, Tags};
use super::instance::{InstanceRef, reader};
use crate::apply::operation::{Cx, Look, Operation, StartCx};
use crate::model::time;
use crate::world::CallResult;

const ADD: &str = "rds:AddTagsToResource";
/// Tags hold whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

/// Lays tags over those of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// What it shall have.
    pub tags: Tags,
    /// Names of what is written, for the guard.
    pub names: Vec<String>,
}

#[async_trait]
impl Operation for Tag {
    fn name(&self) -> &'static str {
        ADD
    }

    fn writes(&self) -> Vec<String> {
        self.names.iter().cloned().chain(marks::of_people(&self.tags).into_values()).collect()
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let rds = reader(cx, &self.provider).await?;
        let Some(found) = self.instance.find(&*rds, cx).await? else { return Ok(self.instance.missing(cx)) };
        let there = self.tags.iter().all(|(key, value)| found.tags.get(key) == Some(value));
        Ok(if there { Look::done() } else { Look::Pending })
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let rds = cx.writers.rds_writer(cx.cx.aws(&self.provider)?).await?;
        let found = self.instance.found(&*rds, cx, ADD).await?;
        rds.add_tags(&found.arn, &self.tags).await
    }
}

/// Takes tags away from an instance; one that is gone has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Untag {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// What it shall not have.
    pub keys: Vec<String>,
    /// Names of what is written, for the guard.
    pub names: Vec<String>,
}

#[async_trait]
impl Operation for Untag {
    fn name(&self) -> &'static str {
        "rds:RemoveTagsFromResource"
    }

    fn writes(&self) -> Vec<String> {
        self.names.clone()
    }

    fn missing_is_done(&self) -> bool {
        true
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let rds = reader(cx, &self.provider).await?;
        let Some(found) = self.instance.find(&*rds, cx).await? else { return Ok(self.instance.missing(cx)) };
        let gone = self.keys.iter().all(|key| !found.tags.contains_key(key));
        Ok(if gone { Look::done() } else { Look::Pending })
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let rds = cx.writers.rds_writer(cx.cx.aws(&self.provider)?).await?;
        let found = self.instance.found(&*rds, cx, self.name()).await?;
        rds.remove_tags(&found.arn, &self.keys).await
    }
}

/// Tags the replaced instance with the time until which it is kept, counted from this step. What an earlier run wrote there (one that was
/// switched back, say) does not count: it may be over already, and the next plan would delete the instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// How long.
    #[serde(with = "time::seconds", rename = "keep_seconds")]
    pub duration: Duration,
    /// Names of what is written, for the guard.
    pub names: Vec<String>,
}

#[async_trait]
impl Operation for Keep {
    fn name(&self) -> &'static str {
        ADD
    }

    fn writes(&self) -> Vec<String> {
        self.names.clone()
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let rds = reader(cx, &self.provider).await?;
        let Some(found) = self.instance.find(&*rds, cx).await? else { return Ok(self.instance.missing(cx)) };
        let own = cx.started.map(|started| time::after(started, self.duration.saturating_sub(ROUNDING)));
        Ok(match marks::moment(&found.tags, marks::KEEP_UNTIL).filter(|until| own.is_some_and(|own| *until >= own)) {
            Some(until) => Look::Done { outputs: crate::apply::operation::Outputs::new(), detail: format!("kept until {}", time::minute(until)) },
            None => Look::Pending,
        })
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let rds = cx.writers.rds_writer(cx.cx.aws(&self.provider)?).await?;
        let found = self.instance.found(&*rds, cx, ADD).await?;
        let until = time::rfc3339(time::after(cx.cx.readers.clock().now(), self.duration));
        rds.add_tags(&found.arn, &Tags::from([(marks::KEEP_UNTIL.to_owned(), until)])).await
    }
}
