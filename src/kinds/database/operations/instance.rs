//! Which instance an operation means: never by a name alone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::marks::{self, Owner};
use super::super::status::{Class, class};
use crate::apply::operation::{Cx, Look, Progress, StartCx};
use crate::model::guard;
use crate::world::rds::{Instance, RdsRead};
use crate::world::{CallError, CallResult, Failure};

/// An instance, whatever it is called at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InstanceRef {
    /// By its `DbiResourceId`, known when the plan was made.
    ResourceId(String),
    /// The one that this run's restore makes.
    MadeBy(MadeBy),
}

/// How the instance made by this run is found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeBy {
    /// The step whose output `resource_id` names it.
    pub step: String,
    /// Where it is looked for when that output is not known: its names, first the one before the switch.
    pub names: Vec<String>,
    /// Whose mark it has.
    pub owner: Owner,
    /// The resource id of the instance that it replaces, which this run has marked too.
    pub except: Option<String>,
}

impl InstanceRef {
    /// The instance now. `None`: it is not there, or a rename hides it.
    pub async fn find(&self, rds: &dyn RdsRead, cx: &Cx<'_>) -> CallResult<Option<Instance>> {
        let made = match self {
            InstanceRef::ResourceId(id) => return rds.instance_by_resource_id(id).await,
            InstanceRef::MadeBy(made) => made,
        };
        if let Some(id) = cx.output(&made.step, "resource_id") {
            return rds.instance_by_resource_id(id).await;
        }
        for name in &made.names {
            if let Some(found) = rds.instance(name).await?
                && made.owner.owns_by(&found, cx.run)
                && made.except.as_ref() != Some(&found.resource_id)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What to say when it is seen under no name.
    #[must_use]
    pub fn missing(&self, cx: &Cx<'_>) -> Look {
        let id = match self {
            InstanceRef::ResourceId(id) => Some(id.as_str()),
            InstanceRef::MadeBy(made) => cx.output(&made.step, "resource_id"),
        };
        Look::Missing(id.map_or_else(|| "the instance that this run made".to_owned(), |id| format!("the instance {id}")))
    }

    /// For a start: the look just before has seen it. Whatever goes wrong here, the call was not made. What a plan says of an instance that it names
    /// by an id alone is not believed: the names that it has now are looked at by the guard.
    pub async fn found(&self, rds: &dyn RdsRead, cx: &StartCx<'_>, call: &str) -> CallResult<Instance> {
        let found = self
            .find(rds, cx.cx)
            .await
            .map_err(|error| not_made(call, error))?
            .ok_or_else(|| CallError::new(call, Failure::NotFound, "the instance is not visible at the moment"))?;
        let tags = marks::of_people(&found.tags).into_values();
        match std::iter::once(found.identifier.clone()).chain(tags).find_map(|name| Some((guard::protected(cx.protect, &name)?, name))) {
            Some((word, name)) => {
                let why = format!("this would write `{name}`, and the environment protects everything that holds `{word}`");
                Err(CallError::new(call, Failure::Refused, why))
            }
            None => Ok(found),
        }
    }
}

/// A read that failed just before a call: nothing of that call is in doubt.
pub(super) fn not_made(call: &str, read: CallError) -> CallError {
    let failure = match read.failure {
        Failure::Unknown { retry_after: Some(wait) } => Failure::Throttled { retry_after: Some(wait) },
        Failure::Unknown { retry_after: None } => Failure::Unreachable,
        known => known,
    };
    CallError { failure, call: call.to_owned(), message: format!("{} failed just before it: {}", read.call, read.message), code: read.code }
}

/// The reading door of a step's provider.
pub async fn reader(cx: &Cx<'_>, provider: &str) -> CallResult<Arc<dyn RdsRead>> {
    cx.readers.rds(cx.aws(provider)?).await
}

/// What to say while an instance cannot be acted upon; none when it can.
#[must_use]
pub fn not_yet(instance: &Instance) -> Option<Look> {
    let status = &instance.status;
    match class(status) {
        Class::Usable => None,
        Class::BackingUp | Class::Busy => Some(Look::Settling(Progress::status(status))),
        Class::Stopped => Some(Look::Conflict(format!("{} is {status}; start it first", instance.identifier))),
        Class::Deleting | Class::Failed => Some(Look::Conflict(format!("{} is {status}", instance.identifier))),
    }
}
