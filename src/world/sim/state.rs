//! What a world file holds. Every object is at rest between commands; what is under way stands in it as phases with ends.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::aws::Aws;
use super::cloudflare::Cloudflare;
use super::faults::{Chaos, ScriptedFault};
use crate::model::time::Timestamp;

/// The only `format_version` so far.
pub const FORMAT_VERSION: u32 = 1;
/// Notices kept in the world; later ones are counted only.
pub const MAX_MESSAGES: usize = 10_000;

/// A whole simulated world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// AWS accounts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub aws: Aws,
    /// Faults by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chaos: Option<Chaos>,
    /// Cloudflare's zones.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cloudflare: Cloudflare,
    /// What was counted so far.
    #[serde(default, skip_serializing_if = "is_default")]
    pub counters: Counters,
    /// How name servers take over changes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dns: Dns,
    /// Faults by script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<ScriptedFault>,
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The world's own id: a plan made here is refused elsewhere.
    pub id: String,
    /// The time in the world; may be edited to let time pass.
    pub now: Timestamp,
    /// What the world's own randomness (ids, chaos) is made of.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seed: u64,
    /// Notices received.
    #[serde(default, skip_serializing_if = "is_default")]
    pub slack: Slack,
    /// How long things take.
    #[serde(default, skip_serializing_if = "is_default")]
    pub timings: Timings,
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Counted over all sessions that wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counters {
    /// Calls, reads too.
    pub calls: u64,
    /// Changes of DNS records.
    pub changes: u64,
    /// Things made.
    pub objects: u64,
    /// SQL transactions begun; their ids.
    pub transactions: u64,
    /// Writing calls.
    pub writes: u64,
}

/// How name servers take over changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// Seconds after which a server that is not listed answers with a change; 5 when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_lag_seconds: Option<u64>,
    /// By host name or address, without the port. A server that is not listed answers too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<String, Server>,
}

/// One name server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// It gives no answer at all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub down: bool,
    /// Seconds after which it answers with a change.
    pub lag_seconds: u64,
}

impl Dns {
    fn default_lag(&self) -> u64 {
        self.default_lag_seconds.unwrap_or(5)
    }

    /// Seconds by which a server is behind; none when it is down.
    pub(super) fn lag(&self, server: &str) -> Option<u64> {
        match self.servers.get(server) {
            Some(known) => (!known.down).then_some(known.lag_seconds),
            None => Some(self.default_lag()),
        }
    }

    /// Seconds after which no server gives old answers any more.
    pub(super) fn longest_lag(&self) -> u64 {
        self.servers.values().map(|server| server.lag_seconds).fold(self.default_lag(), u64::max)
    }
}

/// Notices received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// In the order in which they came.
    #[serde(default)]
    pub messages: Vec<Message>,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// When it came.
    pub at: Timestamp,
    /// The provider it was sent through: `slack.maintainers`.
    pub channel: String,
    /// What it says.
    pub text: String,
}

/// How long things take, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timings {
    /// First backup of an instance whose retention is above 0 (`backing-up`).
    pub backup: u64,
    /// The longest a caller waits for a reply.
    pub call_limit: u64,
    /// `deleting`.
    pub delete: u64,
    /// `modifying`.
    pub modify: u64,
    /// How long a modified instance still reads `available`.
    pub modify_unseen: u64,
    /// `rebooting`, after a reboot or a change that restarts the instance.
    pub reboot: u64,
    /// How long neither name of a renamed instance is found.
    pub rename_blind: u64,
    /// `rebooting` under the new name.
    pub rename_reboot: u64,
    /// How long the old name still reads `available`.
    pub rename_unseen: u64,
    /// `renaming` under the old name.
    pub renaming: u64,
    /// `creating`.
    pub restore: u64,
    /// A snapshot, from its beginning until it can be restored.
    pub snapshot: u64,
    /// `storage-optimization` after storage has grown; the instance is usable.
    pub storage_optimization: u64,
}

impl Default for Timings {
    fn default() -> Self {
        Timings {
            backup: 3 * 3_600,
            call_limit: 60,
            delete: 5 * 60,
            modify: 3 * 60,
            modify_unseen: 10,
            reboot: 60,
            rename_blind: 90,
            rename_reboot: 60,
            rename_unseen: 40,
            renaming: 50,
            restore: 45 * 60,
            snapshot: 20 * 60,
            storage_optimization: 6 * 3_600,
        }
    }
}
