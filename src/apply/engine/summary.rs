//! What became of a run: the lists of the final report.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::event::Summary;
use crate::apply::journal::fold::Standing;
use crate::apply::journal::{RunState, Stage};
use crate::model::Exit;
use crate::plan::{Outage, Undo};

/// Sorts every step of the plan into exactly one list, and says what a person must do.
#[must_use]
pub fn summarize(state: &RunState, exit: Exit, needs: Vec<String>) -> Summary {
    let mut summary = Summary { exit_code: exit.code(), needs, ..Summary::default() };
    for (step, folded) in state.each() {
        let list = match folded.standing() {
            Standing::Done => &mut summary.done,
            Standing::Undone => &mut summary.undone,
            Standing::InFlight => &mut summary.in_flight,
            Standing::NotStarted => &mut summary.not_started,
        };
        list.push(step.id.clone());
    }
    summary
}

/// Steps whose effect may be there and whose way back is still to go, newest first; but before all others, while an outage is open, those
/// whose way back ends it, and what came to wait for them.
#[must_use]
pub fn to_undo(state: &RunState) -> Vec<String> {
    let mut steps: Vec<(u64, &str)> = state
        .each()
        .filter(|(step, _)| !matches!(step.undo, Undo::Keep(_) | Undo::Impossible(_)))
        .filter(|(_, folded)| folded.called && folded.stage != Stage::Undone)
        .filter_map(|(step, folded)| Some((folded.order?, step.id.as_str())))
        .collect();
    steps.sort_unstable();
    let newest_first = steps.into_iter().rev().map(|(_, id)| id.to_owned());
    let urgent = ends_outages(state);
    let (mut first, last): (Vec<String>, Vec<String>) = newest_first.partition(|id| urgent.contains(id.as_str()));
    first.extend(last);
    first
}

/// The steps with which open outages began, and all that wait for them, directly or not: whatever is undone before the rest of the
/// run must hold all that was built upon it.
fn ends_outages(state: &RunState) -> BTreeSet<&str> {
    let open = |outage: &Outage| matches!(outage, Outage::Starts(name) | Outage::Whole(name) if state.outages.contains_key(name));
    let mut found: BTreeSet<&str> = BTreeSet::new();
    if state.outages.is_empty() {
        return found;
    }
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for step in &state.plan.steps {
        for before in &step.after {
            dependents.entry(before).or_default().push(&step.id);
        }
    }
    let mut next: Vec<&str> = state.plan.steps.iter().filter(|step| step.outage.as_ref().is_some_and(open)).map(|step| step.id.as_str()).collect();
    while let Some(id) = next.pop() {
        if found.insert(id) {
            next.extend(dependents.get(id).into_iter().flatten());
        }
    }
    found
}

/// Steps that were called, cannot be undone, and what is lost by them.
#[must_use]
pub fn gone(state: &RunState) -> Vec<(String, String)> {
    state.gone()
}
