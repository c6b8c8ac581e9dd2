//! Servers that are no AWS, networks that lead nowhere, and whose credentials are used.

use std::net::TcpListener;
use std::process::Command;

use switchover::world::live::aws::{self, AwsDoors};
use switchover::world::rds::{Modify, RdsWrite};
use switchover::world::{CallError, Failure};

use crate::services::moto::{Moto, free_ports};
use crate::services::scripted::{Scripted, http};

const UNKNOWN: Failure = Failure::Unknown { retry_after: None };
const IDENTITY: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>X</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"#;

/// A door to a server that first says whose the credentials are and then gives `answers`.
async fn door(answers: Vec<String>) -> (std::sync::Arc<dyn RdsWrite>, Scripted) {
    let server = Scripted::start([vec![http(200, &[], IDENTITY)], answers].concat());
    let doors = AwsDoors::with_keys("AKIAPLANTEDKEY", "planted-secret-key");
    let rds = aws::rds(&Moto::provider(&server.address, "eu-west-1"), &doors).await.expect("the account is right");
    (rds, server)
}

fn rename() -> Modify {
    Modify { identifier: "dev".to_owned(), new_identifier: Some("dev-old".to_owned()), ..Modify::default() }
}

fn page(snapshots: &[&str], marker: &str) -> String {
    let one = |name: &&str| {
        format!(
            "<DBSnapshot><DBSnapshotIdentifier>{name}</DBSnapshotIdentifier><DBInstanceIdentifier>prod</DBInstanceIdentifier><Status>available</Status></DBSnapshot>"
        )
    };
    let (list, marker) =
        (snapshots.iter().map(one).collect::<String>(), if marker.is_empty() { String::new() } else { format!("<Marker>{marker}</Marker>") });
    let body = format!(
        r#"<DescribeDBSnapshotsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBSnapshotsResult>{marker}<DBSnapshots>{list}</DBSnapshots></DescribeDBSnapshotsResult></DescribeDBSnapshotsResponse>"#
    );
    http(200, &[], &body)
}

#[tokio::test]
async fn snapshots_are_read_page_by_page() {
    let (rds, server) = door(vec![page(&["a", "b"], "second&amp;page"), page(&["c"], "")]).await;
    let names: Vec<String> = rds.snapshots("prod", "automated").await.unwrap().into_iter().map(|one| one.identifier).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let asked = server.requests();
    assert!(asked[1].contains("MaxRecords=100") && !asked[1].contains("Marker="), "{}", asked[1]);
    assert!(asked[2].contains("Marker=second%26page"), "{}", asked[2]);
    let (rds, _server) = door(vec![page(&["a"], "again"), page(&["b"], "again")]).await;
    assert_eq!(rds.snapshots("prod", "any").await.unwrap_err().failure, UNKNOWN, "a circle of pages is no list");
}

#[tokio::test]
async fn garbage_is_never_taken_for_absence_nor_for_success() {
    let html = "<!doctype html><html><body>Sign in to the guest network</body></html>";
    for (status, failure) in [(200, UNKNOWN), (404, Failure::Refused), (403, Failure::Denied), (502, UNKNOWN)] {
        let (rds, _server) = door(vec![http(status, &[], html), http(status, &[], html)]).await;
        assert_eq!(rds.instance("dev").await.unwrap_err().failure, failure, "{status}");
        assert_eq!(rds.modify(&rename()).await.unwrap_err().failure, failure, "{status}");
    }
    for answer in [http(200, &[], ""), http(200, &[], "\u{0}\u{1}"), "no HTTP at all\r\n\r\n".to_owned(), String::new(), page(&["a"], "")] {
        let (rds, _server) = door(vec![answer.clone(), answer.clone()]).await;
        let read = rds.instance("dev").await.map(|found| found.map(|one| one.identifier));
        assert_eq!(read.map_err(|error| error.failure), Err(UNKNOWN), "{answer}");
        assert_eq!(rds.modify(&rename()).await.map_err(|error| error.failure), Err(UNKNOWN), "{answer}");
    }
}

#[tokio::test]
async fn retry_after_is_handed_on_and_secrets_are_not() {
    let fault = |code: &str, message: &str| {
        format!(
            r#"<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"#
        )
    };
    let mismatch = fault("SignatureDoesNotMatch", "It does not match.\n\nThe canonical string was\nx-amz-security-token:planted-secret-key");
    let (rds, _server) = door(vec![
        http(400, &["retry-after: 7"], &fault("Throttling", "Rate exceeded")),
        http(503, &["retry-after: 9"], "busy"),
        http(403, &[], &mismatch),
    ])
    .await;
    let mut errors: Vec<CallError> = Vec::new();
    for _ in 0..3 {
        errors.push(rds.modify(&rename()).await.unwrap_err());
    }
    let seconds = |n| Some(std::time::Duration::from_secs(n));
    assert_eq!(errors[0].failure, Failure::Throttled { retry_after: seconds(7) });
    assert_eq!(errors[1].failure, Failure::Unknown { retry_after: seconds(9) });
    assert_eq!((errors[2].failure, errors[2].message.as_str()), (Failure::Denied, "It does not match."));
    assert!(!format!("{errors:?}").contains("planted"), "{errors:?}");
}

#[tokio::test]
async fn nobody_there_means_that_nothing_was_sent() {
    let [port] = free_ports();
    let nobody = Moto::provider(&format!("http://127.0.0.1:{port}"), "eu-west-1");
    let error = aws::rds(&nobody, &AwsDoors::with_keys("a", "b")).await.err().unwrap();
    assert_eq!((error.call.as_str(), error.failure), ("sts:GetCallerIdentity", Failure::Unreachable));
    // Something listens there, and speaks no TLS: the handshake fails before the request.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || drop(listener.accept()));
    let no_tls = Moto::provider(&format!("https://{address}"), "eu-west-1");
    assert_eq!(aws::rds(&no_tls, &AwsDoors::with_keys("a", "b")).await.err().unwrap().failure, Failure::Unreachable);
}

#[tokio::test]
async fn a_door_that_did_not_open_is_tried_again() {
    let server = Scripted::start(vec![http(503, &[], "busy"), http(200, &[], IDENTITY)]);
    let (provider, doors) = (Moto::provider(&server.address, "eu-west-1"), AwsDoors::with_keys("a", "b"));
    assert_eq!(aws::rds(&provider, &doors).await.err().map(|error| error.failure), Some(UNKNOWN));
    assert!(aws::rds(&provider, &doors).await.is_ok());
    assert!(aws::ec2(&provider, &doors).await.is_ok(), "the account is asked once");
    assert_eq!(server.requests().len(), 2);
}

/// The same test, started again by itself with an environment of its own, since no test may change that of all the others.
#[tokio::test]
async fn a_profile_wins_over_keys_in_the_environment() {
    if let Ok(address) = std::env::var("SWITCHOVER_TEST_INNER") {
        let mut provider = Moto::provider(&address, "eu-west-1");
        aws::rds(&provider, &AwsDoors::new()).await.expect("the keys of the environment do without a profile");
        provider.profile = Some("UpstreamAlt".to_owned());
        aws::rds(&provider, &AwsDoors::new()).await.expect("the profile is there");
        provider.profile = Some("nobody".to_owned());
        let missing = aws::rds(&provider, &AwsDoors::new()).await.err().unwrap();
        assert_eq!(missing.failure, Failure::Denied);
        assert!(missing.message.contains("nobody"), "{missing}");
        return;
    }
    let server = Scripted::start(vec![http(200, &[], IDENTITY), http(200, &[], IDENTITY)]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    std::fs::write(&file, "[UpstreamAlt]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = x\n").unwrap();
    let inner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "live_aws::failures::a_profile_wins_over_keys_in_the_environment"])
        .env("SWITCHOVER_TEST_INNER", &server.address)
        .env("AWS_SHARED_CREDENTIALS_FILE", &file)
        .env("AWS_CONFIG_FILE", folder.path().join("config"))
        .env("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
        .env("AWS_SECRET_ACCESS_KEY", "y")
        .env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert!(inner.status.success(), "{}", String::from_utf8_lossy(&inner.stdout));
    let asked = server.requests();
    assert!(asked[0].contains("Credential=AKIAENVIRONMENT/"), "{}", asked[0]);
    assert!(asked[1].contains("Credential=AKIAPROFILE/"), "{}", asked[1]);
}
