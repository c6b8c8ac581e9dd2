//! Databases: instances with settings and tags of all sorts, snapshots old and new, and declarations that want other ones.

use std::fmt::Write;

use serde_json::{Map, Value as Json, json};

use super::{ACCOUNT, Case, REGION, empty_world, hcl, head};
use crate::properties::trials::Dice;

/// The days of October 2026 on which snapshots are made, and hours of some.
const DAYS: [u64; 4] = [3, 17, 28, 31];

/// Databases, and two declarations of them.
pub fn case(dice: &mut Dice) -> Case {
    let mut world = empty_world();
    let (mut instances, mut snapshots) = (Map::new(), Map::new());
    let start = head(dice);
    let (mut first, mut second) = (start.clone(), start);
    for number in 0..dice.number(1, 2) {
        let (name, source) = (format!("copy-{number}"), format!("master-{number}"));
        let version = *dice.one(&["13.13", "14.10"]);
        instances.insert(format!("db-MASTER{number}"), instance(dice, &source, version));
        let exists = dice.chance(85);
        if exists {
            let version = if dice.chance(85) { version } else { "13.9" };
            instances.insert(format!("db-COPY{number}"), instance(dice, &name, version));
        }
        if dice.chance(20) {
            instances.insert(format!("db-OTHER{number}"), instance(dice, &format!("bystander-{number}"), "13.13"));
        }
        for at in 0..dice.number(1, 3) {
            let (id, snapshot) = snapshot(dice, &source, at, version);
            snapshots.insert(id, snapshot);
        }
        first.push_str(&block(dice, &name, &source, exists));
        second.push_str(&block(dice, &name, &source, true));
    }
    world["aws"]["accounts"][ACCOUNT]["regions"][REGION] = json!({
        "instances": instances,
        "snapshots": snapshots,
        "parameter_groups": ["ours13", "ours14"],
        "option_groups": ["ours-options"],
        "subnet_groups": {"default": {"vpc_id": "vpc-1"}, "other": {"vpc_id": "vpc-2"}},
        "security_groups": {
            "sg-1": {"name": "default", "vpc_id": "vpc-1"}, "sg-2": {"name": "office", "vpc_id": "vpc-1"}, "sg-3": {"name": "jobs", "vpc_id": "vpc-1"},
            "sg-4": {"name": "default", "vpc_id": "vpc-2"}, "sg-5": {"name": "office", "vpc_id": "vpc-2"}, "sg-6": {"name": "jobs", "vpc_id": "vpc-2"},
        },
    });
    world["timings"] = json!({
        "restore": 20, "backup": 20, "rename_unseen": 2, "renaming": 2, "rename_blind": 2, "rename_reboot": 2,
        "modify_unseen": 2, "modify": 5, "reboot": 5, "delete": 5, "snapshot": 20, "storage_optimization": dice.number(0, 30),
    });
    Case { world, first, second }
}

fn databases(rows: u64) -> Json {
    json!({"app": {"tables": {"image": {"rows": rows}, "token": {"rows": 7, "references": ["image"]}}}})
}

fn instance(dice: &mut Dice, name: &str, version: &str) -> Json {
    let storage = *dice.one(&[20, 100, 400]);
    let (subnets, groups) = if dice.chance(85) { ("default", ["sg-1", "sg-2"]) } else { ("other", ["sg-4", "sg-5"]) };
    let multi_az = dice.chance(20);
    let mut settings = json!({
        "allocated_storage": storage,
        "auto_minor_version_upgrade": dice.chance(50),
        "backup_retention_period": dice.one(&[0, 1, 7]),
        "backup_window": "00:00-00:30",
        "ca_cert_identifier": "rds-ca-rsa2048-g1",
        "copy_tags_to_snapshot": dice.chance(50),
        "db_subnet_group_name": subnets,
        "dedicated_log_volume": false,
        "deletion_protection": dice.chance(40),
        "enabled_cloudwatch_logs_exports": if dice.chance(50) { json!([]) } else { json!(["postgresql"]) },
        "iam_database_authentication_enabled": dice.chance(30),
        "instance_class": dice.one(&["db.m5.large", "db.m5.xlarge"]),
        "license_model": "postgresql-license",
        "maintenance_window": "sun:06:00-sun:06:30",
        "monitoring_interval": 0,
        "multi_az": multi_az,
        "network_type": "IPV4",
        "option_group_name": "default:postgres-13",
        "parameter_group_name": format!("ours{}", &version[..2]),
        "performance_insights_enabled": false,
        "port": dice.one(&[5432, 6543]),
        "publicly_accessible": dice.chance(20),
        "storage_type": "gp2",
        "vpc_security_groups": groups,
    });
    if !multi_az {
        settings["availability_zone"] = json!(format!("{REGION}{}", dice.one(&["a", "b"])));
    }
    if dice.chance(30) {
        settings["max_allocated_storage"] = json!(storage * 2);
    }
    if dice.chance(30) {
        (settings["monitoring_interval"], settings["monitoring_role_arn"]) = (json!(60), json!("arn:aws:iam::111122223333:role/monitor"));
    }
    if dice.chance(30) {
        (settings["performance_insights_enabled"], settings["performance_insights_retention_period"]) = (json!(true), json!(7));
    }
    match dice.number(0, 3) {
        0 => settings["storage_type"] = json!("gp3"),
        1 if storage == 400 => {
            for (name, value) in [("storage_type", json!("gp3")), ("iops", json!(12_000)), ("storage_throughput", json!(500))] {
                settings[name] = value;
            }
        }
        _ => {}
    }
    let mut tags = Map::new();
    for (key, value) in dice.some(&[("Environment", "staging"), ("Name", "a database"), ("Owner", "Ünïcode team"), ("empty", "")], 50) {
        tags.insert(key.to_owned(), json!(value));
    }
    json!({
        "identifier": name, "created": "2026-09-01T00:00:00Z", "engine": "postgres", "engine_version": version,
        "settings": settings, "tags": tags, "databases": databases(dice.number(0, 50)),
    })
}

fn snapshot(dice: &mut Dice, source: &str, at: u64, version: &str) -> (String, Json) {
    let day = DAYS[usize::try_from(at).unwrap()] - dice.number(0, 2);
    let automated = dice.chance(80);
    let being_made = at == 2 && dice.chance(40);
    let (created, ready) =
        if being_made { ("2026-11-05T08:59:50Z".to_owned(), Some("2026-11-05T09:00:30Z")) } else { (format!("2026-10-{day:02}T00:07:00Z"), None) };
    let mut snapshot = json!({
        "allocated_storage": dice.one(&[20, 100, 500]), "created": created, "engine": "postgres", "engine_version": version,
        "instance": source, "snapshot_type": if automated { "automated" } else { "manual" }, "databases": databases(dice.number(0, 50)),
        "settings": {"storage_type": dice.one(&["gp2", "gp3"]), "port": 5432, "license_model": "postgresql-license"},
    });
    if let Some(ready) = ready {
        snapshot["ready"] = json!(ready);
    }
    (format!("{}{source}-{at}", if automated { "rds:" } else { "" }), snapshot)
}

/// The text of one database. What must be declared for one that does not exist always is, unless there is one.
fn block(dice: &mut Dice, name: &str, source: &str, exists: bool) -> String {
    let mut text = format!("database {} {{\n", hcl::string(name));
    let refreshed = !exists || dice.chance(85);
    if refreshed {
        text.push_str(&refresh(dice, name, source));
    }
    text.push_str(&settings(dice, exists));
    let tags: Vec<String> = dice
        .some(&[("Environment", "staging"), ("Name", "other name"), ("purpose", "Prüfung"), ("dollar", "${x}"), ("empty", "")], 25)
        .iter()
        .map(|(key, value)| format!("{key} = {}", hcl::string(value)))
        .collect();
    if dice.chance(50) {
        let _ = writeln!(text, "  tags = {{ {} }}", tags.join(", "));
    }
    if refreshed && dice.chance(40) {
        text.push_str("  connect {\n    user = \"deploy\"\n    database = \"app\"\n  }\n");
        if dice.chance(60) {
            text.push_str("  scrub {\n    truncate = [\"token\"]\n  }\n");
        }
        if dice.chance(60) {
            text.push_str("  check \"images\" {\n    sql = \"SELECT count(*) FROM image\"\n    at_least = 0\n  }\n");
        }
    }
    text.push_str("}\n");
    text
}

fn refresh(dice: &mut Dice, name: &str, source: &str) -> String {
    let mut text = format!("  refresh {{\n    snapshot_of = {}\n", hcl::string(source));
    let rules = ["schedule = \"monthly\"", "schedule = \"0 3 * * 1\"", "max_age = \"7d\"", "max_age = \"31d\"", ""];
    let _ = writeln!(text, "    {}", dice.one(&rules));
    let kept = *dice.one(&["0s", "0s", "7d"]);
    let lines = [
        (60, format!("keep_old = \"{kept}\"")),
        (50, format!("snapshot_type = \"{}\"", dice.one(&["any", "any", "automated"]))),
        (50, format!("first_backup = \"{}\"", dice.one(&["before_switch", "after_switch"]))),
        (25, format!("next_name = \"{name}-new\"")),
        (25, format!("old_name = \"{name}-former\"")),
        (30, format!("final_snapshot = {}", dice.one(&["true", "false", "\"last-words\""]))),
        (30, format!("delete_automated_backups = {}", dice.chance(50))),
    ];
    for (percent, line) in lines {
        if dice.chance(percent) {
            let _ = writeln!(text, "    {line}");
        }
    }
    text.push_str("  }\n");
    text
}

/// Declared settings, which fit together; each line with its chances in a hundred.
fn settings(dice: &mut Dice, exists: bool) -> String {
    let needed = |percent| if exists { percent } else { 100 };
    let storage = *dice.one(&[20_u64, 100, 400, 600]);
    let mut lines = vec![
        (needed(40), format!("instance_class = \"{}\"", dice.one(&["db.m5.large", "db.m5.xlarge", "db.r5.large"]))),
        (needed(50), "db_subnet_group_name = \"default\"".to_owned()),
        (30, format!("allocated_storage = {storage}")),
        (20, format!("max_allocated_storage = {}", storage + 500)),
        (20, format!("storage_type = \"{}\"", dice.one(&["gp2", "gp3"]))),
        (20, format!("backup_retention_period = {}", dice.one(&[0, 1, 14]))),
        (20, format!("backup_window = \"{}\"", dice.one(&["03:00-03:30", "00:00-00:30"]))),
        (20, format!("maintenance_window = \"{}\"", dice.one(&["Mon:04:00-Mon:05:00", "sun:06:00-sun:06:30"]))),
        (20, format!("deletion_protection = {}", dice.chance(50))),
        (20, format!("copy_tags_to_snapshot = {}", dice.chance(50))),
        (20, format!("auto_minor_version_upgrade = {}", dice.chance(50))),
        (20, format!("iam_database_authentication_enabled = {}", dice.chance(50))),
        (20, format!("publicly_accessible = {}", dice.chance(50))),
        (20, format!("port = {}", dice.one(&[5432, 7654]))),
        (15, format!("network_type = \"{}\"", dice.one(&["IPV4", "DUAL"]))),
        (15, format!("parameter_group_name = \"{}\"", dice.one(&["ours13", "Ours14", "default.postgres13"]))),
        (15, format!("option_group_name = \"{}\"", dice.one(&["ours-options", "default:postgres-13"]))),
        (15, format!("enabled_cloudwatch_logs_exports = {}", dice.one(&["[]", "[\"upgrade\", \"postgresql\"]"]))),
        (15, format!("dedicated_log_volume = {}", dice.chance(50))),
        (10, "ca_cert_identifier = \"rds-ca-rsa4096-g1\"".to_owned()),
        (15, "multi_az = false".to_owned()),
        (15, "multi_az = true".to_owned()),
        (10, format!("availability_zone = \"{REGION}c\"")),
        (10, "monitoring_interval = 0".to_owned()),
        (10, "monitoring_interval = 30\n  monitoring_role_arn = \"arn:aws:iam::111122223333:role/other\"".to_owned()),
        (15, format!("performance_insights_enabled = {}", dice.chance(50))),
        (10, "performance_insights_retention_period = 31".to_owned()),
    ];
    lines.push((needed(30), format!("vpc_security_groups = {}", dice.one(&["[\"default\"]", "[\"office\", \"default\"]", "[\"jobs\"]"]))));
    let mut chosen: Vec<String> = Vec::new();
    for (percent, line) in lines {
        let key = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        let clash = chosen.iter().any(|other| key(other) == key(&line) || (key(&line) == "availability_zone" && other == "multi_az = true"));
        if dice.chance(percent) && !clash {
            chosen.push(line);
        }
    }
    dice.shuffle(&mut chosen);
    chosen.iter().map(|line| format!("  {line}\n")).collect()
}
