//! EC2, as far as it is needed: Elastic IPs and security groups by name.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::CallResult;

/// One Elastic IP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElasticIp {
    /// `eipalloc-…`.
    pub allocation_id: String,
    /// Its `Name` tag, if any.
    pub name: Option<String>,
    /// The address.
    pub public_ip: std::net::Ipv4Addr,
}

/// One security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: String,
    /// Unique within its VPC.
    pub name: String,
    /// `vpc-…`.
    pub vpc_id: String,
}

/// Reading.
#[async_trait]
pub trait Ec2Read: Send + Sync {
    /// The account that the credentials belong to.
    fn account_id(&self) -> &str;
    /// All Elastic IPs of the account and region, all pages.
    async fn elastic_ips(&self) -> CallResult<Vec<ElasticIp>>;
    /// All security groups of a VPC, all pages.
    async fn security_groups(&self, vpc_id: &str) -> CallResult<Vec<SecurityGroup>>;
}
