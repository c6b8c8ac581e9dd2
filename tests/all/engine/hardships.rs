//! What a service does to its callers, and what becomes of the run: the findings of the faults at every call, one by one.

use super::*;

#[tokio::test]
async fn a_call_that_is_never_answered_is_given_up_by_the_worlds_clock() {
    for (run, effect) in [("silent-effect", true), ("silent-nothing", false)] {
        let bench = Bench::new(plan(run, vec![add("a", Phase::Prepare, &[], &Manner { silent: Some(effect), ..good() })]));
        let began = bench.now();
        let (summary, _) = bench.run(How::default()).await;
        assert_eq!((summary.exit_code, fake::names(run)), (0, vec!["a".to_owned()]), "{summary:?}");
        let took = bench.elapsed(began);
        assert!(took >= Duration::from_mins(5) && took < Duration::from_mins(6), "{took:?}");
    }
}

#[tokio::test]
async fn a_way_back_that_fails_keeps_only_what_it_was_built_upon() {
    let steps = vec![
        add("base", Phase::Prepare, &[], &good()),
        add("apart", Phase::Prepare, &[], &good()),
        add("stuck", Phase::Switch, &["base"], &Manner { stays: true, ..good() }),
        add("fails", Phase::Switch, &["stuck", "apart"], &Manner { refused: true, ..good() }),
    ];
    let bench = Bench::new(plan("stuck", steps));
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Person.code());
    assert_eq!(fake::names("stuck"), ["base", "stuck"], "what stands apart is turned back all the same");
    assert!(summary.needs[0].contains("fake.a/stuck could not be turned back"), "{:?}", summary.needs);
    assert!(summary.needs[0].contains("then `switchover rollback e`"), "{:?}", summary.needs);
    fake::mend("stuck");
    let (summary, _) = bench.run(How { back: true, ..How::default() }).await;
    assert_eq!((summary.exit_code, fake::names("stuck").len()), (0, 0), "{summary:?}");
}

#[tokio::test]
async fn what_a_service_has_taken_is_not_believed_to_be_undone_before_it_has_shown() {
    // Longer than the visibility limit, shorter than the step's: the way back waits for it, and takes it away.
    let late = Manner { late_seconds: 1_800, ..good() };
    let bench = Bench::new(plan("late", vec![add("a", Phase::Prepare, &[], &late)]));
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!((summary.exit_code, fake::names("late").len()), (Exit::Restored.code(), 0), "{summary:?}");
    // Longer than both: a person is asked, and finds it once it shows.
    let later = Manner { late_seconds: 3 * 3_600, ..good() };
    let bench = Bench::new(plan("later", vec![add("a", Phase::Prepare, &[], &later)]));
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Person.code(), "{summary:?}");
    assert!(summary.needs[0].contains("then `switchover rollback e`"), "{:?}", summary.needs);
    bench.world.advance(Duration::from_hours(3));
    let (summary, _) = bench.run(How { back: true, ..How::default() }).await;
    assert_eq!((summary.exit_code, fake::names("later").len()), (0, 0), "{summary:?}");
}

#[tokio::test]
async fn what_is_busy_without_showing_it_is_asked_again_for_minutes_and_sooner_in_an_outage() {
    let took = |run: &'static str, unready: u32, outage: bool| async move {
        let mut step = add("a", Phase::Switch, &[], &Manner { unready, ..good() });
        step.outage = outage.then(|| Outage::Whole("x".to_owned()));
        let bench = Bench::new(plan(run, vec![step]));
        let began = bench.now();
        let (summary, events) = bench.run(How::default()).await;
        let ended = events.iter().filter(|event| matches!(event.kind, EventKind::OutageEnded { .. })).count();
        assert_eq!(ended, usize::from(outage), "{events:?}");
        assert!(fake::log(run).iter().all(|line| line == "+a"), "{:?}", fake::log(run));
        (summary.exit_code, fake::names(run).len(), bench.elapsed(began).as_secs())
    };
    let (code, there, seconds) = took("unready", 5, false).await;
    assert_eq!((code, there), (0, 1));
    assert!((62..80).contains(&seconds), "{seconds}");
    let (code, there, seconds) = took("unready-outage", 5, true).await;
    assert_eq!((code, there), (0, 1));
    assert!((34..45).contains(&seconds), "{seconds}");
    let (code, there, seconds) = took("never-ready", 99, false).await;
    assert_eq!((code, there), (Exit::Restored.code(), 0));
    assert!((446..460).contains(&seconds), "{seconds}");
    let (code, there, seconds) = took("never-ready-outage", 99, true).await;
    assert_eq!((code, there), (Exit::Restored.code(), 0));
    assert!((94..110).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_refusal_that_a_look_explains_is_no_end() {
    let bench = Bench::new(plan("busy", vec![add("a", Phase::Prepare, &[], &Manner { busy_seconds: 600, ..good() })]));
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!((summary.exit_code, fake::names("busy")), (0, vec!["a".to_owned()]), "{summary:?}");
}

#[tokio::test]
async fn a_report_names_no_way_back_where_it_would_be_refused() {
    let mut plan = dance("no-way-back", &good());
    plan.steps[3].undo = switchover::plan::Undo::Impossible("the data is gone".to_owned());
    plan.steps.push(add("last", Phase::Retire, &["gone"], &Manner { denied: true, ..good() }));
    let bench = Bench::new(plan);
    let (summary, _) = bench.run(How::default()).await;
    assert_eq!(summary.exit_code, Exit::Person.code());
    assert!(summary.needs[0].contains("`switchover resume e`") && !summary.needs[0].contains("rollback"), "{:?}", summary.needs);
}
