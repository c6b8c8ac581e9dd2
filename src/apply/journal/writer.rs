//! The writing end of one run's journal: every record is on disk, and folded, before anything acts on it.

use std::sync::Arc;

use super::store::{Lease, Store};
use super::{Entry, Hold, Record, RunState, hold};
use crate::model::time::Timestamp;
use crate::model::{Error, Exit, Result};
use crate::plan::Plan;

/// One run's journal, open for writing.
pub struct Writer {
    store: Arc<dyn Store>,
    lease: Lease,
    /// Until when that lease is surely held. Whoever keeps it alive shares this.
    pub hold: Arc<Hold>,
    run: String,
    /// What became of the run, as of the last record.
    pub state: RunState,
    /// Folded already, and written with the next append or flush: what is only news (an answer), never an intent.
    deferred: Vec<Entry>,
    /// Set once a record could not be written: nothing more is started.
    pub failed: Option<Error>,
}

impl Writer {
    /// Begins a run: its first record holds the plan.
    pub async fn begin(store: Arc<dyn Store>, lease: Lease, plan: &Arc<Plan>, actor: &str, time: Timestamp) -> Result<Self> {
        let record = Record::Begun { plan: Arc::clone(plan), actor: actor.to_owned() };
        store.append(&lease, &plan.run, &[Entry { seq: 0, time, record }]).await?;
        let state = RunState::begin(Arc::clone(plan), actor.to_owned(), time);
        Ok(Self::open(store, lease, state))
    }

    /// Goes on with a run.
    pub async fn resume(store: Arc<dyn Store>, lease: Lease, state: RunState, mode: &str, actor: &str, time: Timestamp) -> Result<Self> {
        let mut writer = Self::open(store, lease, state);
        writer.append(time, vec![Record::Continued { mode: mode.to_owned(), actor: actor.to_owned() }]).await?;
        Ok(writer)
    }

    fn open(store: Arc<dyn Store>, lease: Lease, state: RunState) -> Self {
        let hold = Hold::new(Arc::clone(&store), lease.clone(), hold::machine_since_boot());
        Writer { store, lease, hold, run: state.plan.run.clone(), state, deferred: Vec::new(), failed: None }
    }

    /// The lease it writes under.
    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Adds records, durably. They are checked against the history first: what cannot follow is never written.
    pub async fn append(&mut self, time: Timestamp, records: Vec<Record>) -> Result<()> {
        self.defer(time, records)?;
        self.flush().await
    }

    /// Adds records to the state at once and to the file with the next append or flush. Losing them in a crash must only cost a look.
    pub fn defer(&mut self, time: Timestamp, records: Vec<Record>) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        for record in records {
            let entry = Entry { seq: self.state.entries, time, record };
            if let Err(why) = self.state.apply(time, &entry.record) {
                let error = Error::new(Exit::Person, "the journal refuses a record that cannot follow", "report this with the run's journal")
                    .because_text(why);
                self.failed = Some(error.clone());
                return Err(error);
            }
            self.deferred.push(entry);
        }
        Ok(())
    }

    /// Whether something was deferred and is not written yet.
    #[must_use]
    pub fn owes(&self) -> bool {
        !self.deferred.is_empty()
    }

    /// Writes what was deferred. When writing fails the run stops, so that what the state has more than the file is never acted upon.
    pub async fn flush(&mut self) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let entries = std::mem::take(&mut self.deferred);
        let written = self.store.append(&self.lease, &self.run, &entries).await;
        written.map_err(|error| {
            // Whose lock was taken over must not be told to go on: somebody else does.
            let taken_over = error.exit() == Exit::Person;
            let help = if taken_over { error.help().to_owned() } else { format!("{}; then {}", error.help(), self.state.ways_on()) };
            let error = error.within("the journal cannot be written any more").exit_as(Exit::Person).with_help(help);
            self.failed = Some(error.clone());
            error
        })
    }
}
