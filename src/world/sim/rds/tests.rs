//! The manners of RDS, by the virtual clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::model::Json;
use crate::world::rds::{Delete, Instance, Modify, RdsWrite, Restore, Settings};
use crate::world::sim::tests::support::{self, DEV, aws, hook, open, seconds, world_with};
use crate::world::sim::{Fault, SimWorld};
use crate::world::{CallResult, Failure, Writers};

const SNAPSHOT: &str = "rds:prod-db-2026-11-05-00-07";

struct Scene {
    world: Arc<SimWorld>,
    rds: Arc<dyn RdsWrite>,
}

async fn scene_of(world: Arc<SimWorld>) -> Scene {
    let rds = world.rds_writer(&aws()).await.unwrap();
    Scene { world, rds }
}

async fn scene() -> Scene {
    scene_of(open(&support::base())).await
}

fn settings(pairs: &[(&str, Json)]) -> Settings {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

impl Scene {
    async fn restore(&self, name: &str, pairs: &[(&str, Json)]) -> CallResult<()> {
        let tags = BTreeMap::from([("switchover:run".to_owned(), "r1".to_owned())]);
        self.rds.restore(&Restore { identifier: name.to_owned(), snapshot: SNAPSHOT.to_owned(), settings: settings(pairs), tags }).await
    }

    async fn modify(&self, name: &str, pairs: &[(&str, Json)]) -> CallResult<()> {
        self.rds.modify(&Modify { identifier: name.to_owned(), settings: settings(pairs), ..Modify::default() }).await
    }

    async fn rename(&self, name: &str, new: &str) -> CallResult<()> {
        self.rds.modify(&Modify { identifier: name.to_owned(), new_identifier: Some(new.to_owned()), ..Modify::default() }).await
    }

    async fn delete(&self, name: &str, final_snapshot: Option<&str>) -> CallResult<()> {
        let delete = Delete { identifier: name.to_owned(), final_snapshot: final_snapshot.map(str::to_owned), delete_automated_backups: true };
        self.rds.delete(&delete).await
    }

    async fn get(&self, name: &str) -> Option<Instance> {
        self.rds.instance(name).await.unwrap()
    }

    async fn status(&self, name: &str) -> String {
        self.get(name).await.map_or("nothing".to_owned(), |instance| instance.status)
    }

    fn pass(&self, count: u64) {
        self.world.advance(seconds(count));
    }
}

fn code<T: std::fmt::Debug>(result: CallResult<T>) -> String {
    result.unwrap_err().code.unwrap_or_default()
}

#[tokio::test]
async fn a_restore_walks_through_its_statuses_and_gives_aws_defaults_unless_told() {
    let s = scene().await;
    s.restore("dev-db-next", &[]).await.unwrap();
    let fresh = s.get("dev-db-next").await.unwrap();
    assert_eq!((fresh.status.as_str(), fresh.endpoint.as_ref()), ("creating", None));
    assert!(fresh.resource_id.len() == 29 && fresh.resource_id.starts_with("db-") && fresh.resource_id != DEV);
    for (key, value) in [
        ("vpc_security_groups", json!(["sg-1"])),
        ("parameter_group_name", json!("default.postgres14")),
        ("multi_az", json!(false)),
        ("allocated_storage", json!(200)),
        ("instance_class", json!("db.m5.4xlarge")),
        ("storage_type", json!("gp3")),
        ("port", json!(5433)),
        ("deletion_protection", json!(false)),
    ] {
        assert_eq!(fresh.settings.get(key), Some(&value), "{key}");
    }
    assert_eq!(fresh.tags.get("switchover:run").map(String::as_str), Some("r1"));
    s.pass(45 * 60);
    assert_eq!(s.status("dev-db-next").await, "backing-up");
    assert_eq!(code(s.rename("dev-db-next", "x-db").await), "InvalidDBInstanceState");
    s.pass(3 * 3_600);
    let ready = s.get("dev-db-next").await.unwrap();
    let (host, port) = ready.endpoint.unwrap();
    assert!(host.starts_with("dev-db-next.") && host.ends_with(".us-east-1.rds.amazonaws.com"), "{host}");
    assert_eq!((ready.status.as_str(), port), ("available", 5433));
}

#[tokio::test]
async fn a_restore_without_backups_is_available_sooner() {
    let s = scene().await;
    s.restore("dev-db-next", &[("backup_retention_period", json!(0)), ("vpc_security_groups", json!(["sg-2", "sg-1"]))]).await.unwrap();
    s.pass(45 * 60 - 1);
    assert_eq!(s.status("dev-db-next").await, "creating");
    s.pass(1);
    let ready = s.get("dev-db-next").await.unwrap();
    assert_eq!((ready.status.as_str(), &ready.settings["vpc_security_groups"]), ("available", &json!(["sg-1", "sg-2"])));
}

#[tokio::test]
async fn a_restore_that_cannot_be_is_refused() {
    let s = scene().await;
    for (pairs, expected) in [
        (vec![("allocated_storage", json!(100))], "InvalidParameterValue"),
        (vec![("db_subnet_group_name", json!("none"))], "DBSubnetGroupNotFoundFault"),
        (vec![("vpc_security_groups", json!(["sg-9"]))], "InvalidParameterValue"),
        (vec![("parameter_group_name", json!("none"))], "DBParameterGroupNotFound"),
        (vec![("option_group_name", json!("none"))], "OptionGroupNotFoundFault"),
        (vec![("monitoring_interval", json!(60))], "InvalidParameterCombination"),
        (vec![("multi_az", json!(true)), ("availability_zone", json!("us-east-1a"))], "InvalidParameterCombination"),
        (vec![("storage_type", json!("gp2")), ("iops", json!(3000))], "InvalidParameterCombination"),
    ] {
        assert_eq!(code(s.restore("dev-db-next", &pairs).await), expected, "{pairs:?}");
    }
    assert_eq!(code(s.restore("dev-db", &[]).await), "DBInstanceAlreadyExists");
    assert_eq!(code(s.restore("-bad-", &[]).await), "InvalidParameterValue");
    let missing = Restore { identifier: "a".to_owned(), snapshot: "none".to_owned(), settings: Settings::new(), tags: BTreeMap::new() };
    let error = s.rds.restore(&missing).await.unwrap_err();
    assert_eq!((error.failure, error.code.as_deref()), (Failure::NotFound, Some("DBSnapshotNotFound")));
    assert_eq!(s.get("dev-db-next").await, None);
}

#[tokio::test]
async fn a_rename_goes_through_blindness() {
    let s = scene().await;
    let before = s.get("dev-db").await.unwrap();
    s.rename("dev-db", "dev-db-old").await.unwrap();
    let both = async || (s.status("dev-db").await, s.status("dev-db-old").await);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(both().await, pair("available", "nothing"));
    assert_eq!(code(s.rename("dev-db", "dev-db-old").await), "InvalidDBInstanceState", "a second call while the first is not seen");
    s.pass(40);
    assert_eq!(both().await, pair("renaming", "nothing"));
    assert_eq!(s.rds.instance_by_resource_id(DEV).await.unwrap().unwrap().status, "renaming");
    s.pass(50);
    assert_eq!(both().await, pair("nothing", "nothing"));
    assert_eq!(s.rds.instance_by_resource_id(DEV).await.unwrap(), None);
    assert_eq!(code(s.restore("dev-db", &[]).await), "DBInstanceAlreadyExists", "neither name is free yet");
    assert_eq!(code(s.restore("dev-db-old", &[]).await), "DBInstanceAlreadyExists");
    assert_eq!(code(s.rds.add_tags(&before.arn, &BTreeMap::new()).await), "DBInstanceNotFound");
    s.pass(90);
    assert_eq!(both().await, pair("nothing", "rebooting"));
    s.pass(60);
    let after = s.rds.instance_by_resource_id(DEV).await.unwrap().unwrap();
    assert_eq!((after.identifier.as_str(), after.status.as_str()), ("dev-db-old", "available"));
    assert_eq!((&after.tags, &after.settings), (&before.tags, &before.settings));
    assert!(after.arn.ends_with(":db:dev-db-old") && after.endpoint.unwrap().0.starts_with("dev-db-old."));
    assert_eq!(code(s.rds.add_tags(&before.arn, &BTreeMap::new()).await), "DBInstanceNotFound", "the ARN of the old name");
    s.restore("dev-db", &[]).await.unwrap();
}

#[tokio::test]
async fn a_rename_onto_a_taken_name_is_refused_and_protection_does_not_hinder_it() {
    let s = scene().await;
    s.restore("dev-db-next", &[("backup_retention_period", json!(0)), ("deletion_protection", json!(true))]).await.unwrap();
    assert_eq!(code(s.rename("dev-db-next", "other").await), "InvalidDBInstanceState", "creating");
    s.pass(45 * 60);
    assert_eq!(code(s.rename("dev-db-next", "dev-db").await), "DBInstanceAlreadyExists");
    assert_eq!(code(s.rename("none", "other").await), "DBInstanceNotFound");
    assert_eq!(code(s.delete("dev-db-next", None).await), "InvalidParameterCombination");
    s.rename("dev-db-next", "other").await.unwrap();
}

#[tokio::test]
async fn a_modification_is_pending_then_modifying_then_there() {
    let s = scene().await;
    s.modify("dev-db", &[("deletion_protection", json!(true))]).await.unwrap();
    let at_once = s.get("dev-db").await.unwrap();
    assert_eq!((at_once.status.as_str(), &at_once.settings["deletion_protection"]), ("available", &json!(true)));
    s.modify("dev-db", &[("instance_class", json!("db.m5.xlarge"))]).await.unwrap();
    let unseen = s.get("dev-db").await.unwrap();
    assert_eq!((unseen.status.as_str(), unseen.pending), ("available", settings(&[("instance_class", json!("db.m5.xlarge"))])));
    assert_eq!(unseen.settings["instance_class"], "db.m5.large");
    assert_eq!(code(s.modify("dev-db", &[("multi_az", json!(true))]).await), "InvalidDBInstanceState");
    s.pass(10);
    assert_eq!(s.status("dev-db").await, "modifying");
    s.pass(180);
    assert_eq!(s.status("dev-db").await, "rebooting");
    s.pass(60);
    let done = s.get("dev-db").await.unwrap();
    assert_eq!((done.status.as_str(), done.pending.is_empty(), &done.settings["instance_class"]), ("available", true, &json!("db.m5.xlarge")));
    s.modify("dev-db", &[("instance_class", json!("db.m5.xlarge"))]).await.unwrap();
    assert_eq!(s.get("dev-db").await.unwrap().pending, Settings::new(), "no change");
}

#[tokio::test]
async fn retention_that_leaves_zero_restarts_and_backs_up() {
    let s = scene().await;
    s.modify("dev-db", &[("backup_retention_period", json!(0))]).await.unwrap();
    s.pass(10 + 180);
    assert_eq!(s.status("dev-db").await, "rebooting");
    s.pass(60);
    assert_eq!(s.status("dev-db").await, "available");
    s.modify("dev-db", &[("backup_retention_period", json!(7))]).await.unwrap();
    s.pass(10 + 180);
    assert_eq!(s.status("dev-db").await, "rebooting");
    s.pass(60);
    assert_eq!(s.status("dev-db").await, "backing-up");
    s.delete("dev-db", None).await.unwrap();
}

#[tokio::test]
async fn storage_grows_slowly_and_never_shrinks() {
    let s = scene().await;
    assert_eq!(code(s.modify("dev-db", &[("allocated_storage", json!(50))]).await), "InvalidParameterCombination");
    s.modify("dev-db", &[("allocated_storage", json!(150))]).await.unwrap();
    s.pass(10 + 180);
    assert_eq!(s.status("dev-db").await, "storage-optimization");
    assert_eq!(code(s.modify("dev-db", &[("allocated_storage", json!(160))]).await), "InvalidParameterCombination");
    s.rename("dev-db", "renamed-db").await.unwrap();
}

#[tokio::test]
async fn a_parameter_group_waits_for_a_reboot() {
    let s = scene().await;
    s.modify("dev-db", &[("parameter_group_name", json!("tuned"))]).await.unwrap();
    let waiting = s.get("dev-db").await.unwrap();
    assert!(waiting.pending_reboot && waiting.settings["parameter_group_name"] == "tuned");
    s.rds.reboot("dev-db").await.unwrap();
    assert_eq!(s.status("dev-db").await, "rebooting");
    s.pass(60);
    let done = s.get("dev-db").await.unwrap();
    assert!(!done.pending_reboot && done.status == "available");
    assert_eq!(code(s.modify("dev-db", &[("parameter_group_name", json!("none"))]).await), "DBParameterGroupNotFound");
}

#[tokio::test]
async fn a_deletion_takes_its_time_and_leaves_the_last_snapshot() {
    let s = scene().await;
    assert_eq!(code(s.delete("dev-db", Some(SNAPSHOT)).await), "DBSnapshotAlreadyExists");
    s.delete("dev-db", Some("last")).await.unwrap();
    let snapshot = async || s.rds.snapshot("last").await.unwrap().unwrap();
    assert_eq!((s.status("dev-db").await.as_str(), snapshot().await.percent, snapshot().await.created), ("deleting", 0, None));
    assert_eq!(code(s.delete("dev-db", None).await), "InvalidDBInstanceState");
    s.pass(600);
    assert_eq!((snapshot().await.status.as_str(), snapshot().await.percent), ("creating", 50));
    s.pass(600);
    assert_eq!((snapshot().await.status.as_str(), snapshot().await.percent), ("available", 100));
    s.pass(300);
    assert_eq!(s.get("dev-db").await, None);
    assert_eq!(s.rds.snapshots("dev-db", "manual").await.unwrap().len(), 1);
    assert_eq!(s.rds.snapshots("dev-db", "automated").await.unwrap().len(), 0);
}

#[tokio::test]
async fn automated_snapshots_come_by_the_clock_and_go_with_their_instance() {
    let place = format!("/aws/accounts/123456789012/regions/us-east-1/instances/{DEV}/snapshot_schedule");
    let s = scene_of(world_with(&place, json!({"every_seconds": 3600, "keep": 2, "next": "2026-11-05T10:00:00Z"}))).await;
    let names = async || {
        let mut found: Vec<(String, String)> =
            s.rds.snapshots("dev-db", "automated").await.unwrap().into_iter().map(|snapshot| (snapshot.identifier, snapshot.status)).collect();
        found.sort();
        found
    };
    assert_eq!(names().await, []);
    s.pass(3_600);
    assert_eq!(names().await, [("rds:dev-db-2026-11-05-10-00".to_owned(), "creating".to_owned())]);
    s.pass(365 * 86_400);
    let last = names().await;
    assert_eq!(last.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["rds:dev-db-2027-11-05-09-00", "rds:dev-db-2027-11-05-10-00"]);
    s.delete("dev-db", None).await.unwrap();
    s.pass(300);
    assert_eq!(names().await, []);
}

#[tokio::test]
async fn a_snapshot_that_is_still_being_made_cannot_be_restored() {
    let place = format!("/aws/accounts/123456789012/regions/us-east-1/snapshots/{SNAPSHOT}/ready");
    let s = scene_of(world_with(&place, json!("2026-11-05T10:00:00Z"))).await;
    assert_eq!(code(s.restore("dev-db-next", &[]).await), "InvalidDBSnapshotState");
    let snapshot = s.rds.snapshot(SNAPSHOT).await.unwrap().unwrap();
    assert_eq!((snapshot.created, snapshot.status.as_str(), snapshot.percent), (None, "creating", 89));
    s.pass(3_600);
    s.restore("dev-db-next", &[]).await.unwrap();
}

#[tokio::test]
async fn tags_are_laid_over_and_taken_away() {
    let s = scene().await;
    let arn = s.get("dev-db").await.unwrap().arn;
    s.rds.add_tags(&arn, &BTreeMap::from([("a".to_owned(), "1".to_owned()), ("Environment".to_owned(), "x".to_owned())])).await.unwrap();
    s.rds.remove_tags(&arn, &["a".to_owned(), "none".to_owned()]).await.unwrap();
    assert_eq!(s.get("dev-db").await.unwrap().tags, BTreeMap::from([("Environment".to_owned(), "x".to_owned())]));
    let many: BTreeMap<String, String> = (0..50).map(|n| (format!("k{n}"), String::new())).collect();
    assert_eq!(code(s.rds.add_tags(&arn, &many).await), "InvalidParameterValue");
    assert_eq!(code(s.rds.add_tags(&arn, &BTreeMap::from([("aws:x".to_owned(), String::new())])).await), "InvalidParameterValue");
    assert_eq!(code(s.rds.add_tags("arn:aws:rds:us-east-1:1:db:dev-db", &BTreeMap::new()).await), "DBInstanceNotFound");
}

#[tokio::test]
async fn effects_can_be_seen_late() {
    let s = scene().await;
    hook(&s.world, "rds:RestoreDBInstanceFromDBSnapshot", Fault::LateVisibility { seconds: 30 });
    s.restore("dev-db-next", &[]).await.unwrap();
    assert_eq!(s.get("dev-db-next").await, None);
    assert_eq!(code(s.restore("dev-db-next", &[]).await), "DBInstanceAlreadyExists");
    s.pass(30);
    assert_eq!(s.status("dev-db-next").await, "creating");
    let arn = s.get("dev-db").await.unwrap().arn;
    hook(&s.world, "rds:AddTagsToResource", Fault::LateVisibility { seconds: 30 });
    s.rds.add_tags(&arn, &BTreeMap::from([("a".to_owned(), "1".to_owned())])).await.unwrap();
    assert!(!s.get("dev-db").await.unwrap().tags.contains_key("a"));
    s.pass(30);
    assert!(s.get("dev-db").await.unwrap().tags.contains_key("a"));
}

#[tokio::test]
async fn subnet_groups_tell_their_vpc() {
    let s = scene().await;
    assert_eq!(s.rds.subnet_group_vpc("default").await.unwrap().as_deref(), Some("vpc-1"));
    assert_eq!(s.rds.subnet_group_vpc("none").await.unwrap(), None);
}
