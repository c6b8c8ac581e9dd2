//! Changes → [`Plan`]: steps, order, facts, safety, the saved file. Pure.

pub mod build;
pub mod digest;
pub mod document;
pub mod experience;
pub mod file;
mod order;
pub mod places;
pub mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::declare::{Declared, Desired};
use crate::diff::{Change, Exchange};
use crate::model::Result;
use crate::model::time::Timestamp;
use crate::observe::Observation;

pub use build::{Planners, Request, build, draft};
pub use document::{OutageWindow, Plan, PlanError, ResourceChange};
pub use experience::{Estimate, Experience, Left};
pub use step::{Fact, Limits, Outage, Step, Undo};

/// What planning a resource gets besides its change.
pub struct PlanCx<'a> {
    /// The world's time.
    pub now: Timestamp,
    /// The run's id: stands in names, marks and tokens.
    pub run: &'a str,
    /// The whole declaration.
    pub desired: &'a Desired,
    /// Answers that change hands, over all resources of the plan: a set that is both wholly given and wholly taken is a swap.
    pub exchange: &'a Exchange,
}

/// What a kind contributes to a plan for one resource. Step ids are `ADDRESS/slug`; fact ids likewise.
#[derive(Debug, Default)]
pub struct Part {
    /// Its steps, in the order in which they should be shown.
    pub steps: Vec<Step>,
    /// What they rely on.
    pub facts: Vec<Fact>,
    /// For the reader.
    pub warnings: Vec<String>,
    /// For the reader.
    pub notes: Vec<String>,
    /// Names of what the run locks: `rds:ACCOUNT/REGION/NAME`, `dns:ZONE`.
    pub locks: Vec<String>,
    /// Set for resources whose switches belong together: without `depends_on` between them, those of one group go out directly one after the
    /// other in the order of the file, once all of them are verified, and are confirmed together afterwards.
    pub together: Option<&'static str>,
    /// How long caches may still give the answers from before the switch.
    pub cached_for: Duration,
    /// Names of the providers that its steps and facts use.
    pub providers: BTreeSet<String>,
    /// Of the world it was made in: `aws` → `ACCOUNT/REGION`, `zone gigadb.org` → its id. Compared again before the first step.
    pub world: BTreeMap<String, String>,
}

/// What planning needs to know of a kind. Pure.
pub trait Planner: Sync {
    /// The steps that make the change true. Safety thresholds and the like are errors here.
    fn plan(&self, declared: &Declared, observation: &Observation, change: &Change, cx: &PlanCx<'_>) -> Result<Part>;
}
