//! The declared database in this kind's own form.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::connect::Connect;
use super::due::Rule;
use super::marks::{Owner, Tags};
use super::{names, schema, setting_specs};
use crate::declare::{Declared, Desired, Node};
use crate::model::{Address, Error, Exit, Json, Result};
use crate::world::rds::Settings;

/// When the new instance's first backup is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstBackup {
    /// Waited for before anybody notices.
    BeforeSwitch,
    /// Backups are turned on last, with a second outage.
    AfterSwitch,
}

/// The `refresh` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Refresh {
    /// Whose snapshots.
    pub source: String,
    /// `automated`, `manual` or `any`.
    pub snapshot_type: String,
    /// When it is due.
    pub rule: Rule,
    /// When the first backup is made.
    pub first_backup: FirstBackup,
    /// How long the old one is kept.
    pub keep_old: Duration,
    /// The beginning of the last snapshot's name.
    pub final_snapshot: Option<String>,
    /// Whether automated backups are deleted with the old one.
    pub delete_automated_backups: bool,
}

/// What an answer must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expect {
    /// Exactly this.
    Equals(Json),
    /// A number not below this.
    AtLeast(Json),
    /// A number not above this.
    AtMost(Json),
    /// Any.
    Anything,
}

/// One `check` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Its label.
    pub title: String,
    /// The query.
    pub sql: String,
    /// What the answer must be.
    pub expect: Vec<Expect>,
}

/// The whole block.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What it is called.
    pub address: Address,
    /// Whose everything is.
    pub owner: Owner,
    /// The provider's name.
    pub provider: String,
    /// The instance's name: the block's label.
    pub name: String,
    /// The new instance's until the switch.
    pub next: String,
    /// The old instance's from the switch on.
    pub old: String,
    /// The `refresh` block.
    pub refresh: Option<Refresh>,
    /// Declared settings, without `vpc_security_groups`.
    pub settings: Settings,
    /// Declared security groups, names or ids.
    pub groups: Option<Vec<String>>,
    /// Declared tags.
    pub tags: Tags,
    /// How SQL gets there.
    pub connect: Option<Connect>,
    /// The scrub's statements, in order.
    pub scrub: Vec<String>,
    /// The checks, in order.
    pub checks: Vec<Check>,
    /// Whether the replaced instance may not be deleted.
    pub prevent_destroy: bool,
    /// Declared timeouts over the defaults.
    pub timeouts: BTreeMap<String, Duration>,
}

impl Wanted {
    /// Reads a checked block.
    ///
    /// # Errors
    /// When the block was never checked by its table, which the caller's order of work rules out.
    pub fn read(declared: &Declared, desired: &Desired) -> Result<Wanted> {
        let body = &declared.body;
        let name = declared.address.name.clone();
        let block = body.block("refresh");
        let named = |attribute: &str, suffix: &str| block.and_then(|b| b.text(attribute)).map_or_else(|| format!("{name}-{suffix}"), str::to_owned);
        let mut settings = Settings::new();
        for spec in setting_specs::settings().filter(|spec| spec.name != "vpc_security_groups") {
            if let Some(attr) = body.attr(spec.name) {
                settings.insert(spec.name.to_owned(), normal(spec.name, attr.value.to_json()));
            }
        }
        Ok(Wanted {
            owner: Owner { environment: desired.environment.clone(), resource: declared.address.to_string() },
            address: declared.address.clone(),
            provider: body.text("provider").unwrap_or("aws").to_owned(),
            next: named("next_name", "next"),
            old: named("old_name", "old"),
            refresh: block.map(|block| refresh(block, &name)).transpose()?,
            settings,
            groups: body.texts("vpc_security_groups"),
            tags: body.text_map("tags").unwrap_or_default(),
            connect: body.block("connect").map(Connect::read),
            scrub: body.block("scrub").map(scrub).unwrap_or_default(),
            checks: body.blocks("check").map(check).collect(),
            prevent_destroy: declared.common.prevent_destroy,
            timeouts: declared.common.timeouts.clone(),
            name,
        })
    }

    /// A timeout by its name, and what it takes as a rule.
    #[must_use]
    pub fn timeout(&self, name: &str) -> (Duration, Duration) {
        let spec = schema::TIMEOUTS.iter().find(|spec| spec.name == name).unwrap_or(&schema::TIMEOUTS[0]);
        (self.timeouts.get(name).copied().unwrap_or(spec.default), spec.expected)
    }
}

/// The form in which RDS answers: lists of logs sorted; windows, and the names of groups, in lower case.
fn normal(name: &str, value: Json) -> Json {
    match (name, value) {
        ("enabled_cloudwatch_logs_exports", Json::Array(mut items)) => {
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            items.dedup();
            Json::Array(items)
        }
        ("backup_window" | "maintenance_window" | "db_subnet_group_name" | "parameter_group_name" | "option_group_name", Json::String(text)) => {
            Json::String(text.to_ascii_lowercase())
        }
        (_, value) => value,
    }
}

fn refresh(block: &Node, name: &str) -> Result<Refresh> {
    let source = block
        .text("snapshot_of")
        .ok_or_else(|| Error::new(Exit::Error, "refresh does not say snapshot_of", "name the instance whose snapshots are restored"))?;
    let rule = match (block.text("schedule"), block.duration("max_age")) {
        (Some(text), _) => Rule::Schedule { text: text.to_owned(), timezone: block.text("timezone").unwrap_or("UTC").to_owned() },
        (None, Some(age)) => Rule::MaxAge(age),
        (None, None) => Rule::Asked,
    };
    let final_snapshot = match (block.bool("final_snapshot"), block.text("final_snapshot")) {
        (Some(true), _) => Some(format!("{name}-final")),
        (_, Some(beginning)) => Some(beginning.to_owned()),
        _ => None,
    };
    Ok(Refresh {
        source: source.to_owned(),
        snapshot_type: block.text("snapshot_type").unwrap_or("automated").to_owned(),
        rule,
        first_backup: if block.text("first_backup") == Some("after_switch") { FirstBackup::AfterSwitch } else { FirstBackup::BeforeSwitch },
        keep_old: block.duration("keep_old").unwrap_or_default(),
        final_snapshot,
        delete_automated_backups: block.bool("delete_automated_backups").unwrap_or(true),
    })
}

fn scrub(block: &Node) -> Vec<String> {
    let tables: Vec<String> = block.texts("truncate").unwrap_or_default().iter().filter_map(|name| names::table(name).ok()).collect();
    let truncate = (!tables.is_empty()).then(|| format!("TRUNCATE TABLE {} RESTART IDENTITY CASCADE", tables.join(", ")));
    truncate.into_iter().chain(block.texts("sql").unwrap_or_default()).collect()
}

fn check(block: &Node) -> Check {
    let value = |name: &str| block.value(name).map(crate::model::Value::to_json);
    let expect = [value("equals").map(Expect::Equals), value("at_least").map(Expect::AtLeast), value("at_most").map(Expect::AtMost)];
    Check {
        title: block.labels.first().map(|(label, _)| label.clone()).unwrap_or_default(),
        sql: block.text("sql").unwrap_or_default().to_owned(),
        expect: expect.into_iter().flatten().collect(),
    }
}
