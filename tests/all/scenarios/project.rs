//! An example in a folder of its own, and the program that works in it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::copy;

/// No command of a scenario takes longer, on the busiest machine; what does hangs. A way back looks for a late effect of a lost call for five minutes.
const LIMIT: Duration = Duration::from_mins(8);

/// A copy of an example.
pub struct Project {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A command under way.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    stdout: String,
    stderr: JoinHandle<String>,
    begin: Instant,
}

impl Project {
    /// `examples/NAME` as it is.
    pub fn example(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name), folder.path());
        fs::create_dir_all(folder.path().join("plans")).unwrap();
        Project { folder, variables: Vec::new() }
    }

    /// Sets an environment variable of the commands to come. They have no others but `PATH`, `HOME` and who runs them.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.push((name.to_owned(), value.into()));
    }

    /// A file below the root.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Edits a file as people do. Each text to be replaced must stand there exactly `times` times, so that a changed example is noticed.
    pub fn edit(&self, path: &str, from: &str, to: &str, times: usize) {
        let file = self.path(path);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.matches(from).count(), times, "{path} no longer says `{from}` {times} times");
        fs::write(&file, text.replace(from, to)).unwrap();
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end()
    }

    /// Starts the program.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchover"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder.path()).env("SWITCHOVER_ACTOR", "scenario");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        let mut errors = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut said = Vec::new();
            drop(errors.read_to_end(&mut said));
            String::from_utf8_lossy(&said).into_owned()
        });
        Running { child, lines, stdout: String::new(), stderr, begin: Instant::now() }
    }

    /// Plans with `--out` and `--detailed-exitcode`, which must find something to do; gives the saved document.
    pub fn plan(&self, environment: &str, file: &str) -> Json {
        self.run(&["plan", environment, "--out", file, "--detailed-exitcode"]).expect(2);
        serde_json::from_str(&fs::read_to_string(self.path(file)).unwrap()).unwrap()
    }

    /// Plans again: there must be nothing to do.
    pub fn nothing_to_do(&self, environment: &str) {
        self.run(&["plan", environment, "--detailed-exitcode"]).expect(0);
    }

    /// Everything that the program has left in its folder: saved plans, journals, locks.
    pub fn left_behind(&self) -> String {
        let mut text = String::new();
        for folder in ["plans", ".switchover"] {
            gather(&self.path(folder), &mut text);
        }
        text
    }
}

impl Running {
    /// Waits for an event, and kills the program the hard way as soon as it is told. Gives the events up to there.
    pub fn kill_at(mut self, wanted: impl Fn(&Json) -> bool) -> Vec<Json> {
        let events = self.until(wanted);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        events
    }

    /// Waits for so many events and a moment more, and kills the program the hard way. Gives how it had ended before that, if it had.
    pub fn kill_after(mut self, events: usize, pause: Duration) -> Option<Ended> {
        let mut told = 0;
        while told < events && self.next_line().is_some() {
            told += 1;
        }
        std::thread::sleep(pause);
        self.child.kill().unwrap();
        if self.child.wait().unwrap().code().is_none() { None } else { Some(self.end()) }
    }

    /// Waits for an event, asks the program to stop, as CI systems do, and waits for its end.
    pub fn stop_at(mut self, wanted: impl Fn(&Json) -> bool) -> Ended {
        self.until(wanted);
        assert!(Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status().unwrap().success());
        self.end()
    }

    fn until(&mut self, wanted: impl Fn(&Json) -> bool) -> Vec<Json> {
        let mut events = Vec::new();
        while let Some(line) = self.next_line() {
            events.push(serde_json::from_str(&line).unwrap());
            if events.last().is_some_and(&wanted) {
                return events;
            }
        }
        panic!("it ended before that event: {}", self.stdout);
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        while self.next_line().is_some() {}
        let status: ExitStatus = self.child.wait().unwrap();
        Ended { code: status.code(), stdout: self.stdout, stderr: self.stderr.join().unwrap() }
    }

    /// The next line of its standard output; none when that is closed.
    fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(LIMIT.saturating_sub(self.begin.elapsed())) {
            Ok(line) => {
                self.stdout.push_str(&line);
                self.stdout.push('\n');
                Some(line)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.child.kill().unwrap();
                panic!("it does not end; so far it said:\n{}", self.stdout);
            }
        }
    }
}

impl Ended {
    /// It must have ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Its events, where `--json` was given.
    pub fn events(&self) -> Vec<Json> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Whether an event is of this type and about the step whose id ends so.
pub fn is(event: &Json, kind: &str, step: &str) -> bool {
    event["type"] == kind && event["step"].as_str().is_some_and(|id| id.ends_with(&format!("/{step}")))
}

fn gather(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, text);
        } else {
            text.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
        }
    }
}
