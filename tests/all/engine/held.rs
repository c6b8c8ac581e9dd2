//! Who does not surely hold the run's lock makes no call, however late that turns out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::json;
use switchover::apply::event::{Event, EventKind};
use switchover::apply::journal::Record;
use switchover::model::{Exit, Phase};
use switchover::plan::Plan;
use switchover::world::gated::{Gate, GatedWorld};
use switchover::world::sql::{BeforeCommit, SqlTarget};
use switchover::world::{CallError, CallResult, Failure, Readers, Writers};

use super::fake::{self, add, wait};
use super::{Bench, How, good, plan};
use crate::support::pipeline::world;

/// The intent of the first call is on disk.
const INTENDED: fn(&Event) -> bool = |event| event.step.as_deref() == Some("fake.a/a") && matches!(event.kind, EventKind::StepStarted { .. });

fn one_call(run: &str) -> Plan {
    plan(run, vec![add("a", Phase::Prepare, &[], &good())])
}

fn clock() -> Option<Arc<AtomicU64>> {
    Some(Arc::new(AtomicU64::new(1_000)))
}

#[tokio::test]
async fn a_holder_that_slept_between_intent_and_call_and_lost_the_lock_makes_no_call() {
    let bench = Bench::new(one_call("slept"));
    let (summary, _) = bench.run(How { unlock_at: Some(INTENDED), since_boot: clock(), ..How::default() }).await;
    assert_eq!(fake::log("slept"), Vec::<String>::new(), "the call did not go out");
    assert_eq!(summary.exit_code, Exit::Person.code());
    assert!(summary.needs[0].contains("not surely held") && summary.needs[0].contains("was removed"), "{:?}", summary.needs);
    assert!(matches!(bench.store.entries().last().unwrap().record, Record::Intent { .. }), "nor another record");
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!((summary.exit_code, fake::log("slept")), (0, vec!["+a".to_owned()]), "who goes on makes it once");
}

/// The store refuses the record that would be the run's first intent: there was no call, whatever that record names.
#[tokio::test]
async fn who_lost_the_lock_before_its_first_intent_has_written_nothing_and_says_so() {
    let bench = Bench::new(one_call("never-began"));
    let begun: fn(&Event) -> bool = |event| matches!(event.kind, EventKind::RunStarted { .. });
    let (summary, _) = bench.run(How { unlock_at: Some(begun), ..How::default() }).await;
    assert_eq!((summary.exit_code, fake::log("never-began")), (Exit::Error.code(), Vec::<String>::new()));
    assert_eq!((summary.in_flight, summary.not_started.len()), (Vec::<String>::new(), 1));
    assert!(summary.needs.iter().any(|need| need.contains("was removed") && need.contains("nothing was written by it")), "{:?}", summary.needs);
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!((summary.exit_code, fake::log("never-began").len()), (0, 1), "and another process goes on");
}

#[tokio::test]
async fn the_way_back_asks_as_well() {
    let bench = Bench::new(one_call("slept-back"));
    assert_eq!(bench.run(How::default()).await.0.exit_code, 0);
    let (summary, _) = bench.run(How { back: true, unlock_at: Some(INTENDED), since_boot: clock(), ..How::default() }).await;
    assert_eq!((summary.exit_code, fake::names("slept-back")), (Exit::Person.code(), vec!["a".to_owned()]));
    let (summary, _) = bench.run(How { back: true, ..How::default() }).await;
    assert_eq!((summary.exit_code, fake::log("slept-back").len()), (0, 2));
}

/// Within a lease that was renewed a moment ago nothing tells the holder in time: this is what a person risks who removes the lock of a living
/// process, and why the check above is not the fence's doing.
#[tokio::test]
async fn within_the_lease_a_lock_removed_by_hand_is_noticed_at_the_next_record() {
    let bench = Bench::new(plan("removed", vec![add("a", Phase::Prepare, &[], &good()), add("b", Phase::Prepare, &["a"], &good())]));
    let second: fn(&Event) -> bool = |event| event.step.as_deref() == Some("fake.a/b") && matches!(event.kind, EventKind::StepStarted { .. });
    let (summary, _) = bench.run(How { unlock_at: Some(second), ..How::default() }).await;
    assert_eq!((summary.exit_code, fake::log("removed")), (Exit::Person.code(), vec!["+a".to_owned(), "+b".to_owned()]));
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!((summary.exit_code, fake::log("removed").len()), (0, 2), "and found by whoever goes on");
}

#[tokio::test]
async fn a_holder_that_lost_the_lock_while_it_waits_stops_when_the_heartbeat_says_so() {
    let bench = Bench::new(plan("waits", vec![add("a", Phase::Prepare, &[], &good()), wait("w", Phase::Prepare, &["a"], 86_400)]));
    let waiting: fn(&Event) -> bool = |event| {
        event.step.as_deref() == Some("fake.a/w") && matches!(event.kind, EventKind::StepProgress { elapsed_seconds, .. } if elapsed_seconds > 60)
    };
    let began = bench.now();
    let (summary, _) = bench.run(How { unlock_at: Some(waiting), heartbeat: true, ..How::default() }).await;
    assert_eq!(summary.exit_code, Exit::Person.code());
    assert!(bench.elapsed(began).as_secs() < 300, "it does not wait a day to find out");
}

/// Lets so many writes through, and no more.
struct Turnstile(AtomicUsize);

#[async_trait]
impl Gate for Turnstile {
    async fn pass(&self, call: &'static str) -> CallResult<()> {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| CallError::new(call, Failure::Unreachable, "closed"))
    }

    async fn pass_notice(&self, call: &'static str) -> CallResult<()> {
        self.pass(call).await
    }
}

struct Fine;

#[async_trait]
impl BeforeCommit for Fine {
    async fn about_to_commit(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test]
async fn a_transaction_asks_again_before_its_commit() {
    let target = SqlTarget {
        resource_id: "db-1".to_owned(),
        host: "localhost".to_owned(),
        port: 5432,
        sslmode: "disable".to_owned(),
        ca_file: None,
        user: "u".to_owned(),
        password: None,
        database: "d".to_owned(),
    };
    let mut json = crate::crash::trials::openverse_world();
    let instances = json["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]["instances"].as_object_mut().unwrap();
    let mut instance = instances.values().find(|one| one["identifier"] == "dev-openverse-db").unwrap().clone();
    instance["identifier"] = json!("another-db");
    instance["databases"] = json!({ "d": { "tables": { "t": { "rows": 3 } } } });
    instances.insert("db-1".to_owned(), instance);
    for (passes, fine, left) in [(0, false, 3), (1, false, 3), (2, true, 0)] {
        let inner = world(&json);
        let gated = GatedWorld::new(inner.clone(), Arc::new(Turnstile(AtomicUsize::new(passes))));
        let done = gated.sql_writer(&target).await.unwrap().transaction(&["DELETE FROM t".to_owned()], &Fine).await;
        assert_eq!(done.is_ok(), fine, "{passes}: {done:?}");
        assert_eq!(inner.sql(&target).await.unwrap().scalar("SELECT count(*) FROM t").await.unwrap(), json!(left), "{passes}");
    }
}
