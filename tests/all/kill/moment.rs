//! In which phase of a run a process died, as the journal that it left says.

use switchover::apply::journal::{Answer, Entry, Record, Stage, fold};

/// The row of the matrix: the phase, and whether a call was under way whose answer is not on disk.
pub fn of(entries: &[Entry]) -> String {
    let Some(last) = entries.last() else { return "before the first record".to_owned() };
    let state = fold::fold(entries).expect("the history is legal");
    if state.finished.is_some() {
        return "after the last record".to_owned();
    }
    let back = state.turned_back.is_some();
    let in_doubt = |answer: &Option<Answer>| !matches!(answer, Some(Answer::Good | Answer::Nothing { .. }));
    let doubt = state.plan.steps.iter().find(|step| {
        let folded = state.step(&step.id);
        match (&folded.undo, &folded.stage) {
            (Some((_, call)), _) if back => folded.stage != Stage::Undone && in_doubt(&call.answer),
            (_, Stage::Called(call)) => !back && in_doubt(&call.answer),
            _ => false,
        }
    });
    let about = entries.iter().rev().find_map(|entry| step_of(&entry.record)).and_then(|id| state.plan.step(id));
    let phase = match (back, doubt.or(about)) {
        (true, _) => "way back".to_owned(),
        (false, Some(step)) => step.phase.to_string(),
        (false, None) => "begun".to_owned(),
    };
    let outage = if state.outages.is_empty() { "" } else { ", in the outage" };
    let how = match (&last.record, doubt) {
        (Record::Continued { .. }, None) => "just taken up",
        (_, Some(_)) => "between intent and answer",
        _ => "between calls",
    };
    format!("{phase}{outage}, {how}")
}

fn step_of(record: &Record) -> Option<&str> {
    match record {
        Record::Watching { step }
        | Record::Intent { step, .. }
        | Record::Answered { step, .. }
        | Record::Done { step, .. }
        | Record::Undone { step, .. } => Some(step),
        _ => None,
    }
}
