//! The way back: what was called is undone, newest first, one operation after the other. What cannot be undone keeps only what it was built upon from going back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::decide;
use super::needs::need;
use super::track::{Key, Track};
use super::{Engine, Halt, summary};
use crate::apply::event::EventKind;
use crate::apply::journal::{Record, Stage};
use crate::model::time;
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
                    let mut needs = self.assumed_gone();
                    needs.append(&mut self.not_undone);
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
        let (state, plan) = (&self.journal.state, &self.program.plan);
        self.undo_queue.get_or_insert_with(|| summary::to_undo(state).iter().rev().filter_map(|id| plan.place(id)).collect())
    }

    /// Which operation of a step's way back comes next. What an earlier process did of it is found by looking, from the first one on.
    fn next_undo(&self, at: usize) -> usize {
        match self.undo_cursor {
            Some((step, last)) if step == at => last + 1,
            _ => 0,
        }
    }

    /// A step stays as it is, and with it all that it was built upon; the rest of the run is turned back all the same.
    pub(super) fn undo_failed(&mut self, at: usize, error: &str, help: &str, gone: bool) {
        let program = Arc::clone(&self.program);
        let (mut stays, mut next) = (BTreeSet::new(), vec![at]);
        while let Some(place) = next.pop() {
            if stays.insert(place) {
                next.extend(&program.steps[place].after);
            }
        }
        self.undo_cursor = None;
        self.undo_queue().retain(|place| !stays.contains(place));
        let environment = &program.plan.environment;
        let then = if gone {
            format!("`switchover unlock {environment} --abandon` gives the run up as it stands, and the next plan starts from there")
        } else {
            format!("`switchover rollback {environment}` goes on with the way back")
        };
        self.not_undone.push(need(&format!("{} could not be turned back", program.step(at).id), error, help, &then));
    }

    /// What a person should look for who goes on with a way back that was refused: calls that were taken as not done, and may be what is in its way.
    fn assumed_gone(&self) -> Vec<String> {
        let (plan, state) = (&self.program.plan, &self.journal.state);
        let then = format!("`switchover rollback {}` looks again and goes on with the way back", plan.environment);
        let assumed = state.each().filter(|(_, folded)| folded.assumed_gone.is_some());
        assumed.map(|(step, _)| need(&format!("{} was taken as not done", step.id), "its effect did not show", decide::NOT_SHOWN, &then)).collect()
    }

    async fn undone(&mut self, at: usize) -> Result<()> {
        self.undo_cursor = None;
        self.undo_queue().pop();
        let program = Arc::clone(&self.program);
        let step = program.step(at);
        let unseen_for = self.taken_as_not_done(at);
        if let Some(lasted) = unseen_for {
            let call = if self.is_taken(at) { "the service took its call" } else { "its call had no answer" };
            let message = format!("{call}, and nothing of it has shown for {}: taken as not done", time::words(lasted));
            self.tell_about(Some(&step.id), EventKind::Notice { message });
        }
        let mut records = vec![Record::Undone { step: step.id.clone(), assumed: unseen_for.is_some() }];
        // Back where the outage began, users have the old thing again.
        if let Some(Outage::Starts(outage) | Outage::Whole(outage)) = &step.outage {
            records.extend(self.outage_end(outage));
        }
        self.record(records).await
    }

    fn is_taken(&self, at: usize) -> bool {
        matches!(&self.journal.state.at(at).stage, Stage::Called(call) if call.taken)
    }

    /// Where nothing was there to undo after a call that may have had an effect: how long it has been looked for. A person hears of it, since a service
    /// that shows an effect later than this says nothing before.
    fn taken_as_not_done(&self, at: usize) -> Option<Duration> {
        let state = self.journal.state.at(at);
        let (Stage::Called(call), None) = (&state.stage, &state.undo) else { return None };
        // What goes with another step's way back is not looked for by itself.
        let looked = !self.program.steps[at].undo.is_empty();
        (looked && !call.had_no_effect()).then(|| time::between(call.last, self.now()))
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
