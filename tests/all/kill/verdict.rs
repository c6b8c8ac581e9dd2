//! Where a trial ended, and whether that is one of its two ends.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use switchover::apply::engine::summary;
use switchover::apply::journal::{Entry, Record, RunState, fold};
use switchover::kinds;
use switchover::plan::Undo;

use super::stage::{Baseline, Stage};

pub const DECLARED: &str = "the declared world";
pub const ORIGINAL: &str = "the original world";

/// The last run, folded.
pub fn state(entries: &[Entry]) -> Option<RunState> {
    (!entries.is_empty()).then(|| fold::fold(entries).expect("the history is legal"))
}

/// Whether the run has done something that cannot be undone.
pub fn is_gone(entries: &[Entry]) -> bool {
    state(entries).is_some_and(|state| !summary::gone(&state).is_empty())
}

/// The world is the one that the journal's last word promises, and planning says the same.
pub fn check(stage: &Stage, effects: &[String], baseline: &Baseline, original: &Json) -> &'static str {
    let entries = stage.entries();
    let (state, place) = (state(&entries), stage.place());
    let declared = state.as_ref().is_some_and(|state| state.turned_back.is_none());
    if let Some(state) = &state {
        let summary = state.finished.as_ref().unwrap_or_else(|| panic!("{place}: the run has not ended"));
        assert_eq!(summary.exit_code, 0, "{place}: {summary:?}");
    }
    let wanted = if declared { &baseline.declared } else { original };
    let found = stage.essence();
    if found != *wanted {
        let (wanted, found) = (serde_json::to_string_pretty(wanted).unwrap(), serde_json::to_string_pretty(&found).unwrap());
        let diff = similar::TextDiff::from_lines(&wanted, &found);
        panic!("{place}: another world than wanted\n{}", diff.unified_diff().context_radius(2).header("wanted", "found"));
    }
    calls(stage, effects, baseline, declared);
    let again = stage.run(&["plan", stage.case.environment, "--detailed-exitcode"]);
    assert_eq!(again.code, Some(if declared { 0 } else { 2 }), "{place}: planning again: {again}");
    if declared { DECLARED } else { ORIGINAL }
}

/// No call had an effect more often than it was intended; and where the run only ever went forward, each had it as often as in the undisturbed run.
fn calls(stage: &Stage, all: &[String], baseline: &Baseline, declared: bool) {
    let (mut effects, place) = (count(all), stage.place());
    let intents = intents(&stage.runs());
    for (call, count) in effects.iter().filter(|(call, _)| *call != "slack:post") {
        let intended = intents.get(call.as_str()).copied().unwrap_or_default();
        assert!(*count <= intended, "{place}: {call} had its effect {count} times for {intended} intents");
    }
    if declared {
        effects.remove("slack:post");
        let once: BTreeMap<String, usize> = baseline.effects.clone().into_iter().filter(|(call, _)| call != "slack:post").collect();
        assert_eq!(effects, once, "{place}: effects, and those of the undisturbed run");
    }
}

/// Calls by name.
pub fn count(calls: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(call.clone()).or_default() += 1;
    }
    counts
}

/// How often each call was intended, by the service's word for it.
pub fn intents(runs: &[Vec<Entry>]) -> BTreeMap<&'static str, usize> {
    let mut intents = BTreeMap::new();
    for entries in runs {
        let Some(Record::Begun { plan, .. }) = entries.first().map(|entry| &entry.record) else { continue };
        for entry in entries {
            let Record::Intent { step, undo, .. } = &entry.record else { continue };
            let planned = plan.steps.iter().find(|one| one.id == *step).unwrap();
            let operation = match (undo, &planned.undo) {
                (Some(index), Undo::Operations { operations, .. }) => &operations[*index],
                _ => &planned.operation,
            };
            let operation = kinds::find(&planned.address.kind).unwrap().decode(operation).unwrap();
            *intents.entry(operation.name()).or_default() += 1;
        }
    }
    intents
}
