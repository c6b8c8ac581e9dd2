//! The crash harness: the process dies before and after every call and every journal write, and every reply is lost once; then the run is resumed,
//! and separately rolled back, and separately its journal is lost and a new plan is made. The end is always the declared world or the
//! original one, nothing was called more often than it was intended, nothing protected was written, and planning again yields nothing.
//!
//! It knows nothing of kinds: a [`Trial`] is files and a world.

mod matrix;
pub mod trials;

use std::collections::BTreeMap;
use std::sync::Arc;

use switchover::apply::journal::Record;
use switchover::kinds;
use switchover::model::Json;
use switchover::plan::{Plan, Undo};
use switchover::world::sim::{Called, Fault, SimWorld};

use crate::support::pipeline::{self, End, Scene, Way};
use crate::support::{Die, MemoryStore};
use matrix::Matrix;

/// One case of one kind.
pub struct Trial {
    /// For the matrix.
    pub name: &'static str,
    /// The declaration.
    pub scene: Scene,
    /// The world before.
    pub world: Json,
    /// What makes two worlds the same: only what people would care about.
    pub essence: fn(&Json) -> Json,
}

/// What is done after a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Then {
    Resume,
    RollBack,
    LoseJournal,
}

/// Where a cell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Declared,
    Original,
    RefusedGone,
}

impl Trial {
    /// Tries every cell, prints the matrix, and fails on the first cell that ends elsewhere.
    pub async fn prove(&self) {
        let (calls, writes, declared) = self.straight().await;
        let mut matrix = Matrix::new(self.name, calls, writes);
        for then in [Then::Resume, Then::RollBack, Then::LoseJournal] {
            for at in 1..=calls {
                for die in [Die::BeforeCall(at), Die::AfterCall(at)] {
                    matrix.add(row(die), then, self.die(die, then, &declared).await);
                }
            }
            for at in 1..=writes {
                for die in [Die::BeforeWrite(at), Die::AfterWrite(at)] {
                    matrix.add(row(die), then, self.die(die, then, &declared).await);
                }
            }
        }
        for at in 1..=calls {
            matrix.add_alone("reply lost", self.lose_reply(at, &declared).await);
        }
        println!("{matrix}");
    }

    /// The run is done and turned back, and the process dies anywhere on that way; whoever goes on with it comes to the original world.
    pub async fn prove_back(&self) {
        let (calls, writes) = self.back(None).await;
        let mut matrix = Matrix::new(self.name, calls, writes);
        let deaths = (1..=calls).flat_map(|at| [Die::BeforeCall(at), Die::AfterCall(at)]);
        for die in deaths.chain((1..=writes).flat_map(|at| [Die::BeforeWrite(at), Die::AfterWrite(at)])) {
            self.back(Some(die)).await;
            matrix.add(row(die), Then::RollBack, Outcome::Original);
        }
        println!("{matrix}");
    }

    /// To the end and back again; gives the calls and journal writes of the way back.
    async fn back(&self, die: Option<Die>) -> (u64, u64) {
        let cell = format!("{}: done, then back, {die:?}", self.name);
        let (world, store) = (pipeline::world(&self.world), MemoryStore::new());
        let original = (self.essence)(&world.snapshot());
        let plan = self.plan(&world).await;
        let (end, _) = pipeline::run(&world, &store, &plan, Way::New, None).await;
        assert_eq!(end.code(), Some(0), "{cell}: {end:?}");
        let (calls, writes) = (world.calls().len(), store.appends());
        let (mut end, _) = pipeline::run(&world, &store, &plan, Way::Back, die).await;
        let made = ((world.calls().len() - calls) as u64, store.appends() - if die.is_none() { writes } else { 0 });
        if die.is_some() {
            assert!(matches!(end, End::Died), "{cell}: it did not die: {end:?}");
            (end, _) = pipeline::run(&world, &store, &plan, Way::Back, None).await;
        }
        assert_eq!(end.code(), Some(0), "{cell}: {end:?}");
        same(&(self.essence)(&world.snapshot()), &original, &cell);
        check_calls(&world, &store, &cell);
        made
    }

    /// The run without any fault: how many calls and journal writes it has, and the world it ends in.
    async fn straight(&self) -> (u64, u64, Json) {
        let (world, store) = (pipeline::world(&self.world), MemoryStore::new());
        let plan = self.plan(&world).await;
        assert!(!plan.steps.is_empty(), "{}: there is nothing to do", self.name);
        let before = world.calls().len();
        let (end, _) = pipeline::run(&world, &store, &plan, Way::New, None).await;
        assert_eq!(end.code(), Some(0), "{}: {end:?}", self.name);
        check_calls(&world, &store, "straight");
        let calls = world.calls().len() - before;
        self.nothing_left(&world, "straight").await;
        (calls as u64, store.appends(), (self.essence)(&world.snapshot()))
    }

    async fn plan(&self, world: &Arc<SimWorld>) -> Arc<Plan> {
        let plan = self.scene.plan(&**world).await;
        assert!(plan.errors.is_empty(), "{}: {:?}", self.name, plan.errors);
        Arc::new(plan)
    }

    async fn die(&self, die: Die, then: Then, declared: &Json) -> Outcome {
        let cell = format!("{}: {die:?}, then {then:?}", self.name);
        let (world, store) = (pipeline::world(&self.world), MemoryStore::new());
        let original = (self.essence)(&world.snapshot());
        let plan = self.plan(&world).await;
        let (end, _) = pipeline::run(&world, &store, &plan, Way::New, Some(die)).await;
        assert!(matches!(end, End::Died), "{cell}: it did not die: {end:?}");
        let journaled = pipeline::state(&*store, &plan).await;
        let outcome = match (then, journaled) {
            // Nothing was journaled, so nothing can have been done; there is nothing to resume, and the plan can be applied as it is.
            (Then::Resume | Then::RollBack, None) => {
                same(&(self.essence)(&world.snapshot()), &original, &cell);
                Outcome::Original
            }
            (Then::Resume, Some(_)) => {
                let (end, _) = pipeline::run(&world, &store, &plan, Way::On, None).await;
                assert_eq!(end.code(), Some(0), "{cell}: {end:?}");
                self.must_be(&world, declared, Outcome::Declared, &cell).await
            }
            (Then::RollBack, Some(state)) => {
                if !switchover::apply::engine::summary::gone(&state).is_empty() {
                    return Outcome::RefusedGone;
                }
                let (end, _) = pipeline::run(&world, &store, &plan, Way::Back, None).await;
                assert_eq!(end.code(), Some(0), "{cell}: {end:?}");
                same(&(self.essence)(&world.snapshot()), &original, &cell);
                Outcome::Original
            }
            (Then::LoseJournal, _) => {
                check_calls(&world, &store, &cell);
                store.lose();
                return self.plan_anew(&world, &store, declared, &cell).await;
            }
        };
        check_calls(&world, &store, &cell);
        outcome
    }

    /// Without a journal: what reality says is planned again, and applied, and then there is nothing left to do.
    async fn plan_anew(&self, world: &Arc<SimWorld>, store: &Arc<MemoryStore>, declared: &Json, cell: &str) -> Outcome {
        world.advance(std::time::Duration::from_hours(1));
        let plan = self.plan(world).await;
        if !plan.steps.is_empty() {
            let (end, _) = pipeline::run(world, store, &plan, Way::New, None).await;
            assert_eq!(end.code(), Some(0), "{cell}: {end:?}");
        }
        self.must_be(world, declared, Outcome::Declared, cell).await
    }

    async fn lose_reply(&self, at: u64, declared: &Json) -> Outcome {
        let cell = format!("{}: the reply of call {at} is lost", self.name);
        let (world, store) = (pipeline::world(&self.world), MemoryStore::new());
        let plan = self.plan(&world).await;
        let planned = world.calls().len() as u64;
        world.set_hook(Box::new(move |info| (info.number == planned + at).then_some(Fault::ReplyLost {})));
        let (end, _) = pipeline::run(&world, &store, &plan, Way::New, None).await;
        assert_eq!(end.code(), Some(0), "{cell}: {end:?}");
        check_calls(&world, &store, &cell);
        self.must_be(&world, declared, Outcome::Declared, &cell).await
    }

    async fn must_be(&self, world: &Arc<SimWorld>, wanted: &Json, outcome: Outcome, cell: &str) -> Outcome {
        let found = (self.essence)(&world.snapshot());
        same(&found, wanted, cell);
        self.nothing_left(world, cell).await;
        outcome
    }

    async fn nothing_left(&self, world: &Arc<SimWorld>, cell: &str) {
        let again = self.plan(world).await;
        let left: Vec<&str> = again.steps.iter().map(|step| step.id.as_str()).collect();
        assert!(left.is_empty(), "{cell}: planning again yields {left:?}");
    }
}

/// How often each call was intended, by the service's word for it.
fn intents(store: &Arc<MemoryStore>) -> BTreeMap<&'static str, usize> {
    let (mut intents, mut plan) = (BTreeMap::new(), None);
    for entry in store.entries() {
        match entry.record {
            Record::Begun { plan: begun, .. } => plan = Some(begun),
            Record::Intent { step, undo, .. } => {
                let planned = plan.as_ref().and_then(|plan| plan.steps.iter().find(|one| one.id == step)).unwrap();
                let operation = match (undo, &planned.undo) {
                    (Some(index), Undo::Operations { operations, .. }) => &operations[index],
                    _ => &planned.operation,
                };
                let operation = kinds::find(&planned.address.kind).unwrap().decode(operation).unwrap();
                *intents.entry(operation.name()).or_default() += 1;
            }
            _ => {}
        }
    }
    intents
}

/// No call was made more often than it was intended, and none touched what is protected.
fn check_calls(world: &Arc<SimWorld>, store: &Arc<MemoryStore>, cell: &str) {
    let writes: Vec<Called> = world.calls().into_iter().filter(|called| called.info.write && called.info.call != "slack:post").collect();
    let intents = intents(store);
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    for called in &writes {
        *made.entry(called.info.call).or_default() += 1;
    }
    for (call, count) in made {
        let intended = intents.get(call).copied().unwrap_or_default();
        assert!(count <= intended, "{cell}: {call} was made {count} times for {intended} intents");
    }
    for called in &writes {
        assert!(!called.info.target.to_lowercase().contains("prod"), "{cell}: {called:?}");
    }
    let mut effects: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for called in writes.iter().filter(|called| called.effect && called.info.call == "rds:RestoreDBInstanceFromDBSnapshot") {
        *effects.entry((called.info.call, called.info.target.as_str())).or_default() += 1;
    }
    assert!(effects.values().all(|count| *count == 1), "{cell}: {effects:?}");
}

fn row(die: Die) -> &'static str {
    match die {
        Die::BeforeWrite(_) => "before journal write",
        Die::AfterWrite(_) => "after journal write",
        Die::BeforeCall(_) => "before call",
        Die::AfterCall(_) => "after call",
    }
}

/// Fails with the lines that differ, and no others.
fn same(found: &Json, wanted: &Json, cell: &str) {
    if found != wanted {
        let (wanted, found) = (serde_json::to_string_pretty(wanted).unwrap(), serde_json::to_string_pretty(found).unwrap());
        let diff = similar::TextDiff::from_lines(&wanted, &found);
        panic!("{cell}: another world than wanted\n{}", diff.unified_diff().context_radius(2).header("wanted", "found"));
    }
}
