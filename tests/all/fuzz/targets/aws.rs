//! Answers of RDS and EC2, through the real doors and the SDK.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use switchover::world::CallResult;
use switchover::world::ec2::Ec2Read;
use switchover::world::live::aws::{self, AwsDoors};
use switchover::world::rds::{Delete, Modify, RdsWrite, Restore, Settings};

use crate::fuzz::planning::now;
use crate::fuzz::{oracle, server};
use crate::services::moto::Moto;

/// Statuses that the first byte chooses from.
const STATUSES: [u16; 8] = [200, 200, 200, 200, 400, 403, 404, 500];

const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
    <Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>x</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

struct Doors {
    server: server::Http,
    rds: Arc<dyn RdsWrite>,
    ec2: Arc<dyn Ec2Read>,
}

fn doors() -> &'static Doors {
    static DOORS: OnceLock<Doors> = OnceLock::new();
    DOORS.get_or_init(|| {
        let server = server::Http::start();
        server.answer(200, IDENTITY.as_bytes());
        let (provider, cache) = (Moto::provider(&server.url(), "us-east-1"), AwsDoors::with_keys("test", "test"));
        let open = async { (aws::rds(&provider, &cache).await.unwrap(), aws::ec2(&provider, &cache).await.unwrap()) };
        let (rds, ec2) = now(open);
        Doors { server, rds, ec2 }
    })
}

/// What came of a read: only what was asked for, or an error that can be told.
fn read<T>(result: CallResult<T>, fits: impl FnOnce(&T) -> bool) {
    match result {
        Ok(found) => assert!(fits(&found), "something else than was asked for was taken"),
        Err(why) => oracle::call_error(&why),
    }
}

/// What came of a write: whatever the answer says, a call that was answered with success has not "not happened".
fn written(status: u16, result: CallResult<()>) {
    let is_success = (200..300).contains(&status);
    match result {
        Ok(()) => assert!(is_success, "status {status} was taken for success"),
        Err(why) => {
            oracle::call_error(&why);
            let may_have_happened = is_success || status >= 500;
            assert!(!(may_have_happened && why.nothing_happened()), "status {status} was taken for a call without effect: {why:?}");
        }
    }
}

/// The first byte chooses the status, the second the call, the rest is the body.
pub fn answers(bytes: &[u8]) {
    let Doors { server, rds, ec2 } = doors();
    let (head, body) = bytes.split_at(bytes.len().min(2));
    let (first, second) = (head.first().copied().unwrap_or_default(), head.get(1).copied().unwrap_or_default());
    let status = STATUSES[usize::from(first) % STATUSES.len()];
    server.answer(status, body);
    let called = |name: &str| name.eq_ignore_ascii_case("staging-db");
    now(async {
        match second % 14 {
            0 | 1 => read(rds.instance("staging-db").await, |found| found.as_ref().is_none_or(|one| called(&one.identifier))),
            2 => read(rds.instances().await, |_| true),
            3 => read(rds.instance_by_resource_id("db-1").await, |found| found.as_ref().is_none_or(|one| one.resource_id == "db-1")),
            4 => read(rds.snapshots("prod-db", "any").await, |found| found.iter().all(|one| one.instance.eq_ignore_ascii_case("prod-db"))),
            5 => read(rds.snapshot("snap").await, |found| found.as_ref().is_none_or(|one| one.identifier.eq_ignore_ascii_case("snap"))),
            6 => read(rds.subnet_group_vpc("default").await, |_| true),
            7 => read(ec2.security_groups("vpc-1").await, |_| true),
            8 => read(ec2.elastic_ips().await, |_| true),
            9 => written(status, rds.restore(&restore()).await),
            10 => written(status, rds.modify(&rename()).await),
            11 => written(status, rds.reboot("staging-db").await),
            12 => {
                let delete = Delete { identifier: "staging-db-old".to_owned(), final_snapshot: None, delete_automated_backups: true };
                written(status, rds.delete(&delete).await);
            }
            _ => written(status, rds.add_tags("arn:aws:rds:us-east-1:123456789012:db:staging-db", &one_tag()).await),
        }
    });
}

fn one_tag() -> BTreeMap<String, String> {
    BTreeMap::from([("switchover:run".to_owned(), "r".to_owned())])
}

fn restore() -> Restore {
    let settings = Settings::from([("instance_class".to_owned(), json!("db.m5.large"))]);
    Restore { identifier: "staging-db-next".to_owned(), snapshot: "snap".to_owned(), settings, tags: one_tag() }
}

fn rename() -> Modify {
    Modify { identifier: "staging-db-next".to_owned(), new_identifier: Some("staging-db".to_owned()), ..Modify::default() }
}
