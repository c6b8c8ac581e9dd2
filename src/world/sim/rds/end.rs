//! `DeleteDBInstance`.

use std::time::Duration;

use super::{Place, Walk};
use crate::model::{Json, time};
use crate::world::CallResult;
use crate::world::rds::Delete;
use crate::world::sim::aws::Then;
use crate::world::sim::core::Work;

/// Statuses in which an instance can go without a last snapshot.
fn may_go(status: &str) -> bool {
    matches!(status, "available" | "backing-up" | "failed" | "stopped" | "storage-full" | "storage-optimization" | "storage-initialization")
        || status.starts_with("incompatible-")
}

pub(super) fn delete(place: &Place, work: &mut Work<'_>, delete: &Delete) -> CallResult<()> {
    let id = place.named(work, &delete.identifier)?;
    let Some(instance) = place.region(work).and_then(|region| region.instances.get(&id)).cloned() else {
        return Err(work.not_found("DBInstanceNotFound", format!("DBInstance {} not found.", delete.identifier)));
    };
    let status = instance.status();
    let busy = instance.phases.iter().any(|phase| !phase.then.is_empty());
    let permitted = if delete.final_snapshot.is_some() { matches!(status, "available" | "storage-optimization") } else { may_go(status) };
    if busy || !permitted {
        return Err(work.refuse("InvalidDBInstanceState", format!("the database {} cannot be deleted while it is {status}", delete.identifier)));
    }
    if instance.settings.get("deletion_protection") == Some(&Json::Bool(true)) {
        return Err(
            work.refuse("InvalidParameterCombination", "Cannot delete protected DB Instance, please disable deletion protection and try again.")
        );
    }
    let (now, timings) = (work.now(), work.state.timings.clone());
    let mut seconds = timings.delete;
    if let Some(name) = &delete.final_snapshot {
        if place.region(work).is_some_and(|region| region.snapshots.contains_key(name)) {
            return Err(work.refuse("DBSnapshotAlreadyExists", format!("Cannot create the snapshot because one with the identifier {name} exists.")));
        }
        let mut snapshot = instance.snapshot(&id, "manual", now);
        snapshot.ready = Some(time::after(now, Duration::from_secs(timings.snapshot)));
        place.region_mut(work).snapshots.insert(name.clone(), snapshot);
        work.dirty.insert(place.touched_snapshot(name));
        seconds = seconds.saturating_add(timings.snapshot);
    }
    let gone = Then::Gone { delete_automated_backups: delete.delete_automated_backups };
    place.change(work, &id, |instance, now| {
        instance.snapshot_schedule = None;
        instance.phases = Walk::from(now).then("deleting", seconds, vec![gone]).phases;
    });
    Ok(())
}
