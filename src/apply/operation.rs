//! What the engine runs: `look` reads reality, `start` makes one call and returns without waiting.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::declare::Provider;
use crate::model::time::Timestamp;
use crate::model::{Data, Json};
use crate::world::provider::{AwsProvider, CloudflareProvider};
use crate::world::{CallError, CallResult, Failure, Readers, Writers};

/// What a step found out, by name: `resource_id`. Journaled when seen.
pub type Outputs = BTreeMap<String, Json>;

/// What people see of something that is under way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The service's own word: `creating`, `backing-up`.
    pub status: String,
    /// 0 to 100, where the service gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
}

impl Progress {
    /// Just a word.
    pub fn status(status: impl Into<String>) -> Self {
        Progress { status: status.into(), percent: None }
    }
}

/// What reality says about an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// Its effect is not there.
    Pending,
    /// It is under way by itself.
    Settling(Progress),
    /// Its effect is there.
    Done {
        /// What was found out.
        outputs: Outputs,
        /// Lines for people (a parity table, a count), may be empty.
        detail: String,
    },
    /// It can never be done as planned: why.
    Conflict(String),
    /// What it works on is seen nowhere: a service may hide it for some minutes; after that it is gone. What that is.
    Missing(String),
}

impl Look {
    /// Done, with nothing to hand on.
    #[must_use]
    pub fn done() -> Self {
        Look::Done { outputs: Outputs::new(), detail: String::new() }
    }
}

/// What a look gets.
pub struct Cx<'a> {
    /// The reading half of the world.
    pub readers: &'a dyn Readers,
    /// The plan's providers by name.
    pub providers: &'a BTreeMap<String, Provider>,
    /// The environment's name.
    pub environment: &'a str,
    /// The run's id.
    pub run: &'a str,
    /// This step's id.
    pub step: &'a str,
    /// Outputs of the steps done so far, and notes of this one, by step id.
    pub outputs: &'a BTreeMap<String, Outputs>,
    /// When this step's (or its undo's) first call went out, if one did.
    pub started: Option<Timestamp>,
}

impl Cx<'_> {
    /// An output of a step as text.
    #[must_use]
    pub fn output(&self, step: &str, name: &str) -> Option<&str> {
        self.outputs.get(step)?.get(name)?.as_str()
    }

    /// A note that this very step journaled.
    #[must_use]
    pub fn note(&self, name: &str) -> Option<&str> {
        self.output(self.step, name)
    }

    /// An AWS provider of the plan.
    ///
    /// # Errors
    /// When the plan names no such provider, which only a plan changed by hand can do.
    pub fn aws(&self, name: &str) -> CallResult<&AwsProvider> {
        if let Some(Provider::Aws(provider)) = self.providers.get(name) { Ok(provider) } else { Err(unknown_provider(name)) }
    }

    /// A Cloudflare provider of the plan.
    ///
    /// # Errors
    /// As [`Cx::aws`].
    pub fn cloudflare(&self, name: &str) -> CallResult<&CloudflareProvider> {
        if let Some(Provider::Cloudflare(provider)) = self.providers.get(name) { Ok(provider) } else { Err(unknown_provider(name)) }
    }
}

fn unknown_provider(name: &str) -> CallError {
    CallError::new("plan", Failure::Refused, format!("the plan has no provider {name}"))
}

/// Journals what is found out in the middle of a start, durably, before it returns.
#[async_trait]
pub trait Notes: Send + Sync {
    /// Keeps `name` = `value` for this step's later looks. An error means that nothing may go on.
    async fn keep(&self, name: &str, value: &str) -> Result<(), String>;
}

/// What a start gets.
pub struct StartCx<'a> {
    /// What a look gets.
    pub cx: &'a Cx<'a>,
    /// The writing half of the world.
    pub writers: &'a dyn Writers,
    /// For what must be on disk before a start may go on.
    pub notes: &'a dyn Notes,
    /// Words that the name of nothing written may contain.
    pub protect: &'a [String],
}

/// One operation of one kind.
#[async_trait]
pub trait Operation: Send + Sync {
    /// The service's word for the call, for events: `rds:ModifyDBInstance`; for looks alone: `wait`, `check`.
    fn name(&self) -> &'static str;
    /// Names it writes, old and new, tag values included (`switchover:` tags and ids that AWS makes are not names); empty for looks.
    fn writes(&self) -> Vec<String>;
    /// Whether the service itself refuses, or does not notice, a second call with the same effect (identifier, resource id, record id): then a start
    /// whose outcome is unknown and whose effect is not seen may be repeated after a look; else only when the visibility limit has passed.
    fn repeat_is_safe(&self) -> bool {
        true
    }
    /// Whether it has anything to start: looks alone (waits, checks) have not.
    fn starts(&self) -> bool {
        true
    }
    /// Whether its calls work on for as long as the step may (a transaction, a query): else an answer is waited for some minutes at most.
    fn lasts(&self) -> bool {
        false
    }
    /// Whether a conflict that its look finds before any call of it means that the world is not what the plan was made for: then the plan is stale.
    fn conflict_is_stale(&self) -> bool {
        self.starts()
    }
    /// What a person can do about a conflict that its look finds.
    fn on_conflict(&self) -> &'static str {
        "somebody or something else has changed what this step works on: see what it is"
    }
    /// Whether nothing is left to do where what it works on is gone: what it was to free is free.
    fn missing_is_done(&self) -> bool {
        false
    }
    /// Reads reality.
    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look>;
    /// Makes one call and returns without waiting. Never called for operations that start nothing.
    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()>;
}

/// What applying needs to know of a kind.
#[async_trait]
pub trait Operations: Sync {
    /// The operation that a step's data stands for. Unknown types and fields are an error (a fragment).
    fn decode(&self, operation: &Data) -> Result<Box<dyn Operation>, String>;
    /// Reads a fact again, in the form in which the plan holds it.
    async fn read_fact(&self, read: &Data, cx: &Cx<'_>) -> CallResult<Data>;
}
