//! Desired × Observed → [`Change`]s. Pure.

pub mod all;

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::declare::{Declared, Desired};
use crate::model::time::Timestamp;
use crate::model::{Address, Json, Result};
use crate::observe::Observation;

pub use all::{Diffed, Differs, diff};

/// What happens to a resource, in Terraform's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// Something of it is removed.
    Delete,
    /// A new one is made, takes over, and the old one is removed: `+/-`.
    Replace,
}

/// One attribute, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeChange {
    /// Null: will not be there.
    pub after: Json,
    /// Null: was not there.
    pub before: Json,
    /// Its name; a path for inner ones: `record["A", "gigadb.org"].content`.
    pub name: String,
    /// A few words behind it: "restarts the instance", "from Elastic IP eip-…".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Answers that are given up and taken over, for judging swaps over all zones of a plan together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Answers that names lose.
    pub given: BTreeSet<String>,
    /// Answers that names get.
    pub taken: BTreeSet<String>,
    /// Answers that are declared by name (Elastic IPs), changed or not.
    pub named: BTreeSet<String>,
}

impl Exchange {
    /// Whether answers only change hands: what is given up is exactly what is taken over; or, where a swap is finished whose one half went out
    /// before, all that is given up or taken over stays declared by name.
    #[must_use]
    pub fn is_swap(&self) -> bool {
        let by_name = self.given.is_subset(&self.named) && self.taken.is_subset(&self.named);
        !self.given.is_empty() && (self.given == self.taken || by_name)
    }
}

/// Something that an earlier run made, and that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOver {
    /// The service's name for it: `dev-openverse-db-next`.
    pub name: String,
    /// The run that made or marked it, if its mark says so.
    pub run: Option<String>,
    /// Until when it is kept on purpose.
    pub kept_until: Option<Timestamp>,
}

/// What differs in one resource.
pub struct Change {
    /// Which.
    pub address: Address,
    /// What happens to it.
    pub action: Action,
    /// What differs, attribute by attribute, sorted as people should read it.
    pub attributes: Arc<Vec<AttributeChange>>,
    /// Why, in full sentences without a last dot: "data is 34 days old; due since 2026-11-01 (monthly)".
    pub reasons: Vec<String>,
    /// What is shown and not done: differences that wait, holds, pending modifications.
    pub notes: Vec<String>,
    /// What should worry the reader.
    pub warnings: Vec<String>,
    /// The hold's sentence, when held: nothing is planned for it.
    pub held: Option<String>,
    /// When it is next due, if it is a matter of time.
    pub next_due: Option<Timestamp>,
    /// Since when it has been due, if it is.
    pub due_since: Option<Timestamp>,
    /// When the data was taken, for what is made of a copy of something else.
    pub data_from: Option<Timestamp>,
    /// What earlier runs made and left.
    pub left_overs: Vec<LeftOver>,
    /// Answers that change hands.
    pub exchange: Exchange,
    /// What the kind's planner needs besides; only that kind knows its type.
    pub detail: Option<Box<dyn Any + Send + Sync>>,
}

impl Change {
    /// No difference.
    #[must_use]
    pub fn none(address: Address) -> Self {
        Change {
            address,
            action: Action::NoOp,
            attributes: Arc::default(),
            reasons: Vec::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
            held: None,
            next_due: None,
            due_since: None,
            data_from: None,
            left_overs: Vec::new(),
            exchange: Exchange::default(),
            detail: None,
        }
    }

    /// What differs, to add to it; the plan shares it later.
    pub fn rows(&mut self) -> &mut Vec<AttributeChange> {
        Arc::make_mut(&mut self.attributes)
    }
}

/// What diffing gets besides the two sides.
pub struct DiffCx<'a> {
    /// The world's time.
    pub now: Timestamp,
    /// The whole declaration.
    pub desired: &'a Desired,
    /// Resources that count as due now (`--refresh`).
    pub refresh: &'a BTreeSet<Address>,
}

/// What diffing needs to know of a kind. Pure.
pub trait Differ: Sync {
    /// Brings both sides into one shape and compares. A conflict (a foreign thing in the way) is an error. Holds are the caller's.
    fn diff(&self, declared: &Declared, observation: &Observation, cx: &DiffCx<'_>) -> Result<Change>;
}
