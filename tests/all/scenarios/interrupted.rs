//! The program is stopped, or killed the hard way, in the middle of a refresh, and the run is brought to one of its two ends.

use super::project::is;
use super::staging::{NAME, NEXT, OLD, Staging, WRITES};

#[tokio::test]
async fn a_run_that_is_killed_twice_ends_as_if_nothing_had_been() {
    let Some(staging) = Staging::build("ca-central-1", false).await else { return };
    staging.plan();
    let apply = staging.project.start(&["apply", "plans/staging.json", "--json"]);
    apply.kill_at(|event| is(event, "step_progress", "restore"));
    assert_eq!(staging.writes(), WRITES[..2]);
    let refused = staging.project.run(&["apply", "plans/staging.json"]).expect(5);
    assert!(refused.stderr.contains("resume") && refused.stderr.contains("rollback"), "{}", refused.stderr);

    // In the middle of the outage: the old one is on its way to its other name.
    let resume = staging.project.start(&["resume", "staging", "--json"]);
    resume.kill_at(|event| is(event, "step_progress", "rename-old"));
    let resumed = staging.project.run(&["resume", "staging", "--json"]).expect(0);
    assert_eq!(resumed.events().last().unwrap()["exit_code"], 0);
    assert_eq!(staging.writes(), WRITES, "every call went out once");
    staging.is_refreshed().await;
    staging.project.run(&["resume", "staging"]).expect(0);
    assert_eq!(staging.writes(), WRITES, "there is nothing to resume");
}

#[tokio::test]
async fn a_run_that_is_killed_when_both_instances_are_renamed_can_be_turned_back() {
    let Some(staging) = Staging::build("sa-east-1", false).await else { return };
    staging.plan();
    let apply = staging.project.start(&["apply", "plans/staging.json", "--json"]);
    apply.kill_at(|event| is(event, "step_progress", "rename-next"));
    let back = staging.project.run(&["rollback", "staging", "--yes", "--json"]).expect(0);
    assert!(back.events().iter().any(|event| is(event, "step_undone", "rename-old")));
    let writes = staging.writes();
    assert_eq!(writes[..6], WRITES[..6]);
    let ways_back = [
        "rename dev-openverse-db to dev-openverse-db-next",
        "rename dev-openverse-db-old to dev-openverse-db",
        "delete dev-openverse-db-next",
        "tag dev-openverse-db",
    ];
    assert_eq!(writes[6..], ways_back);
    staging.is_as_it_was().await;
    assert_eq!(staging.instance(NEXT).await, None);
    // What was due is due again.
    staging.project.run(&["plan", "staging", "--detailed-exitcode"]).expect(2);
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_waits_for_nothing_and_goes_on_later() {
    let Some(staging) = Staging::build("ap-southeast-5", false).await else { return };
    staging.plan();
    let apply = staging.project.start(&["apply", "plans/staging.json", "--json"]);
    let stopped = apply.stop_at(|event| is(event, "step_progress", "restore")).expect(8);
    assert!(stopped.stderr.contains("resume staging"), "{}", stopped.stderr);
    assert_eq!(staging.writes(), WRITES[..2]);
    staging.project.run(&["resume", "staging"]).expect(0);
    assert_eq!(staging.writes(), WRITES);
    staging.is_refreshed().await;
}

#[tokio::test]
async fn an_old_instance_that_is_kept_can_be_switched_back_to() {
    let Some(staging) = Staging::build("ca-west-1", false).await else { return };
    staging.project.edit("environments/staging.hcl", "keep_old      = \"0s\"", "keep_old      = \"7d\"", 1);
    let plan = staging.plan();
    assert_eq!(plan["irreversible"], serde_json::json!([]), "nothing is lost for seven days");
    staging.project.run(&["apply", "plans/staging.json"]).expect(0);
    let (new, kept) = (staging.instance(NAME).await.unwrap(), staging.instance(OLD).await.unwrap());
    assert_eq!(kept.resource_id, staging.old.resource_id);
    assert!(kept.tags.contains_key("switchover:keep-until"));
    assert_ne!(new.resource_id, kept.resource_id);
    staging.project.nothing_to_do("staging");

    let back = staging.project.run(&["rollback", "staging", "--yes"]).expect(0);
    assert!(back.stderr.contains("rename"), "what will be done is said: {}", back.stderr);
    staging.is_as_it_was().await;
}
