//! The doors of a gated world.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::Gate;
use crate::model::Json;
use crate::world::CallResult;
use crate::world::chat::Chat;
use crate::world::dns::{Batch, DnsRead, DnsWrite, Record, Zone};
use crate::world::provider::SlackProvider;
use crate::world::rds::{Delete, Instance, Modify, RdsRead, RdsWrite, Restore, Snapshot};
use crate::world::sql::{BeforeCommit, Fate, SqlRead, SqlWrite};

/// A door, and who is asked before a write goes through it.
pub(super) struct Door<D: ?Sized> {
    pub(super) inner: Arc<D>,
    pub(super) gate: Arc<dyn Gate>,
}

#[async_trait]
impl<D: RdsRead + ?Sized> RdsRead for Door<D> {
    fn account_id(&self) -> &str {
        self.inner.account_id()
    }

    async fn instance(&self, identifier: &str) -> CallResult<Option<Instance>> {
        self.inner.instance(identifier).await
    }

    async fn instances(&self) -> CallResult<Vec<Instance>> {
        self.inner.instances().await
    }

    async fn instance_by_resource_id(&self, resource_id: &str) -> CallResult<Option<Instance>> {
        self.inner.instance_by_resource_id(resource_id).await
    }

    async fn snapshots(&self, instance: &str, snapshot_type: &str) -> CallResult<Vec<Snapshot>> {
        self.inner.snapshots(instance, snapshot_type).await
    }

    async fn snapshot(&self, identifier: &str) -> CallResult<Option<Snapshot>> {
        self.inner.snapshot(identifier).await
    }

    async fn subnet_group_vpc(&self, name: &str) -> CallResult<Option<String>> {
        self.inner.subnet_group_vpc(name).await
    }
}

#[async_trait]
impl<D: RdsWrite + ?Sized> RdsWrite for Door<D> {
    async fn restore(&self, restore: &Restore) -> CallResult<()> {
        self.gate.pass("rds:RestoreDBInstanceFromDBSnapshot").await?;
        self.inner.restore(restore).await
    }

    async fn modify(&self, modify: &Modify) -> CallResult<()> {
        self.gate.pass("rds:ModifyDBInstance").await?;
        self.inner.modify(modify).await
    }

    async fn reboot(&self, identifier: &str) -> CallResult<()> {
        self.gate.pass("rds:RebootDBInstance").await?;
        self.inner.reboot(identifier).await
    }

    async fn delete(&self, delete: &Delete) -> CallResult<()> {
        self.gate.pass("rds:DeleteDBInstance").await?;
        self.inner.delete(delete).await
    }

    async fn add_tags(&self, arn: &str, tags: &BTreeMap<String, String>) -> CallResult<()> {
        self.gate.pass("rds:AddTagsToResource").await?;
        self.inner.add_tags(arn, tags).await
    }

    async fn remove_tags(&self, arn: &str, keys: &[String]) -> CallResult<()> {
        self.gate.pass("rds:RemoveTagsFromResource").await?;
        self.inner.remove_tags(arn, keys).await
    }
}

#[async_trait]
impl<D: DnsRead + ?Sized> DnsRead for Door<D> {
    async fn zone(&self, name: &str) -> CallResult<Option<Zone>> {
        self.inner.zone(name).await
    }

    async fn records(&self, zone_id: &str) -> CallResult<Vec<Record>> {
        self.inner.records(zone_id).await
    }
}

#[async_trait]
impl<D: DnsWrite + ?Sized> DnsWrite for Door<D> {
    async fn batch(&self, zone_id: &str, batch: &Batch) -> CallResult<()> {
        self.gate.pass("cloudflare:batch").await?;
        self.inner.batch(zone_id, batch).await
    }
}

#[async_trait]
impl<D: SqlRead + ?Sized> SqlRead for Door<D> {
    async fn scalar(&self, sql: &str) -> CallResult<Json> {
        self.inner.scalar(sql).await
    }

    async fn fate(&self, transaction_id: &str) -> CallResult<Fate> {
        self.inner.fate(transaction_id).await
    }
}

#[async_trait]
impl<D: SqlWrite + ?Sized> SqlWrite for Door<D> {
    async fn transaction(&self, statements: &[String], before: &dyn BeforeCommit) -> CallResult<()> {
        self.gate.pass(TRANSACTION).await?;
        self.inner.transaction(statements, &Last { before, gate: &*self.gate }).await
    }
}

const TRANSACTION: &str = "postgres:transaction";

/// What is asked between the last statement and COMMIT, and the gate after it: statements may take longer than any lease.
struct Last<'a> {
    before: &'a dyn BeforeCommit,
    gate: &'a dyn Gate,
}

#[async_trait]
impl BeforeCommit for Last<'_> {
    async fn about_to_commit(&self, transaction_id: &str) -> Result<(), String> {
        self.before.about_to_commit(transaction_id).await?;
        self.gate.pass(TRANSACTION).await.map_err(|error| error.to_string())
    }
}

#[async_trait]
impl<D: Chat + ?Sized> Chat for Door<D> {
    async fn post(&self, channel: &SlackProvider, text: &str) -> CallResult<()> {
        self.gate.pass_notice("slack:post").await?;
        self.inner.post(channel, text).await
    }
}
