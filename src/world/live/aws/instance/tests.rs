use aws_sdk_rds::types::{
    DbParameterGroupStatus, DbSubnetGroup, Endpoint, OptionGroupMembership, PendingCloudwatchLogsExports, VpcSecurityGroupMembership,
};
use serde_json::json;

use super::*;
use crate::world::rds::{MODIFIABLE, RESTORABLE};

fn whole() -> DbInstance {
    DbInstance::builder()
        .db_instance_identifier("dev")
        .dbi_resource_id("db-ABC")
        .db_instance_arn("arn:aws:rds:eu-west-1:123456789012:db:dev")
        .db_instance_status("available")
        .instance_create_time(DateTime::from_secs(1_700_000_000))
        .engine("postgres")
        .engine_version("14.10")
        .endpoint(Endpoint::builder().address("dev.x.eu-west-1.rds.amazonaws.com").port(5432).build())
        .db_instance_port(0)
        .allocated_storage(3000)
        .max_allocated_storage(4000)
        .storage_type("gp3")
        .iops(12_000)
        .storage_throughput(500)
        .multi_az(false)
        .availability_zone("eu-west-1a")
        .db_subnet_group(DbSubnetGroup::builder().db_subnet_group_name("default").build())
        .publicly_accessible(false)
        .network_type("IPV4")
        .db_parameter_groups(group("pg14", "in-sync"))
        .option_group_memberships(OptionGroupMembership::builder().option_group_name("default:postgres-14").status("in-sync").build())
        .backup_retention_period(7)
        .preferred_backup_window("03:00-03:30")
        .preferred_maintenance_window("sun:05:00-sun:05:30")
        .deletion_protection(true)
        .copy_tags_to_snapshot(true)
        .auto_minor_version_upgrade(true)
        .monitoring_interval(60)
        .monitoring_role_arn("arn:aws:iam::123456789012:role/m")
        .performance_insights_enabled(true)
        .performance_insights_kms_key_id("key")
        .performance_insights_retention_period(7)
        .iam_database_authentication_enabled(false)
        .enabled_cloudwatch_logs_exports("upgrade")
        .enabled_cloudwatch_logs_exports("postgresql")
        .ca_certificate_identifier("rds-ca-rsa2048-g1")
        .license_model("postgresql-license")
        .dedicated_log_volume(false)
        .db_instance_class("db.m5.xlarge")
        .vpc_security_groups(VpcSecurityGroupMembership::builder().vpc_security_group_id("sg-2").build())
        .vpc_security_groups(VpcSecurityGroupMembership::builder().vpc_security_group_id("sg-1").build())
        .tag_list(Tag::builder().key("Environment").value("staging").build())
        .build()
}

fn group(name: &str, status: &str) -> DbParameterGroupStatus {
    DbParameterGroupStatus::builder().db_parameter_group_name(name).parameter_apply_status(status).build()
}

#[test]
fn every_setting_that_a_restore_or_a_modification_takes_is_read() {
    let read = instance(&whole()).unwrap();
    for name in RESTORABLE.iter().chain(MODIFIABLE) {
        assert!(read.settings.contains_key(*name), "{name}");
    }
    for name in read.settings.keys() {
        assert!(RESTORABLE.contains(&name.as_str()) || MODIFIABLE.contains(&name.as_str()), "{name} can be read and never set");
    }
    assert_eq!(read.settings["vpc_security_groups"], json!(["sg-1", "sg-2"]));
    assert_eq!(read.settings["enabled_cloudwatch_logs_exports"], json!(["postgresql", "upgrade"]));
    assert_eq!((&read.settings["port"], &read.settings["iops"]), (&json!(5432), &json!(12_000)));
    assert_eq!(read.endpoint, Some(("dev.x.eu-west-1.rds.amazonaws.com".to_owned(), 5432)));
    assert_eq!(read.created.map(Timestamp::as_second), Some(1_700_000_000));
    assert_eq!(read.tags["Environment"], "staging");
    assert!(!read.pending_reboot && read.pending.is_empty());
}

#[test]
fn what_the_instance_does_not_have_is_left_out() {
    let bare = DbInstance::builder()
        .db_instance_identifier("dev")
        .dbi_resource_id("db-ABC")
        .db_instance_arn("arn")
        .db_instance_status("creating")
        .iops(0)
        .storage_throughput(0)
        .endpoint(Endpoint::builder().port(5432).build());
    let read = instance(&bare.build()).unwrap();
    assert_eq!(read.settings.keys().collect::<Vec<_>>(), ["enabled_cloudwatch_logs_exports", "port", "vpc_security_groups"]);
    assert_eq!((read.endpoint, read.created), (None, None));
}

#[test]
fn an_answer_without_identity_is_no_instance() {
    let missing = DbInstance::builder().db_instance_identifier("dev").db_instance_arn("arn").db_instance_status("available").build();
    assert_eq!(instance(&missing), Err("an instance without a resource id"));
    assert_eq!(snapshot(&DbSnapshot::builder().status("available").build()), Err("a snapshot without an identifier"));
}

#[test]
fn pending_modifications_stand_under_the_names_of_settings_and_hide_passwords() {
    let exports = PendingCloudwatchLogsExports::builder().log_types_to_enable("iam").log_types_to_disable("upgrade").build();
    let values = PendingModifiedValues::builder()
        .db_instance_class("db.m5.large")
        .engine_version("15.4")
        .db_instance_identifier("other")
        .master_user_password("planted-secret")
        .pending_cloudwatch_logs_exports(exports);
    let mut of = whole();
    of.pending_modified_values = Some(values.build());
    of.db_parameter_groups = Some(vec![group("pg14", "pending-reboot")]);
    let read = instance(&of).unwrap();
    assert!(read.pending_reboot);
    assert_eq!(read.pending["enabled_cloudwatch_logs_exports"], json!(["iam", "postgresql"]));
    assert_eq!((&read.pending["identifier"], &read.pending["engine_version"]), (&json!("other"), &json!("15.4")));
    assert!(!format!("{read:?}").contains("planted-secret"));
    assert_eq!(read.pending.len(), 5);
}

#[test]
fn a_snapshot_remembers_what_a_restore_takes_over() {
    let of = DbSnapshot::builder()
        .db_snapshot_identifier("rds:prod-2026-11-01-00-07")
        .db_instance_identifier("prod")
        .snapshot_type("automated")
        .status("creating")
        .percent_progress(140)
        .allocated_storage(3000)
        .iops(3000)
        .port(5432)
        .storage_type("gp3")
        .option_group_name("default:postgres-14")
        .license_model("postgresql-license")
        .build();
    let read = snapshot(&of).unwrap();
    assert_eq!((read.created, read.percent, read.allocated_storage), (None, 100, 3000));
    assert_eq!(read.settings.keys().collect::<Vec<_>>(), ["iops", "license_model", "option_group_name", "port", "storage_type"]);
}

#[test]
fn a_group_that_is_being_applied_is_pending_and_one_that_goes_is_not_the_one() {
    let mut of = whole();
    of.db_parameter_groups = Some(vec![group("pg14-new", "applying")]);
    let option = |name: &str, status: &str| OptionGroupMembership::builder().option_group_name(name).status(status).build();
    of.option_group_memberships = Some(vec![option("going", "removing"), option("there", "in-sync")]);
    let read = instance(&of).unwrap();
    assert_eq!((&read.pending["parameter_group_name"], read.pending_reboot), (&json!("pg14-new"), false));
    assert_eq!(read.settings["option_group_name"], json!("there"));
}
