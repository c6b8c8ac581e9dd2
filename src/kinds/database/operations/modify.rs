//! Bringing settings to what they must be, and the restart that some of them take.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::settings::{differences, in_modify};
use super::super::status::{Class, class};
use super::instance::{InstanceRef, not_yet, reader};
use crate::apply::operation::{Cx, Look, Operation, Progress, StartCx};
use crate::world::rds::{Instance, Modify as Call, Settings};
use crate::world::{CallResult, rds};

/// Gives an instance these settings. What it has already is not sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modify {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// What it must have. Settings that no modification takes are left to the parity check.
    pub settings: Settings,
    /// It is about to be removed: one that is gone, or busy, is fine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removal: bool,
    /// On a way back: what is taken back. While any of it is still on its way RDS takes no other modification, though it may show nothing of it yet.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub undoes: Settings,
    /// Names of what is written, for the guard.
    pub names: Vec<String>,
}

impl Modify {
    fn wanted(&self) -> Settings {
        self.settings.iter().filter(|(name, _)| rds::MODIFIABLE.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// A setting that is shown already and has not taken effect: a parameter group says only afterwards whether it waits for a restart.
    fn still_applying(&self, found: &Instance) -> Option<&str> {
        self.settings.iter().find(|(name, value)| found.pending.get(*name) == Some(*value)).map(|(name, _)| name.as_str()).filter(|_| !self.removal)
    }

    /// What is missing, and whether all of it is on its way already.
    fn missing(&self, found: &Instance) -> (Vec<String>, bool) {
        let wanted = self.wanted();
        // An upper limit that is the size means that the storage does not grow by itself, and RDS then shows none.
        let size = found.settings.get("allocated_storage");
        let off = |name: &str| name == "max_allocated_storage" && !found.settings.contains_key(name) && wanted.get(name) == size;
        let missing: Vec<String> = differences(&found.settings, &wanted).into_iter().filter(|name| !off(name)).collect();
        let on_its_way = missing.iter().all(|name| found.pending.get(name).is_some_and(|value| Some(value) == wanted.get(name)));
        (missing, on_its_way)
    }
}

#[async_trait]
impl Operation for Modify {
    fn name(&self) -> &'static str {
        "rds:ModifyDBInstance"
    }

    fn writes(&self) -> Vec<String> {
        self.names.clone()
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let rds = reader(cx, &self.provider).await?;
        let Some(found) = self.instance.find(&*rds, cx).await? else {
            return Ok(if self.removal { Look::done() } else { self.instance.missing(cx) });
        };
        if let Some((name, _)) = self.undoes.iter().find(|(name, value)| found.pending.get(*name) == Some(*value)) {
            return Ok(Look::Settling(Progress::status(format!("{name} is still being set"))));
        }
        let (missing, on_its_way) = self.missing(&found);
        if missing.is_empty() {
            if let Some(name) = self.still_applying(&found) {
                return Ok(Look::Settling(Progress::status(format!("applying {name}"))));
            }
            // A first backup that the modification itself has set off is waited for by nobody.
            let settled = self.removal || matches!(class(&found.status), Class::Usable | Class::BackingUp);
            return Ok(if settled { Look::done() } else { not_yet(&found).unwrap_or_else(Look::done) });
        }
        if let Some(wait) = not_yet(&found) {
            return Ok(if self.removal && class(&found.status) == Class::Deleting { Look::done() } else { wait });
        }
        // Pending values come in with the next immediate call; only when ours went out are they on their way by themselves.
        Ok(if on_its_way && cx.started.is_some() {
            Look::Settling(Progress::status(format!("pending: {}", missing.join(", "))))
        } else {
            Look::Pending
        })
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let rds = cx.writers.rds_writer(cx.cx.aws(&self.provider)?).await?;
        let found = self.instance.found(&*rds, cx, self.name()).await?;
        let settings = in_modify(&found.engine, &found.settings, &self.wanted());
        let log_exports = found.log_exports();
        rds.modify(&Call { identifier: found.identifier, new_identifier: None, settings, log_exports }).await
    }
}

/// Restarts an instance whose parameter or option group waits for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reboot {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// Names of what is written, for the guard.
    pub names: Vec<String>,
}

#[async_trait]
impl Operation for Reboot {
    fn name(&self) -> &'static str {
        "rds:RebootDBInstance"
    }

    fn writes(&self) -> Vec<String> {
        self.names.clone()
    }

    /// RDS would restart it a second time.
    fn repeat_is_safe(&self) -> bool {
        false
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let rds = reader(cx, &self.provider).await?;
        let Some(found) = self.instance.find(&*rds, cx).await? else { return Ok(self.instance.missing(cx)) };
        Ok(match not_yet(&found) {
            Some(wait) => wait,
            None if found.pending_reboot => Look::Pending,
            None => Look::done(),
        })
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let rds = cx.writers.rds_writer(cx.cx.aws(&self.provider)?).await?;
        let found = self.instance.found(&*rds, cx, self.name()).await?;
        rds.reboot(&found.identifier).await
    }
}
