//! The world on disk: FILE, and `FILE.log` beside it with what changed since FILE was written.
//!
//! One line of the log is one consistent change: `{"now": …, "call": NAME, "set": {POINTER: VALUE, …}}`; null takes away; a change
//! that is no call's effect (a refusal that was counted) names no call. It is appended before
//! the reply of the call that it belongs to is given, so the effect outlives a SIGKILL; a machine that loses power may lose it.
//! Once a run has written, every move of the clock is a line too: what a process has seen and journaled must not be undone by its death.
//! Folding the log over FILE gives the world, and doing so twice gives the same, so a crash between writing FILE and removing the log
//! does no harm. A last line without its newline was cut off by a kill and does not count.
//!
//! Several processes may share a world (a `status` beside a run, a takeover): each notices by inode, size and time that another one wrote, and reads
//! again; writers take turns by an advisory lock on the log.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::check;
use super::state::State;
use super::touched::{self, Dirty};
use crate::model::time::Timestamp;
use crate::model::{Error, Exit, Json, Result, input};

/// The largest world file, and the largest log, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// What a file looked like when it was read.
type Stamp = (u64, u64, i64, i64);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    now: Timestamp,
    /// The call whose effect it is: for people and tests, folding does not need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    set: serde_json::Map<String, Json>,
}

/// A world on disk.
pub(super) struct Store {
    path: PathBuf,
    log_path: PathBuf,
    file_seen: Option<Stamp>,
    log_seen: Option<Stamp>,
    /// Bytes of the log up to its last whole line.
    log_good: u64,
}

/// The log, open and locked: nobody else writes.
pub(super) struct LockedLog(File);

impl Store {
    /// Reads a world from disk.
    pub(super) fn open(path: &Path) -> Result<(Store, State)> {
        let path = fs::canonicalize(path).map_err(|error| cannot_read(path, &error))?;
        let mut log_path = path.clone().into_os_string();
        log_path.push(".log");
        let mut store = Store { path, log_path: log_path.into(), file_seen: None, log_seen: None, log_good: 0 };
        let state = store.read()?;
        Ok((store, state))
    }

    /// Whether there is anything in the log.
    pub(super) fn has_log(&self) -> bool {
        self.log_good > 0
    }

    /// Whether somebody else has written since we looked.
    pub(super) fn changed(&self) -> bool {
        // A log that is there but empty is one that a writer has just locked.
        let log = stamp(&self.log_path).filter(|stamp| stamp.1 > 0);
        log != self.log_seen || stamp(&self.path) != self.file_seen
    }

    /// Reads FILE and log. The log is read first: whoever folds it writes FILE before removing it.
    pub(super) fn read(&mut self) -> Result<State> {
        // A pipe or a device has no size, and what is written to it is gone.
        if fs::metadata(&self.log_path).is_ok_and(|log| !log.is_file()) {
            return Err(cannot_read(&self.log_path, &io::Error::other("it is not a file")));
        }
        let log_seen = stamp(&self.log_path).filter(|stamp| stamp.1 > 0);
        let log = if log_seen.is_some() { read_bounded(&self.log_path)? } else { Vec::new() };
        let file_seen = stamp(&self.path);
        let bytes = read_bounded(&self.path)?;
        let name = self.path.display().to_string();
        let text = String::from_utf8(bytes).map_err(|error| {
            let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
            Error::new(Exit::Error, format!("world file {name}:{line} is not UTF-8 text"), "give --world a simulated world's JSON file")
        })?;
        let state = check::read(&text, &name)?;
        let good = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let state = if good == 0 { state } else { fold(state, &log[..good], &self.log_path)? };
        let state = check::prepare(state, &name)?;
        (self.file_seen, self.log_seen, self.log_good) = (file_seen, log_seen, good as u64);
        Ok(state)
    }

    /// Opens and locks the log; waits for another writer to finish its line.
    pub(super) fn lock(&self) -> io::Result<LockedLog> {
        for _ in 0..100 {
            let file = OpenOptions::new().create(true).append(true).open(&self.log_path)?;
            file.lock()?;
            // The one who held it may have folded and removed the log: then this is no longer the file of that name.
            if fs::metadata(&self.log_path).is_ok_and(|now| file.metadata().is_ok_and(|ours| now.ino() == ours.ino())) {
                return Ok(LockedLog(file));
            }
        }
        Err(io::Error::other("the log of the world is being replaced again and again"))
    }

    /// Appends what changed; on disk (not yet safe from loss of power) when it returns.
    pub(super) fn append(&mut self, log: &LockedLog, state: &State, dirty: &Dirty, call: Option<&str>) -> io::Result<()> {
        let mut set = serde_json::Map::new();
        for touched in dirty {
            set.insert(touched.pointer(), touched.value(state)?);
        }
        let mut line = serde_json::to_vec(&Line { now: state.now, call: call.map(str::to_owned), set })?;
        line.push(b'\n');
        let mut file = &log.0;
        if file.metadata()?.len() > self.log_good {
            file.set_len(self.log_good)?;
        }
        if self.log_good + line.len() as u64 > MAX_FILE {
            return Err(io::Error::other("the log of the world has grown too large: let a command end properly, which folds it"));
        }
        file.write_all(&line)?;
        self.log_good += line.len() as u64;
        self.log_seen = stamp(&self.log_path);
        Ok(())
    }

    /// Writes the whole world into FILE and removes the log.
    pub(super) fn fold(&mut self, log: LockedLog, state: &State) -> Result<()> {
        let failed = |error: io::Error| {
            Error::new(
                Exit::Person,
                format!("cannot write world file {}", self.path.display()),
                "free space or mend permissions; what happened stands in the log beside it",
            )
            .because(error)
        };
        let bytes = render(state).map_err(|error| failed(error.into()))?;
        let mut temporary = self.path.clone().into_os_string();
        temporary.push(format!(".{}.tmp", std::process::id()));
        let temporary = PathBuf::from(temporary);
        let written = self.replace(&temporary, &bytes);
        if written.is_err() {
            // The error of the writing is the one that matters.
            let _ = fs::remove_file(&temporary);
        }
        written.map_err(failed)?;
        fs::remove_file(&self.log_path).map_err(failed)?;
        drop(log);
        (self.file_seen, self.log_seen, self.log_good) = (stamp(&self.path), None, 0);
        Ok(())
    }

    fn replace(&self, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(temporary)?;
        file.set_permissions(fs::metadata(&self.path)?.permissions())?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(temporary, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new("/")))?.sync_all()
    }

    /// Takes away a log in which nothing stands.
    pub(super) fn drop_empty_log(&self) {
        if let Ok(log) = self.lock()
            && log.0.metadata().is_ok_and(|metadata| metadata.len() == 0)
        {
            // An empty log that stays says nothing and hinders nobody.
            let _ = fs::remove_file(&self.log_path);
        }
    }
}

/// A world as it stands in a file: pretty, keys sorted, ending in a newline.
pub(super) fn render(state: &State) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(&to_json(state)?)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A world as data, without what no longer matters, keys sorted.
pub(super) fn to_json(state: &State) -> Result<Json, serde_json::Error> {
    let mut json = serde_json::to_value(state.tidied().as_ref().unwrap_or(state))?;
    json.sort_all_objects();
    Ok(json)
}

fn fold(state: State, log: &[u8], path: &Path) -> Result<State> {
    let broken = |number: usize, why: String| {
        Error::new(
            Exit::Error,
            format!("{}:{number} is not a line of a world's log: {why}", path.display()),
            "restore the log, or remove it to go back to what stands in the world file itself",
        )
    };
    let mut now = state.now;
    let mut json = serde_json::to_value(state).map_err(|error| broken(0, error.to_string()))?;
    for (index, bytes) in log.split(|byte| *byte == b'\n').enumerate().filter(|(_, bytes)| !bytes.is_empty()) {
        let text = std::str::from_utf8(bytes).map_err(|_| broken(index + 1, "it is not UTF-8 text".to_owned()))?;
        input::check_long_json(text).map_err(|why| broken(index + 1, why))?;
        let line: Line = serde_json::from_str(text).map_err(|error| broken(index + 1, error.to_string()))?;
        for (pointer, value) in line.set {
            touched::put(&mut json, &pointer, value).map_err(|why| broken(index + 1, why))?;
        }
        // Whoever edited `now` in FILE while a log lay beside it wants it to be that late.
        now = now.max(line.now);
    }
    let mut state: State = serde_json::from_value(json).map_err(|error| broken(1, error.to_string()))?;
    state.now = now;
    Ok(state)
}

fn stamp(path: &Path) -> Option<Stamp> {
    fs::metadata(path).ok().map(|metadata| (metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

fn cannot_read(path: &Path, error: &io::Error) -> Error {
    Error::new(Exit::Error, format!("cannot read world file {}", path.display()), "check the path given by --world or SWITCHOVER_WORLD")
        .because_text(error.to_string())
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    input::read(path, MAX_FILE).map_err(|error| cannot_read(path, &error))
}
