//! Things for this kind's unit tests.

use std::collections::BTreeMap;

use super::marks::{self, Owner};
use crate::model::Json;
use crate::world::rds::{Instance, Settings, Snapshot};

/// Settings of an ordinary instance.
pub fn settings() -> Settings {
    let json = serde_json::json!({
        "instance_class": "db.m5.xlarge", "allocated_storage": 3000, "storage_type": "gp2", "multi_az": false,
        "availability_zone": "us-east-1a", "db_subnet_group_name": "default", "vpc_security_groups": ["sg-1", "sg-2"],
        "publicly_accessible": false, "port": 5432, "parameter_group_name": "pg14", "backup_retention_period": 7,
        "deletion_protection": true, "copy_tags_to_snapshot": true, "iops": 9000,
    });
    serde_json::from_value(json).unwrap()
}

/// An available instance.
pub fn instance(name: &str, resource_id: &str) -> Instance {
    Instance {
        identifier: name.to_owned(),
        resource_id: resource_id.to_owned(),
        arn: format!("arn:aws:rds:us-east-1:123456789012:db:{name}"),
        status: "available".to_owned(),
        created: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        engine: "postgres".to_owned(),
        engine_version: "14.10".to_owned(),
        settings: settings(),
        pending: Settings::new(),
        pending_reboot: false,
        tags: BTreeMap::from([("Environment".to_owned(), "staging".to_owned())]),
        endpoint: Some((format!("{name}.abc.us-east-1.rds.amazonaws.com"), 5432)),
    }
}

/// An available snapshot.
pub fn snapshot(name: &str, created: &str) -> Snapshot {
    Snapshot {
        identifier: name.to_owned(),
        instance: "prod".to_owned(),
        snapshot_type: "automated".to_owned(),
        status: "available".to_owned(),
        created: Some(created.parse().unwrap()),
        percent: 100,
        engine: "postgres".to_owned(),
        engine_version: "14.12".to_owned(),
        allocated_storage: 2500,
        settings: BTreeMap::from([("storage_type".to_owned(), Json::from("gp2")), ("port".to_owned(), Json::from(5432))]),
    }
}

/// The owner of everything in these tests.
pub fn owner() -> Owner {
    Owner { environment: "staging".to_owned(), resource: "database.dev".to_owned() }
}

/// An instance with our mark.
pub fn ours(name: &str, resource_id: &str, run: &str, step: &str) -> Instance {
    let mut found = instance(name, resource_id);
    found.tags.extend(owner().tags(run, step));
    found
}

/// An instance made by a finished refresh.
pub fn refreshed(name: &str, resource_id: &str, at: &str, from: &str) -> Instance {
    let mut found = ours(name, resource_id, "run-0", "database.dev/restore");
    for (key, value) in [(marks::REFRESHED_AT, at), (marks::SNAPSHOT_TIME, at), (marks::SNAPSHOT, from)] {
        found.tags.insert(key.to_owned(), value.to_owned());
    }
    found
}
