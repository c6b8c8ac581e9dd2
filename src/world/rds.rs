//! RDS as the tool sees it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::CallResult;
use crate::model::Json;
use crate::model::time::Timestamp;

/// Settings of an instance by the names of Terraform's `aws_db_instance` arguments (language.md lists them): `instance_class`,
/// `allocated_storage`, … `vpc_security_groups` holds group ids, sorted; `enabled_cloudwatch_logs_exports` is sorted too. A
/// setting that the instance does not have (no `iops`) is left out. `tags` is not among them.
pub type Settings = BTreeMap<String, Json>;

/// The mark that a parameter group needs a reboot to take effect.
pub const PENDING_REBOOT: &str = "pending-reboot";

/// What RDS answers to a call for an instance or a snapshot that is busy. For some moments it still shows as available then, and the same call goes well
/// minutes later.
pub const BUSY: [&str; 2] = ["InvalidDBInstanceState", "InvalidDBSnapshotState"];

/// One DB instance, as `DescribeDBInstances` gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Its name at the moment.
    pub identifier: String,
    /// `DbiResourceId`: survives every rename.
    pub resource_id: String,
    /// For tag calls; changes with the name.
    pub arn: String,
    /// `available`, `creating`, `backing-up`, `renaming`, … : AWS's word as it is; new ones appear over the years.
    pub status: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// `postgres`.
    pub engine: String,
    /// `14.10`.
    pub engine_version: String,
    /// What it is set to.
    pub settings: Settings,
    /// `PendingModifiedValues`: what will change at the next maintenance window, or with the next immediate modification; and a parameter
    /// group that is being applied.
    pub pending: Settings,
    /// Whether a parameter or option group waits for a reboot.
    pub pending_reboot: bool,
    /// All tags, AWS's and ours too.
    pub tags: BTreeMap<String, String>,
    /// Host and port; none while it is being made or renamed.
    pub endpoint: Option<(String, u16)>,
}

impl Instance {
    /// The log exports that it has.
    #[must_use]
    pub fn log_exports(&self) -> Vec<String> {
        let exports = self.settings.get("enabled_cloudwatch_logs_exports").and_then(Json::as_array);
        exports.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
    }
}

/// One DB snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// `rds:prod-openverse-db-2026-11-01-00-07`.
    pub identifier: String,
    /// The instance it was taken of, by its name then.
    pub instance: String,
    /// `automated` or `manual`.
    pub snapshot_type: String,
    /// `creating`, `available`, …
    pub status: String,
    /// None while it is being made.
    pub created: Option<Timestamp>,
    /// 0 to 100.
    pub percent: u8,
    /// `postgres`.
    pub engine: String,
    /// `14.10`.
    pub engine_version: String,
    /// GiB: a restore cannot have less.
    pub allocated_storage: i64,
    /// What the snapshot remembers of the instance, and a restore takes over unless told otherwise: `storage_type`, `iops`, `port`, `option_group_name`, `license_model`.
    pub settings: Settings,
}

/// A restore: everything that the call takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restore {
    /// The name of the new instance.
    pub identifier: String,
    /// The snapshot.
    pub snapshot: String,
    /// Only settings in [`RESTORABLE`].
    pub settings: Settings,
    /// All tags of the new instance.
    pub tags: BTreeMap<String, String>,
}

/// What `RestoreDBInstanceFromDBSnapshot` takes, of the settings.
pub const RESTORABLE: &[&str] = &[
    "allocated_storage",
    "auto_minor_version_upgrade",
    "availability_zone",
    "backup_retention_period",
    "backup_window",
    "ca_cert_identifier",
    "copy_tags_to_snapshot",
    "db_subnet_group_name",
    "dedicated_log_volume",
    "deletion_protection",
    "enabled_cloudwatch_logs_exports",
    "iam_database_authentication_enabled",
    "instance_class",
    "iops",
    "license_model",
    "multi_az",
    "network_type",
    "option_group_name",
    "parameter_group_name",
    "port",
    "publicly_accessible",
    "storage_throughput",
    "storage_type",
    "vpc_security_groups",
];

/// What `ModifyDBInstance` takes, of the settings.
pub const MODIFIABLE: &[&str] = &[
    "allocated_storage",
    "auto_minor_version_upgrade",
    "backup_retention_period",
    "backup_window",
    "ca_cert_identifier",
    "copy_tags_to_snapshot",
    "db_subnet_group_name",
    "dedicated_log_volume",
    "deletion_protection",
    "enabled_cloudwatch_logs_exports",
    "iam_database_authentication_enabled",
    "instance_class",
    "iops",
    "license_model",
    "maintenance_window",
    "max_allocated_storage",
    "monitoring_interval",
    "monitoring_role_arn",
    "multi_az",
    "network_type",
    "option_group_name",
    "parameter_group_name",
    "performance_insights_enabled",
    "performance_insights_kms_key_id",
    "performance_insights_retention_period",
    "port",
    "publicly_accessible",
    "storage_throughput",
    "storage_type",
    "vpc_security_groups",
];

/// A modification, always applied immediately.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Modify {
    /// The name at the moment.
    pub identifier: String,
    /// The name it shall get.
    pub new_identifier: Option<String>,
    /// Only settings in [`MODIFIABLE`].
    pub settings: Settings,
    /// The log exports that it has, as whoever calls has just read them: from these and from `enabled_cloudwatch_logs_exports` follows what to enable and
    /// what to disable, which is how RDS wants to hear it.
    pub log_exports: Vec<String>,
}

/// A deletion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delete {
    /// The name at the moment.
    pub identifier: String,
    /// Its last snapshot's name; none: no last snapshot.
    pub final_snapshot: Option<String>,
    /// Whether its automated backups go with it.
    pub delete_automated_backups: bool,
}

/// Reading.
#[async_trait]
pub trait RdsRead: Send + Sync {
    /// The account that the credentials belong to (checked against the provider's `account_id` when the door is opened).
    fn account_id(&self) -> &str;
    /// One instance by name. `None`: the service said that it is not there.
    async fn instance(&self, identifier: &str) -> CallResult<Option<Instance>>;
    /// One instance by `DbiResourceId`, whatever it is called. `None` as above.
    async fn instance_by_resource_id(&self, resource_id: &str) -> CallResult<Option<Instance>>;
    /// Every instance of the account and region that can be seen at the moment, all pages, in no order.
    async fn instances(&self) -> CallResult<Vec<Instance>>;
    /// All snapshots of an instance, all pages, in no order. `snapshot_type`: `automated`, `manual` or `any`.
    async fn snapshots(&self, instance: &str, snapshot_type: &str) -> CallResult<Vec<Snapshot>>;
    /// One snapshot by name.
    async fn snapshot(&self, identifier: &str) -> CallResult<Option<Snapshot>>;
    /// The VPC of a subnet group; `None` when there is no such group.
    async fn subnet_group_vpc(&self, name: &str) -> CallResult<Option<String>>;
}

/// Writing. Each is one call that returns without waiting.
#[async_trait]
pub trait RdsWrite: RdsRead {
    /// Makes a new instance of a snapshot.
    async fn restore(&self, restore: &Restore) -> CallResult<()>;
    /// Changes settings, or the name.
    async fn modify(&self, modify: &Modify) -> CallResult<()>;
    /// Restarts it.
    async fn reboot(&self, identifier: &str) -> CallResult<()>;
    /// Removes it.
    async fn delete(&self, delete: &Delete) -> CallResult<()>;
    /// Lays tags over those there are.
    async fn add_tags(&self, arn: &str, tags: &BTreeMap<String, String>) -> CallResult<()>;
    /// Takes tags away by key.
    async fn remove_tags(&self, arn: &str, keys: &[String]) -> CallResult<()>;
}
