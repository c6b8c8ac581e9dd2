//! Lock files of the local store: who, since when, until when, behind which fence.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Clocks;
use super::files;
use super::holder::{self, Holder};
use super::local::{cannot, sync_folder};
use super::store::{Acquire, LockInfo};
use crate::model::time::{self, Timestamp};
use crate::model::{Error, Exit, Result};

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

/// The name that became this file name; none when no name becomes it.
#[must_use]
pub fn name_of(file: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), file);
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(after.get(..2)?, 16).ok()?);
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok().filter(|name| !name.is_empty() && file_name(name) == file)
}

/// A lock as its file has it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Filed {
    /// The lock. Of one that lasts with another, everything that moves is as it was when it was taken.
    #[serde(flatten)]
    pub lock: LockInfo,
    /// The environment with whose own lock it was taken: as long as that has the same fence, this one lasts as long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts_with: Option<String>,
}

/// A lock file below `root`; none when nobody holds the lock.
pub fn read(root: &Path, path: &Path) -> Result<Option<Filed>> {
    let Some(text) = files::read(root, path, LOCK_BYTES_MAX)? else { return Ok(None) };
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        Error::new(Exit::Error, format!("the lock {} is damaged", path.display()), "make sure that nothing runs, then remove the file")
            .because_text(error.to_string())
    })
}

/// Writes a lock file whole or not at all.
pub fn write(path: &Path, lock: &LockInfo) -> Result<()> {
    write_filed(path, &Filed { lock: lock.clone(), lasts_with: None })
}

fn write_filed(path: &Path, filed: &Filed) -> Result<()> {
    let text = serde_json::to_string_pretty(filed)
        .map_err(|error| Error::new(Exit::Error, "cannot write a lock", "report this").because_text(error.to_string()))?;
    let beside = path.with_extension("json.new");
    let replace = || -> std::io::Result<()> {
        let mut file = files::replace(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_folder(path)
    };
    replace().map_err(|error| cannot("write", path, &error))
}

/// Writes locks that last with that of `environment`: thousands of names of one file, which is made durable once, and is never written again.
pub fn write_together(paths: &[PathBuf], lock: &LockInfo, environment: &str) -> Result<()> {
    let filed = Filed { lock: lock.clone(), lasts_with: Some(environment.to_owned()) };
    let Some((first, others)) = paths.split_first() else { return Ok(()) };
    write_filed(first, &filed)?;
    for path in others {
        let linked = match fs::hard_link(first, path) {
            // Whose lease is over, and who was asked about that.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => fs::remove_file(path).and_then(|()| fs::hard_link(first, path)),
            linked => linked,
        };
        // Not every file system has links, and none has them without end.
        linked.or_else(|_| write_filed(path, &filed))?;
    }
    others.first().map_or(Ok(()), |path| sync_folder(path).map_err(|error| cannot("write", path, &error)))
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

/// A lock just taken, by the machine's clocks.
#[must_use]
pub fn fresh(name: &str, acquire: &Acquire, fence: &str, clocks: &dyn Clocks) -> LockInfo {
    let now = clocks.wall();
    let lock = LockInfo {
        name: name.to_owned(),
        holder: acquire.holder.clone(),
        run: acquire.run.clone(),
        since: now,
        heartbeat: now,
        expires: now,
        expires_since_boot_ms: None,
        fence: fence.to_owned(),
        expired: false,
    };
    renewed(lock, acquire.length, clocks)
}

/// The same lock, lasting its length from now by the machine's clocks.
#[must_use]
pub fn renewed(lock: LockInfo, length: Duration, clocks: &dyn Clocks) -> LockInfo {
    let now = clocks.wall();
    let end = clocks.since_boot().and_then(|since| u64::try_from((since + length).as_millis()).ok());
    LockInfo { heartbeat: now, expires: time::after(now, length), expires_since_boot_ms: end, ..lock }
}

/// Whether a lease is over, by the machine's clocks: on the boot it was given on by the time since that boot, which nobody can set; elsewhere
/// by the time of day, which is as good as the two machines agree on it.
#[must_use]
pub fn is_expired(lock: &LockInfo, clocks: &dyn Clocks) -> bool {
    let here = holder::this_boot();
    let same_boot = !here.is_empty() && here == lock.holder.boot;
    match (lock.expires_since_boot_ms, clocks.since_boot()) {
        (Some(end), Some(now)) if same_boot => u128::from(end) <= now.as_millis(),
        _ => lock.expires <= clocks.wall(),
    }
}

/// Whether a held lock may be taken. Whether its lease is over is the store's to say.
pub fn may_take(held: &LockInfo, acquire: &Acquire) -> Result<()> {
    if held.holder.is_known_gone() {
        return Ok(());
    }
    // Whoever goes on with a run names it, which is explicit enough for that run's own locks.
    if held.expired && (acquire.takeover || held.run == acquire.run) {
        return Ok(());
    }
    let next = if held.expired {
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

    struct Set(i64, Option<u64>);

    impl Clocks for Set {
        fn wall(&self) -> Timestamp {
            Timestamp::from_second(self.0).unwrap()
        }

        fn since_boot(&self) -> Option<Duration> {
            self.1.map(Duration::from_secs)
        }
    }

    #[test]
    fn on_one_boot_no_time_of_day_ends_a_lease_and_elsewhere_it_does() {
        let length = Duration::from_mins(1);
        let here = Acquire {
            environment: "e".to_owned(),
            names: vec!["env:e".to_owned()],
            holder: Holder::this_process("a"),
            run: "r".to_owned(),
            length,
            takeover: false,
        };
        let lock = fresh("env:e", &here, "f", &Set(100_000, Some(1_000)));
        for jump in [-3_600, 0, 3_600] {
            assert!(!is_expired(&lock, &Set(100_000 + jump, Some(1_059))), "{jump}");
            assert!(is_expired(&lock, &Set(100_000 + jump, Some(1_060))), "{jump}");
        }
        let elsewhere = LockInfo { holder: Holder { boot: "another".to_owned(), ..lock.holder.clone() }, ..lock.clone() };
        assert!(!is_expired(&elsewhere, &Set(100_059, Some(9_999_999))) && is_expired(&elsewhere, &Set(100_060, Some(0))));
        // Written by a version that did not know of it, or where it cannot be compared.
        let old = LockInfo { expires_since_boot_ms: None, ..lock.clone() };
        assert!(!is_expired(&old, &Set(100_059, Some(9_999_999))) && is_expired(&old, &Set(100_060, Some(0))));
        assert!(!is_expired(&lock, &Set(100_059, None)) && is_expired(&lock, &Set(100_060, None)));
    }

    #[test]
    fn file_names_cannot_leave_their_folder() {
        assert_eq!(file_name("rds:1/us-east-1/db.a"), "rds%3A1%2Fus-east-1%2Fdb.a");
        assert_eq!(file_name("../x"), "%2E.%2Fx");
        assert_eq!(file_name(".."), "%2E.");
        for name in ["rds:1/us-east-1/db.a", "..", "a%2Fb", "名前", "plain"] {
            assert_eq!(name_of(&file_name(name)).as_deref(), Some(name));
        }
        for file in ["a%2fb", "a%", "a%4", "a%zz", "%C3", "a b", "%61", ""] {
            assert_eq!(name_of(file), None, "{file} is no file of ours");
        }
    }
}
