//! Credentials that expire in the middle: the run halts, says which they are, and goes on with new ones.

use std::collections::BTreeMap;

use serde_json::json;
use switchover::world::sim::Fault;

use super::scenes::{self, Example};
use super::stage::{Stage, Straight, Way, every, straight};
use crate::cli::bench::Bench;

fn expired() -> Fault {
    Fault::Denied { code: "ExpiredToken".to_owned(), message: "the security token included in the request is expired".to_owned() }
}

/// From this call of the run on nobody is let in.
async fn expire_at(example: Example, at: u64) -> (Stage, super::stage::Ran) {
    let stage = Stage::new(example).await;
    let first = stage.calls() + at;
    // Name servers answer everybody.
    stage.world.set_hook(Box::new(move |info| (info.number >= first && info.call != "dns:query").then(expired)));
    let ran = stage.run(Way::New).await;
    stage.world.clear_hook();
    (stage, ran)
}

#[tokio::test]
async fn whenever_they_expire_new_ones_let_the_run_go_on_or_back() {
    for make in [scenes::refresh as fn() -> Example, scenes::swap] {
        let Straight { calls, declared, .. } = straight(make()).await;
        let mut ends: BTreeMap<(u8, Way), u64> = BTreeMap::new();
        for at in (1..=calls).step_by(every(3)) {
            for way in [Way::On, Way::Back] {
                let (stage, ran) = expire_at(make(), at).await;
                let cell = format!("expired at call {at} of {calls}, then {way:?}");
                *ends.entry((ran.code(), way)).or_default() += 1;
                if ran.code() == 1 {
                    assert_eq!(stage.now(), stage.original, "{cell}");
                    stage.converge(&cell).await;
                    assert_eq!(stage.now(), declared, "{cell}");
                    continue;
                }
                let needs = ran.needs();
                if ran.code() == 0 {
                    // Nothing was left but questions to the name servers.
                    assert_eq!(stage.now(), declared, "{cell}");
                    continue;
                }
                assert_eq!(ran.code(), 5, "{cell}: {:?}", ran.summary);
                let named =
                    ["the AWS credentials of aws", "the api_token of cloudflare (env(\"CLOUDFLARE_API_TOKEN\"))", "(env(\"STAGING_DB_PASSWORD\"))"];
                assert!(named.iter().any(|name| needs.contains(name)), "{cell}: {needs}");
                // A way back is offered where it is not refused.
                let back = needs.contains("`switchover rollback") || stage.is_gone().await;
                assert!(needs.contains("`switchover resume") && back, "{cell}: {needs}");
                let before = stage.calls();
                if way == Way::Back && stage.is_gone().await {
                    continue;
                }
                let again = stage.run(way).await;
                assert_eq!(again.code(), 0, "{cell}: {:?}", again.summary);
                assert!(stage.calls() > before, "{cell}");
                assert_eq!(stage.now(), if way == Way::On { declared.clone() } else { stage.original.clone() }, "{cell}");
                stage.check_calls(&cell);
                if way == Way::On {
                    stage.nothing_left(&cell).await;
                }
            }
        }
        println!("expired: {calls} calls, {ends:?}");
    }
}

#[test]
fn the_binary_says_which_credentials_and_an_open_outage() {
    // The third modification is the rename of the new instance, in the outage.
    for (call, nth, words) in [
        ("rds:RestoreDBInstanceFromDBSnapshot", 1, vec!["the AWS credentials of aws (the standard chain"]),
        ("rds:ModifyDBInstance", 2, vec!["the AWS credentials of aws", "the outage of dev-openverse-db lasts until then"]),
        ("postgres:transaction", 1, vec!["the password of the database role deploy (env(\"STAGING_DB_PASSWORD\"))"]),
    ] {
        let bench = Bench::openverse();
        let fault = json!({ "kind": "denied", "code": "ExpiredToken", "message": "expired" });
        bench.change_world(|world| world["faults"] = json!([{ "call": call, "nth": nth, "times": 1, "fault": fault }]));
        let mut said = bench.run(&["apply", "staging", "--yes"]).exits(5).says("A PERSON IS NEEDED").says("switchover resume staging");
        for word in words {
            said = said.says(word);
        }
        bench.run(&["resume", "staging"]).exits(0).says("staging: DONE");
        bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0);
    }
}
