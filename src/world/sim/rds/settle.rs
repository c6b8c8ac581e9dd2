//! What time brings: ends of phases, automated snapshots. Nothing else moves by itself.

use std::time::Duration;

use crate::model::time::{self, Timestamp};
use crate::world::sim::aws::{DbInstance, DbSnapshot, Region, Schedule, Then};
use crate::world::sim::state::State;
use crate::world::sim::touched::{Dirty, Touched};

/// Lets everything happen that was due by now, and says when something is due next.
pub(in crate::world::sim) fn settle(state: &mut State, dirty: &mut Dirty) -> Option<Timestamp> {
    let (now, takes) = (state.now, Duration::from_secs(state.timings.snapshot));
    let mut next = None;
    for (account_id, account) in &mut state.aws.accounts {
        for (region_name, region) in &mut account.regions {
            let due: Vec<String> =
                region.instances.iter().filter(|(_, instance)| instance.due().is_some_and(|due| due <= now)).map(|(id, _)| id.clone()).collect();
            for id in due {
                dirty.insert(Touched::Instance(account_id.clone(), region_name.clone(), id.clone()));
                for snapshot in advance(region, &id, now, takes) {
                    dirty.insert(Touched::Snapshot(account_id.clone(), region_name.clone(), snapshot));
                }
            }
            next = region.instances.values().filter_map(DbInstance::due).chain(next).min();
        }
    }
    next
}

impl DbInstance {
    /// When the next thing happens to it by itself.
    fn due(&self) -> Option<Timestamp> {
        let late = self.late.as_ref().map(|late| late.until);
        [self.phases.first().map(|phase| phase.until), self.snapshot_schedule.as_ref().map(|schedule| schedule.next), late]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Brings one instance to `now`, one thing after the other; gives the names of snapshots that came or went.
fn advance(region: &mut Region, id: &str, now: Timestamp, takes: Duration) -> Vec<String> {
    let mut snapshots = Vec::new();
    while let Some(instance) = region.instances.get_mut(id) {
        let Some(due) = instance.due().filter(|due| *due <= now) else { break };
        if instance.late.as_ref().is_some_and(|late| late.until <= due) {
            instance.late = None;
        } else if instance.phases.first().is_some_and(|phase| phase.until <= due) {
            let phase = instance.phases.remove(0);
            for then in phase.then {
                if let Then::Gone { delete_automated_backups } = then {
                    snapshots.extend(remove(region, id, delete_automated_backups));
                    return snapshots;
                }
                instance.bring(then);
            }
        } else {
            snapshots.extend(take_snapshot(region, id, now, takes));
        }
    }
    snapshots
}

impl DbInstance {
    fn bring(&mut self, then: Then) {
        match then {
            Then::Apply(settings) => {
                for (key, value) in settings {
                    self.pending.remove(&key);
                    if value.is_null() {
                        self.settings.remove(&key);
                    } else {
                        self.settings.insert(key, value);
                    }
                }
            }
            Then::InSync => self.pending_reboot = false,
            Then::Rename(name) => self.identifier = name,
            Then::Gone { .. } => {}
        }
    }
}

fn remove(region: &mut Region, id: &str, delete_automated_backups: bool) -> Vec<String> {
    let Some(gone) = region.instances.remove(id) else { return Vec::new() };
    if !delete_automated_backups {
        return Vec::new();
    }
    let of_it = |snapshot: &DbSnapshot| {
        let same = snapshot.instance_resource_id.as_ref().map_or(snapshot.instance == gone.identifier, |resource_id| resource_id == id);
        same && snapshot.snapshot_type == "automated"
    };
    let names: Vec<String> = region.snapshots.iter().filter(|(_, snapshot)| of_it(snapshot)).map(|(name, _)| name.clone()).collect();
    region.snapshots.retain(|_, snapshot| !of_it(snapshot));
    names
}

/// The next automated snapshot; the oldest beyond those that are kept go. Those that would be gone by now anyway are passed over.
fn take_snapshot(region: &mut Region, id: &str, now: Timestamp, takes: Duration) -> Vec<String> {
    let Some(instance) = region.instances.get_mut(id) else { return Vec::new() };
    let Some(schedule) = instance.snapshot_schedule.clone() else { return Vec::new() };
    let Schedule { every_seconds, keep, next: at } = schedule;
    let step = every_seconds.max(60);
    let missed = time::between(at, now).as_secs() / step;
    let passed_over = missed.saturating_sub(u64::from(keep) + 1);
    let next = time::after(at, Duration::from_secs(step.saturating_mul(passed_over.max(1))));
    instance.snapshot_schedule = Some(Schedule { every_seconds, keep, next });
    if passed_over > 0 || matches!(instance.status(), "creating" | "deleting") {
        return Vec::new();
    }
    let name = format!("rds:{}-{}", instance.identifier, at.strftime("%Y-%m-%d-%H-%M"));
    let mut snapshot = instance.snapshot(id, "automated", at);
    snapshot.ready = Some(time::after(at, takes));
    region.snapshots.insert(name.clone(), snapshot);
    let mut touched = vec![name];
    let mut own: Vec<(Timestamp, String)> = region
        .snapshots
        .iter()
        .filter(|(_, snapshot)| snapshot.snapshot_type == "automated" && snapshot.instance_resource_id.as_deref() == Some(id))
        .map(|(name, snapshot)| (snapshot.created, name.clone()))
        .collect();
    own.sort();
    let superfluous = own.len().saturating_sub(keep as usize);
    for (_, name) in own.into_iter().take(superfluous) {
        region.snapshots.remove(&name);
        touched.push(name);
    }
    touched
}

/// What a snapshot remembers of its instance.
const REMEMBERED: &[&str] =
    &["backup_retention_period", "instance_class", "iops", "license_model", "option_group_name", "port", "storage_throughput", "storage_type"];

impl DbInstance {
    /// A snapshot of it as it is, begun at `at`.
    pub(super) fn snapshot(&self, id: &str, snapshot_type: &str, at: Timestamp) -> DbSnapshot {
        let settings = self.settings.iter().filter(|(key, _)| REMEMBERED.contains(&key.as_str())).map(|(key, value)| (key.clone(), value.clone()));
        DbSnapshot {
            allocated_storage: self.settings.get("allocated_storage").and_then(serde_json::Value::as_i64).unwrap_or(0),
            created: at,
            databases: self.databases.clone(),
            engine: self.engine.clone(),
            engine_version: self.engine_version.clone(),
            instance: self.identifier.clone(),
            instance_resource_id: Some(id.to_owned()),
            ready: None,
            settings: settings.collect(),
            snapshot_type: snapshot_type.to_owned(),
            status: None,
        }
    }
}
