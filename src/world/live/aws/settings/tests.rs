use std::collections::BTreeSet;

use aws_config::{BehaviorVersion, Region};
use serde_json::json;

use super::*;
use crate::world::Failure;
use crate::world::rds::{MODIFIABLE, RESTORABLE};

fn client() -> aws_sdk_rds::Client {
    let config = aws_sdk_rds::Config::builder().behavior_version(BehaviorVersion::v2026_01_12()).region(Region::new("eu-west-1")).build();
    aws_sdk_rds::Client::from_conf(config)
}

const BOOLS: &[&str] = &[
    "auto_minor_version_upgrade",
    "copy_tags_to_snapshot",
    "dedicated_log_volume",
    "deletion_protection",
    "iam_database_authentication_enabled",
    "multi_az",
    "performance_insights_enabled",
    "publicly_accessible",
];

const NUMBERS: &[&str] = &[
    "allocated_storage",
    "backup_retention_period",
    "iops",
    "max_allocated_storage",
    "monitoring_interval",
    "performance_insights_retention_period",
    "port",
    "storage_throughput",
];

/// A value of the type that a setting has.
fn value(name: &str) -> Json {
    match name {
        "vpc_security_groups" | "enabled_cloudwatch_logs_exports" => json!(["b", "a"]),
        _ if BOOLS.contains(&name) => json!(true),
        _ if NUMBERS.contains(&name) => json!(7),
        _ => json!("text"),
    }
}

fn all(names: &[&str]) -> Settings {
    names.iter().map(|name| ((*name).to_owned(), value(name))).collect()
}

#[test]
fn a_restore_takes_every_restorable_setting_and_no_other() {
    let request = restore("r", client().restore_db_instance_from_db_snapshot(), &all(RESTORABLE)).unwrap();
    let input = request.as_input();
    assert_eq!(
        (input.get_allocated_storage(), input.get_iops(), input.get_port(), input.get_storage_throughput()),
        (&Some(7), &Some(7), &Some(7), &Some(7))
    );
    assert_eq!((input.get_backup_retention_period(), input.get_multi_az(), input.get_deletion_protection()), (&Some(7), &Some(true), &Some(true)));
    assert_eq!(input.get_vpc_security_group_ids().as_deref(), Some(&["b".to_owned(), "a".to_owned()][..]));
    assert_eq!(input.get_enable_cloudwatch_logs_exports().as_ref().map(Vec::len), Some(2));
    for text in
        [input.get_db_instance_class(), input.get_db_subnet_group_name(), input.get_db_parameter_group_name(), input.get_preferred_backup_window()]
    {
        assert_eq!(text.as_deref(), Some("text"));
    }
    for name in MODIFIABLE.iter().copied().collect::<BTreeSet<_>>().difference(&RESTORABLE.iter().copied().collect()) {
        let refused = restore("r", client().restore_db_instance_from_db_snapshot(), &all(&[name])).unwrap_err();
        assert_eq!(refused.failure, Failure::Refused);
        assert!(refused.message.contains(name), "{}", refused.message);
    }
}

#[test]
fn each_setting_changes_a_field_of_its_own() {
    let blank = format!("{:?}", client().modify_db_instance().as_input());
    let texts: BTreeSet<String> =
        MODIFIABLE.iter().map(|name| format!("{:?}", modify("m", client().modify_db_instance(), &all(&[name]), &[]).unwrap().as_input())).collect();
    assert_eq!(texts.len(), MODIFIABLE.len());
    assert!(!texts.contains(&blank));
    let blank = format!("{:?}", client().restore_db_instance_from_db_snapshot().as_input());
    let texts: BTreeSet<String> = RESTORABLE
        .iter()
        .map(|name| format!("{:?}", restore("r", client().restore_db_instance_from_db_snapshot(), &all(&[name])).unwrap().as_input()))
        .collect();
    assert_eq!(texts.len(), RESTORABLE.len());
    assert!(!texts.contains(&blank));
}

#[test]
fn values_of_the_wrong_type_are_refused_before_anything_is_sent() {
    for (name, wrong) in [
        ("allocated_storage", json!("7")),
        ("allocated_storage", json!(7.5)),
        ("allocated_storage", json!(i64::MAX)),
        ("multi_az", json!("true")),
        ("instance_class", json!(null)),
        ("vpc_security_groups", json!("sg-1")),
        ("vpc_security_groups", json!([1])),
        ("nonsense", json!(1)),
    ] {
        let settings = Settings::from([(name.to_owned(), wrong)]);
        for error in [
            modify("m", client().modify_db_instance(), &settings, &[]).unwrap_err(),
            restore("r", client().restore_db_instance_from_db_snapshot(), &settings).unwrap_err(),
        ] {
            assert_eq!(error.failure, Failure::Refused, "{name}");
            assert!(error.message.contains(name), "{}", error.message);
        }
    }
}

#[test]
fn log_exports_are_told_as_differences() {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let change = exports(&list(&["audit", "postgresql"]), &list(&["postgresql", "upgrade"])).unwrap();
    assert_eq!((change.enable_log_types(), change.disable_log_types()), (&list(&["upgrade"])[..], &list(&["audit"])[..]));
    assert_eq!(exports(&list(&["a", "b"]), &list(&["b", "a"])), None);
    let off = exports(&list(&["a"]), &[]).unwrap();
    assert_eq!((off.enable_log_types().len(), off.disable_log_types()), (0, &list(&["a"])[..]));
}

#[test]
fn an_empty_list_is_not_sent_with_a_restore() {
    let none = Settings::from([("enabled_cloudwatch_logs_exports".to_owned(), json!([]))]);
    let request = restore("r", client().restore_db_instance_from_db_snapshot(), &none).unwrap();
    assert_eq!(request.as_input().get_enable_cloudwatch_logs_exports(), &None);
}
