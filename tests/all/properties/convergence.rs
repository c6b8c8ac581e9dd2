//! `plan(apply(plan)) = ∅`: what was applied is what was declared, from any world, to any declaration, there and back again.

use std::sync::Arc;
use std::time::Duration;

use switchover::world::sim::SimWorld;

use super::stage::{essence, plan, same};
use super::trials::{Dice, try_all_async};
use super::worlds::{self, Case};
use crate::support::pipeline::{self, End, Way};
use crate::support::{MemoryStore, Scene};

/// Plans, applies, and plans again; gives how it ended.
async fn converge(scene: &Scene, world: &Arc<SimWorld>, refresh: bool, what: &str) -> &'static str {
    let planned = plan(scene, world, refresh).await;
    let before = essence(&world.snapshot());
    if let Some(error) = planned.errors.first() {
        println!("  {what}: {}", error.error);
        return "refused by the plan";
    }
    if planned.steps.is_empty() {
        return "nothing to do";
    }
    let (end, _) = pipeline::run(world, &MemoryStore::new(), &planned, Way::New, None).await;
    let End::Ended(summary) = end else { panic!("{what}: it died") };
    if summary.exit_code == 4 {
        same(&essence(&world.snapshot()), &before, &format!("{what}: it failed, and the world is not as it was"));
        println!("  {what}: the service refused: {:?}", summary.needs);
        return "refused by the service";
    }
    assert_eq!(summary.exit_code, 0, "{what}: {summary:?}");
    let again = plan(scene, world, false).await;
    let left: Vec<&str> = again.steps.iter().map(|step| step.title.as_str()).collect();
    assert!(again.errors.is_empty() && left.is_empty(), "{what}: planning again yields {left:?} {:?}", again.errors);
    "converged"
}

async fn trial(dice: &mut Dice) -> &'static str {
    let Case { world, first, second } = &worlds::any(dice);
    let (world, scene) = (pipeline::world(world), Scene::new(worlds::ENVIRONMENT, first));
    let end = converge(&scene, &world, dice.chance(30), "the first declaration").await;
    if end != "converged" {
        return end;
    }
    Case::declare(&scene, second);
    let end = converge(&scene, &world, dice.chance(20), "the second declaration").await;
    // What was kept for a while has gone by then.
    world.advance(Duration::from_hours(24 * 8));
    if !end.starts_with("refused") {
        converge(&scene, &world, false, "the second declaration, a week later").await;
    }
    Case::declare(&scene, first);
    let back = converge(&scene, &world, false, "the first declaration again").await;
    if end.starts_with("refused") || back.starts_with("refused") { "converged once" } else { "converged there and back" }
}

#[test]
fn what_was_applied_is_what_was_declared() {
    let tally = try_all_async("properties::convergence::what_was_applied_is_what_was_declared", 200, trial);
    tally.at_most(25, "refused by the plan");
    tally.at_most(5, "refused by the service");
}
