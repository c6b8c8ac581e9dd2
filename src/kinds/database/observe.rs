//! What there is: the instance, what is under the two other names, and the snapshots.

use std::cmp::Reverse;

use super::desired::Wanted;
use crate::declare::Declared;
use crate::model::{Error, Exit, Json, Result};
use crate::observe::ObserveCx;
use crate::world::ec2::Ec2Read;
use crate::world::rds::{Instance, RdsRead, Snapshot};

/// Everything that was read for one database.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The account that was looked at.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Under the database's name.
    pub current: Option<Instance>,
    /// Under `next_name`.
    pub next: Option<Instance>,
    /// Under `old_name`.
    pub old: Option<Instance>,
    /// The source's snapshots that are complete or being made, newest first.
    pub snapshots: Vec<Snapshot>,
    /// Ids of the declared security groups, sorted.
    pub groups: Option<Vec<String>>,
}

/// Reads it all.
pub async fn observe(declared: &Declared, cx: &ObserveCx<'_>) -> Result<Seen> {
    read(&Wanted::read(declared, cx.desired)?, cx).await
}

/// The same for a declaration that is read already.
pub async fn read(wanted: &Wanted, cx: &ObserveCx<'_>) -> Result<Seen> {
    let aws = cx.desired.aws(&wanted.provider).ok_or_else(|| {
        Error::new(Exit::Error, format!("there is no provider {}", wanted.provider), "declare it, or name another one with `provider`")
    })?;
    let rds = cx.readers.rds(aws).await.map_err(|error| error.into_error(Exit::Error).within(format!("cannot reach RDS through {}", aws.name)))?;
    let (current, next, old, snapshots) =
        futures_util::join!(instance(&*rds, &wanted.name), instance(&*rds, &wanted.next), instance(&*rds, &wanted.old), snapshots(&*rds, wanted));
    let (current, next, old, snapshots) = (current?, next?, old?, snapshots?);
    let base = current.as_ref().or(old.as_ref());
    let declared_subnet_group = wanted.settings.get("db_subnet_group_name").and_then(Json::as_str);
    let subnet_group = declared_subnet_group.or_else(|| base?.settings.get("db_subnet_group_name")?.as_str());
    let groups = match &wanted.groups {
        Some(names) if names.iter().all(|name| name.starts_with("sg-")) => Some(sorted(names.clone())),
        // Nothing can be made without a subnet group: the diff says that together with all else that is missing.
        Some(names) if base.is_none() && subnet_group.is_none() => Some(sorted(names.clone())),
        Some(names) => {
            let ec2 =
                cx.readers.ec2(aws).await.map_err(|error| error.into_error(Exit::Error).within(format!("cannot reach EC2 through {}", aws.name)))?;
            Some(group_ids(&*rds, &*ec2, subnet_group, names).await?)
        }
        None => None,
    };
    Ok(Seen { account: rds.account_id().to_owned(), region: aws.region.clone(), current, next, old, snapshots, groups })
}

async fn instance(rds: &dyn RdsRead, name: &str) -> Result<Option<Instance>> {
    rds.instance(name).await.map_err(|error| error.into_error(Exit::Error).within(format!("cannot read the instance {name}")))
}

/// Newest first; one without a time is being made at this very moment. What failed or goes away is no candidate.
async fn snapshots(rds: &dyn RdsRead, wanted: &Wanted) -> Result<Vec<Snapshot>> {
    let Some(refresh) = &wanted.refresh else { return Ok(Vec::new()) };
    let found = rds.snapshots(&refresh.source, &refresh.snapshot_type).await;
    let mut found = found.map_err(|error| error.into_error(Exit::Error).within(format!("cannot read the snapshots of {}", refresh.source)))?;
    found.retain(|snapshot| matches!(snapshot.status.as_str(), "available" | "creating"));
    found.sort_by_key(|snapshot| (snapshot.created.is_some(), Reverse(snapshot.created), snapshot.identifier.clone()));
    Ok(found)
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

async fn group_ids(rds: &dyn RdsRead, ec2: &dyn Ec2Read, subnet_group: Option<&str>, names: &[String]) -> Result<Vec<String>> {
    let Some(subnet_group) = subnet_group else {
        let help = "declare db_subnet_group_name, or give the security groups by id";
        return Err(Error::new(Exit::Error, "security groups are named, but no subnet group says in which VPC", help));
    };
    let vpc = rds.subnet_group_vpc(subnet_group).await;
    let vpc = vpc.map_err(|error| error.into_error(Exit::Error).within(format!("cannot read the subnet group {subnet_group}")))?;
    let vpc =
        vpc.ok_or_else(|| Error::new(Exit::Error, format!("there is no subnet group {subnet_group}"), "check db_subnet_group_name and the region"))?;
    let known = ec2.security_groups(&vpc).await;
    let known = known.map_err(|error| error.into_error(Exit::Error).within(format!("cannot read the security groups of {vpc}")))?;
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        let Some(group) = known.iter().find(|group| group.id == *name || group.name == *name) else {
            let mut there: Vec<&str> = known.iter().map(|group| group.name.as_str()).collect();
            there.sort_unstable();
            let help = format!("{vpc} has: {}", there.iter().take(20).copied().collect::<Vec<_>>().join(", "));
            return Err(Error::new(Exit::Error, format!("there is no security group {name} in the VPC of {subnet_group}"), help));
        };
        ids.push(group.id.clone());
    }
    Ok(sorted(ids))
}
