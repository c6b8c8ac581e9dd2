//! `resume`: goes on with the unfinished run, wherever it was begun.

use std::sync::Arc;

use super::Session;
use super::running::{self, Begin, Run};
use crate::cli::RunFlags;
use crate::model::{Exit, Result};

pub async fn run(session: &Session, environment: &str, flags: &RunFlags) -> Result<Exit> {
    running::check_flags(flags)?;
    let location = session.locate_runs(environment)?;
    let store = session.store_of_environment(&location)?;
    let Some(state) = running::resumable(&*store, &location.environment).await? else {
        session.say(&format!("Nothing to resume: {} has no unfinished run.", location.environment));
        return Ok(Exit::Done);
    };
    let world = session.open_world(&location.root)?;
    let program = running::ready(&state.plan, &world).await?;
    let runner = Run { session, world: &world, store: Arc::clone(&store), flags };
    // Asking for exactly this run is explicit enough to take a lock whose lease has expired.
    let lease = runner.lock(&state.plan, true).await?;
    // Whoever held the lock until now may have gone on meanwhile.
    let state = match running::resumable(&*store, &location.environment).await {
        Ok(Some(state)) => state,
        other => {
            store.release(&lease).await?;
            other?;
            session.say(&format!("Nothing to resume: {} has no unfinished run.", location.environment));
            return Ok(Exit::Done);
        }
    };
    runner.under(lease, program, Begin::GoOn(state)).await
}
