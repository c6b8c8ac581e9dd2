//! The overlay's own manners that no other test needs, on a moto of its own: its settings hold for all regions.

use std::time::Duration;

use serde_json::json;

use super::door;
use crate::services::moto::Moto;

#[tokio::test]
async fn walks_may_go_by_the_clock_and_things_may_be_touched() {
    let Some(moto) = Moto::start() else { return };
    let rds = door(&moto.endpoint, "eu-west-1").await;
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(aws_sdk_rds::config::BehaviorVersion::v2026_01_12())
        .region(aws_sdk_rds::config::Region::new("eu-west-1"))
        .credentials_provider(aws_sdk_rds::config::Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(&moto.endpoint);
    let client = aws_sdk_rds::Client::from_conf(config.build());
    moto.overlay("settings", &json!({"unit": "seconds", "creating": 2, "backing-up": 0}));
    let request = client.create_db_instance().db_instance_identifier("dev").db_instance_class("db.m5.large").engine("postgres");
    request.allocated_storage(20).master_username("u").master_user_password("not-a-secret").send().await.unwrap();
    for _ in 0..5 {
        assert_eq!(rds.instance("dev").await.unwrap().unwrap().status, "creating", "looks do not move the clock");
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(rds.instance("dev").await.unwrap().unwrap().status, "available");

    moto.overlay("settings", &json!({"unit": "looks", "snapshot-creating": 1}));
    let snapshot = rds.snapshots("dev", "automated").await.unwrap().remove(0).identifier;
    moto.overlay("touch", &json!({"region": "eu-west-1", "snapshot": snapshot, "walk": ["creating"]}));
    assert_eq!(rds.snapshot(&snapshot).await.unwrap().unwrap().created, None, "it is being made");
    assert!(rds.snapshot(&snapshot).await.unwrap().unwrap().created.is_some());
    moto.overlay("touch", &json!({"region": "eu-west-1", "instance": "dev", "walk": ["modifying"]}));
    assert_eq!(rds.instance("dev").await.unwrap().unwrap().status, "modifying");

    assert_eq!(moto.writes("eu-west-1"), [("CreateDBInstance".to_owned(), 200)]);
    moto.overlay("reset", &json!({}));
    assert_eq!(rds.instance("dev").await.unwrap(), None, "moto is empty again");
    assert!(moto.writes("eu-west-1").is_empty());
}
