//! `RestoreDBInstanceFromDBSnapshot`.

use serde_json::json;

use super::{Place, Walk, check_tags};
use crate::model::Json;
use crate::model::time;
use crate::world::CallResult;
use crate::world::rds::{RESTORABLE, Restore, Settings};
use crate::world::sim::aws::{DbInstance, DbSnapshot, Late};
use crate::world::sim::core::Work;

/// Makes a new instance of a snapshot: what is not told comes from the snapshot or is AWS's default, never the source instance's.
pub(super) fn restore(place: &Place, work: &mut Work<'_>, restore: &Restore) -> CallResult<()> {
    let identifier = restore.identifier.to_ascii_lowercase();
    let found = place.region(work).and_then(|region| region.snapshots.get(&restore.snapshot)).cloned();
    let Some(snapshot) = found else {
        return Err(work.not_found("DBSnapshotNotFound", format!("DBSnapshot {} not found.", restore.snapshot)));
    };
    place.name_is_free(work, &identifier)?;
    let now = work.now();
    let status = super::view::snapshot(&restore.snapshot, &snapshot, now).status;
    if status != "available" {
        return Err(work.refuse("InvalidDBSnapshotState", format!("the snapshot {} is {status}", restore.snapshot)));
    }
    check_tags(work, &restore.tags)?;
    let settings = settings(place, work, restore, &snapshot)?;
    let timings = work.state.timings.clone();
    let mut walk = Walk::from(now).then("creating", timings.restore, Vec::new());
    if settings.get("backup_retention_period").and_then(Json::as_i64).unwrap_or(0) > 0 {
        walk = walk.then("backing-up", timings.backup, Vec::new());
    }
    let mut rng = work.fresh();
    let resource_id: String = "db-".chars().chain((0..26).map(|_| if rng.u8(..36) < 26 { rng.uppercase() } else { rng.digit(10) })).collect();
    let instance = DbInstance {
        created: now,
        databases: snapshot.databases,
        engine: snapshot.engine,
        engine_version: snapshot.engine_version,
        identifier,
        late: work.late.map(|late| Late { as_it_was: None, until: time::after(now, late) }),
        pending: Settings::new(),
        pending_reboot: false,
        phases: walk.phases,
        settings,
        snapshot_schedule: None,
        status: None,
        tags: restore.tags.clone(),
        transactions: std::collections::BTreeSet::new(),
    };
    work.dirty.insert(place.touched(&resource_id));
    place.region_mut(work).instances.insert(resource_id, instance);
    Ok(())
}

fn settings(place: &Place, work: &Work<'_>, restore: &Restore, snapshot: &DbSnapshot) -> CallResult<Settings> {
    if let Some(key) = restore.settings.keys().find(|key| !RESTORABLE.contains(&key.as_str())) {
        return Err(work.refuse("InvalidParameterCombination", format!("a restore does not take {key}")));
    }
    let mut settings = defaults(place, snapshot);
    settings.extend(snapshot.settings.clone());
    settings.insert("allocated_storage".to_owned(), json!(snapshot.allocated_storage));
    settings.extend(restore.settings.clone());
    settings.retain(|_, value| !value.is_null());
    let told = |key: &str| restore.settings.contains_key(key);
    let number = |key: &str| settings.get(key).and_then(Json::as_i64);
    if number("allocated_storage").is_none_or(|storage| storage < snapshot.allocated_storage) {
        return Err(work.refuse("InvalidParameterValue", format!("the storage must be at least the snapshot's {} GiB", snapshot.allocated_storage)));
    }
    let multi_az = settings.get("multi_az") == Some(&Json::Bool(true));
    if multi_az && told("availability_zone") {
        return Err(work.refuse("InvalidParameterCombination", "an availability zone cannot be named for a Multi-AZ instance"));
    }
    if settings.get("storage_type") == Some(&json!("gp2")) && (told("iops") || told("storage_throughput")) {
        return Err(work.refuse("InvalidParameterCombination", "IOPS and throughput cannot be set for gp2 storage"));
    }
    if settings.get("storage_type").is_some_and(|storage| matches!(storage.as_str(), Some("gp2" | "standard"))) {
        settings.remove("iops");
        settings.remove("storage_throughput");
    }
    if multi_az {
        settings.remove("availability_zone");
    }
    check_groups(place, work, &settings)?;
    if !told("vpc_security_groups") {
        settings.insert("vpc_security_groups".to_owned(), default_groups(place, work, &settings));
    }
    sort_lists(&mut settings);
    Ok(settings)
}

/// Lists that have no order stand sorted.
pub(super) fn sort_lists(settings: &mut Settings) {
    for key in ["vpc_security_groups", "enabled_cloudwatch_logs_exports"] {
        if let Some(Json::Array(items)) = settings.get_mut(key) {
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            items.dedup();
        }
    }
}

/// AWS's defaults.
fn defaults(place: &Place, snapshot: &DbSnapshot) -> Settings {
    let major = snapshot.engine_version.split('.').next().unwrap_or_default();
    let values = [
        ("auto_minor_version_upgrade", json!(true)),
        ("availability_zone", json!(format!("{}a", place.region))),
        ("backup_retention_period", json!(1)),
        ("backup_window", json!("03:00-03:30")),
        ("ca_cert_identifier", json!("rds-ca-rsa2048-g1")),
        ("copy_tags_to_snapshot", json!(false)),
        ("db_subnet_group_name", json!("default")),
        ("dedicated_log_volume", json!(false)),
        ("deletion_protection", json!(false)),
        ("enabled_cloudwatch_logs_exports", json!([])),
        ("iam_database_authentication_enabled", json!(false)),
        ("instance_class", json!("db.m5.large")),
        ("license_model", json!("postgresql-license")),
        ("maintenance_window", json!("sun:05:00-sun:05:30")),
        ("monitoring_interval", json!(0)),
        ("multi_az", json!(false)),
        ("network_type", json!("IPV4")),
        ("option_group_name", json!(format!("default:{}-{major}", snapshot.engine))),
        ("parameter_group_name", json!(format!("default.{}{major}", snapshot.engine))),
        ("performance_insights_enabled", json!(false)),
        ("port", json!(5432)),
        ("publicly_accessible", json!(false)),
        ("storage_type", json!("gp2")),
    ];
    values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The `default` security group of the subnet group's VPC.
fn default_groups(place: &Place, work: &Work<'_>, settings: &Settings) -> Json {
    let Some(region) = place.region(work) else { return json!([]) };
    let vpc = settings.get("db_subnet_group_name").and_then(Json::as_str).and_then(|name| region.subnet_groups.get(name)).map(|group| &group.vpc_id);
    region.security_groups.iter().filter(|(_, group)| group.name == "default" && Some(&group.vpc_id) == vpc).map(|(id, _)| json!(id)).collect()
}

/// Refuses groups that are not there.
pub(super) fn check_groups(place: &Place, work: &Work<'_>, settings: &Settings) -> CallResult<()> {
    let region = place.region(work);
    let text = |key: &str| settings.get(key).and_then(Json::as_str);
    if let Some(name) = text("db_subnet_group_name").filter(|name| region.is_none_or(|region| !region.subnet_groups.contains_key(*name))) {
        return Err(work.not_found("DBSubnetGroupNotFoundFault", format!("DB subnet group {name} does not exist.")));
    }
    let missing = |name: &&str, prefix: &str, known: Option<bool>| !name.starts_with(prefix) && known != Some(true);
    let name = text("parameter_group_name");
    if let Some(name) = name.filter(|name| missing(name, "default.", region.map(|region| region.parameter_groups.contains(*name)))) {
        return Err(work.not_found("DBParameterGroupNotFound", format!("DBParameterGroup not found: {name}")));
    }
    let name = text("option_group_name");
    if let Some(name) = name.filter(|name| missing(name, "default:", region.map(|region| region.option_groups.contains(*name)))) {
        return Err(work.not_found("OptionGroupNotFoundFault", format!("Specified OptionGroupName: {name} not found.")));
    }
    for group in settings.get("vpc_security_groups").and_then(Json::as_array).into_iter().flatten() {
        let known = group.as_str().is_some_and(|id| region.is_some_and(|region| region.security_groups.contains_key(id)));
        if !known {
            return Err(work.refuse("InvalidParameterValue", format!("Invalid security group, groupId={group}, groupName=.")));
        }
    }
    Ok(())
}
