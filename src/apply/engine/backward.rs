//! The way back: what was called is undone, newest first, one operation after the other. What cannot be undone keeps only what it was built upon from going back.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::needs::need;
use super::track::{Key, Track};
use super::{Engine, Halt, summary};
use crate::apply::journal::Record;
use crate::model::{Exit, Result};
use crate::plan::Outage;

impl Engine {
    /// From here on the run goes back.
    pub(super) async fn turn_back(&mut self, why: String) -> Result<()> {
        self.ready.clear();
        self.tracks.clear();
        if self.journal.state.turned_back.is_some() { Ok(()) } else { self.record(vec![Record::TurnedBack { why }]).await }
    }

    /// Opens the next operation of the way back, when none is under way.
    pub(super) async fn open_undo(&mut self) -> Result<()> {
        while self.tracks.is_empty() && self.calls.is_empty() {
            let Some(at) = self.undo_queue().last().copied() else {
                if !self.not_undone.is_empty() {
                    let needs = std::mem::take(&mut self.not_undone);
                    let why = "not everything could be turned back".to_owned();
                    self.halt.get_or_insert(Halt { exit: Exit::Person, why, needs });
                }
                return Ok(());
            };
            let next = self.next_undo(at);
            let Some(operation) = self.program.steps[at].undo.get(next).map(Arc::clone) else {
                self.undone(at).await?;
                continue;
            };
            let now = self.now();
            self.undo_cursor = Some((at, next));
            self.tracks.insert(Key { step: at, undo: Some(next) }, Track::new(operation, now));
        }
        Ok(())
    }

    /// Places of the steps that are still to be undone, oldest first.
    fn undo_queue(&mut self) -> &mut Vec<usize> {
        let (state, places) = (&self.journal.state, &self.program.places);
        self.undo_queue.get_or_insert_with(|| summary::to_undo(state).iter().rev().filter_map(|id| places.get(id).copied()).collect())
    }

    /// Which operation of a step's way back comes next. What an earlier process did of it is found by looking, from the first one on.
    fn next_undo(&self, at: usize) -> usize {
        match self.undo_cursor {
            Some((step, last)) if step == at => last + 1,
            _ => 0,
        }
    }

    /// A step stays as it is, and with it all that it was built upon; the rest of the run is turned back all the same.
    pub(super) fn undo_failed(&mut self, at: usize, error: &str, help: &str) {
        let program = Arc::clone(&self.program);
        let (mut stays, mut next) = (BTreeSet::new(), vec![at]);
        while let Some(place) = next.pop() {
            if stays.insert(place) {
                next.extend(&program.steps[place].after);
            }
        }
        self.undo_cursor = None;
        self.undo_queue().retain(|place| !stays.contains(place));
        let then = format!("`switchover rollback {}` goes on with the way back", program.plan.environment);
        self.not_undone.push(need(&format!("{} could not be turned back", program.step(at).id), error, help, &then));
    }

    async fn undone(&mut self, at: usize) -> Result<()> {
        self.undo_cursor = None;
        self.undo_queue().pop();
        let program = Arc::clone(&self.program);
        let step = program.step(at);
        let mut records = vec![Record::Undone { step: step.id.clone() }];
        // Back where the outage began, users have the old thing again.
        if let Some(Outage::Starts(outage) | Outage::Whole(outage)) = &step.outage {
            records.extend(self.outage_end(outage));
        }
        self.record(records).await
    }

    /// Whether everything that was turned back is as it was, and what that means for the process.
    pub(super) fn exit_when_turned_back(&self, lost: bool) -> Exit {
        let state = &self.journal.state;
        if lost {
            return Exit::Person;
        }
        match (self.asked_back, state.stale, state.wrote) {
            (true, _, _) => Exit::Done,
            (false, true, _) => Exit::Stale,
            (false, false, true) => Exit::Restored,
            (false, false, false) => Exit::Error,
        }
    }
}
