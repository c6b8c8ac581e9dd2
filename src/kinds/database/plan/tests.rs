use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::super::desired::{FirstBackup, Wanted};
use super::super::fixture::{self, desired, now, ours, owner, refreshed, seen, wanted};
use super::super::{diff, marks, operations};
use super::*;
use crate::diff::{DiffCx, Exchange};
use crate::model::Phase;
use crate::plan::{Outage, Step, Undo};
use crate::world::rds::Instance;

fn stale() -> Instance {
    refreshed("dev", "db-A", "2026-10-02T00:07:00Z", "rds:a")
}

fn part(wanted: Wanted, seen: &Seen) -> Part {
    let desired = desired();
    let change = diff::diff(wanted, seen, &DiffCx { now: now(), desired: &desired, refresh: &BTreeSet::new() }).unwrap();
    let intent = change.detail.as_ref().unwrap().downcast_ref::<Intent>().unwrap();
    plan(intent, seen, &PlanCx { now: now(), run: "run-9", desired: &desired, exchange: &Exchange::default() })
}

fn slugs(part: &Part) -> Vec<&str> {
    part.steps.iter().map(|step| step.id.rsplit('/').next().unwrap()).collect()
}

fn step<'a>(part: &'a Part, slug: &str) -> &'a Step {
    part.steps.iter().find(|step| step.id.ends_with(&format!("/{slug}"))).unwrap()
}

/// What must be true of every plan.
fn check(part: &Part) {
    let ids: BTreeSet<&str> = part.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids.len(), part.steps.len(), "ids are unique");
    for step in &part.steps {
        let op = operations::decode(&step.operation).unwrap();
        assert!(op.writes().iter().all(|name| step.writes.contains(name)), "{}", step.id);
        assert_eq!(op.starts(), !op.writes().is_empty(), "{}: what starts something writes something", step.id);
        assert!(step.after.iter().all(|id| ids.contains(id.as_str()) && *id != step.id), "{}", step.id);
        assert!(step.facts.iter().all(|id| part.facts.iter().any(|fact| fact.id == *id)), "{}", step.id);
        if let Undo::Operations { operations, .. } = &step.undo {
            for operation in operations {
                super::super::operations::decode(operation).unwrap();
            }
        }
        assert!(op.starts() || matches!(step.undo, Undo::Nothing), "{}", step.id);
    }
    // Two outages of one name would be told and timed as one.
    let begins = |outage: &&Outage| matches!(outage, Outage::Starts(_) | Outage::Whole(_));
    let mut begun: Vec<&str> = part.steps.iter().filter_map(|step| step.outage.as_ref()).filter(begins).map(Outage::name).collect();
    let all = begun.len();
    begun.sort_unstable();
    begun.dedup();
    assert_eq!(begun.len(), all, "{begun:?}");
}

#[test]
fn a_refresh_goes_through_all_its_phases() {
    let part = part(wanted(), &seen(Some(stale()), None, None));
    check(&part);
    assert_eq!(
        slugs(&part),
        [
            "mark-old",
            "snapshot",
            "restore",
            "first-backup",
            "settings",
            "reboot",
            "ready",
            "mark-scrub",
            "parity",
            "scrub",
            "check-1",
            "rename-old",
            "rename-next",
            "confirm",
            "confirm-query",
            "protect-new",
            "unprotect-old",
            "delete-old"
        ]
    );
    assert_eq!(step(&part, "rename-old").outage, Some(Outage::Starts("dev".to_owned())));
    assert_eq!(step(&part, "rename-next").outage, Some(Outage::Ends("dev".to_owned())));
    assert_eq!(step(&part, "scrub").phase, Phase::Verify);
    assert!(step(&part, "delete-old").irreversible.as_ref().unwrap().contains("without a last snapshot"));
    assert!(matches!(step(&part, "delete-old").undo, Undo::Impossible(_)));
    assert_eq!(part.locks, ["rds:123456789012/us-east-1/dev", "rds:123456789012/us-east-1/dev-next", "rds:123456789012/us-east-1/dev-old"]);
    assert_eq!(part.world["aws"], "123456789012/us-east-1");
    let restore = &step(&part, "restore").operation.json()["restore"];
    assert_eq!(restore["settings"]["deletion_protection"], json!(false));
    assert_eq!(restore["settings"]["vpc_security_groups"], json!(["sg-1", "sg-2"]));
    assert_eq!(restore["tags"]["switchover:run"], json!("run-9"));
    assert_eq!(restore["tags"]["switchover:snapshot"], json!("rds:b"));
    assert_eq!(step(&part, "restore").writes, ["dev-next", "staging"]);
    assert_eq!(step(&part, "rename-old").writes, ["dev", "dev-old", "staging"]);
}

#[test]
fn the_way_back_of_the_mark_is_exact() {
    let mut old = stale();
    old.tags.remove(marks::STEP);
    let part = part(wanted(), &seen(Some(old), None, None));
    let Undo::Operations { operations, .. } = &step(&part, "mark-old").undo else { panic!("no way back") };
    assert_eq!(operations[0].json()["tags"]["switchover:run"], json!("run-0"));
    assert_eq!(operations[1].json()["keys"], json!(["switchover:step"]));
}

#[test]
fn backups_after_the_switch_are_a_second_outage_before_the_old_one_goes() {
    let mut wanted = wanted();
    wanted.refresh.as_mut().unwrap().first_backup = FirstBackup::AfterSwitch;
    let part = part(wanted, &seen(Some(stale()), None, None));
    check(&part);
    let slugs = slugs(&part);
    assert!(!slugs.contains(&"first-backup"));
    assert_eq!(step(&part, "raise-backups").outage, Some(Outage::Whole("dev (first backup)".to_owned())));
    assert_eq!(step(&part, "unprotect-old").after, ["database.dev/answers-again"]);
    assert_eq!(step(&part, "restore").operation.json()["restore"]["settings"]["backup_retention_period"], json!(0));
}

#[test]
fn a_kept_old_one_is_only_tagged() {
    let mut wanted = wanted();
    wanted.refresh.as_mut().unwrap().keep_old = Duration::from_hours(7 * 24);
    let part = part(wanted, &seen(Some(stale()), None, None));
    check(&part);
    assert_eq!(part.steps.last().unwrap().id, "database.dev/keep-old");
    assert!(part.steps.iter().all(|step| step.irreversible.is_none()));
}

#[test]
fn a_last_snapshot_is_unique_by_the_run() {
    let mut wanted = wanted();
    wanted.refresh.as_mut().unwrap().final_snapshot = Some("dev-final".to_owned());
    let part = part(wanted, &seen(Some(stale()), None, None));
    assert_eq!(step(&part, "delete-old").operation.json()["final_snapshot"], json!("dev-final-run-9"));
}

#[test]
fn the_first_one_of_its_name_has_nothing_to_switch_away_from() {
    let mut wanted = wanted();
    wanted.settings.insert("instance_class".to_owned(), json!("db.m5.large"));
    wanted.settings.insert("db_subnet_group_name".to_owned(), json!("default"));
    let mut seen = seen(None, None, None);
    seen.groups = Some(vec!["sg-1".to_owned()]);
    let part = part(wanted, &seen);
    check(&part);
    let slugs = slugs(&part);
    assert!(!slugs.contains(&"mark-old") && !slugs.contains(&"rename-old") && !slugs.contains(&"delete-old"));
    assert_eq!(step(&part, "rename-next").outage, None);
    assert_eq!(step(&part, "rename-next").facts, ["database.dev/name-free"]);
}

#[test]
fn left_overs_come_first_and_are_lifted_visibly() {
    let mut next = ours("dev-next", "db-B", "run-1", "database.dev/scrub");
    let part_of = |next: &Instance| part(wanted(), &seen(Some(stale()), Some(next.clone()), None));
    let protected = part_of(&next);
    check(&protected);
    assert_eq!(slugs(&protected)[..3], ["unprotect-leftover", "remove-leftover", "mark-old"]);
    assert!(step(&protected, "remove-leftover").irreversible.is_some());
    next.settings.remove("deletion_protection");
    assert_eq!(slugs(&part_of(&next))[0], "remove-leftover");
    let free = protected.facts.iter().find(|fact| fact.id.ends_with("/next-free")).unwrap();
    assert_eq!(free.read.json()["except"], json!(["db-B"]));
}

#[test]
fn a_death_in_the_switch_is_put_right_and_the_refresh_follows() {
    let mut old = Instance { identifier: "dev-old".to_owned(), ..stale() };
    old.tags.extend(owner().tags("run-1", "database.dev/mark-old"));
    let next = ours("dev-next", "db-B", "run-1", "database.dev/scrub");
    let part = part(wanted(), &seen(None, Some(next), Some(old)));
    check(&part);
    let slugs = slugs(&part);
    assert_eq!(slugs[0], "recover-name");
    assert_eq!(step(&part, "recover-name").outage, Some(Outage::Whole("dev (name given back)".to_owned())));
    assert!(slugs.contains(&"remove-leftover") && slugs.contains(&"rename-old") && slugs.contains(&"delete-old"));
    let back = &step(&part, "recover-name").operation.json();
    assert_eq!((&back["from"], &back["to"], &back["instance"]["resource_id"]), (&json!("dev-old"), &json!("dev"), &json!("db-A")));
}

#[test]
fn an_unfinished_retiring_ends_after_a_look_at_the_name() {
    let mut current = refreshed("dev", "db-B", "2026-11-05T00:07:00Z", "rds:b");
    current.settings.insert("deletion_protection".to_owned(), json!(false));
    let part = part(wanted(), &seen(Some(current), None, Some(ours("dev-old", "db-A", "run-1", "database.dev/mark-old"))));
    check(&part);
    assert_eq!(slugs(&part), ["settled", "protect-new", "unprotect-old", "delete-old"]);
}

#[test]
fn a_kept_one_whose_time_is_over_makes_room_for_the_next_refresh() {
    let mut old = ours("dev-old", "db-O", "run-1", "database.dev/mark-old");
    old.tags.insert(marks::KEEP_UNTIL.to_owned(), "2026-11-04T00:00:00Z".to_owned());
    let part = part(wanted(), &seen(Some(stale()), None, Some(old)));
    check(&part);
    assert_eq!(slugs(&part)[..4], ["settled", "unprotect-kept", "delete-kept", "mark-old"]);
    assert_eq!(step(&part, "delete-kept").phase, Phase::Prepare);
}

#[test]
fn what_is_changed_in_place_comes_before_what_is_retired() {
    let mut old = ours("dev-old", "db-O", "run-1", "database.dev/mark-old");
    old.tags.insert(marks::KEEP_UNTIL.to_owned(), "2026-11-04T00:00:00Z".to_owned());
    let mut wanted = wanted();
    wanted.settings.insert("instance_class".to_owned(), json!("db.r6g.large"));
    let part = part(wanted, &seen(Some(refreshed("dev", "db-A", "2026-11-05T00:07:00Z", "rds:b")), None, Some(old)));
    check(&part);
    let slugs = slugs(&part);
    assert_eq!((slugs[..2].to_vec(), *slugs.last().unwrap()), (vec!["settled", "modify"], "delete-old"));
    let first_retired = part.steps.iter().position(|step| step.phase == Phase::Retire).unwrap();
    assert!(part.steps[first_retired..].iter().all(|step| step.phase == Phase::Retire), "{slugs:?}");
}

#[test]
fn storage_that_did_not_grow_by_itself_is_put_back_as_a_limit_that_is_the_size() {
    let mut wanted = wanted();
    wanted.settings.insert("max_allocated_storage".to_owned(), json!(9_000));
    let part = part(wanted, &seen(Some(refreshed("dev", "db-A", "2026-11-05T00:07:00Z", "rds:b")), None, None));
    let Undo::Operations { operations, .. } = &step(&part, "modify").undo else { panic!("no way back") };
    let size = fixture::settings()["allocated_storage"].clone();
    assert_eq!(operations[0].json()["settings"], json!({"max_allocated_storage": size}));
    assert_eq!(operations[0].json()["undoes"], json!({"max_allocated_storage": 9_000}));
}

#[test]
fn changes_in_place_know_their_values_before() {
    let mut wanted = wanted();
    wanted.settings.insert("instance_class".to_owned(), json!("db.r6g.large"));
    wanted.settings.insert("allocated_storage".to_owned(), json!(4_000));
    wanted.settings.insert("parameter_group_name".to_owned(), json!("pg14-tuned"));
    wanted.tags.insert("Environment".to_owned(), "test".to_owned());
    let part = part(wanted, &seen(Some(refreshed("dev", "db-A", "2026-11-05T00:07:00Z", "rds:b")), None, None));
    check(&part);
    assert_eq!(slugs(&part), ["modify", "restart", "tags", "grow"]);
    let modify = step(&part, "modify");
    assert_eq!(modify.outage, Some(Outage::Whole("dev".to_owned())));
    assert_eq!(step(&part, "restart").outage, Some(Outage::Whole("dev (restart)".to_owned())));
    let grow = step(&part, "grow");
    assert!(grow.irreversible.as_ref().unwrap().contains("never shrinks") && grow.phase == Phase::Retire);
    assert!(matches!(grow.undo, Undo::Impossible(_)) && modify.irreversible.is_none());
    let Undo::Operations { operations, .. } = &modify.undo else { panic!("no way back") };
    assert_eq!(operations[0].json()["settings"], json!({"instance_class": "db.m5.xlarge", "parameter_group_name": "pg14"}));
    assert_eq!(step(&part, "tags").writes, ["dev", "staging", "test"]);
}

#[test]
fn operations_refuse_what_they_do_not_know() {
    let part = part(wanted(), &seen(Some(stale()), None, None));
    for step in &part.steps {
        let mut changed = step.operation.json();
        changed["surprise"] = json!(1);
        assert!(operations::decode(&changed.into()).is_err(), "{}", step.id);
    }
    assert!(operations::decode(&json!({"type": "explode"}).into()).is_err());
    assert!(operations::decode(&json!(null).into()).is_err());
}
