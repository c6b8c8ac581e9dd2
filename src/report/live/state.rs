//! What the live view knows of a run: a fold over events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::apply::event::{Event, EventKind};
use crate::model::time::Timestamp;
use crate::model::{Address, Phase};
use crate::plan::{Experience, Plan};
use crate::report::steps::Steps;

/// Whether somebody asked the run to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stopping {
    /// Nobody did.
    #[default]
    No,
    /// At the next safe point.
    Safely,
    /// Now.
    Now,
}

/// Where a run stands when it is taken up: what earlier processes have done of it.
#[derive(Debug, Clone, Default)]
pub struct SoFar {
    /// Ids of the steps that are done.
    pub done: BTreeSet<String>,
    /// Outages that are open, since when.
    pub open: BTreeMap<String, Timestamp>,
}

/// A step, or its way back, under way.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    pub since: Timestamp,
    pub attempt: u32,
    pub undo: bool,
    pub status: String,
    pub percent: Option<u8>,
}

/// What is told of the run so far.
pub(super) struct State {
    pub steps: Steps,
    pub experience: Arc<Experience>,
    pub mode: String,
    pub began: Timestamp,
    /// The last event's time.
    pub last: Timestamp,
    /// Seconds that what was left at the beginning takes.
    pub expected: std::time::Duration,
    /// Places of the steps that are done.
    pub done: BTreeSet<usize>,
    /// How many are done, by phase.
    pub done_by_phase: BTreeMap<Phase, usize>,
    /// How many there are, by phase.
    pub all_by_phase: BTreeMap<Phase, usize>,
    pub undone: usize,
    /// By place.
    pub under_way: BTreeMap<usize, UnderWay>,
    pub open: BTreeMap<String, Timestamp>,
    /// Outages that have ended.
    pub over: BTreeSet<String>,
    /// Gates that wait, by resource.
    pub gates: BTreeMap<Option<Address>, String>,
    pub stopping: Stopping,
    pub has_ended: bool,
}

impl State {
    pub fn new(plan: Arc<Plan>, experience: Arc<Experience>, so_far: SoFar, now: Timestamp) -> State {
        let steps = Steps::new(plan);
        let done: BTreeSet<usize> = so_far.done.iter().filter_map(|id| steps.place(id)).collect();
        let (mut all_by_phase, mut done_by_phase) = (BTreeMap::new(), BTreeMap::new());
        for (place, step) in steps.plan.steps.iter().enumerate() {
            *all_by_phase.entry(step.phase).or_default() += 1;
            *done_by_phase.entry(step.phase).or_default() += usize::from(done.contains(&place));
        }
        let expected = experience.run(&steps.plan, |step| !so_far.done.contains(&step.id));
        State {
            steps,
            experience,
            mode: String::new(),
            began: now,
            last: now,
            expected,
            done,
            done_by_phase,
            all_by_phase,
            undone: 0,
            under_way: BTreeMap::new(),
            open: so_far.open,
            over: BTreeSet::new(),
            gates: BTreeMap::new(),
            stopping: Stopping::No,
            has_ended: false,
        }
    }

    pub fn event(&mut self, event: &Event) {
        self.last = self.last.max(event.time);
        let place = event.step.as_deref().and_then(|id| self.steps.place(id));
        match &event.kind {
            EventKind::RunStarted { mode, .. } => {
                self.mode.clone_from(mode);
                self.began = event.time;
            }
            EventKind::StepStarted { attempt, undo, .. } => self.started(event, place, *attempt, *undo),
            EventKind::StepProgress { status, percent, elapsed_seconds, .. } => {
                let since = event.time.checked_sub(std::time::Duration::from_secs(*elapsed_seconds)).unwrap_or(event.time);
                let under_way = place.map(|place| self.under_way.entry(place));
                let Some(entry) = under_way else { return };
                // A step that an earlier process began is first told of here.
                let step = entry.or_insert_with(|| UnderWay { since, attempt: 1, undo: false, status: String::new(), percent: None });
                step.status.clone_from(status);
                step.percent = *percent;
            }
            EventKind::StepDone { .. } => {
                self.left(event, place);
                if place.is_some_and(|place| self.done.insert(place)) {
                    *self.done_by_phase.entry(event.phase.unwrap_or(Phase::Prepare)).or_default() += 1;
                }
            }
            EventKind::StepUndone { .. } => {
                self.left(event, place);
                self.undone += 1;
                if place.is_some_and(|place| self.done.remove(&place)) {
                    let count = self.done_by_phase.entry(event.phase.unwrap_or(Phase::Prepare)).or_default();
                    *count = count.saturating_sub(1);
                }
            }
            EventKind::StepFailed { .. } => self.left(event, place),
            EventKind::OutageStarted { outage, .. } => {
                self.open.insert(outage.clone(), event.time);
            }
            EventKind::OutageEnded { outage, .. } => {
                self.open.remove(outage);
                self.over.insert(outage.clone());
            }
            EventKind::GateWaiting { message } => {
                self.gates.insert(event.address.clone(), message.clone());
            }
            EventKind::Notice { .. } => {}
            EventKind::RunFinished { .. } => self.has_ended = true,
        }
    }

    fn started(&mut self, event: &Event, place: Option<usize>, attempt: u32, undo: bool) {
        let Some(place) = place else { return };
        let before = self.under_way.get(&place).filter(|before| before.undo == undo);
        let since = before.map_or(event.time, |before| before.since);
        self.under_way.insert(place, UnderWay { since, attempt, undo, status: String::new(), percent: None });
    }

    fn left(&mut self, event: &Event, place: Option<usize>) {
        if let Some(place) = place {
            self.under_way.remove(&place);
            self.gates.remove(&event.address);
        }
    }

    /// The phase that the run is in: of what is under way the one furthest on, else of the first step that is not done.
    pub fn phase(&self) -> Option<Phase> {
        let phase = |place: &usize| self.steps.plan.steps.get(*place).map(|step| step.phase);
        let first_left = || (0..self.steps.plan.steps.len()).find(|place| !self.done.contains(place));
        self.under_way.keys().filter_map(phase).max().or_else(|| phase(&first_left()?))
    }
}
