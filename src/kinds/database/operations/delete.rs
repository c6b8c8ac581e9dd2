//! Removing an instance of ours.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::marks::Owner;
use super::super::status::{Class, class};
use super::instance::{InstanceRef, reader};
use crate::apply::operation::{Cx, Look, Operation, Progress, StartCx};
use crate::world::CallResult;
use crate::world::rds::Delete as Call;

/// Deletes an instance that carries our mark and has exactly the name that the plan says; one that is gone is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "it is RDS's own name")]
pub struct Delete {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// The only name under which it may be deleted.
    pub name: String,
    /// Whose mark it must have.
    pub owner: Owner,
    /// Its last snapshot's name.
    pub final_snapshot: Option<String>,
    /// Whether its automated backups go too.
    pub delete_automated_backups: bool,
    /// Names of what is written, for the guard.
    pub names: Vec<String>,
}

#[async_trait]
impl Operation for Delete {
    fn name(&self) -> &'static str {
        "rds:DeleteDBInstance"
    }

    fn writes(&self) -> Vec<String> {
        std::iter::once(&self.name).chain(&self.final_snapshot).chain(&self.names).cloned().collect()
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let rds = reader(cx, &self.provider).await?;
        let Some(found) = self.instance.find(&*rds, cx).await? else { return Ok(Look::done()) };
        if class(&found.status) == Class::Deleting {
            return Ok(Look::Settling(Progress::status(found.status)));
        }
        if !self.owner.owns(&found) {
            return Ok(Look::Conflict(format!("{} does not carry the mark of {}", found.identifier, self.owner.resource)));
        }
        if found.identifier != self.name {
            return Ok(match class(&found.status) {
                Class::Busy => Look::Settling(Progress::status(found.status)),
                _ => Look::Conflict(format!("the instance {} is called {}, not {}", found.resource_id, found.identifier, self.name)),
            });
        }
        Ok(match class(&found.status) {
            Class::Busy => Look::Settling(Progress::status(found.status)),
            // Only a last snapshot needs an instance at rest; without one its backup, of hours perhaps, ends with it.
            Class::BackingUp if self.final_snapshot.is_some() => Look::Settling(Progress::status(found.status)),
            _ => Look::Pending,
        })
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let rds = cx.writers.rds_writer(cx.cx.aws(&self.provider)?).await?;
        let call = Call {
            identifier: self.name.clone(),
            final_snapshot: self.final_snapshot.clone(),
            delete_automated_backups: self.delete_automated_backups,
        };
        rds.delete(&call).await
    }
}
