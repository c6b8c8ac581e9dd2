//! A folder with an example's environment and world, in which processes of the real binary live and die.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use switchover::apply::journal::Entry;

use super::evidence::Evidence;
use super::process::{Mortal, Said, calls_told};
use super::verdict;
use crate::crash::trials::{instances, openverse_world, records};
use crate::support::{copy, journals::Journals};

/// One story to be disturbed.
pub struct Case {
    /// For the matrix and folder names.
    pub name: &'static str,
    example: &'static str,
    /// The environment's name.
    pub environment: &'static str,
    /// What is edited in its file.
    edit: Option<(&'static str, &'static str)>,
    world: fn() -> Json,
    /// What makes two worlds the same.
    pub essence: fn(&Json) -> Json,
}

/// What the undisturbed run of a case is like.
pub struct Baseline {
    /// Events that it tells.
    pub events: u64,
    /// From its start to its first event, and from there to its end.
    pub before: Duration,
    /// The time of the events.
    pub during: Duration,
    /// The essence of the world that it ends in.
    pub declared: Json,
    /// How often each call had its effect.
    pub effects: BTreeMap<String, usize>,
}

fn example_world(name: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("world.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The stories of both kinds.
pub fn cases() -> Vec<Case> {
    let kept = ("keep_old      = \"0s\"", "keep_old      = \"7d\"");
    let refresh = |name, edit| Case { name, example: "openverse", environment: "staging", edit, world: openverse_world, essence: instances };
    vec![
        refresh("database refresh", None),
        refresh("database refresh, old one kept", Some(kept)),
        Case {
            name: "dns swap, two zones",
            example: "gigadb",
            environment: "gigadb",
            edit: Some(("live = \"hk\"\n", "live = \"sydney\"\n")),
            world: || example_world("gigadb"),
            essence: records,
        },
    ]
}

/// The folder of one trial. It is removed when the trial has gone well, and kept when it has not.
pub struct Stage<'a> {
    pub root: PathBuf,
    pub case: &'a Case,
    journal: &'a Journals,
    trial: String,
    evidence: Evidence,
    started: std::cell::Cell<u32>,
}

impl<'a> Stage<'a> {
    pub fn new(case: &'a Case, journal: &'a Journals, trial: &str) -> Self {
        let root = tempfile::Builder::new().prefix("switchover-kill-").tempdir().unwrap().keep();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(case.example), &root);
        let file = root.join(format!("environments/{}.hcl", case.environment));
        if let Some((from, to)) = case.edit {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{} no longer holds {from:?}", file.display());
            fs::write(&file, text.replace(from, to)).unwrap();
        }
        fs::write(root.join("world.json"), serde_json::to_string_pretty(&(case.world)()).unwrap()).unwrap();
        let evidence = Evidence::new(&root);
        Stage { root, case, journal, trial: trial.to_owned(), evidence, started: std::cell::Cell::new(0) }
    }

    /// Starts the binary. What it says on stderr goes to a numbered file of the folder, stdout is counted by lines.
    pub fn start(&self, args: &[&str]) -> Mortal {
        let number = self.started.get() + 1;
        self.started.set(number);
        self.evidence.watch();
        let stem = format!("{number}-{}", args.first().unwrap_or(&""));
        fs::write(self.root.join(format!("evidence/{stem}.args")), args.join(" ")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchover"));
        command.args(args).current_dir(&self.root).env_clear().env("SWITCHOVER_ACTOR", "tester").env("SWITCHOVER_WORLD", "world.json");
        command.envs(self.journal.variables(&self.trial));
        let errors = self.root.join(format!("evidence/{stem}.stderr"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(fs::File::create(&errors).unwrap());
        Mortal::spawn(&mut command, errors, &self.root.join(format!("evidence/{stem}.stdout")))
    }

    /// Runs the binary to its end.
    pub fn run(&self, args: &[&str]) -> Said {
        self.start(args).end()
    }

    /// Saves the plan that the trial is about.
    pub fn plan(&self) {
        let said = self.run(&["plan", self.case.environment, "--out", "plan.json", "--detailed-exitcode"]);
        assert_eq!(said.code, Some(2), "{}: {said}", self.place());
    }

    /// What people would care about in the world as it is.
    pub fn essence(&self) -> Json {
        let copy = self.root.join("evidence/look");
        fs::create_dir_all(&copy).unwrap();
        let (world, log) = (copy.join("world.json"), copy.join("world.json.log"));
        fs::copy(self.root.join("world.json"), &world).unwrap();
        match fs::copy(self.root.join("world.json.log"), &log) {
            Ok(_) => {}
            Err(_) => drop(fs::remove_file(&log)),
        }
        let open = switchover::world::sim::SimWorld::open(&world, switchover::world::sim::SimOptions::default());
        (self.case.essence)(&open.unwrap_or_else(|error| panic!("{}: {}", self.place(), error.chain())).snapshot())
    }

    /// The calls that had an effect so far, in order, by the world's log: killed processes included.
    pub fn effects(&self) -> Vec<String> {
        self.evidence.effects()
    }

    /// The shortest lease that this journal renews in time, however busy the machine is.
    pub fn lease(&self) -> &'static str {
        if matches!(self.journal, Journals::S3(_)) { "12s" } else { "4s" }
    }

    /// How many processes were started so far.
    pub fn processes(&self) -> u32 {
        self.started.get()
    }

    /// The calls that were answered well, as each process after the first `so_many` tells them on stderr: for processes that end by themselves.
    pub fn told(&self, so_many: u32) -> Vec<String> {
        let files = fs::read_dir(self.root.join("evidence")).unwrap().map(|entry| entry.unwrap().path());
        let said = files.filter(|path| path.extension().is_some_and(|ending| ending == "stderr"));
        let number = |path: &Path| path.file_name()?.to_str()?.split('-').next()?.parse::<u32>().ok();
        let later = said.filter(|path| number(path).is_some_and(|number| number > so_many));
        later.flat_map(|path| calls_told(&fs::read_to_string(path).unwrap())).collect()
    }

    /// The last run's entries; none when there is no run.
    pub fn entries(&self) -> Vec<Entry> {
        self.runs().pop().unwrap_or_default()
    }

    /// The entries of all runs.
    pub fn runs(&self) -> Vec<Vec<Entry>> {
        self.journal.runs(&self.root, &self.trial, self.case.environment)
    }

    /// For messages.
    pub fn place(&self) -> String {
        format!("{} in {}", self.case.name, self.root.display())
    }

    /// The trial has gone well: nothing is kept.
    pub fn done(self) {
        fs::remove_dir_all(&self.root).unwrap();
    }
}

/// The undisturbed run.
pub fn straight(case: &Case, journal: &Journals) -> Baseline {
    let stage = Stage::new(case, journal, &format!("straight-{}-{}", case.environment, fastrand::u32(..)));
    stage.plan();
    let begin = Instant::now();
    let apply = stage.start(&["apply", "plan.json", "--json", "-v"]);
    apply.until_events(1);
    let before = begin.elapsed();
    let said = apply.end();
    assert_eq!(said.code, Some(0), "{}: {said}", stage.place());
    let during = begin.elapsed().saturating_sub(before);
    let effects = verdict::count(&stage.effects());
    assert_eq!(effects, verdict::count(&stage.told(0)), "{}: the world's log, and what the process says", stage.place());
    let baseline = Baseline { events: said.events, before, during, declared: stage.essence(), effects };
    assert!(baseline.events > 5 && !baseline.effects.is_empty(), "{}: {:?}", stage.place(), baseline.effects);
    stage.done();
    baseline
}
