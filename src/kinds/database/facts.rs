//! What a plan relies on, and how it is read again. Both sides of the comparison come from the same functions here.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::marks;
use super::status::fact_word;
use crate::apply::operation::Cx;
use crate::model::{Data, Json, time};
use crate::world::CallResult;
use crate::world::rds::{Instance, Snapshot};

/// How a fact is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Read {
    /// Identity, status class, settings and tags of an instance; our own tags aside.
    Instance {
        /// The provider's name.
        provider: String,
        /// `DbiResourceId`.
        resource_id: String,
    },
    /// Modifications that wait on an instance: a call that applies immediately brings them in.
    Pending {
        /// The provider's name.
        provider: String,
        /// `DbiResourceId`.
        resource_id: String,
    },
    /// A snapshot is there, and is the one it was.
    Snapshot {
        /// The provider's name.
        provider: String,
        /// Its name.
        identifier: String,
        /// Whether its time was known.
        timed: bool,
    },
    /// No instance has a name, but for those of this plan.
    NameFree {
        /// The provider's name.
        provider: String,
        /// The name.
        name: String,
        /// Resource ids that may have it.
        except: Vec<String>,
    },
}

impl Read {
    /// As it stands in a plan.
    #[must_use]
    pub fn to_data(&self) -> Data {
        Data::of(self).unwrap_or_else(|_| Json::Null.into())
    }
}

/// An instance in a fact's form. The zone of a Multi-AZ one is not carried over and moves with every failover: nothing relies on it.
#[must_use]
pub fn instance_value(instance: Option<&Instance>) -> Json {
    instance.map_or(Json::Null, |found| {
        let mut settings = found.settings.clone();
        if settings.get("multi_az") == Some(&Json::Bool(true)) {
            settings.remove("availability_zone");
        }
        json!({
            "resource_id": found.resource_id,
            "status": fact_word(&found.status),
            "settings": settings,
            "tags": marks::of_people(&found.tags),
        })
    })
}

/// Pending modifications in a fact's form.
#[must_use]
pub fn pending_value(instance: Option<&Instance>) -> Json {
    instance.map_or(Json::Null, |found| json!({ "modifications": found.pending, "reboot": found.pending_reboot }))
}

/// A snapshot in a fact's form.
#[must_use]
pub fn snapshot_value(snapshot: Option<&Snapshot>, timed: bool) -> Json {
    snapshot.map_or(Json::Null, |found| {
        let created = found.created.filter(|_| timed).map(time::rfc3339);
        json!({ "identifier": found.identifier, "instance": found.instance, "created": created })
    })
}

/// Whether a name is free, in a fact's form.
#[must_use]
pub fn free_value(holder: Option<&Instance>, except: &[String]) -> Json {
    Json::Bool(holder.is_none_or(|holder| except.contains(&holder.resource_id)))
}

/// Reads a fact again.
pub async fn read(read: &Data, cx: &Cx<'_>) -> CallResult<Data> {
    let unreadable =
        |why: serde_json::Error| crate::world::CallError::new("plan", crate::world::Failure::Refused, format!("not a fact of a database: {why}"));
    let read: Read = read.decode().map_err(unreadable)?;
    let value = match &read {
        Read::Instance { provider, resource_id } => {
            instance_value(cx.readers.rds(cx.aws(provider)?).await?.instance_by_resource_id(resource_id).await?.as_ref())
        }
        Read::Pending { provider, resource_id } => {
            pending_value(cx.readers.rds(cx.aws(provider)?).await?.instance_by_resource_id(resource_id).await?.as_ref())
        }
        Read::Snapshot { provider, identifier, timed } => {
            snapshot_value(cx.readers.rds(cx.aws(provider)?).await?.snapshot(identifier).await?.as_ref(), *timed)
        }
        Read::NameFree { provider, name, except } => free_value(cx.readers.rds(cx.aws(provider)?).await?.instance(name).await?.as_ref(), except),
    };
    Ok(value.into())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::instance;
    use super::*;

    #[test]
    fn a_failover_makes_no_plan_stale_and_a_move_does() {
        let (mut before, mut after) = (instance("dev", "db-A"), instance("dev", "db-A"));
        after.settings.insert("availability_zone".to_owned(), json!("us-east-1b"));
        assert_ne!(instance_value(Some(&before)), instance_value(Some(&after)));
        for one in [&mut before, &mut after] {
            one.settings.insert("multi_az".to_owned(), json!(true));
        }
        assert_eq!(instance_value(Some(&before)), instance_value(Some(&after)));
    }
}
