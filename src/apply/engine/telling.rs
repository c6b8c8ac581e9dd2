//! Journal records → events: the same for a run as it goes and for one that is shown again.

use crate::apply::event::{Event, EventKind};
use crate::apply::journal::{Record, RunState};
use crate::model::time::{self, Timestamp};

/// The event that a record stands for, once it is folded into `state`. Not every record is told.
#[must_use]
pub fn event_of(record: &Record, at: Timestamp, state: &RunState) -> Option<Event> {
    let kind = match record {
        Record::Begun { plan, actor } => EventKind::RunStarted {
            mode: "apply".to_owned(),
            steps: plan.steps.len(),
            expected_seconds: plan.expected.as_secs(),
            actor: actor.clone(),
        },
        Record::Continued { mode, actor } => EventKind::RunStarted {
            mode: mode.clone(),
            steps: state.plan.steps.len(),
            // Nobody knows how long a way back takes.
            expected_seconds: if mode == "rollback" || state.turned_back.is_some() { 0 } else { state.plan.expected.as_secs() },
            actor: actor.clone(),
        },
        Record::Watching { step } => EventKind::StepStarted { expected_seconds: expected(state, step), attempt: 1, undo: false },
        Record::Intent { step, undo, attempt } => EventKind::StepStarted {
            expected_seconds: if undo.is_some() { 0 } else { expected(state, step) },
            attempt: *attempt,
            undo: undo.is_some(),
        },
        Record::Done { step, detail, .. } => EventKind::StepDone { elapsed_seconds: elapsed(state, step, at), detail: detail.clone() },
        Record::Failed { error, help, undo, .. } => EventKind::StepFailed { error: error.clone(), help: help.clone(), undo: *undo },
        Record::Undone { step, .. } => {
            let began = state.step(step).undo.as_ref().map_or(at, |(_, call)| call.first);
            EventKind::StepUndone { elapsed_seconds: time::between(began, at).as_secs() }
        }
        Record::OutageStarted { outage } => {
            let expected = state.plan.outage.iter().find(|window| window.name == *outage).map_or(0, |window| window.expected.as_secs());
            EventKind::OutageStarted { outage: outage.clone(), expected_seconds: expected }
        }
        Record::OutageEnded { outage, seconds } => EventKind::OutageEnded { outage: outage.clone(), seconds: *seconds },
        Record::Stopped { summary, .. } | Record::Finished { summary, .. } => {
            EventKind::RunFinished { summary: summary.clone(), elapsed_seconds: time::between(state.taken_up, at).as_secs() }
        }
        Record::TurnedBack { why } => EventKind::Notice { message: format!("turning back: {why}") },
        Record::Answered { .. } | Record::Noted { .. } => return None,
    };
    Some(about(state, step_of(record), at, kind))
}

/// An event about a step, or about the run. What the step does is for the caller to name: who runs it knows the service's word, who only reads of it
/// the plan's.
#[must_use]
pub fn about(state: &RunState, step: Option<&str>, at: Timestamp, kind: EventKind) -> Event {
    let step = step.and_then(|id| state.plan.step(id));
    Event {
        time: at,
        run: state.plan.run.clone(),
        environment: state.plan.environment.clone(),
        step: step.map(|step| step.id.clone()),
        address: step.map(|step| step.address.clone()),
        phase: step.map(|step| step.phase),
        operation: None,
        kind,
    }
}

fn step_of(record: &Record) -> Option<&str> {
    match record {
        Record::Watching { step }
        | Record::Intent { step, .. }
        | Record::Answered { step, .. }
        | Record::Noted { step, .. }
        | Record::Done { step, .. }
        | Record::Failed { step, .. }
        | Record::Undone { step, .. } => Some(step),
        _ => None,
    }
}

fn expected(state: &RunState, id: &str) -> u64 {
    state.plan.step(id).map_or(0, |step| step.limits.expected.as_secs())
}

fn elapsed(state: &RunState, id: &str, at: Timestamp) -> u64 {
    state.step(id).began.map_or(0, |began| time::between(began, at).as_secs())
}
