//! RDS, simulated, with its manners: instances walk through statuses with the clock, a renamed one is found under no name for
//! a while, and a call that the status does not permit is refused.

mod change;
mod end;
mod restore;
pub(super) mod settle;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::aws::{DbInstance, Late, Phase, Region, Then};
use super::core::{Core, Work};
use super::touched::Touched;
use crate::model::time::{self, Timestamp};
use crate::world::rds::{Delete, Instance, Modify, RdsRead, RdsWrite, Restore, Snapshot};
use crate::world::{CallError, CallResult};

/// The most tags that a resource bears.
const MAX_TAGS: usize = 50;

/// One account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
}

impl Place {
    /// The region, if anything is in it.
    pub(super) fn region<'w>(&self, work: &'w Work<'_>) -> Option<&'w Region> {
        work.state.aws.accounts.get(&self.account)?.regions.get(&self.region)
    }

    /// The region, for something to be put there.
    fn region_mut<'w>(&self, work: &'w mut Work<'_>) -> &'w mut Region {
        work.state.aws.accounts.entry(self.account.clone()).or_default().regions.entry(self.region.clone()).or_default()
    }

    fn touched(&self, resource_id: &str) -> Touched {
        Touched::Instance(self.account.clone(), self.region.clone(), resource_id.to_owned())
    }

    fn touched_snapshot(&self, name: &str) -> Touched {
        Touched::Snapshot(self.account.clone(), self.region.clone(), name.to_owned())
    }

    /// What a reader sees of one instance.
    fn view(&self, resource_id: &str, instance: &DbInstance, now: Timestamp) -> Option<Instance> {
        view::instance(self, resource_id, instance, now)
    }

    /// The id of the instance that answers to a name.
    fn named(&self, work: &Work<'_>, identifier: &str) -> CallResult<String> {
        let wanted = identifier.to_ascii_lowercase();
        let found = self
            .region(work)
            .into_iter()
            .flat_map(|region| &region.instances)
            .find(|(_, instance)| instance.identifier == wanted && !instance.hidden());
        found.map(|(id, _)| id.clone()).ok_or_else(|| work.not_found("DBInstanceNotFound", format!("DBInstance {identifier} not found.")))
    }

    /// Refuses a name that an instance has, or gets by a rename under way.
    fn name_is_free(&self, work: &Work<'_>, name: &str) -> CallResult<()> {
        let valid = name.len() <= 63
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !name.ends_with('-')
            && !name.contains("--");
        if !valid {
            return Err(work.refuse("InvalidParameterValue", format!("{name} is not a valid identifier")));
        }
        let taken = |instance: &DbInstance| instance.identifier == name || instance.coming_name() == Some(name);
        if self.region(work).is_some_and(|region| region.instances.values().any(taken)) {
            return Err(work.refuse("DBInstanceAlreadyExists", "DB instance already exists"));
        }
        Ok(())
    }

    /// Changes one instance, after readers that are to see it late have got their picture.
    fn change(&self, work: &mut Work<'_>, resource_id: &str, change: impl FnOnce(&mut DbInstance, Timestamp)) {
        let (now, late) = (work.now(), work.late);
        let place = self.clone();
        if let Some(instance) = self.region_mut(work).instances.get_mut(resource_id) {
            if let Some(late) = late {
                let as_it_was = place.view(resource_id, instance, now).map(Box::new);
                instance.late = Some(Late { as_it_was, until: time::after(now, late) });
            }
            change(instance, now);
            work.dirty.insert(self.touched(resource_id));
        }
    }
}

/// Ends of phases that follow one another.
struct Walk {
    at: Timestamp,
    phases: Vec<Phase>,
}

impl Walk {
    fn from(now: Timestamp) -> Walk {
        Walk { at: now, phases: Vec::new() }
    }

    /// `status` for `seconds`, then what it brings. Nothing that takes no time is seen, but what it brings comes.
    fn then(mut self, status: &str, seconds: u64, then: Vec<Then>) -> Walk {
        self.at = time::after(self.at, Duration::from_secs(seconds));
        self.phases.push(Phase { hidden: false, status: status.to_owned(), then, until: self.at });
        self
    }

    /// As [`Walk::then`], found under no name meanwhile.
    fn hidden(mut self, status: &str, seconds: u64, then: Vec<Then>) -> Walk {
        self = self.then(status, seconds, then);
        if let Some(last) = self.phases.last_mut() {
            last.hidden = true;
        }
        self
    }
}

/// The door.
pub(super) struct RdsDoor {
    pub(super) core: Arc<Core>,
    pub(super) place: Place,
}

#[async_trait]
impl RdsRead for RdsDoor {
    fn account_id(&self) -> &str {
        &self.place.account
    }

    async fn instance(&self, identifier: &str) -> CallResult<Option<Instance>> {
        let find = |work: &mut Work<'_>| Ok(view::by_name(&self.place, work, identifier));
        self.core.call("rds:DescribeDBInstances", identifier.to_owned(), false, find).await
    }

    async fn instance_by_resource_id(&self, resource_id: &str) -> CallResult<Option<Instance>> {
        let find = |work: &mut Work<'_>| {
            let found = self.place.region(work).and_then(|region| region.instances.get(resource_id));
            Ok(found.and_then(|instance| self.place.view(resource_id, instance, work.now())))
        };
        self.core.call("rds:DescribeDBInstances", resource_id.to_owned(), false, find).await
    }

    async fn instances(&self) -> CallResult<Vec<Instance>> {
        let list = |work: &mut Work<'_>| Ok(view::all(&self.place, work));
        self.core.call("rds:DescribeDBInstances", self.place.region.clone(), false, list).await
    }

    async fn snapshots(&self, instance: &str, snapshot_type: &str) -> CallResult<Vec<Snapshot>> {
        let list = |work: &mut Work<'_>| Ok(view::snapshots(&self.place, work, instance, snapshot_type));
        self.core.call("rds:DescribeDBSnapshots", instance.to_owned(), false, list).await
    }

    async fn snapshot(&self, identifier: &str) -> CallResult<Option<Snapshot>> {
        let find = |work: &mut Work<'_>| {
            let found = self.place.region(work).and_then(|region| region.snapshots.get(identifier));
            Ok(found.map(|snapshot| view::snapshot(identifier, snapshot, work.now())))
        };
        self.core.call("rds:DescribeDBSnapshots", identifier.to_owned(), false, find).await
    }

    async fn subnet_group_vpc(&self, name: &str) -> CallResult<Option<String>> {
        let find = |work: &mut Work<'_>| Ok(self.place.region(work).and_then(|region| Some(region.subnet_groups.get(name)?.vpc_id.clone())));
        self.core.call("rds:DescribeDBSubnetGroups", name.to_owned(), false, find).await
    }
}

#[async_trait]
impl RdsWrite for RdsDoor {
    async fn restore(&self, restore: &Restore) -> CallResult<()> {
        let work = |work: &mut Work<'_>| restore::restore(&self.place, work, restore);
        self.core.call("rds:RestoreDBInstanceFromDBSnapshot", restore.identifier.clone(), true, work).await
    }

    async fn modify(&self, modify: &Modify) -> CallResult<()> {
        let target = match &modify.new_identifier {
            Some(new) => format!("{} {new}", modify.identifier),
            None => modify.identifier.clone(),
        };
        self.core.call("rds:ModifyDBInstance", target, true, |work| change::modify(&self.place, work, modify)).await
    }

    async fn reboot(&self, identifier: &str) -> CallResult<()> {
        self.core.call("rds:RebootDBInstance", identifier.to_owned(), true, |work| change::reboot(&self.place, work, identifier)).await
    }

    async fn delete(&self, delete: &Delete) -> CallResult<()> {
        self.core.call("rds:DeleteDBInstance", delete.identifier.clone(), true, |work| end::delete(&self.place, work, delete)).await
    }

    async fn add_tags(&self, arn: &str, tags: &BTreeMap<String, String>) -> CallResult<()> {
        let add = |work: &mut Work<'_>| {
            let id = by_arn(&self.place, work, arn)?;
            check_tags(work, tags)?;
            let had = self
                .place
                .region(work)
                .and_then(|region| region.instances.get(&id))
                .map_or(0, |instance| instance.tags.keys().filter(|key| !tags.contains_key(*key)).count());
            if had + tags.len() > MAX_TAGS {
                return Err(work.refuse("InvalidParameterValue", format!("a resource bears at most {MAX_TAGS} tags")));
            }
            self.place.change(work, &id, |instance, _| instance.tags.extend(tags.iter().map(|(key, value)| (key.clone(), value.clone()))));
            Ok(())
        };
        self.core.call("rds:AddTagsToResource", arn.to_owned(), true, add).await
    }

    async fn remove_tags(&self, arn: &str, keys: &[String]) -> CallResult<()> {
        let remove = |work: &mut Work<'_>| {
            let id = by_arn(&self.place, work, arn)?;
            self.place.change(work, &id, |instance, _| instance.tags.retain(|key, _| !keys.contains(key)));
            Ok(())
        };
        self.core.call("rds:RemoveTagsFromResource", arn.to_owned(), true, remove).await
    }
}

/// The instance of an ARN; that of a name that is no more leads nowhere.
fn by_arn(place: &Place, work: &Work<'_>, arn: &str) -> CallResult<String> {
    match arn.strip_prefix(&view::arn(place, "")) {
        Some(identifier) => place.named(work, identifier),
        None => Err(work.not_found("DBInstanceNotFound", format!("there is no DB instance {arn} here"))),
    }
}

fn check_tags(work: &Work<'_>, tags: &BTreeMap<String, String>) -> Result<(), CallError> {
    let bad = |(key, value): &(&String, &String)| {
        key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 || key.to_ascii_lowercase().starts_with("aws:")
    };
    match tags.iter().find(bad) {
        Some((key, _)) => Err(work.refuse("InvalidParameterValue", format!("the tag {key} has a key or a value that AWS does not take"))),
        None if tags.len() > MAX_TAGS => Err(work.refuse("InvalidParameterValue", format!("a resource bears at most {MAX_TAGS} tags"))),
        None => Ok(()),
    }
}
