//! The outage of a rename dance: as short as its renames let it be, and told to the second.
//!
//! What the run tells is held against the world's own log, in which every call stands with its moment and what it set off: the outage begins when the first
//! rename is taken, and ends when the last phase of the second one does and the name answers again.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use switchover::apply::event::{Event, EventKind};
use switchover::model::time::{self, Timestamp};
use switchover::world::sim::{SimOptions, SimWorld};

use super::stage::plan;
use super::trials::{Dice, try_all_async};
use crate::support::pipeline::{self, Way};
use crate::support::{MemoryStore, Scene};

const MINUTE: u64 = 60;
/// The pause between two looks during an outage.
const LOOK_SECONDS: u64 = 1;

/// Seconds of the four parts of a rename: not seen, seen, hidden, restarting. A rename takes from one second to half an hour.
fn parts(dice: &mut Dice) -> [u64; 4] {
    let total = if dice.chance(50) { dice.number(1, MINUTE - 1) } else { *dice.one(&[MINUTE, 90, 240, 600, 30 * MINUTE]) + dice.number(0, 20) };
    // An effect that is not seen for longer than five minutes is one that a person has to look at.
    let unseen = dice.number(0, (total - 1).min(4 * MINUTE));
    let renaming = dice.number(0, total - unseen - 1);
    let blind = dice.number(0, total - unseen - renaming - 1);
    [unseen, renaming, blind, total - unseen - renaming - blind]
}

fn name(number: u64) -> String {
    format!("copy-{number}")
}

fn world(dice: &mut Dice, databases: u64, [unseen, renaming, blind, reboot]: [u64; 4]) -> Json {
    let instance = |name: &str| {
        json!({
            "identifier": name, "created": "2026-09-01T00:00:00Z", "engine": "postgres", "engine_version": "13.13",
            "settings": {"instance_class": "db.m5.large", "allocated_storage": 20, "db_subnet_group_name": "default"},
        })
    };
    let mut instances = json!({"db-MASTER": instance("master")});
    for number in 0..databases {
        instances[format!("db-{number}")] = instance(&name(number));
    }
    let (restore, delete) = (dice.number(1, 3_000), dice.number(1, 600));
    json!({
        "format_version": 1, "id": "outages", "now": "2026-11-05T09:00:00Z",
        "timings": {"rename_unseen": unseen, "renaming": renaming, "rename_blind": blind, "rename_reboot": reboot, "restore": restore, "delete": delete},
        "aws": {"accounts": {"111122223333": {"regions": {"eu-west-1": {
            "instances": instances, "subnet_groups": {"default": {"vpc_id": "vpc-1"}},
            "snapshots": {"rds:master-1": {
                "created": "2026-11-04T00:00:00Z", "engine": "postgres", "engine_version": "13.13", "instance": "master", "instance_resource_id": "db-MASTER",
                "snapshot_type": "automated", "status": "available", "allocated_storage": 20, "settings": {"instance_class": "db.m5.large"},
            }},
        }}}}},
    })
}

fn declaration(dice: &mut Dice, databases: u64, seconds: u64) -> String {
    let keep = *dice.one(&["0s", "7d"]);
    // Twice as long as a rename takes, so that no limit comes into play; a step's limit has whole seconds.
    let limit = (seconds * 2).max(MINUTE);
    let mut hcl = "environment \"outages\" {}\nprovider \"aws\" {\n  region = \"eu-west-1\"\n}\n".to_owned();
    for number in 0..databases {
        let _ = write!(
            hcl,
            "database \"{}\" {{\n  refresh {{\n    snapshot_of = \"master\"\n    schedule = \"monthly\"\n    keep_old = \"{keep}\"\n  }}\n  timeouts {{\n    rename = \"{limit}s\"\n  }}\n}}\n",
            name(number)
        );
    }
    hcl
}

fn moment(json: &Json) -> Timestamp {
    json.as_str().unwrap().parse().unwrap()
}

/// When the name was given up and when it answered again, by the world's log.
fn by_the_world(log: &str, name: &str) -> u64 {
    let (mut given_up, mut answers) = (None, None);
    for line in log.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        if line["call"] != "rds:ModifyDBInstance" {
            continue;
        }
        for (pointer, instance) in line["set"].as_object().unwrap() {
            let phases = instance["phases"].as_array().cloned().unwrap_or_default();
            let renames_to = phases.iter().flat_map(|phase| phase["then"].as_array().cloned().unwrap_or_default()).find_map(|then| {
                let to = then.get("rename")?.as_str()?.to_owned();
                pointer.contains("/instances/").then_some(to)
            });
            match renames_to {
                Some(to) if to == name => answers = answers.or(phases.last().map(|phase| moment(&phase["until"]))),
                Some(_) if instance["identifier"] == *name => given_up = given_up.or(Some(moment(&line["now"]))),
                _ => {}
            }
        }
    }
    time::between(given_up.expect("the name was given up"), answers.expect("it was given to the new one")).as_secs()
}

/// What the run told: seconds, by the name of the outage.
fn told(events: &[Event], name: &str) -> u64 {
    let seconds = events.iter().filter_map(|event| match &event.kind {
        EventKind::OutageEnded { outage, seconds } if outage == name => Some(*seconds),
        _ => None,
    });
    seconds.clone().next().filter(|_| seconds.count() == 1).unwrap_or_else(|| panic!("{name} has not exactly one outage: {events:#?}"))
}

async fn trial(dice: &mut Dice) -> &'static str {
    let (databases, parts) = (dice.number(1, 3), parts(dice));
    let rename: u64 = parts.iter().sum();
    let scene = Scene::new("outages", &declaration(dice, databases, rename));
    let file = scene.file("world.json", &world(dice, databases, parts).to_string());
    let world = SimWorld::open(&file, SimOptions { seed: Some(7), pace: None }).unwrap();
    world.allow_time(true);
    let plan = plan(&scene, &Arc::clone(&world), true).await;
    assert!(plan.errors.is_empty(), "{:?}", plan.errors);
    let (end, events) = pipeline::run(&world, &MemoryStore::new(), &plan, Way::New, None).await;
    assert_eq!(end.code(), Some(0), "{end:?}");
    let log = std::fs::read_to_string(file.with_extension("json.log")).unwrap();
    for number in 0..databases {
        let (name, renames) = (name(number), 2 * rename);
        let (seconds, told) = (by_the_world(&log, &name), told(&events, &name));
        assert_eq!(told, seconds, "{name}: what is told is not what the world has seen, with renames of {rename} s");
        let longest = if rename >= MINUTE { renames + renames / 20 } else { renames + 2 * LOOK_SECONDS };
        assert!((renames..=longest).contains(&seconds), "{name}: {seconds} s of outage, where two renames of {rename} s would do");
    }
    if rename >= MINUTE { "renames of a minute or more" } else { "short renames" }
}

#[test]
fn an_outage_lasts_as_long_as_its_renames_and_is_told_to_the_second() {
    let tally = try_all_async("properties::outage::an_outage_lasts_as_long_as_its_renames_and_is_told_to_the_second", 12, trial);
    assert!(tally.of("short renames") > 0 && tally.of("renames of a minute or more") > 0, "{tally}");
}
