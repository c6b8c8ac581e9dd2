//! What was appended, and what is read.

use switchover::apply::journal::{Entry, MachineClocks, Record, locks};

use crate::journal_stores::arena::{Arena, LONG, acquire, entries, entry};

pub async fn what_was_appended_is_read_back_by_anybody(arena: &dyn Arena) {
    let store = arena.open();
    assert!(store.read("staging", "r1").await.unwrap().is_none());
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &[entry(0), entry(1)]).await.unwrap();
    store.append(&lease, "r1", &[]).await.unwrap();
    store.append(&lease, "r1", &[entry(2)]).await.unwrap();
    store.append(&lease, "r0", &[entry(0)]).await.unwrap();
    let other = arena.open();
    let read = other.read("staging", "r1").await.unwrap().unwrap();
    assert_eq!((read.run.as_str(), read.entries), ("r1", entries(0..3)));
    assert_eq!(other.runs("staging").await.unwrap(), ["r0", "r1"], "by their ids, which begin with the moment of their plan");
    assert!(other.runs("production").await.unwrap().is_empty());
    assert!(other.read("production", "r1").await.unwrap().is_none());
    // Who holds the lease may go on through another handle, and then through the first again.
    other.append(&lease, "r1", &[entry(3)]).await.unwrap();
    store.append(&lease, "r1", &[entry(4)]).await.unwrap();
    assert_eq!(arena.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..5));
}

pub async fn a_gap_or_a_record_out_of_order_is_refused(arena: &dyn Arena) {
    let store = arena.open();
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    assert!(store.append(&lease, "r1", &[entry(1)]).await.is_err(), "nothing is there to follow");
    store.append(&lease, "r1", &entries(0..3)).await.unwrap();
    for (what, wrong) in [
        ("a gap", entries(4..5)),
        ("a number that is taken", entries(2..3)),
        ("the beginning again", entries(0..1)),
        ("far ahead", entries(500..502)),
    ] {
        assert!(store.append(&lease, "r1", &wrong).await.is_err(), "{what}");
        assert!(arena.open().append(&lease, "r1", &wrong).await.is_err(), "{what}, by another handle");
    }
    assert_eq!(store.read("staging", "r1").await.unwrap().unwrap().entries, entries(0..3));
    store.append(&lease, "r1", &[entry(3)]).await.expect("a refusal spoils nothing");
    assert_eq!(arena.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..4));
}

/// A plan of a zone with 100,000 records has some 100 MB.
const LARGE: usize = 24 << 20;

pub async fn a_large_entry_comes_back_whole(arena: &dyn Arena) {
    let store = arena.open();
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    // Not one byte over and over again: what is compressed on the way must not look small.
    let text: String = (0..LARGE / 8).map(|number| format!("{:08x}", number.wrapping_mul(2_654_435_761))).collect();
    let large = Entry { record: Record::Noted { step: "a".to_owned(), name: "n".to_owned(), value: text }, ..entry(0) };
    store.append(&lease, "r1", std::slice::from_ref(&large)).await.unwrap();
    store.append(&lease, "r1", &[entry(1)]).await.unwrap();
    let read = arena.open().read("staging", "r1").await.unwrap().unwrap().entries;
    assert!(read == [large, entry(1)], "what came back is not what was written");
}

pub async fn odd_names_are_kept_apart(arena: &dyn Arena) {
    let store = arena.open();
    let names = ["a", "a/b", "a%2Fb", "a%b", "..", "A", "ä", "a\u{308}", "名前", "a b", "a'b\"", "a\\b", "x/runs/a"];
    for (at, environment) in names.iter().enumerate() {
        let resource = format!("dns:{environment}");
        let lease = store.acquire(&acquire(environment, environment, &[&resource], LONG)).await.unwrap();
        store.append(&lease, environment, &entries(0..at as u64 + 1)).await.unwrap();
    }
    let other = arena.open();
    for (at, environment) in names.iter().enumerate() {
        assert_eq!(other.runs(environment).await.unwrap(), [*environment], "{environment}");
        assert_eq!(other.read(environment, environment).await.unwrap().unwrap().entries.len(), at + 1, "{environment}");
        for name in [format!("env:{environment}"), format!("dns:{environment}")] {
            assert_eq!(other.lock(&name, environment).await.unwrap().unwrap().name, name);
        }
    }
}

pub async fn asking_makes_nothing(arena: &dyn Arena) {
    let store = arena.open();
    assert!(store.runs("staging").await.unwrap().is_empty());
    assert!(store.read("staging", "r1").await.unwrap().is_none());
    assert!(store.lock("env:staging", "staging").await.unwrap().is_none());
    let never = locks::fresh("env:staging", &acquire("staging", "r1", &[], LONG), "1", &MachineClocks);
    assert!(!store.remove_lock(&never, "staging").await.unwrap());
    assert!(arena.is_untouched().await, "a question made something in {}", store.place());
}
