//! Journal entries → what became of each step. A pure fold; an illegal history is an error, never a guess.

use std::collections::BTreeMap;
use std::sync::Arc;

pub use super::call::Call;
use super::record::{Answer, Entry, Record};
use crate::apply::event::Summary;
use crate::apply::operation::Outputs;
use crate::model::time::Timestamp;
use crate::plan::{Plan, Step, Undo};

/// The mode of a run that somebody asked to go on with.
pub const RESUME: &str = "resume";
/// The mode of a run that somebody asked to turn back.
pub const ROLLBACK: &str = "rollback";

/// How far a step came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stage {
    /// Nothing went out.
    #[default]
    Fresh,
    /// A look-only step is being watched.
    Watching(Timestamp),
    /// Its call went out.
    Called(Call),
    /// Its effect is there.
    Done,
    /// Its effect is gone again.
    Undone,
}

/// One step, folded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepState {
    /// How far it came.
    pub stage: Stage,
    /// Whether a call of it ever went out (stays true when done or undone).
    pub called: bool,
    /// Position in the order of first calls, for undoing newest first.
    pub order: Option<u64>,
    /// The undo operation at work and how far its call came.
    pub undo: Option<(usize, Call)>,
    /// Why it failed, and what to do, if it did and has not been tried since.
    pub failed: Option<(String, String)>,
    /// Whether its undo failed.
    pub undo_failed: bool,
    /// Whether it, or its undo, failed because the effect of a call that the service has taken does not show.
    pub unseen: bool,
    /// Its call, where it is only taken to be gone: whoever goes on with the run looks again.
    pub assumed_gone: Option<Call>,
    /// When it began and ended, for durations.
    pub began: Option<Timestamp>,
    /// When it was done.
    pub ended: Option<Timestamp>,
}

/// Where a step stands when a process leaves the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its effect is there.
    Done,
    /// Its effect is gone again.
    Undone,
    /// It may be there.
    InFlight,
    /// It is not there.
    NotStarted,
}

impl StepState {
    /// Where it stands. What was refused is not there.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.stage {
            Stage::Done => Standing::Done,
            Stage::Undone => Standing::Undone,
            Stage::Called(call) if !call.had_no_effect() => Standing::InFlight,
            Stage::Called(_) | Stage::Fresh | Stage::Watching(_) => Standing::NotStarted,
        }
    }

    /// Whether the process at work awaits an answer for a call of it, or of its way back.
    pub(super) fn is_called_now(&self) -> bool {
        let forward = matches!(&self.stage, Stage::Called(call) if call.out);
        forward || self.undo.as_ref().is_some_and(|(_, call)| call.out)
    }
}

/// A run, folded.
#[derive(Debug, Clone)]
pub struct RunState {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Who began it.
    pub actor: String,
    /// What was last done with it: `apply`, `resume`, `rollback`.
    pub mode: String,
    /// When it began.
    pub began: Timestamp,
    /// When the process that runs it now (or ran it last) took it up.
    pub taken_up: Timestamp,
    /// What became of each step, in the plan's order.
    steps: Vec<StepState>,
    /// What was found out.
    pub outputs: BTreeMap<String, Outputs>,
    /// Why it is being turned back, if it is.
    pub turned_back: Option<String>,
    /// Whether what the plan relied on had changed.
    pub stale: bool,
    /// Outages that are open, since when.
    pub outages: BTreeMap<String, Timestamp>,
    /// How long people noticed, all outages together, in seconds.
    pub outage_seconds: u64,
    /// How it ended.
    pub finished: Option<Summary>,
    /// Whether a person gave it up as it stands.
    pub given_up: bool,
    /// How it stopped, if that is the last thing that happened.
    pub stopped: Option<Summary>,
    /// Whether anything was written to the world.
    pub wrote: bool,
    /// Entries so far.
    pub entries: u64,
    /// The last entry's time.
    pub last: Timestamp,
}

impl RunState {
    /// A run that has just begun.
    #[must_use]
    pub fn begin(plan: Arc<Plan>, actor: String, time: Timestamp) -> Self {
        let steps = vec![StepState::default(); plan.steps.len()];
        RunState {
            plan,
            actor,
            mode: "apply".to_owned(),
            began: time,
            taken_up: time,
            steps,
            outputs: BTreeMap::new(),
            turned_back: None,
            stale: false,
            outages: BTreeMap::new(),
            outage_seconds: 0,
            finished: None,
            given_up: false,
            stopped: None,
            wrote: false,
            entries: 1,
            last: time,
        }
    }

    /// One step; every id of the plan is known.
    #[must_use]
    pub fn step(&self, id: &str) -> &StepState {
        static FRESH: StepState = StepState {
            stage: Stage::Fresh,
            called: false,
            order: None,
            undo: None,
            failed: None,
            undo_failed: false,
            unseen: false,
            assumed_gone: None,
            began: None,
            ended: None,
        };
        self.plan.place(id).map_or(&FRESH, |place| self.at(place))
    }

    /// The step at this place of the plan's order, from 0.
    ///
    /// # Panics
    /// Where the plan has no such place.
    #[must_use]
    pub fn at(&self, place: usize) -> &StepState {
        &self.steps[place]
    }

    /// Every step of the plan and what became of it, in the plan's order.
    #[must_use]
    pub fn each(&self) -> impl DoubleEndedIterator<Item = (&Step, &StepState)> {
        self.plan.steps.iter().zip(&self.steps)
    }

    /// Whether any step awaits an answer, or its way back does.
    pub(super) fn is_called_now(&self) -> bool {
        self.steps.iter().any(StepState::is_called_now)
    }

    /// Adds one record.
    ///
    /// # Errors
    /// Why this cannot have happened after what happened before.
    pub fn apply(&mut self, time: Timestamp, record: &Record) -> Result<(), String> {
        if (self.finished.is_some() || self.stopped.is_some()) && !matches!(record, Record::Continued { .. }) {
            return Err("something follows the end of the run".to_owned());
        }
        match record {
            Record::Begun { .. } => return Err("the run begins twice".to_owned()),
            Record::Continued { mode, .. } => {
                if ![RESUME, ROLLBACK].contains(&mode.as_str()) {
                    return Err(format!("the run goes on by `{mode}`"));
                }
                if self.given_up {
                    return Err("the run goes on after it was given up".to_owned());
                }
                self.stopped = None;
                self.mode.clone_from(mode);
                self.taken_up = time;
                self.continued();
            }
            Record::Watching { step } => self.watching(step, time)?,
            Record::Intent { step, undo, attempt } => self.intent(step, *undo, *attempt, time)?,
            Record::Answered { step, undo, answer } => self.answered(step, *undo, answer, time)?,
            Record::Noted { step, name, value } => {
                let state = self.known(step)?;
                if !state.is_called_now() {
                    return Err(format!("a note of {step}, which is not being called"));
                }
                self.outputs.entry(step.clone()).or_default().insert(name.clone(), value.as_str().into());
            }
            Record::Done { step, outputs, .. } => self.done(step, outputs, time)?,
            Record::Failed { step, undo, error, help, stale, unseen } => {
                self.may_fail(step, *undo, *unseen)?;
                let state = self.known(step)?;
                state.failed = Some((error.clone(), help.clone()));
                state.undo_failed = *undo;
                state.unseen = *unseen;
                self.stale |= *stale;
            }
            Record::TurnedBack { why } => self.turn_back(why)?,
            Record::Undone { step, assumed } => self.undone(step, *assumed)?,
            Record::OutageStarted { outage } => {
                let planned = self.plan.steps.iter().filter_map(|step| step.outage.as_ref()).any(|known| known.name() == outage);
                if !planned || self.outages.insert(outage.clone(), time).is_some() {
                    return Err(format!("outage {outage} begins twice, or is not one of the plan"));
                }
            }
            Record::OutageEnded { outage, seconds } => {
                self.outage_seconds += seconds;
                self.outages.remove(outage).ok_or_else(|| format!("outage {outage} ends and never began"))?;
            }
            Record::Stopped { summary, .. } => {
                self.must_tell(summary)?;
                self.stopped = Some(summary.clone());
            }
            Record::Finished { summary, given_up } => {
                self.given_up = *given_up;
                self.must_tell(summary)?;
                self.finished = Some(summary.clone());
            }
        }
        self.entries += 1;
        self.last = time;
        Ok(())
    }

    fn known(&mut self, step: &str) -> Result<&mut StepState, String> {
        self.plan.place(step).and_then(|place| self.steps.get_mut(place)).ok_or_else(|| format!("{step} is not a step of the plan"))
    }

    /// Steps that cannot be undone and whose effect is, or may be, there, and what is lost by them. What was refused is not lost.
    #[must_use]
    pub fn gone(&self) -> Vec<(String, String)> {
        let of = |(step, folded): (&Step, &StepState)| {
            match &step.undo {
                // Found done without a call of ours, it is lost all the same: somebody else was first.
                Undo::Impossible(lost) if matches!(folded.standing(), Standing::Done | Standing::InFlight) => Some((step.id.clone(), lost.clone())),
                _ => None,
            }
        };
        self.each().filter_map(of).collect()
    }

    /// How a person goes on with it once what hindered it is mended, in words. `rollback` is named only where it is not refused: what cannot be
    /// undone may have been done.
    #[must_use]
    pub fn ways_on(&self) -> String {
        let environment = &self.plan.environment;
        let ways = if self.turned_back.is_some() {
            format!("`switchover rollback {environment}` goes on with the way back")
        } else if self.gone().is_empty() {
            format!("`switchover resume {environment}` goes on, `switchover rollback {environment}` turns it back")
        } else {
            format!("`switchover resume {environment}` goes on")
        };
        if self.outages.is_empty() {
            return ways;
        }
        let open: Vec<&str> = self.outages.keys().map(String::as_str).collect();
        format!("{ways}; the outage of {} lasts until then", open.join(", "))
    }

    /// Whether somebody asked for the way back, so that going on with the run is going on with that.
    #[must_use]
    pub fn asked_back(&self) -> bool {
        self.mode == ROLLBACK
    }

    /// Another process tries again what was refused: whoever starts it has mended the cause.
    fn continued(&mut self) {
        if self.finished.take().is_some() && !self.wrote && !self.asked_back() {
            // It ended before anything was done: it begins again.
            (self.turned_back, self.stale) = (None, false);
            self.outputs.clear();
            self.steps.fill(StepState::default());
        }
        let (back, now) = (self.turned_back.is_some(), self.taken_up);
        for state in &mut self.steps {
            if let Some(call) = state.assumed_gone.take() {
                state.stage = Stage::Called(call);
            }
            // Who was told of something else knows nothing of it, and what failed and was turned back by itself has asked nothing of anybody.
            let failed = state.undo_failed || (state.failed.is_some() && !back);
            let told = std::mem::take(&mut state.unseen) && (state.undo_failed || !back);
            match &mut state.stage {
                Stage::Called(call) if call.had_no_effect() => state.stage = Stage::Fresh,
                Stage::Called(call) => call.goes_on(told && state.undo.is_none(), failed, now),
                _ => {}
            }
            match &mut state.undo {
                Some((_, call)) if call.had_no_effect() => state.undo = None,
                Some((_, call)) => call.goes_on(told, state.undo_failed, now),
                None => {}
            }
            state.undo_failed = false;
        }
        // What had changed when it stopped is looked at again; only a run that is turned back for it stays stale.
        self.stale &= self.turned_back.is_some();
    }

    fn watching(&mut self, step: &str, time: Timestamp) -> Result<(), String> {
        self.may_go_forward(step)?;
        let state = self.known(step)?;
        if !matches!(state.stage, Stage::Fresh | Stage::Watching(_)) {
            return Err(format!("{step} is watched after its call"));
        }
        state.stage = Stage::Watching(time);
        state.failed = None;
        state.began.get_or_insert(time);
        Ok(())
    }

    fn intent(&mut self, step: &str, undo: Option<usize>, attempt: u32, time: Timestamp) -> Result<(), String> {
        let order = self.entries;
        match undo {
            None => self.may_go_forward(step)?,
            Some(index) => self.may_go_back(step, index)?,
        }
        self.wrote = true;
        let state = self.known(step)?;
        if state.is_called_now() {
            return Err(format!("{step} is called while an answer for it is awaited"));
        }
        let call = if let Some(index) = undo {
            match &mut state.undo {
                Some((at, call)) if *at == index => call,
                other => &mut other.insert((index, Call::begun(time))).1,
            }
        } else {
            match &mut state.stage {
                Stage::Called(call) => call,
                Stage::Fresh | Stage::Watching(_) => {
                    state.stage = Stage::Called(Call::begun(time));
                    let Stage::Called(call) = &mut state.stage else { return Err("unreachable".to_owned()) };
                    call
                }
                Stage::Done | Stage::Undone => return Err(format!("{step} is called after it was done")),
            }
        };
        if attempt != call.attempts + 1 {
            return Err(format!("attempt {attempt} of {step} follows attempt {}", call.attempts));
        }
        if call.answer == Some(Answer::Good) && !call.told && !call.may_repeat {
            return Err(format!("{step} is called again after it was answered well"));
        }
        call.doubt |= attempt > 1 && !matches!(call.answer, Some(Answer::Nothing { .. }));
        call.attempts = attempt;
        (call.told, call.may_repeat) = (false, false);
        call.last = time;
        call.answer = None;
        call.out = true;
        state.called = true;
        state.failed = None;
        state.unseen = false;
        state.order.get_or_insert(order);
        state.began.get_or_insert(time);
        Ok(())
    }

    fn answered(&mut self, step: &str, undo: Option<usize>, answer: &Answer, time: Timestamp) -> Result<(), String> {
        let state = self.known(step)?;
        let call = match (undo, &mut state.undo, &mut state.stage) {
            (Some(index), Some((at, call)), _) if *at == index => call,
            (None, _, Stage::Called(call)) => call,
            _ => return Err(format!("an answer for {step}, which was not called")),
        };
        if !std::mem::take(&mut call.out) {
            return Err(format!("an answer for {step} that nobody awaits"));
        }
        call.answer = Some(answer.clone());
        call.taken |= *answer == Answer::Good;
        call.last = time;
        Ok(())
    }

    fn done(&mut self, step: &str, outputs: &Outputs, time: Timestamp) -> Result<(), String> {
        self.may_go_forward(step)?;
        let state = self.known(step)?;
        if !matches!(state.stage, Stage::Watching(_) | Stage::Called(Call { out: false, .. })) {
            return Err(format!("{step} is done twice, or was not begun, or is being called"));
        }
        state.stage = Stage::Done;
        state.failed = None;
        state.began.get_or_insert(time);
        state.ended = Some(time);
        if !outputs.is_empty() {
            self.outputs.entry(step.to_owned()).or_default().extend(outputs.clone());
        }
        Ok(())
    }

    fn undone(&mut self, step: &str, assumed: bool) -> Result<(), String> {
        let turned_back = self.turned_back.is_some();
        let can_be_undone = self.plan.step(step).is_some_and(|planned| !matches!(planned.undo, Undo::Keep(_) | Undo::Impossible(_)));
        let state = self.known(step)?;
        if !turned_back || !can_be_undone || !state.called || state.stage == Stage::Undone || state.is_called_now() {
            return Err(format!("{step} is undone out of turn"));
        }
        state.assumed_gone = match (&state.stage, &state.undo) {
            (Stage::Called(call), None) if assumed && !call.had_no_effect() => Some(call.clone()),
            _ if assumed => return Err(format!("{step} is taken to be gone, and what became of its call is known")),
            _ => None,
        };
        state.stage = Stage::Undone;
        state.failed = None;
        state.undo_failed = false;
        Ok(())
    }
}

/// Folds a whole journal.
///
/// # Errors
/// Which entry cannot have happened, and why.
pub fn fold(entries: &[Entry]) -> Result<RunState, String> {
    let Some((first, rest)) = entries.split_first() else { return Err("it is empty".to_owned()) };
    let Record::Begun { plan, actor } = &first.record else { return Err("it does not begin with a plan".to_owned()) };
    if first.seq != 0 {
        return Err("its first record is missing".to_owned());
    }
    let mut state = RunState::begin(Arc::clone(plan), actor.clone(), first.time);
    for entry in rest {
        if entry.seq != state.entries {
            return Err(format!("record {} stands where record {} should", entry.seq, state.entries));
        }
        state.apply(entry.time, &entry.record).map_err(|why| format!("record {}: {why}", entry.seq))?;
    }
    Ok(state)
}
