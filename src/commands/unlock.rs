//! `unlock`: removes a lock after showing whose it is.

use super::{Session, ask};
use crate::apply::journal::locks;
use crate::model::{Error, Exit, Result};
use crate::review::escape;

pub async fn run(session: &Session, environment: &str) -> Result<Exit> {
    ask::possible(session)?;
    let location = session.locate_runs(environment)?;
    let store = session.store_of_environment(&location)?;
    let environment = &location.environment;
    let name = format!("env:{environment}");
    let Some(held) = store.lock(&name, environment).await? else {
        session.tell(&format!("{environment} is not locked."));
        return Ok(Exit::Done);
    };
    session.note(&escape::terminal(&format!("{name} is held by {}.", locks::describe(&held))));
    if !held.holder.is_known_gone() {
        session.note(
            "Its process may still be at work. What it does next will fail at its journal, and a call that is already out cannot be called back.",
        );
    }
    if !ask::ask(session, "Remove the lock?")? {
        return Err(Error::new(Exit::Error, "not confirmed; the lock stays", "answer `yes` to remove it"));
    }
    // The resources that the same run locked go with it.
    let stored = store.read(environment, &held.run).await.ok().flatten();
    let others = stored.and_then(|stored| match stored.entries.into_iter().next().map(|entry| entry.record) {
        Some(crate::apply::journal::Record::Begun { plan, .. }) => Some(plan.locks.clone()),
        _ => None,
    });
    for other in others.unwrap_or_default() {
        if let Some(lock) = store.lock(&other, environment).await?.filter(|lock| lock.fence == held.fence) {
            store.remove_lock(&lock, environment).await?;
        }
    }
    if !store.remove_lock(&held, environment).await? {
        let help = format!("nothing was removed of it: see with `switchover status {environment}` who holds it now, if anybody does");
        return Err(Error::new(Exit::Error, format!("{name} has changed hands since it was shown"), help));
    }
    session.tell(&format!("{environment} is unlocked."));
    Ok(Exit::Done)
}
