//! What the fence rests on: seals, numbers, and a server whose clock is its own.

use std::time::Duration;

use switchover::apply::journal::{Acquire, Lease, Patience, Store};
use switchover::model::Exit;

use super::arena::{Bucket, impatient, twin};
use crate::journal_stores::arena::{Arena, LONG, acquire, entries, entry};

const LOCK: &str = "locks/env_3Astaging/";

fn log_of(lease: &Lease) -> String {
    format!("team/journal/environments/staging/leases/{}/", lease.fence)
}

async fn bucket() -> Bucket {
    twin().await.expect("the twin is always there")
}

/// An append that is under way while another run takes over: it is on its way to the server, whatever the holder thinks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_arrives_after_the_takeover_is_refused() {
    let bucket = bucket().await;
    let holder = bucket.open();
    let lease = holder.acquire(&acquire("staging", "r1", &[], Duration::ZERO)).await.unwrap();
    holder.append(&lease, "r1", &entries(0..2)).await.unwrap();
    bucket.twin().hold(&log_of(&lease));
    let late = tokio::spawn({
        let (holder, lease) = (std::sync::Arc::clone(&holder), lease.clone());
        async move { holder.append(&lease, "r1", &[entry(2)]).await }
    });
    tokio::task::block_in_place(|| bucket.twin().wait_for_held());
    bucket.twin().hold_no_more();
    let taker = bucket.open();
    let next = taker.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    let before = taker.read("staging", "r1").await.unwrap().unwrap().entries;
    bucket.twin().let_go();
    let refused = late.await.unwrap().unwrap_err();
    assert!(refused.exit() == Exit::Person && refused.chain().contains("taken over"), "{refused:?}");
    assert_eq!(before, entries(0..2));
    taker.append(&next, "r1", &[entry(2)]).await.unwrap();
    assert_eq!(bucket.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..3));
}

/// The other way round: it arrives just before the seal. Then it is part of the history that the taker reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_arrives_before_the_seal_is_read_by_the_taker() {
    let bucket = bucket().await;
    let holder = bucket.open();
    let lease = holder.acquire(&acquire("staging", "r1", &[], Duration::ZERO)).await.unwrap();
    holder.append(&lease, "r1", &entries(0..2)).await.unwrap();
    bucket.twin().hold(&format!("{}0000000001", log_of(&lease)));
    let taking = tokio::spawn({
        let taker = bucket.open();
        async move { taker.acquire(&acquire("staging", "r1", &[], LONG)).await }
    });
    tokio::task::block_in_place(|| bucket.twin().wait_for_held());
    bucket.twin().hold_no_more();
    // Written by the holder while the seal for the same number is on its way.
    holder.append(&lease, "r1", &[entry(2)]).await.unwrap();
    bucket.twin().let_go();
    let next = taking.await.unwrap().unwrap();
    assert!(holder.append(&lease, "r1", &[entry(3)]).await.is_err());
    let taker = bucket.open();
    assert_eq!(taker.read("staging", "r1").await.unwrap().unwrap().entries, entries(0..3));
    taker.append(&next, "r1", &[entry(3)]).await.unwrap();
}

/// A renewal that was so slow that its number was used by others and removed since: the number is free again, and it counts for nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_that_was_removed_cannot_be_written_again_to_effect() {
    let bucket = bucket().await;
    let slow = bucket.open();
    let lease = slow.acquire(&acquire("staging", "r1", &[], Duration::ZERO)).await.unwrap();
    bucket.twin().hold(&format!("{LOCK}0000000001"));
    let renewal = tokio::spawn({
        let (slow, lease) = (std::sync::Arc::clone(&slow), lease.clone());
        async move { slow.renew(&lease).await }
    });
    tokio::task::block_in_place(|| bucket.twin().wait_for_held());
    bucket.twin().hold_no_more();
    let other = bucket.open();
    let next = other.acquire(&Acquire { takeover: true, ..acquire("staging", "r2", &[], LONG) }).await.unwrap();
    for _ in 0..40 {
        other.renew(&next).await.unwrap();
    }
    let generations = |bucket: &Bucket| bucket.twin().keys().iter().filter(|key| key.contains(LOCK)).count();
    assert!(generations(&bucket) <= 16, "old generations gather: {}", generations(&bucket));
    assert!(!bucket.twin().keys().iter().any(|key| key.ends_with(&format!("{LOCK}0000000001"))), "this test tests nothing");
    bucket.twin().let_go();
    assert!(renewal.await.unwrap().is_err(), "a renewal that came too late was believed");
    assert!(bucket.twin().keys().iter().any(|key| key.ends_with(&format!("{LOCK}0000000001"))), "it was written");
    assert_eq!(bucket.open().lock("env:staging", "staging").await.unwrap().unwrap().fence, next.fence);
    other.renew(&next).await.unwrap();
    other.append(&next, "r2", &[entry(0)]).await.unwrap();
    assert!(slow.append(&lease, "r1", &[entry(0)]).await.is_err());
}

/// A renewal between the taker's look and its seal: the holder is sure of its lease again, so the taker waits until that is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_renewed_in_the_moment_of_its_takeover_is_waited_for() {
    let bucket = bucket().await;
    let holder = bucket.open();
    let lease = holder.acquire(&acquire("staging", "r1", &[], Duration::from_mins(1))).await.unwrap();
    holder.append(&lease, "r1", &entries(0..1)).await.unwrap();
    bucket.twin().clock(100);
    bucket.twin().hold(&log_of(&lease));
    let (taker, heard) = bucket.with(bucket.port, Patience::default());
    let taking = tokio::spawn(async move { taker.acquire(&acquire("staging", "r1", &[], LONG)).await });
    tokio::task::block_in_place(|| bucket.twin().wait_for_held());
    bucket.twin().hold_no_more();
    holder.renew(&lease).await.unwrap();
    bucket.twin().let_go();
    let told = || heard.lock().unwrap().iter().any(|text| text.contains("env:staging was renewed while it was being taken over"));
    while !told() {
        assert!(!taking.is_finished(), "it has taken a lease of which its holder is sure");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(holder.renew(&lease).await.is_err() && holder.append(&lease, "r1", &[entry(1)]).await.is_err(), "it was ended, though");
    assert!(!taking.is_finished());
    bucket.twin().clock(200);
    let next = taking.await.unwrap().unwrap();
    bucket.open().append(&next, "r1", &[entry(1)]).await.unwrap();
}

/// A taker that died between the seal and the lock: the holder learns of it when it renews, and the lock is free when its lease is over.
#[tokio::test]
async fn a_takeover_that_died_half_way_ends_the_lease_and_no_more() {
    let bucket = bucket().await;
    let holder = bucket.open();
    let lease = holder.acquire(&acquire("staging", "r1", &[], Duration::ZERO)).await.unwrap();
    holder.append(&lease, "r1", &entries(0..1)).await.unwrap();
    bucket.twin().fault("PUT", &format!("{LOCK}0000000001"), crate::services::s3_twin::Fault::Refused(403, "AccessDenied"), 1);
    assert!(bucket.open().acquire(&acquire("staging", "r1", &[], LONG)).await.is_err());
    for refused in [holder.renew(&lease).await.unwrap_err(), holder.append(&lease, "r1", &[entry(1)]).await.unwrap_err()] {
        assert_eq!(refused.exit(), Exit::Person, "{refused:?}");
    }
    let next = bucket.open().acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    bucket.open().append(&next, "r1", &[entry(1)]).await.unwrap();
}

/// Only the server's clock ends a lease, and the machine's, which is an hour off in either direction, does not.
#[tokio::test]
async fn a_server_whose_clock_is_off_by_an_hour_ends_leases_by_it() {
    for seconds in [3_600, -3_600] {
        let bucket = bucket().await;
        bucket.twin().clock(seconds);
        let lease = bucket.open().acquire(&acquire("staging", "r1", &[], Duration::from_mins(1))).await.unwrap();
        let again = Acquire { takeover: true, ..acquire("staging", "r1", &[], LONG) };
        assert_eq!(bucket.open().acquire(&again).await.unwrap_err().exit(), Exit::Locked, "{seconds}");
        // 59 s later it lives, after that and the second that is not told it is over.
        bucket.twin().clock(seconds + 58);
        assert_eq!(bucket.open().acquire(&again).await.unwrap_err().exit(), Exit::Locked, "{seconds}");
        bucket.twin().clock(seconds + 62);
        bucket.open().acquire(&again).await.unwrap();
        assert!(bucket.open().append(&lease, "r1", &[entry(0)]).await.is_err());
        // And a clock that went back ends nothing.
        bucket.twin().clock(seconds - 7_200);
        assert_eq!(bucket.open().acquire(&again).await.unwrap_err().exit(), Exit::Locked, "{seconds}");
    }
}

/// Objects that are gone, moved or doubled as wholes.
#[tokio::test]
async fn objects_that_are_gone_or_elsewhere_are_damage() {
    let gone = |bucket: &Bucket, log: &str| bucket.twin().remove(&format!("{log}0000000002"));
    let first_gone = |bucket: &Bucket, log: &str| bucket.twin().remove(&format!("{log}0000000000"));
    let swapped = |bucket: &Bucket, log: &str| {
        let (one, other) = (format!("{log}0000000001"), format!("{log}0000000002"));
        let (first, second) = (bucket.twin().get(&one), bucket.twin().get(&other));
        bucket.twin().put(&one, &second);
        bucket.twin().put(&other, &first);
    };
    let doubled = |bucket: &Bucket, log: &str| bucket.twin().put(&format!("{log}0000000005"), &bucket.twin().get(&format!("{log}0000000004")));
    let emptied = |bucket: &Bucket, log: &str| bucket.twin().put(&format!("{log}0000000003"), b"");
    #[allow(clippy::type_complexity, reason = "five closures of one kind")]
    let all: [&dyn Fn(&Bucket, &str); 5] = [&gone, &first_gone, &swapped, &doubled, &emptied];
    for (at, damage) in all.into_iter().enumerate() {
        let bucket = bucket().await;
        let store = bucket.open();
        let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
        for number in 0..5 {
            store.append(&lease, "r1", &[entry(number)]).await.unwrap();
        }
        damage(&bucket, &log_of(&lease));
        let error = bucket.open().read("staging", "r1").await.unwrap_err();
        assert!(error.chain().contains("/leases/") && error.chain().contains("damaged"), "{at}: {error:?}");
        assert!(bucket.open().append(&lease, "r1", &[entry(5)]).await.is_err(), "{at}");
    }
}

#[tokio::test]
async fn a_server_that_ignores_the_condition_is_refused_before_the_first_write() {
    let bucket = bucket().await;
    bucket.twin().ignore_conditions();
    let store: std::sync::Arc<dyn Store> = bucket.with(bucket.port, impatient()).0;
    let refused = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap_err();
    assert!(refused.chain().contains("If-None-Match") && refused.help().contains("conditional writes"), "{refused:?}");
    assert_eq!(bucket.twin().keys(), Vec::<String>::new(), "nothing is left of it");
    // One that says so is as clear.
    let honest = self::bucket().await;
    honest.twin().fault("PUT", "probes/", crate::services::s3_twin::Fault::Refused(501, "NotImplemented"), 9);
    let refused = honest.with(honest.port, Patience::default()).0.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap_err();
    assert!(refused.help().contains("conditional writes"), "{refused:?}");
}
