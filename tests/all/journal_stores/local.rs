//! The store in a folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use switchover::apply::journal::local::LocalStore;
use switchover::apply::journal::{Acquire, Clocks, Lease, MachineClocks, Patience, Store, locks};
use switchover::model::Exit;
use switchover::model::time::Timestamp;

use super::arena::{Arena, Damage, LONG, LeaseClock, Tail, acquire, entries, entry, tear};
use super::cases::failures;

struct Local {
    folder: tempfile::TempDir,
}

async fn arena() -> Option<Local> {
    Some(Local { folder: tempfile::tempdir().unwrap() })
}

conformance!(arena);

/// A machine whose time of day is off.
struct Skewed(i64);

impl Clocks for Skewed {
    fn wall(&self) -> Timestamp {
        Timestamp::from_second(MachineClocks.wall().as_second() + self.0).unwrap()
    }

    fn since_boot(&self) -> Option<Duration> {
        MachineClocks.since_boot()
    }
}

impl Local {
    fn root(&self) -> PathBuf {
        self.folder.path().join(".switchover")
    }

    fn journal(&self, environment: &str, run: &str) -> PathBuf {
        self.root().join(locks::file_name(environment)).join("runs").join(format!("{}.journal", locks::file_name(run)))
    }

    fn change(&self, environment: &str, run: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let path = self.journal(environment, run);
        let bytes = fs::read(&path).unwrap();
        let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        change(&mut lines);
        fs::write(&path, lines.concat()).unwrap();
    }
}

#[async_trait]
impl Arena for Local {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(LocalStore::new(self.root()))
    }

    fn skewed(&self, seconds: i64) -> Arc<dyn Store> {
        Arc::new(LocalStore::with_clocks(self.root(), Arc::new(Skewed(seconds))))
    }

    fn lease_clock(&self) -> LeaseClock {
        LeaseClock::SameBoot
    }

    async fn damage(&self, environment: &str, run: &str, damage: Damage) -> bool {
        self.change(environment, run, |lines| damage.done_to(lines));
        true
    }

    async fn tear(&self, environment: &str, run: &str) -> Option<Tail> {
        self.change(environment, run, |lines| tear(lines));
        Some(Tail::LeftOut)
    }

    fn place_of(&self, run: &str) -> String {
        format!("{run}.journal")
    }

    async fn is_untouched(&self) -> bool {
        !self.root().exists()
    }

    async fn forbid_writing(&self, forbid: bool) {
        let mode = if forbid { 0o500 } else { 0o700 };
        let folders = [self.root(), self.root().join("staging"), self.root().join("staging/runs"), self.root().join("locks")];
        for folder in folders.iter().filter(|folder| folder.exists()) {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
        for file in [self.root().join(".turn"), self.journal("staging", "r1"), self.root().join("staging/lock.json")] {
            fs::set_permissions(file, fs::Permissions::from_mode(if forbid { 0o400 } else { 0o600 })).unwrap();
        }
    }

    async fn fill(&self, _full: bool) {
        // The limit on the size of files, under which the case runs, is there all the time.
    }
}

/// Set in the process that [`confined`] starts.
const CONFINED: &str = "SWITCHOVER_TEST_CONFINED";

/// Runs one test of this binary again, in a process without the rights of an administrator and with a limit on the size of files, as if the
/// disk were full. Gives whether this is that process.
fn confined(test: &str) -> bool {
    if std::env::var_os(CONFINED).is_some() {
        return true;
    }
    let mut command = Command::new("sh");
    let script =
        "trap '' XFSZ; ulimit -f 2048; if [ \"$(id -u)\" = 0 ]; then exec setpriv --bounding-set=-all --inh-caps=-all \"$@\"; else exec \"$@\"; fi";
    command.args(["-c", script]).arg0("sh").arg("sh").arg(std::env::current_exe().unwrap());
    let output = command.args(["--exact", test, "--nocapture"]).env(CONFINED, "1").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

#[tokio::test]
async fn what_may_only_be_read_is_read_and_says_so_when_written() {
    if confined("journal_stores::local::what_may_only_be_read_is_read_and_says_so_when_written") {
        failures::what_may_only_be_read_is_read_and_says_so_when_written(&arena().await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_full_store_refuses_and_keeps_what_it_has() {
    if confined("journal_stores::local::a_full_store_refuses_and_keeps_what_it_has") {
        failures::a_full_store_refuses_and_keeps_what_it_has(&arena().await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_last_line_is_left_out_wherever_it_ends() {
    let arena = arena().await.unwrap();
    let store = arena.open();
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &entries(0..3)).await.unwrap();
    let path = arena.journal("staging", "r1");
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in last..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(arena.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..2), "cut at {cut}");
        arena.open().append(&lease, "r1", &[entry(2)]).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole, "cut at {cut}");
    }
}

#[tokio::test]
async fn files_are_for_their_owner_alone() {
    let arena = arena().await.unwrap();
    let store = arena.open();
    let lease = store.acquire(&acquire("staging", "r1", &["dns:x"], LONG)).await.unwrap();
    store.append(&lease, "r1", &[entry(0)]).await.unwrap();
    let mode = |path: &str| fs::metadata(arena.root().join(path)).unwrap().permissions().mode() & 0o777;
    for folder in ["", "staging", "staging/runs", "locks"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    for file in [".turn", "staging/runs/r1.journal", "staging/lock.json", "locks/dns%3Ax.json"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_lock_of_an_earlier_version_is_still_read() {
    let arena = arena().await.unwrap();
    arena.open().acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    let path: &Path = &arena.root().join("staging/lock.json");
    let mut lock: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(lock.as_object_mut().unwrap().remove("expires_since_boot_ms").is_some());
    fs::write(path, lock.to_string()).unwrap();
    let read = arena.open().lock("env:staging", "staging").await.unwrap().unwrap();
    assert!(read.run == "r1" && !read.expired);
    assert!(arena.skewed(3_600).lock("env:staging", "staging").await.unwrap().unwrap().expired, "by the time of day, for want of better");
}

/// Somebody has the turn and does not let go of it, as a process does that is stopped in that moment.
#[tokio::test]
async fn a_turn_that_is_not_given_back_is_waited_for_with_a_word_and_not_for_ever() {
    let local = arena().await.unwrap();
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let listener = Arc::new(move |text: &str| heard.lock().unwrap().push(text.to_owned()));
    let patience = Patience { before: Duration::from_secs(2), holding: Duration::from_mins(1), listener, ..Patience::default() };
    let store = Arc::new(LocalStore::new(local.root()).patient(patience));
    let lease = store.acquire(&acquire("one", "r1", &[], LONG)).await.unwrap();
    let turn = fs::File::options().write(true).open(local.root().join(".turn")).unwrap();
    turn.lock().unwrap();

    let refused = store.acquire(&acquire("two", "r2", &[], LONG)).await.unwrap_err();
    let holder = format!("process {}", std::process::id());
    assert!(refused.chain().contains("cannot be reached") && refused.chain().contains(&holder), "{refused:?}");
    assert!(refused.help().contains("kill -CONT") && refused.help().contains("resume"), "{refused:?}");
    assert!(said.lock().unwrap()[0].contains(&holder), "{said:?}");

    // A run under way waits longer, and goes on as soon as it can.
    let (writer, lines) = (Arc::clone(&store), entries(0..1));
    let append = tokio::spawn(async move { writer.append(&lease, "r1", &lines).await });
    while said.lock().unwrap().iter().filter(|text| text.contains(&holder)).count() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    turn.unlock().unwrap();
    append.await.unwrap().unwrap();
    assert!(said.lock().unwrap().last().unwrap().contains("reached again"), "{said:?}");
    assert!(store.read("one", "r1").await.unwrap().is_some());
}

#[tokio::test]
async fn all_locks_of_a_run_last_as_long_as_that_of_its_environment() {
    let arena = arena().await.unwrap();
    let names = ["dns:x", "rds:1/eu/db", "rds:1/eu/other"];
    let lease = arena.open().acquire(&acquire("staging", "r1", &names, Duration::ZERO)).await.unwrap();
    let inode = |name: &str| fs::metadata(arena.root().join("locks").join(format!("{}.json", locks::file_name(name)))).unwrap().ino();
    let before = names.map(inode);
    assert!(arena.open().lock(names[1], "any").await.unwrap().unwrap().expired);
    arena.open().renew(&Lease { length: LONG, ..lease.clone() }).await.unwrap();
    assert_eq!(names.map(inode), before, "a renewal writes the lock of the environment alone");
    let own = arena.open().lock("env:staging", "staging").await.unwrap().unwrap();
    for name in names {
        let held = arena.open().lock(name, "any").await.unwrap().unwrap();
        assert_eq!((held.name.as_str(), held.expired, held.expires, held.heartbeat), (name, false, own.expires, own.heartbeat));
    }
    // Whoever takes the environment's lock does not make the others last.
    assert!(arena.open().remove_lock(&own, "staging").await.unwrap());
    arena.open().acquire(&acquire("staging", "r2", &[], LONG)).await.unwrap();
    assert!(arena.open().lock(names[0], "any").await.unwrap().unwrap().expired);
    let taken = arena.open().acquire(&Acquire { takeover: true, ..acquire("other", "r3", &names[..2], LONG) }).await.unwrap();
    assert_eq!(arena.open().lock(names[1], "any").await.unwrap().unwrap().fence, taken.fence);
    assert_eq!(arena.open().lock(names[2], "any").await.unwrap().unwrap().fence, lease.fence, "and who was not named keeps what was its own");
}

#[tokio::test]
async fn a_lock_that_people_remove_or_change_by_hand_is_noticed_at_the_next_append() {
    for file in ["staging/lock.json", "locks/dns%3Ax.json"] {
        let arena = arena().await.unwrap();
        let store = arena.open();
        let lease = store.acquire(&acquire("staging", "r1", &["dns:x", "dns:y"], LONG)).await.unwrap();
        for next in 0..3 {
            store.append(&lease, "r1", &[entry(next)]).await.unwrap();
            // Only what is older than the steps in which a file system dates changes is remembered as seen.
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        fs::remove_file(arena.root().join(file)).unwrap();
        assert_eq!(store.append(&lease, "r1", &[entry(3)]).await.unwrap_err().exit(), Exit::Person, "{file}");
    }
}
