//! Declared settings → the SDK's calls. Each setting is named, so that none is ever dropped in silence.

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::operation::restore_db_instance_from_db_snapshot::builders::RestoreDBInstanceFromDBSnapshotFluentBuilder;
use aws_sdk_rds::types::CloudwatchLogsExportConfiguration;

use super::error;
use crate::model::Json;
use crate::world::CallResult;
use crate::world::rds::Settings;

/// One setting of a call, read with the type that the call wants.
struct Given<'a> {
    call: &'a str,
    name: &'a str,
    value: &'a Json,
}

impl Given<'_> {
    fn wrong<T>(&self, wanted: &str) -> CallResult<T> {
        Err(error::not_sent(self.call, format!("setting {} must be {wanted}, not {}", self.name, self.value)))
    }

    fn unknown<T>(&self) -> CallResult<T> {
        Err(error::not_sent(self.call, format!("setting {} cannot be set by this call", self.name)))
    }

    fn int(&self) -> CallResult<i32> {
        match self.value.as_i64().and_then(|n| i32::try_from(n).ok()) {
            Some(n) => Ok(n),
            None => self.wrong("a whole number"),
        }
    }

    fn bool(&self) -> CallResult<bool> {
        self.value.as_bool().map_or_else(|| self.wrong("true or false"), Ok)
    }

    fn text(&self) -> CallResult<String> {
        self.value.as_str().map_or_else(|| self.wrong("text"), |text| Ok(text.to_owned()))
    }

    fn texts(&self) -> CallResult<Vec<String>> {
        let items = self.value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        items.map_or_else(|| self.wrong("a list of texts"), Ok)
    }
}

/// Lays settings on a restore.
///
/// # Errors
/// `Refused`, before anything is sent, for a setting that a restore does not take and for a value of the wrong type.
pub(super) fn restore(
    call: &str,
    mut request: RestoreDBInstanceFromDBSnapshotFluentBuilder,
    settings: &Settings,
) -> CallResult<RestoreDBInstanceFromDBSnapshotFluentBuilder> {
    for (name, value) in settings {
        let given = Given { call, name, value };
        request = match name.as_str() {
            "allocated_storage" => request.allocated_storage(given.int()?),
            "auto_minor_version_upgrade" => request.auto_minor_version_upgrade(given.bool()?),
            "availability_zone" => request.availability_zone(given.text()?),
            "backup_retention_period" => request.backup_retention_period(given.int()?),
            "backup_window" => request.preferred_backup_window(given.text()?),
            "ca_cert_identifier" => request.ca_certificate_identifier(given.text()?),
            "copy_tags_to_snapshot" => request.copy_tags_to_snapshot(given.bool()?),
            "db_subnet_group_name" => request.db_subnet_group_name(given.text()?),
            "dedicated_log_volume" => request.dedicated_log_volume(given.bool()?),
            "deletion_protection" => request.deletion_protection(given.bool()?),
            "enabled_cloudwatch_logs_exports" => request.set_enable_cloudwatch_logs_exports(some(given.texts()?)),
            "iam_database_authentication_enabled" => request.enable_iam_database_authentication(given.bool()?),
            "instance_class" => request.db_instance_class(given.text()?),
            "iops" => request.iops(given.int()?),
            "license_model" => request.license_model(given.text()?),
            "multi_az" => request.multi_az(given.bool()?),
            "network_type" => request.network_type(given.text()?),
            "option_group_name" => request.option_group_name(given.text()?),
            "parameter_group_name" => request.db_parameter_group_name(given.text()?),
            "port" => request.port(given.int()?),
            "publicly_accessible" => request.publicly_accessible(given.bool()?),
            "storage_throughput" => request.storage_throughput(given.int()?),
            "storage_type" => request.storage_type(given.text()?),
            "vpc_security_groups" => request.set_vpc_security_group_ids(Some(given.texts()?)),
            _ => return given.unknown(),
        };
    }
    Ok(request)
}

/// A list that holds something. An empty one would go out as one empty name, which is no name of a log.
fn some(items: Vec<String>) -> Option<Vec<String>> {
    Some(items).filter(|items| !items.is_empty())
}

/// Lays settings on a modification. `log_exports` are those that the instance has now: RDS wants to hear what to enable and what
/// to disable, not what shall be.
///
/// # Errors
/// As [`restore`].
pub(super) fn modify(
    call: &str,
    mut request: ModifyDBInstanceFluentBuilder,
    settings: &Settings,
    log_exports: &[String],
) -> CallResult<ModifyDBInstanceFluentBuilder> {
    for (name, value) in settings {
        let given = Given { call, name, value };
        request = match name.as_str() {
            "allocated_storage" => request.allocated_storage(given.int()?),
            "auto_minor_version_upgrade" => request.auto_minor_version_upgrade(given.bool()?),
            "backup_retention_period" => request.backup_retention_period(given.int()?),
            "backup_window" => request.preferred_backup_window(given.text()?),
            "ca_cert_identifier" => request.ca_certificate_identifier(given.text()?),
            "copy_tags_to_snapshot" => request.copy_tags_to_snapshot(given.bool()?),
            "db_subnet_group_name" => request.db_subnet_group_name(given.text()?),
            "dedicated_log_volume" => request.dedicated_log_volume(given.bool()?),
            "deletion_protection" => request.deletion_protection(given.bool()?),
            "enabled_cloudwatch_logs_exports" => request.set_cloudwatch_logs_export_configuration(exports(log_exports, &given.texts()?)),
            "iam_database_authentication_enabled" => request.enable_iam_database_authentication(given.bool()?),
            "instance_class" => request.db_instance_class(given.text()?),
            "iops" => request.iops(given.int()?),
            "license_model" => request.license_model(given.text()?),
            "maintenance_window" => request.preferred_maintenance_window(given.text()?),
            "max_allocated_storage" => request.max_allocated_storage(given.int()?),
            "monitoring_interval" => request.monitoring_interval(given.int()?),
            "monitoring_role_arn" => request.monitoring_role_arn(given.text()?),
            "multi_az" => request.multi_az(given.bool()?),
            "network_type" => request.network_type(given.text()?),
            "option_group_name" => request.option_group_name(given.text()?),
            "parameter_group_name" => request.db_parameter_group_name(given.text()?),
            "performance_insights_enabled" => request.enable_performance_insights(given.bool()?),
            "performance_insights_kms_key_id" => request.performance_insights_kms_key_id(given.text()?),
            "performance_insights_retention_period" => request.performance_insights_retention_period(given.int()?),
            "port" => request.db_port_number(given.int()?),
            "publicly_accessible" => request.publicly_accessible(given.bool()?),
            "storage_throughput" => request.storage_throughput(given.int()?),
            "storage_type" => request.storage_type(given.text()?),
            "vpc_security_groups" => request.set_vpc_security_group_ids(Some(given.texts()?)),
            _ => return given.unknown(),
        };
    }
    Ok(request)
}

/// What to enable and what to disable; nothing when both sides agree.
fn exports(present: &[String], wanted: &[String]) -> Option<CloudwatchLogsExportConfiguration> {
    let but = |these: &[String], those: &[String]| -> Option<Vec<String>> {
        let left: Vec<String> = these.iter().filter(|one| !those.contains(one)).cloned().collect();
        (!left.is_empty()).then_some(left)
    };
    let (enable, disable) = (but(wanted, present), but(present, wanted));
    if enable.is_none() && disable.is_none() {
        return None;
    }
    Some(CloudwatchLogsExportConfiguration::builder().set_enable_log_types(enable).set_disable_log_types(disable).build())
}

#[cfg(test)]
mod tests;
