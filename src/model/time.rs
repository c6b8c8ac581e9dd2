//! Durations and instants as people write and read them.

use std::time::Duration;

pub use jiff::Timestamp;

/// Reads `"90s"`, `"15m"`, `"4h"`, `"31d"`, `"1h30m"`, `"0s"`. Nothing negative, nothing without a unit.
///
/// # Errors
/// A fragment that says what is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is not a duration such as \"90s\", \"15m\", \"4h\" or \"31d\"");
    let (mut seconds, mut digits, mut last_unit) = (0_u64, String::new(), u64::MAX);
    if text.is_empty() {
        return Err(bad());
    }
    for c in text.trim().chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(bad()),
        };
        if unit >= last_unit {
            return Err(bad());
        }
        last_unit = unit;
        let count: u64 = digits.parse().map_err(|_| bad())?;
        digits.clear();
        seconds = count.checked_mul(unit).and_then(|more| seconds.checked_add(more)).ok_or_else(bad)?;
    }
    // A hundred years is more than any wait, and leaves room for sums.
    if !digits.is_empty() || seconds > 100 * 366 * 86_400 {
        return Err(bad());
    }
    Ok(Duration::from_secs(seconds))
}

/// Short and exact to the second for what people wait for: `0s`, `45s`, `7m 12s`, `1h 10m`, `34 days`.
#[must_use]
pub fn words(duration: Duration) -> String {
    let total = duration.as_secs();
    let (hours, minutes, seconds) = (total / 3_600, total / 60 % 60, total % 60);
    match total {
        0..=59 => format!("{total}s"),
        60..=3_599 if seconds == 0 => format!("{minutes}m"),
        60..=3_599 => format!("{minutes}m {seconds}s"),
        3_600..=172_799 if minutes == 0 => format!("{hours}h"),
        3_600..=172_799 => format!("{hours}h {minutes}m"),
        _ => format!("{} days", total / 86_400),
    }
}

/// As [`words`], and to the second however long it is: for outages, `1h 10m 5s`.
#[must_use]
pub fn to_the_second(duration: Duration) -> String {
    let total = duration.as_secs();
    let (days, hours, minutes, seconds) = (total / 86_400, total / 3_600 % 24, total / 60 % 60, total % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")];
    let said: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if said.is_empty() { words(duration) } else { said.join(" ") }
}

/// The time from `earlier` to `later`, zero when they are the other way round.
#[must_use]
pub fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}

/// `instant` and `duration` later; the end of time when that is further.
#[must_use]
pub fn after(instant: Timestamp, duration: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(duration).ok().and_then(|d| instant.checked_add(d).ok()).unwrap_or(Timestamp::MAX)
}

/// RFC 3339 in UTC, whole seconds: what tags and events hold.
#[must_use]
pub fn rfc3339(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-11-01 00:00 UTC`, for sentences.
#[must_use]
pub fn minute(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Durations as whole seconds in JSON.
pub mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes whole seconds.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(duration.as_secs())
    }

    /// Reads whole seconds.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_strictly() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("31d", 2_678_400), ("1h30m", 5_400), ("0s", 0), ("2w", 1_209_600)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "15", "m", "-1h", "1m1h", "1h1h", "1.5h", "99999999999999999999d", "1 h", "40000d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_are_short() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m"), (432, "7m 12s"), (4_200, "1h 10m"), (34 * 86_400, "34 days")] {
            assert_eq!(words(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn an_outage_is_told_to_the_second() {
        for (seconds, text) in [(0, "0s"), (45, "45s"), (480, "8m"), (3_600, "1h"), (4_205, "1h 10m 5s"), (90_061, "1d 1h 1m 1s")] {
            assert_eq!(to_the_second(Duration::from_secs(seconds)), text);
        }
    }
}
