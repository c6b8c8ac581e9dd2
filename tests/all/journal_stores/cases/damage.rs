//! What somebody else did to the records, or a disk.

use crate::journal_stores::arena::{Arena, Damage, LONG, Tail, acquire, entries, entry};

const RECORDS: u64 = 6;

/// A run of six records in an environment of its own.
async fn stored(arena: &dyn Arena, environment: &str) -> switchover::apply::journal::Lease {
    let store = arena.open();
    let lease = store.acquire(&acquire(environment, "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &entries(0..2)).await.unwrap();
    for number in 2..RECORDS {
        store.append(&lease, "r1", &[entry(number)]).await.unwrap();
    }
    lease
}

/// Does all of these, each to a run of its own, and insists that none is read.
async fn refused(arena: &dyn Arena, all: &[Damage]) {
    for (at, damage) in all.iter().enumerate() {
        let environment = format!("e{at}");
        stored(arena, &environment).await;
        if !arena.damage(&environment, "r1", *damage).await {
            return;
        }
        let store = arena.open();
        let Err(error) = store.read(&environment, "r1").await else { panic!("{damage:?} was not noticed") };
        assert!(error.chain().contains(&arena.place_of("r1")), "{damage:?}: {error:?} does not say where");
        assert!(error.chain().contains("damaged") && error.help().contains("plan again"), "{damage:?}: {error:?}");
    }
}

pub async fn a_changed_record_is_refused_and_named(arena: &dyn Arena) {
    let places = [0, 1, 40, 77, 200, 333, 500, 650, 800, 900, 999];
    let flips = (0..RECORDS).flat_map(|record| places.iter().map(move |at| Damage::Flip { record, at: *at }));
    // The last byte of all can make the last record look as if it were being written; that is another case.
    let flips: Vec<Damage> = flips.filter(|flip| !matches!(flip, Damage::Flip { record, at: 999 } if *record == RECORDS - 1)).collect();
    refused(arena, &flips).await;
}

pub async fn a_record_that_is_gone_moved_or_doubled_is_refused(arena: &dyn Arena) {
    let last = RECORDS - 1;
    let mut all: Vec<Damage> = (0..last).map(Damage::Remove).collect();
    all.extend((0..last).map(|record| Damage::Swap(record, record + 1)));
    all.extend([Damage::Swap(0, last), Damage::Swap(1, 4)]);
    all.extend((0..last).map(|record| Damage::Double { record, over: record + 1 }));
    all.extend((0..last).map(|record| Damage::Double { record: record + 1, over: record }));
    all.extend((0..last).map(Damage::Shorten));
    refused(arena, &all).await;
}

pub async fn nothing_is_written_behind_damage(arena: &dyn Arena) {
    let lease = stored(arena, "staging").await;
    if !arena.damage("staging", "r1", Damage::Flip { record: 2, at: 500 }).await {
        return;
    }
    let store = arena.open();
    let before = store.read("staging", "r1").await.unwrap_err().chain();
    assert!(store.append(&lease, "r1", &[entry(RECORDS)]).await.is_err());
    assert_eq!(store.read("staging", "r1").await.unwrap_err().chain(), before);
    // Other runs are not touched by it.
    store.append(&lease, "r2", &[entry(0)]).await.unwrap();
    assert_eq!(store.runs("staging").await.unwrap(), ["r1", "r2"]);
    assert_eq!(store.read("staging", "r2").await.unwrap().unwrap().entries, entries(0..1));
}

pub async fn a_last_record_that_is_not_whole_is_left_out_or_refused(arena: &dyn Arena) {
    let lease = stored(arena, "staging").await;
    let Some(tail) = arena.tear("staging", "r1").await else { return };
    let store = arena.open();
    if tail == Tail::Refused {
        let error = store.read("staging", "r1").await.unwrap_err();
        assert!(error.chain().contains(&arena.place_of("r1")), "{error:?}");
        assert!(store.append(&lease, "r1", &[entry(RECORDS)]).await.is_err());
        return;
    }
    assert_eq!(store.read("staging", "r1").await.unwrap().unwrap().entries, entries(0..RECORDS - 1));
    assert!(store.append(&lease, "r1", &[entry(RECORDS)]).await.is_err(), "a gap would be left");
    store.append(&lease, "r1", &entries(RECORDS - 1..RECORDS + 2)).await.unwrap();
    assert_eq!(arena.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..RECORDS + 2));
}
