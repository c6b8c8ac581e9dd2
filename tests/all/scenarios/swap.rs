//! The two sides of `GigaDB` change places on real services: by one edited line, in one transaction a zone, and back.

use serde_json::{Value as Json, json};

use super::project::is;
use super::zones::{FILE, LIVE, Publishing, STANDBY, Zones};
use crate::services::twin::TOKEN;

const PLAN: &str = "plans/gigadb.json";

/// One more record in the stand-by zone.
fn declare_status_page(zones: &Zones) {
    let bastion = "  record \"A\" \"bastion-stg.gigadb.host\" {";
    zones.project.edit(FILE, bastion, &format!("  record \"A\" \"status.gigadb.host\" {{ value = \"192.0.2.80\" }}\n\n{bastion}"), 1);
}

/// With something new in it the plan is no mere swap, and as many updates want to be allowed.
fn allow_more_than_a_swap(zones: &Zones) {
    let refused = zones.project.run(&["plan", "gigadb"]).expect(1);
    assert!(refused.stderr.contains("max_updates is 30%"), "{}", refused.stderr);
    zones.project.edit(FILE, "timeout      = \"60s\"\n  }", "timeout      = \"60s\"\n  }\n  safety {\n    max_updates = \"100%\"\n  }", 2);
}

fn status_page_by_hand() -> Json {
    json!({ "type": "CNAME", "name": "status.gigadb.host", "content": "status.example.net", "ttl": 300 })
}

#[tokio::test]
async fn one_edited_line_swaps_both_sides_and_a_rollback_swaps_them_back() {
    let Some(zones) = Zones::build(Publishing::Always).await else { return };
    zones.project.run(&["validate", "gigadb"]).expect(0);
    zones.project.nothing_to_do("gigadb");
    let before = zones.records();
    zones.edit_to_sydney();
    let plan = zones.project.plan("gigadb", PLAN);
    assert!(zones.batches().is_empty(), "planning writes nothing");
    for change in plan["resource_changes"].as_array().unwrap() {
        assert_eq!(change["change"]["actions"], json!(["update"]), "{}", change["address"]);
    }
    let applied = zones.project.run(&["apply", PLAN, "--json"]).expect(0);
    zones.is_swapped(&before).await;

    let batches = zones.batches();
    let sizes: Vec<usize> = batches.iter().map(|batch| batch["patches"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [7, 9], "one transaction a zone, in the order of the file: {batches:#?}");
    for patch in batches.iter().flat_map(|batch| batch["patches"].as_array().unwrap()) {
        let keys: Vec<&String> = patch.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["content", "id", "name", "type"], "nothing else of a record is touched");
    }
    assert!(batches.iter().all(|batch| batch.as_object().unwrap().len() == 1), "patches alone: {batches:#?}");

    zones.project.run(&["apply", PLAN]).expect(6);
    assert_eq!(zones.batches().len(), 2, "a plan is applied once");
    let back = zones.project.run(&["rollback", "gigadb", "--yes", "--json"]).expect(0);
    assert_eq!(zones.records(), before);
    assert_eq!(zones.batches().len(), 4);
    zones.answers_follow().await;
    let said = [applied.stdout, applied.stderr, back.stdout, back.stderr, zones.project.left_behind()].concat();
    assert!(!said.contains(TOKEN));
}

#[tokio::test]
async fn a_batch_whose_answer_is_lost_is_found_done_and_not_sent_again() {
    let Some(zones) = Zones::build(Publishing::Always).await else { return };
    let before = zones.records();
    zones.edit_to_sydney();
    zones.project.plan("gigadb", PLAN);
    zones.twin.hang_up(2);
    let applied = zones.project.run(&["apply", PLAN, "--json"]).expect(0);
    assert!(applied.events().iter().any(|event| event["type"] == "notice"), "people are told of it");
    assert_eq!(zones.batches().len(), 2);
    zones.is_swapped(&before).await;
}

#[tokio::test]
async fn a_run_that_is_killed_between_the_two_zones_goes_on_with_the_second() {
    let Some(zones) = Zones::build(Publishing::Always).await else { return };
    let before = zones.records();
    zones.edit_to_sydney();
    zones.project.plan("gigadb", PLAN);
    // The second zone's batch is on its way, or is not: both must come to the same.
    zones.project.start(&["apply", PLAN, "--json"]).kill_at(|event| is(event, "step_done", "batch"));
    zones.project.run(&["resume", "gigadb"]).expect(0);
    assert_eq!(zones.batches().len(), 2, "each went out once");
    zones.is_swapped(&before).await;
}

#[tokio::test]
async fn a_record_in_the_way_makes_the_plan_stale_and_at_the_last_moment_switches_back() {
    let Some(zones) = Zones::build(Publishing::Always).await else { return };
    let before = zones.records();
    zones.edit_to_sydney();
    declare_status_page(&zones);
    allow_more_than_a_swap(&zones);
    zones.project.plan("gigadb", PLAN);
    // Made by hand when everything has been looked at: only the service can refuse it now.
    zones.twin.put_in_the_way(STANDBY, status_page_by_hand());
    let failed = zones.project.run(&["apply", PLAN, "--json"]).expect(4);
    let said = failed.events().into_iter().find(|event| is(event, "step_failed", "batch")).unwrap();
    assert!(said["step"].as_str().unwrap().contains(STANDBY) && said["error"].as_str().unwrap().contains("already exists"), "{said}");
    let mut by_hand = zones.records();
    by_hand.retain(|record| record["name"] != "status.gigadb.host");
    assert_eq!(by_hand, before, "the other zone is switched back, and this one was never switched");
    assert_eq!(zones.batches().len(), 3, "one zone, the refused one, and the way back");

    // With that record there, the same declaration is a conflict of its own; without it, it is not.
    zones.twin.forget(STANDBY, "status.gigadb.host");
    zones.project.plan("gigadb", "plans/again.json");
    zones.twin.seed(STANDBY, &[status_page_by_hand()]);
    let stale = zones.project.run(&["apply", "plans/again.json"]).expect(6);
    assert!(stale.stderr.contains("status.gigadb.host") || stale.stdout.contains("status.gigadb.host"), "{stale:?}");
    assert_eq!(zones.batches().len(), 3, "nothing was sent");
}

#[tokio::test]
async fn a_swap_that_no_name_server_confirms_is_switched_back() {
    let Some(zones) = Zones::build(Publishing::Once).await else { return };
    let before = zones.records();
    zones.project.edit(FILE, "timeout      = \"60s\"", "timeout      = \"3s\"", 2);
    zones.edit_to_sydney();
    zones.project.plan("gigadb", PLAN);
    let failed = zones.project.run(&["apply", PLAN, "--json"]).expect(4);
    assert!(failed.events().iter().any(|event| is(event, "step_failed", "answers")), "{}", failed.stdout);
    assert_eq!(zones.records(), before);
    assert_eq!(zones.batches().len(), 4, "both zones, there and back");
    assert_eq!(zones.twin.records(LIVE).len(), before.iter().filter(|record| record["name"].as_str().unwrap().ends_with(LIVE)).count());
    assert_eq!(zones.first_wrong_answer().await, None, "the name server never knew anything else");
    // The declaration still wants it.
    zones.project.run(&["plan", "gigadb", "--detailed-exitcode"]).expect(2);
}
