//! Plans that somebody edited and gave a digest that fits: what they would write now is looked at before every start.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use switchover::apply::engine::Program;
use switchover::apply::operation::Operations;
use switchover::kinds;
use switchover::model::Data;
use switchover::plan::{Plan, Undo, digest};

use super::spelling::{WORDS, spelt};
use crate::properties::stage::plan;
use crate::properties::trials::{Dice, try_all_async};
use crate::properties::worlds;
use crate::support::pipeline::{self, End, Way};
use crate::support::{MemoryStore, Scene};

fn decoded(plan: &Arc<Plan>) -> Result<Program, String> {
    let kinds = |kind: &str| kinds::find(kind).map(|kind| kind as &dyn Operations);
    Program::new(Arc::clone(plan), kinds).map_err(|error| error.chain())
}

/// What a step, or its way back, writes by its own data.
fn written(kind: &str, operation: &Data) -> Vec<String> {
    kinds::find(kind).and_then(|kind| (kind as &dyn Operations).decode(operation).ok()).map(|operation| operation.writes()).unwrap_or_default()
}

/// Puts `new` in the place of one text that is `old`, wherever it stands; gives whether there was one.
fn put(json: &mut Json, old: &str, new: &str) -> bool {
    match json {
        Json::String(text) if text == old => {
            new.clone_into(text);
            true
        }
        Json::Array(items) => items.iter_mut().any(|item| put(item, old, new)),
        Json::Object(entries) => entries.iter_mut().any(|(_, value)| put(value, old, new)),
        _ => false,
    }
}

async fn trial(dice: &mut Dice) -> &'static str {
    let case = worlds::any(dice);
    let (world, scene) = (pipeline::world(&case.world), Scene::new(worlds::ENVIRONMENT, &case.first));
    let mut edited = (*plan(&scene, &world, true).await).clone();
    if edited.steps.is_empty() {
        return "no plan";
    }
    let at = dice.index(edited.steps.len());
    let step = &mut edited.steps[at];
    let kind = step.address.kind.clone();
    let operation = match &mut step.undo {
        Undo::Operations { operations, .. } if !operations.is_empty() && dice.chance(40) => {
            let at = dice.index(operations.len());
            &mut operations[at]
        }
        _ => &mut step.operation,
    };
    let names = written(&kind, operation);
    if names.is_empty() {
        return "a step that writes nothing";
    }
    let word = *dice.one(&WORDS);
    let name = dice.one(&names).clone();
    let new = if name.contains('.') { format!("{}.{name}", spelt(dice, word)) } else { format!("{name}-{}", spelt(dice, word)) };
    let mut changed = operation.json();
    if !put(&mut changed, &name, &new) {
        return "a name that stands there as part of another text";
    }
    *operation = changed.into();
    let now = written(&kind, operation);
    // The word that the guard would look for must be in what is written, and nobody may have told the step so.
    edited.protect = vec![word.to_owned()];
    edited.digest = digest::of(&edited);
    match decoded(&Arc::new(edited)) {
        Ok(_) => assert!(now == names, "{new:?} would be written: {now:?}"),
        Err(why) => assert!(why.contains("protects everything") || now.is_empty(), "{why}"),
    }
    if now == names { "what was changed is not written" } else { "refused before it began" }
}

#[test]
fn no_edited_plan_writes_a_protected_name() {
    let tally = try_all_async("properties::guard::edited::no_edited_plan_writes_a_protected_name", 150, trial);
    assert!(tally.of("refused before it began") * 4 > tally.all(), "{tally}");
}

/// A plan whose ids lead to another instance than its names say: the guard looks at what the instance is called now.
async fn led_elsewhere(dice: &mut Dice) -> &'static str {
    let mut case = worlds::databases::case(dice);
    let word = *dice.one(&WORDS);
    let instances = &mut case.world["aws"]["accounts"][worlds::ACCOUNT]["regions"][worlds::REGION]["instances"];
    let mut other = instances["db-MASTER0"].clone();
    if dice.chance(50) {
        other["identifier"] = json!(format!("our-{word}"));
    } else {
        (other["identifier"], other["tags"]) = (json!("ours"), json!({"Name": spelt(dice, word)}));
    }
    instances["db-PROTECTED"] = other;
    let (world, scene) = (pipeline::world(&case.world), Scene::new(worlds::ENVIRONMENT, &case.first));
    let planned = plan(&scene, &world, true).await;
    let text = serde_json::to_string(&planned.steps).unwrap().replace("\"db-COPY0\"", "\"db-PROTECTED\"");
    if planned.steps.is_empty() || !text.contains("db-PROTECTED") {
        return "no plan";
    }
    let mut edited = (*planned).clone();
    edited.steps = serde_json::from_str(&text).unwrap();
    edited.facts.clear();
    for step in &mut edited.steps {
        step.facts.clear();
    }
    edited.protect = vec![word.to_owned()];
    edited.digest = digest::of(&edited);
    let before = world.snapshot();
    let protected = |world: &Json| world["aws"]["accounts"][worlds::ACCOUNT]["regions"][worlds::REGION]["instances"]["db-PROTECTED"].clone();
    let (end, _) = pipeline::run(&world, &MemoryStore::new(), &Arc::new(edited), Way::New, None).await;
    assert_eq!(protected(&before), protected(&world.snapshot()), "a protected instance was written to");
    // Where the id stood for something to be left alone, all else is done.
    if matches!(&end, End::Ended(summary) if summary.exit_code == 0) { "nothing was to be written to it" } else { "refused at its start" }
}

#[test]
fn no_id_leads_a_plan_to_a_protected_instance() {
    let tally = try_all_async("properties::guard::edited::no_id_leads_a_plan_to_a_protected_instance", 100, led_elsewhere);
    assert!(tally.of("refused at its start") > 0, "{tally}");
}
