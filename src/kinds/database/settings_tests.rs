use serde_json::json;

use super::super::fixture::{instance, snapshot};
use super::*;

fn declared(json: Json) -> Settings {
    serde_json::from_value(json).unwrap()
}

fn newest() -> Snapshot {
    snapshot("rds:b", "2026-11-05T00:07:00Z")
}

#[test]
fn everything_is_carried_over_and_the_declared_lies_over_it() {
    let base = instance("dev", "db-A");
    let target = target(Some(&base), &declared(json!({"instance_class": "db.r6g.large"})), &newest());
    let mut expected = base.settings.clone();
    expected.insert("instance_class".to_owned(), json!("db.r6g.large"));
    expected.remove("iops");
    assert_eq!(target.settings, expected);
    assert_eq!(target.notes.len(), 1, "gp2's IOPS are not carried over, and that is said: {:?}", target.notes);
}

#[test]
fn storage_grows_to_the_snapshots_and_more_is_no_difference() {
    let mut large = newest();
    large.allocated_storage = 5_000;
    let target = target(Some(&instance("dev", "db-A")), &Settings::new(), &large);
    assert_eq!(target.settings["allocated_storage"], json!(5_000));
    assert!(same("allocated_storage", &json!(6_000), &json!(5_000)));
    assert!(!same("allocated_storage", &json!(4_000), &json!(5_000)));
}

#[test]
fn speed_is_sent_only_where_it_can_be_set() {
    for (kind, size, engine, expected) in [
        ("gp3", 399, "postgres", (false, false)),
        ("gp3", 400, "postgres", (true, true)),
        ("gp3", 200, "oracle-ee", (true, true)),
        ("gp3", 20, "sqlserver-se", (true, true)),
        ("io2", 100, "postgres", (true, false)),
        ("gp2", 3000, "postgres", (false, false)),
    ] {
        assert_eq!(settable(engine, kind, size), expected, "{kind} {size} {engine}");
    }
}

#[test]
fn the_zone_comes_along_only_when_it_is_single() {
    let base = instance("dev", "db-A");
    assert!(target(Some(&base), &Settings::new(), &newest()).settings.contains_key("availability_zone"));
    assert!(!target(Some(&base), &declared(json!({"multi_az": true})), &newest()).settings.contains_key("availability_zone"));
    assert!(!target(Some(&base), &declared(json!({"db_subnet_group_name": "other"})), &newest()).settings.contains_key("availability_zone"));
}

#[test]
fn protection_and_late_backups_are_off_until_the_switch() {
    let target = target(Some(&instance("dev", "db-A")), &Settings::new(), &newest()).settings;
    let late = later(&target, FirstBackup::AfterSwitch);
    assert_eq!(late, declared(json!({"deletion_protection": true, "backup_retention_period": 7})));
    let sent = in_restore(&until_switch(&target, &late));
    assert_eq!(sent["backup_retention_period"], json!(0));
    assert_eq!(sent["deletion_protection"], json!(false));
    let early = later(&target, FirstBackup::BeforeSwitch);
    assert_eq!(in_restore(&until_switch(&target, &early))["backup_retention_period"], json!(7));
}

#[test]
fn a_modification_says_only_what_differs_and_what_belongs_to_it() {
    let have = declared(json!({"storage_type": "gp2", "allocated_storage": 500, "multi_az": true, "availability_zone": "a"}));
    let want = declared(json!({
        "storage_type": "gp3", "iops": 12000, "allocated_storage": 400, "multi_az": false, "availability_zone": "b",
        "performance_insights_enabled": true, "performance_insights_retention_period": 7, "deletion_protection": false,
    }));
    let send = in_modify("postgres", &have, &want);
    assert_eq!(
        send,
        declared(json!({
            "storage_type": "gp3", "iops": 12000, "allocated_storage": 500, "multi_az": false,
            "performance_insights_enabled": true, "performance_insights_retention_period": 7,
        }))
    );
    assert!(in_modify("postgres", &want, &want).is_empty());
}

#[test]
fn turning_backups_on_or_off_restarts() {
    assert!(restarts("backup_retention_period", &json!(0), &json!(7)).is_some());
    assert!(restarts("backup_retention_period", &json!(7), &json!(0)).is_some());
    assert!(restarts("backup_retention_period", &json!(7), &json!(14)).is_none());
}

#[test]
fn groups_of_another_major_version_stay_behind_and_declared_ones_do_not() {
    let mut base = instance("dev", "db-A");
    base.engine_version = "13.13".to_owned();
    let carried = target(Some(&base), &Settings::new(), &newest());
    assert!(!carried.settings.contains_key("parameter_group_name"));
    assert!(carried.notes.iter().any(|note| note.contains("parameter_group_name")), "{:?}", carried.notes);
    let named = target(Some(&base), &declared(json!({"parameter_group_name": "pg14-tuned"})), &newest());
    assert_eq!(named.settings["parameter_group_name"], json!("pg14-tuned"));
}

#[test]
fn a_modification_names_what_rds_wants_to_hear_beside_it() {
    let have = declared(json!({
        "storage_type": "io1", "allocated_storage": 500, "iops": 5000, "performance_insights_enabled": true,
        "performance_insights_retention_period": 7, "monitoring_interval": 30, "monitoring_role_arn": "role",
    }));
    for (want, sent) in [
        (json!({"allocated_storage": 600}), json!({"allocated_storage": 600, "iops": 5000})),
        (json!({"iops": 6000}), json!({"allocated_storage": 500, "iops": 6000})),
        (
            json!({"performance_insights_retention_period": 31}),
            json!({"performance_insights_enabled": true, "performance_insights_retention_period": 31}),
        ),
        (json!({"performance_insights_enabled": false}), json!({"performance_insights_enabled": false})),
        (json!({"monitoring_interval": 60}), json!({"monitoring_interval": 60, "monitoring_role_arn": "role"})),
        (json!({"monitoring_interval": 0}), json!({"monitoring_interval": 0})),
        // gp3 of that size begins above those IOPS.
        (json!({"storage_type": "gp3"}), json!({"storage_type": "gp3"})),
    ] {
        assert_eq!(in_modify("postgres", &have, &declared(want.clone())), declared(sent), "{want}");
    }
}

#[test]
fn a_gp3_that_outgrows_its_threshold_leaves_its_old_speed_behind() {
    let mut base = instance("dev", "db-A");
    base.settings.extend(declared(json!({"storage_type": "gp3", "allocated_storage": 300, "iops": 3000, "storage_throughput": 125})));
    let grown = target(Some(&base), &Settings::new(), &newest());
    assert_eq!(grown.settings["allocated_storage"], json!(2500));
    assert!(!grown.settings.contains_key("iops") && !grown.settings.contains_key("storage_throughput"), "RDS has 12,000 and 500 at least");
    assert!(grown.notes.iter().any(|note| note.contains("has at least 12000")), "{:?}", grown.notes);
    let fast = target(Some(&base), &declared(json!({"iops": 14000, "storage_throughput": 600})), &newest());
    assert_eq!((&fast.settings["iops"], &fast.settings["storage_throughput"]), (&json!(14000), &json!(600)));
}

#[test]
fn a_key_may_be_named_by_its_id() {
    let name = "performance_insights_kms_key_id";
    assert!(same(name, &json!("arn:aws:kms:us-east-1:123456789012:key/ab-12"), &json!("ab-12")));
    assert!(!same(name, &json!("arn:aws:kms:us-east-1:123456789012:key/ab-12"), &json!("b-12")));
}
