//! Single operations against manners of RDS that a whole run seldom meets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::super::{fixture, marks};
use super::{Delete, InstanceRef, Keep, Modify, Op, Rename};
use crate::apply::operation::{Cx, Look, Notes, StartCx};
use crate::model::Json;
use crate::model::time::{self, Timestamp};
use crate::world::Readers;
use crate::world::rds::{Instance, Settings};
use crate::world::sim::{SimOptions, SimWorld};

const EXAMPLE: &str = include_str!("../../../../examples/openverse/world.json");
const OLD: &str = "db-B5NM6QWERT7YUIOPLKJHGFDSA2";
const NEXT: &str = "db-NEXT";

/// The example's world, with a new instance of ours beside the old one.
fn world(change: impl FnOnce(&mut Json, &mut Json)) -> Arc<SimWorld> {
    let mut json: Json = serde_json::from_str(EXAMPLE).unwrap();
    let instances = json.pointer_mut("/aws/accounts/111122223333/regions/us-east-1/instances").unwrap();
    let mut next = instances[OLD].clone();
    next["identifier"] = json!("dev-openverse-db-next");
    for (key, value) in fixture::owner().tags("run-1", "restore") {
        next["tags"][key] = json!(value);
    }
    let mut old = instances[OLD].take();
    change(&mut old, &mut next);
    (instances[OLD], instances[NEXT]) = (old, next);
    let world = SimWorld::from_json(&json, SimOptions { seed: Some(1), pace: None }).unwrap();
    world.allow_time(true);
    world
}

fn by_id(id: &str) -> InstanceRef {
    InstanceRef::ResourceId(id.to_owned())
}

struct NoNotes;

#[async_trait::async_trait]
impl Notes for NoNotes {
    async fn keep(&self, _: &str, _: &str) -> Result<(), String> {
        Err("nothing is to be kept here".to_owned())
    }
}

/// One look, and the call when it is wanted.
async fn look_and_start(world: &Arc<SimWorld>, op: &Op, started: Option<Timestamp>, start: bool) -> Look {
    let (desired, outputs) = (fixture::desired(), BTreeMap::new());
    let readers: &dyn Readers = &**world;
    let cx = Cx { readers, providers: &desired.providers, environment: "staging", run: "run-1", step: "x", outputs: &outputs, started };
    let operation = op.clone().boxed();
    let look = operation.look(&cx).await.unwrap();
    if start {
        operation.start(&StartCx { cx: &cx, writers: &**world, notes: &NoNotes, protect: &[] }).await.unwrap();
    }
    look
}

async fn instance(world: &Arc<SimWorld>, id: &str) -> Option<Instance> {
    let desired = fixture::desired();
    world.rds(desired.aws("aws").unwrap()).await.unwrap().instance_by_resource_id(id).await.unwrap()
}

#[tokio::test]
async fn no_outage_begins_while_the_new_instance_is_backed_up() {
    let rename = |successor: Option<InstanceRef>| {
        let (from, to) = ("dev-openverse-db".to_owned(), "dev-openverse-db-old".to_owned());
        let (provider, instance) = ("aws".to_owned(), by_id(OLD));
        Op::Rename(Rename {
            provider,
            instance,
            from,
            to,
            not_before: None,
            rival: None,
            successor,
            gone_by: None,
            frees_name: false,
            names: Vec::new(),
        })
    };
    let world = world(|_, next| next["status"] = json!("backing-up"));
    let Look::Settling(progress) = look_and_start(&world, &rename(Some(by_id(NEXT))), None, false).await else { panic!("it would start") };
    assert_eq!(progress.status, "dev-openverse-db-next is backing-up");
    assert_eq!(look_and_start(&world, &rename(None), None, false).await, Look::Pending);
    let begun = Some(world.clock().now());
    assert_eq!(look_and_start(&world, &rename(Some(by_id(NEXT))), begun, false).await, Look::Pending, "the call is out");
}

#[tokio::test]
async fn an_instance_that_nobody_sees_for_long_has_no_name_to_be_given_back() {
    let rename = |gone_by: Option<Timestamp>| {
        let (from, to, instance) = ("dev-openverse-db-old".to_owned(), "dev-openverse-db".to_owned(), by_id("db-DELETED"));
        Op::Rename(Rename {
            provider: "aws".to_owned(),
            instance,
            from,
            to,
            not_before: None,
            rival: None,
            successor: None,
            gone_by,
            frees_name: false,
            names: Vec::new(),
        })
    };
    let world = world(|_, _| {});
    let soon = time::after(world.clock().now(), Duration::from_mins(8));
    assert!(matches!(look_and_start(&world, &rename(Some(soon)), None, false).await, Look::Missing(_)), "a rename may hide it");
    world.advance(Duration::from_mins(8));
    assert!(matches!(look_and_start(&world, &rename(Some(soon)), None, false).await, Look::Done { .. }));
    assert!(matches!(look_and_start(&world, &rename(None), None, false).await, Look::Missing(_)), "in the run that renames it nobody knows");
}

#[tokio::test]
async fn what_is_removed_without_a_last_snapshot_does_not_wait_for_its_backup() {
    let delete = |final_snapshot: Option<&str>| {
        Op::Delete(Delete {
            provider: "aws".to_owned(),
            instance: by_id(NEXT),
            name: "dev-openverse-db-next".to_owned(),
            owner: fixture::owner(),
            final_snapshot: final_snapshot.map(str::to_owned),
            delete_automated_backups: true,
            names: Vec::new(),
        })
    };
    let world = world(|_, next| next["status"] = json!("backing-up"));
    assert!(matches!(look_and_start(&world, &delete(Some("last")), None, false).await, Look::Settling(_)));
    assert_eq!(look_and_start(&world, &delete(None), None, true).await, Look::Pending);
    world.advance(Duration::from_hours(1));
    assert!(instance(&world, NEXT).await.is_none());
}

#[tokio::test]
async fn a_time_that_an_earlier_run_left_is_not_until_when_it_is_kept() {
    let keep = Keep { provider: "aws".to_owned(), instance: by_id(OLD), duration: Duration::from_hours(48), names: Vec::new() };
    let world = world(|old, _| old["tags"][marks::KEEP_UNTIL] = json!("2026-11-05T10:00:00Z"));
    let began = world.clock().now();
    assert_eq!(look_and_start(&world, &Op::Keep(keep.clone()), None, true).await, Look::Pending);
    let until = marks::moment(&instance(&world, OLD).await.unwrap().tags, marks::KEEP_UNTIL);
    assert_eq!(until, Some(time::after(began, Duration::from_hours(48))));
    world.advance(Duration::from_hours(1));
    assert!(matches!(look_and_start(&world, &Op::Keep(keep), Some(began), false).await, Look::Done { .. }));
}

#[tokio::test]
async fn provisioned_storage_grows_in_place() {
    let world = world(|old, _| {
        old["settings"]["storage_type"] = json!("io1");
        old["settings"]["iops"] = json!(5000);
    });
    let settings = Settings::from([("allocated_storage".to_owned(), json!(4000))]);
    let modify = Modify { provider: "aws".to_owned(), instance: by_id(OLD), settings, removal: false, undoes: Settings::new(), names: Vec::new() };
    assert_eq!(look_and_start(&world, &Op::Modify(modify), None, true).await, Look::Pending);
    world.advance(Duration::from_hours(1));
    let settings = instance(&world, OLD).await.unwrap().settings;
    assert_eq!((&settings["allocated_storage"], &settings["iops"]), (&json!(4000), &json!(5000)));
}
