//! A whole run over the simulated world, journaled in a folder: how long the engine takes, beside nothing but the journal's own lines made durable.
//!
//! The limit is taken from the run's own journal: its lines are appended to another file of the same folder, in the same pieces, each piece followed by one
//! `fdatasync`. A second limit is harder on the engine where it groups little: the same lines with one `fdatasync` for each intent, since that much no
//! write-ahead journal with one line at a time can leave out. A third is the plain reading of "append and fsync": every line by itself. The time that the
//! simulated world takes for its calls is measured call by call and taken off, and its file lies in memory: in earnest it is a service's, and making a
//! journal durable would make durable what another file of that disk has come to hold.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use switchover::apply::engine::{Engine, Options, Program, Setup, Stop};
use switchover::apply::event::{Event, Sink};
use switchover::apply::journal::local::LocalStore;
use switchover::apply::journal::{Acquire, Entry, Hold, Holder, Lease, LockInfo, Record, Store, StoredRun, Writer, hold};
use switchover::apply::operation::Operations;
use switchover::kinds;
use switchover::model::{Result, SecretRef, Secrets};
use switchover::plan::{Plan, file};
use switchover::world::sim::{SimOptions, SimWorld};
use switchover::world::traced::TracedWorld;
use switchover::world::{Readers, Writers};

use crate::Wanted;
use crate::clock::{Spent, Ticks, TimedClock};
use crate::figures::{Bar, Table, median};
use crate::processes;
use crate::scenes::{ENVIRONMENT, Scene};

/// The most that the engine may take, in times of its limit.
const BAR: f64 = 1.3;

/// One run, in milliseconds.
struct Run {
    engine: f64,
    world: f64,
    process: f64,
    same_pieces: f64,
    each_intent: f64,
    each_line: f64,
    store: f64,
    at_its_pace: f64,
    pieces: usize,
    intents: usize,
    lines: usize,
}

pub fn measure(table: &mut Table, wanted: &Wanted, scene: &Scene, plan: &Path) {
    let fresh = fs::read(scene.world()).expect("a world");
    let runs: Vec<Run> = (0..wanted.runs).map(|number| one(wanted, scene, plan, &fresh, number)).collect();
    let of = |pick: fn(&Run) -> f64| median(runs.iter().map(pick).collect());
    let (steps, first) = (wanted.steps, &runs[0]);
    let what = format!("apply of {steps} steps, the engine; limit: its {} appends, fsync", first.pieces);
    table.row(&what, of(|run| run.engine), of(|run| run.same_pieces), &Bar::Ratio(BAR));
    let what = format!("the same; limit: one fsync for each of its {} intents", first.intents);
    table.row(&what, of(|run| run.engine), of(|run| run.each_intent), &Bar::Ratio(BAR));
    let what = format!("the same; limit: one fsync for each of its {} lines", first.lines);
    table.row(&what, of(|run| run.engine), of(|run| run.each_line), &Bar::Ratio(BAR));
    let what = "of that, in the journal's store; limit: its appends at its pace";
    table.row(what, of(|run| run.store), of(|run| run.at_its_pace), &Bar::None);
    let what = "the same as a process, with simulated world and progress lines";
    table.row(what, of(|run| run.process), of(|run| run.same_pieces), &Bar::None);
    let (engine, world, limit) = (of(|run| run.engine), of(|run| run.world), of(|run| run.same_pieces));
    let (count, milli) = (f64::from(u32::try_from(steps).unwrap_or(u32::MAX)), 1e3);
    table.note(format!(
        "steps a second: {:.0} by the engine, {:.0} by the limit; {} lines; beside these the simulated world took {world:.0} ms",
        count * milli / engine,
        count * milli / limit,
        first.lines,
    ));
    table.note(place_of_the_world().1.to_owned());
}

/// Engine, process and limits one after the other, so that all of them meet the disk in the same mood.
fn one(wanted: &Wanted, scene: &Scene, plan: &Path, fresh: &[u8], number: usize) -> Run {
    fs::write(scene.world(), fresh).expect("a world");
    let root = scene.root.join(format!("engine-{number}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let program = program(plan);
    let pieces = Arc::new(Mutex::new(Vec::new()));
    let store = Remembering { inner: LocalStore::new(root.clone()), pieces: Arc::clone(&pieces), ended: Mutex::default() };
    let (engine, world) = runtime.block_on(run(&program, fresh, Arc::new(store)));

    let journal = root.join(ENVIRONMENT).join("runs").join(format!("{}.journal", program.plan.run));
    let text = fs::read_to_string(&journal).expect("a journal");
    // The first line holds the plan, and is written before the engine begins.
    let lines: Vec<&str> = text.split_inclusive('\n').skip(1).collect();
    let pieces: Vec<Piece> = pieces.lock().expect("nobody panicked").split_off(1);
    let in_store = pieces.iter().map(|piece| piece.took).sum();
    let bare =
        |counts: &[usize]| appended(&root, &lines, &counts.iter().map(|count| Piece { lines: *count, ..Piece::default() }).collect::<Vec<_>>());
    let same = bare(&pieces.iter().map(|piece| piece.lines).collect::<Vec<_>>());
    let at_its_pace = appended(&root, &lines, &pieces);
    let intents = grouped_by_intent(&lines);
    let (each, each_line) = (bare(&intents), bare(&vec![1; lines.len()]));
    fs::write(scene.world(), fresh).expect("a world");
    let command = processes::switchover(&wanted.switchover, &scene.root, &["--world", "world.json", "apply", "plan.json"]);
    let process = processes::time(command);
    fs::remove_dir_all(scene.root.join(".switchover")).expect("its journal");
    let one = |time: Duration| time.as_secs_f64() * 1e3;
    Run {
        engine: one(engine),
        world: one(world),
        process,
        same_pieces: one(same),
        each_intent: one(each),
        each_line: one(each_line),
        store: one(in_store),
        at_its_pace: one(at_its_pace),
        pieces: pieces.len(),
        intents: intents.len() - 1,
        lines: lines.len(),
    }
}

fn program(plan: &Path) -> Arc<Program> {
    let plan = Arc::new(file::load(plan).expect("a plan"));
    Arc::new(Program::new(plan, |kind| kinds::find(kind).map(|kind| kind as &dyn Operations)).expect("a plan that can be run"))
}

/// One run; gives how long the engine took without the world, and the world.
async fn run(program: &Arc<Program>, fresh: &[u8], store: Arc<dyn Store>) -> (Duration, Duration) {
    let folder = tempfile::tempdir_in(place_of_the_world().0).expect("a folder");
    let path = folder.path().join("world.json");
    fs::write(&path, fresh).expect("a world");
    let sim = SimWorld::open(&path, SimOptions::default()).expect("a world");
    sim.allow_time(true);
    // Simulated calls are done at once, so that no two of them overlap: one begins where the hook is asked, and ends where the listener is told.
    let spent = Arc::new(Mutex::new(Spent::default()));
    let (begins, ends) = (Arc::clone(&spent), Arc::clone(&spent));
    sim.set_hook(Box::new(move |_| {
        begins.lock().expect("nobody panicked").call = Some(Instant::now());
        None
    }));
    let listener = move |_: &switchover::world::traced::Traced<'_>| {
        let mut spent = ends.lock().expect("nobody panicked");
        let call = spent.call.take().map(|began| began.elapsed());
        spent.whole += call.unwrap_or_default();
    };
    let timed = TimedClock { world: Arc::clone(&sim) as Arc<dyn Writers>, clock: Arc::new(Ticks { clock: sim.clock(), spent: Arc::clone(&spent) }) };
    let writers: Arc<dyn Writers> = Arc::new(TracedWorld::new(Arc::new(timed), Arc::new(NoSecrets), Arc::new(listener)));
    let hold = Hold::acquire(Arc::clone(&store), &wanted_locks(&program.plan), hold::machine_since_boot()).await.expect("locks");
    let now = Readers::clock(&*writers).now();
    let mut journal = Writer::begin(store, hold.lease().clone(), &program.plan, "bench", now).await.expect("a journal");
    journal.hold = Arc::clone(&hold);
    let engine = Engine::new(Setup {
        program: Arc::clone(program),
        writers,
        journal,
        sink: Box::new(Silent),
        notifier: Box::new(|_| None),
        stop: Stop::never(),
        options: Options { parallelism: 10, max_runtime: None, keep_on_failure: false },
        turn_back: None,
        check_all_facts: true,
    });
    let began = Instant::now();
    let summary = engine.run().await;
    let took = began.elapsed();
    assert_eq!(summary.exit_code, 0, "{:?}", summary.needs);
    sim.close().expect("the world is written");
    let world = spent.lock().expect("nobody panicked").whole;
    (took.saturating_sub(world), world)
}

/// Where the world's file is while the engine runs, and what that is: in memory where the machine has such a place.
fn place_of_the_world() -> (PathBuf, &'static str) {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { (memory.to_owned(), "the world's file is in memory") } else { (std::env::temp_dir(), "the world's file is on a disk") }
}

fn wanted_locks(plan: &Plan) -> Acquire {
    let mut names = vec![format!("env:{}", plan.environment)];
    names.extend(plan.locks.iter().cloned());
    let holder = Holder::this_process("bench");
    Acquire { environment: plan.environment.clone(), names, holder, run: plan.run.clone(), length: Duration::from_mins(1), takeover: false }
}

/// How many lines belong together when each intent, and nothing else, is made durable by itself.
fn grouped_by_intent(lines: &[&str]) -> Vec<usize> {
    let is_intent = |line: &&str| {
        let entry: Entry = serde_json::from_str(line.split_once(' ').map_or("", |(_, json)| json)).expect("a record");
        matches!(entry.record, Record::Intent { .. })
    };
    let mut groups: Vec<usize> = lines.split_inclusive(is_intent).map(<[&str]>::len).collect();
    if lines.last().is_some_and(is_intent) {
        groups.push(0);
    }
    groups
}

/// Appends lines in pieces of so many, each made durable after it was waited as long as the engine worked before; gives how long the appends take. A disk
/// that is not kept busy answers later than one that is.
fn appended(folder: &Path, lines: &[&str], pieces: &[Piece]) -> Duration {
    let path: PathBuf = folder.join("limit");
    let mut file = File::create(&path).expect("a file");
    file.sync_all().expect("a durable file");
    let (mut rest, mut took) = (lines, Duration::ZERO);
    for piece in pieces {
        let (these, after) = rest.split_at(piece.lines);
        let waits = Instant::now();
        while waits.elapsed() < piece.after {
            std::hint::spin_loop();
        }
        let began = Instant::now();
        file.write_all(these.concat().as_bytes()).and_then(|()| file.sync_data()).expect("it is written");
        took += began.elapsed();
        rest = after;
    }
    fs::remove_file(&path).expect("it is removed");
    took
}

struct Silent;

impl Sink for Silent {
    fn event(&mut self, _: &Event) {}
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve(&self, _: &SecretRef) -> Result<String> {
        Ok(String::new())
    }
}

/// One append: its lines, how long after the one before it came, and how long it took.
#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    lines: usize,
    after: Duration,
    took: Duration,
}

/// A store that remembers its appends.
struct Remembering {
    inner: LocalStore,
    pieces: Arc<Mutex<Vec<Piece>>>,
    ended: Mutex<Option<Instant>>,
}

#[async_trait]
impl Store for Remembering {
    fn place(&self) -> String {
        self.inner.place()
    }

    async fn acquire(&self, acquire: &Acquire) -> Result<Lease> {
        self.inner.acquire(acquire).await
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        self.inner.renew(lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.inner.release(lease).await
    }

    async fn lock(&self, name: &str, environment: &str) -> Result<Option<LockInfo>> {
        self.inner.lock(name, environment).await
    }

    async fn remove_lock(&self, held: &LockInfo, environment: &str) -> Result<bool> {
        self.inner.remove_lock(held, environment).await
    }

    async fn runs(&self, environment: &str) -> Result<Vec<String>> {
        self.inner.runs(environment).await
    }

    async fn read(&self, environment: &str, run: &str) -> Result<Option<StoredRun>> {
        self.inner.read(environment, run).await
    }

    async fn append(&self, lease: &Lease, run: &str, entries: &[Entry]) -> Result<()> {
        let began = Instant::now();
        let appended = self.inner.append(lease, run, entries).await;
        if !entries.is_empty() {
            let before = self.ended.lock().expect("nobody panicked").replace(Instant::now());
            let after = before.map_or(Duration::ZERO, |before| began.duration_since(before));
            self.pieces.lock().expect("nobody panicked").push(Piece { lines: entries.len(), after, took: began.elapsed() });
        }
        appended
    }
}
