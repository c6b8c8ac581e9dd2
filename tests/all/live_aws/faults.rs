//! Faults between the door and a moto that does what it was asked: what the door says must agree with what became of the call.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use switchover::world::rds::{Delete, Modify, Restore};
use switchover::world::{CallError, Failure};

use super::{Site, door};

const UNKNOWN: Failure = Failure::Unknown { retry_after: None };

fn rename(from: &str, to: &str) -> Modify {
    Modify { identifier: from.to_owned(), new_identifier: Some(to.to_owned()), ..Modify::default() }
}

fn restore(identifier: &str, snapshot: &str) -> Restore {
    Restore { identifier: identifier.to_owned(), snapshot: snapshot.to_owned(), settings: BTreeMap::new(), tags: BTreeMap::new() }
}

/// The effect of a rule on the next call of an operation in the site's region.
fn once(site: &Site, operation: &str, effect: (&str, Json)) {
    let mut rule = json!({"service": "rds", "operation": operation, "region": site.region, "times": 1});
    rule[effect.0] = effect.1;
    site.moto.fault(rule);
}

fn count(site: &Site, action: &str) -> usize {
    site.moto.writes(site.region).iter().filter(|(what, _)| what == action).count()
}

#[tokio::test]
async fn answers_lost_after_the_effect_are_unknown_and_a_look_finds_it() {
    let Some(site) = Site::open("ap-northeast-1").await else { return };
    let old = site.create("dev").await;
    let snapshot = site.snapshot_of("dev").await;
    let cut = door(site.moto.faulty(), site.region).await;
    let lost = || ("response", json!({"abort_frac": 0.0}));

    once(&site, "RestoreDBInstanceFromDBSnapshot", lost());
    assert_eq!(cut.restore(&restore("dev-next", &snapshot)).await.unwrap_err().failure, UNKNOWN);
    assert_eq!(site.rds.instance("dev-next").await.unwrap().unwrap().status, "creating");
    let again = cut.restore(&restore("dev-next", &snapshot)).await.unwrap_err();
    assert_eq!(again.code.as_deref(), Some("DBInstanceAlreadyExists"), "the service itself refuses the second one");

    once(&site, "ModifyDBInstance", lost());
    assert_eq!(cut.modify(&rename("dev", "dev-old")).await.unwrap_err().failure, UNKNOWN);
    site.available("dev-old").await;
    assert_eq!(site.rds.instance_by_resource_id(&old.resource_id).await.unwrap().unwrap().identifier, "dev-old");

    once(&site, "DeleteDBInstance", lost());
    let delete = Delete { identifier: "dev-old".to_owned(), final_snapshot: None, delete_automated_backups: true };
    assert_eq!(cut.delete(&delete).await.unwrap_err().failure, UNKNOWN);
    assert_eq!(site.rds.instance("dev-old").await.unwrap().unwrap().status, "deleting");
    for (action, calls) in [("RestoreDBInstanceFromDBSnapshot", 2), ("ModifyDBInstance", 1), ("DeleteDBInstance", 1)] {
        assert_eq!(count(&site, action), calls, "{action}: the door never repeats a call by itself");
    }
}

#[tokio::test]
async fn a_connection_cut_before_the_effect_is_unknown_as_well() {
    let Some(site) = Site::open("ap-northeast-2").await else { return };
    site.create("dev").await;
    let cut = door(site.moto.faulty(), site.region).await;
    once(&site, "ModifyDBInstance", ("reset", json!(true)));
    assert_eq!(cut.modify(&rename("dev", "dev-old")).await.unwrap_err().failure, UNKNOWN);
    assert_eq!(count(&site, "ModifyDBInstance"), 0);
    assert!(site.rds.instance("dev").await.unwrap().is_some());
}

#[tokio::test]
async fn refusals_and_throttling_did_nothing() {
    let Some(site) = Site::open("ap-northeast-3").await else { return };
    site.create("dev").await;
    let faulty = door(site.moto.faulty(), site.region).await;
    let mut seen: Vec<CallError> = Vec::new();
    for (code, status) in [
        ("Throttling", 400),
        ("InvalidDBInstanceState", 400),
        ("DBInstanceAlreadyExists", 400),
        ("ExpiredToken", 403),
        ("InternalFailure", 500),
        ("ServiceUnavailable", 503),
    ] {
        once(&site, "ModifyDBInstance", ("error", json!({"code": code, "status": status, "message": "injected"})));
        let error = faulty.modify(&rename("dev", "dev-old")).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some(code));
        seen.push(error);
    }
    let failures: Vec<Failure> = seen.iter().map(|error| error.failure).collect();
    let throttled = Failure::Throttled { retry_after: None };
    assert_eq!(failures, [throttled, Failure::Busy, Failure::Refused, Failure::Denied, UNKNOWN, UNKNOWN]);
    assert_eq!(count(&site, "ModifyDBInstance"), 0, "none of them reached the service");
    faulty.modify(&rename("dev", "dev-old")).await.unwrap();
}

#[tokio::test]
async fn half_an_answer_is_no_short_list() {
    let Some(site) = Site::open("ap-south-1").await else { return };
    site.create("prod").await;
    let faulty = door(site.moto.faulty(), site.region).await;
    for effect in [json!({"truncate_frac": 0.5}), json!({"abort_frac": 0.5}), json!({"truncate_bytes": 0})] {
        once(&site, "DescribeDBSnapshots", ("response", effect.clone()));
        assert_eq!(faulty.snapshots("prod", "automated").await.unwrap_err().failure, UNKNOWN, "{effect}");
    }
    once(&site, "DescribeDBInstances", ("response", json!({"truncate_frac": 0.5})));
    assert_eq!(faulty.instance("prod").await.unwrap_err().failure, UNKNOWN);
    assert_eq!(faulty.snapshots("prod", "automated").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_throttled_read_may_pass_later() {
    let Some(site) = Site::open("ap-southeast-1").await else { return };
    site.create("dev").await;
    let faulty = door(site.moto.faulty(), site.region).await;
    once(&site, "DescribeDBInstances", ("error", json!({"code": "Throttling", "status": 400})));
    let error = faulty.instance("dev").await.unwrap_err();
    assert_eq!(error.failure, Failure::Throttled { retry_after: None });
    assert!(faulty.instance("dev").await.unwrap().is_some());
}
