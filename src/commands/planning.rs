//! Declare, observe, diff, plan: what `plan` and `apply ENV` share.

use std::collections::BTreeSet;

use super::Session;
use super::session::OpenWorld;
use crate::cli::PlanFlags;
use crate::declare::{self, Declared, Desired, Location};
use crate::kinds;
use crate::model::{Address, Error, Exit, Result, Severity};
use crate::observe::{self, Observer};
use crate::plan::{self, Plan, Planner};
use crate::world::Readers;

/// Reads an environment's files; mistakes are shown, all of them, and end it.
pub fn read(session: &Session, location: &Location, world: &OpenWorld) -> Result<Desired> {
    let now = world.writers.clock().now();
    let reading = session.with_inputs(now, |inputs| declare::read(location, inputs))?;
    if !reading.problems.is_empty() {
        session.note(&declare::render(&reading.problems, session.err_style().color));
    }
    let count = reading.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    reading.desired.ok_or_else(|| {
        let what = format!("environment {} has {count} {}", location.environment, if count == 1 { "mistake" } else { "mistakes" });
        Error::new(Exit::Error, what, "mend what is shown above; `switchover validate` checks it without network or credentials")
    })
}

/// Observes and plans.
pub async fn make(desired: &Desired, world: &OpenWorld, flags: &PlanFlags) -> Result<Plan> {
    let mut plan = draft(desired, world, flags).await?;
    plan.digest = plan::digest::of(&plan);
    Ok(plan)
}

/// Observes and plans, for looking at it alone: the plan has no digest.
pub async fn draft(desired: &Desired, world: &OpenWorld, flags: &PlanFlags) -> Result<Plan> {
    let readers: &dyn Readers = &*world.writers;
    let undeclared = undeclared(desired, readers, flags).await;
    let gone: Vec<&Address> = undeclared.iter().map(|(declared, _)| &declared.address).collect();
    let targets = addresses(desired, &flags.target, &gone)?;
    let refresh = addresses(desired, &flags.refresh, &[])?;
    let mut resources = selected(desired, &targets);
    let mut observed = observe::observe(desired, &resources, |kind| kinds::find(kind).map(|kind| kind as &dyn Observer), readers).await;
    let undeclared: Vec<_> = undeclared.into_iter().filter(|(declared, _)| targets.is_empty() || targets.contains(&declared.address)).collect();
    let (removed, found): (Vec<Declared>, Vec<_>) = undeclared.into_iter().unzip();
    observed.resources.extend(removed.iter().map(|declared| declared.address.clone()).zip(found));
    resources.extend(&removed);
    let diffed = crate::diff::diff(desired, &resources, &observed, |kind| kinds::find(kind).map(|kind| kind as &dyn crate::diff::Differ), &refresh);
    Ok(plan::draft(&plan::Request {
        desired,
        resources: &resources,
        observed: &observed,
        diffed: &diffed,
        planners: |kind| kinds::find(kind).map(|kind| kind as &dyn Planner),
        world: readers.identity(),
        random: readers.random(),
    }))
}

/// What `--prune` is to remove; nothing is looked for without it.
async fn undeclared(desired: &Desired, readers: &dyn Readers, flags: &PlanFlags) -> Vec<observe::Undeclared> {
    if !flags.prune {
        return Vec::new();
    }
    observe::undeclared(desired, kinds::ALL.iter().map(|kind| *kind as &dyn Observer), readers).await
}

fn addresses(desired: &Desired, texts: &[String], also: &[&Address]) -> Result<BTreeSet<Address>> {
    let one = |text: &String| {
        let address: Address = text.parse().map_err(|why: String| Error::new(Exit::Error, why, "write the address as a plan shows it"))?;
        if desired.resource(&address).is_some() || also.contains(&&address) {
            return Ok(address);
        }
        let known: Vec<String> = desired.resources.iter().map(|declared| declared.address.to_string()).collect();
        Err(Error::new(Exit::Error, format!("{address} is not declared in {}", desired.environment), format!("declared are: {}", known.join(", "))))
    };
    texts.iter().map(one).collect()
}

/// The targets and what they depend on; everything when there are none.
fn selected<'a>(desired: &'a Desired, targets: &BTreeSet<Address>) -> Vec<&'a Declared> {
    let mut wanted = BTreeSet::new();
    let mut next: Vec<&Address> = targets.iter().collect();
    while let Some(address) = next.pop() {
        if wanted.insert(address)
            && let Some(declared) = desired.resource(address)
        {
            next.extend(&declared.common.depends_on);
        }
    }
    desired.resources.iter().filter(|declared| targets.is_empty() || wanted.contains(&declared.address)).collect()
}

/// Whether there is anything to do.
#[must_use]
pub fn has_changes(plan: &Plan) -> bool {
    !plan.steps.is_empty()
}

/// The error of a plan that could not be made whole; it has been shown.
#[must_use]
pub fn incomplete(plan: &Plan) -> Option<Error> {
    let first = plan.errors.first()?;
    let more = plan.errors.len() - 1;
    let what =
        if more == 0 { format!("{} could not be planned", first.address) } else { format!("{} and {more} more could not be planned", first.address) };
    Some(Error::new(Exit::Error, what, first.help.clone()).because_text(first.error.clone()))
}
