//! The way forward: which steps may begin, and what an end of one means.

use std::sync::Arc;

use super::program::Ready;
use super::track::{Key, Track};
use super::{Engine, Halt, StopRequest, summary};
use crate::apply::event::Summary;
use crate::apply::journal::{Record, Stage};
use crate::apply::operation::Outputs;
use crate::model::time::{self};
use crate::model::{Exit, Phase, Result};
use crate::plan::Outage;

impl Engine {
    /// Counts for every step how many before it are still to be done.
    pub(super) fn order(&mut self) {
        let program = Arc::clone(&self.program);
        self.dependents = vec![Vec::new(); program.steps.len()];
        self.waiting = vec![0; program.steps.len()];
        let is_done = |ready: &Ready| self.journal.state.step(&program.step(ready.at).id).stage == Stage::Done;
        for ready in &program.steps {
            for before in &ready.after {
                self.dependents[*before].push(ready.at);
                self.waiting[ready.at] += usize::from(!is_done(&program.steps[*before]));
            }
        }
        self.ready = program.steps.iter().filter(|ready| self.waiting[ready.at] == 0 && !is_done(ready)).map(|ready| ready.at).collect();
    }

    /// Notices a request to stop, or the end of `--max-runtime`.
    pub(super) fn watch_for_stop(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        let over = self.options.max_runtime.is_some_and(|limit| time::between(self.began, self.now()) >= limit);
        if self.stop.request() >= StopRequest::Safe {
            self.stopping = Some("asked to stop".to_owned());
        } else if over {
            self.stopping = Some("--max-runtime is over".to_owned());
        }
    }

    /// Opens what may begin, and lets go of what need not be waited for.
    pub(super) async fn open_tracks(&mut self) -> Result<()> {
        if self.stop.request() == StopRequest::Now {
            let needs = self.needs_when_stopped_at_once();
            self.halt.get_or_insert(Halt { exit: Exit::Person, why: "stopped at once".to_owned(), needs });
        }
        if self.halt.is_some() {
            self.tracks.retain(|_, track| track.busy);
            if self.stop.request() == StopRequest::Now {
                self.let_go();
            }
            return Ok(());
        }
        if self.stopping.is_some() && self.journal.state.outages.is_empty() {
            // Nothing is awaited outside of calls that went out: this is a safe point for every track that is not busy.
            self.tracks.retain(|_, track| track.busy);
            return Ok(());
        }
        if self.journal.state.turned_back.is_some() {
            return self.open_undo().await;
        }
        if self.failure.is_some() {
            self.await_in_flight();
            return if self.tracks.is_empty() && self.calls.is_empty() { self.turn_back_or_keep().await } else { Ok(()) };
        }
        let mut later = std::collections::VecDeque::new();
        while let Some(at) = self.ready.pop_front() {
            if self.tracks.len() >= self.options.parallelism.max(1) || !self.may_begin(at) {
                later.push_back(at);
                continue;
            }
            self.open(at)?;
        }
        self.ready = later;
        Ok(())
    }

    fn needs_when_stopped_at_once(&self) -> Vec<String> {
        if !self.journal.state.wrote {
            return Vec::new();
        }
        let environment = &self.program.plan.environment;
        let open = self.journal.state.outages.keys().map(|outage| {
            format!(
                "{outage} is in its outage: `switchover resume {environment}` brings it to its end, `switchover rollback {environment}` switches back"
            )
        });
        let rest = format!("it was stopped at once: `switchover resume {environment}` looks what became of what was in flight, and goes on");
        open.chain([rest]).collect()
    }

    /// Stopped at once: answers are not waited for any more.
    fn let_go(&mut self) {
        self.tracks.clear();
        self.calls.clear();
    }

    /// While stopping, only what brings an open outage to its end may begin.
    fn may_begin(&self, at: usize) -> bool {
        self.stopping.is_none() || self.in_outage(Key { step: at, undo: None }) || self.leads_to_outage_end(at)
    }

    fn leads_to_outage_end(&self, at: usize) -> bool {
        let open = &self.journal.state.outages;
        let mut next: Vec<usize> = self.dependents[at].clone();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(step) = next.pop() {
            if !seen.insert(step) {
                continue;
            }
            match &self.program.step(step).outage {
                Some(Outage::Ends(name)) if open.contains_key(name) => return true,
                _ => next.extend(&self.dependents[step]),
            }
        }
        false
    }

    fn open(&mut self, at: usize) -> Result<()> {
        let now = self.now();
        let operation = Arc::clone(&self.program.steps[at].operation);
        let key = Key { step: at, undo: None };
        let looks_only = !operation.starts();
        self.tracks.insert(key, Track::new(operation, now));
        if looks_only {
            let step = self.program.step(at).id.clone();
            self.defer(&[Record::Watching { step }])?;
            if !self.program.step(at).facts.is_empty() {
                self.push_facts(key);
            }
        }
        Ok(())
    }

    /// Sends the looks that are due.
    pub(super) fn dispatch(&mut self) {
        let now = self.now();
        let due: Vec<Key> = self.tracks.iter().filter(|(_, track)| !track.busy && track.next <= now).map(|(key, _)| *key).collect();
        for key in due {
            self.push_look(key);
        }
    }

    pub(super) async fn finished(&mut self, key: Key, outputs: Outputs, detail: String) -> Result<()> {
        self.tracks.remove(&key);
        if key.undo.is_some() {
            return Ok(());
        }
        let program = Arc::clone(&self.program);
        let step = program.step(key.step);
        let mut records = Vec::new();
        if self.journal.state.step(&step.id).stage == Stage::Fresh {
            // Its effect was there before its call: whoever reads the events still sees it begin.
            records.push(Record::Watching { step: step.id.clone() });
        }
        records.push(Record::Done { step: step.id.clone(), outputs, detail });
        if let Some(Outage::Ends(outage) | Outage::Whole(outage)) = &step.outage {
            records.extend(self.outage_end(outage));
        }
        self.record(records).await?;
        for next in self.dependents[key.step].clone() {
            self.waiting[next] -= 1;
            if self.waiting[next] == 0 {
                self.ready.push_back(next);
            }
        }
        Ok(())
    }

    /// The record that an open outage ends now.
    pub(super) fn outage_end(&self, outage: &str) -> Option<Record> {
        let since = *self.journal.state.outages.get(outage)?;
        Some(Record::OutageEnded { outage: outage.to_owned(), seconds: time::between(since, self.now()).as_secs() })
    }

    pub(super) async fn fail(&mut self, key: Key, error: String, help: String, stale: bool) -> Result<()> {
        self.tracks.remove(&key);
        let step = self.program.step(key.step);
        let (id, phase) = (step.id.clone(), step.phase);
        self.record(vec![Record::Failed { step: id.clone(), undo: key.undo.is_some(), error: error.clone(), help: help.clone(), stale }]).await?;
        if key.undo.is_some() {
            let needs =
                vec![format!("{id} could not be turned back ({error}): {help}; then `switchover rollback {}`", self.program.plan.environment)];
            self.halt.get_or_insert(Halt { exit: Exit::Person, why: format!("the way back of {id} failed"), needs });
        } else if phase == Phase::Retire {
            let environment = &self.program.plan.environment;
            self.needs.push(format!("{id} failed ({error}): {help}; `switchover resume {environment}` tries it again, and so does the next plan"));
        } else {
            self.failure.get_or_insert((id, error, help));
        }
        Ok(())
    }

    /// After a failure: what went out is awaited, what only looks is let go.
    fn await_in_flight(&mut self) {
        let called: Vec<Key> = self.tracks.keys().copied().filter(|key| self.call(*key).is_some()).collect();
        self.tracks.retain(|key, track| track.busy || called.contains(key));
    }

    async fn turn_back_or_keep(&mut self) -> Result<()> {
        let Some((id, error, help)) = self.failure.clone() else { return Ok(()) };
        if self.options.keep_on_failure {
            let environment = &self.program.plan.environment;
            let needs =
                vec![format!("{id} failed ({error}): {help}; then `switchover resume {environment}`, or `switchover rollback {environment}`")];
            self.halt.get_or_insert(Halt { exit: Exit::Person, why: format!("{id} failed, and everything is kept as it is"), needs });
            return Ok(());
        }
        self.turn_back(format!("{id} failed: {error}")).await?;
        self.open_undo().await
    }

    /// The record with which this process leaves the run, and its summary.
    pub(super) fn last_record(&mut self) -> (Record, Summary) {
        let state = &self.journal.state;
        if let Some(mut halt) = self.halt.take() {
            if !state.wrote && halt.exit == Exit::Person {
                halt.exit = Exit::Error;
            }
            let mut needs = halt.needs;
            needs.append(&mut self.needs);
            let summary = summary::summarize(state, halt.exit, needs);
            // A plan that was stale before anything was done is over and done with; so is one whose facts could not be read.
            let record =
                if state.wrote { Record::Stopped { why: halt.why, summary: summary.clone() } } else { Record::Finished { summary: summary.clone() } };
            return (record, summary);
        }
        let all_done = state.plan.steps.iter().all(|step| state.step(&step.id).stage == Stage::Done);
        let back = state.turned_back.is_some();
        if let Some(why) = self.stopping.take().filter(|_| if back { !summary::to_undo(state).is_empty() } else { !all_done }) {
            let summary = summary::summarize(state, Exit::Stopped, std::mem::take(&mut self.needs));
            return (Record::Stopped { why, summary: summary.clone() }, summary);
        }
        let mut needs = std::mem::take(&mut self.needs);
        let exit = if back {
            needs.extend(summary::gone(state).into_iter().map(|(id, lost)| format!("{id} cannot be undone: {lost}")));
            self.exit_when_turned_back(!needs.is_empty())
        } else if all_done {
            Exit::Done
        } else {
            Exit::Person
        };
        let summary = summary::summarize(state, exit, needs);
        (Record::Finished { summary: summary.clone() }, summary)
    }
}
