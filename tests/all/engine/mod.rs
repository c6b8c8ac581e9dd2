//! The engine's loop over a kind made for it: order, way back, stops, halts, resumption.

mod fake;
mod hardships;
mod held;
mod interrupted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;

use serde_json::json;
use switchover::apply::engine::{Engine, Options, Program, Setup, Stop, StopRequest};
use switchover::apply::event::{Event, EventKind, Sink, Summary};
use switchover::apply::journal::{Acquire, Hold, Holder, Store, Writer, fold};
use switchover::model::time::Timestamp;
use switchover::model::{Address, Exit, Phase};
use switchover::plan::places::Places;
use switchover::plan::{Fact, Outage, Plan, Step, digest};
use switchover::world::Readers;

use crate::support::MemoryStore;
use crate::support::pipeline::{Kept, world};
use fake::{Manner, add, wait};

/// How long the lock lasts.
const LEASE: Duration = Duration::from_mins(1);

fn plan(run: &str, steps: Vec<Step>) -> Plan {
    let mut plan = Plan {
        format_version: "1.0".to_owned(),
        switchover_version: "0".to_owned(),
        environment: "e".to_owned(),
        run: run.to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        world: BTreeMap::new(),
        providers: BTreeMap::new(),
        protect: vec!["prod".to_owned()],
        notify: Vec::new(),
        journal: json!("local"),
        resource_changes: Vec::new(),
        steps,
        facts: Vec::new(),
        locks: Vec::new(),
        warnings: Vec::new(),
        expected: Duration::ZERO,
        outage: Vec::new(),
        irreversible: Vec::new(),
        errors: Vec::new(),
        digest: String::new(),
        places: Places::default(),
    };
    plan.digest = digest::of(&plan);
    plan
}

#[derive(Default, Clone)]
struct How {
    keep_on_failure: bool,
    max_runtime: Option<Duration>,
    stop: Option<StopRequest>,
    /// Asked to stop while the first look at this name is under way.
    stop_in_look: Option<&'static str>,
    /// Asked to stop when this is told.
    stop_at: Option<fn(&Event) -> bool>,
    /// The lock is taken away when this is told.
    unlock_at: Option<fn(&Event) -> bool>,
    /// The clock of the lease, in seconds; when the lock is taken away it jumps past the lease.
    since_boot: Option<Arc<AtomicU64>>,
    /// When the lock is taken away the heartbeat notices.
    heartbeat: bool,
    parallelism: Option<usize>,
    back: bool,
}

/// Keeps events, and does something when it is told what it waits for.
struct Watch {
    kept: Kept,
    at: Option<fn(&Event) -> bool>,
    act: Box<dyn FnMut() + Send>,
}

impl Sink for Watch {
    fn event(&mut self, event: &Event) {
        self.kept.event(event);
        if self.at.is_some_and(|at| at(event)) {
            (self.act)();
        }
    }
}

struct Bench {
    world: Arc<switchover::world::sim::SimWorld>,
    store: Arc<MemoryStore>,
    plan: Arc<Plan>,
}

impl Bench {
    fn new(plan: Plan) -> Self {
        let world = world(&json!({"format_version": 1, "id": "w", "now": "2026-11-05T09:00:00Z"}));
        Bench { world, store: MemoryStore::new(), plan: Arc::new(plan) }
    }

    async fn run(&self, how: How) -> (Summary, Vec<Event>) {
        let store: Arc<dyn Store> = Arc::clone(&self.store) as Arc<dyn Store>;
        let lease = store
            .acquire(&Acquire {
                environment: "e".to_owned(),
                names: vec!["env:e".to_owned()],
                holder: Holder::this_process("test"),
                run: self.plan.run.clone(),
                length: LEASE,
                takeover: true,
            })
            .await
            .unwrap();
        let now = Readers::clock(&*self.world).now();
        let stored = store.read("e", &self.plan.run).await.unwrap();
        let wrote = stored.as_ref().is_some_and(|stored| fold::fold(&stored.entries).unwrap().wrote);
        let mut journal = match stored {
            None => Writer::begin(Arc::clone(&store), lease.clone(), &self.plan, "test", now).await.unwrap(),
            Some(stored) => {
                let mode = if how.back { "rollback" } else { "resume" };
                Writer::resume(Arc::clone(&store), lease.clone(), fold::fold(&stored.entries).unwrap(), mode, "test", now).await.unwrap()
            }
        };
        if let Some(clock) = how.since_boot.clone() {
            let clock = Arc::new(move || Duration::from_secs(clock.load(Ordering::SeqCst)));
            journal.hold = Hold::new(Arc::clone(&store), lease.clone(), clock);
        }
        let kept = Kept::default();
        let (sender, stop) = Stop::channel();
        if let Some(request) = how.stop {
            sender.send(request).unwrap();
        }
        let sender = Arc::new(sender);
        if let Some(name) = how.stop_in_look {
            let sender = Arc::clone(&sender);
            fake::on_look(&self.plan.run, name, move || sender.send(StopRequest::Safe).unwrap());
        }
        let watch = self.watch(&how, &kept, &sender, &journal.hold);
        let engine = Engine::new(Setup {
            program: Arc::new(Program::new(Arc::clone(&self.plan), fake::kinds).unwrap()),
            writers: Arc::clone(&self.world) as Arc<dyn switchover::world::Writers>,
            journal,
            sink: Box::new(watch),
            notifier: Box::new(|_| None),
            stop,
            options: Options { parallelism: how.parallelism.unwrap_or(10), max_runtime: how.max_runtime, keep_on_failure: how.keep_on_failure },
            turn_back: how.back.then(|| "asked".to_owned()),
            check_all_facts: !wrote && !how.back,
        });
        let summary = engine.run().await;
        store.release(&lease).await.unwrap();
        let events = kept.0.lock().unwrap().clone();
        (summary, events)
    }
}

impl Bench {
    fn watch(&self, how: &How, kept: &Kept, sender: &Arc<tokio::sync::watch::Sender<StopRequest>>, hold: &Arc<Hold>) -> Watch {
        let (sender, store, hold) = (Arc::clone(sender), Arc::clone(&self.store), Arc::clone(hold));
        let (unlock, heartbeat, clock) = (how.unlock_at.is_some(), how.heartbeat, how.since_boot.clone());
        let act = move || {
            if !unlock {
                return sender.send(StopRequest::Safe).unwrap();
            }
            store.drop_locks();
            if let Some(clock) = &clock {
                clock.fetch_add(LEASE.as_secs() + 1, Ordering::SeqCst);
            }
            if heartbeat {
                hold.renew().now_or_never().expect("the store answers at once").unwrap_err();
            }
        };
        Watch { kept: kept.clone(), at: how.unlock_at.or(how.stop_at), act: Box::new(act) }
    }

    fn elapsed(&self, since: Timestamp) -> Duration {
        switchover::model::time::between(since, self.now())
    }

    fn now(&self) -> Timestamp {
        Readers::clock(&*self.world).now()
    }
}

fn good() -> Manner {
    Manner::default()
}

fn dance(run: &str, last: &Manner) -> Plan {
    let mut first = add("old", Phase::Switch, &["ready"], &Manner { settle_seconds: 240, ..good() });
    first.outage = Some(Outage::Starts("db".to_owned()));
    let mut second = add("new", Phase::Switch, &["old"], last);
    second.outage = Some(Outage::Ends("db".to_owned()));
    plan(run, vec![add("ready", Phase::Prepare, &[], &good()), first, second, add("gone", Phase::Retire, &["new"], &good())])
}

#[tokio::test]
async fn steps_run_in_order_and_independent_ones_side_by_side() {
    let slow = Manner { settle_seconds: 600, ..good() };
    let steps = vec![add("a", Phase::Prepare, &[], &slow), add("b", Phase::Prepare, &[], &slow), wait("w", Phase::Verify, &["a", "b"], 30)];
    let bench = Bench::new(plan("parallel", steps));
    let began = Readers::clock(&*bench.world).now();
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!((summary.exit_code, summary.done.len()), (0, 3));
    let took = switchover::model::time::between(began, Readers::clock(&*bench.world).now()).as_secs();
    assert!((630..700).contains(&took), "ten minutes side by side and half a minute: {took}");
}

#[tokio::test]
async fn a_failure_in_the_switch_is_undone_newest_first() {
    let bench = Bench::new(dance("undone", &Manner { refused: true, ..good() }));
    let (summary, events) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Restored.code());
    assert_eq!(fake::log("undone"), ["+ready", "+old", "-old", "-ready"]);
    assert!(fake::names("undone").is_empty());
    assert_eq!(summary.not_started, ["fake.a/gone"]);
    let ended = events.iter().find_map(|event| if let EventKind::OutageEnded { seconds, .. } = event.kind { Some(seconds) } else { None });
    assert!(ended.is_some_and(|seconds| (240..245).contains(&seconds)), "{ended:?}");
}

#[tokio::test]
async fn a_lost_answer_is_resolved_by_looking() {
    for (run, effect) in [("lost-effect", true), ("lost-nothing", false)] {
        let bench = Bench::new(plan(run, vec![add("a", Phase::Prepare, &[], &Manner { lost: Some(effect), ..good() })]));
        let (summary, _) = bench.run(How::default()).await;
        assert_eq!(summary.exit_code, 0);
        assert_eq!(fake::log(run).len(), if effect { 1 } else { 2 });
    }
}

#[tokio::test]
async fn throttling_is_waited_out_and_shown_with_its_end() {
    let bench = Bench::new(plan("throttled", vec![add("a", Phase::Prepare, &[], &Manner { throttled: 3, ..good() })]));
    let (summary, events) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, 0);
    let waits: Vec<String> =
        events.iter().filter_map(|event| if let EventKind::Notice { message } = &event.kind { Some(message.clone()) } else { None }).collect();
    assert_eq!(waits.len(), 3);
    assert!(waits[0].contains("looking again at 2026-11-05T09:00:30Z"), "{waits:?}");
}

#[tokio::test]
async fn a_retire_that_is_refused_switches_nothing_back() {
    let mut plan = dance("retire", &good());
    plan.steps[3] = add("gone", Phase::Retire, &["new"], &Manner { refused: true, ..good() });
    let bench = Bench::new(plan);
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Person.code());
    assert_eq!(fake::names("retire"), ["new", "old", "ready"]);
    assert!(summary.needs[0].contains("fake.a/gone"), "{:?}", summary.needs);
}

#[tokio::test]
async fn what_is_kept_on_failure_can_be_resumed_once_mended_or_rolled_back() {
    for (run, back) in [("kept-on", false), ("kept-back", true)] {
        let bench = Bench::new(dance(run, &Manner { refused: true, ..good() }));
        let (summary, _) = bench.run(How { keep_on_failure: true, ..How::default() }).await;
        assert_eq!(summary.exit_code, Exit::Person.code());
        assert_eq!(fake::names(run), ["old", "ready"]);
        fake::mend(run);
        let (summary, _) = bench.run(How { back, ..How::default() }).await;
        assert_eq!(summary.exit_code, 0, "{summary:?}");
        assert_eq!(fake::names(run).is_empty(), back);
    }
}

#[tokio::test]
async fn expired_credentials_stop_the_run_for_a_person_and_resume_goes_on() {
    let bench = Bench::new(dance("denied", &Manner { denied: true, ..good() }));
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Person.code());
    assert!(summary.needs[0].contains("renew the credentials"), "{:?}", summary.needs);
    fake::mend("denied");
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, 0);
}

#[tokio::test]
async fn a_stop_waits_for_the_end_of_an_outage_and_not_for_anything_else() {
    let bench = Bench::new(dance("stop", &good()));
    // Two minutes are in the middle of the outage: it is brought to its end, and nothing is retired.
    let (summary, _) = bench.run(How { max_runtime: Some(Duration::from_mins(2)), ..How::default() }).await;
    assert_eq!(summary.exit_code, Exit::Stopped.code());
    assert_eq!(summary.done, ["fake.a/ready", "fake.a/old", "fake.a/new"]);
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!((summary.exit_code, summary.done.len()), (0, 4));

    let waiting = Bench::new(plan("stop-wait", vec![wait("w", Phase::Prepare, &[], 7_200)]));
    let (summary, _) = waiting.run(How { max_runtime: Some(Duration::from_mins(1)), ..How::default() }).await;
    assert_eq!(summary.exit_code, Exit::Stopped.code());
}

#[tokio::test]
async fn a_changed_fact_makes_the_plan_stale_and_changes_nothing() {
    let mut plan = dance("stale", &good());
    plan.facts.push(Fact {
        id: "fake.a/free".to_owned(),
        address: Address::new("fake", "a"),
        title: "the name `taken` is free".to_owned(),
        read: json!({"name": "taken"}),
        value: json!(false),
    });
    plan.steps[1].facts.push("fake.a/free".to_owned());
    fake::meddle("stale", "taken");
    let bench = Bench::new(plan);
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Stale.code());
    assert_eq!(fake::names("stale"), ["taken"]);
    assert!(summary.needs[0].contains("the name `taken` is free has changed"), "{:?}", summary.needs);
}

#[tokio::test]
async fn something_foreign_in_the_way_of_a_call_makes_the_plan_stale() {
    let bench = Bench::new(plan("conflict", vec![add("a", Phase::Prepare, &[], &Manner { conflict: true, ..good() })]));
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Stale.code());
}

#[tokio::test]
async fn the_guard_refuses_a_plan_that_would_write_a_protected_name() {
    let plan = Arc::new(plan("guard", vec![add("my-PROD-thing", Phase::Prepare, &[], &good())]));
    let error = Program::new(plan, fake::kinds).err().unwrap();
    assert!(error.chain().contains("my-PROD-thing") && error.chain().contains("`prod`"), "{error:?}");
}
