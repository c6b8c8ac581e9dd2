//! What a plan relied on: when one fact has changed, exactly the steps that rely on it, and those that wait for them, are not begun.
//!
//! A fact that has changed before anything began makes the plan stale: exit code 6, and nothing is called at all. One that changes while the run is
//! stopped is found by the first step that relies on it and was not called yet: it is not called, nothing that waits for it is, what was begun is
//! switched back, and the exit code is 6. Where no step that is still to come relies on it, the run goes on to its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use switchover::apply::engine::summary;
use switchover::apply::journal::{Record, Stage};
use switchover::plan::{Fact, Plan, Undo};

use super::stage::{essence, plan, same};
use super::trials::{Dice, try_all_async};
use super::worlds::{self, ACCOUNT, REGION};
use crate::support::pipeline::{self, End, Way};
use crate::support::{Die, MemoryStore, Scene};

/// Changes the world so that this fact is another one, and no other fact is; false where that cannot be.
fn change(world: &mut Json, fact: &Fact, dice: &mut Dice) -> bool {
    let read = &fact.read.json();
    let text = |key: &str| read[key].as_str().unwrap_or_default().to_owned();
    let region = &mut world["aws"]["accounts"][ACCOUNT]["regions"][REGION];
    match text("type").as_str() {
        "instance" => {
            let Some(instance) = region["instances"].get_mut(text("resource_id")) else { return false };
            if dice.chance(50) {
                instance["settings"]["maintenance_window"] = json!("tue:01:00-tue:02:00");
            } else {
                instance["tags"]["Touched"] = json!("by somebody");
            }
        }
        "pending" => {
            let Some(instance) = region["instances"].get_mut(text("resource_id")) else { return false };
            instance["pending"] = json!({"license_model": "another one"});
        }
        "snapshot" => return region["snapshots"].as_object_mut().is_some_and(|snapshots| snapshots.remove(&text("identifier")).is_some()),
        "name_free" => {
            let taken = region["instances"].as_object().unwrap().values().any(|instance| instance["identifier"] == text("name"));
            if taken {
                return false;
            }
            let mut other = region["instances"]["db-MASTER0"].clone();
            (other["identifier"], other["tags"]) = (json!(text("name")), json!({}));
            region["instances"]["db-FOREIGN"] = other;
        }
        "records" => {
            let ids: Vec<&str> = read["ids"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
            let id = *dice.one(&ids);
            let records = world["cloudflare"]["zones"][text("zone_id")]["records"].as_object_mut().unwrap();
            return records.remove(id).is_some();
        }
        "free" => return occupy(world, read, dice),
        "elastic_ips" => {
            let names: Vec<&str> = read["names"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
            let name = *dice.one(&names);
            let addresses = region["elastic_ips"].as_object_mut().unwrap();
            addresses.values_mut().find(|address| address["name"] == name).unwrap()["public_ip"] = json!("203.0.113.99");
        }
        other => panic!("a fact of a type that this test does not know: {other}"),
    }
    true
}

/// Puts a record where the plan wants to make one.
fn occupy(world: &mut Json, read: &Json, dice: &mut Dice) -> bool {
    let sets = read["places"]["sets"].as_object().unwrap();
    let name = *dice.one(&sets.keys().collect::<Vec<_>>());
    let word = sets[name][0].as_str().unwrap();
    let rtype: switchover::model::record::RecordType = word.parse().unwrap();
    let content = switchover::model::record::canonical_content(rtype, &rtype.example().replace("192.0.2.1", "192.0.2.250")).unwrap();
    let records = world["cloudflare"]["zones"][read["zone_id"].as_str().unwrap()]["records"].as_object_mut().unwrap();
    let here =
        records.values().any(|record| record["name"] == **name && (record["content"] == content || word == "CNAME" || record["type"] == "CNAME"));
    records.insert("abad1dea".repeat(4), json!({"type": word, "name": name, "content": content, "ttl": 300}));
    !here
}

/// The steps that rely on a fact, and all that wait for them.
fn held_up(plan: &Plan, fact: &str, called: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut held: BTreeSet<String> =
        plan.steps.iter().filter(|step| step.facts.iter().any(|id| id == fact) && !called(&step.id)).map(|step| step.id.clone()).collect();
    loop {
        let more: Vec<String> = plan
            .steps
            .iter()
            .filter(|step| !held.contains(&step.id) && step.after.iter().any(|before| held.contains(before)))
            .map(|step| step.id.clone())
            .collect();
        if more.is_empty() {
            return held;
        }
        held.extend(more);
    }
}

fn begun(store: &MemoryStore, from: usize) -> BTreeSet<String> {
    let forward = |record| match record {
        Record::Intent { step, undo: None, .. } | Record::Done { step, .. } => Some(step),
        _ => None,
    };
    store.entries().into_iter().skip(from).filter_map(|entry| forward(entry.record)).collect()
}

async fn planned(dice: &mut Dice) -> Option<(Json, Arc<Plan>)> {
    let case = worlds::any(dice);
    let (world, scene) = (pipeline::world(&case.world), Scene::new(worlds::ENVIRONMENT, &case.first));
    let planned = plan(&scene, &world, dice.chance(60)).await;
    (planned.errors.is_empty() && !planned.facts.is_empty()).then(|| (world.snapshot(), planned))
}

async fn before_it_began(dice: &mut Dice) -> &'static str {
    let Some((world, plan)) = planned(dice).await else { return "no plan" };
    for fact in &plan.facts {
        let mut changed = world.clone();
        if !change(&mut changed, fact, dice) {
            continue;
        }
        let (world, store) = (pipeline::world(&changed), MemoryStore::new());
        let untouched = |world: Json| (world["aws"].clone(), world["cloudflare"].clone(), world["slack"].clone());
        let before = untouched(world.snapshot());
        let (end, _) = pipeline::run(&world, &store, &plan, Way::New, None).await;
        assert_eq!(end.code(), Some(6), "{}: {end:?}", fact.title);
        assert!(world.calls().iter().all(|called| !called.info.write), "{}: something was called", fact.title);
        assert!(untouched(world.snapshot()) == before, "{}: something was changed", fact.title);
        assert!(begun(&store, 0).is_empty(), "{}: something was begun", fact.title);
    }
    "stale, fact by fact"
}

#[test]
fn a_fact_that_changed_before_the_run_makes_the_plan_stale_and_nothing_is_called() {
    let test = "properties::facts::a_fact_that_changed_before_the_run_makes_the_plan_stale_and_nothing_is_called";
    try_all_async(test, 100, before_it_began).at_most(50, "no plan");
}

async fn on_the_way(dice: &mut Dice) -> &'static str {
    let Some((original, plan)) = planned(dice).await else { return "no plan" };
    let (world, store) = (pipeline::world(&original), MemoryStore::new());
    let most = *dice.one(&[10, 25, 60]);
    let (end, _) = pipeline::run(&world, &store, &plan, Way::New, Some(Die::AfterWrite(dice.number(1, most)))).await;
    let Some(state) = pipeline::state(&*store, &plan).await.filter(|state| matches!(end, End::Died) && state.wrote) else {
        return "over, or not begun";
    };
    let called = |id: &str| state.step(id).called || state.step(id).stage == Stage::Done;
    // What is still to come relies on it, or nothing does any more.
    let fact = dice.one(&plan.facts);
    let held = held_up(&plan, &fact.id, called);
    let (mut changed, mut changed_original) = (world.snapshot(), original.clone());
    let again = &mut Dice::new(1);
    if !change(&mut changed, fact, again) || !change(&mut changed_original, fact, &mut Dice::new(1)) {
        return "a fact that our own run has changed";
    }
    let relied_on_before = plan.steps.iter().any(|step| step.facts.contains(&fact.id) && called(&step.id));
    let (world, entries) = (pipeline::world(&changed), store.entries().len());
    let (end, _) = pipeline::run(&world, &store, &plan, Way::On, None).await;
    let begun = begun(&store, entries);
    let wrong: Vec<&String> = held.intersection(&begun).collect();
    assert!(wrong.is_empty(), "{} has changed, and {wrong:?} were begun", fact.title);
    let state = pipeline::state(&*store, &plan).await.unwrap();
    let End::Ended(summary) = end else { panic!("it died") };
    if held.is_empty() {
        // Nobody who is still to come relied on it; but what was begun on it may meet the change itself.
        assert!(summary.exit_code == 0 || relied_on_before, "{}: {summary:?}", fact.title);
        return if summary.exit_code == 0 { "nobody relied on it any more: done" } else { "what was begun met the change" };
    }
    if summary.exit_code == 5 {
        // What was begun cannot be switched back where the change itself is in the way, or in retire; the report says what and how.
        assert!(!summary.needs.is_empty(), "{summary:?}");
        return "a person is needed";
    }
    assert!(summary.exit_code == 6 || (summary.exit_code == 4 && relied_on_before), "{}: {summary:?}", fact.title);
    assert!(summary::gone(&state).is_empty());
    let back = |id: &String| matches!(plan.step(id).unwrap().undo, Undo::Operations { .. });
    assert!(summary.done.iter().all(|id| !state.step(id).called || !back(id)), "{summary:?}");
    same(&essence(&world.snapshot()), &essence(&pipeline::world(&changed_original).snapshot()), "what was begun is not switched back");
    "stopped and switched back"
}

#[test]
fn a_fact_that_changes_on_the_way_stops_what_relies_on_it_and_no_more() {
    let tally = try_all_async("properties::facts::a_fact_that_changes_on_the_way_stops_what_relies_on_it_and_no_more", 200, on_the_way);
    assert!(tally.of("stopped and switched back") > 0 && tally.of("nobody relied on it any more: done") > 0, "{tally}");
}
