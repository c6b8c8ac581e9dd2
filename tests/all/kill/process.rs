//! A process of the binary that can be killed, stopped and woken, and counts the events that it tells.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// No command takes longer, on the busiest machine; what does hangs.
const LIMIT: Duration = Duration::from_mins(3);

/// How a process ended, and what it said.
pub struct Said {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Lines on stdout: events.
    pub events: u64,
    /// Its stderr.
    pub err: String,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {:?} after {} events; stderr:\n{}", self.code, self.events, self.err)
    }
}

impl Said {
    /// The calls that write and were answered well.
    pub fn calls(&self) -> Vec<String> {
        calls_told(&self.err)
    }
}

/// The calls that `-v` tells of, by name: those that write and were answered well.
pub fn calls_told(text: &str) -> Vec<String> {
    let answered = |line: &str| line.split_once("  call ").filter(|(_, rest)| rest.contains("): answered, ")).map(|(_, rest)| rest.to_owned());
    text.lines().filter_map(answered).filter_map(|rest| rest.split_once(" (").map(|(name, _)| name.to_owned())).collect()
}

/// A process under way.
pub struct Mortal {
    child: Child,
    events: Arc<AtomicU64>,
    closed: Arc<AtomicBool>,
    reader: JoinHandle<()>,
    errors: PathBuf,
    begin: Instant,
}

impl Mortal {
    pub fn spawn(command: &mut Command, errors: PathBuf, copy: &Path) -> Self {
        let mut child = command.spawn().unwrap();
        let (events, closed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (Arc::clone(&events), Arc::clone(&closed));
        let mut copy = File::create(copy).unwrap();
        let stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                copy.write_all(&line).and_then(|()| copy.write_all(b"\n")).unwrap();
            }
            end.store(true, Ordering::SeqCst);
        });
        Mortal { child, events, closed, reader, errors, begin: Instant::now() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Events told so far.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::SeqCst)
    }

    /// Waits until it has told so many events, or has nothing more to tell.
    pub fn until_events(&self, wanted: u64) {
        while self.events() < wanted && !self.closed.load(Ordering::SeqCst) {
            assert!(self.begin.elapsed() < LIMIT, "process {} tells nothing more after {} events", self.pid(), self.events());
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Kills it the hard way, if it still runs. None: it had ended by itself.
    pub fn kill(mut self) -> Result<(), Said> {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        if status.code().is_none() {
            self.reader.join().unwrap();
            return Ok(());
        }
        Err(self.said(status))
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().unwrap();
        assert!(sent.success(), "cannot send {name} to {}", self.pid());
    }

    /// The kernel's letter for what it does: `T` is stopped, `Z` has ended.
    pub fn letter(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('Z')
    }

    /// Waits for its end.
    pub fn end(mut self) -> Said {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if self.begin.elapsed() > LIMIT {
                self.child.kill().unwrap();
                panic!("process {} does not end; stderr:\n{}", self.pid(), fs::read_to_string(&self.errors).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        self.said(status)
    }

    fn said(self, status: ExitStatus) -> Said {
        self.reader.join().unwrap();
        Said { code: status.code(), events: self.events.load(Ordering::SeqCst), err: fs::read_to_string(&self.errors).unwrap() }
    }
}
