//! Operations that only look: waiting for a snapshot, for an instance, for a name.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::status::{Class, class};
use super::instance::{InstanceRef, not_yet, reader};
use crate::apply::operation::{Cx, Look, Operation, Outputs, Progress, StartCx};
use crate::model::Json;
use crate::model::time::{self, Timestamp};
use crate::world::rds::Instance;
use crate::world::{CallError, CallResult, Failure};

/// The answer of a look-only operation to a start, which no engine asks for.
pub(super) fn nothing_to_start(name: &str) -> CallResult<()> {
    Err(CallError::new(name, Failure::Refused, "this step only looks"))
}

/// Waits until a snapshot is complete. Output: `created`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitSnapshot {
    /// The provider's name.
    pub provider: String,
    /// The snapshot's name.
    pub snapshot: String,
}

#[async_trait]
impl Operation for WaitSnapshot {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn writes(&self) -> Vec<String> {
        Vec::new()
    }

    fn starts(&self) -> bool {
        false
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let Some(found) = reader(cx, &self.provider).await?.snapshot(&self.snapshot).await? else {
            return Ok(Look::Conflict(format!("the snapshot {} is gone", self.snapshot)));
        };
        Ok(match (found.status.as_str(), found.created) {
            ("available", created) => {
                let outputs: Outputs = created.map(|at| ("created".to_owned(), Json::from(time::rfc3339(at)))).into_iter().collect();
                Look::Done { outputs, detail: String::new() }
            }
            ("failed" | "deleting" | "deleted", _) => Look::Conflict(format!("the snapshot {} is {}", self.snapshot, found.status)),
            (status, _) => Look::Settling(Progress { status: status.to_owned(), percent: Some(found.percent.min(100)) }),
        })
    }

    async fn start(&self, _: &StartCx<'_>) -> CallResult<()> {
        nothing_to_start(self.name())
    }
}

/// Waits until an instance answers and can be renamed and modified. An unknown status means waiting on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
}

#[async_trait]
impl Operation for Ready {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn writes(&self) -> Vec<String> {
        Vec::new()
    }

    fn starts(&self) -> bool {
        false
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let rds = reader(cx, &self.provider).await?;
        Ok(match self.instance.find(&*rds, cx).await? {
            None => self.instance.missing(cx),
            Some(found) => not_yet(&found).unwrap_or_else(Look::done),
        })
    }

    async fn start(&self, _: &StartCx<'_>) -> CallResult<()> {
        nothing_to_start(self.name())
    }
}

/// Waits until an instance has its name for good: identifier, status and endpoint agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// The name.
    pub name: String,
    /// Not before this: a rename that an earlier run may have begun would have shown by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// Whether identifier and endpoint agree on the name. A whole label of the host must be it: `dev-next.…` is not yet `dev`.
#[must_use]
pub(super) fn is_called(instance: &Instance, name: &str) -> bool {
    let endpoint_agrees = instance.endpoint.as_ref().is_some_and(|(host, _)| host.split('.').any(|label| label.eq_ignore_ascii_case(name)));
    instance.identifier == name && endpoint_agrees
}

#[async_trait]
impl Operation for Confirm {
    fn name(&self) -> &'static str {
        "confirm"
    }

    fn writes(&self) -> Vec<String> {
        Vec::new()
    }

    fn starts(&self) -> bool {
        false
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        if self.not_before.is_some_and(|until| cx.readers.clock().now() < until) {
            return Ok(Look::Settling(Progress::status("an earlier rename may still show")));
        }
        let rds = reader(cx, &self.provider).await?;
        let Some(found) = self.instance.find(&*rds, cx).await? else { return Ok(self.instance.missing(cx)) };
        // It has taken over: nobody waits for its backup any more.
        if let Some(wait) = not_yet(&found).filter(|_| class(&found.status) != Class::BackingUp) {
            return Ok(wait);
        }
        Ok(if is_called(&found, &self.name) {
            Look::done()
        } else if found.identifier == self.name {
            Look::Settling(Progress::status("its endpoint does not have the new name yet"))
        } else {
            Look::Conflict(format!("the instance {} is called {}, not {}", found.resource_id, found.identifier, self.name))
        })
    }

    async fn start(&self, _: &StartCx<'_>) -> CallResult<()> {
        nothing_to_start(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::instance;
    use super::*;

    #[test]
    fn the_endpoint_of_a_longer_name_is_not_that_of_the_name() {
        let mut found = instance("dev-next", "db-B");
        found.identifier = "dev".to_owned();
        assert!(!is_called(&found, "dev"), "its endpoint is still {:?}", found.endpoint);
        assert!(is_called(&instance("dev", "db-B"), "dev"));
    }
}
