//! A small world for tests, and what the doors want to be given.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::model::Json;
use crate::world::provider::{AwsProvider, SlackProvider};
use crate::world::sim::{Fault, SimOptions, SimWorld};

pub(in crate::world::sim) const DEV: &str = "db-DEV00000000000000000000000";

/// One database with one snapshot of another, one zone.
pub(in crate::world::sim) fn base() -> Json {
    let tables = json!({"app": {"tables": {
        "client": {"rows": 10},
        "token": {"rows": 20, "references": ["client"]},
        "grant_": {"rows": 5, "references": ["token"]},
        "image": {"rows": 1000}
    }}});
    json!({
        "format_version": 1,
        "id": "test",
        "now": "2026-11-05T09:00:00Z",
        "aws": {"accounts": {"123456789012": {"regions": {"us-east-1": {
            "elastic_ips": {"eipalloc-1": {"name": "eip-live", "public_ip": "203.0.113.1"}},
            "instances": {DEV: {
                "created": "2026-10-01T00:00:00Z",
                "databases": tables,
                "engine": "postgres",
                "engine_version": "14.10",
                "identifier": "dev-db",
                "settings": {
                    "allocated_storage": 100, "backup_retention_period": 1, "db_subnet_group_name": "default", "deletion_protection": false,
                    "instance_class": "db.m5.large", "parameter_group_name": "default.postgres14", "port": 5432, "storage_type": "gp2",
                    "vpc_security_groups": ["sg-2"]
                },
                "tags": {"Environment": "staging"}
            }},
            "parameter_groups": ["tuned"],
            "security_groups": {
                "sg-1": {"name": "default", "vpc_id": "vpc-1"},
                "sg-2": {"name": "access", "vpc_id": "vpc-1"},
                "sg-3": {"name": "default", "vpc_id": "vpc-2"}
            },
            "snapshots": {"rds:prod-db-2026-11-05-00-07": {
                "allocated_storage": 200, "created": "2026-11-05T00:07:00Z", "databases": tables, "engine": "postgres", "engine_version": "14.10",
                "instance": "prod-db", "settings": {"instance_class": "db.m5.4xlarge", "port": 5433, "storage_type": "gp3", "iops": 12000},
                "snapshot_type": "automated"
            }},
            "subnet_groups": {"default": {"vpc_id": "vpc-1"}}
        }}}}},
        "cloudflare": {"zones": {"z1": {
            "name": "example.org",
            "name_servers": ["ns1.example.net", "ns2.example.net"],
            "records": {
                "r1": {"name": "example.org", "type": "A", "content": "203.0.113.1", "ttl": 300, "comment": "kept"},
                "r2": {"name": "files.example.org", "type": "A", "content": "203.0.113.2", "ttl": 300},
                "r3": {"name": "www.example.org", "type": "CNAME", "content": "example.org"},
                "r4": {"name": "*.wild.example.org", "type": "A", "content": "203.0.113.4", "ttl": 60},
                "r5": {"name": "shop.example.org", "type": "A", "content": "203.0.113.5", "proxied": true}
            }
        }}},
        "dns": {"default_lag_seconds": 0, "servers": {
            "ns1.example.net": {"lag_seconds": 2}, "ns2.example.net": {"lag_seconds": 10}, "192.0.2.1": {"lag_seconds": 0, "down": true}
        }}
    })
}

pub(in crate::world::sim) fn open(json: &Json) -> Arc<SimWorld> {
    let world = SimWorld::from_json(json, SimOptions { seed: Some(1), pace: None }).unwrap();
    world.allow_time(true);
    world
}

pub(in crate::world::sim) fn world() -> Arc<SimWorld> {
    SimWorld::from_json(&base(), SimOptions { seed: Some(1), pace: None }).unwrap()
}

/// The small world with something else at one place, and time allowed.
pub(in crate::world::sim) fn world_with(pointer: &str, value: Json) -> Arc<SimWorld> {
    let mut json = base();
    crate::world::sim::touched::put(&mut json, pointer, value).unwrap();
    open(&json)
}

pub(in crate::world::sim) fn aws_of(profile: Option<&str>, account: Option<&str>) -> AwsProvider {
    AwsProvider {
        name: "aws".to_owned(),
        region: "us-east-1".to_owned(),
        profile: profile.map(str::to_owned),
        account_id: account.map(str::to_owned),
        endpoint_url: None,
        allow_plain_http: false,
        poll: Duration::from_secs(15),
    }
}

pub(in crate::world::sim) fn aws() -> AwsProvider {
    aws_of(None, None)
}

pub(in crate::world::sim) fn slack() -> SlackProvider {
    SlackProvider { name: "slack.ops".to_owned(), webhook_url: None }
}

pub(in crate::world::sim) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Lets the `nth` call of a word go wrong.
pub(in crate::world::sim) fn hook(world: &SimWorld, call: &'static str, fault: Fault) {
    let once = std::sync::Mutex::new(Some(fault));
    world.set_hook(Box::new(move |info| if info.call == call { once.lock().unwrap().take() } else { None }));
}
