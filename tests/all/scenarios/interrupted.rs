//! The program is killed the hard way in the middle of a refresh, and the run is brought to one of its two ends.

use super::project::is;
use super::staging::{NEXT, Staging, WRITES};

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
