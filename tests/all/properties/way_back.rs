//! The way back from anywhere: a run that died after any number of calls and journal records, or that was done, is rolled back, and the world
//! is the original one; what cannot be undone is refused by name.

use switchover::apply::engine::summary;

use super::stage::{essence, plan, same};
use super::trials::{Dice, try_all_async};
use super::worlds;
use crate::support::pipeline::{self, End, Way};
use crate::support::{Die, MemoryStore, Scene};

/// More calls and records than most runs have, so that some are done before the process would die.
const MOMENTS: u64 = 60;

fn death(dice: &mut Dice) -> Die {
    // Most runs are short, and their first moments must not be rare.
    let most = *dice.one(&[8, 20, MOMENTS, MOMENTS * 3]);
    let at = dice.number(1, most);
    *dice.one(&[Die::BeforeCall(at), Die::AfterCall(at), Die::BeforeWrite(at), Die::AfterWrite(at)])
}

async fn trial(dice: &mut Dice) -> &'static str {
    let case = worlds::any(dice);
    let (world, store) = (pipeline::world(&case.world), MemoryStore::new());
    let scene = Scene::new(worlds::ENVIRONMENT, if dice.chance(50) { &case.first } else { &case.second });
    let planned = plan(&scene, &world, dice.chance(40)).await;
    if planned.steps.is_empty() || !planned.errors.is_empty() {
        return "no plan";
    }
    let original = essence(&world.snapshot());
    let mut die = Some(death(dice));
    let mut way = Way::New;
    // The process may die again on its way, forwards and backwards.
    loop {
        let forwards = !matches!(way, Way::Back);
        let (end, _) = pipeline::run(&world, &store, &planned, way, die).await;
        let Some(state) = pipeline::state(&*store, &planned).await else {
            same(&essence(&world.snapshot()), &original, "nothing is journaled, and something was done");
            return "died before it began";
        };
        let gone = summary::gone(&state);
        if !gone.is_empty() {
            assert!(gone.iter().all(|(id, lost)| !id.is_empty() && !lost.is_empty()), "{gone:?}");
            return "cannot be undone, and says so";
        }
        match end {
            // Records of types that nobody can declare can be removed and not be made again: the plan has warned of it, and the report names it.
            End::Ended(ended) if ended.exit_code == 5 && planned.warnings.iter().any(|warning| warning.contains("may refuse to take them again")) => {
                assert!(ended.needs.iter().any(|need| need.contains("LOC")), "{ended:?}");
                return "refused by the service, as the plan said";
            }
            End::Ended(ended) if !forwards => {
                assert_eq!(ended.exit_code, 0, "{ended:?}");
                same(&essence(&world.snapshot()), &original, &format!("it died ({die:?}), was rolled back, and is not as it was"));
                return "as it was";
            }
            End::Ended(ended) if ended.exit_code == 4 => {
                same(&essence(&world.snapshot()), &original, "it failed, and is not as it was");
                return "refused by the service";
            }
            End::Ended(ended) => assert_eq!(ended.exit_code, 0, "{ended:?}"),
            End::Died => {}
        }
        (die, way) = match dice.number(0, 9) {
            0 if forwards => (Some(death(dice)), Way::On),
            1..=3 => (Some(death(dice)), Way::Back),
            _ => (None, Way::Back),
        };
    }
}

#[test]
fn a_run_is_rolled_back_from_wherever_it_died() {
    let tally = try_all_async("properties::way_back::a_run_is_rolled_back_from_wherever_it_died", 250, trial);
    tally.at_most(40, "no plan");
    assert!(tally.of("as it was") > 0, "{tally}");
}
