//! Openverse's staging database on real services: planned, applied once, and nothing left to do; and what is refused.

use serde_json::{Value as Json, json};

use super::project::is;
use super::staging::{ADDRESS, NAME, NEXT, Staging, WEBHOOK, WRITES};
use crate::services::postgres::PASSWORD;

/// The shape of a plan's document, as far as programs rely on it.
fn check_document(plan: &Json) {
    assert_eq!(plan["format_version"], "1.0");
    let change = &plan["resource_changes"][0];
    assert_eq!((&change["address"], &change["mode"], &change["type"]), (&json!(ADDRESS), &json!("managed"), &json!("database")));
    assert_eq!(change["change"]["actions"], json!(["create", "delete"]));
    let reason = change["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("data is 34 days old; due since "), "{reason}");
    let ids: Vec<&str> = plan["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
    let order = ["mark-old", "restore", "settings", "parity", "scrub", "check-1", "rename-old", "rename-next", "confirm", "delete-old"];
    let places = order.map(|slug| ids.iter().position(|id| *id == format!("{ADDRESS}/{slug}")).unwrap_or_else(|| panic!("{slug} of {ids:?}")));
    assert!(places.is_sorted(), "{ids:?}");
    assert_eq!(plan["outage"][0]["name"], NAME);
    assert_eq!(plan["irreversible"].as_array().unwrap().len(), 1, "the end of the old one, and nothing else");
    assert!(!plan["facts"].as_array().unwrap().is_empty());
    assert!(plan["digest"].as_str().unwrap().starts_with("sha256:"));
}

#[tokio::test]
async fn a_refresh_is_planned_applied_once_and_leaves_nothing_to_do() {
    let Some(mut staging) = Staging::build("us-east-2", false).await else { return };
    let mut said = staging.project.run(&["validate", "staging"]).expect(0).stdout;
    let plan = staging.plan();
    check_document(&plan);
    assert!(staging.writes().is_empty(), "planning writes nothing");
    said += &staging.project.run(&["show", "plans/staging.json"]).expect(0).stdout;
    // Nothing that the plan relies on.
    staging.others_go_on().await;

    let applied = staging.project.run(&["apply", "plans/staging.json", "--json"]).expect(0);
    let events = applied.events();
    let end = events.last().unwrap();
    assert_eq!((&end["type"], &end["exit_code"], &end["not_started"]), (&json!("run_finished"), &json!(0), &json!([])));
    assert_eq!(end["done"].as_array().unwrap().len(), plan["steps"].as_array().unwrap().len());
    let outage: Vec<&Json> =
        events.iter().filter(|event| event["type"].as_str().unwrap().starts_with("outage_")).map(|event| &event["type"]).collect();
    assert_eq!(outage, ["outage_started", "outage_ended"]);
    let parity = events.iter().find(|event| is(event, "step_done", "parity")).unwrap();
    assert!(parity["detail"].as_str().unwrap().contains("instance_class"), "{parity}");
    assert_eq!(staging.writes(), WRITES);
    staging.is_refreshed().await;

    let notices = staging.notices();
    assert_eq!(notices.len(), 4, "start, outage start and end, end: {notices:#?}");
    assert!(notices.iter().all(|text| text.contains("staging") && text.contains(plan["run"].as_str().unwrap())));

    let again = staging.project.run(&["apply", "plans/staging.json"]).expect(6);
    assert!(again.stderr.contains("applied already") && again.stderr.contains("help:"), "{}", again.stderr);
    assert_eq!(staging.writes(), WRITES, "a plan is applied once");

    said += &[applied.stdout, applied.stderr, again.stdout, again.stderr, notices.concat(), staging.project.left_behind()].concat();
    for secret in [PASSWORD, WEBHOOK, "planted-aws-secret-1337"] {
        assert!(!said.contains(secret), "{secret} came out");
    }
}

#[tokio::test]
async fn protection_is_lifted_from_the_old_one_and_set_on_the_new_one_at_the_very_end() {
    let Some(mut staging) = Staging::build("us-west-1", false).await else { return };
    staging.change(NAME, "deletion_protection", json!(true)).await;
    staging.plan();
    staging.project.run(&["apply", "plans/staging.json"]).expect(0);
    let mut expected = WRITES.to_vec();
    let retired = expected.pop().unwrap();
    expected.extend(["modify dev-openverse-db", "modify dev-openverse-db-old", retired]);
    assert_eq!(staging.writes(), expected);
    staging.is_refreshed().await;
}

#[tokio::test]
async fn a_plan_of_an_instance_that_has_changed_since_is_refused_and_writes_nothing() {
    let Some(mut staging) = Staging::build("us-west-2", false).await else { return };
    staging.plan();
    staging.change(NAME, "instance_class", json!("db.m5.2xlarge")).await;
    let refused = staging.project.run(&["apply", "plans/staging.json"]).expect(6);
    assert!(refused.stderr.contains("instance_class") || refused.stdout.contains("instance_class"), "{refused:?}");
    assert!(staging.writes().is_empty());
    staging.is_as_it_was().await;
    // The next plan is made of what there is now, and nothing of the refused one is in its way.
    staging.plan();
}

#[tokio::test]
async fn data_that_fails_a_check_is_removed_before_anybody_notices() {
    let Some(staging) = Staging::build("us-east-1", false).await else { return };
    staging.sql("DELETE FROM image WHERE id > 10");
    staging.plan();
    let failed = staging.project.run(&["apply", "plans/staging.json", "--json"]).expect(4);
    let events = failed.events();
    assert!(events.iter().any(|event| is(event, "step_failed", "check-2") && event["error"].as_str().unwrap().contains("at least 1000")));
    assert!(events.iter().all(|event| event["type"] != "outage_started"));
    assert_eq!(staging.writes()[4..], [format!("delete {NEXT}"), format!("tag {NAME}")]);
    staging.is_as_it_was().await;
}
