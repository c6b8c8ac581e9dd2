//! `ModifyDBInstance` and `RebootDBInstance`.

use std::collections::BTreeSet;

use super::{Place, Walk, restore};
use crate::model::Json;
use crate::world::CallResult;
use crate::world::rds::{MODIFIABLE, Modify, Settings};
use crate::world::sim::aws::{DbInstance, Then};
use crate::world::sim::core::Work;
use crate::world::sim::state::Timings;

/// Settings that come at once, without a change of status.
const AT_ONCE: &[&str] = &[
    "auto_minor_version_upgrade",
    "backup_window",
    "copy_tags_to_snapshot",
    "deletion_protection",
    "maintenance_window",
    "max_allocated_storage",
    "parameter_group_name",
];

/// Settings that restart the instance.
const RESTARTING: &[&str] = &["ca_cert_identifier", "db_subnet_group_name", "instance_class", "network_type", "port"];

/// Statuses in which RDS takes a modification, a rename, a reboot.
fn permits(status: &str) -> bool {
    matches!(status, "available" | "storage-optimization" | "storage-initialization" | "storage-config-upgrade")
}

/// The instance, if its status permits.
fn permitted(place: &Place, work: &Work<'_>, identifier: &str) -> CallResult<(String, DbInstance)> {
    let id = place.named(work, identifier)?;
    let Some(instance) = place.region(work).and_then(|region| region.instances.get(&id)).cloned() else {
        return Err(work.not_found("DBInstanceNotFound", format!("DBInstance {identifier} not found.")));
    };
    // A change under way may not be seen in the status yet, and hinders all the same.
    let busy = instance.phases.iter().any(|phase| !phase.then.is_empty());
    if busy || !permits(instance.status()) {
        return Err(
            work.refuse("InvalidDBInstanceState", format!("the database {identifier} is not in a state that permits this: {}", instance.status()))
        );
    }
    Ok((id, instance))
}

pub(super) fn reboot(place: &Place, work: &mut Work<'_>, identifier: &str) -> CallResult<()> {
    let (id, _) = permitted(place, work, identifier)?;
    let seconds = work.state.timings.reboot;
    place.change(work, &id, |instance, now| {
        instance.phases = Walk::from(now).then("rebooting", seconds, vec![Then::InSync]).phases;
    });
    Ok(())
}

pub(super) fn modify(place: &Place, work: &mut Work<'_>, modify: &Modify) -> CallResult<()> {
    let (id, instance) = permitted(place, work, &modify.identifier)?;
    if let Some(key) = modify.settings.keys().find(|key| !MODIFIABLE.contains(&key.as_str())) {
        return Err(work.refuse("InvalidParameterCombination", format!("a modification does not take {key}")));
    }
    restore::check_groups(place, work, &modify.settings)?;
    let mut wanted = modify.settings.clone();
    exports(&mut wanted, &instance.settings, &modify.log_exports);
    restore::sort_lists(&mut wanted);
    // What is there already, and the absence of what is not there, are no change.
    wanted.retain(|key, value| instance.settings.get(key).unwrap_or(&Json::Null) != value);
    check_storage(work, &instance, &modify.settings, &wanted)?;
    let new_name = modify.new_identifier.as_ref().map(|name| name.to_ascii_lowercase()).filter(|name| *name != instance.identifier);
    if let Some(name) = &new_name {
        place.name_is_free(work, name)?;
    }
    let timings = work.state.timings.clone();
    place.change(work, &id, |instance, now| {
        let (at_once, slow): (Settings, Settings) = wanted.into_iter().partition(|(key, _)| AT_ONCE.contains(&key.as_str()));
        instance.pending_reboot |= at_once.contains_key("parameter_group_name");
        // An upper limit that is the size turns the growing off.
        let size = slow.get("allocated_storage").or_else(|| instance.settings.get("allocated_storage")).cloned();
        for (key, value) in at_once {
            if value.is_null() || (key == "max_allocated_storage" && Some(&value) == size.as_ref()) {
                instance.settings.remove(&key);
            } else {
                instance.settings.insert(key, value);
            }
        }
        let walk = Walk::from(now);
        if let Some(name) = new_name {
            instance.pending.clone_from(&slow);
            instance.phases = rename(walk, &timings, name, slow).phases;
        } else if !slow.is_empty() {
            instance.pending.clone_from(&slow);
            instance.phases = modification(walk, &timings, instance, slow).phases;
        }
    });
    Ok(())
}

/// RDS hears what to enable and what to disable, which the caller works out from what it believes to be there.
fn exports(wanted: &mut Settings, there: &Settings, believed: &[String]) {
    const NAME: &str = "enabled_cloudwatch_logs_exports";
    let texts = |list: Option<&Json>| -> BTreeSet<String> {
        list.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    if !wanted.get(NAME).is_some_and(Json::is_array) {
        return;
    }
    let (after, mut present) = (texts(wanted.get(NAME)), texts(there.get(NAME)));
    present.extend(after.iter().filter(|one| !believed.contains(one)).cloned());
    present.retain(|one| after.contains(one) || !believed.contains(one));
    wanted.insert(NAME.to_owned(), present.into_iter().collect::<Vec<_>>().into());
}

fn check_storage(work: &Work<'_>, instance: &DbInstance, told: &Settings, wanted: &Settings) -> CallResult<()> {
    let number = |settings: &Settings, key: &str| settings.get(key).and_then(Json::as_i64);
    let provisioned = instance.settings.get("storage_type").and_then(Json::as_str).is_some_and(|kind| matches!(kind, "io1" | "io2"));
    let (size, iops) = ("allocated_storage", "iops");
    let changes_either = [size, iops].iter().any(|key| wanted.get(*key).is_some_and(|value| !value.is_null()));
    if provisioned && changes_either && !(told.contains_key(size) && told.contains_key(iops)) {
        return Err(work.refuse("InvalidParameterCombination", "You must specify both the storage size and iops when modifying either of them."));
    }
    if let (Some(new), Some(old)) = (number(wanted, "allocated_storage"), number(&instance.settings, "allocated_storage")) {
        if new < old {
            return Err(work.refuse("InvalidParameterCombination", format!("storage cannot shrink from {old} to {new} GiB")));
        }
        if instance.status() == "storage-optimization" {
            return Err(work.refuse("InvalidParameterCombination", "storage was changed only some hours ago"));
        }
    }
    Ok(())
}

/// The old name reads `available` for a while, then `renaming`; then nothing is found under any name; then the new name restarts.
fn rename(walk: Walk, timings: &Timings, name: String, slow: Settings) -> Walk {
    let mut then = vec![Then::Rename(name)];
    if !slow.is_empty() {
        then.push(Then::Apply(slow));
    }
    walk.then("available", timings.rename_unseen, Vec::new())
        .then("renaming", timings.renaming, Vec::new())
        .hidden("renaming", timings.rename_blind, then)
        .then("rebooting", timings.rename_reboot, vec![Then::InSync])
}

fn modification(walk: Walk, timings: &Timings, instance: &DbInstance, slow: Settings) -> Walk {
    let retention = |settings: &Settings| settings.get("backup_retention_period").and_then(Json::as_i64);
    let (before, after) = (retention(&instance.settings).unwrap_or(0), retention(&slow));
    let starts_backups = before == 0 && after.is_some_and(|days| days > 0);
    let restarts = starts_backups || (before > 0 && after == Some(0)) || slow.keys().any(|key| RESTARTING.contains(&key.as_str()));
    let grows = slow.contains_key("allocated_storage") || slow.contains_key("storage_type");
    let mut walk = walk.then("available", timings.modify_unseen, Vec::new()).then("modifying", timings.modify, vec![Then::Apply(slow)]);
    if restarts {
        walk = walk.then("rebooting", timings.reboot, vec![Then::InSync]);
    }
    if starts_backups {
        walk = walk.then("backing-up", timings.backup, Vec::new());
    }
    if grows {
        walk = walk.then("storage-optimization", timings.storage_optimization, Vec::new());
    }
    walk
}
