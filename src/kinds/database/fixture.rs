//! Things for this kind's unit tests.

use std::collections::BTreeMap;
use std::time::Duration;

use super::connect::Connect;
use super::desired::{Check, Expect, FirstBackup, Refresh, Wanted};
use super::due::Rule;
use super::marks::{self, Owner};
use super::observe::Seen;
use crate::declare::{Desired, JournalSetting, Provider};
use crate::model::time::Timestamp;
use crate::model::{Address, Json};
use crate::world::provider::AwsProvider;
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

/// A database that is due monthly, protected, and scrubbed.
pub fn wanted() -> Wanted {
    Wanted {
        address: Address::new("database", "dev"),
        owner: owner(),
        provider: "aws".to_owned(),
        name: "dev".to_owned(),
        next: "dev-next".to_owned(),
        old: "dev-old".to_owned(),
        refresh: Some(Refresh {
            source: "prod".to_owned(),
            snapshot_type: "automated".to_owned(),
            rule: Rule::Schedule { text: "monthly".to_owned(), timezone: "UTC".to_owned() },
            first_backup: FirstBackup::BeforeSwitch,
            keep_old: Duration::ZERO,
            final_snapshot: None,
            delete_automated_backups: true,
        }),
        settings: Settings::new(),
        groups: None,
        tags: BTreeMap::new(),
        connect: Some(Connect {
            host: None,
            port: None,
            sslmode: None,
            ca_file: None,
            user: "deploy".to_owned(),
            password: None,
            database: "openledger".to_owned(),
        }),
        scrub: vec!["TRUNCATE TABLE api_token RESTART IDENTITY CASCADE".to_owned()],
        checks: vec![Check {
            title: "tokens are gone".to_owned(),
            sql: "SELECT count(*) FROM api_token".to_owned(),
            expect: vec![Expect::Equals(Json::from(0))],
        }],
        prevent_destroy: false,
        timeouts: BTreeMap::new(),
    }
}

/// What is there, with one snapshot of the fifth of November 2026.
pub fn seen(current: Option<Instance>, next: Option<Instance>, old: Option<Instance>) -> Seen {
    Seen {
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        current,
        next,
        old,
        snapshots: vec![snapshot("rds:b", "2026-11-05T00:07:00Z")],
        groups: None,
    }
}

/// The morning of that day.
pub fn now() -> Timestamp {
    "2026-11-05T09:00:00Z".parse().unwrap()
}

/// An environment with nothing but its provider.
pub fn desired() -> Desired {
    let aws = AwsProvider {
        name: "aws".to_owned(),
        region: "us-east-1".to_owned(),
        profile: None,
        account_id: None,
        endpoint_url: None,
        allow_plain_http: false,
        poll: Duration::from_secs(15),
    };
    Desired {
        environment: "staging".to_owned(),
        root: std::path::PathBuf::from("."),
        description: None,
        protect: vec!["prod".to_owned()],
        notify: Vec::new(),
        journal: JournalSetting::Local,
        providers: BTreeMap::from([("aws".to_owned(), Provider::Aws(aws))]),
        resources: Vec::new(),
        warnings: Vec::new(),
    }
}
