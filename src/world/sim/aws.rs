//! AWS as a world file holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::sql::Databases;
use super::state::is_default;
use crate::model::time::Timestamp;
use crate::world::rds::{Instance, Settings};

/// All accounts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    /// By account id.
    #[serde(default)]
    pub accounts: BTreeMap<String, Account>,
    /// Where a provider leads that names neither account nor a mapped profile; with one account it is that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_account: Option<String>,
}

/// One account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Profiles whose credentials belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// By name; a region that is not listed is empty.
    #[serde(default)]
    pub regions: BTreeMap<String, Region>,
}

/// One region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// By allocation id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub elastic_ips: BTreeMap<String, Allocation>,
    /// By `DbiResourceId`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instances: BTreeMap<String, DbInstance>,
    /// Besides `default:…`, which are always there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub option_groups: BTreeSet<String>,
    /// Besides `default.…`, which are always there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub parameter_groups: BTreeSet<String>,
    /// By group id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub security_groups: BTreeMap<String, Group>,
    /// By name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub snapshots: BTreeMap<String, DbSnapshot>,
    /// By name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subnet_groups: BTreeMap<String, SubnetGroup>,
}

/// One Elastic IP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// Its `Name` tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address.
    pub public_ip: Ipv4Addr,
}

/// One security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// `default` is the one that its VPC gives to whoever names none.
    pub name: String,
    /// Its VPC.
    pub vpc_id: String,
}

/// One DB subnet group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubnetGroup {
    /// Its VPC.
    pub vpc_id: String,
}

/// One DB instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbInstance {
    /// When it was made.
    pub created: Timestamp,
    /// What it holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub databases: Databases,
    /// `postgres`.
    pub engine: String,
    /// `14.10`.
    pub engine_version: String,
    /// Its name; changes when a rename has come through.
    pub identifier: String,
    /// What readers still see instead of what is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// Values that a modification under way will bring.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pending: Settings,
    /// A parameter group waits for a reboot.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pending_reboot: bool,
    /// What it goes through at the moment, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// What it is set to, as [`Settings`] says.
    pub settings: Settings,
    /// Its automated snapshots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_schedule: Option<Schedule>,
    /// Its status when it goes through nothing; `available` when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// All tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// SQL transactions that were committed here.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub transactions: BTreeSet<u64>,
}

impl DbInstance {
    /// What it is now, whatever readers see.
    pub(super) fn status(&self) -> &str {
        match self.phases.first() {
            Some(phase) => &phase.status,
            None => self.status.as_deref().unwrap_or("available"),
        }
    }

    /// Whether neither of its names is found at the moment.
    pub(super) fn hidden(&self) -> bool {
        self.phases.first().is_some_and(|phase| phase.hidden)
    }

    /// The name that a rename under way will bring.
    pub(super) fn coming_name(&self) -> Option<&str> {
        self.phases.iter().flat_map(|phase| &phase.then).find_map(|then| if let Then::Rename(name) = then { Some(name.as_str()) } else { None })
    }
}

/// One part of what an instance goes through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Not found under any name, nor by its id.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hidden: bool,
    /// What it reads meanwhile.
    pub status: String,
    /// What its end brings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Then>,
    /// Its end.
    pub until: Timestamp,
}

/// What the end of a phase brings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Then {
    /// These settings, off the pending ones; null takes one away.
    Apply(Settings),
    /// The end of the instance.
    Gone {
        /// Its automated snapshots go with it.
        delete_automated_backups: bool,
    },
    /// Parameter groups are in sync.
    InSync,
    /// This name.
    Rename(String),
}

/// What readers see instead of what is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// Nothing, or the instance as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_it_was: Option<Box<Instance>>,
    /// Until when.
    pub until: Timestamp,
}

/// Automated snapshots of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Seconds from one to the next, at least a minute.
    pub every_seconds: u64,
    /// How many are kept.
    pub keep: u32,
    /// When the next one begins.
    pub next: Timestamp,
}

/// One DB snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbSnapshot {
    /// GiB.
    pub allocated_storage: i64,
    /// When it began.
    pub created: Timestamp,
    /// What it holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub databases: Databases,
    /// `postgres`.
    pub engine: String,
    /// `14.10`.
    pub engine_version: String,
    /// The instance it was taken of, by its name then.
    pub instance: String,
    /// The same by `DbiResourceId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_resource_id: Option<String>,
    /// When it can be restored; at once when none. Until then it is `creating` and has no creation time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Timestamp>,
    /// What it remembers of the instance.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: Settings,
    /// `automated` or `manual`.
    pub snapshot_type: String,
    /// Its status when it is ready; `available` when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}
