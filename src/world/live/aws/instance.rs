//! The SDK's shapes → what people declare.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{DbInstance, DbSnapshot, PendingModifiedValues, Tag};
use aws_smithy_types::DateTime;

use crate::model::Json;
use crate::model::time::Timestamp;
use crate::world::rds::{Instance, PENDING_REBOOT, Settings, Snapshot};

/// Where a password stands among pending modifications, which tell that there is one.
const HIDDEN: &str = "(hidden)";

/// An instance; `Err` names what the answer lacks.
pub(super) fn instance(of: &DbInstance) -> Result<Instance, &'static str> {
    let settings = settings(of);
    Ok(Instance {
        identifier: of.db_instance_identifier.clone().ok_or("an instance without an identifier")?,
        resource_id: of.dbi_resource_id.clone().filter(|id| !id.is_empty()).ok_or("an instance without a resource id")?,
        arn: of.db_instance_arn.clone().ok_or("an instance without an ARN")?,
        status: of.db_instance_status.clone().ok_or("an instance without a status")?,
        created: of.instance_create_time.as_ref().and_then(timestamp),
        engine: of.engine.clone().unwrap_or_default(),
        engine_version: of.engine_version.clone().unwrap_or_default(),
        pending: all_pending(of),
        settings,
        pending_reboot: pending_reboot(of),
        tags: tags(of.tag_list()),
        endpoint: of.endpoint.as_ref().and_then(|endpoint| {
            let host = endpoint.address.clone().filter(|host| !host.is_empty())?;
            Some((host, u16::try_from(endpoint.port?).ok()?))
        }),
    })
}

/// A snapshot; `Err` names what the answer lacks.
pub(super) fn snapshot(of: &DbSnapshot) -> Result<Snapshot, &'static str> {
    let mut settings = Settings::new();
    put(&mut settings, "iops", positive(of.iops));
    put(&mut settings, "license_model", of.license_model.clone());
    put(&mut settings, "option_group_name", of.option_group_name.clone());
    put(&mut settings, "port", positive(of.port));
    put(&mut settings, "storage_throughput", positive(of.storage_throughput));
    put(&mut settings, "storage_type", of.storage_type.clone());
    Ok(Snapshot {
        identifier: of.db_snapshot_identifier.clone().ok_or("a snapshot without an identifier")?,
        instance: of.db_instance_identifier.clone().ok_or("a snapshot without an instance")?,
        snapshot_type: of.snapshot_type.clone().unwrap_or_default(),
        status: of.status.clone().ok_or("a snapshot without a status")?,
        created: of.snapshot_create_time.as_ref().and_then(timestamp),
        percent: of.percent_progress.and_then(|percent| u8::try_from(percent.clamp(0, 100)).ok()).unwrap_or_default(),
        engine: of.engine.clone().unwrap_or_default(),
        engine_version: of.engine_version.clone().unwrap_or_default(),
        allocated_storage: of.allocated_storage.unwrap_or_default().into(),
        settings,
    })
}

fn settings(of: &DbInstance) -> Settings {
    let mut settings = Settings::new();
    let mut set = |name: &str, value: Option<Json>| put(&mut settings, name, value);
    set("allocated_storage", of.allocated_storage.map(Json::from));
    set("auto_minor_version_upgrade", of.auto_minor_version_upgrade.map(Json::from));
    set("availability_zone", text(of.availability_zone()));
    set("backup_retention_period", of.backup_retention_period.map(Json::from));
    set("backup_window", text(of.preferred_backup_window()));
    set("ca_cert_identifier", text(of.ca_certificate_identifier()));
    set("copy_tags_to_snapshot", of.copy_tags_to_snapshot.map(Json::from));
    set("db_subnet_group_name", text(of.db_subnet_group().and_then(|group| group.db_subnet_group_name())));
    set("dedicated_log_volume", of.dedicated_log_volume.map(Json::from));
    set("deletion_protection", of.deletion_protection.map(Json::from));
    set("enabled_cloudwatch_logs_exports", Some(sorted(of.enabled_cloudwatch_logs_exports().iter().cloned())));
    set("iam_database_authentication_enabled", of.iam_database_authentication_enabled.map(Json::from));
    set("instance_class", text(of.db_instance_class()));
    set("iops", positive(of.iops).map(Json::from));
    set("license_model", text(of.license_model()));
    set("maintenance_window", text(of.preferred_maintenance_window()));
    set("max_allocated_storage", positive(of.max_allocated_storage).map(Json::from));
    set("monitoring_interval", of.monitoring_interval.map(Json::from));
    set("monitoring_role_arn", text(of.monitoring_role_arn()));
    set("multi_az", of.multi_az.map(Json::from));
    set("network_type", text(of.network_type()));
    set("option_group_name", text(option_group(of)));
    set("parameter_group_name", text(of.db_parameter_groups().first().and_then(|group| group.db_parameter_group_name())));
    set("performance_insights_enabled", of.performance_insights_enabled.map(Json::from));
    set("performance_insights_kms_key_id", text(of.performance_insights_kms_key_id()));
    set("performance_insights_retention_period", positive(of.performance_insights_retention_period).map(Json::from));
    // `DbInstancePort` is 0 outside clusters; the endpoint, once there is one, knows it.
    let port = of.endpoint().and_then(|endpoint| positive(endpoint.port)).or(positive(of.db_instance_port));
    set("port", port.map(Json::from));
    set("publicly_accessible", of.publicly_accessible.map(Json::from));
    set("storage_throughput", positive(of.storage_throughput).map(Json::from));
    set("storage_type", text(of.storage_type()));
    set("vpc_security_groups", Some(sorted(of.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id.clone()))));
    settings
}

/// What does not hold yet, groups that are being applied included: RDS shows their names at once, and says only afterwards whether they
/// wait for a restart.
fn all_pending(of: &DbInstance) -> Settings {
    let mut settings = of.pending_modified_values.as_ref().map(|values| pending(values, of.enabled_cloudwatch_logs_exports())).unwrap_or_default();
    let parameters = of.db_parameter_groups().first().filter(|group| group.parameter_apply_status() == Some("applying"));
    put(&mut settings, "parameter_group_name", text(parameters.and_then(|group| group.db_parameter_group_name())));
    settings
}

/// Pending modifications under the names of the settings they will change; `engine_version`, `identifier` and `password` stand among
/// them too, since any call that applies immediately brings those in as well.
fn pending(of: &PendingModifiedValues, exports: &[String]) -> Settings {
    let mut settings = Settings::new();
    let mut set = |name: &str, value: Option<Json>| put(&mut settings, name, value);
    set("allocated_storage", of.allocated_storage.map(Json::from));
    set("backup_retention_period", of.backup_retention_period.map(Json::from));
    set("ca_cert_identifier", text(of.ca_certificate_identifier()));
    set("db_subnet_group_name", text(of.db_subnet_group_name()));
    set("dedicated_log_volume", of.dedicated_log_volume.map(Json::from));
    set("engine", text(of.engine()));
    set("engine_version", text(of.engine_version()));
    set("iam_database_authentication_enabled", of.iam_database_authentication_enabled.map(Json::from));
    set("identifier", text(of.db_instance_identifier()));
    set("instance_class", text(of.db_instance_class()));
    set("iops", of.iops.map(Json::from));
    set("license_model", text(of.license_model()));
    set("multi_az", of.multi_az.map(Json::from));
    set("password", of.master_user_password.as_ref().map(|_| Json::from(HIDDEN)));
    set("port", of.port.map(Json::from));
    set("storage_throughput", of.storage_throughput.map(Json::from));
    set("storage_type", text(of.storage_type()));
    if let Some(change) = &of.pending_cloudwatch_logs_exports {
        let (enable, disable) = (change.log_types_to_enable(), change.log_types_to_disable());
        if !enable.is_empty() || !disable.is_empty() {
            let then = exports.iter().filter(|one| !disable.contains(one)).chain(enable.iter().filter(|one| !exports.contains(one)));
            set("enabled_cloudwatch_logs_exports", Some(sorted(then.cloned())));
        }
    }
    settings
}

/// The option group that it has: while one replaces another both are listed.
fn option_group(of: &DbInstance) -> Option<&str> {
    let all = of.option_group_memberships();
    all.iter().find(|group| group.status() == Some("in-sync")).or(all.first())?.option_group_name()
}

fn pending_reboot(of: &DbInstance) -> bool {
    let parameters = of.db_parameter_groups().iter().filter_map(|group| group.parameter_apply_status());
    let options = of.option_group_memberships().iter().filter_map(|group| group.status());
    parameters.chain(options).any(|status| status == PENDING_REBOOT)
}

fn put(settings: &mut Settings, name: &str, value: Option<impl Into<Json>>) {
    if let Some(value) = value {
        settings.insert(name.to_owned(), value.into());
    }
}

fn text(value: Option<&str>) -> Option<Json> {
    value.filter(|text| !text.is_empty()).map(Json::from)
}

/// Where a setting that an instance does not have is answered with 0 by some and left out by others.
fn positive(value: Option<i32>) -> Option<i32> {
    value.filter(|n| *n > 0)
}

fn sorted(items: impl Iterator<Item = String>) -> Json {
    let mut items: Vec<String> = items.collect();
    items.sort_unstable();
    items.dedup();
    items.into()
}

fn tags(of: &[Tag]) -> BTreeMap<String, String> {
    of.iter().filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()))).collect()
}

fn timestamp(of: &DateTime) -> Option<Timestamp> {
    Timestamp::new(of.secs(), i32::try_from(of.subsec_nanos()).ok()?).ok()
}

#[cfg(test)]
mod tests;
