//! `unlock --abandon`: gives an unfinished run up as it stands, for runs that can go neither on nor back.

use std::fmt::Write;

use super::running::{self, Run};
use super::{Session, ask};
use crate::apply::engine::summary;
use crate::apply::journal::store::Store;
use crate::apply::journal::{Record, RunState, Writer, fold, locks};
use crate::cli::RunFlags;
use crate::model::{Error, Exit, Result};
use crate::review::escape;

pub async fn run(session: &Session, environment: &str) -> Result<Exit> {
    ask::possible(session)?;
    let location = session.locate_runs(environment)?;
    let store = session.store_of_environment(&location)?;
    let environment = &location.environment;
    let Some(state) = running::unfinished(&*store, environment).await? else {
        session.tell(&format!("{environment} has no unfinished run."));
        return Ok(Exit::Done);
    };
    session.note(&describe(&state));
    if let Some(held) = store.lock(&format!("env:{environment}"), environment).await?
        && !held.holder.is_known_gone()
    {
        session.note(&escape::terminal(&format!(
            "Its lock is held by {}, whose process may still be at work; it is given up only once that lease is over.",
            locks::describe(&held)
        )));
    }
    if !ask::ask(session, "Give it up as it stands?")? {
        return Err(Error::new(Exit::Error, "not confirmed; the run stays unfinished", "answer `yes` to give it up"));
    }
    // Taken as `resume` takes it: from who is known to be gone, or has not been heard of for the length of its lease.
    let flags = RunFlags { keep_on_failure: false, parallelism: 1, max_runtime: None, takeover: false, lease: "60s".to_owned() };
    let world = session.open_world(&location.root)?;
    let runner = Run { session, world: &world, store: std::sync::Arc::clone(&store), flags: &flags };
    let hold = runner.lock(&state.plan, false).await?;
    let given_up = give_up(session, &world, &store, hold.lease().clone(), &state).await;
    let released = store.release(hold.lease()).await;
    given_up?;
    released?;
    let environment = escape::terminal(environment);
    session.tell(&format!(
        "Run {} is given up as it stands.\n`switchover plan {environment}` starts from what is there now, and names what the run has left.",
        escape::terminal(&state.plan.run)
    ));
    Ok(Exit::Done)
}

async fn give_up(
    session: &Session,
    world: &super::session::OpenWorld,
    store: &std::sync::Arc<dyn Store>,
    lease: crate::apply::journal::store::Lease,
    seen: &RunState,
) -> Result<()> {
    let again = running::unfinished(&**store, &seen.plan.environment).await?;
    let Some(state) = again.filter(|state| state.plan.run == seen.plan.run && state.entries == seen.entries) else {
        return Err(Error::new(
            Exit::Error,
            "the run has gone on or ended meanwhile",
            "nothing was done; see `switchover status ENV`, and look again",
        ));
    };
    let now = world.writers.clock().now();
    let mut journal = Writer::resume(std::sync::Arc::clone(store), lease, state, fold::RESUME, &session.actor(), now).await?;
    let summary = summary::summarize(&journal.state, Exit::Person, Vec::new());
    journal.append(now, vec![Record::Finished { summary, given_up: true }]).await
}

/// What it leaves as it is.
fn describe(state: &RunState) -> String {
    let told = summary::summarize(state, Exit::Person, Vec::new());
    let (run, environment) = (escape::terminal(&state.plan.run), escape::terminal(&state.plan.environment));
    let mut text = format!(
        "Run {run} of {environment} stays as it is: {} steps done, {} undone, {} in flight, {} not started. It can then neither go on nor be turned back.",
        told.done.len(),
        told.undone.len(),
        told.in_flight.len(),
        told.not_started.len()
    );
    for id in &told.in_flight {
        let _ = write!(text, "\n  in flight: {}; its effect may still come", escape::terminal(id));
    }
    for outage in state.outages.keys() {
        let _ = write!(text, "\n  the outage of {} is not over: the next plan has to end it", escape::terminal(outage));
    }
    text
}
