//! RDS's door: each method one call, none waits for its effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_rds::operation::describe_db_instances::builders::DescribeDBInstancesFluentBuilder;
use aws_sdk_rds::operation::describe_db_snapshots::builders::DescribeDBSnapshotsFluentBuilder;
use aws_sdk_rds::types::{Filter, Tag};

use super::connect::Connection;
use super::{error, instance, pages, settings};
use crate::world::rds::{Delete, Instance, Modify, RdsRead, RdsWrite, Restore, Snapshot};
use crate::world::{CallResult, Failure};

/// Entries a page; RDS allows 20 to 100.
const PAGE_SIZE: i32 = 100;

const DESCRIBE_INSTANCES: &str = "rds:DescribeDBInstances";
const DESCRIBE_SNAPSHOTS: &str = "rds:DescribeDBSnapshots";
const DESCRIBE_SUBNET_GROUPS: &str = "rds:DescribeDBSubnetGroups";
const RESTORE: &str = "rds:RestoreDBInstanceFromDBSnapshot";
const MODIFY: &str = "rds:ModifyDBInstance";
const REBOOT: &str = "rds:RebootDBInstance";
const DELETE: &str = "rds:DeleteDBInstance";
const ADD_TAGS: &str = "rds:AddTagsToResource";
const REMOVE_TAGS: &str = "rds:RemoveTagsFromResource";

pub(super) struct Rds {
    connection: Arc<Connection>,
}

impl Rds {
    pub fn new(connection: Arc<Connection>) -> Self {
        Rds { connection }
    }

    fn client(&self) -> &aws_sdk_rds::Client {
        &self.connection.rds
    }

    /// The instances that a request asks for; `None` when the service says that there is none.
    async fn described(&self, request: DescribeDBInstancesFluentBuilder) -> CallResult<Option<Vec<Instance>>> {
        let found = pages::all(DESCRIBE_INSTANCES, |marker| {
            let request = request.clone().set_marker(marker);
            async {
                let _turn = self.connection.turn().await;
                let answer = request.send().await.map_err(|e| self.connection.error(DESCRIBE_INSTANCES, &e))?;
                Ok((answer.db_instances.unwrap_or_default(), answer.marker))
            }
        });
        let Some(found) = absent_as_none(found.await, "DBInstanceNotFound")? else { return Ok(None) };
        found.iter().map(|one| instance::instance(one).map_err(|why| error::unreadable(DESCRIBE_INSTANCES, why))).collect::<Result<_, _>>().map(Some)
    }

    async fn all_snapshots(&self, request: DescribeDBSnapshotsFluentBuilder) -> CallResult<Option<Vec<Snapshot>>> {
        let request = request.max_records(PAGE_SIZE);
        let found = pages::all(DESCRIBE_SNAPSHOTS, |marker| {
            let request = request.clone().set_marker(marker);
            async {
                let _turn = self.connection.turn().await;
                let answer = request.send().await.map_err(|e| self.connection.error(DESCRIBE_SNAPSHOTS, &e))?;
                Ok((answer.db_snapshots.unwrap_or_default(), answer.marker))
            }
        });
        let Some(found) = absent_as_none(found.await, "DBSnapshotNotFound")? else { return Ok(None) };
        found.iter().map(|one| instance::snapshot(one).map_err(|why| error::unreadable(DESCRIBE_SNAPSHOTS, why))).collect::<Result<_, _>>().map(Some)
    }
}

#[async_trait]
impl RdsRead for Rds {
    fn account_id(&self) -> &str {
        &self.connection.account_id
    }

    async fn instance(&self, identifier: &str) -> CallResult<Option<Instance>> {
        let named = named(DESCRIBE_INSTANCES, identifier)?;
        let Some(found) = self.described(self.client().describe_db_instances().db_instance_identifier(named)).await? else { return Ok(None) };
        // RDS says "not found" in so many words; a list without the wanted name is no such word.
        let wanted = found.into_iter().find(|one| one.identifier.eq_ignore_ascii_case(identifier));
        wanted.map(Some).ok_or_else(|| error::unreadable(DESCRIBE_INSTANCES, "it does not hold the instance that was asked for"))
    }

    async fn instance_by_resource_id(&self, resource_id: &str) -> CallResult<Option<Instance>> {
        let filter = Filter::builder().name("dbi-resource-id").values(named(DESCRIBE_INSTANCES, resource_id)?).build();
        let found = self.described(self.client().describe_db_instances().filters(filter).max_records(PAGE_SIZE)).await?.unwrap_or_default();
        // A service that knows no such filter gives everything.
        Ok(found.into_iter().find(|one| one.resource_id == resource_id))
    }

    async fn instances(&self) -> CallResult<Vec<Instance>> {
        let found = self.described(self.client().describe_db_instances().max_records(PAGE_SIZE)).await?;
        found.ok_or_else(|| error::unreadable(DESCRIBE_INSTANCES, "it finds no instance where none was asked for by name"))
    }

    async fn snapshots(&self, instance: &str, snapshot_type: &str) -> CallResult<Vec<Snapshot>> {
        let request = self.client().describe_db_snapshots().db_instance_identifier(named(DESCRIBE_SNAPSHOTS, instance)?);
        let request = request.set_snapshot_type((snapshot_type != "any").then(|| snapshot_type.to_owned()));
        let found = self.all_snapshots(request).await?.unwrap_or_default();
        Ok(found.into_iter().filter(|one| one.instance.eq_ignore_ascii_case(instance)).collect())
    }

    async fn snapshot(&self, identifier: &str) -> CallResult<Option<Snapshot>> {
        let request = self.client().describe_db_snapshots().db_snapshot_identifier(named(DESCRIBE_SNAPSHOTS, identifier)?);
        let Some(found) = self.all_snapshots(request).await? else { return Ok(None) };
        let wanted = found.into_iter().find(|one| one.identifier.eq_ignore_ascii_case(identifier));
        wanted.map(Some).ok_or_else(|| error::unreadable(DESCRIBE_SNAPSHOTS, "it does not hold the snapshot that was asked for"))
    }

    async fn subnet_group_vpc(&self, name: &str) -> CallResult<Option<String>> {
        let request = self.client().describe_db_subnet_groups().db_subnet_group_name(named(DESCRIBE_SUBNET_GROUPS, name)?);
        let _turn = self.connection.turn().await;
        let answer = request.send().await.map_err(|e| self.connection.error(DESCRIBE_SUBNET_GROUPS, &e));
        let Some(answer) = absent_as_none(answer, "DBSubnetGroupNotFound")? else { return Ok(None) };
        let group = answer.db_subnet_groups().iter().find(|group| group.db_subnet_group_name().is_some_and(|it| it.eq_ignore_ascii_case(name)));
        let vpc = group.and_then(|group| group.vpc_id()).ok_or_else(|| error::unreadable(DESCRIBE_SUBNET_GROUPS, "it names no VPC"))?;
        Ok(Some(vpc.to_owned()))
    }
}

/// No call waits for a turn here, and none reads anything first: the lease was asked about before, and what is sent is to leave while that answer holds.
/// What the SDK does before it sends remains: now and then it loads credentials anew.
#[async_trait]
impl RdsWrite for Rds {
    async fn restore(&self, restore: &Restore) -> CallResult<()> {
        let request = self.client().restore_db_instance_from_db_snapshot();
        let request = request.db_instance_identifier(named(RESTORE, &restore.identifier)?).db_snapshot_identifier(named(RESTORE, &restore.snapshot)?);
        let request = settings::restore(RESTORE, request.set_tags(Some(tags(&restore.tags))), &restore.settings)?;
        request.send().await.map(drop).map_err(|e| self.connection.error(RESTORE, &e))
    }

    async fn modify(&self, modify: &Modify) -> CallResult<()> {
        let identifier = named(MODIFY, &modify.identifier)?;
        let request = self.client().modify_db_instance().db_instance_identifier(identifier).apply_immediately(true);
        let request = request.set_new_db_instance_identifier(modify.new_identifier.clone());
        let request = settings::modify(MODIFY, request, &modify.settings, &modify.log_exports)?;
        request.send().await.map(drop).map_err(|e| self.connection.error(MODIFY, &e))
    }

    async fn reboot(&self, identifier: &str) -> CallResult<()> {
        let request = self.client().reboot_db_instance().db_instance_identifier(named(REBOOT, identifier)?);
        request.send().await.map(drop).map_err(|e| self.connection.error(REBOOT, &e))
    }

    async fn delete(&self, delete: &Delete) -> CallResult<()> {
        let request = self.client().delete_db_instance().db_instance_identifier(named(DELETE, &delete.identifier)?);
        let request = request.delete_automated_backups(delete.delete_automated_backups).skip_final_snapshot(delete.final_snapshot.is_none());
        let request = request.set_final_db_snapshot_identifier(delete.final_snapshot.clone());
        request.send().await.map(drop).map_err(|e| self.connection.error(DELETE, &e))
    }

    async fn add_tags(&self, arn: &str, add: &BTreeMap<String, String>) -> CallResult<()> {
        if add.is_empty() {
            return Ok(());
        }
        let request = self.client().add_tags_to_resource().resource_name(named(ADD_TAGS, arn)?).set_tags(Some(tags(add)));
        request.send().await.map(drop).map_err(|e| self.connection.error(ADD_TAGS, &e))
    }

    async fn remove_tags(&self, arn: &str, keys: &[String]) -> CallResult<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let request = self.client().remove_tags_from_resource().resource_name(named(REMOVE_TAGS, arn)?).set_tag_keys(Some(keys.to_vec()));
        request.send().await.map(drop).map_err(|e| self.connection.error(REMOVE_TAGS, &e))
    }
}

/// The name, unless it is empty: RDS takes an empty name for none and answers for everything there is.
fn named<'a>(call: &str, name: &'a str) -> CallResult<&'a str> {
    if name.is_empty() { Err(error::not_sent(call, "it needs a name and got an empty one")) } else { Ok(name) }
}

/// Makes of the service's own word for absence a `None`; any other failure stays one, since unknown is not absent.
fn absent_as_none<T>(result: CallResult<T>, code: &str) -> CallResult<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.failure == Failure::NotFound && error.code.as_deref().is_some_and(|it| it.starts_with(code)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn tags(of: &BTreeMap<String, String>) -> Vec<Tag> {
    of.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
