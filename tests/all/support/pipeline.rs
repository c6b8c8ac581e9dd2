//! From files and a world to a run's end, through the library's own phases.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use switchover::apply::engine::{Engine, Options, Program, Setup, Stop};
use switchover::apply::event::{Event, Sink, Summary};
use switchover::apply::journal::{Acquire, Holder, Lease, RunState, Store, Writer, fold};
use switchover::apply::operation::Operations;
use switchover::declare::{self, Desired, Inputs, KindSchema, VariableSources};
use switchover::kinds;
use switchover::model::{Json, Severity};
use switchover::observe::Observer;
use switchover::plan::{self, Plan, Planner};
use switchover::world::sim::{Fault, Hook, SimOptions, SimWorld};
use switchover::world::{Readers, Writers};

use super::{Die, MemoryStore};

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// With a summary.
    Ended(Summary),
    /// The process died.
    Died,
}

impl End {
    /// The exit code; a dead process has none.
    pub fn code(&self) -> Option<u8> {
        match self {
            End::Ended(summary) => Some(summary.exit_code),
            End::Died => None,
        }
    }
}

/// Files that declare an environment, and where they are.
pub struct Scene {
    folder: tempfile::TempDir,
    environment: String,
    /// Environment variables.
    pub variables: Vec<(String, String)>,
}

/// Events, kept.
#[derive(Clone, Default)]
pub struct Kept(pub Arc<std::sync::Mutex<Vec<Event>>>);

impl Sink for Kept {
    fn event(&mut self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Scene {
    /// One file `environments/NAME.hcl`.
    pub fn new(environment: &str, hcl: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("environments")).unwrap();
        std::fs::write(folder.path().join("environments").join(format!("{environment}.hcl")), hcl).unwrap();
        Scene { folder, environment: environment.to_owned(), variables: Vec::new() }
    }

    /// The folder that holds `environments/`.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a file below the root.
    pub fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The declaration; mistakes are shown and fail the test.
    pub fn desired(&self, readers: &dyn Readers) -> Desired {
        self.try_desired(readers).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// The declaration, or its mistakes as they are shown.
    pub fn try_desired(&self, readers: &dyn Readers) -> Result<Desired, String> {
        let location = declare::locate(self.root(), &self.environment).unwrap();
        let schemas: Vec<&dyn KindSchema> = kinds::ALL.iter().map(|kind| *kind as &dyn KindSchema).collect();
        let env = |name: &str| self.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let inputs = Inputs { kinds: &schemas, variables: VariableSources::default(), env: &env, now: readers.clock().now() };
        let reading = declare::read(&location, &inputs).unwrap();
        let errors: Vec<_> = reading.problems.iter().filter(|problem| problem.severity == Severity::Error).cloned().collect();
        if errors.is_empty() { Ok(reading.desired.unwrap()) } else { Err(declare::render(&errors, false)) }
    }

    /// A plan of everything, whole or with errors.
    pub async fn plan(&self, writers: &dyn Writers) -> Plan {
        plan_of(&self.desired(writers), writers).await
    }
}

/// A plan of everything that is declared.
pub async fn plan_of(desired: &Desired, writers: &dyn Writers) -> Plan {
    let readers: &dyn Readers = writers;
    let resources: Vec<_> = desired.resources.iter().collect();
    let observed = switchover::observe::observe(desired, &resources, |kind| kinds::find(kind).map(|kind| kind as &dyn Observer), readers).await;
    let differs = |kind: &str| kinds::find(kind).map(|kind| kind as &dyn switchover::diff::Differ);
    let diffed = switchover::diff::diff(desired, &resources, &observed, differs, &BTreeSet::new());
    plan::build(&plan::Request {
        desired,
        resources: &resources,
        observed: &observed,
        diffed: &diffed,
        planners: |kind| kinds::find(kind).map(|kind| kind as &dyn Planner),
        world: readers.identity(),
        random: readers.random(),
    })
}

/// A world in memory whose clock may move.
pub fn world(json: &Json) -> Arc<SimWorld> {
    let world = SimWorld::from_json(json, SimOptions { seed: Some(7), pace: None }).unwrap();
    world.allow_time(true);
    world
}

/// Which way a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A new run of this plan.
    New,
    /// On from where the journal says.
    On,
    /// Back.
    Back,
}

/// What a process meets.
#[derive(Default)]
pub struct Setting {
    /// When it dies.
    pub die: Option<Die>,
    /// What else happens to its calls.
    pub faults: Option<Hook>,
    /// The plan, ready already: for those who run it many times, or with other operations than the kinds'.
    pub program: Option<Arc<Program>>,
}

/// A plan made ready with the kinds' own operations.
pub fn program(plan: &Arc<Plan>) -> Arc<Program> {
    Arc::new(Program::new(Arc::clone(plan), |kind| kinds::find(kind).map(|kind| kind as &dyn Operations)).unwrap())
}

/// Runs a plan (or goes on with it) in a simulated world until it ends, or dies where it is told to.
pub async fn run(world: &Arc<SimWorld>, store: &Arc<MemoryStore>, plan: &Arc<Plan>, way: Way, die: Option<Die>) -> (End, Vec<Event>) {
    run_in(world, store, plan, way, Setting { die, ..Setting::default() }).await
}

/// As [`run`], in this setting.
pub async fn run_in(world: &Arc<SimWorld>, store: &Arc<MemoryStore>, plan: &Arc<Plan>, way: Way, setting: Setting) -> (End, Vec<Event>) {
    let dead = Arc::new(tokio::sync::Notify::new());
    let program = setting.program.clone().unwrap_or_else(|| program(plan));
    arm(world, store, setting, &dead);
    let kept = Kept::default();
    let engine = {
        let dyn_store: Arc<dyn Store> = Arc::clone(store) as Arc<dyn Store>;
        let (world, plan, kept) = (Arc::clone(world), Arc::clone(plan), kept.clone());
        async move {
            let lease = lease(&*dyn_store, &plan).await;
            let now = Readers::clock(&*world).now();
            let (journal, turn_back, check_all_facts) = match way {
                Way::New => (Writer::begin(Arc::clone(&dyn_store), lease.clone(), &plan, "test", now).await.unwrap(), None, true),
                Way::On | Way::Back => {
                    let state = state(&*dyn_store, &plan).await.expect("the run is journaled");
                    let (mode, back) = if matches!(way, Way::On) { ("resume", None) } else { ("rollback", Some("asked by test".to_owned())) };
                    let fresh = !state.wrote && back.is_none();
                    (Writer::resume(Arc::clone(&dyn_store), lease.clone(), state, mode, "test", now).await.unwrap(), back, fresh)
                }
            };
            let setup = Setup {
                program,
                writers: world,
                journal,
                sink: Box::new(kept),
                notifier: Box::new(|_| None),
                stop: Stop::never(),
                options: Options { parallelism: 10, max_runtime: None, keep_on_failure: false },
                turn_back,
                check_all_facts,
            };
            let summary = Engine::new(setup).run().await;
            dyn_store.release(&lease).await.unwrap();
            summary
        }
    };
    let limit = tokio::time::sleep(Duration::from_mins(2));
    let end = tokio::select! {
        biased;
        () = dead.notified() => End::Died,
        summary = engine => End::Ended(summary),
        () = limit => panic!("the run does not end"),
    };
    world.clear_hook();
    world.freeze(false);
    store.revive();
    let events = kept.0.lock().unwrap().clone();
    (end, events)
}

/// Lets the faults happen, and makes the process die where it is told to: from then on nothing it does has any effect, and it sees no time pass.
fn arm(world: &Arc<SimWorld>, store: &Arc<MemoryStore>, setting: Setting, dead: &Arc<tokio::sync::Notify>) {
    let Setting { die, faults, .. } = setting;
    if let Some(die) = die {
        store.die_at(die, Arc::clone(dead));
    }
    let (at, after_effect) = match die {
        Some(Die::BeforeCall(at)) => (at, false),
        Some(Die::AfterCall(at)) => (at, true),
        Some(Die::BeforeWrite(_) | Die::AfterWrite(_)) | None => (0, false),
    };
    if at == 0 && faults.is_none() {
        return;
    }
    let (count, is_dead, told) = (AtomicU64::new(0), AtomicBool::new(false), Arc::clone(dead));
    // The hook is taken away when the process is over, and with it this hold on the world.
    let held = Arc::clone(world);
    world.set_hook(Box::new(move |info| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        if is_dead.load(Ordering::SeqCst) {
            return Some(Fault::Hang { after_effect: false });
        }
        if number == at {
            is_dead.store(true, Ordering::SeqCst);
            held.freeze(true);
            told.notify_one();
            return Some(Fault::Hang { after_effect });
        }
        faults.as_ref().and_then(|faults| faults(info))
    }));
}

async fn lease(store: &dyn Store, plan: &Plan) -> Lease {
    let mut names = vec![format!("env:{}", plan.environment)];
    names.extend(plan.locks.iter().cloned());
    let length = Duration::from_mins(1);
    let acquire =
        Acquire { environment: plan.environment.clone(), names, holder: Holder::this_process("test"), run: plan.run.clone(), length, takeover: true };
    store.acquire(&acquire).await.unwrap()
}

/// The run's state as its journal says.
pub async fn state(store: &dyn Store, plan: &Plan) -> Option<RunState> {
    let stored = store.read(&plan.environment, &plan.run).await.unwrap()?;
    Some(fold::fold(&stored.entries).expect("the history is legal"))
}
