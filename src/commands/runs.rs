//! `runs`: an environment's history, or one run's events shown by the same display.

use std::sync::Arc;

use super::{Session, running};
use crate::apply::engine::{Program, telling};
use crate::apply::event::Sink;
use crate::apply::journal::{Record, RunState};
use crate::apply::operation::Operations;
use crate::kinds;
use crate::model::{Error, Exit, Result, time};
use crate::report::runs::{RunRow, RunsDoc, json, text};
use crate::report::{JsonLines, Progress};

pub async fn run(session: &Session, environment: &str, id: Option<&str>) -> Result<Exit> {
    let location = session.locate_runs(environment)?;
    let store = session.store_of_environment(&location)?;
    if let Some(id) = id {
        let stored = store.read(&location.environment, id).await?;
        let stored = stored.ok_or_else(|| {
            Error::new(
                Exit::Error,
                format!("there is no run {id} of {0}", location.environment),
                format!("see `switchover runs {}`", location.environment),
            )
        })?;
        return replay(session, &stored.entries);
    }
    let mut doc = RunsDoc { environment: location.environment.clone(), runs: Vec::new() };
    for id in store.runs(&location.environment).await? {
        doc.runs.extend(running::state_of(&*store, &location.environment, &id).await?.map(|state| row(&state)));
    }
    doc.runs.sort_by_key(|row| std::cmp::Reverse(row.started));
    session.say(&if session.globals.json { json(&doc) } else { text(&doc, &session.out_style()) });
    Ok(Exit::Done)
}

fn row(state: &RunState) -> RunRow {
    let ended = state.finished.as_ref().or(state.stopped.as_ref());
    let summary = crate::apply::engine::summary::summarize(state, Exit::Done, Vec::new());
    RunRow {
        run: state.plan.run.clone(),
        started: state.began,
        elapsed_seconds: time::between(state.began, state.last).as_secs(),
        actor: state.actor.clone(),
        mode: if state.given_up { crate::report::runs::GIVEN_UP.to_owned() } else { state.mode.clone() },
        exit_code: ended.map(|summary| summary.exit_code),
        steps: state.plan.steps.len(),
        done: summary.done.len(),
        undone: summary.undone.len(),
        outage_seconds: state.outage_seconds,
        outage_open: !state.outages.is_empty(),
    }
}

fn replay(session: &Session, entries: &[crate::apply::journal::Entry]) -> Result<Exit> {
    let damaged =
        |why: String| Error::new(Exit::Error, "the journal tells what cannot have happened", "move it aside; reality is the state").because_text(why);
    let Some((first, rest)) = entries.split_first() else { return Ok(Exit::Done) };
    let Record::Begun { plan, actor } = &first.record else { return Err(damaged("it does not begin with a plan".to_owned())) };
    let mut state = RunState::begin(Arc::clone(plan), actor.clone(), first.time);
    let out = session.out();
    let mut sink: Box<dyn Sink> = if session.globals.json {
        Box::new(JsonLines::new(out))
    } else {
        Box::new(Progress::new(out, session.out_style(), Arc::clone(plan)).with_report())
    };
    // Only the words of the operations come from it: a plan that this version cannot run can still be shown.
    let program = Program::new(Arc::clone(plan), |kind| kinds::find(kind).map(|kind| kind as &dyn Operations)).ok();
    for entry in std::iter::once(first).chain(rest) {
        if !matches!(entry.record, Record::Begun { .. }) {
            state.apply(entry.time, &entry.record).map_err(damaged)?;
        }
        if let Some(mut event) = telling::event_of(&entry.record, entry.time, &state) {
            match &program {
                Some(program) => program.name_operation(&mut event, &state),
                None => event.operation = event.step.as_deref().and_then(|id| state.plan.step(id)?.operation.word("type")),
            }
            sink.event(&event);
        }
    }
    Ok(Exit::Done)
}
