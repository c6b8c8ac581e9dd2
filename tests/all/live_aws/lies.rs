//! Where moto does what RDS and EC2 do not. Each test holds one of its lies still: when one fails, moto has learned better, and tests may
//! rely on more than before. None of the other tests may lean on what is here.

use std::collections::BTreeMap;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::Filter;
use serde_json::json;
use switchover::world::rds::{Modify, RdsWrite, Restore};

use super::{Site, door};

/// moto without the overlay: the door, and the SDK.
async fn bare(site: &Site) -> (std::sync::Arc<dyn RdsWrite>, Client) {
    let config = site.config().endpoint_url(&site.moto.bare).build();
    (door(&site.moto.bare, site.region).await, Client::from_conf(config))
}

async fn create(client: &Client, name: &str) -> Result<aws_sdk_rds::types::DbInstance, String> {
    let request = client.create_db_instance().db_instance_identifier(name).db_instance_class("db.m5.large").engine("postgres");
    let made = request.allocated_storage(20).master_username("u").master_user_password("not-a-secret").send().await;
    made.map(|made| made.db_instance.expect("an instance")).map_err(|error| {
        let error = error.into_service_error();
        error.meta().code().unwrap_or_default().to_owned()
    })
}

fn modify(name: &str, new: Option<&str>, setting: Option<(&str, serde_json::Value)>) -> Modify {
    let settings = setting.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Modify { identifier: name.to_owned(), new_identifier: new.map(str::to_owned), settings, ..Modify::default() }
}

#[tokio::test]
async fn everything_happens_at_once_and_every_instance_has_the_same_id() {
    let Some(site) = Site::open("eu-north-1").await else { return };
    let (rds, client) = bare(&site).await;
    let a = create(&client, "a").await.unwrap();
    create(&client, "b").await.unwrap();
    assert_eq!(a.db_instance_status(), Some("available"), "RDS says creating");
    let (a, b) = (rds.instance("a").await.unwrap().unwrap(), rds.instance("b").await.unwrap().unwrap());
    assert_eq!(a.resource_id, b.resource_id, "RDS gives each its own");
    let filter = Filter::builder().name("dbi-resource-id").values(&a.resource_id).build();
    let found = client.describe_db_instances().filters(filter).send().await.unwrap();
    assert_eq!(found.db_instances().len(), 2, "RDS finds the one");
    rds.modify(&modify("a", Some("a-old"), None)).await.unwrap();
    assert_eq!(rds.instance("a-old").await.unwrap().unwrap().status, "available", "RDS is blind to it, then renames");
    client.delete_db_instance().db_instance_identifier("b").skip_final_snapshot(true).send().await.unwrap();
    assert_eq!(rds.instance("b").await.unwrap(), None, "RDS deletes for minutes");
}

#[tokio::test]
async fn a_rename_onto_a_taken_name_destroys_whoever_has_it() {
    let Some(site) = Site::open("me-south-1").await else { return };
    let (rds, client) = bare(&site).await;
    create(&client, "a").await.unwrap();
    create(&client, "b").await.unwrap();
    rds.modify(&modify("b", None, Some(("allocated_storage", json!(77))))).await.unwrap();
    rds.modify(&modify("a", Some("b"), None)).await.expect("RDS refuses it: DBInstanceAlreadyExists");
    assert_eq!(rds.instance("b").await.unwrap().unwrap().settings["allocated_storage"], json!(20), "the one with 77 GiB is gone");
}

#[tokio::test]
async fn a_restore_keeps_what_is_true_and_copies_tags_and_protection() {
    let Some(site) = Site::open("af-south-1").await else { return };
    let source = site.create("prod").await;
    site.rds.add_tags(&source.arn, &BTreeMap::from([("Environment".to_owned(), "production".to_owned())])).await.unwrap();
    for name in ["multi_az", "deletion_protection"] {
        site.rds.modify(&modify("prod", None, Some((name, json!(true))))).await.unwrap();
    }
    let client = Client::from_conf(site.config().build());
    client.create_db_snapshot().db_instance_identifier("prod").db_snapshot_identifier("by-hand").send().await.unwrap();
    let settings = BTreeMap::from([("multi_az".to_owned(), json!(false)), ("deletion_protection".to_owned(), json!(false))]);
    let restore = Restore { identifier: "dev".to_owned(), snapshot: "by-hand".to_owned(), settings, tags: BTreeMap::new() };
    site.rds.restore(&restore).await.unwrap();
    let made = site.available("dev").await;
    assert_eq!((&made.settings["multi_az"], &made.settings["deletion_protection"]), (&json!(true), &json!(true)), "RDS does as it is told");
    assert_eq!(made.tags.get("Environment").map(String::as_str), Some("production"), "RDS copies no tags");
    site.rds.modify(&modify("dev", None, Some(("multi_az", json!(false))))).await.unwrap();
    assert_eq!(site.available("dev").await.settings["multi_az"], json!(false), "a modification may say false");
}

#[tokio::test]
async fn changes_never_wait_and_are_never_checked() {
    let Some(site) = Site::open("eu-south-1").await else { return };
    let (rds, client) = bare(&site).await;
    create(&client, "a").await.unwrap();
    client.modify_db_instance().db_instance_identifier("a").db_instance_class("db.m5.4xlarge").send().await.unwrap();
    let now = rds.instance("a").await.unwrap().unwrap();
    assert_eq!((&now.settings["instance_class"], now.pending.len()), (&json!("db.m5.4xlarge"), 0), "RDS waits for the maintenance window");
    for (name, value) in [("allocated_storage", json!(5)), ("instance_class", json!("db.none.such")), ("vpc_security_groups", json!(["sg-none"]))] {
        rds.modify(&modify("a", None, Some((name, value)))).await.expect("RDS refuses it");
    }
    client.delete_db_instance().db_instance_identifier("a").send().await.expect("RDS wants a final snapshot, or to be told that none is wanted");
}

#[tokio::test]
async fn snapshots_have_no_pages_and_no_progress() {
    let Some(site) = Site::open("il-central-1").await else { return };
    let (rds, client) = bare(&site).await;
    create(&client, "a").await.unwrap();
    for n in 0..21 {
        client.create_db_snapshot().db_instance_identifier("a").db_snapshot_identifier(format!("s-{n}")).send().await.unwrap();
    }
    let page = client.describe_db_snapshots().max_records(20).send().await.unwrap();
    assert_eq!((page.db_snapshots().len(), page.marker()), (22, None), "RDS gives 20 and a marker");
    let one = rds.snapshot("s-0").await.unwrap().unwrap();
    assert_eq!((one.status.as_str(), one.percent), ("available", 0), "RDS says creating, with its progress, and 100 at the end");
}

#[tokio::test]
async fn what_is_not_there_has_no_tags_and_an_engine_without_a_version_is_old() {
    let Some(site) = Site::open("ap-southeast-3").await else { return };
    let (rds, client) = bare(&site).await;
    let nobody = format!("arn:aws:rds:{}:123456789012:db:nobody", site.region);
    let tags = client.list_tags_for_resource().resource_name(nobody).send().await.expect("RDS says DBInstanceNotFound");
    assert!(tags.tag_list().is_empty());
    create(&client, "a").await.unwrap();
    assert_eq!(rds.instance("a").await.unwrap().unwrap().engine_version, "9.3.3", "RDS takes a version of today");
}

#[tokio::test]
async fn a_default_option_group_is_shown_and_not_known() {
    let Some(site) = Site::open("ap-southeast-7").await else { return };
    let made = site.create("a").await;
    let group = made.settings["option_group_name"].clone();
    assert_eq!(group, json!("default:postgres-14-10"), "RDS calls it default:postgres-14");
    let settings = BTreeMap::from([("option_group_name".to_owned(), group)]);
    let restore = Restore { identifier: "b".to_owned(), snapshot: site.snapshot_of("a").await, settings, tags: BTreeMap::new() };
    let error = site.rds.restore(&restore).await.expect_err("RDS takes it");
    assert_eq!(error.code.as_deref(), Some("OptionGroupNotFoundFault"));
}

#[tokio::test]
async fn an_automated_snapshot_is_named_by_the_minute_and_a_clash_leaves_half_an_instance() {
    let Some(site) = Site::open("me-central-1").await else { return };
    let (rds, client) = bare(&site).await;
    // The clash needs both creations within one minute, so a try may straddle two; three in a row cannot.
    for name in ["x", "y", "z"] {
        create(&client, name).await.unwrap();
        rds.modify(&modify(name, Some(&format!("{name}-old")), None)).await.unwrap();
        let Err(code) = create(&client, name).await else { continue };
        assert_eq!(code, "DBSnapshotAlreadyExists");
        assert!(rds.instance(name).await.unwrap().is_some(), "the call was refused and the instance is there");
        return;
    }
    panic!("moto names its snapshots otherwise now");
}

#[tokio::test]
async fn elastic_ips_are_loopback_addresses() {
    let Some(site) = Site::open("ap-south-2").await else { return };
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(aws_sdk_ec2::config::BehaviorVersion::v2026_01_12())
        .region(aws_sdk_ec2::config::Region::new(site.region))
        .credentials_provider(aws_sdk_ec2::config::Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(&site.moto.endpoint);
    let client = aws_sdk_ec2::Client::from_conf(config.build());
    let made = client.allocate_address().send().await.unwrap();
    let address: std::net::Ipv4Addr = made.public_ip().unwrap().parse().unwrap();
    assert!(address.is_loopback(), "EC2 gives public ones, not {address}");
}
