//! Reading a world file: every mistake is told with its place.

use super::faults::CALLS;
use super::state::{FORMAT_VERSION, State};
use crate::model::record::{RecordType, canonical_content, canonical_name};
use crate::model::{Error, Exit, Result, input};

/// The world that `text` describes. `name` is the file's, for messages.
pub(super) fn parse(text: &str, name: &str) -> Result<State> {
    prepare(read(text, name)?, name)
}

/// The same before [`prepare`].
pub(super) fn read(text: &str, name: &str) -> Result<State> {
    input::check_long_json(text)
        .map_err(|why| Error::new(Exit::Error, format!("{name} is not a simulated world: {why}"), "give --world a simulated world's JSON file"))?;
    serde_json::from_str(text).map_err(|error| {
        let path = path_at(text, error.line(), error.column());
        // The library ends its message with the place, which stands in front here.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        Error::new(
            Exit::Error,
            format!("{name}:{}:{} is not a simulated world: at {path}: {message}", error.line(), error.column()),
            "mend the file; examples/README.md describes the form of a world file",
        )
    })
}

/// Checks what the types cannot, brings names and contents into their canonical form, and builds the indexes.
pub(super) fn prepare(mut state: State, name: &str) -> Result<State> {
    check(&mut state).map_err(|(place, why)| {
        Error::new(
            Exit::Error,
            format!("{name} is not a simulated world: at {place}: {why}"),
            "mend the file; examples/README.md describes the form of a world file",
        )
    })?;
    Ok(state)
}

type Checked = Result<(), (String, String)>;

fn wrong<T>(place: impl Into<String>, why: impl Into<String>) -> Result<T, (String, String)> {
    Err((place.into(), why.into()))
}

fn check(state: &mut State) -> Checked {
    if state.format_version != FORMAT_VERSION {
        return wrong("format_version", format!("version {} is not known, only {FORMAT_VERSION}", state.format_version));
    }
    if state.id.is_empty() || state.id.len() > 100 || state.id == "live" {
        return wrong("id", "a world's id has 1 to 100 bytes and is not `live`");
    }
    for (index, fault) in state.faults.iter().enumerate() {
        if !CALLS.contains(&fault.call.as_str()) {
            return wrong(format!("faults[{index}].call"), format!("`{}` is not a call; the calls are {}", fault.call, CALLS.join(", ")));
        }
        if fault.nth == 0 {
            return wrong(format!("faults[{index}].nth"), "calls are counted from 1");
        }
    }
    if let Some(chaos) = &state.chaos {
        let mut sum = 0.0;
        for (word, share) in chaos.shares() {
            sum += share;
            if !(0.0..=1.0).contains(&share) || sum > 1.0 {
                return wrong(format!("chaos.{word}"), "shares are from 0 to 1, and so is their sum");
            }
        }
    }
    check_aws(state)?;
    check_cloudflare(state)
}

fn check_aws(state: &State) -> Checked {
    if let Some(account) = &state.aws.default_account
        && !state.aws.accounts.contains_key(account)
    {
        return wrong("aws.default_account", format!("there is no account {account}"));
    }
    for (account_id, account) in &state.aws.accounts {
        for (region_name, region) in &account.regions {
            let place = format!("aws.accounts.{account_id}.regions.{region_name}");
            let mut names = std::collections::BTreeSet::new();
            for (id, instance) in &region.instances {
                let place = format!("{place}.instances.{id}");
                if !names.insert(&instance.identifier) {
                    return wrong(format!("{place}.identifier"), format!("another instance is called {} too", instance.identifier));
                }
                check_references(&instance.databases, &place)?;
                if let Some(schedule) = &instance.snapshot_schedule
                    && (schedule.every_seconds < 60 || !(1..=100).contains(&schedule.keep))
                {
                    return wrong(format!("{place}.snapshot_schedule"), "at least 60 seconds apart, and 1 to 100 are kept");
                }
            }
            for (id, snapshot) in &region.snapshots {
                let place = format!("{place}.snapshots.{id}");
                if !matches!(snapshot.snapshot_type.as_str(), "automated" | "manual") {
                    return wrong(format!("{place}.snapshot_type"), "a snapshot is `automated` or `manual`");
                }
                check_references(&snapshot.databases, &place)?;
            }
        }
    }
    Ok(())
}

fn check_references(databases: &super::sql::Databases, place: &str) -> Checked {
    for (name, database) in databases {
        for (table_name, table) in &database.tables {
            if let Some(missing) = table.references.iter().find(|other| !database.tables.contains_key(*other)) {
                return wrong(format!("{place}.databases.{name}.tables.{table_name}.references"), format!("there is no table {missing}"));
            }
        }
    }
    Ok(())
}

fn check_cloudflare(state: &mut State) -> Checked {
    for (id, zone) in &mut state.cloudflare.zones {
        let place = format!("cloudflare.zones.{id}");
        zone.name = canonical_name(&zone.name).or_else(|why| wrong(format!("{place}.name"), why))?;
        for (record_id, record) in &mut zone.records {
            let place = || format!("{place}.records.{record_id}");
            record.name = canonical_name(&record.name).or_else(|why| wrong(format!("{}.name", place()), why))?;
            if !super::cloudflare::within(&record.name, &zone.name) {
                return wrong(format!("{}.name", place()), format!("{} is not in the zone {}", record.name, zone.name));
            }
            if let Ok(rtype) = record.rtype.parse::<RecordType>() {
                record.content = canonical_content(rtype, &record.content).or_else(|why| wrong(format!("{}.content", place()), why))?;
            }
        }
        zone.build_index();
    }
    Ok(())
}

/// An object with the key that was met last, an array with the place in it.
enum Level {
    Object(String),
    Array(usize),
}

/// The JSON path of the value or key that ends at, or holds, a place (line and column from 1, columns in bytes).
fn path_at(text: &str, line: usize, column: usize) -> String {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = (before + column).min(text.len());
    let bytes = &text.as_bytes()[..end];
    let (mut levels, mut at, mut last_string) = (Vec::<Level>::new(), 0, String::new());
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let start = at + 1;
                at = start;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                last_string = String::from_utf8_lossy(&bytes[start..at.min(bytes.len())]).into_owned();
                // A key that is wrong in itself is met before its colon.
                if at + 1 >= bytes.len() && expects_key(bytes, start - 1) {
                    name_object(&mut levels, &last_string);
                }
            }
            b':' => name_object(&mut levels, &last_string),
            b'{' => levels.push(Level::Object(String::new())),
            b'[' => levels.push(Level::Array(0)),
            b',' => {
                if let Some(Level::Array(index)) = levels.last_mut() {
                    *index += 1;
                }
            }
            // The place of a mistake in an object as a whole is its closing brace.
            b'}' | b']' if at + 1 < bytes.len() => {
                levels.pop();
            }
            _ => {}
        }
        at += 1;
    }
    let path: String = levels
        .iter()
        .map(|level| match level {
            Level::Object(key) if key.is_empty() => String::new(),
            Level::Object(key) => format!(".{key}"),
            Level::Array(index) => format!("[{index}]"),
        })
        .collect();
    let path = path.trim_start_matches('.');
    if path.is_empty() { "the top".to_owned() } else { path.to_owned() }
}

fn name_object(levels: &mut [Level], name: &str) {
    if let Some(Level::Object(key)) = levels.last_mut() {
        name.clone_into(key);
    }
}

/// Whether the string that begins at `at` stands where an object's key stands.
fn expects_key(bytes: &[u8], at: usize) -> bool {
    bytes[..at].iter().rev().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| matches!(byte, b'{' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        parse(text, "w.json").unwrap_err().chain()
    }

    #[test]
    fn mistakes_are_told_with_line_column_and_path() {
        let head = "{\n  \"format_version\": 1,\n  \"id\": \"w\",\n  \"now\": \"2026-11-05T09:00:00Z\",\n";
        let unknown = complaint(&format!("{head}  \"aws\": {{\"accounts\": {{\"1\": {{\"regoins\": {{}}}}}}}}\n}}"));
        assert!(unknown.contains("w.json:5:") && unknown.contains("aws.accounts.1.regoins") && unknown.contains("unknown field"), "{unknown}");
        let typed = complaint(&format!("{head}  \"slack\": {{\"messages\": [{{\"at\": 3}}]}}\n}}"));
        assert!(typed.contains("slack.messages[0].at"), "{typed}");
        let missing = complaint("{\"format_version\": 1}");
        assert!(missing.contains("missing field"), "{missing}");
        for garbage in ["", "[]", "nonsense", "{\"format_version\": 1,", "\u{0}", "null", "{\"a\": \"\\"] {
            assert!(complaint(garbage).contains("w.json:"), "{garbage}");
        }
    }

    #[test]
    fn what_types_cannot_tell_is_checked_too() {
        let with = |more: &str| format!("{{\"format_version\": 1, \"id\": \"w\", \"now\": \"2026-11-05T09:00:00Z\", {more}}}");
        for (more, place) in [
            ("\"faults\": [{\"call\": \"rds:Nothing\", \"fault\": {\"kind\": \"reply_lost\"}}]", "faults[0].call"),
            ("\"chaos\": {\"throttle\": 1.5}", "chaos.throttle"),
            ("\"aws\": {\"default_account\": \"1\"}", "aws.default_account"),
            (
                "\"cloudflare\": {\"zones\": {\"z\": {\"name\": \"a.org\", \"records\": {\"r\": {\"name\": \"a.org\", \"type\": \"A\", \"content\": \"x\"}}}}}",
                "cloudflare.zones.z.records.r.content",
            ),
            (
                "\"cloudflare\": {\"zones\": {\"z\": {\"name\": \"a.org\", \"records\": {\"r\": {\"name\": \"b.org\", \"type\": \"TXT\", \"content\": \"x\"}}}}}",
                "records.r.name",
            ),
        ] {
            let complaint = complaint(&with(more));
            assert!(complaint.contains(place), "{complaint}");
        }
        assert!(complaint(&with("\"id\": \"again\"")).contains("duplicate field"));
        assert!(complaint("{\"format_version\": 9, \"id\": \"w\", \"now\": \"2026-11-05T09:00:00Z\"}").contains("version 9"));
        assert!(complaint("{\"format_version\": 1, \"id\": \"live\", \"now\": \"2026-11-05T09:00:00Z\"}").contains("live"));
    }
}
