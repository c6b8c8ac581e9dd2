//! Making the new instance.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::marks::{self, Owner};
use super::super::status::{Class, class};
use super::instance::{not_made, reader};
use crate::apply::operation::{Cx, Look, Operation, Outputs, Progress, StartCx};
use crate::model::{Json, time};
use crate::world::rds::Restore;
use crate::world::{CallError, CallResult, Failure};

/// Restores a snapshot as a new instance, marked as this run's. Output: `resource_id`.
///
/// Done when the service has made it, be its first backup under way or not. RDS refuses a second instance of that name, so an
/// unknown outcome is resolved by looking at the name and the mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoreNext {
    /// The provider's name.
    pub provider: String,
    /// The call, as it goes out; only the two times are added to its tags when it does.
    pub restore: Restore,
    /// Whose mark it gets.
    pub owner: Owner,
    /// The step whose output `created` is the snapshot's time.
    pub snapshot_step: String,
}

impl RestoreNext {
    /// When the snapshot was taken: found out by an earlier step, or asked again.
    async fn snapshot_time(&self, cx: &Cx<'_>) -> CallResult<String> {
        if let Some(created) = cx.output(&self.snapshot_step, "created") {
            return Ok(created.to_owned());
        }
        let read = async { reader(cx, &self.provider).await?.snapshot(&self.restore.snapshot).await };
        let found = read.await.map_err(|error| not_made(self.name(), error))?;
        let created = found.and_then(|snapshot| snapshot.created);
        created
            .map(time::rfc3339)
            .ok_or_else(|| CallError::new(self.name(), Failure::NotFound, format!("the snapshot {} has no time", self.restore.snapshot)))
    }
}

#[async_trait]
impl Operation for RestoreNext {
    fn name(&self) -> &'static str {
        "rds:RestoreDBInstanceFromDBSnapshot"
    }

    fn writes(&self) -> Vec<String> {
        std::iter::once(self.restore.identifier.clone()).chain(marks::of_people(&self.restore.tags).into_values()).collect()
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let Some(found) = reader(cx, &self.provider).await?.instance(&self.restore.identifier).await? else { return Ok(Look::Pending) };
        if !self.owner.owns_by(&found, cx.run) {
            return Ok(Look::Conflict(format!("an instance {} is there that this run did not make", found.identifier)));
        }
        Ok(match class(&found.status) {
            Class::Usable | Class::BackingUp => {
                let outputs = Outputs::from([("resource_id".to_owned(), Json::from(found.resource_id))]);
                Look::Done { outputs, detail: String::new() }
            }
            Class::Busy | Class::Stopped => Look::Settling(Progress::status(found.status)),
            Class::Deleting | Class::Failed => Look::Conflict(format!("{} is {}", found.identifier, found.status)),
        })
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let mut restore = self.restore.clone();
        restore.tags.insert(marks::SNAPSHOT_TIME.to_owned(), self.snapshot_time(cx.cx).await?);
        restore.tags.insert(marks::REFRESHED_AT.to_owned(), time::rfc3339(cx.cx.readers.clock().now()));
        cx.writers.rds_writer(cx.cx.aws(&self.provider)?).await?.restore(&restore).await
    }
}
