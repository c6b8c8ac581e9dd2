//! An RDS instance kept fresh from another one's snapshots.
//!
//! # Procedure
//!
//! *prepare*: tag the old instance, wait for the snapshot, restore it as `NAME-next`, bring its settings to parity, wait;
//! *verify*: compare every setting, scrub in one transaction, ask the checks; *switch*: `NAME` becomes `NAME-old`, `NAME-next`
//! becomes `NAME`; *confirm*: name, endpoint and a query; *retire*: protect the new one, turn its backups on, delete the old one
//! or mark until when it is kept.
//!
//! # Guarantees
//!
//! - Nothing that failed its parity, scrub or checks ever gets the name.
//! - An instance is renamed or deleted only by its `DbiResourceId`, and deleted only with our mark and under the name that the plan
//!   says. Instances of others under one of the three names are a conflict.
//! - The scrub is committed at most once on an instance; a left-over whose scrub cannot be proven is removed and restored anew.
//! - Until *retire* the old instance is whole, and gets its name back when anything fails.
//! - From every state in which a run can die, with its journal or without, planning anew ends in the declared world (`leftovers`).
//!
//! # Assumptions
//!
//! - RDS refuses a restore under a name that is taken, and a rename to one; it refuses a second rename while one is under way.
//! - Tags survive renames. A rename that was begun shows itself within eight minutes.
//!
//! With `--prune`, instances of ours whose block is gone are deleted in *retire*, their protection lifted by a step before (`prune`).
//!
//! # Caveats
//!
//! - Between the two renames nothing answers under the name: as a rule some minutes.
//! - What was written to the old instance since the switch is lost when the run is rolled back after it.
//! - Storage never shrinks: more than declared is no difference.
//! - Without a journal, a run that died within its switch may take two plans to put right, since what a rename hides cannot be planned for.

mod check;
mod connect;
mod desired;
mod diff;
mod due;
mod expect;
mod facts;
#[cfg(test)]
mod fixture;
mod intent;
mod leftovers;
mod marks;
mod names;
mod observe;
mod operations;
mod parity;
mod plan;
mod prune;
mod schema;
mod setting_specs;
mod settings;
mod sql;
mod status;

use async_trait::async_trait;

use crate::apply::operation::{Cx, Operation, Operations};
use crate::declare::{BlockSpec, Declared, Desired, KindSchema, TimeoutSpec};
use crate::diff::{Change, DiffCx, Differ};
use crate::model::{Data, Error, Exit, Problem, Result};
use crate::observe::{Observation, ObserveCx, Observer, Undeclared};
use crate::plan::{Part, PlanCx, Planner};
use crate::world::CallResult;

use desired::Wanted;
use intent::Intent;
use observe::Seen;

/// The kind.
#[derive(Debug)]
pub struct Database;

/// The kind, for the list.
pub static KIND: Database = Database;

impl KindSchema for Database {
    fn block(&self) -> &'static BlockSpec {
        &schema::BLOCK
    }

    fn timeouts(&self) -> &'static [TimeoutSpec] {
        schema::TIMEOUTS
    }

    fn check(&self, declared: &Declared, desired: &Desired) -> Vec<Problem> {
        check::check(declared, desired)
    }
}

#[async_trait]
impl Observer for Database {
    async fn observe(&self, declared: &Declared, cx: &ObserveCx<'_>) -> Result<Observation> {
        Ok(Box::new(observe::observe(declared, cx).await?))
    }

    async fn undeclared(&self, cx: &ObserveCx<'_>) -> Vec<Undeclared> {
        prune::look(cx).await
    }
}

/// What was observed, in this kind's own form.
fn seen(observation: &Observation) -> Result<&Seen> {
    observation
        .downcast_ref()
        .ok_or_else(|| Error::new(Exit::Error, "the observation is not one of a database", "this is a mistake in the program: report it"))
}

impl Differ for Database {
    fn diff(&self, declared: &Declared, observation: &Observation, cx: &DiffCx<'_>) -> Result<Change> {
        let wanted = Wanted::read(declared, cx.desired)?;
        match observation.downcast_ref::<prune::Remains>() {
            Some(remains) => Ok(prune::diff(wanted, remains, cx)),
            None => diff::diff(wanted, seen(observation)?, cx),
        }
    }
}

impl Planner for Database {
    fn plan(&self, _: &Declared, observation: &Observation, change: &Change, cx: &PlanCx<'_>) -> Result<Part> {
        match change.detail.as_ref().and_then(|detail| detail.downcast_ref::<Intent>()) {
            Some(intent) if !intent.prune.is_empty() => Ok(plan::prune(intent, cx)),
            Some(intent) => Ok(plan::plan(intent, seen(observation)?, cx)),
            None => Ok(Part::default()),
        }
    }
}

#[async_trait]
impl Operations for Database {
    fn decode(&self, operation: &Data) -> Result<Box<dyn Operation>, String> {
        operations::decode(operation)
    }

    async fn read_fact(&self, read: &Data, cx: &Cx<'_>) -> CallResult<Data> {
        facts::read(read, cx).await
    }
}
