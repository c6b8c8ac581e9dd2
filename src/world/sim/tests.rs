//! The world as a whole: its file, its clock, its accounts, its faults. Each service has its own tests beside it.

mod disk;
mod faulty;
pub(super) mod support;

use std::time::Duration;

use serde_json::json;

use super::{SimOptions, SimWorld};
use crate::world::{Failure, Readers, Writers};
use support::{aws, slack, world, world_with};

#[tokio::test]
async fn the_clock_moves_only_when_time_is_allowed() {
    let world = world();
    let clock = world.clock();
    let start = clock.now();
    clock.sleep(Duration::from_mins(1)).await;
    assert_eq!(clock.now(), start);
    world.allow_time(true);
    clock.sleep(Duration::from_mins(1)).await;
    assert_eq!(crate::model::time::between(start, clock.now()).as_secs(), 60);
    clock.sleep_until(start).await;
    assert_eq!(crate::model::time::between(start, clock.now()).as_secs(), 60, "never backwards");
}

#[tokio::test(start_paused = true)]
async fn a_pace_makes_sleeping_real() {
    let world = SimWorld::from_json(&support::base(), SimOptions { seed: None, pace: Some(60.0) }).unwrap();
    world.allow_time(true);
    let real = tokio::time::Instant::now();
    world.clock().sleep(Duration::from_mins(10)).await;
    assert_eq!(real.elapsed().as_secs(), 10);
    assert!(SimWorld::from_json(&support::base(), SimOptions { seed: None, pace: Some(0.0) }).is_err());
}

#[tokio::test]
async fn providers_lead_to_accounts() {
    let two = json!({"accounts": {"111111111111": {"profiles": ["One"]}, "222222222222": {"profiles": ["Two"]}}, "default_account": "222222222222"});
    let world = world_with("/aws", two);
    let account = async |profile: Option<&str>, account: Option<&str>| {
        let provider = support::aws_of(profile, account);
        world.rds(&provider).await.map(|door| door.account_id().to_owned()).map_err(|error| error.failure)
    };
    assert_eq!(account(Some("One"), None).await.as_deref(), Ok("111111111111"));
    assert_eq!(account(None, None).await.as_deref(), Ok("222222222222"));
    assert_eq!(account(None, Some("111111111111")).await.as_deref(), Ok("111111111111"));
    assert_eq!(account(Some("One"), Some("222222222222")).await, Err(Failure::Denied));
    assert_eq!(account(Some("Three"), None).await, Err(Failure::Denied));
    assert_eq!(account(None, Some("999999999999")).await, Err(Failure::Denied));
    assert!(world.calls().is_empty(), "nothing was read");
}

#[tokio::test]
async fn addresses_and_security_groups_are_those_of_the_region() {
    let world = world();
    let ec2 = world.ec2(&aws()).await.unwrap();
    let addresses = ec2.elastic_ips().await.unwrap();
    assert_eq!((addresses.len(), addresses[0].name.as_deref()), (1, Some("eip-live")));
    let groups = ec2.security_groups("vpc-1").await.unwrap();
    assert_eq!(groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["default", "access"]);
    let elsewhere = world.ec2(&crate::world::provider::AwsProvider { region: "eu-west-1".to_owned(), ..aws() }).await.unwrap();
    assert!(elsewhere.elastic_ips().await.unwrap().is_empty());
}

#[tokio::test]
async fn notices_are_kept() {
    let world = world();
    world.chat().await.unwrap().post(&slack(), "hello").await.unwrap();
    assert_eq!(world.snapshot()["slack"]["messages"], json!([{"at": "2026-11-05T09:00:00Z", "channel": "slack.ops", "text": "hello"}]));
}

#[test]
fn the_same_seed_draws_the_same() {
    let draw = |seed| {
        let world = SimWorld::from_json(&support::base(), SimOptions { seed, pace: None }).unwrap();
        [world.random(), world.random()]
    };
    assert_eq!(draw(Some(7)), draw(Some(7)));
    assert_ne!(draw(Some(7)), draw(Some(8)));
    assert_ne!(draw(None), draw(None));
}
