//! Each method of RDS's door.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use switchover::world::Failure;
use switchover::world::live::aws::{self, AwsDoors};
use switchover::world::rds::{Delete, Modify, Restore};

use super::Site;
use crate::services::moto::Moto;

fn map<V, const N: usize>(entries: [(&str, V); N]) -> BTreeMap<String, V> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn restore(identifier: &str, snapshot: &str, settings: BTreeMap<String, Json>) -> Restore {
    Restore { identifier: identifier.to_owned(), snapshot: snapshot.to_owned(), settings, tags: map([("switchover:run", "r-1".to_owned())]) }
}

fn rename(from: &str, to: &str) -> Modify {
    Modify { identifier: from.to_owned(), new_identifier: Some(to.to_owned()), ..Modify::default() }
}

fn delete(identifier: &str, final_snapshot: Option<&str>) -> Delete {
    Delete { identifier: identifier.to_owned(), final_snapshot: final_snapshot.map(str::to_owned), delete_automated_backups: true }
}

#[tokio::test]
async fn another_account_is_refused_before_anything_is_read() {
    let Some(moto) = Moto::shared() else { return };
    let doors = AwsDoors::with_keys("test", "test");
    let mut provider = Moto::provider(&moto.endpoint, "us-east-1");
    assert_eq!(aws::rds(&provider, &doors).await.unwrap().account_id(), "123456789012");
    provider.account_id = Some("210987654321".to_owned());
    let error = aws::rds(&provider, &doors).await.err().unwrap();
    assert_eq!((error.call.as_str(), error.failure), ("sts:GetCallerIdentity", Failure::Denied));
    assert!(error.message.contains("123456789012") && error.message.contains("210987654321"), "{error}");
}

#[tokio::test]
async fn an_instance_is_found_in_its_own_region_alone() {
    let Some(here) = Site::open("eu-west-1").await else { return };
    let there = Site::open("eu-west-2").await.unwrap();
    let made = here.create("dev").await;
    assert_eq!((made.identifier.as_str(), made.engine.as_str(), made.engine_version.as_str()), ("dev", "postgres", "14.10"));
    assert_eq!((&made.settings["instance_class"], &made.settings["allocated_storage"]), (&json!("db.m5.large"), &json!(20)));
    assert_eq!((&made.settings["port"], &made.settings["multi_az"]), (&json!(5432), &json!(false)));
    assert!(made.endpoint.as_ref().is_some_and(|(host, port)| host.starts_with("dev.") && *port == 5432));
    assert_eq!(here.rds.instance_by_resource_id(&made.resource_id).await.unwrap().as_ref(), Some(&made));
    assert_eq!(there.rds.instance("dev").await.unwrap(), None);
    assert_eq!(there.rds.instance_by_resource_id(&made.resource_id).await.unwrap(), None);
    assert_eq!(here.rds.instance("").await.unwrap_err().failure, Failure::Refused);
}

#[tokio::test]
async fn a_restore_walks_and_carries_settings_and_tags() {
    let Some(site) = Site::open("eu-west-3").await else { return };
    site.create("prod").await;
    let snapshot = site.snapshot_of("prod").await;
    let settings = map([
        ("instance_class", json!("db.m5.xlarge")),
        ("allocated_storage", json!(30)),
        ("storage_type", json!("gp3")),
        ("port", json!(5433)),
        ("backup_retention_period", json!(0)),
        ("copy_tags_to_snapshot", json!(true)),
    ]);
    site.rds.restore(&restore("dev-next", &snapshot, settings.clone())).await.unwrap();
    let seen = site.rds.instance("dev-next").await.unwrap().unwrap();
    assert_eq!((seen.status.as_str(), seen.endpoint), ("creating", None));
    let made = site.available("dev-next").await;
    assert_eq!(made.tags["switchover:run"], "r-1");
    for name in ["instance_class", "allocated_storage", "storage_type", "port", "copy_tags_to_snapshot"] {
        assert_eq!(made.settings[name], settings[name], "{name}");
    }
    assert_ne!(made.resource_id, site.rds.instance("prod").await.unwrap().unwrap().resource_id);

    let again = site.rds.restore(&restore("dev-next", &snapshot, BTreeMap::new())).await.unwrap_err();
    assert_eq!((again.failure, again.code.as_deref()), (Failure::Refused, Some("DBInstanceAlreadyExists")));
    let missing = site.rds.restore(&restore("other", "rds:nothing-2026-01-01-00-00", BTreeMap::new())).await.unwrap_err();
    assert_eq!((missing.failure, missing.code.as_deref()), (Failure::NotFound, Some("DBSnapshotNotFound")));
    let small = site.rds.restore(&restore("other", &snapshot, map([("allocated_storage", json!(5))]))).await.unwrap_err();
    assert_eq!((small.failure, small.code.as_deref()), (Failure::Refused, Some("InvalidParameterValue")));
    assert_eq!(site.rds.instance("other").await.unwrap(), None);
}

#[tokio::test]
async fn a_modification_sets_what_it_names_and_nothing_else() {
    let Some(site) = Site::open("us-east-2").await else { return };
    let before = site.create("dev").await;
    let settings = map([
        ("instance_class", json!("db.m5.4xlarge")),
        ("allocated_storage", json!(40)),
        ("backup_retention_period", json!(3)),
        ("backup_window", json!("01:00-01:30")),
        ("maintenance_window", json!("sun:05:00-sun:05:30")),
        ("multi_az", json!(true)),
        ("deletion_protection", json!(true)),
        ("copy_tags_to_snapshot", json!(true)),
        ("auto_minor_version_upgrade", json!(false)),
        ("enabled_cloudwatch_logs_exports", json!(["postgresql", "upgrade"])),
    ]);
    let modify = Modify { identifier: "dev".to_owned(), settings: settings.clone(), ..Modify::default() };
    site.rds.modify(&modify).await.unwrap();
    assert_eq!(site.rds.instance("dev").await.unwrap().unwrap().status, "modifying");
    let after = site.available("dev").await;
    for (name, value) in &settings {
        assert_eq!(&after.settings[name], value, "{name}");
    }
    for (name, value) in before.settings.iter().filter(|(name, _)| !settings.contains_key(*name)) {
        assert_eq!(after.settings.get(name), Some(value), "{name} was not to change");
    }
    let fewer = map([("enabled_cloudwatch_logs_exports", json!(["upgrade"]))]);
    site.rds.modify(&Modify { settings: fewer, log_exports: after.log_exports(), ..modify }).await.unwrap();
    assert_eq!(site.available("dev").await.settings["enabled_cloudwatch_logs_exports"], json!(["upgrade"]));

    let absent = site.rds.modify(&rename("nobody", "somebody")).await.unwrap_err();
    assert_eq!((absent.failure, absent.code.as_deref()), (Failure::NotFound, Some("DBInstanceNotFound")));
    assert_eq!(absent.call, "rds:ModifyDBInstance");
}

#[tokio::test]
async fn a_rename_is_followed_by_the_resource_id_through_the_blindness() {
    let Some(site) = Site::open("us-west-1").await else { return };
    let before = site.create("dev").await;
    site.rds.add_tags(&before.arn, &map([("Environment", "staging".to_owned())])).await.unwrap();
    site.rds.modify(&rename("dev", "dev-old")).await.unwrap();

    let still = site.rds.instance_by_resource_id(&before.resource_id).await.unwrap().unwrap();
    assert_eq!((still.identifier.as_str(), still.status.as_str()), ("dev", "available"));
    assert_eq!(site.rds.instance("dev-old").await.unwrap(), None);
    assert_eq!(site.rds.instance("dev").await.unwrap(), None, "neither name while RDS is blind to it");
    assert_eq!(site.rds.instance("dev-old").await.unwrap(), None);
    let renaming = site.rds.instance_by_resource_id(&before.resource_id).await.unwrap().unwrap();
    assert_eq!((renaming.identifier.as_str(), renaming.status.as_str()), ("dev-old", "renaming"));
    let after = site.rds.instance_by_resource_id(&before.resource_id).await.unwrap().unwrap();
    assert_eq!((after.identifier.as_str(), after.status.as_str()), ("dev-old", "available"));
    assert!(after.endpoint.as_ref().is_some_and(|(host, _)| host.starts_with("dev-old.")));
    assert_ne!(after.arn, before.arn);
    assert_eq!(after.tags["Environment"], "staging");
    assert_eq!((&after.settings, after.created), (&before.settings, before.created));
    assert_eq!(site.rds.instance("dev").await.unwrap(), None);
}

#[tokio::test]
async fn tags_are_laid_over_and_taken_away() {
    let Some(site) = Site::open("us-west-2").await else { return };
    let made = site.create("dev").await;
    let add = map([("switchover:run", "r-1".to_owned()), ("Environment", "staging".to_owned())]);
    site.rds.add_tags(&made.arn, &add).await.unwrap();
    site.rds.add_tags(&made.arn, &map([("switchover:run", "r-2".to_owned())])).await.unwrap();
    site.rds.add_tags(&made.arn, &BTreeMap::new()).await.unwrap();
    let tags = site.available("dev").await.tags;
    assert_eq!((tags["switchover:run"].as_str(), tags["Environment"].as_str()), ("r-2", "staging"));
    site.rds.remove_tags(&made.arn, &["switchover:run".to_owned(), "never-there".to_owned()]).await.unwrap();
    site.rds.remove_tags(&made.arn, &[]).await.unwrap();
    assert_eq!(site.available("dev").await.tags.keys().collect::<Vec<_>>(), ["Environment"]);
}

#[tokio::test]
async fn a_protected_instance_is_not_deleted_and_another_goes_with_its_last_snapshot() {
    let Some(site) = Site::open("ca-central-1").await else { return };
    let made = site.create("dev").await;
    let protect = |on: bool| Modify { identifier: "dev".to_owned(), settings: map([("deletion_protection", json!(on))]), ..Modify::default() };
    site.rds.modify(&protect(true)).await.unwrap();
    let refused = site.rds.delete(&delete("dev", None)).await.unwrap_err();
    assert_eq!((refused.failure, refused.code.as_deref()), (Failure::Refused, Some("InvalidParameterCombination")));
    site.rds.modify(&protect(false)).await.unwrap();
    site.rds.reboot("dev").await.unwrap();
    assert_eq!(site.rds.instance("dev").await.unwrap().unwrap().status, "rebooting");
    site.rds.delete(&delete("dev", Some("dev-final-r-1"))).await.unwrap();
    let going = site.rds.instance_by_resource_id(&made.resource_id).await.unwrap().unwrap();
    assert_eq!((going.identifier.as_str(), going.status.as_str()), ("dev", "deleting"));
    assert_eq!(site.rds.instance("dev").await.unwrap(), None);
    assert_eq!(site.rds.instance_by_resource_id(&made.resource_id).await.unwrap(), None);
    let kept = site.rds.snapshot("dev-final-r-1").await.unwrap().unwrap();
    assert_eq!((kept.instance.as_str(), kept.snapshot_type.as_str()), ("dev", "manual"));
    let absent = site.rds.delete(&delete("dev", None)).await.unwrap_err();
    assert_eq!((absent.failure, absent.code.as_deref()), (Failure::NotFound, Some("DBInstanceNotFound")));
    assert_eq!(site.rds.reboot("dev").await.unwrap_err().failure, Failure::NotFound);
}

#[tokio::test]
async fn snapshots_are_told_apart_by_type_and_may_still_be_in_the_making() {
    let Some(site) = Site::open("sa-east-1").await else { return };
    site.create("prod").await;
    let client = aws_sdk_rds::Client::from_conf(site.config().build());
    client.create_db_snapshot().db_instance_identifier("prod").db_snapshot_identifier("prod-by-hand").send().await.unwrap();
    let making = site.rds.snapshot("prod-by-hand").await.unwrap().unwrap();
    assert_eq!((making.status.as_str(), making.created), ("creating", None));
    assert!((1..100).contains(&making.percent));
    let mut kinds = BTreeMap::new();
    for kind in ["automated", "manual", "any"] {
        let found = site.rds.snapshots("prod", kind).await.unwrap();
        kinds.insert(kind, found.iter().map(|one| one.snapshot_type.clone()).collect::<Vec<_>>());
    }
    assert_eq!(kinds["automated"], ["automated"]);
    assert_eq!(kinds["manual"], ["manual"]);
    assert_eq!(kinds["any"].len(), 2);
    let made = site.rds.snapshot("prod-by-hand").await.unwrap().unwrap();
    assert_eq!((made.status.as_str(), made.percent, made.allocated_storage), ("available", 100, 20));
    assert!(made.created.is_some() && made.settings.contains_key("port"));
    site.moto.overlay("created", &json!({"region": site.region, "snapshot": "prod-by-hand", "time": "2026-01-01T00:00:00Z"}));
    let dated = site.rds.snapshot("prod-by-hand").await.unwrap().unwrap();
    assert_eq!(dated.created.map(|time| time.to_string()).as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(site.rds.snapshot("nothing").await.unwrap(), None);
    assert!(site.rds.snapshots("nobody", "any").await.unwrap().is_empty());
}
