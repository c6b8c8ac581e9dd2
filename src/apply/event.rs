//! What happens in a run, as it is told: the only interface between running and showing.

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;
use crate::model::{Address, Phase};

/// What a run leaves for a person to do, and what became of each step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How the process ends.
    pub exit_code: u8,
    /// Step ids.
    pub done: Vec<String>,
    /// Step ids.
    pub undone: Vec<String>,
    /// Step ids whose effect may be there, or half there.
    pub in_flight: Vec<String>,
    /// Step ids.
    pub not_started: Vec<String>,
    /// What a person must do, in full sentences.
    pub needs: Vec<String>,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// A run begins, is resumed, or is turned back.
    RunStarted {
        /// `apply`, `resume` or `rollback`.
        mode: String,
        /// Steps of the plan.
        steps: usize,
        /// Seconds the whole is expected to take; 0 for a way back, of which nobody knows.
        expected_seconds: u64,
        /// Who runs it.
        actor: String,
    },
    /// A step's call goes out (or, for a look, its first look is made).
    StepStarted {
        /// Seconds it takes as a rule.
        expected_seconds: u64,
        /// 1 for the first call, more after an unknown or refused one.
        attempt: u32,
        /// Whether this is its way back.
        undo: bool,
    },
    /// A step is under way.
    StepProgress {
        /// The service's word.
        status: String,
        /// 0 to 100, where the service gives one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<u8>,
        /// Seconds since the step began.
        elapsed_seconds: u64,
        /// Seconds it takes as a rule.
        expected_seconds: u64,
    },
    /// A step's effect is there.
    StepDone {
        /// Seconds since the step began.
        elapsed_seconds: u64,
        /// Lines for people; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// A step, or its way back, failed.
    StepFailed {
        /// Why, in one line.
        error: String,
        /// What to do.
        help: String,
        /// Whether it was its way back.
        undo: bool,
    },
    /// A step's effect is gone again.
    StepUndone {
        /// Seconds its way back took.
        elapsed_seconds: u64,
    },
    /// People begin to notice.
    OutageStarted {
        /// Its name.
        outage: String,
        /// Seconds it takes as a rule.
        expected_seconds: u64,
    },
    /// People notice no longer.
    OutageEnded {
        /// Its name.
        outage: String,
        /// How long it lasted.
        seconds: u64,
    },
    /// A step waits for people (later kinds).
    GateWaiting {
        /// For what.
        message: String,
    },
    /// Something that people should know and that stops nothing: a wait ordered by a service, a notice that could not be sent.
    Notice {
        /// One line.
        message: String,
    },
    /// The run ends, for now or for good.
    RunFinished {
        /// What became of it.
        #[serde(flatten)]
        summary: Summary,
        /// Seconds since it (this process's part of it) began.
        elapsed_seconds: u64,
    },
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The world's time.
    pub time: Timestamp,
    /// The run.
    pub run: String,
    /// The environment.
    pub environment: String,
    /// The step, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The step's resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The step's phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The operation's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Somebody who is told. Telling never fails and never stops a run.
pub trait Sink: Send {
    /// One event, in order.
    fn event(&mut self, event: &Event);
}
