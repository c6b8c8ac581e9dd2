//! What a server and a network do to requests.

use std::sync::Arc;
use std::time::Duration;

use switchover::apply::journal::{Patience, Store};

use super::arena::{Bucket, SECRET, impatient, twin};
use crate::journal_stores::arena::{Arena, LONG, acquire, entries, entry};
use crate::services::cutter::Cutter;
use crate::services::s3_twin::Fault;

async fn bucket() -> Bucket {
    twin().await.expect("the twin is always there")
}

/// Everything that passes by itself, at every kind of object that a run writes or reads.
#[tokio::test]
async fn what_passes_is_tried_again_and_nothing_is_written_twice() {
    let faults = [
        Fault::Lost,
        Fault::ReplyLost,
        Fault::Refused(503, "SlowDown"),
        Fault::Refused(500, "InternalError"),
        Fault::Refused(409, "ConditionalRequestConflict"),
        Fault::Refused(429, "TooManyRequests"),
        Fault::Refused(400, "RequestTimeout"),
    ];
    let places = [
        ("PUT", "locks/"),
        ("GET", "locks/"),
        ("PUT", "/leases/"),
        ("GET", "/leases/"),
        ("PUT", "/runs/"),
        ("PUT", "probes/"),
        ("GET", "probes/"),
        ("DELETE", "probes/"),
        // Lists have no object: all of them.
        ("GET", ""),
    ];
    for (method, part) in places {
        for fault in faults {
            let bucket = bucket().await;
            let store = bucket.open();
            bucket.twin().fault(method, part, fault, 1);
            let case = format!("{fault:?} at {method} {part}");
            let lease = store.acquire(&acquire("staging", "r1", &["dns:x"], LONG)).await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            store.append(&lease, "r1", &entries(0..2)).await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            store.append(&lease, "r1", &[entry(2)]).await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            store.renew(&lease).await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            assert_eq!(store.read("staging", "r1").await.unwrap().unwrap().entries, entries(0..3), "{case}");
            store.release(&lease).await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            assert_eq!(bucket.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..3), "{case}");
            assert!(store.lock("env:staging", "staging").await.unwrap().is_none(), "{case}");
            assert_eq!(bucket.twin().faults_left(), 0, "{case}: it never struck");
        }
    }
}

/// What does not pass is an error at once, that says what to do and holds no secret.
#[tokio::test]
async fn what_does_not_pass_says_what_to_do() {
    let all = [
        (403, "AccessDenied", "s3:PutObject"),
        (403, "RequestTimeTooSkewed", "clock"),
        (400, "ExpiredToken", "resume"),
        (403, "SignatureDoesNotMatch", "credentials"),
        (404, "NoSuchBucket", "bucket"),
        (301, "PermanentRedirect", "region"),
        (507, "XMinioStorageFull", "full"),
    ];
    for (status, code, word) in all {
        let bucket = bucket().await;
        let store = bucket.open();
        let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
        store.append(&lease, "r1", &[entry(0)]).await.unwrap();
        bucket.twin().fault("PUT", "/leases/", Fault::Refused(status, code), 1);
        let refused = store.append(&lease, "r1", &[entry(1)]).await.unwrap_err();
        assert!(refused.help().contains(word), "{code}: {refused:?}");
        assert!(refused.chain().contains(code) && refused.chain().contains("s3://journal/team/journal"), "{refused:?}");
        assert!(!format!("{refused:?}").contains(SECRET));
        store.append(&lease, "r1", &[entry(1)]).await.expect("once it is mended it goes on");
    }
}

/// A network that is away for a while: an append waits for it and says so, a first contact does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_network_is_waited_for_and_told() {
    let bucket = bucket().await;
    let cutter = Cutter::to(bucket.port);
    let (store, heard) = bucket.with(cutter.port, Patience { before: LONG, ..impatient() });
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &[entry(0)]).await.unwrap();
    cutter.down(true);
    let waiting = tokio::spawn({
        let (store, lease) = (Arc::clone(&store), lease.clone());
        async move { store.append(&lease, "r1", &[entry(1)]).await }
    });
    // It comes back once it has been missed.
    while heard.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stranger = bucket.with(cutter.port, impatient()).0;
    let refused = stranger.runs("staging").await.unwrap_err();
    assert!(refused.help().contains("reached") && refused.chain().contains("127.0.0.1"), "{refused:?}");
    cutter.down(false);
    waiting.await.unwrap().unwrap();
    store.renew(&lease).await.unwrap();
    let told = heard.lock().unwrap().join("\n");
    assert!(told.contains("cannot be reached") && told.contains("for 1m at most") && told.contains("reached again"), "{told}");
    assert_eq!(bucket.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..2));
}

/// Patience that ends: the record may be there or not, and whoever goes on reads which.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_stays_unknown_is_an_error_and_found_out_later() {
    for fault in [Fault::Lost, Fault::ReplyLost] {
        let bucket = bucket().await;
        let hasty = Patience { before: LONG, holding: Duration::from_secs(1), ..impatient() };
        let store = bucket.with(bucket.port, hasty).0;
        let lease = store.acquire(&acquire("staging", "r1", &[], Duration::ZERO)).await.unwrap();
        store.append(&lease, "r1", &[entry(0)]).await.unwrap();
        bucket.twin().fault("PUT", "/leases/", fault, 1_000);
        // Not even what was written can be read, or it would be known.
        bucket.twin().fault("GET", "/leases/", Fault::Lost, 1_000);
        let error = store.append(&lease, "r1", &[entry(1)]).await.unwrap_err();
        assert!(error.chain().contains("cannot write"), "{error:?}");
        bucket.twin().forget_faults();
        let next = bucket.open();
        let lease = next.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
        let read = next.read("staging", "r1").await.unwrap().unwrap().entries;
        assert_eq!(read, entries(0..if fault == Fault::Lost { 1 } else { 2 }), "{fault:?}");
        next.append(&lease, "r1", &[entry(read.len() as u64)]).await.unwrap();
    }
}
