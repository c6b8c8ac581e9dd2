//! A kind whose things are names in a set: its operations add and remove names, and behave as they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use switchover::apply::operation::{Cx, Look, Operation, Operations, Progress, StartCx};
use switchover::model::{Address, Data, Json, Phase, time};
use switchover::plan::{Limits, Step, Undo};
use switchover::world::{CallError, CallResult, Failure};

/// How an operation behaves.
#[allow(clippy::struct_excessive_bools, reason = "manners come in any combination")]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manner {
    /// Seconds that it settles after its start.
    pub settle_seconds: u64,
    /// Starts that are throttled first.
    pub throttled: u32,
    /// Starts that are refused as busy first, though no look shows it.
    pub unready: u32,
    /// Whether it is refused.
    pub refused: bool,
    /// Whether credentials have run out (with `lost`: after the first call).
    pub denied: bool,
    /// Whether a look finds a conflict.
    pub conflict: bool,
    /// Whether its answer is lost, and whether the effect happened all the same.
    pub lost: Option<bool>,
    /// Whether its first call is never answered, and whether the effect happened all the same.
    pub silent: Option<bool>,
    /// Seconds for which nobody sees the effect.
    pub late_seconds: u64,
    /// Seconds for which the service is busy with something else, which shows when the first call has been refused.
    pub busy_seconds: u64,
    /// Whether its way back is refused.
    pub stays: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Op {
    Add { name: String, manner: Manner },
    Remove { name: String, manner: Manner },
    Wait { seconds: u64 },
}

#[derive(Default)]
struct Things {
    names: BTreeSet<String>,
    since: BTreeMap<String, time::Timestamp>,
    made: BTreeMap<String, time::Timestamp>,
    busy_since: BTreeMap<String, time::Timestamp>,
    log: Vec<String>,
    throttled: BTreeMap<String, u32>,
    throttled_facts: (u32, u64),
    on_look: Option<(String, Box<dyn FnOnce() + Send>)>,
    mended: bool,
}

impl Things {
    /// Whether it is there, and not seen yet.
    fn unseen(&self, name: &str, manner: &Manner, now: time::Timestamp) -> bool {
        let made = self.made.get(name).filter(|_| self.names.contains(name));
        made.is_some_and(|made| time::between(*made, now) < Duration::from_secs(manner.late_seconds))
    }

    fn is_busy(&self, name: &str, manner: &Manner, now: time::Timestamp) -> bool {
        self.busy_since.get(name).is_some_and(|since| time::between(*since, now) < Duration::from_secs(manner.busy_seconds))
    }

    /// Counts a call that is not answered; only the first one is.
    fn is_first(&mut self, name: &str, effect: bool) -> bool {
        let count = self.throttled.entry(name.to_owned()).or_default();
        *count += 1;
        if *count == 1 && effect {
            self.names.insert(name.to_owned());
        }
        *count == 1
    }
}

static THINGS: LazyLock<Mutex<BTreeMap<String, Things>>> = LazyLock::new(Mutex::default);

/// Reads or changes what a run's fake world holds.
fn things<T>(run: &str, use_it: impl FnOnce(&mut Things) -> T) -> T {
    use_it(THINGS.lock().unwrap().entry(run.to_owned()).or_default())
}

/// Names that are there, sorted.
pub fn names(run: &str) -> Vec<String> {
    things(run, |things| things.names.iter().cloned().collect())
}

/// Calls in order: `+name`, `-name`.
pub fn log(run: &str) -> Vec<String> {
    things(run, |things| things.log.clone())
}

/// From now on everything goes well.
pub fn mend(run: &str) {
    things(run, |things| things.mended = true);
}

/// Adds a name behind everybody's back.
pub fn meddle(run: &str, name: &str) {
    things(run, |things| things.names.insert(name.to_owned()));
}

/// So many reads of facts are throttled, once something is there, and ask for a pause of so many seconds.
pub fn throttle_facts(run: &str, times: u32, seconds: u64) {
    things(run, |things| things.throttled_facts = (times, seconds));
}

/// Does something while the first look at `name` is under way.
pub fn on_look(run: &str, name: &str, act: impl FnOnce() + Send + 'static) {
    things(run, |things| things.on_look = Some((name.to_owned(), Box::new(act))));
}

#[async_trait]
impl Operation for Op {
    fn name(&self) -> &'static str {
        match self {
            Op::Add { .. } => "fake:Add",
            Op::Remove { .. } => "fake:Remove",
            Op::Wait { .. } => "wait",
        }
    }

    fn writes(&self) -> Vec<String> {
        match self {
            Op::Add { name, .. } | Op::Remove { name, .. } => vec![name.clone()],
            Op::Wait { .. } => Vec::new(),
        }
    }

    fn starts(&self) -> bool {
        !matches!(self, Op::Wait { .. })
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let now = cx.readers.clock().now();
        if let Op::Add { name, .. } = self
            && let Some((_, act)) = things(cx.run, |things| things.on_look.take_if(|(wanted, _)| wanted == name))
        {
            act();
        }
        Ok(things(cx.run, |things| match self {
            Op::Add { name, manner } | Op::Remove { name, manner } if things.unseen(name, manner, now) => {
                if matches!(self, Op::Add { .. }) {
                    Look::Pending
                } else {
                    Look::done()
                }
            }
            Op::Add { name, manner } if manner.unready > 0 && !things.names.contains(name) => {
                if cx.started.is_some() {
                    things.log.push(format!("{name} is looked at as if a call were out"));
                }
                Look::Pending
            }
            Op::Add { name, manner } if things.is_busy(name, manner, now) => Look::Settling(Progress::status("backing-up")),
            Op::Add { manner, .. } if manner.conflict && !things.mended => Look::Conflict("somebody else has it".to_owned()),
            Op::Add { name, manner } if things.names.contains(name) => {
                let since = *things.since.entry(name.clone()).or_insert(now);
                if time::between(since, now) < Duration::from_secs(manner.settle_seconds) {
                    Look::Settling(Progress::status("creating"))
                } else {
                    Look::done()
                }
            }
            Op::Remove { name, .. } if !things.names.contains(name) => Look::done(),
            Op::Wait { seconds } => {
                let since = *things.since.entry(format!("wait {}", cx.step)).or_insert(now);
                if time::between(since, now) < Duration::from_secs(*seconds) { Look::Pending } else { Look::done() }
            }
            _ => Look::Pending,
        }))
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let failed = |failure, why: &str| Err(CallError::new(self.name(), failure, why));
        let now = cx.cx.readers.clock().now();
        if let Op::Add { name, manner } = self
            && let Some(effect) = manner.silent
            && things(cx.cx.run, |things| things.is_first(name, effect))
        {
            return std::future::pending().await;
        }
        things(cx.cx.run, |things| match self {
            Op::Add { name, manner } if manner.busy_seconds > 0 && things.busy_since.insert(name.clone(), now).is_none() => {
                failed(Failure::Refused, "not in a state that permits this")
            }
            Op::Remove { manner, .. } if manner.stays && !things.mended => failed(Failure::Refused, "no"),
            Op::Add { manner, .. } if manner.refused && !things.mended => failed(Failure::Refused, "no"),
            Op::Add { manner, .. } if manner.denied && manner.lost.is_none() && !things.mended => failed(Failure::Denied, "expired"),
            Op::Add { name, manner } => {
                let count = things.throttled.entry(name.clone()).or_default();
                *count += 1;
                if manner.denied && manner.lost.is_some() && *count > 1 && !things.mended {
                    return failed(Failure::Denied, "expired");
                }
                if *count <= manner.throttled {
                    return failed(Failure::Throttled { retry_after: Some(Duration::from_secs(30)) }, "slow down");
                }
                if *count <= manner.unready {
                    return failed(Failure::Busy, "not in a state that permits this");
                }
                if manner.lost != Some(false) || *count > 1 {
                    things.names.insert(name.clone());
                    things.made.insert(name.clone(), now);
                }
                things.log.push(format!("+{name}"));
                if manner.lost.is_some() && *count == 1 { failed(Failure::Unknown { retry_after: None }, "cut") } else { Ok(()) }
            }
            Op::Remove { name, .. } => {
                things.names.remove(name);
                things.log.push(format!("-{name}"));
                Ok(())
            }
            Op::Wait { .. } => failed(Failure::Refused, "a wait starts nothing"),
        })
    }
}

struct Fake;

#[async_trait]
impl Operations for Fake {
    fn decode(&self, operation: &Data) -> Result<Box<dyn Operation>, String> {
        operation.decode::<Op>().map(|op| Box::new(op) as Box<dyn Operation>).map_err(|error| error.to_string())
    }

    async fn read_fact(&self, read: &Data, cx: &Cx<'_>) -> CallResult<Data> {
        let name = read.word("name").unwrap_or_default();
        things(cx.run, |things| {
            let (left, seconds) = things.throttled_facts;
            if left > 0 && !things.names.is_empty() {
                things.throttled_facts.0 -= 1;
                let asked = Failure::Throttled { retry_after: Some(Duration::from_secs(seconds)) };
                return Err(CallError::new("fake:Read", asked, "slow down"));
            }
            Ok(Json::from(things.names.contains(&name)).into())
        })
    }
}

/// For [`switchover::apply::engine::Program::new`].
pub fn kinds(kind: &str) -> Option<&'static dyn Operations> {
    (kind == "fake").then_some(&Fake as &'static dyn Operations)
}

/// A step that adds a name, and whose way back removes it.
pub fn add(name: &str, phase: Phase, after: &[&str], manner: &Manner) -> Step {
    let undo =
        Undo::Operations { title: format!("remove {name}"), operations: vec![json!({"type": "remove", "name": name, "manner": manner}).into()] };
    step(name, phase, after, &Op::Add { name: name.to_owned(), manner: manner.clone() }, undo)
}

/// A step that only waits.
pub fn wait(name: &str, phase: Phase, after: &[&str], seconds: u64) -> Step {
    step(name, phase, after, &Op::Wait { seconds }, Undo::Nothing)
}

fn step(name: &str, phase: Phase, after: &[&str], op: &Op, undo: Undo) -> Step {
    Step {
        id: format!("fake.a/{name}"),
        address: Address::new("fake", "a"),
        phase,
        title: format!("do {name}"),
        operation: Data::of(op).unwrap(),
        undo,
        after: after.iter().map(|before| format!("fake.a/{before}")).collect(),
        facts: Vec::new(),
        writes: op.writes(),
        limits: Limits {
            timeout: Duration::from_hours(1),
            visibility: Duration::from_mins(1),
            poll: Duration::from_secs(15),
            expected: Duration::from_secs(10),
        },
        outage: None,
        irreversible: None,
    }
}
