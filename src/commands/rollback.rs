//! `rollback`: undoes the unfinished or the last run, as its plan said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use super::running::{self, Begin, Run};
use super::session::OpenWorld;
use super::{Session, ask};
use crate::apply::engine::{Program, missing, summary};
use crate::apply::journal::{RunState, Stage, StepState, Store};
use crate::apply::operation::Look;
use crate::cli::RunFlags;
use crate::model::{Error, Exit, Result, time};
use crate::plan::{Step, Undo};
use crate::review::escape;
use crate::world::Readers;

pub async fn run(session: &Session, environment: &str, id: Option<&str>, flags: &RunFlags) -> Result<Exit> {
    running::check_flags(flags)?;
    ask::possible(session)?;
    let location = session.locate_runs(environment)?;
    let store = session.store_of_environment(&location)?;
    let Some(state) = candidate(&*store, &location.environment, id).await? else {
        session.tell(&format!("Nothing to roll back: {} has no run.", location.environment));
        return Ok(Exit::Done);
    };
    refuse_gone(&state)?;
    if summary::to_undo(&state).is_empty() && state.finished.is_some() {
        session.tell(&format!("Nothing to roll back: run {} has left nothing behind.", state.plan.run));
        return Ok(Exit::Done);
    }
    let world = session.open_world(&location.root)?;
    let program = running::ready(&state.plan, &world).await?;
    session.note(&describe(&state));
    if !ask::ask(session, &format!("Roll {} back?", location.environment))? {
        return Err(Error::new(Exit::Error, "not confirmed; nothing was done", "answer `yes` to roll back"));
    }
    let runner = Run { session, world: &world, store: Arc::clone(&store), flags };
    let hold = runner.lock(&state.plan, flags.takeover).await?;
    let again = async {
        // Others may have been at work while nobody had the lock.
        let last = candidate(&*store, &location.environment, Some(&state.plan.run)).await?;
        let state = last.ok_or_else(|| no_such_run(&state.plan.run))?;
        refuse_gone(&state)?;
        refuse_conflicts(&program, &state, &world).await?;
        Ok(state)
    };
    match again.await {
        Ok(state) => runner.under(hold, program, Begin::Back(state)).await,
        Err(error) => {
            let _ = store.release(hold.lease()).await;
            Err(error)
        }
    }
}

/// The named run, the unfinished one, or the last one that wrote anything. Only the last can go back: later ones build on it.
async fn candidate(store: &dyn Store, environment: &str, id: Option<&str>) -> Result<Option<RunState>> {
    let mut states = Vec::new();
    for run in store.runs(environment).await? {
        states.extend(running::state_of(store, environment, &run).await?.filter(|state| state.wrote || state.finished.is_none()));
    }
    states.sort_by_key(|state| (state.finished.is_none(), state.last));
    let mut last = states.pop();
    while last.as_ref().is_some_and(|state| state.given_up && left_nothing(state)) {
        last = states.pop();
    }
    if let Some(state) = last.as_ref().filter(|state| state.given_up) {
        let what = format!("run {} was given up as it stood, and what it left is there", state.plan.run);
        return Err(Error::new(Exit::Error, what, format!("`switchover plan {environment}` starts from what is there now")));
    }
    let Some(id) = id else { return Ok(last) };
    // Later runs that were turned back as a whole are in nobody's way.
    while last.as_ref().is_some_and(|state| state.plan.run != id && left_nothing(state)) {
        last = states.pop();
    }
    match last {
        Some(state) if state.plan.run == id => Ok(Some(state)),
        Some(later) if states.iter().any(|state| state.plan.run == id) => {
            let what = format!("run {id} is not the last one of {environment}: {} came after it", later.plan.run);
            Err(Error::new(Exit::Error, what, "roll back the later one first, or declare what the environment must be and plan"))
        }
        _ => Err(no_such_run(id)),
    }
}

/// Whether a run has ended and nothing that it did is still there.
fn left_nothing(state: &RunState) -> bool {
    let is_there = |(step, folded): (&Step, &StepState)| folded.called && folded.stage != Stage::Undone && step.undo != Undo::Nothing;
    state.finished.is_some() && !state.each().any(is_there)
}

fn no_such_run(id: &str) -> Error {
    Error::new(Exit::Error, format!("there is no run {id}"), "see `switchover runs ENV` for those there are")
}

/// What is gone is refused by name, before anything is done.
fn refuse_gone(state: &RunState) -> Result<()> {
    let gone = summary::gone(state);
    if gone.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = gone.iter().map(|(id, lost)| format!("{id} ({lost})")).collect();
    let what = format!("run {} cannot be rolled back, these steps cannot be undone: {}", state.plan.run, names.join("; "));
    Err(Error::new(Exit::Error, what, "nothing was done; declare what the environment must be and plan: a new switchover goes there"))
}

/// What stands in the way of the way back is refused before anything is done. Of each resource only what comes next can be told: what is behind
/// it will find the world as that leaves it.
async fn refuse_conflicts(program: &Program, state: &RunState, world: &OpenWorld) -> Result<()> {
    let readers: &dyn Readers = &*world.writers;
    if let Some((id, what)) = missing::gone(program, state, readers, |step| step.outage.is_some()).await.first() {
        let help = format!(
            "nothing was done; a rename hides an instance for some minutes: if it is one, try again later; else `switchover resume {environment}` goes on, or \
             `switchover unlock {environment} --abandon` gives the run up",
            environment = state.plan.environment
        );
        return Err(Error::new(Exit::Error, format!("{id} cannot be turned back: {what} is seen nowhere"), help));
    }
    let mut told = BTreeSet::new();
    for id in summary::to_undo(state) {
        let Some(at) = program.plan.place(&id) else { continue };
        let address = &program.step(at).address;
        if told.contains(address) {
            continue;
        }
        let cx = missing::before_any_call(state, readers, &id);
        for operation in &program.steps[at].undo {
            match operation.look(&cx).await {
                Ok(Look::Done { .. }) => {}
                Ok(Look::Conflict(why)) => {
                    let help = "nothing was done; see what has changed since, mend it, or declare what must be and plan";
                    return Err(Error::new(Exit::Error, format!("{id} cannot be turned back: {why}"), help));
                }
                Ok(Look::Pending | Look::Settling(_) | Look::Missing(_)) | Err(_) => {
                    told.insert(address.clone());
                    break;
                }
            }
        }
    }
    Ok(())
}

/// What will be undone, newest first, and what is kept.
fn describe(state: &RunState) -> String {
    let titles: BTreeMap<&str, &str> = state
        .plan
        .steps
        .iter()
        .filter_map(|step| match &step.undo {
            Undo::Operations { title, .. } => Some((step.id.as_str(), title.as_str())),
            _ => None,
        })
        .collect();
    let (run, environment) = (escape::terminal(&state.plan.run), escape::terminal(&state.plan.environment));
    let mut text = format!("Run {run} of {environment} will be turned back, newest first:\n");
    for id in summary::to_undo(state) {
        if let Some(title) = titles.get(id.as_str()) {
            let _ = writeln!(text, "  {}: {}", escape::terminal(&id), escape::terminal(title));
        }
    }
    let undone = summary::to_undo(state);
    for window in state.plan.outage.iter().filter(|window| window.steps.iter().any(|id| undone.contains(id))) {
        let lasts = time::words(window.expected);
        let _ = writeln!(
            text,
            "  an outage of {} comes with it, about {lasts} by what the way there was expected to take",
            escape::terminal(&window.name)
        );
    }
    for (step, folded) in state.each() {
        if let (Undo::Keep(why), true) = (&step.undo, folded.called) {
            let _ = writeln!(text, "  {} stays: {}", escape::terminal(&step.id), escape::terminal(why));
        }
    }
    text
}
