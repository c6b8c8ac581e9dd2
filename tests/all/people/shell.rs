//! The real binary under a shell: limits, closed streams, other users, mounts, process groups.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value as Json, json};

use crate::cli::bench::{Bench, Said};
use crate::crash::trials::short_timings;
use crate::services::process::{find_program, skipped};

/// `sh -c SCRIPT` in the root of a bench, with the bench's variables, `$SWITCHOVER` for the binary, and `$1`… for the arguments.
pub fn command(bench: &Bench, script: &str, args: &[&str]) -> Command {
    let like = bench.command(&[]);
    let mut command = Command::new("env");
    // Whoever runs the tests may ignore signals (nohup, a job in the background), and every process below would do so too.
    command.args(["--default-signal", "sh", "-c", script, "sh"]).args(args).current_dir(like.get_current_dir().unwrap()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("SWITCHOVER", like.get_program());
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// Runs a script to its end.
pub fn run(bench: &Bench, script: &str, args: &[&str]) -> Said {
    let output = command(bench, script, args).stdin(Stdio::null()).output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A program of the system; without it the test cannot be, which CI does not accept.
pub fn needs(program: &str) -> Option<()> {
    find_program(program).map(drop).or_else(|| skipped(&format!("there is no {program}")))
}

/// Whether this is root.
pub fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

/// The staging example with seconds for minutes, so that a paced run takes seconds.
pub fn quick() -> Bench {
    let bench = Bench::openverse();
    bench.change_world(|world| {
        world["timings"] = short_timings();
        world["timings"]["restore"] = json!(8);
        world["timings"]["backup"] = json!(4);
    });
    bench
}

/// Instances by name and id.
pub fn instances(bench: &Bench) -> Vec<(String, String)> {
    let world = bench.world();
    let all = world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]["instances"].as_object().unwrap().clone();
    let mut found: Vec<(String, String)> = all.into_iter().map(|(id, one)| (one["identifier"].as_str().unwrap().to_owned(), id)).collect();
    found.sort();
    found
}

/// The refresh is done: two instances again, the staging one a new one, and nothing is left to do.
#[track_caller]
pub fn is_declared(bench: &Bench, before: &[(String, String)]) {
    let after = instances(bench);
    let names = |list: &[(String, String)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(before));
    assert_ne!(after[0], before[0], "it is the old one");
    assert_eq!(after[1], before[1], "production is another one");
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("No changes.");
}

/// How often the journals of all runs tell that a new instance was made.
pub fn restores(bench: &Bench) -> usize {
    let runs = bench.run(&["runs", "staging", "--json"]).exits(0).json();
    let made = |run: &Json| {
        let told = bench.run(&["runs", "staging", run["run"].as_str().unwrap(), "--json"]).exits(0).out;
        let events = told.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        events.filter(|event| is(event, "step_done") && event["step"].as_str().is_some_and(|step| step.ends_with("/restore"))).count()
    };
    runs["runs"].as_array().unwrap().iter().map(made).sum()
}

/// A run whose events are read while it goes.
pub struct Watched {
    /// The process.
    pub child: Child,
    lines: BufReader<std::process::ChildStdout>,
    /// What was told so far.
    pub events: Vec<Json>,
}

impl Watched {
    /// Starts the command, which must give events on standard output.
    pub fn start(mut command: Command) -> Watched {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Watched { child, lines, events: Vec::new() }
    }

    fn next(&mut self) -> Option<Json> {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        let event: Json = serde_json::from_str(&line).ok()?;
        self.events.push(event.clone());
        Some(event)
    }

    /// Reads until an event fits; false when the run ended before.
    pub fn until(&mut self, fits: impl Fn(&Json) -> bool) -> bool {
        while let Some(event) = self.next() {
            if fits(&event) {
                return true;
            }
        }
        false
    }

    /// Sends the process a signal by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "no {name} could be sent");
    }

    /// Reads to the end: exit code (-1 for a death by signal) and standard error.
    pub fn end(mut self) -> (i32, Vec<Json>, String) {
        while self.next().is_some() {}
        let output = self.child.wait_with_output().unwrap();
        (output.status.code().unwrap_or(-1), self.events, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Whether an event is of this type.
pub fn is(event: &Json, kind: &str) -> bool {
    event["type"] == kind
}
