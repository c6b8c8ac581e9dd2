//! `apply PLAN`, as it was reviewed; `apply ENV`, planned, shown and asked about.

use std::path::Path;
use std::sync::Arc;

use super::running::{self, Begin, Run};
use super::session::OpenWorld;
use super::{Session, ask, history, planning};
use crate::apply::journal::Store;
use crate::cli::{PlanFlags, RunFlags};
use crate::model::{Error, Exit, Result};
use crate::plan::{Plan, file};
use crate::review;

pub async fn run(session: &Session, what: &str, ask_first: bool, flags: &RunFlags, planning: &PlanFlags) -> Result<Exit> {
    running::check_flags(flags)?;
    if is_plan_file(what) { saved(session, Path::new(what), ask_first, flags).await } else { environment(session, what, flags, planning).await }
}

/// An environment is a name, a folder or an `.hcl` file; every other file is taken for a plan.
fn is_plan_file(what: &str) -> bool {
    let path = Path::new(what);
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending == Some("json") || (path.is_file() && ending != Some("hcl"))
}

async fn saved(session: &Session, path: &Path, ask_first: bool, flags: &RunFlags) -> Result<Exit> {
    let plan = Arc::new(file::load(path)?);
    let root = session.globals.root.clone();
    let world = session.open_world(&root)?;
    let store = session.store_of_plan(&root, &plan.journal)?;
    if ask_first {
        ask::possible(session)?;
        let experience = history::read(&*store, &plan.environment, &plan.run).await;
        session.note(&review::terminal_knowing(&plan, &session.err_style(), review::Next::Answer, &experience));
        if !ask::ask(session, &format!("Apply this plan to {}?", plan.environment))? {
            return Err(not_confirmed());
        }
    }
    go(session, plan, &world, store, flags).await
}

async fn environment(session: &Session, environment: &str, flags: &RunFlags, planned: &PlanFlags) -> Result<Exit> {
    ask::possible(session)?;
    let location = session.locate(environment)?;
    let world = session.open_world(&location.root)?;
    let desired = planning::read(session, &location, &world)?;
    let store = session.store(&location.root, &desired.journal)?;
    running::refuse_locked(session, &*store, &desired.environment, flags).await?;
    refuse_unfinished(&*store, &desired.environment).await?;
    let plan = Arc::new(planning::make(&desired, &world, planned).await?);
    let experience = history::read(&*store, &plan.environment, &plan.run).await;
    if session.globals.json {
        session.note(&review::terminal_knowing(&plan, &session.err_style(), review::Next::Answer, &experience));
    } else {
        session.say(&review::terminal_knowing(&plan, &session.out_style(), review::Next::Answer, &experience));
    }
    if let Some(error) = planning::incomplete(&plan) {
        return Err(error);
    }
    if !planning::has_changes(&plan) {
        return Ok(Exit::Done);
    }
    if !ask::ask(session, &format!("Apply this plan to {}?", plan.environment))? {
        return Err(not_confirmed());
    }
    if !session.globals.json {
        // The report follows on the same stream.
        session.say("");
    }
    go(session, plan, &world, store, flags).await
}

async fn go(session: &Session, plan: Arc<Plan>, world: &OpenWorld, store: Arc<dyn Store>, flags: &RunFlags) -> Result<Exit> {
    if !planning::has_changes(&plan) {
        session.note("Nothing to do: the plan has no steps.");
        return Ok(Exit::Done);
    }
    let program = running::ready(&plan, world).await?;
    let runner = Run { session, world, store, flags };
    let hold = runner.lock(&plan, flags.takeover).await?;
    match begin(&*runner.store, &plan).await {
        Ok(begin) => runner.under(hold, program, begin).await,
        Err(error) => {
            let _ = runner.store.release(hold.lease()).await;
            Err(error)
        }
    }
}

/// Under the lock: nothing is unfinished, and this plan has not been applied. One that was begun and wrote nothing may be tried again.
async fn begin(store: &dyn Store, plan: &Plan) -> Result<Begin> {
    if let Some(state) = running::state_of(store, &plan.environment, &plan.run).await? {
        if state.finished.is_some() && (state.wrote || state.given_up) {
            return Err(Error::new(
                Exit::Stale,
                format!("this plan was applied already, as run {}", plan.run),
                "a plan is applied once: make a new one",
            ));
        }
        if state.finished.is_some() && state.plan.digest == plan.digest {
            refuse_unfinished(store, &plan.environment).await?;
            return Ok(Begin::GoOn(state));
        }
    }
    refuse_unfinished(store, &plan.environment).await?;
    Ok(Begin::New)
}

async fn refuse_unfinished(store: &dyn Store, environment: &str) -> Result<()> {
    let Some(state) = running::unfinished(store, environment).await? else { return Ok(()) };
    let help = format!(
        "go on with it: `switchover resume {environment}`; or undo it: `switchover rollback {environment}`; where neither can be, \
         `switchover unlock {environment} --abandon` gives it up as it stands"
    );
    Err(Error::new(Exit::Person, format!("run {} of {environment} is unfinished", state.plan.run), help))
}

fn not_confirmed() -> Error {
    Error::new(Exit::Error, "not confirmed; nothing was done", "answer `yes` to apply it")
}
