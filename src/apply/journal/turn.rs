//! The turn of a folder's journal: a file that whoever changes anything has locked for that moment, so that a fence is compared and a line is
//! written in one go.
//!
//! The lock is the kernel's, and ends with its process. One that is stopped in that very moment keeps it, though, and everybody else out: they wait for
//! a bounded time, say for whom, and then give up.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::files;
use super::local::cannot;
use super::patience::{self, Patience};
use crate::model::Result;

/// A turn is over in some milliseconds: as long as that nobody else need go on meanwhile.
const SHORT_TRIES: u32 = 100;
const SHORT_PAUSE: Duration = Duration::from_millis(1);
/// Between two words to people.
const PAUSE_FIRST: Duration = Duration::from_millis(400);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Its owner may write a file.
const WRITABLE: u32 = 0o200;

/// The turn, given back when dropped.
pub struct Turn {
    /// Its file, locked.
    pub(super) file: Arc<File>,
    kept: Arc<Kept>,
}

/// The turn's file between two turns of one store: opening it anew would take longer than everything else about a turn.
#[derive(Default)]
pub struct Kept(Mutex<Option<Arc<File>>>);

impl Kept {
    /// The file, when it still is the one at `path`, and may still be written: whoever locked another one would not be alone, and a journal that was made read-only
    /// is not written through a file that is open. Of two turns at once within this process only one gets it, since one open file has one lock.
    fn take(&self, path: &Path) -> Option<Arc<File>> {
        let file = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let (there, here) = (fs::symlink_metadata(path).ok()?, file.metadata().ok()?);
        ((there.dev(), there.ino()) == (here.dev(), here.ino()) && there.mode() & WRITABLE != 0).then_some(file)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // What cannot be unlocked is closed instead, which ends the lock too.
        if self.file.unlock().is_ok() {
            *self.kept.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&self.file));
        }
    }
}

/// Takes the turn of the journal in `root`: whoever holds it is alone in changing anything.
///
/// Flow: where it is not free a thread stands in the kernel's queue, so that everybody gets a turn, however busy the others are. Who gives up leaves
/// that thread behind; if it is ever let in, it lets go at once.
///
/// # Errors
/// The file cannot be opened or locked, or somebody else held it for all of `limit`.
pub async fn take(root: &Path, kept: &Arc<Kept>, patience: &Patience, limit: Duration) -> Result<Turn> {
    let path = root.join(".turn");
    let turn = |file| Turn { file, kept: Arc::clone(kept) };
    let file = match kept.take(&path) {
        Some(file) => file,
        None => Arc::new(files::open(root, &path)?),
    };
    match file.try_lock() {
        Ok(()) => return Ok(turn(file)),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(cannot("lock", &path, &error)),
    }
    let identity = identity(&file);
    let (sender, mut taken) = oneshot::channel();
    let stand = move || drop(sender.send(file.lock().map(|()| file)));
    std::thread::Builder::new().name("turn".to_owned()).spawn(stand).map_err(|error| cannot("wait for", &path, &error))?;
    for _ in 0..SHORT_TRIES {
        if let Ok(locked) = taken.try_recv() {
            return locked.map(turn).map_err(|error| cannot("lock", &path, &error));
        }
        std::thread::sleep(SHORT_PAUSE);
    }
    let place = root.display().to_string();
    let mut telling = patience.telling(&place, limit);
    let mut over = std::pin::pin!(tokio::time::sleep(limit));
    let mut pause = PAUSE_FIRST;
    loop {
        tokio::select! {
            biased;
            locked = &mut taken => {
                telling.over();
                let locked = locked.unwrap_or_else(|_| Err(std::io::Error::other("whoever waited for it is gone")));
                return locked.map(turn).map_err(|error| cannot("lock", &path, &error));
            }
            () = &mut over => break,
            () = tokio::time::sleep(pause) => {
                telling.again(&why(holder(identity.as_deref())));
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
    let whose = holder(identity.as_deref());
    let error = patience::unreachable(&place, &why(whose));
    let first = whose.map_or_else(
        || format!("find the process that has {} locked, and wake or end it", path.display()),
        |pid| format!("wake process {pid} (kill -CONT {pid}) or end it (kill -KILL {pid})"),
    );
    Err(error.with_help(format!("{first}; what a run has begun is there for `switchover resume`")))
}

fn why(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process has its turn".to_owned(), told)
}

/// A process that has the turn, for people.
fn told(pid: u32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let letter = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    let doing = match letter {
        Some('T' | 't') => ", which is stopped,",
        Some('D') => ", which waits for its disk,",
        _ => "",
    };
    format!("process {pid}{doing} has its turn")
}

/// A file as the kernel's list of locks names it.
fn identity(file: &File) -> Option<String> {
    let meta = file.metadata().ok()?;
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    Some(format!("{major:02x}:{minor:02x}:{}", meta.ino()))
}

/// The process that has a file locked, where the kernel tells.
fn holder(identity: Option<&str>) -> Option<u32> {
    holder_in(&fs::read_to_string("/proc/locks").ok()?, identity?)
}

/// Who has a file locked, by the kernel's list (`proc_locks(5)`): `1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF`. Who waits has an arrow before it.
fn holder_in(locks: &str, file: &str) -> Option<u32> {
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, of, ..] = fields.as_slice() else { return None };
        pid.parse().ok().filter(|pid| *of == file && *pid != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_names_the_holder_and_not_who_waits() {
        let list = "1: POSIX  ADVISORY  READ 11 fe:01:77 128 128\n2: FLOCK  ADVISORY  WRITE 22 fe:01:77 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 33 fe:01:77 0 EOF\n\
                    3: FLOCK  ADVISORY  WRITE 0 fe:01:78 0 EOF\n4: FLOCK\n";
        assert_eq!(holder_in(list, "fe:01:77"), Some(22));
        assert_eq!((holder_in(list, "fe:01:78"), holder_in(list, "fe:01:7"), holder_in("", "")), (None, None, None));
    }
}
