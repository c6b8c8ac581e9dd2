//! Stops, failures, halts and ways back that meet each other.

use std::time::Duration;

use serde_json::json;
use switchover::apply::event::{Event, EventKind};
use switchover::apply::journal::fold;
use switchover::model::{Address, Exit, Phase};
use switchover::plan::{Fact, Outage, Plan};

use super::fake::{self, Manner, add, wait};
use super::{Bench, How, dance, good, plan};

fn refused() -> Manner {
    Manner { refused: true, ..good() }
}

fn is(event: &Event, step: &str, kind: fn(&EventKind) -> bool) -> bool {
    event.step.as_deref() == Some(step) && kind(&event.kind)
}

fn outages(events: &[Event]) -> Vec<Option<u64>> {
    let of = |event: &Event| match event.kind {
        EventKind::OutageStarted { .. } => Some(None),
        EventKind::OutageEnded { seconds, .. } => Some(Some(seconds)),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[tokio::test]
async fn a_stop_during_a_look_starts_nothing_more() {
    let bench = Bench::new(dance("stop-in-look", &good()));
    let (summary, events) = bench.run(How { stop_in_look: Some("old"), ..How::default() }).await;
    assert_eq!(summary.exit_code, Exit::Stopped.code());
    assert_eq!(fake::log("stop-in-look"), ["+ready"]);
    assert!(outages(&events).is_empty(), "no outage begins after somebody asked to stop");
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, 0);
}

#[tokio::test]
async fn nothing_is_started_after_a_failure() {
    for depth in 0..6 {
        let run = format!("after-failure-{depth}");
        let mut steps = vec![add("bad", Phase::Prepare, &[], &refused())];
        let mut before: Vec<String> = Vec::new();
        for at in 0..depth {
            steps.push(wait(&format!("w{at}"), Phase::Prepare, &before.iter().map(String::as_str).collect::<Vec<_>>(), 0));
            before = vec![format!("w{at}")];
        }
        steps.push(add("next", Phase::Prepare, &before.iter().map(String::as_str).collect::<Vec<_>>(), &good()));
        let (summary, events) = Bench::new(plan(&run, steps)).run(How::default()).await;
        assert_eq!(summary.exit_code, Exit::Restored.code(), "{run}");
        let failed = events.iter().position(|event| matches!(event.kind, EventKind::StepFailed { .. })).unwrap();
        let started: Vec<_> = events[failed..]
            .iter()
            .filter(|event| is(event, "fake.a/next", |kind| matches!(kind, EventKind::StepStarted { undo: false, .. })))
            .collect();
        assert!(started.is_empty(), "{run}: {started:?}");
    }
}

#[tokio::test]
async fn an_outage_is_not_kept_waiting_for_other_steps() {
    let mut plan = dance("parallelism", &good());
    plan.steps.insert(2, add("long", Phase::Prepare, &["ready"], &Manner { settle_seconds: 3_000, ..good() }));
    let bench = Bench::new(plan);
    let (summary, events) = bench.run(How { parallelism: Some(1), ..How::default() }).await;
    assert_eq!(summary.exit_code, 0);
    let lasted = outages(&events)[1].unwrap();
    assert!(lasted < 300, "another step came in between: {lasted}");
}

#[tokio::test]
async fn a_failure_elsewhere_does_not_leave_users_without_service_until_all_is_done() {
    let mut plan = dance("elsewhere", &good());
    let long = Manner { settle_seconds: 3_000, ..good() };
    plan.steps.extend([
        wait("later", Phase::Prepare, &["ready"], 5),
        add("long", Phase::Prepare, &["later"], &long),
        wait("later still", Phase::Prepare, &["ready"], 30),
        add("bad", Phase::Prepare, &["later still"], &refused()),
    ]);
    let (summary, events) = Bench::new(plan).run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Restored.code());
    let lasted = outages(&events)[1].unwrap();
    assert!(lasted < 300, "{lasted}");
    assert!(fake::names("elsewhere").is_empty());
    let calls = fake::log("elsewhere");
    let place = |what: &str| calls.iter().position(|call| call == what).unwrap();
    assert!(place("-old") < place("-long"), "what ends the outage comes first: {calls:?}");
}

#[tokio::test]
async fn the_outage_of_a_way_back_is_told_and_has_no_safe_point() {
    let bench = Bench::new(dance("outage-back", &good()));
    assert_eq!(bench.run(How::default()).await.0.exit_code, 0);
    let undone: fn(&Event) -> bool = |event| is(event, "fake.a/new", |kind| matches!(kind, EventKind::StepUndone { .. }));
    let (summary, events) = bench.run(How { back: true, stop_at: Some(undone), ..How::default() }).await;
    assert_eq!(summary.exit_code, Exit::Stopped.code());
    assert_eq!(fake::names("outage-back"), ["ready"], "users have the old one again");
    assert!(matches!(outages(&events)[..], [None, Some(_)]), "{events:?}");
    let (summary, _) = bench.run(How { back: true, ..How::default() }).await;
    assert_eq!((summary.exit_code, fake::names("outage-back").len()), (0, 0));
}

#[tokio::test]
async fn a_plan_that_failed_before_any_write_can_be_applied_again() {
    let manner = Manner { conflict: true, ..good() };
    let bench = Bench::new(plan("again", vec![wait("w", Phase::Verify, &[], 10), add("a", Phase::Prepare, &["w"], &manner)]));
    assert_eq!(bench.run(How::default()).await.0.exit_code, Exit::Stale.code());
    fake::mend("again");
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!((summary.exit_code, summary.done.len()), (0, 2), "{summary:?}");
}

#[tokio::test]
async fn credentials_that_ran_out_after_a_lost_answer_can_be_renewed() {
    let manner = Manner { lost: Some(false), denied: true, ..good() };
    let bench = Bench::new(dance("lost-denied", &manner));
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Person.code());
    assert!(summary.needs[0].contains("expired") && summary.needs[0].contains("resume"), "the service's words and the way on: {:?}", summary.needs);
    fake::mend("lost-denied");
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, 0, "{summary:?}");
}

#[tokio::test]
async fn a_run_whose_end_cannot_be_journaled_needs_a_person() {
    let bench = Bench::new(dance("no-end", &good()));
    let done: fn(&Event) -> bool = |event| is(event, "fake.a/gone", |kind| matches!(kind, EventKind::StepDone { .. }));
    let (summary, _) = bench.run(How { unlock_at: Some(done), ..How::default() }).await;
    assert_eq!(summary.exit_code, Exit::Person.code());
    assert!(summary.needs[0].contains("the journal cannot be written"), "{:?}", summary.needs);
}

fn with_fact(mut plan: Plan, name: &str, step: usize) -> Plan {
    plan.facts.push(Fact {
        id: "fake.a/free".to_owned(),
        address: Address::new("fake", "a"),
        title: format!("the name `{name}` is free"),
        read: json!({"name": name}).into(),
        value: json!(false).into(),
    });
    plan.steps[step].facts.push("fake.a/free".to_owned());
    plan
}

#[tokio::test]
async fn a_look_checks_its_facts_though_they_could_not_be_read_at_first() {
    let steps = vec![add("x", Phase::Prepare, &[], &good()), wait("w", Phase::Verify, &["x"], 0)];
    let bench = Bench::new(with_fact(plan("late-fact", steps), "x", 1));
    fake::throttle_facts("late-fact", 1, 5);
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Stale.code(), "{summary:?}");
}

#[tokio::test]
async fn a_pause_that_a_service_orders_ends_with_the_steps_limit() {
    let steps = vec![add("x", Phase::Prepare, &[], &good()), wait("w", Phase::Verify, &["x"], 0)];
    let bench = Bench::new(with_fact(plan("long-pause", steps), "y", 1));
    fake::throttle_facts("long-pause", 1, 86_400);
    let began = bench.now();
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, 0, "{summary:?}");
    assert!(bench.elapsed(began) <= Duration::from_secs(3_601), "the step's limit is an hour: {:?}", bench.elapsed(began));
}

#[tokio::test]
async fn a_stop_interrupts_the_first_reading_of_facts() {
    let bench = Bench::new(with_fact(dance("stop-facts", &good()), "taken", 1));
    fake::meddle("stop-facts", "somebody's");
    fake::throttle_facts("stop-facts", 2, 86_400);
    let began = bench.now();
    let stop = Some(switchover::apply::engine::StopRequest::Safe);
    let (summary, _) = bench.run(How { stop, ..How::default() }).await;
    assert_eq!(summary.exit_code, Exit::Stopped.code());
    assert!(bench.elapsed(began) < Duration::from_mins(1));
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, 0, "{summary:?}");
    assert!(bench.elapsed(began) < Duration::from_hours(1), "pauses before the first step have a limit");
}

#[tokio::test]
async fn stopping_at_once_says_how_to_go_on() {
    let bench = Bench::new(dance("at-once", &good()));
    let stop: fn(&Event) -> bool = |event| matches!(event.kind, EventKind::OutageStarted { .. });
    let (summary, _) = bench.run(How { stop_at: Some(stop), ..How::default() }).await;
    assert_eq!(summary.exit_code, Exit::Stopped.code(), "the outage is brought to its end");
    let now = Some(switchover::apply::engine::StopRequest::Now);
    let bench = Bench::new(plan("at-once-first", vec![wait("w", Phase::Verify, &[], 10)]));
    let (summary, _) = bench.run(How { stop: now, ..How::default() }).await;
    assert_eq!((summary.exit_code, bench.run(How::default()).await.0.exit_code), (Exit::Stopped.code(), 0));
}

#[tokio::test]
async fn a_refused_outage_in_retire_is_none() {
    let mut plan = dance("retire-outage", &good());
    plan.steps[3] = add("gone", Phase::Retire, &["new"], &refused());
    plan.steps[3].outage = Some(Outage::Whole("db".to_owned()));
    let (summary, events) = Bench::new(plan).run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Person.code());
    assert_eq!(summary.in_flight, Vec::<String>::new(), "what was refused is not in flight");
    assert_eq!(outages(&events).len(), 4, "it ends, since nothing has happened: {:?}", outages(&events));
}

#[tokio::test]
async fn steps_that_found_nothing_out_weigh_nothing_in_later_looks() {
    let steps = (0..50).map(|at| add(&format!("s{at}"), Phase::Prepare, &[], &good())).collect();
    let bench = Bench::new(plan("light", steps));
    assert_eq!(bench.run(How::default()).await.0.exit_code, 0);
    assert!(fold::fold(&bench.store.entries()).unwrap().outputs.is_empty(), "each look is given its resource's outputs");
}
