//! `resume`: goes on with the unfinished run, wherever it was begun.

use std::sync::Arc;

use super::Session;
use super::running::{self, Begin, Run};
use crate::apply::journal::RunState;
use crate::cli::RunFlags;
use crate::model::{Error, Exit, Result};

pub async fn run(session: &Session, environment: &str, flags: &RunFlags) -> Result<Exit> {
    running::check_flags(flags)?;
    let location = session.locate_runs(environment)?;
    let store = session.store_of_environment(&location)?;
    let nothing = || {
        session.tell(&format!("Nothing to resume: {} has no unfinished run.", location.environment));
        Ok(Exit::Done)
    };
    let Some(state) = running::resumable(&*store, &location.environment).await? else { return nothing() };
    let world = session.open_world(&location.root)?;
    let program = running::ready(&state.plan, &world).await?;
    let runner = Run { session, world: &world, store: Arc::clone(&store), flags };
    let hold = runner.lock(&state.plan, flags.takeover).await?;
    // Whoever held the lock until now may have gone on meanwhile, or ended this run and begun another one.
    let again = running::resumable(&*store, &location.environment).await;
    match again {
        Ok(Some(now)) if now.plan.run == state.plan.run => {
            // A way back that somebody asked for is gone on with as what it is.
            let begin = if now.asked_back() { Begin::Back(now) } else { Begin::GoOn(now) };
            runner.under(hold, program, begin).await
        }
        Ok(now) => {
            store.release(hold.lease()).await?;
            if now.is_none() { nothing() } else { Err(another(&state, &location.environment)) }
        }
        Err(error) => {
            let _ = store.release(hold.lease()).await;
            Err(error)
        }
    }
}

fn another(state: &RunState, environment: &str) -> Error {
    let what = format!("run {} has ended meanwhile, and another one of {environment} has begun", state.plan.run);
    Error::new(Exit::Error, what, format!("nothing was done; see `switchover status {environment}`"))
}
