//! What RDS takes as names.

use crate::model::Value;

/// What RDS allows in an instance's name.
const LONGEST: usize = 63;

/// Whether `name` can be an instance's name, as RDS keeps it: 1 to 63 lower-case letters, digits and single hyphens, a letter first.
///
/// # Errors
/// A fragment that says what is wrong with it.
pub fn instance(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > LONGEST {
        return Err(format!("has {} characters; an RDS identifier has 1 to {LONGEST}", name.chars().count()));
    }
    hyphenated(name)
}

fn hyphenated(name: &str) -> Result<(), String> {
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err("must begin with a lower-case letter".to_owned());
    }
    if let Some(c) = name.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        return Err(format!("holds {c:?}; an RDS identifier has lower-case letters, digits and hyphens only"));
    }
    if name.contains("--") || name.ends_with('-') {
        return Err("must not hold two hyphens in a row, nor end with one".to_owned());
    }
    Ok(())
}

/// [`instance`] for tables.
pub fn check(value: &Value) -> Result<(), String> {
    value.as_str().map_or(Ok(()), instance)
}

/// `final_snapshot`: a bool, or the beginning of a snapshot's name.
pub fn check_snapshot(value: &Value) -> Result<(), String> {
    match value.as_str() {
        Some(name) if name.is_empty() || name.len() > 150 => Err("must have 1 to 150 characters, since the run's id is added".to_owned()),
        Some(name) => hyphenated(name),
        None => Ok(()),
    }
}

/// Table names of `truncate`.
pub fn check_tables(value: &Value) -> Result<(), String> {
    let Value::List(items) = value else { return Ok(()) };
    items.iter().filter_map(Value::as_str).try_for_each(|name| table(name).map(|_| ()))
}

/// A table's name as SQL: bare where the server reads it as it is, quoted otherwise. At most `schema.table`.
///
/// # Errors
/// A fragment that says what is wrong with it.
pub fn table(name: &str) -> Result<String, String> {
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() > 2 || parts.iter().any(|part| part.is_empty() || part.len() > LONGEST || part.contains(['"', '\0'])) {
        return Err(format!("`{name}` is not a table name such as api_token or audit.log"));
    }
    let bare = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let quoted: Vec<String> = parts.iter().map(|part| if bare(part) { (*part).to_owned() } else { format!("\"{part}\"") }).collect();
    Ok(quoted.join("."))
}

/// The name of a last snapshot, unique by the run.
#[must_use]
pub fn final_snapshot(beginning: &str, run: &str) -> String {
    let mut name = format!("{beginning}-");
    for c in run.to_ascii_lowercase().chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '-' };
        if c != '-' || !name.ends_with('-') {
            name.push(c);
        }
    }
    name.truncate(255);
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_rds() {
        assert!(instance("dev-openverse-db").is_ok());
        assert!(instance(&"a".repeat(63)).is_ok());
        for bad in ["", "1a", "a--b", "a-", "A", "a_b", "dëv", &"a".repeat(64)] {
            assert!(instance(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tables_are_quoted_where_they_must_be() {
        assert_eq!(table("api_token"), Ok("api_token".to_owned()));
        assert_eq!(table("audit.Log"), Ok("audit.\"Log\"".to_owned()));
        assert!(table("a.b.c").is_err());
        assert!(table("a\"; drop table b").is_err());
    }

    #[test]
    fn last_snapshots_have_valid_names() {
        assert_eq!(final_snapshot("dev-final", "2026-11-05T10:00:00Z-AB__c"), "dev-final-2026-11-05t10-00-00z-ab-c");
    }
}
