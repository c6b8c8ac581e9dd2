//! Lock files of the local store: who, since when, until when, behind which fence.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use super::Holder;
use super::local::{cannot, sync_folder};
use super::store::{Acquire, LockInfo};
use crate::model::time::{self, Timestamp};
use crate::model::{Error, Exit, Result, input};

/// A lock file larger than this is none of ours.
const LOCK_BYTES_MAX: u64 = 64 << 10;

/// A name as a file name: letters, digits, `-`, `_` and inner dots stay, everything else becomes `%XX`.
#[must_use]
pub fn file_name(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || (byte == b'.' && at > 0) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// A lock file; none when nobody holds the lock.
pub fn read(path: &Path) -> Result<Option<LockInfo>> {
    let text = match input::read(path, LOCK_BYTES_MAX) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot("read", path, &error)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        Error::new(Exit::Error, format!("the lock {} is damaged", path.display()), "make sure that nothing runs, then remove the file")
            .because_text(error.to_string())
    })
}

/// Writes a lock file whole or not at all.
pub fn write(path: &Path, lock: &LockInfo) -> Result<()> {
    let text = serde_json::to_string_pretty(lock)
        .map_err(|error| Error::new(Exit::Error, "cannot write a lock", "report this").because_text(error.to_string()))?;
    let beside = path.with_extension("json.new");
    let replace = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_folder(path)
    };
    replace().map_err(|error| cannot("write", path, &error))
}

/// A fence that no other holding has: the process, and when it took the lock.
#[must_use]
pub fn new_fence(holder: &Holder) -> String {
    let mut counter = [0_u8; 8];
    for byte in &mut counter {
        *byte = fastrand::u8(..);
    }
    format!("{}-{}-{}-{:016x}", holder.pid, holder.process_start, Timestamp::now().as_nanosecond(), u64::from_be_bytes(counter))
}

/// A lock just taken.
#[must_use]
pub fn fresh(name: &str, acquire: &Acquire, fence: &str) -> LockInfo {
    let now = Timestamp::now();
    LockInfo {
        name: name.to_owned(),
        holder: acquire.holder.clone(),
        run: acquire.run.clone(),
        since: now,
        heartbeat: now,
        expires: time::after(now, acquire.length),
        fence: fence.to_owned(),
    }
}

/// The same lock, lasting its length from now.
#[must_use]
pub fn renewed(lock: LockInfo, length: Duration) -> LockInfo {
    let now = Timestamp::now();
    LockInfo { heartbeat: now, expires: time::after(now, length), ..lock }
}

/// Whether a held lock may be taken.
pub fn may_take(held: &LockInfo, acquire: &Acquire) -> Result<()> {
    if held.holder.is_known_gone() {
        return Ok(());
    }
    let expired = held.expires <= Timestamp::now();
    // Whoever goes on with a run names it, which is explicit enough for that run's own locks.
    if expired && (acquire.takeover || held.run == acquire.run) {
        return Ok(());
    }
    let next = if expired {
        format!(
            "its lease has expired: if its process is really gone, `switchover resume {0}` goes on with its run, --takeover takes the lock for another \
             one, and `switchover unlock {0}` removes it",
            acquire.environment
        )
    } else {
        format!("wait for it, or see `switchover status {}`; its lease ends {} unless it is renewed", acquire.environment, time::minute(held.expires))
    };
    Err(Error::new(Exit::Locked, format!("{} is locked by {}", held.name, describe(held)), next))
}

/// Whose a lock is, for people.
#[must_use]
pub fn describe(held: &LockInfo) -> String {
    format!("{} on {} (process {}, run {}, since {})", held.holder.actor, held.holder.host, held.holder.pid, held.run, time::minute(held.since))
}

/// What a holder hears whose lock was taken.
#[must_use]
pub fn taken_over(name: &str, held: Option<&LockInfo>) -> Error {
    let next = "this process does nothing more; `switchover status` says whether another one has gone on with the run";
    let by = held.map_or_else(|| "was removed".to_owned(), |lock| format!("was taken over by {}", describe(lock)));
    Error::new(Exit::Person, format!("the lock {name} {by}"), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_cannot_leave_their_folder() {
        assert_eq!(file_name("rds:1/us-east-1/db.a"), "rds%3A1%2Fus-east-1%2Fdb.a");
        assert_eq!(file_name("../x"), "%2E.%2Fx");
        assert_eq!(file_name(".."), "%2E.");
    }
}
