//! Helpers of this kind's tests: declarations by hand, a small simulated world, and a run of a plan's steps without the engine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::{KIND, schema};
use crate::apply::operation::{Notes, Outputs};
use crate::apply::{Cx, Look, Operations, StartCx};
use crate::declare::{Attr, BlockSpec, Common, Declared, Desired, JournalSetting, Node, Provider, Typed};
use crate::diff::{Change, DiffCx, Differ};
use crate::model::{Address, Data, Json, Number, Result, SourceFile, Span, Value};
use crate::observe::{Observation, ObserveCx, Observer};
use crate::plan::{Part, PlanCx, Planner, Undo};
use crate::world::provider::{AwsProvider, CloudflareProvider};
use crate::world::sim::{SimOptions, SimWorld};
use crate::world::{CallResult, Readers};

/// A place: line `line` of the one file.
fn span(line: usize) -> Span {
    let file = Arc::new(SourceFile { path: "environments/live.hcl".to_owned(), text: "x\n".repeat(200) });
    Span { file, range: line * 2 - 2..line * 2 - 1 }
}

pub(super) fn s(text: &str) -> Value {
    Value::String(text.to_owned())
}

pub(super) fn n(number: i64) -> Value {
    Value::Number(Number::Int(number))
}

pub(super) fn list(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|text| s(text)).collect())
}

fn inner(name: &str) -> &'static BlockSpec {
    schema::BLOCK.blocks.iter().find(|block| block.name == name).expect("a block of the table")
}

fn node(spec: &'static BlockSpec, line: usize, labels: &[&str], attributes: &[(&'static str, Value)]) -> Node {
    let attr = |value: &Value| Attr { value: value.clone(), key: span(line), span: span(line) };
    Node {
        spec,
        labels: labels.iter().map(|label| ((*label).to_owned(), span(line))).collect(),
        span: span(line),
        attributes: attributes.iter().map(|(name, value)| (*name, attr(value))).collect(),
        blocks: Vec::new(),
    }
}

/// One `record` block at a line of its own.
pub(super) fn record(line: usize, rtype: &str, name: &str, attributes: &[(&'static str, Value)]) -> Node {
    node(inner("record"), line, &[rtype, name], attributes)
}

/// An inner block such as `safety`.
pub(super) fn block(name: &str, attributes: &[(&'static str, Value)]) -> Node {
    node(inner(name), 100, &[], attributes)
}

/// A zone whose block begins at line 1.
pub(super) fn zone(name: &str, attributes: &[(&'static str, Value)], blocks: Vec<Node>) -> Declared {
    let body = Node { blocks, ..node(&schema::BLOCK, 1, &[name], attributes) };
    Declared { address: Address::new("dns_zone", name), common: Common::default(), body, typed: Typed::default() }
}

/// An environment of these zones, with the providers `cloudflare`, `aws.hk` and `aws.sydney`.
pub(super) fn desired(resources: Vec<Declared>, max_batch: u32) -> Desired {
    let aws = |name: &str, region: &str| AwsProvider {
        name: name.to_owned(),
        region: region.to_owned(),
        profile: None,
        account_id: None,
        endpoint_url: None,
        allow_plain_http: false,
        poll: Duration::from_secs(15),
    };
    let cloudflare = CloudflareProvider { name: "cloudflare".to_owned(), api_token: None, base_url: None, allow_plain_http: false, max_batch };
    let providers = [
        ("aws.hk", Provider::Aws(aws("aws.hk", "ap-east-1"))),
        ("aws.sydney", Provider::Aws(aws("aws.sydney", "ap-southeast-2"))),
        ("cloudflare", Provider::Cloudflare(cloudflare)),
    ];
    Desired {
        environment: "live".to_owned(),
        root: PathBuf::new(),
        description: None,
        protect: vec!["prod".to_owned()],
        notify: Vec::new(),
        journal: JournalSetting::Local,
        providers: providers.into_iter().map(|(name, provider)| (name.to_owned(), provider)).collect(),
        resources,
        warnings: Vec::new(),
    }
}

/// A record of a world file.
pub(super) fn row(rtype: &str, name: &str, content: &str, ttl: u32) -> Json {
    serde_json::json!({ "type": rtype, "name": name, "content": content, "ttl": ttl })
}

/// A world with one zone `example.org` (id `z1`) that holds these records (ids `r0`, `r1` …), and an Elastic IP in each of two regions.
pub(super) fn world(records: &[Json]) -> Arc<SimWorld> {
    world_with(records, &serde_json::json!([]))
}

/// The same with scripted faults.
pub(super) fn world_with(records: &[Json], faults: &Json) -> Arc<SimWorld> {
    let records: BTreeMap<String, &Json> = records.iter().enumerate().map(|(number, record)| (format!("r{number}"), record)).collect();
    let ip = |name: &str, address: &str| serde_json::json!({ "name": name, "public_ip": address });
    let json = serde_json::json!({
        "format_version": 1, "id": "test", "now": "2026-11-05T09:00:00Z", "faults": faults,
        "aws": { "default_account": "111122223333", "accounts": { "111122223333": { "regions": {
            "ap-east-1": { "elastic_ips": { "eipalloc-1": ip("eip-live", "192.0.2.1"), "eipalloc-2": ip("eip-spare", "192.0.2.2") } },
            "ap-southeast-2": { "elastic_ips": { "eipalloc-3": ip("eip-alt", "198.51.100.1") } },
        } } } },
        "cloudflare": { "zones": { "z1": {
            "name": "example.org", "name_servers": ["ada.ns.example", "bob.ns.example"], "plan": "pro", "records": records,
        } } },
    });
    let world = SimWorld::from_json(&json, SimOptions { seed: Some(7), pace: None }).expect("a good world");
    world.allow_time(true);
    world
}

/// What the zone holds, without ids and times, sorted; ids apart from it.
pub(super) fn contents(world: &SimWorld) -> (Vec<String>, Vec<String>) {
    let records = world.snapshot()["cloudflare"]["zones"]["z1"]["records"].clone();
    let records: BTreeMap<String, Json> = serde_json::from_value(records).expect("records by id");
    let mut lines: Vec<String> = records
        .values()
        .map(|record| {
            let mut record = record.clone();
            record.as_object_mut().expect("a record").remove("modified");
            record.to_string()
        })
        .collect();
    lines.sort();
    (lines, records.into_keys().collect())
}

/// Sim futures are done at their first poll.
pub(super) fn now<F: std::future::Future>(future: F) -> F::Output {
    future.now_or_never().expect("done at its first poll")
}

/// Observed, compared and planned.
pub(super) struct Planned {
    pub(super) change: Change,
    pub(super) part: Part,
}

pub(super) fn observe(world: &SimWorld, declared: &Declared, desired: &Desired) -> Result<Observation> {
    now(KIND.observe(declared, &ObserveCx { readers: world, desired }))
}

pub(super) fn diff(world: &SimWorld, declared: &Declared, desired: &Desired) -> Result<(Observation, Change)> {
    let observation = observe(world, declared, desired)?;
    let cx = DiffCx { now: world.clock().now(), desired, refresh: &std::collections::BTreeSet::new() };
    let change = KIND.diff(declared, &observation, &cx)?;
    Ok((observation, change))
}

pub(super) fn planned(world: &SimWorld, declared: &Declared, desired: &Desired) -> Result<Planned> {
    let (observation, change) = diff(world, declared, desired)?;
    let cx = PlanCx { now: world.clock().now(), run: "run-1", desired, exchange: &change.exchange };
    let part = KIND.plan(declared, &observation, &change, &cx)?;
    Ok(Planned { change, part })
}

/// Keeps nothing: no operation of this kind keeps notes.
struct NoNotes;

#[async_trait::async_trait]
impl Notes for NoNotes {
    async fn keep(&self, _name: &str, _value: &str) -> Result<(), String> {
        Ok(())
    }
}

/// What an operation gets, without an engine.
pub(super) struct Bench<'a> {
    pub(super) world: &'a SimWorld,
    pub(super) desired: &'a Desired,
}

impl Bench<'_> {
    fn with<T>(&self, run: impl FnOnce(&Cx<'_>) -> T) -> T {
        let outputs: BTreeMap<String, Outputs> = BTreeMap::new();
        let providers = &self.desired.providers;
        run(&Cx { readers: self.world, providers, environment: "live", run: "run-1", step: "step", outputs: &outputs, started: None })
    }

    pub(super) fn look(&self, operation: &Data) -> CallResult<Look> {
        let operation = KIND.decode(operation).expect("an operation of this kind");
        self.with(|cx| now(operation.look(cx)))
    }

    pub(super) fn start(&self, operation: &Data) -> CallResult<()> {
        let operation = KIND.decode(operation).expect("an operation of this kind");
        self.with(|cx| now(operation.start(&StartCx { cx, writers: self.world, notes: &NoNotes, protect: &[] })))
    }

    pub(super) fn fact(&self, read: &Data) -> CallResult<Data> {
        self.with(|cx| now(KIND.read_fact(read, cx)))
    }

    /// Looks until it is done, waiting ten seconds between looks; starts once when there is something to start.
    pub(super) fn run(&self, operation: &Data) {
        let starts = KIND.decode(operation).expect("an operation").starts();
        for attempt in 0..60 {
            match self.look(operation).expect("a look that is answered") {
                Look::Done { .. } => return,
                Look::Conflict(why) => panic!("conflict: {why}"),
                Look::Pending if starts && attempt == 0 => self.start(operation).expect("a start that is answered well"),
                Look::Pending | Look::Settling(_) | Look::Missing(_) => self.world.advance(Duration::from_secs(10)),
            }
        }
        panic!("not done after ten minutes: {operation:?}");
    }

    /// All steps of a plan in their order, facts checked.
    pub(super) fn apply(&self, part: &Part) {
        for step in &part.steps {
            for fact in part.facts.iter().filter(|fact| step.facts.contains(&fact.id)) {
                assert_eq!(self.fact(&fact.read).expect("a fact that can be read"), fact.value, "{}", fact.id);
            }
            self.run(&step.operation);
        }
    }

    /// The way back, newest first.
    pub(super) fn undo(&self, part: &Part) {
        for step in part.steps.iter().rev() {
            if let Undo::Operations { operations, .. } = &step.undo {
                for operation in operations {
                    self.run(operation);
                }
            }
        }
    }
}
