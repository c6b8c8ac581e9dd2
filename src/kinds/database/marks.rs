//! The owner tags: how our things are known again without any state of our own.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::time::{self, Timestamp};
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
/// When the call that restored it was made.
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

/// A restore may take hours; what is made later than this after its call was not made by it.
const RESTORE_LASTS: Duration = Duration::from_hours(24);

/// Whether an instance bears tags that were given to another one: RDS hands the tags of a snapshot, and so of the instance behind it, on to what is restored
/// from it, ours included. A copy is younger than the moments of which its tags tell.
#[must_use]
pub fn is_copy(instance: &Instance) -> bool {
    is_copy_of_kept(instance) || is_copy_of_restored(instance)
}

/// Of what a run restored: its tags were given with that call.
#[must_use]
pub fn is_copy_of_restored(instance: &Instance) -> bool {
    let refreshed = moment(&instance.tags, REFRESHED_AT).map(|at| time::after(at, RESTORE_LASTS));
    instance.created.zip(refreshed).is_some_and(|(created, until)| created > until)
}

/// Of what was kept for a while. What people restored under the resource's own name and a run then replaced is older than that, whatever else it bears.
#[must_use]
pub fn is_copy_of_kept(instance: &Instance) -> bool {
    instance.created.zip(moment(&instance.tags, KEEP_UNTIL)).is_some_and(|(created, until)| created > until)
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
pub fn moment(tags: &Tags, key: &str) -> Option<Timestamp> {
    tags.get(key)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn made(created: &str, tags: &[(&str, &str)]) -> Instance {
        let mut found = fixture::instance("dev-old", "db-O");
        found.created = Some(created.parse().unwrap());
        found.tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        found
    }

    #[test]
    fn what_is_younger_than_the_moments_of_its_tags_is_a_copy() {
        let restored = [(REFRESHED_AT, "2026-11-05T09:00:00Z")];
        assert!(!is_copy(&made("2026-11-05T13:00:00Z", &restored)), "a restore takes hours");
        assert!(is_copy(&made("2026-11-07T09:00:00Z", &restored)), "a colleague has restored a snapshot of it");
        let kept = [(KEEP_UNTIL, "2026-11-12T09:00:00Z")];
        assert!(!is_copy(&made("2026-10-01T00:00:00Z", &kept)));
        assert!(is_copy(&made("2026-11-12T10:00:00Z", &kept)), "the last snapshot of what was kept until then, restored");
        assert!(!is_copy(&made("2026-11-12T10:00:00Z", &[])));
        assert!(!is_copy(&Instance { created: None, ..made("2026-11-12T10:00:00Z", &kept) }), "one that is being created");
    }
}
