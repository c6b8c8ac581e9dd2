//! Faults between the program and RDS, in front of a service that does what it was asked.

use serde_json::json;

use super::staging::{NAME, NEXT, OLD, Staging, WRITES};

#[tokio::test]
async fn answers_that_are_cut_after_the_effect_are_found_by_looking_and_nothing_happens_twice() {
    let Some(staging) = Staging::build("eu-central-2", true).await else { return };
    staging.plan();
    let cut = json!({"abort_frac": 0.0});
    staging.fault("RestoreDBInstanceFromDBSnapshot", "", 1, "response", &cut);
    for name in [OLD, NAME] {
        staging.fault("ModifyDBInstance", &format!("NewDBInstanceIdentifier == '{name}'"), 1, "response", &cut);
    }
    staging.fault("DeleteDBInstance", "", 1, "response", &cut);
    let applied = staging.project.run(&["apply", "plans/staging.json", "--json"]).expect(0);
    let told = applied.events().iter().filter(|event| event["type"] == "notice").count();
    assert!(told >= 4, "people are told of each: {}", applied.stdout);
    // While RDS still shows the old name a rename may be asked for again, since the service itself refuses the second one.
    let (effects, refused): (Vec<String>, Vec<String>) = staging.writes().into_iter().partition(|write| !write.contains("(answer"));
    assert_eq!(effects, WRITES);
    assert!(refused.iter().all(|write| write.starts_with("rename ")), "{refused:?}");
    staging.is_refreshed().await;
}

#[tokio::test]
async fn throttling_is_waited_out_and_a_connection_lost_before_the_call_is_made_again() {
    let Some(staging) = Staging::build("eu-south-2", true).await else { return };
    let throttled = json!({"code": "Throttling", "status": 400});
    staging.fault("DescribeDBSnapshots", "", 2, "error", &throttled);
    staging.fault("DescribeDBInstances", "", 2, "error", &throttled);
    staging.plan();
    staging.fault("AddTagsToResource", "", 1, "error", &throttled);
    staging.fault("RestoreDBInstanceFromDBSnapshot", "", 1, "reset", &json!(true));
    staging.fault("ModifyDBInstance", &format!("NewDBInstanceIdentifier == '{NAME}'"), 2, "error", &throttled);
    let busy = json!({"code": "InvalidDBInstanceState", "status": 400, "message": "Instance is not in available state."});
    staging.fault("DeleteDBInstance", "", 1, "error", &busy);
    staging.project.run(&["apply", "plans/staging.json"]).expect(0);
    assert_eq!(staging.writes(), WRITES, "what was throttled, refused for now or lost on the way never reached the service");
    staging.is_refreshed().await;
}

#[tokio::test]
async fn a_refused_rename_in_the_outage_switches_back() {
    let Some(staging) = Staging::build("ap-southeast-4", true).await else { return };
    staging.plan();
    // moto itself would rename onto anything; RDS refuses in such words.
    let refusal = json!({"code": "DBInstanceAlreadyExists", "status": 400, "message": "DB instance already exists"});
    staging.fault("ModifyDBInstance", &format!("NewDBInstanceIdentifier == '{NAME}' && DBInstanceIdentifier == '{NEXT}'"), 20, "error", &refusal);
    let failed = staging.project.run(&["apply", "plans/staging.json", "--json"]).expect(4);
    assert!(failed.stdout.contains("outage_ended"), "{}", failed.stdout);
    let ways_back = ["rename dev-openverse-db-old to dev-openverse-db", "delete dev-openverse-db-next", "tag dev-openverse-db"];
    assert_eq!(staging.writes()[5..], ways_back);
    staging.is_as_it_was().await;
}
