//! What became of a run: the lists of the final report.

use crate::apply::event::Summary;
use crate::apply::journal::{Answer, RunState, Stage};
use crate::model::Exit;
use crate::plan::Undo;

/// Sorts every step of the plan into exactly one list, and says what a person must do.
#[must_use]
pub fn summarize(state: &RunState, exit: Exit, needs: Vec<String>) -> Summary {
    let mut summary = Summary { exit_code: exit.code(), needs, ..Summary::default() };
    for step in &state.plan.steps {
        let folded = state.step(&step.id);
        let list = match &folded.stage {
            Stage::Done => &mut summary.done,
            Stage::Undone => &mut summary.undone,
            // Refused for certain: nothing of it is anywhere.
            Stage::Called(call) if matches!(call.answer, Some(Answer::Nothing { .. })) && !call.doubt => &mut summary.not_started,
            Stage::Called(_) => &mut summary.in_flight,
            Stage::Fresh | Stage::Watching(_) => &mut summary.not_started,
        };
        list.push(step.id.clone());
    }
    summary
}

/// Steps whose effect may be there and whose way back is still to go, newest first.
#[must_use]
pub fn to_undo(state: &RunState) -> Vec<String> {
    let mut steps: Vec<(u64, &str)> = state
        .plan
        .steps
        .iter()
        .filter(|step| !matches!(step.undo, Undo::Keep(_) | Undo::Impossible(_)))
        .filter_map(|step| {
            let folded = state.step(&step.id);
            (folded.called && folded.stage != Stage::Undone).then_some((folded.order?, step.id.as_str()))
        })
        .collect();
    steps.sort_unstable();
    steps.into_iter().rev().map(|(_, id)| id.to_owned()).collect()
}

/// Steps that were called, cannot be undone, and what is lost by them.
#[must_use]
pub fn gone(state: &RunState) -> Vec<(String, String)> {
    let of = |step: &crate::plan::Step| {
        let folded = state.step(&step.id);
        match &step.undo {
            Undo::Impossible(lost) if folded.called && folded.stage != Stage::Undone => Some((step.id.clone(), lost.clone())),
            _ => None,
        }
    };
    state.plan.steps.iter().filter_map(of).collect()
}
