//! Who holds a lock: enough to show to people, and to tell whether its process is gone.

use serde::{Deserialize, Serialize};

/// One process that runs a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who runs it, for people.
    pub actor: String,
    /// The machine's name.
    pub host: String,
    /// The kernel's id of this boot; empty where the system has none.
    pub boot: String,
    /// The namespace of process ids; empty where the system has none.
    pub pid_namespace: String,
    /// Its process id.
    pub pid: u32,
    /// When the process began, in the kernel's ticks since boot: tells it from a later process of the same id.
    pub process_start: u64,
}

impl Holder {
    /// This process. Linux tells everything through `/proc`; elsewhere a lock can only expire.
    #[must_use]
    pub fn this_process(actor: &str) -> Self {
        let pid = std::process::id();
        Holder {
            actor: actor.to_owned(),
            host: read_trimmed("/proc/sys/kernel/hostname"),
            boot: this_boot().to_owned(),
            pid_namespace: std::fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default(),
            pid,
            process_start: process_start(pid).unwrap_or(0),
        }
    }

    /// The user that this process runs as, where no variable says it: by the owner of its `/proc` entry and the list of users.
    #[must_use]
    pub fn user_of_process() -> Option<String> {
        let id = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").ok()?).to_string();
        let users = std::fs::read_to_string("/etc/passwd").ok()?;
        let named = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == id).then(|| name.to_owned())
        };
        Some(users.lines().find_map(named).unwrap_or_else(|| format!("uid {id}")))
    }

    /// Whether its process is known to be gone: it ran on this very system, and no process of that id and start runs there now.
    ///
    /// Another boot says nothing: two machines may share a name, and the first namespace of process ids has the same number on all of them.
    #[must_use]
    pub fn is_known_gone(&self) -> bool {
        let here = Holder::this_process("");
        let same_system = !self.boot.is_empty()
            && !self.pid_namespace.is_empty()
            && (&self.host, &self.boot, &self.pid_namespace) == (&here.host, &here.boot, &here.pid_namespace);
        same_system && process_start(self.pid) != Some(self.process_start)
    }
}

/// The kernel's id of this boot, which no process sees change; empty where the system has none.
pub fn this_boot() -> &'static str {
    static BOOT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BOOT.get_or_init(|| read_trimmed("/proc/sys/kernel/random/boot_id"))
}

fn read_trimmed(path: &str) -> String {
    std::fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// Field 22 of `/proc/PID/stat` (proc(5)); the command name before it may hold anything, so fields are counted from its last `)`.
fn process_start(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // A zombie has ended, whoever has yet to notice.
    if fields.first().is_some_and(|state| *state == "Z" || *state == "X") {
        return None;
    }
    fields.get(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_not_gone_and_one_that_never_was_is() {
        let here = Holder::this_process("somebody");
        assert!(!here.is_known_gone());
        assert!(Holder { process_start: here.process_start + 1, ..here.clone() }.is_known_gone());
        assert!(!Holder { boot: "another".to_owned(), process_start: 1, ..here.clone() }.is_known_gone(), "it may be another machine of that name");
        assert!(!Holder { host: "another".to_owned(), process_start: 1, ..here }.is_known_gone());
    }
}
