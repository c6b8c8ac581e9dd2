use std::collections::BTreeSet;

use serde_json::json;

use super::super::fixture::{desired, instance, now, ours, refreshed, seen, wanted};
use super::*;

/// An instance refreshed a month ago: due.
fn stale() -> Instance {
    refreshed("dev", "db-A", "2026-10-02T00:07:00Z", "rds:a")
}

/// An instance refreshed today: not due.
fn fresh() -> Instance {
    refreshed("dev", "db-A", "2026-11-05T00:07:00Z", "rds:b")
}

fn run(wanted: Wanted, seen: &Seen, forced: bool) -> Result<Change> {
    let desired = desired();
    let refresh: BTreeSet<_> = forced.then(|| wanted.address.clone()).into_iter().collect();
    diff(wanted, seen, &DiffCx { now: now(), desired: &desired, refresh: &refresh })
}

fn intent(change: &Change) -> &Intent {
    change.detail.as_ref().unwrap().downcast_ref().unwrap()
}

#[test]
fn nothing_to_do_right_after_a_refresh() {
    let change = run(wanted(), &seen(Some(fresh()), None, None), false).unwrap();
    assert_eq!(change.action, Action::NoOp);
    assert!(change.detail.is_none() && change.warnings.is_empty() && change.notes.is_empty());
    assert_eq!(change.next_due, Some("2026-12-01T00:00:00Z".parse().unwrap()));
}

#[test]
fn backing_up_alone_is_no_difference() {
    let mut current = fresh();
    current.status = "backing-up".to_owned();
    assert!(run(wanted(), &seen(Some(current), None, None), false).unwrap().detail.is_none());
}

#[test]
fn old_data_is_replaced_and_the_reason_is_said() {
    let change = run(wanted(), &seen(Some(stale()), None, None), false).unwrap();
    assert_eq!(change.action, Action::Replace);
    assert_eq!(change.reasons, ["data is 34 days old; due since 2026-11-01 (monthly)"]);
    let snapshot = &change.attributes[0];
    assert_eq!((snapshot.name.as_str(), &snapshot.before, &snapshot.after), ("snapshot", &json!("rds:a"), &json!("rds:b")));
    let refresh = intent(&change).refresh.as_ref().unwrap();
    assert_eq!(refresh.later, Settings::from([("deletion_protection".to_owned(), json!(true))]));
    assert_eq!(refresh.tags.get("Environment").map(String::as_str), Some("staging"));
    assert!(!refresh.tags.keys().any(|key| key.starts_with("switchover:")), "{:?}", refresh.tags);
}

#[test]
fn refresh_on_demand_takes_even_the_snapshot_in_use() {
    let change = run(wanted(), &seen(Some(fresh()), None, None), true).unwrap();
    assert_eq!(change.action, Action::Replace);
    assert_eq!(change.reasons, ["a refresh was asked for with --refresh"]);
}

#[test]
fn a_setting_that_can_be_modified_is_changed_now_and_another_one_waits() {
    let mut wanted = wanted();
    wanted.settings.insert("instance_class".to_owned(), json!("db.r6g.large"));
    wanted.settings.insert("availability_zone".to_owned(), json!("us-east-1c"));
    wanted.settings.insert("allocated_storage".to_owned(), json!(2_000));
    wanted.tags.insert("Team".to_owned(), "data".to_owned());
    let change = run(wanted, &seen(Some(fresh()), None, None), false).unwrap();
    assert_eq!(change.action, Action::Update);
    let intent = intent(&change);
    assert_eq!(intent.modify, Settings::from([("instance_class".to_owned(), json!("db.r6g.large"))]));
    assert_eq!(intent.tags.len(), 1);
    assert!(change.notes.iter().any(|note| note.contains("availability_zone") && note.contains("--refresh database.dev")), "{:?}", change.notes);
    assert_eq!(change.attributes[0].note.as_deref(), Some("restarts the instance"));
}

#[test]
fn a_difference_that_only_a_restore_removes_is_a_note_alone() {
    let mut wanted = wanted();
    wanted.settings.insert("availability_zone".to_owned(), json!("us-east-1c"));
    let change = run(wanted, &seen(Some(fresh()), None, None), false).unwrap();
    assert_eq!(change.action, Action::NoOp);
    assert_eq!(change.notes.len(), 1);
}

#[test]
fn pending_modifications_are_shown() {
    let mut current = stale();
    current.pending.insert("instance_class".to_owned(), json!("db.t3.small"));
    let change = run(wanted(), &seen(Some(current), None, None), false).unwrap();
    assert!(change.notes.iter().any(|note| note.contains("pending on dev") && note.contains("db.t3.small")), "{:?}", change.notes);
}

#[test]
fn others_instances_are_a_conflict() {
    for (next, old) in [(Some(instance("dev-next", "db-X")), None), (None, Some(instance("dev-old", "db-X")))] {
        let Err(error) = run(wanted(), &seen(Some(stale()), next, old), false) else { panic!("no conflict") };
        assert!(error.to_string().contains("not ours"), "{error}");
    }
    let mut marked = ours("dev-next", "db-X", "run-1", "database.other/restore");
    marked.tags.insert(marks::RESOURCE.to_owned(), "database.other".to_owned());
    let Err(error) = run(wanted(), &seen(Some(stale()), Some(marked), None), false) else { panic!("no conflict") };
    assert!(error.to_string().contains("database.other"), "{error}");
}

#[test]
fn prevent_destroy_refuses_to_lose_the_replaced_instance() {
    let mut wanted = wanted();
    wanted.prevent_destroy = true;
    assert!(run(wanted.clone(), &seen(Some(stale()), None, None), false).is_err());
    assert!(run(wanted.clone(), &seen(Some(fresh()), None, Some(ours("dev-old", "db-O", "run-1", "x/mark-old"))), false).is_err());
    wanted.refresh.as_mut().unwrap().keep_old = std::time::Duration::from_hours(24);
    assert!(run(wanted, &seen(Some(stale()), None, None), false).is_ok());
}

#[test]
fn a_first_one_must_say_what_cannot_be_carried_over() {
    let Err(error) = run(wanted(), &seen(None, None, None), false) else { panic!("no error") };
    assert!(error.to_string().contains("instance_class, db_subnet_group_name, vpc_security_groups"), "{error}");
    let mut wanted = wanted();
    wanted.settings.insert("instance_class".to_owned(), json!("db.m5.large"));
    wanted.settings.insert("db_subnet_group_name".to_owned(), json!("default"));
    let mut seen = seen(None, None, None);
    seen.groups = Some(vec!["sg-1".to_owned()]);
    let change = run(wanted, &seen, false).unwrap();
    assert_eq!(change.action, Action::Create);
    assert!(change.notes.iter().any(|note| note.contains("storage_type = \"gp2\"")), "{:?}", change.notes);
}

#[test]
fn an_instance_that_cannot_be_renamed_is_said_at_once() {
    let mut current = stale();
    current.status = "stopped".to_owned();
    assert!(run(wanted(), &seen(Some(current), None, None), false).is_err());
    let mut nothing = seen(Some(stale()), None, None);
    nothing.snapshots.clear();
    let change = run(wanted(), &nothing, false).unwrap();
    assert!(change.detail.is_none() && change.warnings[0].contains("no newer snapshot"));
    assert!(run(wanted(), &nothing, true).is_err());
}

#[test]
fn the_old_one_is_kept_until_its_time_and_then_deleted() {
    let mut old = ours("dev-old", "db-O", "run-1", "database.dev/mark-old");
    old.tags.insert(marks::KEEP_UNTIL.to_owned(), "2026-11-20T00:00:00Z".to_owned());
    let kept = run(wanted(), &seen(Some(fresh()), None, Some(old.clone())), false).unwrap();
    assert!(kept.detail.is_none());
    assert_eq!(kept.next_due, Some("2026-12-01T00:00:00Z".parse().unwrap()));
    assert_eq!(kept.data_from, Some("2026-11-05T00:07:00Z".parse().unwrap()));
    let left = &kept.left_overs[0];
    assert_eq!((left.name.as_str(), left.run.as_deref()), ("dev-old", Some("run-1")));
    assert_eq!(left.kept_until, Some("2026-11-20T00:00:00Z".parse().unwrap()));
    let waiting = run(wanted(), &seen(Some(stale()), None, Some(old.clone())), false).unwrap();
    assert!(waiting.detail.is_none() && waiting.warnings[0].contains("it waits"), "{:?}", waiting.warnings);
    old.tags.insert(marks::KEEP_UNTIL.to_owned(), "2026-11-04T00:00:00Z".to_owned());
    let over = run(wanted(), &seen(Some(fresh()), None, Some(old)), false).unwrap();
    assert_eq!(over.action, Action::Delete);
    let finish = intent(&over).finish.as_ref().unwrap();
    assert!(finish.delete && finish.catch_up.is_empty() && finish.retiring.not_before.is_none());
}

#[test]
fn unfinished_retiring_is_finished_with_what_the_old_one_had() {
    let mut current = fresh();
    current.settings.insert("deletion_protection".to_owned(), json!(false));
    current.settings.insert("backup_retention_period".to_owned(), json!(0));
    let old = ours("dev-old", "db-O", "run-1", "database.dev/mark-old");
    let change = run(wanted(), &seen(Some(current), None, Some(old)), false).unwrap();
    let finish = intent(&change).finish.clone().unwrap();
    assert_eq!(finish.catch_up, serde_json::from_value::<Settings>(json!({"deletion_protection": true, "backup_retention_period": 7})).unwrap());
    assert!(finish.delete && finish.retiring.not_before.is_some());
}

#[test]
fn a_death_in_the_switch_gives_the_name_back_before_anything_else() {
    let old = Instance { identifier: "dev-old".to_owned(), ..stale() };
    let old = Instance {
        tags: {
            let mut tags = old.tags.clone();
            tags.extend(super::super::fixture::owner().tags("run-1", "database.dev/mark-old"));
            tags
        },
        ..old
    };
    let next = ours("dev-next", "db-B", "run-1", "database.dev/scrub");
    let change = run(wanted(), &seen(None, Some(next), Some(old)), false).unwrap();
    let intent = intent(&change);
    assert_eq!(intent.recover.as_ref().unwrap().resource_id, "db-A");
    assert_eq!(intent.recover.as_ref().unwrap().rival.as_ref().unwrap().resource_id, "db-B");
    assert_eq!(intent.leftover.as_ref().unwrap().resource_id, "db-B");
    assert!(intent.refresh.is_some());
}

#[test]
fn a_hidden_old_one_is_followed_by_its_resource_id() {
    let mut next = ours("dev-next", "db-B", "run-1", "database.dev/scrub");
    next.tags.insert(marks::REPLACES.to_owned(), "db-A".to_owned());
    let change = run(wanted(), &seen(None, Some(next), None), false).unwrap();
    let intent = intent(&change);
    assert_eq!(intent.recover.as_ref().unwrap().resource_id, "db-A");
    assert!(intent.refresh.is_none() && intent.leftover.is_some());
}

#[test]
fn a_rename_that_may_have_begun_is_waited_for() {
    let mut current = stale();
    current.tags.extend(super::super::fixture::owner().tags("run-1", "database.dev/mark-old"));
    let next = ours("dev-next", "db-B", "run-1", "database.dev/restore");
    let change = run(wanted(), &seen(Some(current), Some(next), None), false).unwrap();
    let recover = intent(&change).recover.clone().unwrap();
    assert!(recover.precaution && recover.not_before.is_some());
}

#[test]
fn a_copy_that_bears_our_tags_is_somebody_elses() {
    let mut old = ours("dev-old", "db-copy", "run-1", "database.dev/mark-old");
    old.tags.insert(marks::KEEP_UNTIL.to_owned(), "2026-11-04T00:00:00Z".to_owned());
    let over = run(wanted(), &seen(Some(fresh()), None, Some(old.clone())), false).unwrap();
    assert_eq!(over.action, Action::Delete, "it was there before that moment");
    old.created = Some("2026-11-04T12:00:00Z".parse().unwrap());
    let error = run(wanted(), &seen(Some(fresh()), None, Some(old)), false).err().unwrap();
    assert!(error.chain().contains("younger than its tags") && error.help().contains("never touched"), "{error:?}");
    let mut next = refreshed("dev-next", "db-copy", "2026-11-01T09:00:00Z", "rds:prod-1");
    next.created = Some("2026-11-04T12:00:00Z".parse().unwrap());
    assert!(run(wanted(), &seen(Some(fresh()), Some(next), None), false).is_err());
    // Restored by hand under the resource's own name, and then replaced by a run that died: older than that run, whatever it had inherited.
    let mut adopted = refreshed("dev-old", "db-O", "2026-08-01T09:00:00Z", "rds:prod-1");
    adopted.created = Some("2026-10-10T00:00:00Z".parse().unwrap());
    assert!(run(wanted(), &seen(Some(fresh()), None, Some(adopted)), false).is_ok());
}
