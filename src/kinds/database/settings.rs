//! What the new instance must be set to: what is carried over, what is declared, and what is sent in which call. Pure.

use super::desired::FirstBackup;
use crate::model::Json;
use crate::world::rds::{Instance, MODIFIABLE, RESTORABLE, Settings, Snapshot};

/// What the new instance must have in the end, and what people should know about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// By name; what is not here does not matter.
    pub settings: Settings,
    /// Exceptions to carrying everything over.
    pub notes: Vec<String>,
}

/// What a setting is when the service leaves it out.
fn when_absent(name: &str) -> Json {
    match name {
        "enabled_cloudwatch_logs_exports" => Json::Array(Vec::new()),
        "monitoring_interval" | "backup_retention_period" => Json::from(0),
        "multi_az"
        | "publicly_accessible"
        | "deletion_protection"
        | "copy_tags_to_snapshot"
        | "auto_minor_version_upgrade"
        | "performance_insights_enabled"
        | "iam_database_authentication_enabled"
        | "dedicated_log_volume" => Json::Bool(false),
        _ => Json::Null,
    }
}

/// A setting as it is, with what its absence means.
#[must_use]
pub fn value_of(settings: &Settings, name: &str) -> Json {
    settings.get(name).filter(|value| !value.is_null()).cloned().unwrap_or_else(|| when_absent(name))
}

/// Whether `have` is as good as `want`: more storage than wanted is (RDS grows it by itself, and nothing shrinks it), and so is the
/// ARN of the key that is named by its id.
#[must_use]
pub fn same(name: &str, have: &Json, want: &Json) -> bool {
    match name {
        "allocated_storage" if have.is_i64() && want.is_i64() => have.as_i64() >= want.as_i64(),
        "performance_insights_kms_key_id" => {
            have == want || have.as_str().zip(want.as_str()).is_some_and(|(arn, id)| arn.ends_with(&format!(":key/{id}")))
        }
        _ => have == want,
    }
}

/// Names in `want` whose value `have` does not have, sorted.
#[must_use]
pub fn differences(have: &Settings, want: &Settings) -> Vec<String> {
    want.iter().filter(|(name, want)| !want.is_null() && !same(name, &value_of(have, name), want)).map(|(name, _)| name.clone()).collect()
}

/// Whether IOPS, and throughput, can be set for such storage.
fn settable(engine: &str, storage_type: &str, gib: i64) -> (bool, bool) {
    match storage_type {
        "io1" | "io2" => (true, false),
        "gp3" => {
            let from = if engine.starts_with("sqlserver") {
                0
            } else if engine.starts_with("oracle") {
                200
            } else {
                400
            };
            (gib >= from, gib >= from)
        }
        _ => (false, false),
    }
}

/// The least IOPS and throughput that RDS takes for such storage, where it lets them be set.
fn least_speed(engine: &str, storage_type: &str) -> (i64, i64) {
    match storage_type {
        "gp3" if engine.starts_with("sqlserver") => (3_000, 125),
        "gp3" => (12_000, 500),
        _ => (0, 0),
    }
}

/// Whether the `iops` or `storage_throughput` of these settings can be set on their storage.
#[must_use]
pub fn speed_can_be_set(engine: &str, settings: &Settings, name: &str) -> bool {
    let kind = value_of(settings, "storage_type");
    let kind = kind.as_str().unwrap_or("gp2");
    let (iops, throughput) = settable(engine, kind, value_of(settings, "allocated_storage").as_i64().unwrap_or(0));
    let (least_iops, least_throughput) = least_speed(engine, kind);
    let (allowed, least) = if name == "iops" { (iops, least_iops) } else { (throughput, least_throughput) };
    allowed && value_of(settings, name).as_i64().is_none_or(|value| value >= least)
}

/// The setting without which this one has no effect, and RDS refuses it; none when it has one.
#[must_use]
pub fn idle_without(settings: &Settings, name: &str) -> Option<&'static str> {
    match name {
        "performance_insights_kms_key_id" | "performance_insights_retention_period"
            if value_of(settings, "performance_insights_enabled") != Json::Bool(true) =>
        {
            Some("performance_insights_enabled")
        }
        "monitoring_role_arn" if value_of(settings, "monitoring_interval").as_i64() == Some(0) => Some("monitoring_interval"),
        _ => None,
    }
}

/// What the new instance must have: `base`'s settings with the declared ones over them, made to fit `snapshot`.
#[must_use]
pub fn target(base: Option<&Instance>, declared: &Settings, snapshot: &Snapshot) -> Target {
    let mut target = Target::default();
    if let Some(base) = base {
        let carried = base.settings.iter().filter(|(name, _)| RESTORABLE.contains(&name.as_str()) || MODIFIABLE.contains(&name.as_str()));
        target.settings.extend(carried.map(|(name, value)| (name.clone(), value.clone())));
    }
    target.settings.extend(declared.iter().map(|(name, value)| (name.clone(), value.clone())));
    grow_storage(&mut target, snapshot);
    fit_storage_speed(&mut target, declared, snapshot);
    fit_zone(&mut target, base, declared);
    fit_engine(&mut target, base, declared, snapshot);
    fit_groups(&mut target);
    target
}

/// What parameter and option groups are made for: `14` of `postgres`, `8.0` of the others.
fn family<'a>(engine: &str, version: &'a str) -> Vec<&'a str> {
    version.split('.').take(if engine.contains("postgres") { 1 } else { 2 }).collect()
}

/// Groups of another major version would be refused: the new instance gets the default ones.
fn fit_engine(target: &mut Target, base: Option<&Instance>, declared: &Settings, snapshot: &Snapshot) {
    let Some(base) = base else { return };
    let engine = &snapshot.engine;
    if base.engine == *engine && family(engine, &base.engine_version) == family(engine, &snapshot.engine_version) {
        return;
    }
    for name in ["parameter_group_name", "option_group_name"] {
        if !declared.contains_key(name)
            && let Some(group) = target.settings.remove(name)
        {
            let (was, is) = (&base.engine_version, &snapshot.engine_version);
            target.notes.push(format!("{name} ({group}) is not carried over: it is made for {was}, and the data is {engine} {is}"));
        }
    }
}

fn grow_storage(target: &mut Target, snapshot: &Snapshot) {
    let name = "allocated_storage";
    if let Some(wanted) = target.settings.get(name).and_then(Json::as_i64)
        && wanted < snapshot.allocated_storage
    {
        target.notes.push(format!("allocated_storage grows from {wanted} to the snapshot's {} GiB", snapshot.allocated_storage));
        target.settings.insert(name.to_owned(), Json::from(snapshot.allocated_storage));
    }
    let size = target.settings.get(name).and_then(Json::as_i64).unwrap_or(snapshot.allocated_storage);
    if let Some(most) = target.settings.get("max_allocated_storage").and_then(Json::as_i64)
        && most <= size
    {
        target.notes.push(format!("max_allocated_storage of {most} GiB is not set, since the storage has {size} GiB already"));
        target.settings.remove("max_allocated_storage");
    }
}

fn fit_storage_speed(target: &mut Target, declared: &Settings, snapshot: &Snapshot) {
    let kind =
        value_of(&target.settings, "storage_type").as_str().or_else(|| snapshot.settings.get("storage_type")?.as_str()).unwrap_or("gp2").to_owned();
    let size = target.settings.get("allocated_storage").and_then(Json::as_i64).unwrap_or(snapshot.allocated_storage);
    let (iops, throughput) = settable(&snapshot.engine, &kind, size);
    let (least_iops, least_throughput) = least_speed(&snapshot.engine, &kind);
    for (name, allowed, least) in [("iops", iops, least_iops), ("storage_throughput", throughput, least_throughput)] {
        let too_little = target.settings.get(name).and_then(Json::as_i64).is_some_and(|value| value < least);
        if allowed && !too_little {
            continue;
        }
        if let Some(value) = target.settings.remove(name) {
            let whose = if declared.contains_key(name) { "sent" } else { "carried over" };
            let why = if allowed { format!("has at least {least}") } else { "does not let it be set".to_owned() };
            target.notes.push(format!("{name} ({value}) is not {whose}: {kind} with {size} GiB {why} for {}", snapshot.engine));
        }
    }
}

fn fit_zone(target: &mut Target, base: Option<&Instance>, declared: &Settings) {
    let name = "availability_zone";
    let moved = base.is_some_and(|base| value_of(&base.settings, "db_subnet_group_name") != value_of(&target.settings, "db_subnet_group_name"));
    if moved && !declared.contains_key("vpc_security_groups") {
        target.notes.push("vpc_security_groups are carried over to another subnet group, and must be in its VPC".to_owned());
    }
    if target.settings.get("multi_az") == Some(&Json::Bool(true)) {
        if target.settings.remove(name).is_some() {
            target.notes.push("availability_zone is not carried over: with multi_az RDS chooses the zones".to_owned());
        }
        return;
    }
    let was_multi = base.is_some_and(|base| value_of(&base.settings, "multi_az") == Json::Bool(true));
    if !declared.contains_key(name) && (moved || was_multi) && target.settings.remove(name).is_some() {
        target.notes.push("availability_zone is not carried over: RDS chooses one of the new subnet group".to_owned());
    }
}

/// What has no meaning without another setting.
fn fit_groups(target: &mut Target) {
    for name in ["performance_insights_kms_key_id", "performance_insights_retention_period", "monitoring_role_arn"] {
        if idle_without(&target.settings, name).is_some() {
            target.settings.remove(name);
        }
    }
}

/// What is set only in *retire*: protection, and with `after_switch` the backups. The rest of `target` must be there before the switch.
#[must_use]
pub fn later(target: &Settings, first_backup: FirstBackup) -> Settings {
    let mut later = Settings::new();
    if target.get("deletion_protection") == Some(&Json::Bool(true)) {
        later.insert("deletion_protection".to_owned(), Json::Bool(true));
    }
    if first_backup == FirstBackup::AfterSwitch
        && let Some(days) = target.get("backup_retention_period").filter(|days| days.as_i64() != Some(0))
    {
        later.insert("backup_retention_period".to_owned(), days.clone());
    }
    later
}

/// What must hold until the switch: `target` with what comes later off.
#[must_use]
pub fn until_switch(target: &Settings, later: &Settings) -> Settings {
    let mut now = target.clone();
    for name in later.keys() {
        now.insert(name.clone(), when_absent(name));
    }
    now
}

/// What the restore takes of it.
#[must_use]
pub fn in_restore(until_switch: &Settings) -> Settings {
    until_switch.iter().filter(|(name, value)| RESTORABLE.contains(&name.as_str()) && !value.is_null()).map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// What a modification must say to make `have` into `want`: the differences, and what RDS wants to hear beside them.
#[must_use]
pub fn in_modify(engine: &str, have: &Settings, want: &Settings) -> Settings {
    let mut then = have.clone();
    then.extend(want.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())));
    let mut names: Vec<String> = differences(have, want).into_iter().filter(|name| MODIFIABLE.contains(&name.as_str())).collect();
    let storage = ["allocated_storage", "iops", "storage_throughput", "storage_type"];
    let changes_storage = names.iter().any(|name| storage.contains(&name.as_str()));
    for name in names.clone() {
        let beside: &[&str] = match name.as_str() {
            "performance_insights_kms_key_id" | "performance_insights_retention_period" => &["performance_insights_enabled"],
            "performance_insights_enabled" => &["performance_insights_kms_key_id", "performance_insights_retention_period"],
            "monitoring_role_arn" => &["monitoring_interval"],
            "monitoring_interval" => &["monitoring_role_arn"],
            _ => &[],
        };
        names.extend(beside.iter().filter(|other| idle_without(&then, other).is_none()).map(|other| (*other).to_owned()));
    }
    if changes_storage {
        // Never less than there is.
        let sizes = [have, want].into_iter().filter_map(|settings| settings.get("allocated_storage"));
        if let Some(size) = sizes.max_by_key(|size| size.as_i64()) {
            then.insert("allocated_storage".to_owned(), size.clone());
        }
        names.extend(storage.iter().filter(|name| want.contains_key(**name)).map(|name| (*name).to_owned()));
        // Where IOPS are set, RDS takes neither them nor the size alone.
        if speed_can_be_set(engine, &then, "iops") && then.contains_key("iops") {
            names.extend(["allocated_storage".to_owned(), "iops".to_owned()]);
        }
    }
    names.into_iter().filter_map(|name| Some((name.clone(), then.get(&name)?.clone()))).collect()
}

/// Why a modification of this setting is noticed, if it is.
#[must_use]
pub fn restarts(name: &str, before: &Json, after: &Json) -> Option<&'static str> {
    match name {
        "instance_class" | "port" | "dedicated_log_volume" | "db_subnet_group_name" => Some("restarts the instance"),
        "parameter_group_name" => Some("takes a restart"),
        "backup_retention_period" if before.as_i64().unwrap_or(0) == 0 || after.as_i64() == Some(0) => Some("restarts the instance"),
        "storage_type" if before.as_str() == Some("standard") || after.as_str() == Some("standard") => Some("restarts the instance"),
        "ca_cert_identifier" => Some("may restart the instance"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
