//! From files to a plan on everybody's screen: what is accepted must be planned, saved, read again and shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use switchover::declare::{self, Desired, Inputs, KindSchema, Location, Reading, VariableSources};
use switchover::kinds;
use switchover::model::{Json, Result};
use switchover::observe::Observer;
use switchover::plan::{self, Plan, Planner, file};
use switchover::review::{self, Style};
use switchover::world::Readers;
use switchover::world::sim::{SimOptions, SimWorld};

use super::oracle;

/// A folder with an environment, made again for each input.
pub struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    /// In memory where the system has such a place: a fuzzer writes thousands of files a second.
    pub fn new() -> Room {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let room = Room { folder: folder.unwrap() };
        fs::create_dir_all(room.path("environments")).unwrap();
        room
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Reads `environments/x.hcl` as the environment that it says it is.
    pub fn read(&self, hcl: &[u8], variables: VariableSources) -> Result<Reading> {
        let file = self.write("environments/x.hcl", hcl);
        let location = Location { root: self.folder.path().to_path_buf(), environment: name(hcl), files: vec![file] };
        let schemas: Vec<&dyn KindSchema> = kinds::ALL.iter().map(|kind| *kind as &dyn KindSchema).collect();
        let env = |name: &str| (name.len() % 2 == 1).then(|| format!("https://example.org/{name}"));
        let inputs = Inputs { kinds: &schemas, variables, env: &env, now: world().clock().now() };
        // What is wrong with the setting is told as an error; what is wrong elsewhere is not.
        if let Err(error) = declare::journal_setting(&location, &inputs) {
            oracle::error(&error);
        }
        declare::read(&location, &inputs)
    }
}

/// The label of the file's `environment` block, where it can be one.
fn name(hcl: &[u8]) -> String {
    let text = String::from_utf8_lossy(hcl);
    let label = text.split_once("environment \"").and_then(|(_, rest)| rest.split_once('"')).map(|(label, _)| label.to_owned());
    label.filter(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')).unwrap_or_else(|| "x".to_owned())
}

/// Both worlds of the examples in one.
pub fn world_json() -> &'static Json {
    static WORLD: OnceLock<Json> = OnceLock::new();
    WORLD.get_or_init(|| {
        let read = |name: &str| -> Json {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("world.json");
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
        };
        let (mut world, other) = (read("openverse"), read("gigadb"));
        for (id, account) in other["aws"]["accounts"].as_object().unwrap() {
            world["aws"]["accounts"][id] = account.clone();
        }
        world["cloudflare"] = other["cloudflare"].clone();
        world
    })
}

/// A world that nothing is written to.
pub fn world() -> &'static Arc<SimWorld> {
    static OPEN: OnceLock<Arc<SimWorld>> = OnceLock::new();
    OPEN.get_or_init(|| SimWorld::from_json(world_json(), SimOptions { seed: Some(7), pace: None }).unwrap())
}

/// Waits for a future that has nothing to wait for.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()).block_on(future)
}

/// Plans what was declared; a plan without errors is what it is read as again.
pub fn plan(desired: &Desired, readers: &dyn Readers) -> Plan {
    let resources: Vec<_> = desired.resources.iter().collect();
    let sees = |kind: &str| kinds::find(kind).map(|kind| kind as &dyn Observer);
    let observed = now(switchover::observe::observe(desired, &resources, sees, readers));
    let differs = |kind: &str| kinds::find(kind).map(|kind| kind as &dyn switchover::diff::Differ);
    let diffed = switchover::diff::diff(desired, &resources, &observed, differs, &BTreeSet::new());
    let planners = |kind: &str| kinds::find(kind).map(|kind| kind as &dyn Planner);
    let (world, random) = (readers.identity(), readers.random());
    let plan = plan::build(&plan::Request { desired, resources: &resources, observed: &observed, diffed: &diffed, planners, world, random });
    if plan.errors.is_empty() {
        let again = file::parse(&file::text(&plan), Path::new("plan.json")).expect("a plan that was made can be read");
        assert!(again == plan, "a plan is what it is read as");
    }
    show(&plan);
    plan
}

/// A plan in every form.
pub fn show(plan: &Plan) {
    for width in [40, 100] {
        oracle::is_harmless(&review::terminal(plan, &Style::plain(width), Some("plan.json")));
    }
    oracle::is_harmless(&review::markdown(plan));
    let json = review::json(plan);
    oracle::is_harmless(&json);
    serde_json::from_str::<Json>(&json).expect("the JSON form is JSON");
}

/// What a reading gives, shown, and planned when nothing is wrong with it.
pub fn judge(reading: &Reading) {
    let failed = oracle::problems(&reading.problems);
    assert_eq!(reading.desired.is_none(), failed, "there is an environment exactly when nothing is wrong");
    if let Some(desired) = &reading.desired {
        plan(desired, &**world());
    }
}
