//! The conformance suite of journal stores: what every one of them promises, run against each.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use switchover::apply::journal::local::LocalStore;
use switchover::apply::journal::{Acquire, Entry, Holder, Record, Store};
use switchover::model::Exit;
use switchover::model::time::Timestamp;

use crate::support::MemoryStore;

/// A kind of store: makes new handles on the same data.
type Open = Box<dyn Fn() -> Arc<dyn Store>>;

fn stores() -> (tempfile::TempDir, Vec<(&'static str, Open)>) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join(".switchover");
    let memory = MemoryStore::new();
    let stores: Vec<(&'static str, Open)> = vec![
        ("local", Box::new(move || Arc::new(LocalStore::new(root.clone())))),
        ("memory", Box::new(move || Arc::clone(&memory) as Arc<dyn Store>)),
    ];
    (folder, stores)
}

fn entry(seq: u64) -> Entry {
    Entry { seq, time: Timestamp::from_second(1_000 + i64::try_from(seq).unwrap()).unwrap(), record: Record::Undone { step: format!("a/{seq}") } }
}

fn acquire(environment: &str, run: &str, names: &[&str], length: Duration) -> Acquire {
    // Another machine's process: nobody here can know whether it lives.
    let holder = Holder { host: "elsewhere".to_owned(), ..Holder::this_process("somebody") };
    let mut all = vec![format!("env:{environment}")];
    all.extend(names.iter().map(|name| (*name).to_owned()));
    Acquire { environment: environment.to_owned(), names: all, holder, run: run.to_owned(), length, takeover: false }
}

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_was_appended_is_read_back_by_anybody() {
    let (_folder, stores) = stores();
    for (name, open) in stores {
        let store = open();
        assert!(store.read("staging", "r1").await.unwrap().is_none(), "{name}");
        let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
        store.append(&lease, "r1", &[entry(0), entry(1)]).await.unwrap();
        store.append(&lease, "r1", &[]).await.unwrap();
        store.append(&lease, "r1", &[entry(2)]).await.unwrap();
        store.append(&lease, "r0", &[entry(0)]).await.unwrap();
        let other = open();
        assert_eq!(other.read("staging", "r1").await.unwrap().unwrap().entries, vec![entry(0), entry(1), entry(2)], "{name}");
        assert_eq!(other.runs("staging").await.unwrap(), ["r0", "r1"], "{name}");
        assert!(other.runs("production").await.unwrap().is_empty(), "{name}");
        other.append(&lease, "r1", &[entry(3)]).await.unwrap();
        assert_eq!(store.read("staging", "r1").await.unwrap().unwrap().entries.len(), 4, "{name}");
    }
}

#[tokio::test]
async fn a_lock_has_one_holder_and_says_whose_it_is() {
    let (_folder, stores) = stores();
    for (name, open) in stores {
        let lease = open().acquire(&acquire("staging", "r1", &["rds:1/eu/db"], LONG)).await.unwrap();
        let refused = open().acquire(&acquire("staging", "r2", &[], LONG)).await.unwrap_err();
        assert_eq!(refused.exit(), Exit::Locked, "{name}");
        assert!(
            refused.chain().contains("somebody") && refused.chain().contains("r1") && refused.chain().contains("elsewhere"),
            "{name}: {refused:?}"
        );
        // A resource is locked across environments, and a refusal takes nothing.
        let refused = open().acquire(&acquire("other", "r3", &["rds:1/eu/db"], LONG)).await.unwrap_err();
        assert!(refused.chain().contains("rds:1/eu/db"), "{name}");
        assert!(open().lock("env:other", "other").await.unwrap().is_none(), "{name}");
        open().release(&lease).await.unwrap();
        assert!(open().lock("env:staging", "staging").await.unwrap().is_none(), "{name}");
        open().acquire(&acquire("other", "r3", &["rds:1/eu/db"], LONG)).await.unwrap();
    }
}

#[tokio::test]
async fn an_expired_lease_is_taken_over_by_explicit_word_and_the_old_holder_is_fenced() {
    let (_folder, stores) = stores();
    for (name, open) in stores {
        let old = open().acquire(&acquire("staging", "r1", &[], Duration::ZERO)).await.unwrap();
        let store = open();
        store.append(&old, "r1", &[entry(0)]).await.unwrap();
        let refused = open().acquire(&acquire("staging", "r2", &[], LONG)).await.unwrap_err();
        assert!(refused.help().contains("--takeover"), "{name}: {refused:?}");
        let old = open().acquire(&acquire("staging", "r1", &[], Duration::ZERO)).await.expect("whoever goes on with a run names it");
        let new = open().acquire(&Acquire { takeover: true, ..acquire("staging", "r2", &[], LONG) }).await.unwrap();
        assert!(store.append(&old, "r1", &[entry(1)]).await.is_err(), "{name}: a fenced holder wrote");
        assert!(store.renew(&old).await.is_err(), "{name}");
        // Giving back what is no longer ours takes it from nobody.
        store.release(&old).await.unwrap();
        open().append(&new, "r1", &[entry(1)]).await.unwrap();
        assert_eq!(open().read("staging", "r1").await.unwrap().unwrap().entries.len(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_renewed_lease_does_not_expire_and_a_removed_one_fences() {
    let (_folder, stores) = stores();
    for (name, open) in stores {
        let store = open();
        let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
        let before = store.lock("env:staging", "staging").await.unwrap().unwrap();
        store.renew(&lease).await.unwrap();
        let after = store.lock("env:staging", "staging").await.unwrap().unwrap();
        assert!(after.expires >= before.expires && after.fence == before.fence && after.since == before.since, "{name}");
        store.remove_lock("env:staging", "staging").await.unwrap();
        assert!(store.append(&lease, "r1", &[entry(0)]).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_lock_whose_process_is_known_to_be_gone_is_free() {
    let (_folder, stores) = stores();
    for (name, open) in stores {
        let mut gone = acquire("staging", "r1", &[], LONG);
        gone.holder = Holder { process_start: 1, ..Holder::this_process("the dead") };
        open().acquire(&gone).await.unwrap();
        assert!(open().acquire(&acquire("staging", "r2", &[], LONG)).await.is_ok(), "{name}");
    }
}

fn journal_of(folder: &Path) -> PathBuf {
    folder.join(".switchover/staging/runs/r1.journal")
}

async fn three_entries(folder: &Path) -> switchover::apply::journal::Lease {
    let store = LocalStore::new(folder.join(".switchover"));
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &[entry(0), entry(1), entry(2)]).await.unwrap();
    lease
}

#[tokio::test]
async fn a_torn_tail_is_left_out_and_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let lease = three_entries(folder.path()).await;
    let path = journal_of(folder.path());
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
    let store = LocalStore::new(folder.path().join(".switchover"));
    assert_eq!(store.read("staging", "r1").await.unwrap().unwrap().entries.len(), 2);
    store.append(&lease, "r1", &[entry(2), entry(3)]).await.unwrap();
    assert_eq!(store.read("staging", "r1").await.unwrap().unwrap().entries, vec![entry(0), entry(1), entry(2), entry(3)]);
}

#[tokio::test]
async fn damage_in_the_middle_is_refused_and_nothing_is_written_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let lease = three_entries(folder.path()).await;
    let path = journal_of(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let store = LocalStore::new(folder.path().join(".switchover"));
    let error = store.read("staging", "r1").await.unwrap_err();
    assert!(error.chain().contains("line 1") && error.chain().contains("r1.journal"), "{error:?}");
    assert!(store.append(&lease, "r1", &[entry(3)]).await.is_err());
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    three_entries(folder.path()).await;
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(".switchover"), 0o700);
    assert_eq!(mode(".switchover/staging"), 0o700);
    assert_eq!(mode(".switchover/staging/runs/r1.journal"), 0o600);
    assert_eq!(mode(".switchover/staging/lock.json"), 0o600);
}

#[tokio::test]
async fn a_gap_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let lease = three_entries(folder.path()).await;
    let store = LocalStore::new(folder.path().join(".switchover"));
    assert!(store.append(&lease, "r1", &[entry(5)]).await.is_err());
}
