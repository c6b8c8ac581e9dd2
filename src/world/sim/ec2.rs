//! EC2, simulated: addresses and security groups, reading only.

use std::sync::Arc;

use async_trait::async_trait;

use super::core::{Core, Work};
use super::rds::Place;
use crate::world::CallResult;
use crate::world::ec2::{Ec2Read, ElasticIp, SecurityGroup};

/// The door.
pub(super) struct Ec2Door {
    pub(super) core: Arc<Core>,
    pub(super) place: Place,
}

#[async_trait]
impl Ec2Read for Ec2Door {
    fn account_id(&self) -> &str {
        &self.place.account
    }

    async fn elastic_ips(&self) -> CallResult<Vec<ElasticIp>> {
        let list = |work: &mut Work<'_>| {
            let all = self.place.region(work).into_iter().flat_map(|region| &region.elastic_ips);
            Ok(all.map(|(id, address)| ElasticIp { allocation_id: id.clone(), name: address.name.clone(), public_ip: address.public_ip }).collect())
        };
        self.core.call("ec2:DescribeAddresses", self.place.region.clone(), false, list).await
    }

    async fn security_groups(&self, vpc_id: &str) -> CallResult<Vec<SecurityGroup>> {
        let list = |work: &mut Work<'_>| {
            let all = self.place.region(work).into_iter().flat_map(|region| &region.security_groups);
            let of_vpc = all.filter(|(_, group)| group.vpc_id == vpc_id);
            Ok(of_vpc.map(|(id, group)| SecurityGroup { id: id.clone(), name: group.name.clone(), vpc_id: group.vpc_id.clone() }).collect())
        };
        self.core.call("ec2:DescribeSecurityGroups", vpc_id.to_owned(), false, list).await
    }
}
