//! Journals: what real runs wrote is believed; and when a record is taken away, doubled, moved, changed or put in, the journal is refused,
//! unless what it says now can have happened as well, by the word of an automaton that was written without the fold.

mod automaton;

use std::sync::Arc;

use switchover::apply::event::Summary;
use switchover::apply::journal::{Answer, Entry, Record, fold};
use switchover::plan::{Outage, Plan};
use switchover::world::sim::{Fault, SimWorld};

use super::stage::plan;
use super::trials::{Dice, try_all_async};
use super::worlds;
use crate::support::pipeline::{self, Way};
use crate::support::{Die, MemoryStore, Scene};

/// A real journal: of a run that may have met faults, died, gone on, been turned back.
async fn history(dice: &mut Dice) -> Option<(Arc<Plan>, Vec<Entry>)> {
    let case = worlds::any(dice);
    let (world, store) = (pipeline::world(&case.world), MemoryStore::new());
    let scene = Scene::new(worlds::ENVIRONMENT, &case.first);
    let planned = plan(&scene, &world, dice.chance(60)).await;
    if planned.steps.is_empty() || !planned.errors.is_empty() {
        return None;
    }
    let most = *dice.one(&[10, 40, 100]);
    let at = dice.number(1, most);
    let die = *dice.one(&[None, Some(Die::BeforeCall(at)), Some(Die::AfterCall(at)), Some(Die::AfterWrite(at))]);
    if die.is_none() {
        disturb(dice, &world);
    }
    pipeline::run(&world, &store, &planned, Way::New, die).await;
    let state = pipeline::state(&*store, &planned).await?;
    let unfinished = state.finished.is_none();
    match dice.number(0, 2) {
        0 if unfinished => drop(pipeline::run(&world, &store, &planned, Way::On, None).await),
        1 if switchover::apply::engine::summary::gone(&state).is_empty() => {
            let die = dice.maybe(30, |dice| Die::AfterCall(dice.number(1, 8)));
            drop(pipeline::run(&world, &store, &planned, Way::Back, die).await);
        }
        _ => {}
    }
    Some((planned, store.entries()))
}

/// One writing call is refused for good, for the moment, or its reply is lost.
fn disturb(dice: &mut Dice, world: &Arc<SimWorld>) {
    let nth = usize::try_from(dice.number(1, 12)).unwrap();
    let faults = [
        Fault::Refusal { code: "No".to_owned(), message: "no".to_owned() },
        Fault::Throttle { retry_after_seconds: Some(3) },
        Fault::ReplyLost {},
        Fault::ServerError { status: None, after_effect: true, retry_after_seconds: None },
    ];
    let (fault, writes) = (dice.one(&faults).clone(), std::sync::atomic::AtomicUsize::new(0));
    world.set_hook(Box::new(move |info| {
        let number = writes.fetch_add(usize::from(info.write), std::sync::atomic::Ordering::SeqCst) + 1;
        (info.write && number == nth).then(|| fault.clone())
    }));
}

/// Any record about the plan.
fn record(dice: &mut Dice, plan: &Plan) -> Record {
    let step = dice.one(&plan.steps).clone();
    let undo = dice.maybe(40, |dice| dice.index(2));
    let answers = [Answer::Good, Answer::Nothing { error: "no".to_owned(), passing: dice.chance(50) }, Answer::Unknown { error: "cut".to_owned() }];
    let answer = dice.one(&answers).clone();
    let outage = step.outage.as_ref().map_or("none", Outage::name).to_owned();
    let (id, text) = (step.id, String::new);
    match dice.number(0, 12) {
        0 => Record::Watching { step: id },
        1 | 2 => Record::Intent { step: id, undo, attempt: u32::try_from(dice.number(1, 3)).unwrap() },
        3 | 4 => Record::Answered { step: id, undo, answer },
        5 => Record::Done { step: id, outputs: std::collections::BTreeMap::new(), detail: text() },
        6 => Record::Failed { step: id, undo: undo.is_some(), error: text(), help: text(), stale: dice.chance(50), unseen: dice.chance(20) },
        7 => Record::Undone { step: id, assumed: dice.chance(30) },
        8 => Record::TurnedBack { why: text() },
        9 => Record::Noted { step: id, name: text(), value: text() },
        10 if dice.chance(50) => Record::OutageStarted { outage },
        10 => Record::OutageEnded { outage, seconds: 1 },
        11 => Record::Continued { mode: (*dice.one(&["resume", "rollback", "apply"])).to_owned(), actor: text() },
        _ => Record::Finished { summary: Summary::default(), given_up: dice.chance(20) },
    }
}

/// Changes one thing in one record.
fn change(dice: &mut Dice, record: &mut Record, plan: &Plan) {
    let other = dice.one(&plan.steps).id.clone();
    match record {
        Record::Intent { step, undo, attempt } => match dice.number(0, 2) {
            0 => *step = other,
            1 => *undo = if undo.is_some() { dice.maybe(50, |dice| dice.index(3)) } else { Some(0) },
            _ => *attempt = attempt.wrapping_add(*dice.one(&[1, 2, u32::MAX])),
        },
        Record::Answered { step, undo, .. } => match dice.number(0, 1) {
            0 => *step = other,
            _ => *undo = if undo.is_some() { None } else { Some(dice.index(2)) },
        },
        Record::Failed { step, undo, .. } => match dice.number(0, 1) {
            0 => *step = other,
            _ => *undo = !*undo,
        },
        Record::Watching { step } | Record::Noted { step, .. } | Record::Done { step, .. } | Record::Undone { step, .. } => *step = other,
        Record::Continued { mode, .. } => (*dice.one(&["resume", "rollback", "apply", ""])).clone_into(mode),
        Record::OutageStarted { outage } | Record::OutageEnded { outage, .. } => outage.push('x'),
        Record::Stopped { summary, .. } | Record::Finished { summary, .. } => change_summary(dice, summary, plan),
        Record::Begun { .. } | Record::TurnedBack { .. } => *record = Record::Watching { step: other },
    }
}

fn change_summary(dice: &mut Dice, summary: &mut Summary, plan: &Plan) {
    let lists = [&mut summary.done, &mut summary.undone, &mut summary.in_flight, &mut summary.not_started];
    let at = dice.index(4);
    for (number, list) in lists.into_iter().enumerate() {
        if number == at {
            if list.is_empty() || dice.chance(50) {
                list.push(dice.one(&plan.steps).id.clone());
            } else {
                list.remove(dice.index(list.len()));
            }
        }
    }
}

/// The same journal with one record taken away, doubled, moved, changed or put in; and what was done.
fn mutate(dice: &mut Dice, entries: &[Entry], plan: &Plan) -> (Vec<Entry>, String) {
    let mut changed = entries.to_vec();
    let (one, other) = (dice.index(entries.len()), dice.index(entries.len()));
    let what = match dice.number(0, 5) {
        0 => {
            changed.remove(one);
            format!("record {one} was taken away")
        }
        1 => {
            changed.insert(other, entries[one].clone());
            format!("record {one} stands at {other} too")
        }
        2 => {
            changed.swap(one, other);
            format!("records {one} and {other} changed places")
        }
        3 => {
            let next = (one + 1).min(entries.len() - 1);
            changed.swap(one, next);
            format!("records {one} and {next} changed places")
        }
        4 => {
            change(dice, &mut changed[one].record, plan);
            format!("record {one} was changed to {:?}", changed[one].record)
        }
        _ => {
            let record = record(dice, plan);
            changed.insert(one, Entry { seq: 0, time: entries[one].time, record });
            format!("at {one} was put in {:?}", changed[one].record)
        }
    };
    // Whoever does that numbers them anew, or would be found at once.
    for (seq, entry) in changed.iter_mut().enumerate() {
        entry.seq = seq as u64;
    }
    (changed, what)
}

fn told(entries: &[Entry]) -> String {
    let line = |entry: &Entry| match &entry.record {
        Record::Begun { .. } => format!("{} begun", entry.seq),
        record => format!("{} {record:?}", entry.seq),
    };
    entries.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Journals mutated from each real one.
const MUTATIONS: usize = 100;

async fn trial(dice: &mut Dice) -> &'static str {
    let Some((plan, entries)) = history(dice).await else { return "no plan" };
    for length in 1..=entries.len() {
        // A process may die after any record.
        let beginning = &entries[..length];
        if let Err(why) = fold::fold(beginning) {
            panic!("a real journal is refused: {why}\n{}", told(beginning));
        }
    }
    if let Err(why) = automaton::accept(&entries) {
        panic!("the automaton refuses a real journal: {why}\n{}", told(&entries));
    }
    let mut refused = 0;
    for _ in 0..MUTATIONS {
        let (changed, what) = mutate(dice, &entries, &plan);
        match (fold::fold(&changed), automaton::accept(&changed)) {
            (Ok(_), Ok(())) => {}
            (Err(_), Err(_)) => refused += 1,
            (Ok(_), Err(why)) => panic!("{what}: the fold believes it, and {why}\n{}", told(&changed)),
            (Err(why), Ok(())) => panic!("{what}: the fold refuses what can have happened: {why}\n{}", told(&changed)),
        }
    }
    let mut gap = entries.clone();
    gap[dice.index(entries.len())].seq += 1;
    assert!(fold::fold(&gap).is_err(), "a gap in the numbers is believed");
    if refused * 2 > MUTATIONS { "most of its mutations are refused" } else { "many of its mutations can have happened" }
}

#[test]
fn a_journal_that_was_tampered_with_is_refused_or_can_have_happened() {
    let test = "properties::histories::a_journal_that_was_tampered_with_is_refused_or_can_have_happened";
    let tally = try_all_async(test, 60, trial);
    tally.at_most(50, "no plan");
    tally.at_most(20, "many of its mutations can have happened");
}
