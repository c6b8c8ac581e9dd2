use insta::assert_snapshot;

use super::*;
use crate::review::sample;

fn ids(plan: &Plan, numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    plan.steps.iter().zip(1..).filter(|(_, number)| numbers.contains(number)).map(|(step, _)| step.id.clone()).collect()
}

fn report(plan: &Plan, story: &Story, summary: &Summary) -> String {
    final_report(&Outcome { plan, story, summary, elapsed_seconds: 3_979 }, &Style::plain(100), Some(23))
}

#[test]
fn a_person_is_told_what_to_do() {
    let plan = sample::database();
    let failed = Failed {
        step: Some(plan.steps[7].id.clone()),
        error: "rds:ModifyDBInstance was denied (AccessDenied): not authorised".to_owned(),
        help: "allow rds:ModifyDBInstance again".to_owned(),
        undo: true,
    };
    let mut story = Story { mode: "apply".to_owned(), failures: vec![failed], ..Story::default() };
    story.open_outages.insert("dev-openverse-db".to_owned(), sample::at("2026-11-05T14:04:05Z"));
    let summary = Summary {
        exit_code: 5,
        done: ids(&plan, 1..=7),
        in_flight: ids(&plan, 8..=8),
        not_started: ids(&plan, 9..=13),
        needs: vec!["Allow rds:ModifyDBInstance for this role, then resume or turn back.".to_owned()],
        ..Summary::default()
    };
    assert_snapshot!(report(&plan, &story, &summary), @"
    staging: A PERSON IS NEEDED, it is neither finished nor turned back as a whole  (1h 6m, run
      staging-20261105-0912-k3v9, exit 5)

      failed       8/13 rename-old (its way back): rds:ModifyDBInstance was denied (AccessDenied): not
                   authorised
                   help: allow rds:ModifyDBInstance again
      done            7  tag, snapshot, restore, settings, parity, scrub, check-1
      undone          0
      in flight       1  rename-old (rename dev-openverse-db to dev-openverse-db-old)
      not started     5  rename-next, answers, protect, unprotect, delete
      outage       dev-openverse-db: since 2026-11-05 14:04 UTC, not ended

    What a person must do:
      1. Allow rds:ModifyDBInstance for this role, then resume or turn back.

    From here:
      switchover resume staging     goes on
      switchover rollback staging   turns it back
    ");
}

#[test]
fn stopped_at_a_safe_point() {
    let plan = sample::database();
    let summary =
        Summary { exit_code: 8, done: ids(&plan, 1..=2), in_flight: ids(&plan, 3..=3), not_started: ids(&plan, 4..=13), ..Summary::default() };
    assert_snapshot!(report(&plan, &Story::default(), &summary), @"
    staging: STOPPED, at a safe point; nothing is lost  (1h 6m, run staging-20261105-0912-k3v9, exit 8)

      done            2  tag, snapshot
      undone          0
      in flight       1  restore (restore dev-openverse-db-next from
                         rds:prod-openverse-db-2026-11-05-00-07)
      not started    10  delete, rename-old, rename-next, protect, unprotect, settings, and 4 more

    Nothing has to be mended by hand.

    From here:
      switchover resume staging     goes on
      switchover rollback staging   turns it back
    ");
}

/// A run of 313 steps of which everything failed that can, with long texts everywhere.
fn the_worst() -> (Plan, Story, Summary) {
    let mut plan = sample::database();
    let step = plan.steps[0].clone();
    for number in 0..300 {
        let mut more = step.clone();
        more.id = format!("{}/more-{number}", more.address);
        plan.steps.insert(0, more);
    }
    let all: Vec<String> = plan.steps.iter().map(|step| step.id.clone()).collect();
    let error = "rds:ModifyDBInstance was refused (InvalidDBInstanceState): instance is not in available state. ".repeat(4);
    let help = "wait until dev-openverse-db-next is available, then plan again, and if that does not help ask. ".repeat(4);
    let failed = Failed { step: Some(all[0].clone()), error, help: help.clone(), undo: false };
    let mut story = Story { failures: vec![failed; 50], outages: vec![("dev-openverse-db".to_owned(), 432); 9], ..Story::default() };
    story.open_outages.insert("dev-openverse-db".to_owned(), sample::at("2026-11-05T14:04:05Z"));
    let summary = Summary { exit_code: 5, done: all.clone(), undone: all.clone(), in_flight: all.clone(), not_started: all, needs: vec![help; 50] };
    (plan, story, summary)
}

#[test]
fn the_worst_run_of_three_hundred_steps_fits_on_one_screen() {
    let (plan, story, summary) = the_worst();
    let at = |columns, rows| {
        final_report(&Outcome { plan: &plan, story: &story, summary: &summary, elapsed_seconds: 3_979 }, &Style::plain(columns), rows)
    };
    assert_snapshot!(at(80, Some(23)), @"
    staging: A PERSON IS NEEDED, it is neither finished nor turned back as a whole
      (1h 6m, run staging-20261105-0912-k3v9, exit 5)

      failed       1/313 more-299: rds:ModifyDBInstance was refused…
                   and 49 more
      done          313
      undone        313
      in flight     313  more-299 (tag dev-openverse-db as the one that is…
      not started   313
      outage       dev-openverse-db: since 2026-11-05 14:04 UTC, not ended, and 9
                   more

    What a person must do:
      1. wait until dev-openverse-db-next is available, then plan again, and if that
         does not help ask. wait until dev-openverse-db-next is available, then…
      2. wait until dev-openverse-db-next is available, then plan again, and if that
         does not help ask. wait until dev-openverse-db-next is available, then…
      and 48 more

    From here:
      switchover plan staging                              plans again from what is there now
      switchover runs staging staging-20261105-0912-k3v9   tells all of it
    ");
    for columns in [80, 100, 120, 200] {
        let text = at(columns, Some(23));
        assert!(text.lines().count() <= 23, "{}:\n{text}", text.lines().count());
    }
    let whole = at(80, None);
    assert!(whole.contains("50. wait until") && whole.matches("failed ").count() >= 50 && !whole.contains("tells all of it"));
}

#[test]
fn what_a_person_must_do_is_cut_last() {
    let (plan, story, summary) = the_worst();
    let needs = (1..=6).map(|number| format!("Do thing number {number}, and then look whether it is there.")).collect();
    let summary = Summary { needs, ..summary };
    let text = report(&plan, &story, &summary);
    assert!(text.lines().count() <= 23 && text.contains("6. Do thing number 6, and then look whether it is there."), "{text}");
}

#[test]
fn three_hundred_steps_that_went_well_are_counted_and_what_matters_is_named() {
    let (plan, _, summary) = the_worst();
    let summary = Summary { done: summary.done, ..Summary::default() };
    assert_snapshot!(report(&plan, &Story::default(), &summary), @"
    staging: DONE, everything is as planned  (1h 6m, run staging-20261105-0912-k3v9, exit 0)

      done          313  delete, rename-old, rename-next, protect, unprotect, more-299, and 307 more
      undone          0
      in flight       0
      not started     0

    Nothing is left for a person to do.

    From here:
      switchover runs staging staging-20261105-0912-k3v9   tells all of it
    ");
}

#[test]
fn every_exit_code_has_its_words_and_a_way_on() {
    let plan = sample::database();
    for (exit_code, word, command) in [
        (0, "DONE", "rollback"),
        (1, "no write was tried", "plan"),
        (3, "WAITING", "resume"),
        (4, "everything is as it was", "plan"),
        (5, "A PERSON IS NEEDED", "rollback"),
        (6, "STALE", "plan"),
        (8, "STOPPED", "resume"),
    ] {
        let summary = Summary { exit_code, done: ids(&plan, 1..=2), ..Summary::default() };
        let text = report(&plan, &Story::default(), &summary);
        assert!(text.contains(word) && text.contains(&format!("switchover {command} staging")), "{text}");
    }
}

#[test]
fn what_is_gone_is_not_offered_to_be_turned_back() {
    let plan = sample::database();
    let summary = Summary { done: ids(&plan, 1..=13), ..Summary::default() };
    assert!(!report(&plan, &Story::default(), &summary).contains("rollback"));
    let called = Summary { exit_code: 5, done: ids(&plan, 1..=12), in_flight: ids(&plan, 13..=13), ..Summary::default() };
    assert!(!report(&plan, &Story::default(), &called).contains("rollback"), "it may be gone already");
}
