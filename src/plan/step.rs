//! One step of a plan: all of it data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Address, Data, Phase, time};

/// How long things may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// From the step's first look to its end; longer is a failure.
    #[serde(with = "time::seconds", rename = "timeout_seconds")]
    pub timeout: Duration,
    /// How long a service may take to show the effect of a call it answered well.
    #[serde(with = "time::seconds", rename = "visibility_seconds")]
    pub visibility: Duration,
    /// The longest pause between two looks while no outage lasts. While one lasts it looks every second.
    #[serde(with = "time::seconds", rename = "poll_seconds")]
    pub poll: Duration,
    /// How long it takes as a rule: declared or the kind's default.
    #[serde(with = "time::seconds", rename = "expected_seconds")]
    pub expected: Duration,
}

/// The way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Undo {
    /// The step changes nothing (a look, a check), so there is nothing to undo.
    Nothing,
    /// Operations, one after the other. Each finds out by looking whether there is anything to do.
    Operations {
        /// One line: "rename it back".
        title: String,
        /// In order.
        operations: Vec<Data>,
    },
    /// It stays as it is when the run is turned back, and that is right: why.
    Keep(String),
    /// It cannot be undone: what is lost.
    Impossible(String),
}

/// How a step bears on an outage that people notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outage {
    /// The outage of that name begins just before this step's call.
    Starts(String),
    /// The step is within it.
    Within(String),
    /// It ends when this step is done.
    Ends(String),
    /// The step is the whole of it.
    Whole(String),
}

impl Outage {
    /// The outage's name, for people: "dev-openverse-db".
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Outage::Starts(name) | Outage::Within(name) | Outage::Ends(name) | Outage::Whole(name) => name,
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `database.dev-openverse-db/restore`; unique in the plan.
    pub id: String,
    /// Whose step it is.
    pub address: Address,
    /// What may be noticed, and how it fails.
    pub phase: Phase,
    /// One line for people: "restore dev-openverse-db-next from rds:prod-openverse-db-2026-11-01-00-07".
    pub title: String,
    /// What the kind decodes and runs; `type` says which.
    pub operation: Data,
    /// The way back.
    pub undo: Undo,
    /// Ids of the steps that must be done before.
    pub after: Vec<String>,
    /// Ids of the facts it relies on, checked just before its first call.
    pub facts: Vec<String>,
    /// Names it writes, old and new, tag values included: what the guard looks at.
    pub writes: Vec<String>,
    /// How long things may take.
    pub limits: Limits,
    /// How it bears on an outage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
    /// What cannot be undone afterwards, in words; shown in red.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub irreversible: Option<String>,
}

/// Something the plan relied on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// `database.dev-openverse-db/snapshot`; unique in the plan.
    pub id: String,
    /// Whose.
    pub address: Address,
    /// One line for people: "newest snapshot of prod-openverse-db".
    pub title: String,
    /// How to read it again; the kind decodes it.
    pub read: Data,
    /// What it was.
    pub value: Data,
}
