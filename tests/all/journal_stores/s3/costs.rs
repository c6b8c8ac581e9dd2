//! What a journal in a bucket costs: requests, which a real S3 answers in some tens of milliseconds each.

use std::time::Instant;

use switchover::apply::event::Summary;
use switchover::apply::journal::{Entry, Record};

use super::arena::{Bucket, moto, twin};
use crate::journal_stores::arena::{Arena, LONG, acquire, entry};

/// What was asked since the last time, by method.
struct Counter(usize);

impl Counter {
    fn since(&mut self, bucket: &Bucket) -> Vec<String> {
        let all = bucket.twin().requests();
        let new = all[self.0..].iter().map(|request| request.split(' ').next().unwrap_or_default().to_owned()).collect();
        self.0 = all.len();
        new
    }
}

#[tokio::test]
async fn an_append_is_one_request_and_the_rest_is_bounded() {
    let bucket = twin().await.unwrap();
    let (store, mut asked) = (bucket.open(), Counter(0));
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    assert_eq!(asked.since(&bucket), ["LIST", "PUT", "PUT", "GET", "DELETE", "PUT", "LIST"], "a first lock: looked, probed, taken");
    store.append(&lease, "r1", &[entry(0)]).await.unwrap();
    assert_eq!(asked.since(&bucket), ["LIST", "LIST", "PUT", "PUT"], "the first append");
    for number in 1..40 {
        store.append(&lease, "r1", &[entry(number)]).await.unwrap();
        assert_eq!(asked.since(&bucket), ["PUT"], "append {number}");
    }
    store.renew(&lease).await.unwrap();
    assert_eq!(asked.since(&bucket), ["LIST", "GET", "LIST", "GET", "PUT", "LIST"], "a renewal: the lock, the log, the next generation");
    bucket.twin().page(7);
    assert_eq!(bucket.open().read("staging", "r1").await.unwrap().unwrap().entries.len(), 40);
    let pages = asked.since(&bucket).iter().filter(|method| *method == "LIST").count();
    assert_eq!(pages, 1 + 6, "the run's leases, and forty objects by sevens");
    bucket.twin().page(1_000);
    store.release(&lease).await.unwrap();
    asked.since(&bucket);
    // A second lock of the same process is not probed for again.
    let again = store.acquire(&acquire("staging", "r2", &[], LONG)).await.unwrap();
    assert_eq!(asked.since(&bucket), ["LIST", "GET", "PUT", "LIST"]);
    store.release(&again).await.unwrap();
}

#[tokio::test]
async fn runs_that_have_ended_are_not_read_to_find_one_that_has_not() {
    let bucket = twin().await.unwrap();
    let store = bucket.open();
    let finished = |seq| Entry { record: Record::Finished { summary: Summary::default(), given_up: false }, ..entry(seq) };
    for run in ["r1", "r2", "r3"] {
        let lease = store.acquire(&acquire("staging", run, &[], LONG)).await.unwrap();
        store.append(&lease, run, &[entry(0)]).await.unwrap();
        if run != "r2" {
            store.append(&lease, run, &[finished(1)]).await.unwrap();
        }
        store.release(&lease).await.unwrap();
    }
    assert_eq!(store.runs("staging").await.unwrap(), ["r1", "r2", "r3"]);
    assert_eq!(store.maybe_unfinished("staging").await.unwrap(), ["r2"]);
    // One that is gone on with after its end is unfinished again, until it has ended again.
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store
        .append(&lease, "r1", &[Entry { record: Record::Continued { mode: "rollback".to_owned(), actor: "a".to_owned() }, ..entry(2) }])
        .await
        .unwrap();
    assert_eq!(bucket.open().maybe_unfinished("staging").await.unwrap(), ["r1", "r2"]);
    store.append(&lease, "r1", &[finished(3)]).await.unwrap();
    assert_eq!(bucket.open().maybe_unfinished("staging").await.unwrap(), ["r2"]);
}

/// Not a test of speed: a figure for the records.
#[tokio::test]
async fn an_append_to_moto_takes_so_long() {
    const APPENDS: u64 = 50;
    let Some(bucket) = moto().await else { return };
    let store = bucket.open();
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &[entry(0)]).await.unwrap();
    let begin = Instant::now();
    for number in 1..=APPENDS {
        store.append(&lease, "r1", &[entry(number)]).await.unwrap();
    }
    let each = begin.elapsed().as_secs_f64() * 1_000.0 / 50.0;
    let begin = Instant::now();
    let read = bucket.open().read("staging", "r1").await.unwrap().unwrap().entries.len();
    println!(
        "moto on the loopback: {each:.1} ms an append of one small record; {read} records read in {:.0} ms",
        begin.elapsed().as_secs_f64() * 1_000.0
    );
    assert_eq!(read as u64, APPENDS + 1);
}
