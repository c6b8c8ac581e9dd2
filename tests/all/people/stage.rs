//! A run in memory, in which something may go wrong at every call and at every journal write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value as Json;
use switchover::apply::engine::{Engine, Options, Program, Setup, Stop, summary};
use switchover::apply::event::{Event, EventKind, Summary};
use switchover::apply::journal::{Acquire, Entry, Holder, Lease, LockInfo, Record, Store, StoredRun, Writer, fold};
use switchover::apply::operation::Operations;
use switchover::kinds;
use switchover::model::{Error, Exit, Result};
use switchover::plan::{Plan, Undo};
use switchover::world::Readers;
use switchover::world::sim::SimWorld;

use super::scenes::Example;
use crate::support::MemoryStore;
use crate::support::pipeline::{self, Kept};

/// A store whose disk is full at one append, counted from 1, and from then on.
pub struct Disk {
    memory: Arc<MemoryStore>,
    full_at: AtomicU64,
    appends: AtomicU64,
}

impl Disk {
    /// Room for `full_at - 1` appends.
    fn set_full_at(&self, full_at: u64) {
        self.full_at.store(full_at, Ordering::SeqCst);
        self.appends.store(0, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for Disk {
    fn place(&self) -> String {
        self.memory.place()
    }

    async fn acquire(&self, acquire: &Acquire) -> Result<Lease> {
        self.memory.acquire(acquire).await
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        self.memory.renew(lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.memory.release(lease).await
    }

    async fn lock(&self, name: &str, environment: &str) -> Result<Option<LockInfo>> {
        self.memory.lock(name, environment).await
    }

    async fn remove_lock(&self, held: &LockInfo, environment: &str) -> Result<bool> {
        self.memory.remove_lock(held, environment).await
    }

    async fn runs(&self, environment: &str) -> Result<Vec<String>> {
        self.memory.runs(environment).await
    }

    async fn read(&self, environment: &str, run: &str) -> Result<Option<StoredRun>> {
        self.memory.read(environment, run).await
    }

    async fn append(&self, lease: &Lease, run: &str, entries: &[Entry]) -> Result<()> {
        if !entries.is_empty() && self.appends.fetch_add(1, Ordering::SeqCst) + 1 >= self.full_at.load(Ordering::SeqCst) {
            return Err(Error::new(Exit::Error, "cannot write", "free space").because_text("no space left on device"));
        }
        self.memory.append(lease, run, entries).await
    }
}

/// Which way a run goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Way {
    /// A new run.
    New,
    /// On from where the journal says; a way back as what it is.
    On,
    /// Back.
    Back,
}

/// An example under way.
pub struct Stage {
    example: Example,
    /// Its world.
    pub world: Arc<SimWorld>,
    disk: Arc<Disk>,
    /// What is run.
    pub plan: Arc<Plan>,
    /// The world before.
    pub original: Json,
}

/// One run's end.
pub struct Ran {
    /// What the report is made of; none when it did not even begin.
    pub summary: Option<Summary>,
    /// What was told.
    pub events: Vec<Event>,
}

impl Ran {
    /// The exit code.
    pub fn code(&self) -> u8 {
        self.summary.as_ref().map_or(Exit::Error.code(), |summary| summary.exit_code)
    }

    /// What a person must do, in one text.
    pub fn needs(&self) -> String {
        self.summary.as_ref().map(|summary| summary.needs.join("\n")).unwrap_or_default()
    }

    /// Notes to people.
    pub fn notes(&self) -> Vec<&str> {
        let notes =
            self.events.iter().filter_map(|event| if let EventKind::Notice { message } = &event.kind { Some(message.as_str()) } else { None });
        notes.collect()
    }
}

impl Ran {
    /// What failed, and why.
    pub fn failures(&self) -> Vec<String> {
        let failed = |event: &Event| match &event.kind {
            EventKind::StepFailed { error, undo, .. } => Some(format!("{} (undo: {undo}): {error}", event.step.as_deref().unwrap_or_default())),
            _ => None,
        };
        self.events.iter().filter_map(failed).collect()
    }
}

impl Stage {
    /// A fresh world, planned.
    pub async fn new(example: Example) -> Stage {
        let world = pipeline::world(&example.world);
        let plan = example.scene.plan(&*world).await;
        assert!(plan.errors.is_empty() && !plan.steps.is_empty(), "{}: {:?}", example.name, plan.errors);
        let original = (example.essence)(&world.snapshot());
        let disk = Disk { memory: MemoryStore::new(), full_at: AtomicU64::new(u64::MAX), appends: AtomicU64::new(0) };
        Stage { example, world, disk: Arc::new(disk), plan: Arc::new(plan), original }
    }

    /// The world now, as people see it.
    pub fn now(&self) -> Json {
        (self.example.essence)(&self.world.snapshot())
    }

    /// The disk is full from this append on.
    pub fn disk_full_at(&self, append: u64) {
        self.disk.set_full_at(append);
    }

    /// Appends so far.
    pub fn appends(&self) -> u64 {
        self.disk.appends.load(Ordering::SeqCst)
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.world.calls().len() as u64
    }

    /// Whether there is a journal of the run.
    pub async fn is_journaled(&self) -> bool {
        pipeline::state(&*self.disk.memory, &self.plan).await.is_some()
    }

    /// Whether something was called that cannot be undone: `rollback` refuses then.
    pub async fn is_gone(&self) -> bool {
        let state = pipeline::state(&*self.disk.memory, &self.plan).await;
        state.is_some_and(|state| !summary::gone(&state).is_empty())
    }

    /// Runs the plan, or goes on with it.
    pub async fn run(&self, way: Way) -> Ran {
        self.run_plan(&self.plan, way).await
    }

    async fn run_plan(&self, plan: &Arc<Plan>, way: Way) -> Ran {
        let store: Arc<dyn Store> = Arc::clone(&self.disk) as Arc<dyn Store>;
        let kept = Kept::default();
        let (now, names) = (Readers::clock(&*self.world).now(), vec![format!("env:{}", plan.environment)]);
        let holder = Holder::this_process("test");
        let (environment, run, length) = (plan.environment.clone(), plan.run.clone(), Duration::from_mins(1));
        let lease = store.acquire(&Acquire { environment, names, holder, run, length, takeover: true }).await.unwrap();
        let written = match way {
            Way::New => Writer::begin(Arc::clone(&store), lease.clone(), plan, "test", now).await.map(|journal| (journal, None, true)),
            Way::On | Way::Back => {
                let stored = store.read(&plan.environment, &plan.run).await.unwrap().expect("the run is journaled");
                let state = fold::fold(&stored.entries).expect("the history is legal");
                let (back, fresh) = (way == Way::Back || state.asked_back(), !state.wrote);
                let mode = if back { fold::ROLLBACK } else { "resume" };
                let turn_back = back.then(|| "asked by test".to_owned());
                let journal = Writer::resume(Arc::clone(&store), lease.clone(), state, mode, "test", now).await;
                journal.map(|journal| (journal, turn_back, fresh && !back))
            }
        };
        let summary = match written {
            Err(_) => None,
            Ok((journal, turn_back, check_all_facts)) => {
                let kinds = |kind: &str| kinds::find(kind).map(|kind| kind as &dyn Operations);
                let setup = Setup {
                    program: Arc::new(Program::new(Arc::clone(plan), kinds).unwrap()),
                    writers: Arc::clone(&self.world) as _,
                    journal,
                    sink: Box::new(kept.clone()),
                    notifier: Box::new(|_| None),
                    stop: Stop::never(),
                    options: Options { parallelism: 10, max_runtime: None, keep_on_failure: false },
                    turn_back,
                    check_all_facts,
                };
                Some(Engine::new(setup).run().await)
            }
        };
        store.release(&lease).await.unwrap();
        let events = kept.0.lock().unwrap().clone();
        Ran { summary, events }
    }

    /// Plans again and applies that, until there is nothing to do: what is left then.
    pub async fn converge(&self, cell: &str) {
        self.world.clear_hook();
        self.disk_full_at(u64::MAX);
        for _ in 0..2 {
            // What was under way shows itself, and what is kept or late is over.
            self.world.advance(Duration::from_hours(2));
            let plan = Arc::new(self.example.scene.plan(&*self.world).await);
            assert!(plan.errors.is_empty(), "{cell}: {:?}", plan.errors);
            if plan.steps.is_empty() {
                return;
            }
            let ran = self.run_plan(&plan, Way::New).await;
            assert_eq!(ran.code(), 0, "{cell}: {:?}\n{:#?}", ran.summary, ran.failures());
        }
        let plan = self.example.scene.plan(&*self.world).await;
        let left: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
        assert!(left.is_empty(), "{cell}: planning again yields {left:?}");
    }

    /// Planning again yields nothing.
    pub async fn nothing_left(&self, cell: &str) {
        let plan = self.example.scene.plan(&*self.world).await;
        let left: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
        assert!(plan.errors.is_empty() && left.is_empty(), "{cell}: planning again yields {left:?} {:?}", plan.errors);
    }

    /// No call that writes was made more often than it was intended, no instance was made twice, and nothing protected was written.
    pub fn check_calls(&self, cell: &str) {
        let mut intents: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
        for entry in self.disk.memory.entries() {
            let Record::Intent { step, undo, .. } = entry.record else { continue };
            let Some(planned) = self.plan.steps.iter().find(|one| one.id == step) else { return };
            let operation = match (undo, &planned.undo) {
                (Some(index), Undo::Operations { operations, .. }) => &operations[index],
                _ => &planned.operation,
            };
            let operation = kinds::find(&planned.address.kind).unwrap().decode(operation).unwrap();
            *intents.entry(operation.name()).or_default() += 1;
        }
        let writes: Vec<_> = self.world.calls().into_iter().filter(|called| called.info.write && called.info.call != "slack:post").collect();
        for called in &writes {
            *intents.entry(called.info.call).or_default() -= 1;
            assert!(!called.info.target.to_lowercase().contains("prod"), "{cell}: {called:?}");
        }
        assert!(intents.values().all(|left| *left >= 0), "{cell}: calls beyond intents: {intents:?}");
        let restores = writes.iter().filter(|called| called.effect && called.info.call == "rds:RestoreDBInstanceFromDBSnapshot").count();
        assert!(restores <= 1, "{cell}: {restores} restores");
    }
}

/// Of how many moments one is tried: every one with `SWITCHOVER_PEOPLE_EVERY=1`.
pub fn every(usual: usize) -> usize {
    std::env::var("SWITCHOVER_PEOPLE_EVERY").ok().and_then(|text| text.parse().ok()).filter(|every| *every > 0).unwrap_or(usual)
}

/// What an undisturbed run takes: its calls, its journal writes, and the world it ends in.
pub struct Straight {
    /// Calls of the run.
    pub calls: u64,
    /// Journal writes of the run.
    pub writes: u64,
    /// The world afterwards.
    pub declared: Json,
}

/// Runs an example undisturbed.
pub async fn straight(example: Example) -> Straight {
    let stage = Stage::new(example).await;
    let planning = stage.calls();
    let ran = stage.run(Way::New).await;
    assert_eq!(ran.code(), 0, "{:?}", ran.summary);
    Straight { calls: stage.calls() - planning, writes: stage.appends(), declared: stage.now() }
}
