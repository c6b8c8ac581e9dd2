//! When a refresh is due. Pure.

use std::str::FromStr;
use std::time::Duration;

use croner::Cron;
use jiff::tz::TimeZone;

use super::marks;
use crate::model::time::{self, Timestamp};
use crate::world::rds::{Instance, Snapshot};

/// What makes a refresh due.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// When the last refresh began before the last tick.
    Schedule {
        /// As declared: `monthly`, `0 3 * * 1`.
        text: String,
        /// IANA name.
        timezone: String,
    },
    /// When the data is older.
    MaxAge(Duration),
    /// Only when asked for.
    Asked,
}

/// What the rule says now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Due {
    /// Why a refresh is due; none when it is not.
    pub reason: Option<String>,
    /// Due, but there is nothing newer; and whatever else should worry the reader.
    pub warnings: Vec<String>,
    /// When it is next due; none when it is due now and planned for.
    pub next: Option<Timestamp>,
    /// Since when it has been due, if it is.
    pub since: Option<Timestamp>,
}

/// The five fields behind a word, or the text itself.
fn fields(text: &str) -> &str {
    match text {
        "hourly" => "0 * * * *",
        "daily" => "0 0 * * *",
        "weekly" => "0 0 * * 0",
        "monthly" => "0 0 1 * *",
        "yearly" => "0 0 1 1 *",
        other => other,
    }
}

/// Whether a schedule is one of the words, which always have a next tick.
pub fn is_word(text: &str) -> bool {
    fields(text) != text
}

fn parse(text: &str, timezone: &str) -> Result<(Cron, TimeZone), String> {
    let pattern = fields(text);
    if pattern.split_whitespace().count() != 5 {
        return Err(format!("`{text}` is not hourly, daily, weekly, monthly, yearly or five cron fields"));
    }
    let cron = Cron::from_str(pattern).map_err(|why| format!("`{text}` is not a schedule: {why}"))?;
    let zone = TimeZone::get(timezone).map_err(|_| format!("`{timezone}` is not a time zone such as UTC or Europe/Paris"))?;
    Ok((cron, zone))
}

/// The first tick after `from`.
///
/// # Errors
/// A fragment, when schedule or time zone cannot be read or there is no such tick.
pub fn next_tick(text: &str, timezone: &str, from: Timestamp) -> Result<Timestamp, String> {
    let (cron, zone) = parse(text, timezone)?;
    let tick = cron.find_next_occurrence(&from.to_zoned(zone), false).map_err(|why| format!("`{text}` has no next tick: {why}"))?;
    Ok(tick.timestamp())
}

/// How old the data is: since when, and whether only the instance's own age is known.
pub fn data_since(instance: &Instance) -> Option<(Timestamp, bool)> {
    marks::moment(&instance.tags, marks::SNAPSHOT_TIME).map(|since| (since, true)).or_else(|| instance.created.map(|since| (since, false)))
}

/// Whether the newest snapshot is newer than the data.
fn is_newer(newest: &Snapshot, instance: &Instance) -> bool {
    if instance.tags.get(marks::SNAPSHOT) == Some(&newest.identifier) {
        return false;
    }
    match (newest.created, data_since(instance)) {
        (Some(created), Some((since, _))) => created > since,
        // A snapshot without a time is being made right now.
        _ => true,
    }
}

/// What the rule says about an instance now.
///
/// # Errors
/// A fragment, when the schedule cannot be read.
pub fn judge(rule: &Rule, instance: &Instance, newest: Option<&Snapshot>, source: &str, now: Timestamp) -> Result<Due, String> {
    let Some((since, tagged)) = data_since(instance) else {
        return Ok(Due {
            warnings: vec![format!("the age of {} is not known: it has neither our tags nor a creation time", instance.identifier)],
            ..Due::default()
        });
    };
    let (due_since, next, word) = match rule {
        Rule::Asked => return Ok(Due::default()),
        Rule::Schedule { text, timezone } => {
            let refreshed = marks::moment(&instance.tags, marks::REFRESHED_AT).or(instance.created).unwrap_or(since);
            let first = next_tick(text, timezone, refreshed)?;
            (first, if first <= now { first } else { next_tick(text, timezone, now)? }, text.clone())
        }
        Rule::MaxAge(age) => {
            let due = time::after(since, *age);
            (due, due, format!("max_age {}", time::words(*age)))
        }
    };
    if due_since > now || (due_since == now && matches!(rule, Rule::MaxAge(_))) {
        return Ok(Due { next: Some(next), ..Due::default() });
    }
    let age = time::words(time::between(since, now));
    let since_words = day_or_minute(due_since);
    let untagged = if tagged { "" } else { ", counted from the instance's creation, since it has no tags of ours" };
    if newest.is_some_and(|snapshot| is_newer(snapshot, instance)) {
        let reason = format!("data is {age} old{untagged}; due since {since_words} ({word})");
        return Ok(Due { reason: Some(reason), since: Some(due_since), ..Due::default() });
    }
    let warning = format!("data is {age} old{untagged}; due since {since_words} ({word}), but {source} has no newer snapshot");
    Ok(Due { reason: None, warnings: vec![warning], next: Some(due_since), since: Some(due_since) })
}

/// The date alone where it says everything.
fn day_or_minute(instant: Timestamp) -> String {
    if instant.as_second().rem_euclid(86_400) == 0 { instant.strftime("%Y-%m-%d").to_string() } else { time::minute(instant) }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{instance, snapshot};
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn monthly() -> Rule {
        Rule::Schedule { text: "monthly".to_owned(), timezone: "UTC".to_owned() }
    }

    fn tagged(refreshed: &str, taken: &str, from: &str) -> Instance {
        let mut found = instance("dev", "db-A");
        found.tags.insert(marks::REFRESHED_AT.to_owned(), refreshed.to_owned());
        found.tags.insert(marks::SNAPSHOT_TIME.to_owned(), taken.to_owned());
        found.tags.insert(marks::SNAPSHOT.to_owned(), from.to_owned());
        found
    }

    #[test]
    fn a_schedule_is_due_from_its_first_missed_tick() {
        let found = tagged("2026-10-02T08:00:00Z", "2026-10-02T00:07:00Z", "rds:a");
        let due = judge(&monthly(), &found, Some(&snapshot("rds:b", "2026-11-05T00:07:00Z")), "prod", at("2026-11-05T09:00:00Z")).unwrap();
        assert_eq!(due.reason.as_deref(), Some("data is 34 days old; due since 2026-11-01 (monthly)"));
    }

    #[test]
    fn right_after_a_refresh_nothing_is_due_and_the_next_tick_is_known() {
        let found = tagged("2026-11-05T09:00:00Z", "2026-11-05T00:07:00Z", "rds:b");
        let due = judge(&monthly(), &found, Some(&snapshot("rds:c", "2026-11-06T00:07:00Z")), "prod", at("2026-11-06T09:00:00Z")).unwrap();
        assert_eq!(due, Due { next: Some(at("2026-12-01T00:00:00Z")), ..Due::default() });
    }

    #[test]
    fn without_a_newer_snapshot_it_only_warns() {
        let found = tagged("2026-10-02T08:00:00Z", "2026-10-02T00:07:00Z", "rds:a");
        let due = judge(&monthly(), &found, Some(&snapshot("rds:a", "2026-10-02T00:07:00Z")), "prod", at("2026-11-05T09:00:00Z")).unwrap();
        assert_eq!(due.reason, None);
        assert_eq!(due.warnings, ["data is 34 days old; due since 2026-11-01 (monthly), but prod has no newer snapshot"]);
        assert!(judge(&monthly(), &found, None, "prod", at("2026-11-05T09:00:00Z")).unwrap().reason.is_none());
    }

    #[test]
    fn max_age_counts_from_the_snapshot_and_a_snapshot_being_made_is_newer() {
        let rule = Rule::MaxAge(Duration::from_hours(31 * 24));
        let found = tagged("2026-11-04T08:00:00Z", "2026-10-02T00:07:00Z", "rds:a");
        let mut making = snapshot("rds:b", "2026-11-05T00:07:00Z");
        making.created = None;
        let due = judge(&rule, &found, Some(&making), "prod", at("2026-11-05T09:00:00Z")).unwrap();
        assert_eq!(due.reason.as_deref(), Some("data is 34 days old; due since 2026-11-02 00:07 UTC (max_age 31 days)"));
        let early = judge(&rule, &found, Some(&making), "prod", at("2026-11-01T09:00:00Z")).unwrap();
        assert_eq!(early, Due { next: Some(at("2026-11-02T00:07:00Z")), ..Due::default() });
    }

    #[test]
    fn an_instance_without_our_tags_counts_from_its_creation_and_says_so() {
        let mut found = instance("dev", "db-A");
        found.created = Some(at("2026-10-02T00:00:00Z"));
        let due = judge(&monthly(), &found, Some(&snapshot("rds:b", "2026-11-05T00:07:00Z")), "prod", at("2026-11-05T09:00:00Z")).unwrap();
        assert!(due.reason.unwrap().contains("counted from the instance's creation"));
    }

    #[test]
    fn time_zones_and_bad_schedules() {
        let tick = next_tick("0 3 * * 1", "Europe/Paris", at("2026-11-05T00:00:00Z")).unwrap();
        assert_eq!(tick, at("2026-11-09T02:00:00Z"));
        assert_eq!(next_tick("weekly", "UTC", at("2026-11-05T00:00:00Z")).unwrap(), at("2026-11-08T00:00:00Z"));
        for bad in ["", "sometimes", "* * * *", "61 * * * *", "0 0 30 2 *"] {
            assert!(next_tick(bad, "UTC", at("2026-11-05T00:00:00Z")).is_err(), "{bad}");
        }
        assert!(next_tick("daily", "Mars/Olympus", at("2026-11-05T00:00:00Z")).is_err());
    }
}
