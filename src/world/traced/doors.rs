//! The doors of a traced world: each call goes through as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::Trace;
use crate::model::Json;
use crate::world::CallResult;
use crate::world::chat::Chat;
use crate::world::dns::{Batch, DnsRead, DnsWrite, Record, Zone};
use crate::world::ec2::{Ec2Read, ElasticIp, SecurityGroup};
use crate::world::provider::SlackProvider;
use crate::world::rds::{Delete, Instance, Modify, RdsRead, RdsWrite, Restore, Snapshot};
use crate::world::resolver::{Answer, Resolver};
use crate::world::sql::{BeforeCommit, Fate, SqlRead, SqlWrite};

/// A door, and who is told of what goes through it.
pub(super) struct Door<D: ?Sized> {
    pub(super) inner: Arc<D>,
    pub(super) trace: Arc<Trace>,
    /// The provider, or the database, behind it.
    pub(super) place: String,
}

#[async_trait]
impl<D: RdsRead + ?Sized> RdsRead for Door<D> {
    fn account_id(&self) -> &str {
        self.inner.account_id()
    }

    async fn instance(&self, identifier: &str) -> CallResult<Option<Instance>> {
        self.trace.time("rds:DescribeDBInstances", identifier, false, self.inner.instance(identifier)).await
    }

    async fn instances(&self) -> CallResult<Vec<Instance>> {
        self.trace.time("rds:DescribeDBInstances", "all", false, self.inner.instances()).await
    }

    async fn instance_by_resource_id(&self, resource_id: &str) -> CallResult<Option<Instance>> {
        self.trace.time("rds:DescribeDBInstances", resource_id, false, self.inner.instance_by_resource_id(resource_id)).await
    }

    async fn snapshots(&self, instance: &str, snapshot_type: &str) -> CallResult<Vec<Snapshot>> {
        self.trace.time("rds:DescribeDBSnapshots", instance, false, self.inner.snapshots(instance, snapshot_type)).await
    }

    async fn snapshot(&self, identifier: &str) -> CallResult<Option<Snapshot>> {
        self.trace.time("rds:DescribeDBSnapshots", identifier, false, self.inner.snapshot(identifier)).await
    }

    async fn subnet_group_vpc(&self, name: &str) -> CallResult<Option<String>> {
        self.trace.time("rds:DescribeDBSubnetGroups", name, false, self.inner.subnet_group_vpc(name)).await
    }
}

#[async_trait]
impl<D: RdsWrite + ?Sized> RdsWrite for Door<D> {
    async fn restore(&self, restore: &Restore) -> CallResult<()> {
        self.trace.time("rds:RestoreDBInstanceFromDBSnapshot", &restore.identifier, true, self.inner.restore(restore)).await
    }

    async fn modify(&self, modify: &Modify) -> CallResult<()> {
        self.trace.time("rds:ModifyDBInstance", &modify.identifier, true, self.inner.modify(modify)).await
    }

    async fn reboot(&self, identifier: &str) -> CallResult<()> {
        self.trace.time("rds:RebootDBInstance", identifier, true, self.inner.reboot(identifier)).await
    }

    async fn delete(&self, delete: &Delete) -> CallResult<()> {
        self.trace.time("rds:DeleteDBInstance", &delete.identifier, true, self.inner.delete(delete)).await
    }

    async fn add_tags(&self, arn: &str, tags: &BTreeMap<String, String>) -> CallResult<()> {
        self.trace.time("rds:AddTagsToResource", arn, true, self.inner.add_tags(arn, tags)).await
    }

    async fn remove_tags(&self, arn: &str, keys: &[String]) -> CallResult<()> {
        self.trace.time("rds:RemoveTagsFromResource", arn, true, self.inner.remove_tags(arn, keys)).await
    }
}

#[async_trait]
impl<D: Ec2Read + ?Sized> Ec2Read for Door<D> {
    fn account_id(&self) -> &str {
        self.inner.account_id()
    }

    async fn elastic_ips(&self) -> CallResult<Vec<ElasticIp>> {
        self.trace.time("ec2:DescribeAddresses", &self.place, false, self.inner.elastic_ips()).await
    }

    async fn security_groups(&self, vpc_id: &str) -> CallResult<Vec<SecurityGroup>> {
        self.trace.time("ec2:DescribeSecurityGroups", vpc_id, false, self.inner.security_groups(vpc_id)).await
    }
}

#[async_trait]
impl<D: DnsRead + ?Sized> DnsRead for Door<D> {
    async fn zone(&self, name: &str) -> CallResult<Option<Zone>> {
        self.trace.time("cloudflare:zones", name, false, self.inner.zone(name)).await
    }

    async fn records(&self, zone_id: &str) -> CallResult<Vec<Record>> {
        self.trace.time("cloudflare:records", zone_id, false, self.inner.records(zone_id)).await
    }
}

#[async_trait]
impl<D: DnsWrite + ?Sized> DnsWrite for Door<D> {
    async fn batch(&self, zone_id: &str, batch: &Batch) -> CallResult<()> {
        self.trace.time("cloudflare:batch", zone_id, true, self.inner.batch(zone_id, batch)).await
    }
}

#[async_trait]
impl<D: Resolver + ?Sized> Resolver for Door<D> {
    async fn ask(&self, server: &str, name: &str, rtype: &str) -> CallResult<Answer> {
        let about = format!("{rtype} {name} at {server}");
        self.trace.time("dns:query", &about, false, self.inner.ask(server, name, rtype)).await
    }
}

#[async_trait]
impl<D: SqlRead + ?Sized> SqlRead for Door<D> {
    async fn scalar(&self, sql: &str) -> CallResult<Json> {
        self.trace.time("postgres:query", &self.place, false, self.inner.scalar(sql)).await
    }

    async fn fate(&self, transaction_id: &str) -> CallResult<Fate> {
        self.trace.time("postgres:fate", &self.place, false, self.inner.fate(transaction_id)).await
    }
}

#[async_trait]
impl<D: SqlWrite + ?Sized> SqlWrite for Door<D> {
    async fn transaction(&self, statements: &[String], before: &dyn BeforeCommit) -> CallResult<()> {
        self.trace.time("postgres:transaction", &self.place, true, self.inner.transaction(statements, before)).await
    }
}

#[async_trait]
impl<D: Chat + ?Sized> Chat for Door<D> {
    async fn post(&self, channel: &SlackProvider, text: &str) -> CallResult<()> {
        self.trace.hider.learn(channel.webhook_url.as_ref());
        self.trace.time("slack:post", &channel.name, true, self.inner.post(channel, text)).await
    }
}
