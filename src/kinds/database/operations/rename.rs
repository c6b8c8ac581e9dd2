//! The rename: the heart of the switch.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::status::{Class, class};
use super::instance::{InstanceRef, not_yet, reader};
use super::look::is_called;
use crate::apply::operation::{Cx, Look, Operation, Outputs, Progress, StartCx};
use crate::model::time::Timestamp;
use crate::world::CallResult;
use crate::world::rds::{Instance, Modify, RdsRead};

/// Renames an instance.
///
/// Flow: `ModifyDBInstance`; for some tens of seconds the old name still reads `available`; then `renaming`; then, for minutes, the
/// instance is found under neither name; then under the new one. It is followed by its `DbiResourceId` alone.
///
/// Guarantees: done only when identifier, status and endpoint agree on the new name. Never started when another instance has
/// that name (RDS refuses that too).
///
/// Assumptions: RDS refuses a second rename of an instance that is being renamed, so an unknown outcome is resolved by looking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// The name it has before.
    pub from: String,
    /// The name it gets.
    pub to: String,
    /// Neither started nor done before this: a rename that an earlier run may have begun would have shown by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Another instance that an earlier run may be renaming to the same name right now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rival: Option<Rival>,
    /// The instance that takes over the name given up here. While it cannot be renamed itself (a backup has begun, say) nothing is
    /// started: the outage would last until it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<InstanceRef>,
    /// Hidden at this time still, it is gone, and there is nothing to rename: for an instance that nobody has seen since an earlier run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_by: Option<Timestamp>,
    /// Whether nothing is left to do once the instance is gone: what matters is that nobody has the name `from`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frees_name: bool,
    /// Names of what is written, for the guard.
    pub names: Vec<String>,
}

/// An instance whose rename may be under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rival {
    /// Which.
    pub resource_id: String,
    /// Hidden for longer than this it is gone.
    pub shows_by: Timestamp,
}

impl Rename {
    /// Whether the rival may still take the name.
    async fn rival_is_moving(&self, rds: &dyn RdsRead, now: Timestamp) -> CallResult<bool> {
        let Some(rival) = &self.rival else { return Ok(false) };
        Ok(match rds.instance_by_resource_id(&rival.resource_id).await? {
            Some(found) => class(&found.status) == Class::Busy,
            None => now < rival.shows_by,
        })
    }

    /// What hinders the successor from being renamed next, if anything does.
    async fn successor_waits(&self, rds: &dyn RdsRead, cx: &Cx<'_>) -> CallResult<Option<Look>> {
        let Some(successor) = &self.successor else { return Ok(None) };
        let Some(next) = successor.find(rds, cx).await? else { return Ok(Some(successor.missing(cx))) };
        Ok(not_yet(&next).map(|wait| match wait {
            Look::Settling(progress) => Look::Settling(Progress::status(format!("{} is {}", next.identifier, progress.status))),
            other => other,
        }))
    }

    async fn before_start(&self, rds: &dyn RdsRead, found: &Instance, cx: &Cx<'_>) -> CallResult<Look> {
        let now = cx.readers.clock().now();
        if let Some(wait) = not_yet(found) {
            return Ok(wait);
        }
        // Once the call is out there is an outage already, and nothing is won by waiting.
        if cx.started.is_none()
            && let Some(wait) = self.successor_waits(rds, cx).await?
        {
            return Ok(wait);
        }
        if self.rival_is_moving(rds, now).await? {
            return Ok(Look::Settling(Progress::status("another instance is being renamed")));
        }
        let Some(other) = rds.instance(&self.to).await?.filter(|other| other.resource_id != found.resource_id) else { return Ok(Look::Pending) };
        Ok(match class(&other.status) {
            Class::Busy | Class::Deleting => Look::Settling(Progress::status(format!("the name {} is not free yet ({})", self.to, other.status))),
            _ => Look::Conflict(format!("the name {} is taken by another instance ({})", self.to, other.resource_id)),
        })
    }
}

#[async_trait]
impl Operation for Rename {
    fn name(&self) -> &'static str {
        "rds:ModifyDBInstance"
    }

    fn writes(&self) -> Vec<String> {
        [&self.from, &self.to].into_iter().chain(&self.names).cloned().collect()
    }

    fn missing_is_done(&self) -> bool {
        self.frees_name
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let now = cx.readers.clock().now();
        if self.not_before.is_some_and(|until| now < until) {
            return Ok(Look::Settling(Progress::status("an earlier rename may still show")));
        }
        let rds = reader(cx, &self.provider).await?;
        let Some(found) = self.instance.find(&*rds, cx).await? else {
            let gone = self.gone_by.is_some_and(|by| by <= now);
            let detail = format!("it is gone: no rename hides an instance for so long, and nobody else is called {}", self.to);
            return Ok(if gone { Look::Done { outputs: Outputs::new(), detail } } else { self.instance.missing(cx) });
        };
        if found.identifier == self.to {
            return Ok(match class(&found.status) {
                // It answers while it is backed up.
                Class::Usable | Class::BackingUp if is_called(&found, &self.to) => Look::done(),
                Class::Failed | Class::Deleting => Look::Conflict(format!("{} is {}", found.identifier, found.status)),
                _ => Look::Settling(Progress::status(found.status)),
            });
        }
        if found.identifier == self.from {
            return self.before_start(&*rds, &found, cx).await;
        }
        let (id, called) = (&found.resource_id, &found.identifier);
        Ok(Look::Conflict(format!(
            "the instance {id} is called {called}, neither {} nor {}: it was renamed by somebody else, and has to be given one of these two names",
            self.from, self.to
        )))
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let rds = cx.writers.rds_writer(cx.cx.aws(&self.provider)?).await?;
        let call = Modify { identifier: self.from.clone(), new_identifier: Some(self.to.clone()), ..Modify::default() };
        rds.modify(&call).await
    }
}
