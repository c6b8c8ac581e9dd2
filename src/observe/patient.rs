//! The reading half of a world, with patience: reads that fail for the moment are tried again with growing pauses, or when the service says.
//!
//! Only planning reads through this. Applying does its own waiting, because there every wait belongs to a step and its limit.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::world::provider::{AwsProvider, CloudflareProvider};
use crate::world::{CallError, CallResult, Clock, Readers, dns, ec2, rds, resolver, sql};

/// Tries of one read.
const TRIES_MAX: u32 = 5;
/// The first pause; each later one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// The longest pause that a service can ask for while people wait for a plan.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Readers that try again.
pub struct Patient<'a> {
    readers: &'a dyn Readers,
}

impl<'a> Patient<'a> {
    /// Around these readers.
    #[must_use]
    pub fn new(readers: &'a dyn Readers) -> Self {
        Patient { readers }
    }
}

struct Door<T: ?Sized> {
    door: Arc<T>,
    clock: Arc<dyn Clock>,
}

/// The pause before the next try; none: give up.
fn pause(error: &CallError, tries: u32) -> Option<Duration> {
    let asked = error.retry_after();
    if !error.may_pass() || tries >= TRIES_MAX || asked.is_some_and(|asked| asked > PAUSE_MAX) {
        return None;
    }
    Some(asked.unwrap_or(PAUSE_FIRST * 2_u32.pow(tries - 1)))
}

macro_rules! patiently {
    ($clock:expr, $call:expr) => {{
        let mut tries = 1;
        loop {
            match $call.await {
                Err(error) => match pause(&error, tries) {
                    Some(pause) => $clock.sleep(pause).await,
                    None => break Err(error),
                },
                good => break good,
            }
            tries += 1;
        }
    }};
}

#[async_trait]
impl Readers for Patient<'_> {
    fn identity(&self) -> String {
        self.readers.identity()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.readers.clock()
    }

    fn random(&self) -> u64 {
        self.readers.random()
    }

    async fn rds(&self, aws: &AwsProvider) -> CallResult<Arc<dyn rds::RdsRead>> {
        let clock = self.clock();
        let door: Arc<dyn rds::RdsRead> = patiently!(clock, self.readers.rds(aws))?;
        Ok(Arc::new(Door { door, clock }))
    }

    async fn ec2(&self, aws: &AwsProvider) -> CallResult<Arc<dyn ec2::Ec2Read>> {
        let clock = self.clock();
        let door: Arc<dyn ec2::Ec2Read> = patiently!(clock, self.readers.ec2(aws))?;
        Ok(Arc::new(Door { door, clock }))
    }

    async fn dns(&self, cloudflare: &CloudflareProvider) -> CallResult<Arc<dyn dns::DnsRead>> {
        let clock = self.clock();
        let door: Arc<dyn dns::DnsRead> = patiently!(clock, self.readers.dns(cloudflare))?;
        Ok(Arc::new(Door { door, clock }))
    }

    async fn resolver(&self) -> CallResult<Arc<dyn resolver::Resolver>> {
        self.readers.resolver().await
    }

    async fn sql(&self, target: &sql::SqlTarget) -> CallResult<Arc<dyn sql::SqlRead>> {
        self.readers.sql(target).await
    }
}

#[async_trait]
impl rds::RdsRead for Door<dyn rds::RdsRead> {
    fn account_id(&self) -> &str {
        self.door.account_id()
    }

    async fn instance(&self, identifier: &str) -> CallResult<Option<rds::Instance>> {
        patiently!(self.clock, self.door.instance(identifier))
    }

    async fn instance_by_resource_id(&self, resource_id: &str) -> CallResult<Option<rds::Instance>> {
        patiently!(self.clock, self.door.instance_by_resource_id(resource_id))
    }

    async fn instances(&self) -> CallResult<Vec<rds::Instance>> {
        patiently!(self.clock, self.door.instances())
    }

    async fn snapshots(&self, instance: &str, snapshot_type: &str) -> CallResult<Vec<rds::Snapshot>> {
        patiently!(self.clock, self.door.snapshots(instance, snapshot_type))
    }

    async fn snapshot(&self, identifier: &str) -> CallResult<Option<rds::Snapshot>> {
        patiently!(self.clock, self.door.snapshot(identifier))
    }

    async fn subnet_group_vpc(&self, name: &str) -> CallResult<Option<String>> {
        patiently!(self.clock, self.door.subnet_group_vpc(name))
    }
}

#[async_trait]
impl ec2::Ec2Read for Door<dyn ec2::Ec2Read> {
    fn account_id(&self) -> &str {
        self.door.account_id()
    }

    async fn elastic_ips(&self) -> CallResult<Vec<ec2::ElasticIp>> {
        patiently!(self.clock, self.door.elastic_ips())
    }

    async fn security_groups(&self, vpc_id: &str) -> CallResult<Vec<ec2::SecurityGroup>> {
        patiently!(self.clock, self.door.security_groups(vpc_id))
    }
}

#[async_trait]
impl dns::DnsRead for Door<dyn dns::DnsRead> {
    async fn zone(&self, name: &str) -> CallResult<Option<dns::Zone>> {
        patiently!(self.clock, self.door.zone(name))
    }

    async fn records(&self, zone_id: &str) -> CallResult<Vec<dns::Record>> {
        patiently!(self.clock, self.door.records(zone_id))
    }
}
