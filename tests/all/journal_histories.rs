//! The fold of a journal: whatever is in it, the answer is a state or a refusal, never a guess and never a panic.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use switchover::apply::engine::summary;
use switchover::apply::event::Summary;
use switchover::apply::journal::{Answer, Entry, Record, RunState, Stage, fold};
use switchover::model::Exit;
use switchover::model::time::Timestamp;
use switchover::plan::{Plan, file};

fn plan() -> Arc<Plan> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/staging.json");
    Arc::new(file::load(&path).unwrap())
}

fn entries(plan: &Arc<Plan>, records: Vec<Record>) -> Vec<Entry> {
    let first = Record::Begun { plan: Arc::clone(plan), actor: "somebody".to_owned() };
    let at = |seq: usize| Timestamp::from_second(1_000 + i64::try_from(seq).unwrap()).unwrap();
    std::iter::once(first).chain(records).enumerate().map(|(seq, record)| Entry { seq: seq as u64, time: at(seq), record }).collect()
}

/// Any record about one of four steps, in any state of mind.
fn record(ids: &[String]) -> impl Strategy<Value = Record> + use<> {
    let ids: Vec<String> = ids.iter().take(4).cloned().collect();
    let step = proptest::sample::select(ids);
    let undo = proptest::option::of(0_usize..2);
    let answer = prop_oneof![
        Just(Answer::Good),
        any::<bool>().prop_map(|passing| Answer::Nothing { error: "no".to_owned(), passing }),
        Just(Answer::Unknown { error: "cut".to_owned() }),
    ];
    prop_oneof![
        1 => step.clone().prop_map(|step| Record::Watching { step }),
        4 => (step.clone(), undo.clone(), 1_u32..4).prop_map(|(step, undo, attempt)| Record::Intent { step, undo, attempt }),
        4 => (step.clone(), undo, answer).prop_map(|(step, undo, answer)| Record::Answered { step, undo, answer }),
        3 => step.clone().prop_map(|step| Record::Done { step, outputs: BTreeMap::new(), detail: String::new() }),
        1 => step.clone().prop_map(|step| Record::Failed { step, undo: false, error: "e".to_owned(), help: "h".to_owned(), stale: false, unseen: false }),
        2 => Just(Record::TurnedBack { why: "w".to_owned() }),
        2 => step.clone().prop_map(|step| Record::Undone { step, assumed: false }),
        1 => Just(Record::Continued { mode: "resume".to_owned(), actor: "a".to_owned() }),
        1 => Just(Record::OutageStarted { outage: "o".to_owned() }),
        1 => Just(Record::OutageEnded { outage: "o".to_owned(), seconds: 1 }),
        1 => Just(Record::Finished { summary: Summary::default(), given_up: false }),
        1 => step.prop_map(|step| Record::Noted { step, name: "n".to_owned(), value: "v".to_owned() }),
    ]
}

fn check(state: &RunState) -> Result<(), TestCaseError> {
    let summary = summary::summarize(state, Exit::Done, Vec::new());
    let all: Vec<&String> = [&summary.done, &summary.undone, &summary.in_flight, &summary.not_started].into_iter().flatten().collect();
    prop_assert_eq!(all.len(), state.plan.steps.len(), "every step is in exactly one list");
    prop_assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    for id in summary::to_undo(state) {
        let step = state.step(&id);
        prop_assert!(step.called && step.stage != Stage::Undone, "{} has nothing to undo", id);
    }
    for step in state.each().map(|(_, step)| step) {
        prop_assert!(!step.called || state.wrote, "something was called, and nothing was written");
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_history_is_folded_or_refused(records in {
        let plan = plan();
        let ids: Vec<String> = plan.steps.iter().map(|step| step.id.clone()).collect();
        proptest::collection::vec(record(&ids), 0..40)
    }) {
        let plan = plan();
        // The longest beginning that can have happened: each of its own beginnings can have happened too.
        let mut legal = Vec::new();
        for record in records {
            let mut longer = legal.clone();
            longer.push(record);
            if let Ok(state) = fold::fold(&entries(&plan, longer.clone())) {
                check(&state)?;
                legal = longer;
            }
        }
    }
}

#[test]
fn histories_that_cannot_have_happened_are_refused() {
    let plan = plan();
    let step = plan.steps[0].id.clone();
    let intent = |attempt, undo| Record::Intent { step: step.clone(), undo, attempt };
    let good = || Record::Answered { step: step.clone(), undo: None, answer: Answer::Good };
    let done = || Record::Done { step: step.clone(), outputs: BTreeMap::new(), detail: String::new() };
    let undone = || Record::Undone { step: step.clone(), assumed: false };
    let back = || Record::TurnedBack { why: "w".to_owned() };
    let illegal: Vec<(&str, Vec<Record>)> = vec![
        ("the second attempt first", vec![intent(2, None)]),
        ("an answer to nothing", vec![good()]),
        ("two answers to one call", vec![intent(1, None), good(), good()]),
        ("done twice", vec![intent(1, None), done(), done()]),
        ("called after it was done", vec![intent(1, None), done(), intent(2, None)]),
        ("undone in a run that goes forward", vec![intent(1, None), done(), undone()]),
        ("the way back of a run that goes forward", vec![intent(1, None), intent(1, Some(0))]),
        ("undone twice", vec![intent(1, None), back(), undone(), undone()]),
        ("the end of an outage that never began", vec![Record::OutageEnded { outage: "o".to_owned(), seconds: 1 }]),
        ("something after the end", vec![Record::Finished { summary: Summary::default(), given_up: false }, intent(1, None)]),
        ("a step of another plan", vec![Record::Watching { step: "database.other/x".to_owned() }]),
        ("a second beginning", vec![Record::Begun { plan: Arc::clone(&plan), actor: "a".to_owned() }]),
    ];
    for (what, records) in illegal {
        assert!(fold::fold(&entries(&plan, records)).is_err(), "{what} is believed");
    }
    assert!(fold::fold(&[]).is_err());
    assert!(fold::fold(&entries(&plan, Vec::new())[..1]).is_ok());
}
