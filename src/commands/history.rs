//! What earlier runs of an environment took, read from its journal. It only helps people to know what to expect: what cannot be read soon is left out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::session::state_folder;
use super::{Session, running};
use crate::apply::journal::local::LocalStore;
use crate::apply::journal::{Store, experience};
use crate::plan::Experience;

/// Of an environment's runs the newest, at most this many: a median is taken over fewer, but not every run does every step.
const RUNS_MAX: usize = 8;
/// Before a run nobody waits longer for it.
const READING_MAX: Duration = Duration::from_secs(3);
/// And nobody who only looks at a plan waits longer than this, one journal more or less.
const GLANCE_MAX: Duration = Duration::from_millis(50);

/// The experience of an environment, without the run that is about to begin or to go on.
pub async fn read(store: &dyn Store, environment: &str, but: &str) -> Arc<Experience> {
    within(READING_MAX, store, environment, but).await
}

async fn within(limit: Duration, store: &dyn Store, environment: &str, but: &str) -> Arc<Experience> {
    let mut known = Experience::default();
    // What was read until then counts.
    let _ = tokio::time::timeout(limit, gather(store, environment, but, &mut known)).await;
    Arc::new(known)
}

async fn gather(store: &dyn Store, environment: &str, but: &str, known: &mut Experience) {
    let Ok(runs) = store.runs(environment).await else { return };
    for run in runs.iter().rev().filter(|run| *run != but).take(RUNS_MAX) {
        // A damaged journal is told of by who needs it.
        if let Ok(Some(stored)) = store.read(environment, run).await {
            experience::add(&stored.entries, known);
        }
        // A folder never waits for anything: without this nobody would look at the time.
        tokio::task::yield_now().await;
    }
}

/// The same for a plan that is only shown: where the journal is a folder beside the environments. A plan is made and read without the network and the
/// credentials that other journals need.
pub async fn at_hand(session: &Session, root: &Path, journal_is_local: bool, environment: &str) -> Arc<Experience> {
    if !session.globals.journal.as_ref().map_or(journal_is_local, |url| url == "local") {
        return Arc::default();
    }
    within(GLANCE_MAX, &LocalStore::new(state_folder(root)), environment, "").await
}

/// The unfinished run of an environment, where that can be seen as [`at_hand`] sees it.
pub async fn unfinished_at_hand(session: &Session, root: &Path, journal_is_local: bool, environment: &str) -> Option<String> {
    if !session.globals.journal.as_ref().map_or(journal_is_local, |url| url == "local") {
        return None;
    }
    let store = LocalStore::new(state_folder(root));
    // The newest: nothing is begun while another one is unfinished.
    let newest = store.runs(environment).await.ok()?.pop()?;
    let state = running::state_of(&store, environment, &newest).await.ok()??;
    state.finished.is_none().then_some(newest)
}
