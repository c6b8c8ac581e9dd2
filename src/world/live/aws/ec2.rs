//! EC2's door.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, Filter};

use super::connect::Connection;
use super::{error, pages};
use crate::world::CallResult;
use crate::world::ec2::{Ec2Read, ElasticIp, SecurityGroup};

/// Groups a page; EC2 allows 5 to 1,000.
const PAGE_SIZE: i32 = 500;

pub(super) struct Ec2 {
    connection: Arc<Connection>,
}

impl Ec2 {
    pub fn new(connection: Arc<Connection>) -> Self {
        Ec2 { connection }
    }
}

#[async_trait]
impl Ec2Read for Ec2 {
    fn account_id(&self) -> &str {
        &self.connection.account_id
    }

    async fn elastic_ips(&self) -> CallResult<Vec<ElasticIp>> {
        let call = "ec2:DescribeAddresses";
        let _turn = self.connection.turn().await;
        // EC2 answers all addresses at once: this call has no pages.
        let answer = self.connection.ec2.describe_addresses().send().await.map_err(|e| self.connection.error(call, &e))?;
        // Addresses of EC2-Classic have no allocation, those that a customer owns no public address: neither can be meant.
        let inside_vpc = answer.addresses().iter().filter(|address| address.allocation_id().is_some() && address.public_ip().is_some());
        inside_vpc.map(|address| elastic_ip(address).ok_or_else(|| error::unreadable(call, "an address that is no IPv4 address"))).collect()
    }

    async fn security_groups(&self, vpc_id: &str) -> CallResult<Vec<SecurityGroup>> {
        let call = "ec2:DescribeSecurityGroups";
        let filter = Filter::builder().name("vpc-id").values(vpc_id).build();
        let request = self.connection.ec2.describe_security_groups().filters(filter).max_results(PAGE_SIZE);
        let groups = pages::all(call, |marker| {
            let request = request.clone().set_next_token(marker);
            async {
                let _turn = self.connection.turn().await;
                let answer = request.send().await.map_err(|e| self.connection.error(call, &e))?;
                Ok((answer.security_groups.unwrap_or_default(), answer.next_token))
            }
        });
        let groups =
            groups.await?.into_iter().map(|group| Some(SecurityGroup { id: group.group_id?, name: group.group_name?, vpc_id: group.vpc_id? }));
        groups.map(|group| group.ok_or_else(|| error::unreadable(call, "a security group without id, name or VPC"))).collect()
    }
}

fn elastic_ip(of: &Address) -> Option<ElasticIp> {
    let name = of.tags().iter().find(|tag| tag.key() == Some("Name")).and_then(|tag| tag.value());
    Some(ElasticIp { allocation_id: of.allocation_id()?.to_owned(), name: name.map(str::to_owned), public_ip: of.public_ip()?.parse().ok()? })
}
