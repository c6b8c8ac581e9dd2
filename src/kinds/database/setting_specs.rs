//! The attributes of the `database` block itself: the settings, by the names of Terraform's `aws_db_instance`.

use crate::declare::{AttrSpec, AttrType};
use crate::model::Value;

use super::schema::{int_within, not_empty, one_of};

const fn text(name: &'static str, doc: &'static str) -> AttrSpec {
    AttrSpec::new(name, AttrType::String, doc).check(not_empty)
}

const fn flag(name: &'static str, doc: &'static str) -> AttrSpec {
    AttrSpec::new(name, AttrType::Bool, doc)
}

const fn whole(name: &'static str, doc: &'static str) -> AttrSpec {
    AttrSpec::new(name, AttrType::Int, doc)
}

/// Provider, settings and tags.
pub(super) const ATTRIBUTES: &[AttrSpec] = &[
    AttrSpec::new("provider", AttrType::Reference("aws"), "The AWS account and region.").default("aws"),
    text("instance_class", "The machine: `db.m5.xlarge`. A change restarts the instance."),
    whole("allocated_storage", "GiB, at least. It is never shrunk; a larger snapshot makes it larger.").check(|value| int_within(value, 5, 65_536)),
    whole("max_allocated_storage", "GiB up to which RDS may grow the storage by itself; must be above `allocated_storage`.")
        .check(|value| int_within(value, 6, 65_536)),
    text("storage_type", "`gp2`, `gp3`, `io1`, `io2` or `standard`.").check(|value| one_of(value, &["gp2", "gp3", "io1", "io2", "standard"])),
    whole("iops", "Provisioned operations a second. Sent only where storage type, engine and size let it be set.")
        .check(|value| int_within(value, 1_000, 256_000)),
    whole("storage_throughput", "MiB a second, gp3 only. Sent only where engine and size let it be set.")
        .check(|value| int_within(value, 125, 4_000)),
    flag("multi_az", "Whether a standby runs in another zone."),
    text("availability_zone", "The zone of a single-zone instance. Only a restore can change it."),
    text("db_subnet_group_name", "The subnet group, and with it the VPC."),
    AttrSpec::new(
        "vpc_security_groups",
        AttrType::StringList,
        "Security groups, by id or by name; a name is looked up in the VPC of the subnet group.",
    )
    .check(groups),
    flag("publicly_accessible", "Whether it has a public address."),
    whole("port", "TCP port. A change restarts the instance.").check(|value| int_within(value, 1_150, 65_535)),
    text("network_type", "`IPV4`, or `DUAL` for IPv6 beside it.").check(|value| one_of(value, &["IPV4", "DUAL"])),
    text("parameter_group_name", "The parameter group. A change takes a restart."),
    text("option_group_name", "The option group of the engine's version."),
    whole("backup_retention_period", "Days that automated backups are kept; 0 turns them off. Leaving or reaching 0 restarts the instance.")
        .check(|value| int_within(value, 0, 35)),
    text("backup_window", "Daily, UTC: `03:00-03:30`.").check(daily_window),
    text("maintenance_window", "Weekly, UTC: `sun:04:00-sun:05:00`.").check(weekly_window),
    flag("deletion_protection", "Whether RDS refuses to delete it. Lifted visibly where something of ours is removed."),
    flag("copy_tags_to_snapshot", "Whether its snapshots get its tags."),
    flag("auto_minor_version_upgrade", "Whether RDS may upgrade minor versions by itself."),
    whole("monitoring_interval", "Seconds between enhanced monitoring's measurements; 0 turns it off.").check(interval),
    text("monitoring_role_arn", "The role that enhanced monitoring uses."),
    flag("performance_insights_enabled", "Whether performance insights are on."),
    text("performance_insights_kms_key_id", "The key that encrypts them."),
    whole("performance_insights_retention_period", "Days that they are kept: 7, a multiple of 31, or 731.").check(insights_retention),
    flag("iam_database_authentication_enabled", "Whether IAM users may log in."),
    AttrSpec::new("enabled_cloudwatch_logs_exports", AttrType::StringList, "Logs that go to CloudWatch: `postgresql`, `upgrade`."),
    text("ca_cert_identifier", "The certificate authority of its server certificate."),
    text("license_model", "The licence model, for engines that have a choice."),
    flag("dedicated_log_volume", "Whether logs have a volume of their own. A change restarts the instance."),
    AttrSpec::new("tags", AttrType::StringMap, "Tags, laid over those of the instance that is replaced.").check(tags),
];

/// The names of [`ATTRIBUTES`] that are settings.
pub(super) fn settings() -> impl Iterator<Item = &'static AttrSpec> {
    ATTRIBUTES.iter().filter(|spec| spec.name != "provider" && spec.name != "tags")
}

fn groups(value: &Value) -> Result<(), String> {
    match value {
        Value::List(items) if items.is_empty() => Err("must name at least one security group".to_owned()),
        _ => Ok(()),
    }
}

fn interval(value: &Value) -> Result<(), String> {
    match value {
        Value::Number(crate::model::Number::Int(0 | 1 | 5 | 10 | 15 | 30 | 60)) => Ok(()),
        _ => Err("must be 0, 1, 5, 10, 15, 30 or 60".to_owned()),
    }
}

fn insights_retention(value: &Value) -> Result<(), String> {
    match value {
        Value::Number(crate::model::Number::Int(n)) if *n == 7 || *n == 731 || (*n % 31 == 0 && (31..=713).contains(n)) => Ok(()),
        _ => Err("must be 7, 731 or a multiple of 31 up to 713".to_owned()),
    }
}

fn tags(value: &Value) -> Result<(), String> {
    let Value::Map(entries) = value else { return Ok(()) };
    if entries.len() > 40 {
        return Err(format!("has {} tags; RDS takes 50, of which 10 are left to ours", entries.len()));
    }
    for (key, value) in entries {
        let lower = key.to_ascii_lowercase();
        if lower.starts_with("aws:") || lower.starts_with("switchover:") {
            return Err(format!("has the tag `{key}`; tags that begin with aws: or switchover: cannot be declared"));
        }
        if key.is_empty() || key.chars().count() > 128 || value.as_str().is_some_and(|text| text.chars().count() > 256) {
            return Err(format!("has the tag `{key}`; keys have 1 to 128 characters, values at most 256"));
        }
    }
    Ok(())
}

/// `HH:MM` as minutes of the day.
fn clock_time(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u32>().ok()).flatten();
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn daily_window(value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else { return Ok(()) };
    let ends = text.split_once('-').and_then(|(from, to)| Some((clock_time(from)?, clock_time(to)?)));
    match ends {
        Some((from, to)) if (to + 1_440 - from) % 1_440 >= 30 => Ok(()),
        _ => Err("must be a window of at least 30 minutes such as 03:00-03:30".to_owned()),
    }
}

fn weekly_window(value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else { return Ok(()) };
    let moment = |part: &str| {
        let (day, time) = part.split_once(':')?;
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let day = u32::try_from(days.iter().position(|known| *known == day.to_ascii_lowercase())?).ok()?;
        Some(day * 1_440 + clock_time(time)?)
    };
    let ends = text.split_once('-').and_then(|(from, to)| Some((moment(from)?, moment(to)?)));
    match ends {
        Some((from, to)) if (to + 10_080 - from) % 10_080 >= 30 => Ok(()),
        _ => Err("must be a window of at least 30 minutes such as sun:04:00-sun:05:00".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::rds::{MODIFIABLE, RESTORABLE};

    #[test]
    fn every_setting_that_rds_takes_can_be_declared_and_nothing_else() {
        let mut declared: Vec<&str> = settings().map(|spec| spec.name).collect();
        let mut taken: Vec<&str> = RESTORABLE.iter().chain(MODIFIABLE).copied().collect();
        declared.sort_unstable();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(declared, taken);
    }

    #[test]
    fn windows_are_read_strictly() {
        let text = |text: &str| Value::String(text.to_owned());
        assert!(daily_window(&text("23:45-00:15")).is_ok());
        for bad in ["03:00-03:10", "3:00-4:00", "25:00-26:00", "x"] {
            assert!(daily_window(&text(bad)).is_err(), "{bad}");
        }
        assert!(weekly_window(&text("sun:23:45-mon:00:30")).is_ok());
        assert!(weekly_window(&text("sun:04:00-05:00")).is_err());
    }
}
