//! The tables of the `database` block: the parser, the diagnostics and the reference are made from them.

use std::time::Duration;

use crate::declare::{AttrSpec, AttrType, BlockSpec, Presence, TimeoutSpec};
use crate::model::Value;

use super::{names, setting_specs};

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// The `database` block.
pub static BLOCK: BlockSpec = BlockSpec {
    name: "database",
    labels: &["name"],
    presence: Presence::Repeated,
    doc: "An RDS instance, by its identifier, kept fresh from the snapshots of another one. What is not named keeps the value of the instance that is replaced.",
    attributes: setting_specs::ATTRIBUTES,
    blocks: &[REFRESH, CONNECT, SCRUB, CHECK],
};

const REFRESH: BlockSpec = BlockSpec {
    name: "refresh",
    labels: &[],
    presence: Presence::Optional,
    doc: "Where the data comes from, when it is due, and what becomes of the instance that is replaced.",
    attributes: &[
        AttrSpec::new("snapshot_of", AttrType::String, "The instance whose newest snapshot, by creation time, is restored. It is only read.").required(),
        AttrSpec::new("snapshot_type", AttrType::String, "Which snapshots count: `automated`, `manual` or `any`.")
            .default("automated")
            .check(|value| one_of(value, &["automated", "manual", "any"])),
        AttrSpec::new(
            "schedule",
            AttrType::Schedule,
            "A refresh is due when the last one began before the last tick: `hourly`, `daily`, `weekly`, `monthly`, `yearly` or five cron fields.",
        ),
        AttrSpec::new("max_age", AttrType::Duration, "A refresh is due when the snapshot that the data came from is older than this. Instead of `schedule`."),
        AttrSpec::new("timezone", AttrType::String, "The IANA time zone in which `schedule` is read.").default("UTC"),
        AttrSpec::new(
            "first_backup",
            AttrType::String,
            "`before_switch` waits for the first backup of the new instance before anybody notices; `after_switch` turns backups on last, with a second, short outage.",
        )
        .default("before_switch")
        .check(|value| one_of(value, &["before_switch", "after_switch"])),
        AttrSpec::new("keep_old", AttrType::Duration, "How long the replaced instance is kept. No run waits for it: a later plan deletes it.").default("0s"),
        AttrSpec::new("next_name", AttrType::String, "The new instance's name until it takes over; `NAME-next` unless it is named.").check(names::check),
        AttrSpec::new("old_name", AttrType::String, "The replaced instance's name from the switch on; `NAME-old` unless it is named.").check(names::check),
        AttrSpec::new(
            "final_snapshot",
            AttrType::BoolOrString,
            "Whether the replaced instance leaves a last snapshot when it is deleted: `true`, or the beginning of its name; the run's id makes it unique.",
        )
        .default("false")
        .check(names::check_snapshot),
        AttrSpec::new("delete_automated_backups", AttrType::Bool, "Whether the replaced instance's automated backups are deleted with it.").default("true"),
    ],
    blocks: &[],
};

const CONNECT: BlockSpec = BlockSpec {
    name: "connect",
    labels: &[],
    presence: Presence::Optional,
    doc: "How checks and scrubbing reach the database.",
    attributes: &[
        AttrSpec::new(
            "host",
            AttrType::String,
            "Host name; the instance's endpoint unless it is named. `{identifier}` in it stands for the instance's name at that moment.",
        ),
        AttrSpec::new("port", AttrType::Int, "TCP port; the instance's own unless it is named.").check(|value| int_within(value, 1, 65_535)),
        AttrSpec::new(
            "sslmode",
            AttrType::String,
            "`verify-full`: encrypted, and the server proves that it is the host; `require`: encrypted, whoever answers; `disable`: plain text. `verify-full` \
             unless it is named, `disable` on loopback. A server that offers no TLS is sent nothing unless it is `disable`.",
        )
        .check(|value| one_of(value, &["disable", "require", "verify-full"])),
        AttrSpec::new("ca_file", AttrType::String, "A PEM file of further roots. Amazon's own are built in."),
        AttrSpec::new("user", AttrType::String, "The database role that checks and scrubs log in as.").required().check(not_empty),
        AttrSpec::new("password", AttrType::String, "The password of that role.").secret(),
        AttrSpec::new("database", AttrType::String, "The database in the instance.").required().check(not_empty),
    ],
    blocks: &[],
};

const SCRUB: BlockSpec = BlockSpec {
    name: "scrub",
    labels: &[],
    presence: Presence::Optional,
    doc: "What is removed from the new instance before it takes the name, in one transaction. What fails here is never promoted.",
    attributes: &[
        AttrSpec::new("truncate", AttrType::StringList, "Tables to empty with RESTART IDENTITY CASCADE.").check(names::check_tables),
        AttrSpec::new("sql", AttrType::StringOrList, "SQL to run after that. No transaction control, and nothing that cannot run in a transaction."),
    ],
    blocks: &[],
};

const CHECK: BlockSpec = BlockSpec {
    name: "check",
    labels: &["title"],
    presence: Presence::Repeated,
    doc: "A question to the new instance before it takes the name. Another answer than the declared one ends the run.",
    attributes: &[
        AttrSpec::new("sql", AttrType::String, "A query with one row; its first column is the answer.").required().check(not_empty),
        AttrSpec::new("equals", AttrType::Scalar, "The answer must be this."),
        AttrSpec::new("at_least", AttrType::Scalar, "The answer must be a number not below this.").check(number),
        AttrSpec::new("at_most", AttrType::Scalar, "The answer must be a number not above this.").check(number),
    ],
    blocks: &[],
};

/// What the `timeouts` block takes.
pub static TIMEOUTS: &[TimeoutSpec] = &[
    TimeoutSpec { name: "snapshot", default: minutes(240), expected: minutes(20), doc: "Waiting for a snapshot that is still being made." },
    TimeoutSpec { name: "restore", default: minutes(240), expected: minutes(45), doc: "Restoring the new instance." },
    TimeoutSpec { name: "backup", default: minutes(24 * 60), expected: minutes(60), doc: "Waiting for the first backup of the new instance." },
    TimeoutSpec { name: "modify", default: minutes(120), expected: minutes(5), doc: "One modification of an instance." },
    TimeoutSpec { name: "reboot", default: minutes(30), expected: minutes(3), doc: "One restart of the new instance." },
    TimeoutSpec { name: "rename", default: minutes(30), expected: minutes(4), doc: "One rename, until the instance answers under its new name." },
    TimeoutSpec { name: "scrub", default: minutes(60), expected: minutes(1), doc: "The transaction that scrubs." },
    TimeoutSpec { name: "check", default: minutes(15), expected: Duration::from_secs(5), doc: "One check, its connection included." },
    TimeoutSpec { name: "delete", default: minutes(120), expected: minutes(10), doc: "Deleting an instance, its last snapshot included." },
];

pub(super) fn one_of(value: &Value, words: &[&str]) -> Result<(), String> {
    match value.as_str() {
        Some(text) if !words.contains(&text) => Err(format!("must be one of {}", words.join(", "))),
        _ => Ok(()),
    }
}

pub(super) fn int_within(value: &Value, least: i64, most: i64) -> Result<(), String> {
    match value {
        Value::Number(crate::model::Number::Int(n)) if (least..=most).contains(n) => Ok(()),
        Value::Number(_) => Err(format!("must be a whole number from {least} to {most}")),
        _ => Ok(()),
    }
}

pub(super) fn not_empty(value: &Value) -> Result<(), String> {
    if value.as_str().is_some_and(|text| text.trim().is_empty()) { Err("must not be empty".to_owned()) } else { Ok(()) }
}

fn number(value: &Value) -> Result<(), String> {
    if matches!(value, Value::Number(_)) { Ok(()) } else { Err("must be a number".to_owned()) }
}
