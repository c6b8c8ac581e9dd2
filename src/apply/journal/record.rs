//! What a journal holds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::apply::event::Summary;
use crate::apply::operation::Outputs;
use crate::model::time::Timestamp;
use crate::plan::Plan;

/// What is known after a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// The service took it.
    Good,
    /// Nothing happened, for certain.
    Nothing {
        /// The service's words.
        error: String,
        /// Whether the same call may go well a little later without anybody doing anything (throttled, not reached).
        passing: bool,
    },
    /// It may have happened.
    Unknown {
        /// What was seen instead of an answer.
        error: String,
    },
}

/// One fact of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// The first one: the whole plan, so that a run can go on anywhere with the journal alone.
    Begun {
        /// The plan.
        plan: Arc<Plan>,
        /// Who runs it.
        actor: String,
    },
    /// Another process goes on with it.
    Continued {
        /// `resume` or `rollback`.
        mode: String,
        /// Who.
        actor: String,
    },
    /// A step's first look, for steps that start nothing.
    Watching {
        /// Step id.
        step: String,
    },
    /// A call is about to go out.
    Intent {
        /// Step id.
        step: String,
        /// Which operation of its way back; none: the step itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo: Option<usize>,
        /// From 1.
        attempt: u32,
    },
    /// The call of the last intent was answered, or not.
    Answered {
        /// Step id.
        step: String,
        /// As in the intent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo: Option<usize>,
        /// What is known.
        answer: Answer,
    },
    /// Found out in the middle of a call (a transaction's id before its COMMIT).
    Noted {
        /// Step id.
        step: String,
        /// Its name.
        name: String,
        /// What it is.
        value: String,
    },
    /// A step's effect is there.
    Done {
        /// Step id.
        step: String,
        /// What it found out.
        #[serde(deserialize_with = "crate::model::json::map")]
        outputs: Outputs,
        /// Lines for people.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// A step, or its way back, failed.
    Failed {
        /// Step id.
        step: String,
        /// Whether its way back.
        undo: bool,
        /// Why.
        error: String,
        /// What to do.
        help: String,
        /// Whether what the plan relied on had changed.
        stale: bool,
        /// Whether it is that the effect of a call that the service has taken does not show.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unseen: bool,
    },
    /// From here on the run is turned back.
    TurnedBack {
        /// Why.
        why: String,
    },
    /// A step's effect is gone again.
    Undone {
        /// Step id.
        step: String,
        /// Whether that is only taken to be so: its call had no answer, and nothing of it has shown.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        assumed: bool,
    },
    /// People begin to notice.
    OutageStarted {
        /// Its name.
        outage: String,
    },
    /// People notice no longer.
    OutageEnded {
        /// Its name.
        outage: String,
        /// How long it lasted.
        seconds: u64,
    },
    /// This process stopped and another can go on.
    Stopped {
        /// Why.
        why: String,
        /// What became of the steps.
        summary: Summary,
    },
    /// The run has ended; only a rollback may follow.
    Finished {
        /// What became of the steps.
        summary: Summary,
        /// Whether a person gave the run up as it stands: nothing follows.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        given_up: bool,
    },
}

/// A record with its place and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From 0.
    pub seq: u64,
    /// The world's time.
    pub time: Timestamp,
    /// What happened.
    pub record: Record,
}
