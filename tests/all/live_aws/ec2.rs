//! EC2's door, and the one method of RDS's that needs a VPC.

use std::collections::BTreeSet;

use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ec2::types::{DomainType, ResourceType, Tag, TagSpecification};
use switchover::world::live::aws::{self, AwsDoors};

use super::Site;
use crate::services::moto::Moto;

fn client(moto: &Moto, region: &'static str) -> aws_sdk_ec2::Client {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(&moto.endpoint);
    aws_sdk_ec2::Client::from_conf(config.build())
}

#[tokio::test]
async fn elastic_ips_come_with_their_names_region_by_region() {
    let Some(moto) = Moto::shared() else { return };
    let (here, there) = ("ap-east-1", "ap-southeast-2");
    let ec2 = client(moto, here);
    let name = Tag::builder().key("Name").value("eip-gigadb-live-gigadb").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::ElasticIp).tags(name).build();
    let named = ec2.allocate_address().domain(DomainType::Vpc).tag_specifications(tags).send().await.unwrap();
    ec2.allocate_address().domain(DomainType::Vpc).send().await.unwrap();

    let doors = AwsDoors::with_keys("test", "test");
    let door = aws::ec2(&Moto::provider(&moto.endpoint, here), &doors).await.unwrap();
    let found = door.elastic_ips().await.unwrap();
    assert_eq!((found.len(), door.account_id()), (2, "123456789012"));
    let one = found.iter().find(|one| one.name.as_deref() == Some("eip-gigadb-live-gigadb")).unwrap();
    assert_eq!(Some(one.public_ip.to_string()), named.public_ip);
    assert_eq!(Some(&one.allocation_id), named.allocation_id.as_ref());
    assert!(found.iter().any(|one| one.name.is_none()));
    let door = aws::ec2(&Moto::provider(&moto.endpoint, there), &doors).await.unwrap();
    assert!(door.elastic_ips().await.unwrap().is_empty());
}

#[tokio::test]
async fn security_groups_are_those_of_the_subnet_groups_vpc() {
    let Some(site) = Site::open("eu-central-1").await else { return };
    let ec2 = client(site.moto, site.region);
    let vpc = ec2.create_vpc().cidr_block("10.7.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let mut subnets = Vec::new();
    for (zone, block) in [("eu-central-1a", "10.7.1.0/24"), ("eu-central-1b", "10.7.2.0/24")] {
        let subnet = ec2.create_subnet().vpc_id(&vpc).availability_zone(zone).cidr_block(block).send().await.unwrap();
        subnets.push(subnet.subnet.unwrap().subnet_id.unwrap());
    }
    let rds = aws_sdk_rds::Client::from_conf(site.config().build());
    let group = rds.create_db_subnet_group().db_subnet_group_name("staging").db_subnet_group_description("for tests");
    group.set_subnet_ids(Some(subnets)).send().await.unwrap();
    let made = ec2.create_security_group().group_name("staging-dev-rds-sg").description("for tests").vpc_id(&vpc).send().await.unwrap();

    assert_eq!(site.rds.subnet_group_vpc("staging").await.unwrap().as_ref(), Some(&vpc));
    assert_eq!(site.rds.subnet_group_vpc("nothing").await.unwrap(), None);
    let door = aws::ec2(&Moto::provider(&site.moto.endpoint, site.region), &AwsDoors::with_keys("test", "test")).await.unwrap();
    let groups = door.security_groups(&vpc).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.name.as_str()).collect::<BTreeSet<_>>(), BTreeSet::from(["default", "staging-dev-rds-sg"]));
    assert!(groups.iter().all(|group| group.vpc_id == vpc));
    assert!(groups.iter().any(|group| Some(&group.id) == made.group_id.as_ref()));
    assert!(door.security_groups("vpc-00000000").await.unwrap().is_empty());
}
