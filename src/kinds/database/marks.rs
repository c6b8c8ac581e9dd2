//! The owner tags: how our things are known again without any state of our own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;
use crate::world::rds::Instance;

/// Which environment it belongs to.
pub const ENVIRONMENT: &str = "switchover:environment";
/// Which resource it belongs to: its address.
pub const RESOURCE: &str = "switchover:resource";
/// The run that made or marked it.
pub const RUN: &str = "switchover:run";
/// The step that made or marked it last.
pub const STEP: &str = "switchover:step";
/// The snapshot that its data came from.
pub const SNAPSHOT: &str = "switchover:snapshot";
/// When that snapshot was taken.
pub const SNAPSHOT_TIME: &str = "switchover:snapshot-time";
/// When the refresh that made it began.
pub const REFRESHED_AT: &str = "switchover:refreshed-at";
/// Until when the replaced instance is kept.
pub const KEEP_UNTIL: &str = "switchover:keep-until";
/// The resource id of the instance that this one is to replace: finds that one again while a rename hides it under every name.
pub const REPLACES: &str = "switchover:replaces";

/// Tags of an instance.
pub type Tags = BTreeMap<String, String>;

/// Whose a thing is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The environment.
    pub environment: String,
    /// The resource's address.
    pub resource: String,
}

impl Owner {
    /// Whether these tags say that the thing is this resource's.
    #[must_use]
    pub fn owns(&self, instance: &Instance) -> bool {
        instance.tags.get(ENVIRONMENT) == Some(&self.environment) && instance.tags.get(RESOURCE) == Some(&self.resource)
    }

    /// The same, and made or marked by this run.
    #[must_use]
    pub fn owns_by(&self, instance: &Instance, run: &str) -> bool {
        self.owns(instance) && instance.tags.get(RUN).is_some_and(|marked| marked == run)
    }

    /// The four tags that everything of ours has.
    #[must_use]
    pub fn tags(&self, run: &str, step: &str) -> Tags {
        [(ENVIRONMENT, self.environment.as_str()), (RESOURCE, &self.resource), (RUN, run), (STEP, step)]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }
}

/// Tags that people set: neither AWS's nor ours. Only these are carried over, compared and guarded.
#[must_use]
pub fn of_people(tags: &Tags) -> Tags {
    tags.iter()
        .filter(|(key, _)| !key.starts_with("aws:") && !key.starts_with("switchover:"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// A tag that holds a time.
#[must_use]
pub fn time(tags: &Tags, key: &str) -> Option<Timestamp> {
    tags.get(key)?.parse().ok()
}
