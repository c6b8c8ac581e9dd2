//! The crash harness's trials, made ready to be run many times: planned once, each run in a copy of the world.

use std::sync::Arc;

use switchover::apply::engine::Program;
use switchover::declare::Desired;
use switchover::model::Json;
use switchover::plan::Plan;
use switchover::world::sim::SimWorld;

use super::workers::block_on;
use crate::crash::{Trial, trials};
use crate::support::MemoryStore;
use crate::support::pipeline::{self, Way};

/// One trial, ready.
pub struct Case {
    pub name: &'static str,
    pub essence: fn(&Json) -> Json,
    pub desired: Desired,
    pub plan: Arc<Plan>,
    /// The same, ready.
    pub program: Arc<Program>,
    /// The world in which the run begins.
    pub world: Arc<SimWorld>,
    /// Its journal then: that of a finished run, for those that go back.
    pub journal: Arc<MemoryStore>,
    pub way: Way,
    pub original: Json,
    pub declared: Json,
    /// The calls of a run without faults, in order: whether each writes.
    pub calls: Vec<bool>,
}

impl Case {
    /// The world once more, untouched.
    pub fn world(&self) -> Arc<SimWorld> {
        copy(&self.world)
    }

    async fn forward(trial: Trial) -> Case {
        let world = pipeline::world(&trial.world);
        let desired = trial.scene.desired(&*world);
        let plan = Arc::new(pipeline::plan_of(&desired, &*world).await);
        assert!(plan.errors.is_empty() && !plan.steps.is_empty(), "{}: {:?}", trial.name, plan.errors);
        let (ran, store) = (copy(&world), MemoryStore::new());
        let (end, _) = pipeline::run(&ran, &store, &plan, Way::New, None).await;
        assert_eq!(end.code(), Some(0), "{}: {end:?}", trial.name);
        let essence = trial.essence;
        Case {
            name: trial.name,
            essence,
            desired,
            program: pipeline::program(&plan),
            plan,
            original: essence(&world.snapshot()),
            declared: essence(&ran.snapshot()),
            calls: ran.calls().iter().map(|called| called.info.write).collect(),
            world,
            journal: MemoryStore::new(),
            way: Way::New,
        }
    }

    /// The way back of a run that is done.
    async fn backward(name: &'static str, trial: Trial) -> Case {
        let forward = Case::forward(trial).await;
        let (world, journal) = (forward.world(), MemoryStore::new());
        pipeline::run(&world, &journal, &forward.plan, Way::New, None).await;
        let ran = copy(&world);
        let (end, _) = pipeline::run(&ran, &journal.copy(), &forward.plan, Way::Back, None).await;
        assert_eq!(end.code(), Some(0), "{name}: {end:?}");
        let calls = ran.calls().iter().map(|called| called.info.write).collect();
        Case { name, world: copy(&world), journal, way: Way::Back, calls, ..forward }
    }
}

fn copy(world: &Arc<SimWorld>) -> Arc<SimWorld> {
    let copy = world.copy();
    copy.allow_time(true);
    copy
}

/// Every trial of both kinds, and two ways back.
pub fn all() -> Vec<Case> {
    block_on(async {
        let mut cases = Vec::new();
        for trial in [
            trials::refresh(),
            trials::late_backups(),
            trials::kept_old(),
            trials::modification(),
            trials::two_zones(),
            trials::records_of_all_sorts(),
        ] {
            cases.push(Case::forward(trial).await);
        }
        cases.push(Case::backward("database refresh, turned back", trials::kept_old()).await);
        cases.push(Case::backward("dns swap, turned back", trials::two_zones()).await);
        cases
    })
}
