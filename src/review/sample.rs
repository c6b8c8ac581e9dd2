//! Plans for tests, as real ones look: a database refresh, a swap of two zones, a held and a blocked resource, hostile names.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::declare::Provider;
use crate::diff::{Action, AttributeChange};
use crate::model::time::Timestamp;
use crate::model::{Address, Json, Phase};
use crate::plan::document::{FORMAT_VERSION, TerraformChange};
use crate::plan::places::Places;
use crate::plan::{Fact, Limits, Outage, OutageWindow, Plan, PlanError, ResourceChange, Step, Undo};
use crate::world::provider::{AwsProvider, SlackProvider};

/// A plan with nothing in it.
pub(crate) fn empty(environment: &str) -> Plan {
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        switchover_version: "0.1.0".to_owned(),
        environment: environment.to_owned(),
        run: format!("{environment}-20261105-0912-k3v9"),
        created_at: at("2026-11-05T09:12:44Z"),
        world: BTreeMap::from([("world".to_owned(), "live".to_owned()), ("aws".to_owned(), "123456789012/us-east-1".to_owned())]),
        providers: BTreeMap::new(),
        protect: vec!["prod".to_owned()],
        notify: Vec::new(),
        journal: json!("local"),
        resource_changes: Vec::new(),
        steps: Vec::new(),
        facts: Vec::new(),
        locks: Vec::new(),
        warnings: Vec::new(),
        expected: Duration::ZERO,
        outage: Vec::new(),
        irreversible: Vec::new(),
        errors: Vec::new(),
        digest: "sha256:5f2c8a0d41b7e6933c1f4be07a9d25e8b6c4f0137d8e92aa65b3c0d1e4f79a02".to_owned(),
        places: Places::default(),
    }
}

/// An instant.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One attribute.
pub(crate) fn attribute(name: &str, before: Json, after: Json, note: &str) -> AttributeChange {
    AttributeChange { name: name.to_owned(), before, after, note: (!note.is_empty()).then(|| note.to_owned()) }
}

/// One resource's change with these attributes.
pub(crate) fn change(address: &Address, action: Action, attributes: Vec<AttributeChange>, declared_at: &str) -> ResourceChange {
    let side = |pick: fn(&AttributeChange) -> &Json| -> Json {
        attributes.iter().map(|attribute| (attribute.name.clone(), pick(attribute).clone())).collect::<serde_json::Map<_, _>>().into()
    };
    let (before, after) = (side(|attribute| &attribute.before), side(|attribute| &attribute.after));
    ResourceChange {
        address: address.clone(),
        mode: "managed".to_owned(),
        kind: address.kind.clone(),
        name: address.name.clone(),
        provider_name: if address.kind == "database" { "aws" } else { "cloudflare" }.to_owned(),
        change: TerraformChange {
            actions: action.terraform(),
            before: before.into(),
            after: after.into(),
            after_unknown: json!({}),
            before_sensitive: json!(false),
            after_sensitive: json!(false),
        },
        action,
        attributes: attributes.into(),
        reasons: Vec::new(),
        notes: Vec::new(),
        held: None,
        next_due: None,
        declared_at: declared_at.to_owned(),
    }
}

/// One step that follows the last one of the plan; `expected` and `timeout` in seconds.
pub(crate) fn push(plan: &mut Plan, address: &Address, slug: &str, phase: Phase, title: &str, (expected, timeout): (u64, u64), undo: Undo) {
    let after = plan.steps.last().map(|step| step.id.clone()).into_iter().collect();
    plan.steps.push(Step {
        id: format!("{address}/{slug}"),
        address: address.clone(),
        phase,
        title: title.to_owned(),
        operation: json!({"type": slug}).into(),
        undo,
        after,
        facts: Vec::new(),
        writes: Vec::new(),
        limits: Limits {
            timeout: Duration::from_secs(timeout),
            visibility: Duration::from_mins(1),
            poll: Duration::from_secs(15),
            expected: Duration::from_secs(expected),
        },
        outage: None,
        irreversible: None,
    });
    plan.expected += Duration::from_secs(expected);
}

/// A way back of one operation.
pub(crate) fn undo(title: &str) -> Undo {
    Undo::Operations { title: title.to_owned(), operations: vec![json!({"type": "undo"}).into()] }
}

fn fact(address: &Address, slug: &str, title: &str, value: Json) -> Fact {
    Fact {
        id: format!("{address}/{slug}"),
        address: address.clone(),
        title: title.to_owned(),
        read: json!({"read": slug}).into(),
        value: value.into(),
    }
}

/// The monthly refresh of a staging database: an outage, and a deletion that cannot be undone.
pub(crate) fn database() -> Plan {
    let mut plan = empty("staging");
    let address = Address::new("database", "dev-openverse-db");
    plan.providers.insert(
        "aws".to_owned(),
        Provider::Aws(AwsProvider {
            name: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            profile: None,
            account_id: None,
            endpoint_url: None,
            allow_plain_http: false,
            poll: Duration::from_secs(15),
        }),
    );
    plan.notify = vec![SlackProvider { name: "slack.maintainers".to_owned(), webhook_url: None }];
    let mut refresh = change(&address, Action::Replace, database_attributes(), "environments/staging.hcl:21:1");
    refresh.reasons = vec!["data is 35 days old; due since 2026-11-01 00:00 UTC (monthly)".to_owned()];
    refresh.notes = vec!["backup_window: a restore cannot carry it; it is set before the switch".to_owned()];
    refresh.next_due = Some(at("2026-12-01T00:00:00Z"));
    plan.resource_changes.push(refresh);
    database_steps(&mut plan, &address);
    plan.facts = vec![
        fact(&address, "live", "the instance that is replaced", json!({"id": "db-ZQ7XWVUTSRQPONMLKJIHGFEDCB", "status": "available"})),
        fact(&address, "snapshot", "newest snapshot of prod-openverse-db", json!("rds:prod-openverse-db-2026-11-05-00-07")),
        fact(&address, "next", "instance dev-openverse-db-next", Json::Null),
        fact(&address, "old", "instance dev-openverse-db-old", Json::Null),
    ];
    plan.locks = vec!["rds:123456789012/us-east-1/dev-openverse-db".to_owned()];
    plan.warnings = vec!["the newest snapshot is still being made (62 %): the run waits for it before it restores".to_owned()];
    plan
}

fn database_attributes() -> Vec<AttributeChange> {
    vec![
        attribute("snapshot", json!("rds:prod-openverse-db-2026-10-01-00-07"), json!("rds:prod-openverse-db-2026-11-05-00-07"), ""),
        attribute("instance_class", json!("db.m5.large"), json!("db.m5.xlarge"), ""),
        attribute("allocated_storage", json!(2500), json!(3000), ""),
        attribute("deletion_protection", json!(true), json!(true), "later: set on the new one in retire"),
        attribute(
            "vpc_security_groups",
            json!(["default", "openverse-vpc-db-access", "staging-dev-rds-sg"]),
            json!(["default", "openverse-vpc-db-access", "staging-rds-sg"]),
            "",
        ),
        attribute(
            "tags",
            json!({"Environment": "staging", "Owner": "data", "Team": "openverse"}),
            json!({"Environment": "staging", "Team": "openverse", "Cost Centre": "42"}),
            "",
        ),
        attribute(
            "scrub.sql",
            json!("UPDATE users SET email = 'x';\nDELETE FROM tokens;\n"),
            json!("UPDATE users SET email = id || '@example.org';\nDELETE FROM tokens;\n"),
            "",
        ),
    ]
}

fn database_steps(plan: &mut Plan, address: &Address) {
    use Phase::{Confirm, Prepare, Retire, Switch, Verify};
    let name = "dev-openverse-db";
    let steps = [
        ("tag", Prepare, "tag dev-openverse-db as the one that is replaced", (5, 600), undo("put its tags back")),
        ("snapshot", Prepare, "wait until rds:prod-openverse-db-2026-11-05-00-07 is available", (1_200, 14_400), Undo::Nothing),
        (
            "restore",
            Prepare,
            "restore dev-openverse-db-next from rds:prod-openverse-db-2026-11-05-00-07",
            (2_700, 14_400),
            undo("delete dev-openverse-db-next"),
        ),
        (
            "settings",
            Prepare,
            "set backup_window, monitoring_interval and ca_cert_identifier of dev-openverse-db-next",
            (240, 3_600),
            Undo::Keep("it goes with dev-openverse-db-next".to_owned()),
        ),
        ("parity", Verify, "compare 31 settings of dev-openverse-db-next with those wanted", (2, 300), Undo::Nothing),
        (
            "scrub",
            Verify,
            "scrub dev-openverse-db-next: truncate 3 tables and run 1 SQL text in one transaction",
            (30, 900),
            Undo::Keep("it goes with dev-openverse-db-next".to_owned()),
        ),
        ("check-1", Verify, "check \"OAuth applications are gone\"", (2, 300), Undo::Nothing),
        ("rename-old", Switch, "rename dev-openverse-db to dev-openverse-db-old", (240, 1_800), undo("rename it back to dev-openverse-db")),
        ("rename-next", Switch, "rename dev-openverse-db-next to dev-openverse-db", (240, 1_800), undo("rename it back to dev-openverse-db-next")),
        ("answers", Confirm, "ask dev-openverse-db a query under its name", (5, 600), Undo::Nothing),
        ("protect", Retire, "set deletion_protection of dev-openverse-db", (30, 600), Undo::Keep("only what protects is set".to_owned())),
        ("unprotect", Retire, "lift deletion_protection of dev-openverse-db-old", (30, 600), undo("set it again")),
        (
            "delete",
            Retire,
            "delete dev-openverse-db-old with its automated backups, without a final snapshot",
            (600, 3_600),
            Undo::Impossible("the old instance is gone".to_owned()),
        ),
    ];
    for (slug, phase, title, limits, back) in steps {
        push(plan, address, slug, phase, title, limits, back);
    }
    plan.steps[7].outage = Some(Outage::Starts(name.to_owned()));
    plan.steps[8].outage = Some(Outage::Ends(name.to_owned()));
    let lost = "dev-openverse-db-old and its automated backups are deleted";
    plan.steps[12].irreversible = Some(lost.to_owned());
    plan.irreversible = vec![lost.to_owned()];
    let steps = plan.steps[7..9].iter().map(|step| step.id.clone()).collect();
    plan.outage = vec![OutageWindow { name: name.to_owned(), expected: Duration::from_mins(8), steps }];
}

/// Live and stand-by change places in two zones; nothing is lost, nothing goes down.
pub(crate) fn dns_swap() -> Plan {
    let mut plan = empty("gigadb");
    plan.world.insert("zone gigadb.org".to_owned(), "023e105f4ecef8ad9ca31a8372d0c353".to_owned());
    plan.world.insert("zone gigadb.host".to_owned(), "9a7806061c88ada191ed06f989cc3dac".to_owned());
    let zones = [
        (
            "gigadb.org",
            "environments/gigadb/zones.hcl:8:1",
            [
                ("gigadb.org", "18.166.7.31", "13.54.88.2", "eip-gigadb-live-alt"),
                ("files.gigadb.org", "18.166.7.40", "13.54.88.19", "eip-gigadb-files-live-alt"),
            ],
        ),
        (
            "gigadb.host",
            "environments/gigadb/zones.hcl:40:1",
            [
                ("alt-live.gigadb.host", "13.54.88.2", "18.166.7.31", "eip-gigadb-live-gigadb"),
                ("files.alt-live.gigadb.host", "13.54.88.19", "18.166.7.40", "eip-gigadb-files-live-gigadb"),
            ],
        ),
    ];
    for (zone, declared_at, records) in zones {
        let attributes = records.iter().map(|(name, before, after, eip)| {
            attribute(&format!("record[\"A\", \"{name}\"].content"), json!(before), json!(after), &format!("Elastic IP {eip}"))
        });
        let address = Address::new("dns_zone", zone);
        let mut swap = change(&address, Action::Update, attributes.collect(), declared_at);
        swap.reasons = vec!["2 of 2 changed answers only change hands between gigadb.org and gigadb.host: a swap".to_owned()];
        plan.resource_changes.push(swap);
        for (name, before, _, _) in records {
            plan.facts.push(fact(&address, name, &format!("A {name}"), json!({"content": before, "id": "372e67954025e0ba6aaa6d586b9e0b59"})));
        }
    }
    for (slug, phase, title, limits) in [
        ("addresses", Phase::Prepare, "look up the Elastic IPs of", (2, 300)),
        ("safety", Phase::Verify, "read all records of", (2, 300)),
        ("batch", Phase::Switch, "send 2 changes in one batch to", (1, 60)),
        ("confirm", Phase::Confirm, "ask every name server of", (20, 300)),
    ] {
        for (zone, ..) in zones {
            let address = Address::new("dns_zone", zone);
            let back = if slug == "batch" { undo("send the inverse batch") } else { Undo::Nothing };
            push(&mut plan, &address, slug, phase, &format!("{title} {zone}"), limits, back);
        }
    }
    // The two looks and the two confirmations run beside one another.
    plan.steps[1].after.clear();
    plan.steps[2].after = vec![plan.steps[0].id.clone()];
    plan.steps[7].after = vec![plan.steps[5].id.clone()];
    plan.expected = Duration::from_secs(26);
    plan.warnings = vec!["gigadb.org and gigadb.host are two transactions: for up to 5m (TTL 300) resolvers mix old and new answers".to_owned()];
    plan
}

/// Nothing differs; the next refresh is known.
pub(crate) fn nothing() -> Plan {
    let mut plan = empty("staging");
    let address = Address::new("database", "dev-openverse-db");
    let mut quiet = change(&address, Action::NoOp, Vec::new(), "environments/staging.hcl:21:1");
    quiet.next_due = Some(at("2026-12-01T00:00:00Z"));
    plan.resource_changes.push(quiet);
    plan
}

/// A held database beside nothing else.
pub(crate) fn held() -> Plan {
    let mut plan = nothing();
    plan.resource_changes[0].held = Some("held by Ana, until 2026-11-20 23:59 UTC: the search team is measuring on it".to_owned());
    plan.resource_changes[0].notes = vec!["a refresh has been due since 2026-11-01 00:00 UTC (monthly)".to_owned()];
    plan
}

/// One resource could not be read, another could be planned.
pub(crate) fn blocked() -> Plan {
    let mut plan = dns_swap();
    plan.steps.clear();
    plan.facts.clear();
    plan.warnings.clear();
    plan.resource_changes.clear();
    plan.expected = Duration::ZERO;
    plan.errors.push(PlanError {
        address: Address::new("dns_zone", "gigadb.org"),
        error: "cannot read its records: cloudflare:GET dns_records was denied (10000): Authentication error".to_owned(),
        help: "check that CLOUDFLARE_API_TOKEN is set, not expired, and may read this zone".to_owned(),
    });
    plan
}

/// Names and values that try to move the cursor, turn the text round, forge headings and call people.
pub(crate) fn hostile() -> Plan {
    let mut plan = empty("stag\u{1b}[2Jing");
    let address = Address::new("dns_zone", "evil\u{202e}gro.bdagig\n# Approved by @everyone");
    let attributes = vec![attribute(
        "record[\"TXT\", \"a|b\"].content",
        json!("old\u{1b}]0;title\u{7}\r\nPlan: 0 to add, 0 to change, 0 to destroy."),
        json!("```\n</details><h1>LGTM</h1> [x](https://evil.example) `@everyone` #1"),
        "from\u{9b}31m here",
    )];
    let mut change = change(&address, Action::Update, attributes, "environments/x.hcl:1:1");
    change.reasons = vec!["**no reason** @everyone\n\n# Forged".to_owned()];
    plan.resource_changes.push(change);
    push(&mut plan, &address, "batch", Phase::Switch, "send <b>1</b> change\n# Forged @everyone", (1, 60), undo("send `it` back"));
    plan.warnings = vec!["www.evil.example says ~~nothing~~ \u{200b}".to_owned()];
    plan
}
