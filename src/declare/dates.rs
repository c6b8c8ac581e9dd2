//! Dates and schedules as people write them.

use std::str::FromStr as _;

use crate::model::time::Timestamp;

/// The words for schedules, which are cron's `@` words.
pub const SCHEDULE_WORDS: [&str; 5] = ["hourly", "daily", "weekly", "monthly", "yearly"];

/// A date (its last second, UTC) or an RFC 3339 instant.
///
/// # Errors
/// A fragment that says what is wrong with the text.
pub fn parse_date(text: &str) -> Result<Timestamp, String> {
    let bad = |_| {
        format!("`{}` is neither a date such as \"2026-12-31\" nor an instant such as \"2026-12-31T18:00:00Z\"", super::eval::convert::short(text))
    };
    if text.contains('T') {
        return text.parse::<Timestamp>().map_err(bad);
    }
    let date = text.parse::<jiff::civil::Date>().map_err(bad)?;
    date.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(bad)
}

/// One of the words, or five cron fields.
///
/// # Errors
/// A fragment that says what is wrong with the text.
pub fn check_schedule(text: &str) -> Result<(), String> {
    if SCHEDULE_WORDS.contains(&text) {
        return Ok(());
    }
    let bad = || {
        format!("`{}` is not a schedule: {} or five cron fields such as \"30 2 * * 1\"", super::eval::convert::short(text), SCHEDULE_WORDS.join(", "))
    };
    if text.split_whitespace().count() != 5 || text.len() > 200 {
        return Err(bad());
    }
    croner::Cron::from_str(text).map(|_| ()).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_last_second() {
        assert_eq!(parse_date("2026-12-31").unwrap().to_string(), "2026-12-31T23:59:59Z");
        assert_eq!(parse_date("2026-12-31T18:00:00+02:00").unwrap().to_string(), "2026-12-31T16:00:00Z");
        for bad in ["", "tomorrow", "2026-02-30", "31.12.2026", "2026-12-31T"] {
            assert!(parse_date(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn schedules_are_words_or_five_fields() {
        for good in ["monthly", "0 0 1 * *", "*/15 2-4 * * MON"] {
            assert!(check_schedule(good).is_ok(), "{good}");
        }
        for bad in ["", "fortnightly", "* * *", "0 0 0 1 * *", "99 0 1 * *", "a b c d e"] {
            assert!(check_schedule(bad).is_err(), "{bad}");
        }
    }
}
