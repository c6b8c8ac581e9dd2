//! SIGKILL at random moments of `apply`, `resume` and `rollback` over the real services, up to three times one after the other: the refresh of a
//! database and the swap of two zones. A few trials that go on in every test
//! run; `scripts/prove-kill N --world real` says how many, and turns back, too.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use switchover::apply::journal::Entry;
use tokio::runtime::Runtime;

use super::project::{Ended, Project};
use super::staging::{Staging, WRITES};
use super::zones::{Publishing, Zones};
use crate::kill::{Told, moment, number, side_by_side, verdict};
use crate::services::moto::Moto;
use crate::support::journals::Journals;

/// What is in a region of moto is one trial's alone; when these are used up there is another moto.
const REGIONS: [&str; 12] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-northeast-1",
    "sa-east-1",
];
/// Most of a run is waiting.
const AT_ONCE: usize = 3;
const COUNT: &str = "SWITCHOVER_PROVE_REAL";
const TRIALS: u64 = 3;

/// Gives each trial a region of its own.
#[derive(Default)]
struct Regions {
    used: usize,
    moto: Option<&'static Moto>,
}

impl Regions {
    /// None where the services are missing.
    fn next(&mut self) -> Option<(&'static Moto, &'static str)> {
        let at = self.used % REGIONS.len();
        if at == 0 {
            // It is there until the tests end: a process of a trial may still speak with the one before.
            self.moto = Moto::start().map(|moto| &*Box::leak(Box::new(moto)));
        }
        self.used += 1;
        Some((self.moto?, REGIONS[at]))
    }
}

/// What is disturbed: an environment with a saved plan.
struct Story<'a> {
    project: &'a Project,
    environment: &'static str,
    plan: &'static str,
    /// Events that an undisturbed run tells.
    events: usize,
}

impl Story<'_> {
    fn entries(&self) -> Vec<Vec<Entry>> {
        Journals::Local.runs(&self.project.path(""), "", self.environment)
    }

    fn last(&self) -> Vec<Entry> {
        self.entries().pop().unwrap_or_default()
    }

    fn words(&self, verb: &str) -> Vec<&str> {
        match verb {
            "apply" => vec!["apply", self.plan, "--json"],
            "resume" => vec!["resume", self.environment, "--json"],
            _ => vec!["rollback", self.environment, "--yes", "--json"],
        }
    }

    /// After what the journal says: a run that was never begun is applied, one that was can go on or, by hand alone, back: that may have to look
    /// for a late effect for five real minutes.
    fn draw(&self, rng: &mut fastrand::Rng) -> &'static str {
        match (self.last().is_empty(), rng.bool() || number(COUNT).is_none()) {
            (true, _) => "apply",
            (false, true) => "resume",
            (false, false) => "rollback",
        }
    }

    /// Kills up to three processes, and lets another one come to its end. Gives where the kills fell, and whether the run was turned back.
    fn disturb(&self, rng: &mut fastrand::Rng) -> (Vec<(String, String)>, bool) {
        let (mut rows, mut next) = (Vec::new(), "apply");
        for strike in 0..rng.u8(1..=3) {
            let events = rng.usize(..if strike == 0 { self.events } else { self.events / 2 });
            let pause = Duration::from_millis(rng.u64(..400));
            let killed = next;
            if let Some(ended) = self.project.start(&self.words(killed)).kill_after(events, pause) {
                self.fine(killed, &ended);
                rows.push((format!("{killed} had ended"), "nothing".to_owned()));
                break;
            }
            let fell = moment::of(&self.last());
            next = self.draw(rng);
            rows.push((format!("{killed}: {fell}"), next.to_owned()));
        }
        self.fine(next, &self.project.run(&self.words(next)));
        // Goes on where what is gone could not be turned back; else there is nothing to do.
        self.fine("resume", &self.project.run(&self.words("resume")));
        let state = verdict::state(&self.last()).expect("there was a run");
        assert_eq!(state.finished.map(|summary| summary.exit_code), Some(0), "the run has ended well");
        (rows, state.turned_back.is_some())
    }

    /// A command ends with 0; a rollback is refused where something is gone; a plan that was applied to its end is not applied again.
    fn fine(&self, verb: &str, ended: &Ended) {
        let entries = self.last();
        let over = verdict::state(&entries).is_some_and(|state| state.finished.is_some());
        let fine = match (verb, ended.code) {
            (_, Some(0)) => true,
            ("rollback", Some(1)) => verdict::is_gone(&entries) && ended.stderr.contains("cannot be rolled back"),
            ("apply", Some(6)) => over && ended.stderr.contains("applied already"),
            _ => false,
        };
        assert!(fine, "{verb} ended with {:?}:\n{}\n{}", ended.code, ended.stdout, ended.stderr);
    }
}

/// How often each call was made well, by the service's word for it as the intents have it.
fn calls(writes: &[String]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for write in writes.iter().filter(|write| !write.contains("(answer")) {
        let call = match write.split(' ').next().unwrap() {
            "tag" => "rds:AddTagsToResource",
            "untag" => "rds:RemoveTagsFromResource",
            "restore" => "rds:RestoreDBInstanceFromDBSnapshot",
            "modify" | "rename" => "rds:ModifyDBInstance",
            "delete" => "rds:DeleteDBInstance",
            "reboot" => "rds:RebootDBInstance",
            other => panic!("a call that no plan has: {other}"),
        };
        *counts.entry(call).or_default() += 1;
    }
    counts
}

async fn refresh(moto: &'static Moto, region: &'static str, seed: u64) -> Option<Told> {
    let staging = Staging::build_on(moto, region, &format!("killed_{}_{}", region.replace('-', "_"), fastrand::u32(..)), false).await?;
    staging.plan();
    let story = Story { project: &staging.project, environment: "staging", plan: "plans/staging.json", events: 50 };
    let (rows, back) = story.disturb(&mut fastrand::Rng::with_seed(seed));
    let (writes, intents) = (staging.writes(), verdict::intents(&story.entries()));
    for (call, count) in calls(&writes) {
        let intended = intents.get(call).copied().unwrap_or_default();
        assert!(count <= intended, "{call} had its effect {count} times for {intended} intents: {writes:?}");
    }
    if back {
        staging.is_as_it_was().await;
        staging.project.run(&["plan", "staging", "--detailed-exitcode"]).expect(2);
        return Some(Told { rows, outcome: verdict::ORIGINAL });
    }
    staging.is_refreshed().await;
    let effects: Vec<&String> = writes.iter().filter(|write| !write.contains("(answer")).collect();
    assert_eq!(effects, WRITES.iter().collect::<Vec<_>>(), "every call had its effect once");
    Some(Told { rows, outcome: verdict::DECLARED })
}

async fn swap(seed: u64) -> Option<Told> {
    let zones = Zones::build(Publishing::Always).await?;
    let before = zones.records();
    zones.edit_to_sydney();
    zones.project.plan("gigadb", "plans/gigadb.json");
    let story = Story { project: &zones.project, environment: "gigadb", plan: "plans/gigadb.json", events: 20 };
    let (rows, back) = story.disturb(&mut fastrand::Rng::with_seed(seed));
    let intended: usize =
        verdict::intents(&story.entries()).into_iter().filter(|(call, _)| call.starts_with("cloudflare:")).map(|(_, count)| count).sum();
    let batches = zones.batches().len();
    assert!(batches <= intended, "{batches} batches for {intended} intents");
    if back {
        assert_eq!(zones.records(), before);
        zones.answers_follow().await;
        zones.project.run(&["plan", "gigadb", "--detailed-exitcode"]).expect(2);
        return Some(Told { rows, outcome: verdict::ORIGINAL });
    }
    zones.is_swapped(&before).await;
    assert_eq!(batches, 2, "each zone's went out once");
    Some(Told { rows, outcome: verdict::DECLARED })
}

#[test]
fn runs_over_real_services_survive_being_killed_at_random_moments() {
    let count = number(COUNT).unwrap_or(TRIALS);
    let regions: Mutex<Regions> = Mutex::default();
    if count == 0 || regions.lock().unwrap().next().is_none() {
        return;
    }
    let replay = |seed| format!("scripts/prove-kill 1 --world real --seed {seed}");
    side_by_side("KILL, real services", count, AT_ONCE, &replay, &|seed| {
        let told = Runtime::new().unwrap().block_on(async {
            if seed.is_multiple_of(3) {
                return swap(seed).await;
            }
            let (moto, region) = regions.lock().unwrap().next()?;
            refresh(moto, region, seed).await
        });
        told.unwrap_or(Told { rows: Vec::new(), outcome: "nowhere, for want of a service" })
    });
}
