//! What has been told so far, as far as later lines and the final report need it: a pure fold over events.

use std::collections::BTreeMap;

use crate::apply::event::{Event, EventKind, Summary};
use crate::model::time::Timestamp;

/// One failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The step's id; none when it was about no step.
    pub step: Option<String>,
    /// Why.
    pub error: String,
    /// What to do.
    pub help: String,
    /// Whether its way back failed.
    pub undo: bool,
}

/// The story of a run until now.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// `apply`, `resume` or `rollback`; empty before the run has started.
    pub mode: String,
    /// In order.
    pub failures: Vec<Failed>,
    /// Outages that have ended, with their seconds, in order.
    pub outages: Vec<(String, u64)>,
    /// Outages that have not, with the instant at which they began.
    pub open_outages: BTreeMap<String, Timestamp>,
    /// The end, once it was told: the summary and the seconds.
    pub end: Option<(Summary, u64)>,
}

impl Story {
    /// Takes in the next event.
    pub fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted { mode, .. } => {
                self.mode.clone_from(mode);
                self.end = None;
            }
            EventKind::StepFailed { error, help, undo } => {
                self.failures.push(Failed { step: event.step.clone(), error: error.clone(), help: help.clone(), undo: *undo });
            }
            EventKind::OutageStarted { outage, .. } => {
                self.open_outages.insert(outage.clone(), event.time);
            }
            EventKind::OutageEnded { outage, seconds } => {
                self.open_outages.remove(outage);
                self.outages.push((outage.clone(), *seconds));
            }
            EventKind::RunFinished { summary, elapsed_seconds } => self.end = Some((summary.clone(), *elapsed_seconds)),
            EventKind::StepStarted { .. }
            | EventKind::StepProgress { .. }
            | EventKind::StepDone { .. }
            | EventKind::StepUndone { .. }
            | EventKind::GateWaiting { .. }
            | EventKind::Notice { .. } => {}
        }
    }
}
