//! The way forward: which steps may begin, and what an end of one means.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::needs::need;
use super::program::Ready;
use super::track::{Key, Track};
use super::{Engine, Halt, StopRequest, missing, summary};
use crate::apply::event::Summary;
use crate::apply::journal::fold::Call;
use crate::apply::journal::{Answer, Record, Stage};
use crate::apply::operation::Outputs;
use crate::model::time::{self};
use crate::model::{Exit, Phase, Result};
use crate::plan::Outage;

/// Before a way back is held to be impossible, it is looked for once more after this.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Such looks take this long at most.
const LOOK_MAX: Duration = Duration::from_secs(30);

/// Why a step, or its way back, fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Something went wrong.
    Trouble,
    /// What the plan relied on has changed.
    Stale,
    /// The effect of a call that the service has taken does not show.
    Unseen,
    /// What it works on is gone for good.
    Gone,
}

impl Engine {
    /// Counts for every step how many before it are still to be done.
    pub(super) fn order(&mut self) {
        let program = Arc::clone(&self.program);
        self.dependents = vec![Vec::new(); program.steps.len()];
        self.waiting = vec![0; program.steps.len()];
        let is_done = |ready: &Ready| self.journal.state.at(ready.at).stage == Stage::Done;
        for ready in &program.steps {
            if let Some(outage) = &program.step(ready.at).outage {
                self.of_outage.entry(outage.name().to_owned()).or_default().push(ready.at);
            }
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
            self.stop_at_once();
        }
        if self.halt.is_some() {
            self.tracks.retain(|_, track| track.busy);
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
        self.open_ready();
        Ok(())
    }

    /// What brings an open outage to its end comes first, and is not counted; everything else as far as `--parallelism` goes, and not while stopping.
    fn open_ready(&mut self) {
        if std::mem::take(&mut self.ready_changed) && !self.journal.state.outages.is_empty() && !self.ready.is_empty() {
            let urgent = self.urgent();
            let (now, later): (VecDeque<usize>, VecDeque<usize>) = self.ready.drain(..).partition(|at| urgent.contains(at));
            self.ready = later;
            for at in now {
                self.open(at);
            }
        }
        while self.stopping.is_none() && self.tracks.len() < self.options.parallelism.max(1) {
            let Some(at) = self.ready.pop_front() else { return };
            self.open(at);
        }
    }

    /// Stopped at once: answers are not waited for any more.
    fn stop_at_once(&mut self) {
        self.keep_back_all();
        let unanswered = self.tracks.iter().any(|(key, track)| track.busy && self.call(*key).is_some_and(|call| call.answer.is_none()));
        if unanswered || !self.journal.state.outages.is_empty() {
            let needs = vec![format!("what was under way was left as it is, and is found by looking: {}", self.journal.state.ways_on())];
            self.halt.get_or_insert(Halt { exit: Exit::Person, why: "stopped at once".to_owned(), needs });
        } else {
            self.stopping.get_or_insert_with(|| "stopped at once, with no answer outstanding".to_owned());
        }
        self.tracks.clear();
        self.calls.clear();
        self.outstanding.clear();
    }

    /// The calls of intents that wait for their place on disk are not made: the run ends first. Should that news be lost, a look finds it again.
    pub(super) fn keep_back_all(&mut self) {
        for key in std::mem::take(&mut self.to_start) {
            let _ = self.keep_back(key);
        }
    }

    /// A call whose intent is there, and which is not made after all.
    pub(super) fn keep_back(&mut self, key: Key) -> Result<()> {
        self.tracks.remove(&key);
        let step = self.program.step(key.step).id.clone();
        let answer = Answer::Nothing { error: "not sent: the run stops".to_owned(), passing: true };
        self.defer(&[Record::Answered { step, undo: key.undo, answer }])
    }

    /// Steps of open outages, and what must be done before these outages can end.
    fn urgent(&self) -> BTreeSet<usize> {
        let state = &self.journal.state;
        let is_left = |at: &usize| state.at(*at).stage != Stage::Done;
        let of_open = state.outages.keys().filter_map(|outage| self.of_outage.get(outage)).flatten();
        let mut next: Vec<usize> = of_open.copied().filter(is_left).collect();
        let mut found = BTreeSet::new();
        while let Some(at) = next.pop() {
            if found.insert(at) {
                // What is done has nothing before it that is not.
                next.extend(self.program.steps[at].after.iter().copied().filter(is_left));
            }
        }
        found
    }

    /// Whether this operation's next call may go out. Not once the run halts, nor a step's own after a failure, nor what would not bring an outage to its
    /// end while stopping.
    pub(super) fn may_start(&mut self, key: Key) -> bool {
        self.watch_for_stop();
        if self.halt.is_some() || self.stop.request() == StopRequest::Now {
            return false;
        }
        let outage_open = !self.journal.state.outages.is_empty();
        if key.undo.is_some() {
            return self.stopping.is_none() || outage_open;
        }
        self.failure.is_none() && (self.stopping.is_none() || (outage_open && self.urgent().contains(&key.step)))
    }

    fn open(&mut self, at: usize) {
        let now = self.now();
        let operation = Arc::clone(&self.program.steps[at].operation);
        self.tracks.insert(Key { step: at, undo: None }, Track::new(operation, now));
    }

    /// Sends the looks that are due, and gives up the calls whose time is over.
    pub(super) fn dispatch(&mut self) -> Result<()> {
        let now = self.now();
        self.outstanding.give_up(now);
        let due: Vec<Key> = self.tracks.iter().filter(|(_, track)| !track.busy && track.next <= now).map(|(key, _)| *key).collect();
        for key in due {
            let Some(track) = self.tracks.get(&key) else { continue };
            // What starts nothing has its facts checked before it looks; everything else between its look and its call.
            let (looks_only, unchecked) = (key.undo.is_none() && !track.operation.starts(), !track.facts_hold);
            if looks_only && unchecked && !track.told {
                let step = self.program.step(key.step).id.clone();
                self.defer(&[Record::Watching { step }])?;
                if let Some(track) = self.tracks.get_mut(&key) {
                    track.told = true;
                }
            }
            if looks_only && unchecked && !self.program.step(key.step).facts.is_empty() {
                self.push_facts(key);
            } else {
                self.push_look(key);
            }
        }
        Ok(())
    }

    pub(super) async fn finished(&mut self, key: Key, outputs: Outputs, detail: String) -> Result<()> {
        self.tracks.remove(&key);
        if key.undo.is_some() {
            return Ok(());
        }
        let program = Arc::clone(&self.program);
        let step = program.step(key.step);
        let mut records = Vec::new();
        if self.journal.state.at(key.step).stage == Stage::Fresh {
            // Its effect was there before its call: whoever reads the events still sees it begin.
            records.push(Record::Watching { step: step.id.clone() });
        }
        records.push(Record::Done { step: step.id.clone(), outputs, detail });
        if let Some(Outage::Ends(outage) | Outage::Whole(outage)) = &step.outage {
            records.extend(self.outage_end(outage));
            self.record(records).await?;
        } else {
            // Should it be lost, a look finds it again; and it is on disk before the intent of anything that waits for it.
            self.defer(&records)?;
        }
        for next in self.dependents[key.step].clone() {
            self.waiting[next] -= 1;
            if self.waiting[next] == 0 {
                self.ready.push_back(next);
                self.ready_changed = true;
            }
        }
        Ok(())
    }

    /// The record that an open outage ends now.
    pub(super) fn outage_end(&self, outage: &str) -> Option<Record> {
        let since = *self.journal.state.outages.get(outage)?;
        Some(Record::OutageEnded { outage: outage.to_owned(), seconds: time::between(since, self.now()).as_secs() })
    }

    pub(super) async fn fail(&mut self, key: Key, error: String, help: String, cause: Cause) -> Result<()> {
        self.tracks.remove(&key);
        let step = self.program.step(key.step);
        let (id, phase) = (step.id.clone(), step.phase);
        let (stale, unseen) = (cause == Cause::Stale, cause == Cause::Unseen);
        // What is turned back by itself leaves but one thing to do.
        let turns_back = key.undo.is_none() && phase != Phase::Retire && !stale && !self.options.keep_on_failure;
        let told = if turns_back { format!("{help}; then plan again") } else { help.clone() };
        let mut records = vec![Record::Failed { step: id.clone(), undo: key.undo.is_some(), error: error.clone(), help: told, stale, unseen }];
        if key.undo.is_none() && phase == Phase::Retire {
            records.extend(self.outage_that_never_was(key));
        }
        self.record(records).await?;
        if key.undo.is_some() {
            self.undo_failed(key.step, &error, &help, cause == Cause::Gone);
        } else if phase == Phase::Retire {
            let then = format!("`switchover resume {}` tries it again, and so does the next plan", self.program.plan.environment);
            self.needs.push(need(&format!("{id} failed"), &error, &help, &then));
        } else {
            self.failure.get_or_insert((id, error, help));
        }
        Ok(())
    }

    /// What a step, or its way back, works on is gone: somebody has removed it.
    pub(super) async fn gone(&mut self, key: Key, what: &str) -> Result<()> {
        let help = if key.undo.is_some() { "nothing can be put back in its place" } else { "see who has removed it" };
        self.fail(key, format!("{what} is gone: it is seen nowhere any more"), help.to_owned(), Cause::Gone).await
    }

    /// The end of an outage that began with a call which was refused: nothing has happened. In *retire* no way back ends it.
    fn outage_that_never_was(&self, key: Key) -> Option<Record> {
        let Some(Outage::Starts(outage) | Outage::Whole(outage)) = &self.program.step(key.step).outage else { return None };
        if self.call(key).is_some_and(Call::had_no_effect) { self.outage_end(outage) } else { None }
    }

    /// After a failure: what went out is awaited, what only looks is let go. While people notice an outage that is to be switched back, only what is
    /// part of it is awaited: the way back of everything else finds by looking what became of it.
    fn await_in_flight(&mut self) {
        let outage_first = !self.options.keep_on_failure && !self.journal.state.outages.is_empty();
        let awaited: BTreeSet<Key> =
            self.tracks.keys().copied().filter(|key| self.call(*key).is_some() && (!outage_first || self.in_outage(*key))).collect();
        self.tracks.retain(|key, track| track.busy || awaited.contains(key));
    }

    /// What the way back of an open outage needs and is gone, by two looks some seconds apart. Who does not answer soon says nothing of the kind.
    async fn gone_for_good(&self) -> Option<String> {
        let mut what = None;
        for pause in [Duration::ZERO, LOOK_AGAIN] {
            if !pause.is_zero() {
                self.clock.sleep_until(time::after(self.now(), pause)).await;
            }
            let limit = time::after(self.now(), LOOK_MAX);
            let looks = missing::gone(&self.program, &self.journal.state, &*self.writers, |step| step.outage.is_some());
            let found = tokio::select! {
                biased;
                found = looks => found,
                () = self.clock.sleep_until(limit) => Vec::new(),
            };
            what = Some(found.into_iter().next()?.1);
        }
        what
    }

    async fn turn_back_or_keep(&mut self) -> Result<()> {
        let Some((id, error, help)) = self.failure.clone() else { return Ok(()) };
        if self.options.keep_on_failure {
            let needs = vec![need(&format!("{id} failed"), &error, &help, &self.journal.state.ways_on())];
            self.halt.get_or_insert(Halt { exit: Exit::Person, why: format!("{id} failed, and everything is kept as it is"), needs });
            return Ok(());
        }
        if let Some(what) = self.gone_for_good().await {
            let happened = format!("{id} failed, and nothing is turned back");
            let error = format!("{error}; {what}, which the way back needs, is gone");
            let open: Vec<&str> = self.journal.state.outages.keys().map(String::as_str).collect();
            let lasts = if open.is_empty() { String::new() } else { format!("; the outage of {} lasts until then", open.join(", ")) };
            let then = format!("`switchover resume {}` goes on{lasts}", self.program.plan.environment);
            let needs = vec![need(&happened, &error, &help, &then)];
            self.halt.get_or_insert(Halt { exit: Exit::Person, why: happened, needs });
            return Ok(());
        }
        self.turn_back(format!("{id} failed: {error}")).await?;
        self.open_undo().await
    }

    /// The record with which this process leaves the run, and its summary.
    pub(super) fn last_record(&mut self) -> (Record, Summary) {
        let state = &self.journal.state;
        if let Some(mut halt) = self.halt.take() {
            halt.exit = match halt.exit {
                Exit::Person if !state.wrote => Exit::Error,
                Exit::Error if state.wrote => Exit::Person,
                exit => exit,
            };
            let mut needs = halt.needs;
            needs.append(&mut self.needs);
            let summary = summary::summarize(state, halt.exit, needs);
            // A plan that was stale before anything was done is over and done with; so is one whose facts could not be read.
            let record = if state.wrote {
                Record::Stopped { why: halt.why, summary: summary.clone() }
            } else {
                Record::Finished { summary: summary.clone(), given_up: false }
            };
            return (record, summary);
        }
        let all_done = state.each().all(|(_, folded)| folded.stage == Stage::Done);
        let back = state.turned_back.is_some();
        if let Some(why) = self.stopping.take().filter(|_| if back { !summary::to_undo(state).is_empty() } else { !all_done }) {
            let summary = summary::summarize(state, Exit::Stopped, std::mem::take(&mut self.needs));
            return (Record::Stopped { why, summary: summary.clone() }, summary);
        }
        let mut needs = std::mem::take(&mut self.needs);
        let exit = if back {
            needs.extend(state.gone().into_iter().map(|(id, lost)| format!("{id} cannot be undone: {lost}")));
            self.exit_when_turned_back(!needs.is_empty())
        } else if all_done {
            Exit::Done
        } else {
            Exit::Person
        };
        let summary = summary::summarize(state, exit, needs);
        (Record::Finished { summary: summary.clone(), given_up: false }, summary)
    }
}
