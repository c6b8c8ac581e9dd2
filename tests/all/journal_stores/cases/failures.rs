//! Connections that are lost, stores that cannot be written.

use switchover::apply::journal::{Entry, Record};

use crate::journal_stores::arena::{Arena, LONG, acquire, entries, entry};
use crate::services::cutter::Cut;

/// More than any store needs for one append: later cuts fall into the appends that follow.
const EXCHANGES: usize = 8;
/// The same for taking a lock, making what has to be made first, and giving it back.
const EXCHANGES_OF_A_LOCK: usize = 24;

pub async fn a_connection_that_is_lost_around_an_append_loses_and_doubles_nothing(arena: &dyn Arena) {
    for cut in [Cut::BeforeRequest, Cut::BeforeReply] {
        for exchange in 0..EXCHANGES {
            let Some((store, cutter)) = arena.through_cutter() else { return };
            let environment = format!("{cut:?}-{exchange}");
            let lease = arena.open().acquire(&acquire(&environment, "r1", &[], LONG)).await.unwrap();
            store.append(&lease, "r1", &entries(0..1)).await.unwrap();
            cutter.cut(cut, exchange);
            for number in 1..5 {
                store.append(&lease, "r1", &[entry(number)]).await.unwrap_or_else(|error| panic!("{environment}: {error:?}"));
            }
            let read = arena.open().read(&environment, "r1").await.unwrap().unwrap();
            assert_eq!(read.entries, entries(0..5), "{environment}");
            assert!(cutter.cuts() > 0 || exchange > 3, "{environment}: nothing was cut");
        }
    }
}

pub async fn a_connection_that_is_lost_around_a_lock_leaves_it_held_or_free(arena: &dyn Arena) {
    for cut in [Cut::BeforeRequest, Cut::BeforeReply] {
        for exchange in 0..EXCHANGES_OF_A_LOCK {
            let Some((store, cutter)) = arena.through_cutter() else { return };
            let environment = format!("{cut:?}-{exchange}");
            let wanted = acquire(&environment, "r1", &["rds:1/eu/db"], LONG);
            store.lock("env:x", "x").await.unwrap();
            cutter.cut(cut, exchange);
            let lease = store.acquire(&wanted).await.unwrap_or_else(|error| panic!("{environment}: {error:?}"));
            store.renew(&lease).await.unwrap_or_else(|error| panic!("{environment}: {error:?}"));
            arena.open().append(&lease, "r1", &[entry(0)]).await.expect("it is held under the fence that we were told");
            store.release(&lease).await.unwrap_or_else(|error| panic!("{environment}: {error:?}"));
            for name in &wanted.names {
                assert!(arena.open().lock(name, &environment).await.unwrap().is_none(), "{environment}: {name}");
            }
        }
    }
}

pub async fn what_may_only_be_read_is_read_and_says_so_when_written(arena: &dyn Arena) {
    let store = arena.open();
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &entries(0..2)).await.unwrap();
    let held = store.lock("env:staging", "staging").await.unwrap().unwrap();
    arena.forbid_writing(true).await;
    for store in [&store, &arena.open()] {
        for refused in [
            store.append(&lease, "r1", &[entry(2)]).await.unwrap_err(),
            store.acquire(&acquire("other", "r1", &[], LONG)).await.unwrap_err(),
            store.renew(&lease).await.unwrap_err(),
            store.release(&lease).await.unwrap_err(),
            store.remove_lock(&held, "staging").await.unwrap_err(),
        ] {
            assert!(!refused.help().is_empty() && refused.chain().contains(&store.place()), "{refused:?}");
        }
        assert_eq!(store.read("staging", "r1").await.unwrap().unwrap().entries, entries(0..2));
        assert_eq!(store.runs("staging").await.unwrap(), ["r1"]);
        assert_eq!(store.lock("env:staging", "staging").await.unwrap().unwrap().fence, lease.fence);
        assert!(store.lock("env:other", "other").await.unwrap().is_none());
    }
    arena.forbid_writing(false).await;
    store.append(&lease, "r1", &[entry(2)]).await.unwrap();
    store.release(&lease).await.unwrap();
}

/// Does not fit where there is no room.
const BIG: usize = 3 << 20;

pub async fn a_full_store_refuses_and_keeps_what_it_has(arena: &dyn Arena) {
    let store = arena.open();
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &entries(0..2)).await.unwrap();
    let big = |seq| Entry { record: Record::Noted { step: "a".to_owned(), name: "n".to_owned(), value: "v".repeat(BIG) }, ..entry(seq) };
    arena.fill(true).await;
    for store in [&store, &arena.open()] {
        let refused = store.append(&lease, "r1", &[entry(2), big(3), entry(4)]).await.unwrap_err();
        assert!(refused.chain().contains(&store.place()) && refused.help().contains("full"), "{refused:?}");
        // What was half written is as good as nothing.
        let read = store.read("staging", "r1").await.unwrap().unwrap().entries;
        assert!(read == entries(0..2) || read == entries(0..3), "{} records", read.len());
    }
    arena.fill(false).await;
    // Whoever goes on reads first, as a resume does.
    let next = arena.open().read("staging", "r1").await.unwrap().unwrap().entries.len() as u64;
    store.append(&lease, "r1", &[entry(next)]).await.unwrap();
    assert_eq!(arena.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..next + 1));
}
