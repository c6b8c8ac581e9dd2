//! Whole runs in the simulated world, driven by a loop as plain as can be: look, start, look. Each call that writes is a place
//! where the run may die.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::super::desired::{Check, Expect, FirstBackup, Wanted};
use super::super::intent::Intent;
use super::super::marks::{self, Owner};
use super::super::{diff, facts, fixture, observe, plan};
use crate::apply::operation::{Cx, Look, Notes, Outputs, StartCx};
use crate::declare::Desired;
use crate::diff::{DiffCx, Exchange};
use crate::model::{Address, Json};
use crate::observe::ObserveCx;
use crate::plan::{Part, PlanCx, Step, Undo};
use crate::world::Readers;
use crate::world::rds::Instance;
use crate::world::sim::{SimOptions, SimWorld};

const EXAMPLE: &str = include_str!("../../../../examples/openverse/world.json");

/// The example's world, with the staging database protected.
fn world() -> Arc<SimWorld> {
    let mut json: Json = serde_json::from_str(EXAMPLE).unwrap();
    let instances = "/aws/accounts/111122223333/regions/us-east-1/instances";
    for instance in json.pointer_mut(instances).unwrap().as_object_mut().unwrap().values_mut() {
        instance["settings"]["deletion_protection"] = json!(true);
    }
    let world = SimWorld::from_json(&json, SimOptions { seed: Some(1), pace: None }).unwrap();
    world.allow_time(true);
    world
}

fn wanted() -> Wanted {
    let name = "dev-openverse-db".to_owned();
    let mut wanted = fixture::wanted();
    wanted.address = Address::new("database", name.clone());
    wanted.owner = Owner { environment: "staging".to_owned(), resource: wanted.address.to_string() };
    (wanted.next, wanted.old) = (format!("{name}-next"), format!("{name}-old"));
    wanted.name = name;
    wanted.refresh.as_mut().unwrap().source = "prod-openverse-db".to_owned();
    wanted.scrub = vec!["TRUNCATE TABLE api_throttledapplication, api_oauth2registration RESTART IDENTITY CASCADE".to_owned()];
    let sql = "SELECT count(*) FROM api_throttledapplication".to_owned();
    wanted.checks = vec![Check { title: "applications are gone".to_owned(), sql, expect: vec![Expect::Equals(json!(0))] }];
    wanted
}

/// Why a run ended early.
#[derive(Debug, PartialEq)]
enum End {
    /// The process died, and its journal with it.
    Died,
    /// A step failed, or what it relied on had changed.
    Failed(String),
}

struct Journal {
    outputs: Mutex<BTreeMap<String, Outputs>>,
    step: String,
}

#[async_trait]
impl Notes for Journal {
    async fn keep(&self, name: &str, value: &str) -> Result<(), String> {
        self.outputs.lock().unwrap().entry(self.step.clone()).or_default().insert(name.to_owned(), Json::from(value));
        Ok(())
    }
}

/// One run: its plan, what it knows, and how many writes it may still make.
struct Run<'a> {
    world: &'a Arc<SimWorld>,
    desired: &'a Desired,
    part: Part,
    id: String,
    outputs: BTreeMap<String, Outputs>,
    begun: Vec<usize>,
    writes_left: Option<u32>,
    dies_at_once: bool,
}

impl Run<'_> {
    async fn operation(&mut self, step: &Step, operation: &Json) -> Result<(), End> {
        let op = super::decode(operation).unwrap();
        let clock = self.world.clock();
        let (begin, mut started) = (clock.now(), None);
        loop {
            let outputs = self.outputs.clone();
            let readers: &dyn Readers = &**self.world;
            let cx =
                Cx { readers, providers: &self.desired.providers, environment: "staging", run: &self.id, step: &step.id, outputs: &outputs, started };
            match op.look(&cx).await.map_err(|error| End::Failed(error.to_string()))? {
                Look::Done { outputs, .. } => {
                    self.outputs.entry(step.id.clone()).or_default().extend(outputs);
                    return Ok(());
                }
                Look::Conflict(why) => return Err(End::Failed(format!("{}: {why}", step.id))),
                Look::Pending if started.is_none() => {
                    if self.writes_left == Some(0) {
                        return Err(End::Died);
                    }
                    started = Some(clock.now());
                    let journal = Journal { outputs: Mutex::new(outputs.clone()), step: step.id.clone() };
                    let start = StartCx { cx: &cx, writers: &**self.world, notes: &journal, protect: &[] };
                    let said = op.start(&start).await;
                    self.outputs = journal.outputs.into_inner().unwrap();
                    said.map_err(|error| End::Failed(format!("{}: {error}", step.id)))?;
                    self.writes_left = self.writes_left.map(|left| left - 1);
                    if self.dies_at_once && self.writes_left == Some(0) {
                        return Err(End::Died);
                    }
                }
                Look::Pending | Look::Settling(_) | Look::Missing(_) => clock.sleep(Duration::from_secs(15)).await,
            }
            if crate::model::time::between(begin, clock.now()) > step.limits.timeout {
                return Err(End::Failed(format!("{} took too long", step.id)));
            }
        }
    }

    async fn forward(&mut self) -> Result<(), End> {
        for index in 0..self.part.steps.len() {
            let step = self.part.steps[index].clone();
            for fact in self.part.facts.iter().filter(|fact| step.facts.contains(&fact.id)) {
                let readers: &dyn Readers = &**self.world;
                let none = BTreeMap::new();
                let cx = Cx {
                    readers,
                    providers: &self.desired.providers,
                    environment: "staging",
                    run: &self.id,
                    step: &step.id,
                    outputs: &none,
                    started: None,
                };
                let value = facts::read(&fact.read, &cx).await.unwrap();
                if value != fact.value {
                    return Err(End::Failed(format!("{} is stale: {value}", fact.id)));
                }
            }
            self.begun.push(index);
            self.operation(&step, &step.operation).await?;
        }
        Ok(())
    }

    /// As [`Run::forward`], but the last write that it may make is the last thing it does.
    async fn forward_or_die_at_once(&mut self) -> Result<(), End> {
        self.dies_at_once = true;
        self.forward().await
    }

    async fn back_or_die_at_once(&mut self) -> Result<(), End> {
        self.dies_at_once = true;
        self.back().await
    }

    async fn back(&mut self) -> Result<(), End> {
        while let Some(index) = self.begun.pop() {
            let step = self.part.steps[index].clone();
            match &step.undo {
                Undo::Operations { operations, .. } => {
                    for operation in operations {
                        self.operation(&step, operation).await?;
                    }
                }
                Undo::Impossible(why) => return Err(End::Failed(why.clone())),
                Undo::Nothing | Undo::Keep(_) => {}
            }
        }
        Ok(())
    }
}

async fn plan_now<'a>(world: &'a Arc<SimWorld>, desired: &'a Desired, wanted: &Wanted, run: &str) -> Option<Run<'a>> {
    let seen = observe::read(wanted, &ObserveCx { readers: &**world, desired }).await.unwrap();
    let now = world.clock().now();
    let change = diff::diff(wanted.clone(), &seen, &DiffCx { now, desired, refresh: &BTreeSet::new() }).unwrap();
    let intent = change.detail.as_ref()?.downcast_ref::<Intent>().unwrap();
    let part = plan::plan(intent, &seen, &PlanCx { now, run, desired, exchange: &Exchange::default() });
    Some(Run { world, desired, part, id: run.to_owned(), outputs: BTreeMap::new(), begun: Vec::new(), writes_left: None, dies_at_once: false })
}

fn desired() -> Desired {
    fixture::desired()
}

async fn named(world: &Arc<SimWorld>, name: &str) -> Option<Instance> {
    let desired = desired();
    world.rds(desired.aws("aws").unwrap()).await.unwrap().instance(name).await.unwrap()
}

/// The declared world: the newest snapshot under the name, everything as before, nothing left over, and nothing more to do.
async fn assert_declared(world: &Arc<SimWorld>, wanted: &Wanted, before: &Instance, why: &str) {
    let now = named(world, &wanted.name).await.unwrap_or_else(|| panic!("{why}: no instance"));
    assert_eq!(now.tags.get(marks::SNAPSHOT).map(String::as_str), Some("rds:prod-openverse-db-2026-11-05-00-07"), "{why}");
    assert_eq!(now.settings, before.settings, "{why}");
    assert_eq!(marks::of_people(&now.tags), marks::of_people(&before.tags), "{why}");
    assert!(named(world, &wanted.next).await.is_none() && named(world, &wanted.old).await.is_none(), "{why}: left-overs");
    assert!(plan_now(world, &desired(), wanted, "again").await.is_none(), "{why}: there is more to do");
}

#[tokio::test]
async fn a_refresh_ends_in_the_declared_world_and_planning_again_yields_nothing() {
    for first_backup in [FirstBackup::BeforeSwitch, FirstBackup::AfterSwitch] {
        let (world, desired, mut wanted) = (world(), desired(), wanted());
        wanted.refresh.as_mut().unwrap().first_backup = first_backup;
        let before = named(&world, &wanted.name).await.unwrap();
        let mut run = plan_now(&world, &desired, &wanted, "run-1").await.unwrap();
        run.forward().await.unwrap();
        assert_declared(&world, &wanted, &before, "refreshed").await;
    }
}

#[tokio::test]
async fn a_kept_old_one_can_still_take_over_again() {
    let (world, desired, mut wanted) = (world(), desired(), wanted());
    wanted.refresh.as_mut().unwrap().keep_old = Duration::from_hours(24);
    let before = named(&world, &wanted.name).await.unwrap();
    let mut run = plan_now(&world, &desired, &wanted, "run-1").await.unwrap();
    run.forward().await.unwrap();
    assert!(plan_now(&world, &desired, &wanted, "again").await.is_none(), "it is kept, and nothing is to do");
    run.back().await.unwrap();
    let after = named(&world, &wanted.name).await.unwrap();
    assert_eq!((&after.resource_id, &after.tags), (&before.resource_id, &before.tags));
    assert!(named(&world, &wanted.next).await.is_none());
}

#[tokio::test]
async fn a_kept_old_one_goes_when_its_time_has_passed() {
    let (world, desired, mut wanted) = (world(), desired(), wanted());
    wanted.refresh.as_mut().unwrap().keep_old = Duration::from_hours(24);
    let before = named(&world, &wanted.name).await.unwrap();
    plan_now(&world, &desired, &wanted, "run-1").await.unwrap().forward().await.unwrap();
    world.advance(Duration::from_hours(48));
    let mut run = plan_now(&world, &desired, &wanted, "run-2").await.unwrap();
    run.forward().await.unwrap();
    assert_declared(&world, &wanted, &before, "kept").await;
}

#[tokio::test]
async fn a_failed_check_leaves_the_world_as_it_was() {
    let (world, desired, mut wanted) = (world(), desired(), wanted());
    wanted.checks[0].expect = vec![Expect::Equals(json!(7))];
    let before = named(&world, &wanted.name).await.unwrap();
    let mut run = plan_now(&world, &desired, &wanted, "run-1").await.unwrap();
    let Err(End::Failed(why)) = run.forward().await else { panic!("the check passed") };
    assert!(why.contains("the answer is 0; 7 was expected"), "{why}");
    run.back().await.unwrap();
    assert_eq!(named(&world, &wanted.name).await.unwrap(), before);
    assert!(named(&world, &wanted.next).await.is_none());
}

#[tokio::test]
async fn a_changed_setting_is_modified_in_place_and_can_be_set_back() {
    let (world, desired, mut wanted) = (world(), desired(), wanted());
    plan_now(&world, &desired, &wanted, "run-1").await.unwrap().forward().await.unwrap();
    let before = named(&world, &wanted.name).await.unwrap();
    wanted.settings.insert("instance_class".to_owned(), json!("db.m5.2xlarge"));
    wanted.settings.insert("backup_retention_period".to_owned(), json!(3));
    wanted.tags.insert("Team".to_owned(), "data".to_owned());
    let mut run = plan_now(&world, &desired, &wanted, "run-2").await.unwrap();
    run.forward().await.unwrap();
    let after = named(&world, &wanted.name).await.unwrap();
    assert_eq!((&after.settings["instance_class"], after.tags["Team"].as_str()), (&json!("db.m5.2xlarge"), "data"));
    assert_eq!(after.resource_id, before.resource_id);
    assert!(plan_now(&world, &desired, &wanted, "again").await.is_none());
    run.back().await.unwrap();
    let back = named(&world, &wanted.name).await.unwrap();
    assert_eq!((back.settings, back.tags), (before.settings, before.tags));
}

#[tokio::test]
async fn a_first_one_is_made_proven_and_named() {
    let (world, desired, mut wanted) = (world(), desired(), wanted());
    wanted.name = "new-openverse-db".to_owned();
    (wanted.next, wanted.old) = ("new-openverse-db-next".to_owned(), "new-openverse-db-old".to_owned());
    wanted.settings.insert("instance_class".to_owned(), json!("db.m5.large"));
    wanted.settings.insert("db_subnet_group_name".to_owned(), json!("default"));
    wanted.groups = Some(vec!["staging-dev-rds-sg".to_owned(), "default".to_owned()]);
    let mut run = plan_now(&world, &desired, &wanted, "run-1").await.unwrap();
    run.forward().await.unwrap();
    let made = named(&world, &wanted.name).await.unwrap();
    assert_eq!(made.settings["vpc_security_groups"], json!(["sg-0a11c0ffee0000001", "sg-0a11c0ffee0000003"]));
    assert!(plan_now(&world, &desired, &wanted, "again").await.is_none());
    run.back().await.unwrap();
    assert!(named(&world, &wanted.name).await.is_none() && named(&world, &wanted.next).await.is_none());
}

/// How many writes an undisturbed run makes.
async fn count_writes(wanted: &Wanted) -> u32 {
    let (world, desired) = (world(), desired());
    let mut run = plan_now(&world, &desired, wanted, "run-1").await.unwrap();
    run.writes_left = Some(1_000);
    run.forward().await.unwrap();
    1_000 - run.writes_left.unwrap()
}

#[tokio::test]
async fn turning_back_works_after_every_write_before_the_old_one_goes() {
    let wanted = wanted();
    let writes = count_writes(&wanted).await;
    for writes_made in 0..writes {
        let (world, desired) = (world(), desired());
        let before = named(&world, &wanted.name).await.unwrap();
        let mut run = plan_now(&world, &desired, &wanted, "run-1").await.unwrap();
        run.writes_left = Some(writes_made);
        assert_eq!(run.forward().await, Err(End::Died));
        let dying = run.part.steps[*run.begun.last().unwrap()].id.clone();
        if run.begun.iter().any(|index| matches!(run.part.steps[*index].undo, Undo::Impossible(_))) {
            continue;
        }
        run.writes_left = None;
        run.back().await.unwrap_or_else(|why| panic!("{dying} after {writes_made} writes: {why:?}"));
        let after = named(&world, &wanted.name).await.unwrap();
        assert_eq!((after.resource_id, after.settings, after.tags), (before.resource_id, before.settings, before.tags), "{dying}");
        assert!(named(&world, &wanted.next).await.is_none(), "{dying}");
    }
}

/// Plans and applies until there is nothing to do; each failed run turns back first.
async fn converge(world: &Arc<SimWorld>, wanted: &Wanted, before: &Instance, why: &str) {
    let desired = desired();
    let mut ends = Vec::new();
    for round in 0..4 {
        let Some(mut next) = plan_now(world, &desired, wanted, &format!("run-{}", round + 2)).await else { break };
        if let Err(end) = next.forward().await {
            ends.push(end);
            next.back().await.unwrap_or_else(|end| panic!("{why}: {ends:?}: {end:?}"));
        }
    }
    assert!(ends.len() < 3, "{why}: {ends:?}");
    assert_declared(world, wanted, before, &format!("{why}: {ends:?}")).await;
}

/// The moment of planning anew: right after the last call, or once its effect shows in one way or another.
const LATER_SECONDS: [u64; 6] = [0, 45, 90, 150, 240, 600];

#[tokio::test]
async fn without_a_journal_planning_anew_ends_in_the_declared_world_from_everywhere() {
    for first_backup in [FirstBackup::BeforeSwitch, FirstBackup::AfterSwitch] {
        let mut wanted = wanted();
        wanted.refresh.as_mut().unwrap().first_backup = first_backup;
        let writes = count_writes(&wanted).await;
        for (writes_made, later) in (0..=writes).flat_map(|made| LATER_SECONDS.map(|later| (made, later))) {
            let (world, desired) = (world(), desired());
            let before = named(&world, &wanted.name).await.unwrap();
            let mut run = plan_now(&world, &desired, &wanted, "run-1").await.unwrap();
            run.writes_left = Some(writes_made);
            let _ = run.forward_or_die_at_once().await;
            let step = run.part.steps[*run.begun.last().unwrap()].id.clone();
            world.advance(Duration::from_secs(later));
            converge(&world, &wanted, &before, &format!("{first_backup:?}: died after {writes_made} writes in {step}, {later} s ago")).await;
        }
    }
}

#[tokio::test]
async fn a_way_back_that_dies_without_a_journal_is_no_dead_end_either() {
    let wanted = wanted();
    let writes = count_writes(&wanted).await;
    for (made, undone) in (1..writes - 1).flat_map(|made| (0..=made).map(move |undone| (made, undone))) {
        for later in LATER_SECONDS {
            let (world, desired) = (world(), desired());
            let before = named(&world, &wanted.name).await.unwrap();
            let mut run = plan_now(&world, &desired, &wanted, "run-1").await.unwrap();
            run.writes_left = Some(made);
            assert_eq!(run.forward().await, Err(End::Died));
            run.begun.pop();
            run.writes_left = Some(undone);
            let _ = run.back_or_die_at_once().await;
            world.advance(Duration::from_secs(later));
            converge(&world, &wanted, &before, &format!("died after {made} writes and {undone} of the way back, {later} s ago")).await;
        }
    }
}

#[tokio::test]
async fn the_example_is_read_planned_and_carried_out() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/openverse");
    let location = crate::declare::locate(&root, "staging").unwrap();
    let inputs = crate::declare::Inputs {
        kinds: &[&super::super::KIND],
        variables: crate::declare::VariableSources::default(),
        env: &|_| None,
        now: fixture::now(),
    };
    let reading = crate::declare::read(&location, &inputs).unwrap();
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    let desired = reading.desired.unwrap();
    let wanted = Wanted::read(&desired.resources[0], &desired).unwrap();
    assert_eq!((wanted.scrub.len(), wanted.checks.len()), (2, 2));
    let world = world();
    plan_now(&world, &desired, &wanted, "run-1").await.unwrap().forward().await.unwrap();
    assert!(plan_now(&world, &desired, &wanted, "again").await.is_none());
}
