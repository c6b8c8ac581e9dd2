//! Faults on demand: by script, by chance, and by a hook of the crash harness.

use serde::{Deserialize, Serialize};

use super::state::is_default;

/// Every word that a fault can name as its call.
pub const CALLS: &[&str] = &[
    "rds:DescribeDBInstances",
    "rds:DescribeDBSnapshots",
    "rds:DescribeDBSubnetGroups",
    "rds:RestoreDBInstanceFromDBSnapshot",
    "rds:ModifyDBInstance",
    "rds:RebootDBInstance",
    "rds:DeleteDBInstance",
    "rds:AddTagsToResource",
    "rds:RemoveTagsFromResource",
    "ec2:DescribeAddresses",
    "ec2:DescribeSecurityGroups",
    "cloudflare:zones",
    "cloudflare:records",
    "cloudflare:batch",
    "dns:query",
    "postgres:query",
    "postgres:transaction",
    "postgres:fate",
    "slack:post",
];

/// One call, before it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInfo {
    /// Counted from 1 since the world was opened.
    pub number: u64,
    /// The operation in the service's own words.
    pub call: &'static str,
    /// What it is about: an identifier, an ARN, a zone id, `server name type`.
    pub target: String,
    /// Whether it may change anything.
    pub write: bool,
}

/// One call that was made, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The call.
    pub info: CallInfo,
    /// What it was about.
    pub outcome: Outcome,
    /// Whether the service did what it was asked.
    pub effect: bool,
}

/// How a call ended for its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Answered well.
    Answered,
    /// It failed; the error's own words.
    Failed(String),
    /// It never returned.
    Hung,
}

/// When a crash happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Before the call has any effect.
    Before,
    /// After its effect, before its reply.
    After,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The effect happens, the reply does not come.
    ReplyLost {},
    /// The effect happens, readers see it later.
    LateVisibility {
        /// How much later.
        seconds: u64,
    },
    /// The service asks to come later; no effect.
    Throttle {
        /// When, if it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u64>,
    },
    /// A 5xx.
    ServerError {
        /// 500 to 599; 503 when none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Whether the effect happened.
        #[serde(default, skip_serializing_if = "is_default")]
        after_effect: bool,
        /// When to come again, if it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u64>,
    },
    /// The service says no; no effect.
    Refusal {
        /// Its code.
        code: String,
        /// Its words.
        #[serde(default)]
        message: String,
    },
    /// The credentials are missing, wrong or expired; no effect.
    Denied {
        /// The service's code: `ExpiredToken`.
        code: String,
        /// Its words.
        #[serde(default)]
        message: String,
    },
    /// The request never goes out: the network is gone. No effect.
    Unreachable {},
    /// The reply takes long: the clock moves. Longer than the call limit, the caller has gone before it comes.
    Slow {
        /// How long.
        seconds: u64,
    },
    /// The process dies.
    Crash {
        /// Before or after the effect.
        when: When,
    },
    /// The call never returns.
    Hang {
        /// Whether the effect happens.
        after_effect: bool,
    },
}

/// A fault that comes at a certain call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedFault {
    /// One of [`CALLS`].
    pub call: String,
    /// What goes wrong.
    pub fault: Fault,
    /// The first matching call that it hits, from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// Matching calls so far.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seen: u64,
    /// Only calls whose target holds this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How many matching calls it hits.
    #[serde(default = "one")]
    pub times: u64,
}

fn one() -> u64 {
    1
}

impl ScriptedFault {
    /// Counts a call, and says whether it is hit; `None` when the call does not match.
    pub(super) fn count(&mut self, info: &CallInfo) -> Option<bool> {
        if self.call != info.call || self.target.as_ref().is_some_and(|text| !info.target.contains(text.as_str())) {
            return None;
        }
        self.seen = self.seen.saturating_add(1);
        Some(self.seen >= self.nth && self.seen - self.nth < self.times)
    }
}

/// Faults by chance: each a share of calls from 0 to 1, drawn from the seed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chaos {
    /// Writes whose effect is seen half a minute later.
    pub late_visibility: f64,
    /// Writes whose reply is lost.
    pub reply_lost: f64,
    /// Calls answered with 503, half of the writes among them after their effect.
    pub server_error: f64,
    /// Calls that take ten seconds.
    pub slow: f64,
    /// Calls that are throttled, for five seconds.
    pub throttle: f64,
}

impl Chaos {
    /// All shares by name.
    pub(super) fn shares(&self) -> [(&'static str, f64); 5] {
        let Chaos { late_visibility, reply_lost, server_error, slow, throttle } = *self;
        [("late_visibility", late_visibility), ("reply_lost", reply_lost), ("server_error", server_error), ("slow", slow), ("throttle", throttle)]
    }

    /// The fault of one call, if any.
    pub(super) fn draw(&self, rng: &mut fastrand::Rng, write: bool) -> Option<Fault> {
        let (mut rest, coin) = (rng.f64(), rng.bool());
        let mut hit = |share: f64| {
            let hit = rest < share;
            rest -= share;
            hit
        };
        if hit(self.throttle) {
            return Some(Fault::Throttle { retry_after_seconds: Some(5) });
        }
        if hit(self.server_error) {
            return Some(Fault::ServerError { status: None, after_effect: write && coin, retry_after_seconds: None });
        }
        if hit(self.slow) {
            return Some(Fault::Slow { seconds: 10 });
        }
        if write && hit(self.reply_lost) {
            return Some(Fault::ReplyLost {});
        }
        (write && hit(self.late_visibility)).then_some(Fault::LateVisibility { seconds: 30 })
    }
}
