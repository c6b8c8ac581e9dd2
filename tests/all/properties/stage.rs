//! What the properties share: plans as `plan` makes them, and what of a world people care about.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use switchover::declare::Desired;
use switchover::diff::Differ;
use switchover::kinds;
use switchover::observe::{self, Observer};
use switchover::plan::{self, Plan, Planner};
use switchover::world::sim::SimWorld;
use switchover::world::{Readers, Writers};

use crate::support::Scene;

/// A plan as `plan --prune` makes it, with `--refresh` of everything or of nothing.
pub async fn plan(scene: &Scene, world: &Arc<SimWorld>, refresh: bool) -> Arc<Plan> {
    plan_of(scene.desired(&**world as &dyn Writers), world, refresh).await
}

/// The same of a declaration that has been read.
pub async fn plan_of(desired: Desired, world: &Arc<SimWorld>, refresh: bool) -> Arc<Plan> {
    let readers: &dyn Readers = &**world as &dyn Writers;
    let observer = |kind: &str| kinds::find(kind).map(|kind| kind as &dyn Observer);
    let undeclared = observe::undeclared(&desired, kinds::ALL.iter().map(|kind| *kind as &dyn Observer), readers).await;
    let mut resources: Vec<_> = desired.resources.iter().collect();
    let mut observed = observe::observe(&desired, &resources, observer, readers).await;
    let (removed, found): (Vec<_>, Vec<_>) = undeclared.into_iter().unzip();
    observed.resources.extend(removed.iter().map(|declared| declared.address.clone()).zip(found));
    resources.extend(&removed);
    let asked: BTreeSet<_> = desired.resources.iter().filter(|_| refresh).map(|declared| declared.address.clone()).collect();
    let differs = |kind: &str| kinds::find(kind).map(|kind| kind as &dyn Differ);
    let diffed = switchover::diff::diff(&desired, &resources, &observed, differs, &asked);
    Arc::new(plan::build(&plan::Request {
        desired: &desired,
        resources: &resources,
        observed: &observed,
        diffed: &diffed,
        planners: |kind| kinds::find(kind).map(|kind| kind as &dyn Planner),
        world: readers.identity(),
        random: readers.random(),
    }))
}

/// What people care about: instances without what a run writes on them to find them again, and records without ids.
pub fn essence(world: &Json) -> Json {
    json!({"instances": instances(world), "records": records(world, |_, _, _| true)})
}

fn instances(world: &Json) -> Json {
    let mut found = serde_json::Map::new();
    let accounts = world["aws"]["accounts"].as_object().into_iter().flat_map(|accounts| accounts.values());
    let regions = accounts.flat_map(|account| account["regions"].as_object().into_iter().flat_map(|regions| regions.values()));
    for instance in regions.flat_map(|region| region["instances"].as_object().into_iter().flat_map(|instances| instances.values())) {
        let mut tags = instance["tags"].as_object().cloned().unwrap_or_default();
        if let Some(until) = tags.get_mut("switchover:keep-until") {
            *until = json!("some day");
        }
        tags.retain(|key, _| !["switchover:run", "switchover:step", "switchover:refreshed-at"].contains(&key.as_str()));
        let mut settings = instance["settings"].clone();
        // What has no effect does not matter: RDS may show it or not.
        for (name, without, off) in [
            ("monitoring_role_arn", "monitoring_interval", json!(0)),
            ("performance_insights_retention_period", "performance_insights_enabled", json!(false)),
        ] {
            if settings[without] == off {
                settings.as_object_mut().unwrap().remove(name);
            }
        }
        let about = json!({"settings": settings, "tags": tags, "databases": instance["databases"]});
        found.insert(instance["identifier"].as_str().unwrap().to_owned(), about);
    }
    Json::Object(found)
}

/// The records of every zone that are wanted by zone, name and type, without their ids.
pub fn records(world: &Json, wanted: impl Fn(&str, &str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for zone in world["cloudflare"]["zones"].as_object().into_iter().flat_map(|zones| zones.values()) {
        let name = zone["name"].as_str().unwrap();
        for record in zone["records"].as_object().unwrap().values() {
            if wanted(name, record["name"].as_str().unwrap(), record["type"].as_str().unwrap()) {
                let mut record = record.clone();
                record.as_object_mut().unwrap().remove("modified");
                found.push(record.to_string());
            }
        }
    }
    found.sort();
    found
}

/// Fails with the lines that differ, and no others.
pub fn same(found: &Json, wanted: &Json, what: &str) {
    if found != wanted {
        let (wanted, found) = (serde_json::to_string_pretty(wanted).unwrap(), serde_json::to_string_pretty(found).unwrap());
        let diff = similar::TextDiff::from_lines(&wanted, &found);
        panic!("{what}\n{}", diff.unified_diff().context_radius(3).header("wanted", "found"));
    }
}
