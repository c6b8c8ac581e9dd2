//! What readers see.

use super::Place;
use crate::model::time::Timestamp;
use crate::world::rds::{Instance, Snapshot};
use crate::world::sim::aws::{DbInstance, DbSnapshot};
use crate::world::sim::core::{Work, seeded};

/// The ARN of a name.
pub(super) fn arn(place: &Place, identifier: &str) -> String {
    format!("arn:aws:rds:{}:{}:db:{identifier}", place.region, place.account)
}

/// The host that a name's endpoint has: the middle part is the account's in the region.
fn host(place: &Place, identifier: &str) -> String {
    let number = format!("{}{}", place.account, place.region).bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut rng = seeded(number, 4, 0);
    let middle: String = (0..11).map(|_| if rng.bool() { rng.lowercase() } else { rng.digit(10) }).collect();
    format!("{identifier}.c{middle}.{}.rds.amazonaws.com", place.region)
}

pub(super) fn instance(place: &Place, resource_id: &str, instance: &DbInstance, now: Timestamp) -> Option<Instance> {
    if let Some(late) = instance.late.as_ref().filter(|late| late.until > now) {
        return late.as_it_was.as_deref().cloned();
    }
    if instance.hidden() {
        return None;
    }
    let status = instance.status();
    let port = instance.settings.get("port").and_then(serde_json::Value::as_u64).and_then(|port| u16::try_from(port).ok()).unwrap_or(5432);
    let reachable = !matches!(status, "creating" | "renaming");
    Some(Instance {
        identifier: instance.identifier.clone(),
        resource_id: resource_id.to_owned(),
        arn: arn(place, &instance.identifier),
        status: status.to_owned(),
        created: Some(instance.created),
        engine: instance.engine.clone(),
        engine_version: instance.engine_version.clone(),
        settings: instance.settings.clone(),
        pending: instance.pending.clone(),
        pending_reboot: instance.pending_reboot,
        tags: instance.tags.clone(),
        endpoint: reachable.then(|| (host(place, &instance.identifier), port)),
    })
}

/// One instance by the name that readers see.
pub(super) fn by_name(place: &Place, work: &Work<'_>, identifier: &str) -> Option<Instance> {
    let wanted = identifier.to_ascii_lowercase();
    let candidates = place.region(work)?.instances.iter().filter(|(_, instance)| instance.late.is_some() || instance.identifier == wanted);
    candidates.filter_map(|(id, candidate)| instance(place, id, candidate, work.now())).find(|seen| seen.identifier == wanted)
}

/// All instances that readers see.
pub(super) fn all(place: &Place, work: &Work<'_>) -> Vec<Instance> {
    let all = place.region(work).into_iter().flat_map(|region| &region.instances);
    all.filter_map(|(id, one)| instance(place, id, one, work.now())).collect()
}

pub(super) fn snapshot(identifier: &str, snapshot: &DbSnapshot, now: Timestamp) -> Snapshot {
    let ready = snapshot.ready.is_none_or(|ready| ready <= now);
    let status = if ready { snapshot.status.as_deref().unwrap_or("available") } else { "creating" };
    Snapshot {
        identifier: identifier.to_owned(),
        instance: snapshot.instance.clone(),
        snapshot_type: snapshot.snapshot_type.clone(),
        status: status.to_owned(),
        created: ready.then_some(snapshot.created),
        percent: snapshot.percent(now),
        engine: snapshot.engine.clone(),
        engine_version: snapshot.engine_version.clone(),
        allocated_storage: snapshot.allocated_storage,
        settings: snapshot.settings.clone(),
    }
}

impl DbSnapshot {
    /// How far it is: by the share of its time that has passed.
    fn percent(&self, now: Timestamp) -> u8 {
        let Some(ready) = self.ready.filter(|ready| *ready > now) else { return 100 };
        let whole = (ready.as_second() - self.created.as_second()).max(1);
        let passed = (now.as_second() - self.created.as_second()).clamp(0, whole);
        u8::try_from(passed.saturating_mul(100) / whole).unwrap_or(100).min(99)
    }
}

pub(super) fn snapshots(place: &Place, work: &Work<'_>, instance: &str, snapshot_type: &str) -> Vec<Snapshot> {
    let wanted = |candidate: &DbSnapshot| candidate.instance == instance && (snapshot_type == "any" || candidate.snapshot_type == snapshot_type);
    let all = place.region(work).into_iter().flat_map(|region| &region.snapshots);
    all.filter(|(_, candidate)| wanted(candidate)).map(|(id, candidate)| snapshot(id, candidate, work.now())).collect()
}
