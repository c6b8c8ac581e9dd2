//! The plan as a document: the saved file *is* the program, and the same JSON is what `plan --json` prints.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::places::Places;
use super::step::{Fact, Step};
use crate::declare::Provider;
use crate::diff::{Action, AttributeChange};
use crate::model::time::{self, Timestamp};
use crate::model::{Address, Data, Json, json};
use crate::world::provider::SlackProvider;

/// The major version is refused when unknown; a higher minor version too, since what it adds may matter.
pub const FORMAT_VERSION: &str = "1.0";

/// A plan. Its order of steps is the order in which people read it; what runs when is `after` alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT_VERSION`].
    pub format_version: String,
    /// The version of the tool that made it.
    pub switchover_version: String,
    /// The environment's name.
    pub environment: String,
    /// The id of the run that this plan will be: a plan is applied once.
    pub run: String,
    /// When it was made, by the world's clock.
    pub created_at: Timestamp,
    /// The world's identity (`live`, or a simulated world's id), and of each account, region and zone which it is.
    pub world: BTreeMap<String, String>,
    /// The providers that its steps use, and those of notices.
    pub providers: BTreeMap<String, Provider>,
    /// Words that the name of nothing written may contain.
    pub protect: Vec<String>,
    /// Where notices go.
    pub notify: Vec<SlackProvider>,
    /// Where the run is journaled: `"local"`, a URL, or a secret reference to one.
    #[serde(deserialize_with = "json::any")]
    pub journal: Json,
    /// What changes, Terraform-compatible, in the order in which it happens; resources without a change are there with `no-op` when they
    /// have something to say (held, notes).
    pub resource_changes: Vec<ResourceChange>,
    /// The steps.
    pub steps: Vec<Step>,
    /// What they rely on.
    pub facts: Vec<Fact>,
    /// Names of what the run locks besides its environment.
    pub locks: Vec<String>,
    /// What should worry the reader.
    pub warnings: Vec<String>,
    /// The longest path through the steps, by their expectations.
    #[serde(with = "time::seconds", rename = "expected_seconds")]
    pub expected: Duration,
    /// What people will notice, in order.
    pub outage: Vec<OutageWindow>,
    /// What cannot be undone, in words, in order.
    pub irreversible: Vec<String>,
    /// Resources that could not be planned. A plan with errors is shown and never saved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<PlanError>,
    /// `sha256:…` over the canonical form of everything else; empty in a draft.
    pub digest: String,
    /// Where each step stands: for [`Plan::place`] alone.
    #[serde(skip)]
    pub places: Places,
}

/// An expected outage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutageWindow {
    /// Of what.
    pub name: String,
    /// How long as a rule.
    #[serde(with = "time::seconds", rename = "expected_seconds")]
    pub expected: Duration,
    /// The steps in it.
    pub steps: Vec<String>,
}

/// Why a resource could not be planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanError {
    /// Which.
    pub address: Address,
    /// Why, the whole chain.
    pub error: String,
    /// What to do.
    pub help: String,
}

/// One resource's change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceChange {
    /// Which.
    pub address: Address,
    /// Always `managed`.
    pub mode: String,
    /// The kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The name of its provider: `aws.hk`.
    pub provider_name: String,
    /// Terraform's shape.
    pub change: TerraformChange,
    /// What happens, in one word.
    pub action: Action,
    /// Attribute by attribute, with notes; `change` holds the same.
    pub attributes: Arc<Vec<AttributeChange>>,
    /// Why.
    pub reasons: Vec<String>,
    /// What is shown and not done.
    pub notes: Vec<String>,
    /// The hold's sentence, when held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// When it is next due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Timestamp>,
    /// `environments/staging.hcl:12:1`.
    pub declared_at: String,
}

/// `change` of Terraform's `resource_changes[]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerraformChange {
    /// `["no-op"]`, `["create"]`, `["update"]`, `["delete"]`, `["create","delete"]`.
    pub actions: Vec<String>,
    /// The changed attributes before; null for a create.
    pub before: Data,
    /// The changed attributes after; null for a delete.
    pub after: Data,
    /// Always empty: everything is known when it is planned.
    #[serde(deserialize_with = "json::any")]
    pub after_unknown: Json,
    /// Always false: secrets never reach a plan.
    #[serde(deserialize_with = "json::any")]
    pub before_sensitive: Json,
    /// Always false.
    #[serde(deserialize_with = "json::any")]
    pub after_sensitive: Json,
}

impl Action {
    /// Terraform's `actions`.
    #[must_use]
    pub fn terraform(self) -> Vec<String> {
        let words: &[&str] = match self {
            Action::NoOp => &["no-op"],
            Action::Create => &["create"],
            Action::Update => &["update"],
            Action::Delete => &["delete"],
            Action::Replace => &["create", "delete"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}
