//! Which objects a call or the clock changed, so that only those go to the log.

use std::collections::BTreeSet;

use super::state::State;
use crate::model::Json;

/// An object that changed, by its place in the world file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// Account, region, `DbiResourceId`.
    Instance(String, String, String),
    /// Account, region, name.
    Snapshot(String, String, String),
    /// Zone id, record id.
    Record(String, String),
    /// Zone id, name.
    Changes(String, String),
    /// Zone id: what readers see late.
    ZoneLate(String),
    /// Its place in the list.
    Message(usize),
    /// Its place in the list.
    Fault(usize),
    /// All counters.
    Counters,
}

/// Objects that changed since the last line of the log.
pub type Dirty = BTreeSet<Touched>;

impl Touched {
    /// Its place as a JSON pointer.
    pub(super) fn pointer(&self) -> String {
        match self {
            Touched::Instance(account, region, id) => pointer(&["aws", "accounts", account, "regions", region, "instances", id]),
            Touched::Snapshot(account, region, name) => pointer(&["aws", "accounts", account, "regions", region, "snapshots", name]),
            Touched::Record(zone, id) => pointer(&["cloudflare", "zones", zone, "records", id]),
            Touched::Changes(zone, name) => pointer(&["cloudflare", "zones", zone, "changes", name]),
            Touched::ZoneLate(zone) => pointer(&["cloudflare", "zones", zone, "late"]),
            Touched::Message(index) => format!("/slack/messages/{index}"),
            Touched::Fault(index) => format!("/faults/{index}"),
            Touched::Counters => "/counters".to_owned(),
        }
    }

    /// What it is now; null when it is not there any more.
    pub(super) fn value(&self, state: &State) -> Result<Json, serde_json::Error> {
        let region = |account: &str, region: &str| state.aws.accounts.get(account).and_then(|account| account.regions.get(region));
        let zone = |id: &str| state.cloudflare.zones.get(id);
        match self {
            Touched::Instance(a, r, id) => serde_json::to_value(region(a, r).and_then(|region| region.instances.get(id))),
            Touched::Snapshot(a, r, name) => serde_json::to_value(region(a, r).and_then(|region| region.snapshots.get(name))),
            Touched::Record(id, record) => serde_json::to_value(zone(id).and_then(|zone| zone.records.get(record))),
            Touched::Changes(id, name) => serde_json::to_value(zone(id).and_then(|zone| zone.changes.get(name))),
            Touched::ZoneLate(id) => serde_json::to_value(zone(id).and_then(|zone| zone.late.as_ref())),
            Touched::Message(index) => serde_json::to_value(state.slack.messages.get(*index)),
            Touched::Fault(index) => serde_json::to_value(state.faults.get(*index)),
            Touched::Counters => serde_json::to_value(&state.counters),
        }
    }
}

fn pointer(parts: &[&str]) -> String {
    let mut pointer = String::new();
    for part in parts {
        pointer.push('/');
        pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

/// Puts `value` at `pointer`, or takes away what is there when it is null. Objects on the way are made.
///
/// # Errors
/// A fragment that says why there is no such place.
pub(super) fn put(root: &mut Json, pointer: &str, value: Json) -> Result<(), String> {
    let bad = || format!("there is no place {pointer}");
    let mut parts: Vec<String> = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let last = parts.pop().ok_or_else(bad)?;
    let mut place = root;
    for part in &parts {
        place = match place {
            Json::Object(entries) => {
                let fresh = if part == "messages" { Json::Array(Vec::new()) } else { Json::Object(serde_json::Map::new()) };
                entries.entry(part.as_str()).or_insert(fresh)
            }
            Json::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get_mut(index)).ok_or_else(bad)?,
            _ => return Err(bad()),
        };
    }
    match place {
        Json::Object(entries) if value.is_null() => {
            entries.remove(&last);
        }
        Json::Object(entries) => {
            entries.insert(last, value);
        }
        Json::Array(items) => match last.parse::<usize>() {
            Ok(index) if index < items.len() => items[index] = value,
            Ok(index) if index == items.len() => items.push(value),
            _ => return Err(bad()),
        },
        _ => return Err(bad()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_made_changed_and_taken_away() {
        let mut root = json!({"a": {"x/y": 1}});
        put(&mut root, "/a/x~1y", json!(2)).unwrap();
        put(&mut root, "/b/c", json!(3)).unwrap();
        put(&mut root, "/slack/messages/0", json!("m")).unwrap();
        assert_eq!(root, json!({"a": {"x/y": 2}, "b": {"c": 3}, "slack": {"messages": ["m"]}}));
        put(&mut root, "/a/x~1y", Json::Null).unwrap();
        assert_eq!(root["a"], json!({}));
        assert!(put(&mut root, "/slack/messages/7", json!("n")).is_err());
        assert!(put(&mut root, "", json!(1)).is_err());
    }
}
