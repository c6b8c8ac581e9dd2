//! Cloudflare's DNS, simulated: zones and records, one transaction a batch, and a short memory of changes from which name
//! servers that are behind still answer.

mod batch;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::core::Core;
use super::state::{State, is_default};
use crate::model::time::{self, Timestamp};
use crate::world::CallResult;
use crate::world::dns::{Batch, DnsRead, DnsWrite, Record, Zone};

/// All zones that the token sees.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cloudflare {
    /// By zone id.
    #[serde(default)]
    pub zones: BTreeMap<String, SimZone>,
}

/// What a zone's owner pays for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "each is Cloudflare's plan of that name")]
pub enum ZonePlan {
    #[default]
    Free,
    Pro,
    Business,
    Enterprise,
}

impl ZonePlan {
    fn max_batch(self) -> usize {
        if self == ZonePlan::Free { 200 } else { 3_500 }
    }
}

/// One zone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimZone {
    /// Changes that some name server may not have taken over yet, by name, oldest first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, Vec<Change>>,
    /// What readers of the API do not see yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<LateChanges>,
    /// Canonical name.
    pub name: String,
    /// Host names of its authoritative servers.
    #[serde(default)]
    pub name_servers: Vec<String>,
    /// Limits a batch.
    #[serde(default)]
    pub plan: ZonePlan,
    /// By record id.
    #[serde(default)]
    pub records: BTreeMap<String, SimRecord>,
    /// Record ids by [`key`].
    #[serde(skip)]
    index: BTreeMap<String, BTreeSet<String>>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimRecord {
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// In canonical presentation form.
    pub content: String,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// Canonical name.
    pub name: String,
    /// Whether Cloudflare's proxy answers for it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub proxied: bool,
    /// `name:value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Seconds; 1 is automatic.
    #[serde(default = "automatic")]
    pub ttl: u32,
    /// `A`, `MX`, …
    #[serde(rename = "type")]
    pub rtype: String,
}

fn automatic() -> u32 {
    1
}

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What it is from then on; none when removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<SimRecord>,
    /// When.
    pub at: Timestamp,
    /// What it was; none when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<SimRecord>,
    /// Record id.
    pub id: String,
    /// Changes are counted.
    pub number: u64,
}

/// What readers of the API do not see yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateChanges {
    /// The first [`Change::number`] that is hidden.
    pub from: u64,
    /// Until when.
    pub until: Timestamp,
}

/// Whether `name` is the zone or below it.
pub(super) fn within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A name with its labels turned round, so that what is below a name follows it: `org.gigadb.files.`
fn key(name: &str) -> String {
    name.rsplit('.').fold(String::with_capacity(name.len() + 1), |mut key, label| {
        key.push_str(label);
        key.push('.');
        key
    })
}

impl SimZone {
    /// Makes the index of names anew.
    pub(super) fn build_index(&mut self) {
        self.index = BTreeMap::new();
        for (id, record) in &self.records {
            self.index.entry(key(&record.name)).or_default().insert(id.clone());
        }
    }

    /// Puts, changes or takes away one record; gives what was there.
    fn set(&mut self, id: &str, record: Option<SimRecord>) -> Option<SimRecord> {
        if let Some(record) = &record {
            self.index.entry(key(&record.name)).or_default().insert(id.to_owned());
        }
        let name = record.as_ref().map(|record| record.name.clone());
        let old = match record {
            Some(record) => self.records.insert(id.to_owned(), record),
            None => self.records.remove(id),
        };
        if let Some(old) = old.as_ref().filter(|old| name.as_ref() != Some(&old.name)) {
            let entry = key(&old.name);
            if let Some(ids) = self.index.get_mut(&entry) {
                ids.remove(id);
                if ids.is_empty() {
                    self.index.remove(&entry);
                }
            }
        }
        old
    }

    /// The records of a name.
    fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a String, &'a SimRecord)> + use<'a> {
        self.index.get(&key(name)).into_iter().flatten().filter_map(|id| self.records.get_key_value(id))
    }

    /// The records of a name as a server has them that is `lag` behind.
    pub(super) fn named_at(&self, name: &str, now: Timestamp, lag: Duration) -> Vec<SimRecord> {
        let mut records: BTreeMap<&str, &SimRecord> = self.named(name).map(|(id, record)| (id.as_str(), record)).collect();
        for change in self.changes.get(name).into_iter().flatten().rev().filter(|change| time::after(change.at, lag) > now) {
            records.remove(change.id.as_str());
            if let Some(before) = change.before.as_ref().filter(|before| before.name == name) {
                records.insert(&change.id, before);
            }
        }
        records.into_values().cloned().collect()
    }

    /// Whether there is the name, or anything below it, for a server that is `lag` behind.
    pub(super) fn exists_at(&self, name: &str, now: Timestamp, lag: Duration) -> bool {
        let start = key(name);
        let below = self.index.range(start.clone()..).take_while(|(entry, _)| entry.starts_with(&start));
        let indexed = below.filter_map(|(_, ids)| ids.first()).filter_map(|id| self.records.get(id)).map(|record| record.name.as_str());
        let changed = self.changes.keys().map(String::as_str).filter(|other| within(other, name));
        indexed.chain(changed).any(|other| !self.named_at(other, now, lag).is_empty())
    }

    /// All records as readers of the API see them.
    fn visible(&self, now: Timestamp) -> Vec<Record> {
        let late = self.late.as_ref().filter(|late| late.until > now);
        let Some(late) = late else {
            return self.records.iter().map(|(id, record)| record.seen(id)).collect();
        };
        let mut records: BTreeMap<&str, &SimRecord> = self.records.iter().map(|(id, record)| (id.as_str(), record)).collect();
        let hidden: BTreeMap<u64, &Change> =
            self.changes.values().flatten().filter(|change| change.number >= late.from).map(|change| (change.number, change)).collect();
        for change in hidden.into_values().rev() {
            match &change.before {
                Some(before) => records.insert(&change.id, before),
                None => records.remove(change.id.as_str()),
            };
        }
        records.into_iter().map(|(id, record)| record.seen(id)).collect()
    }

    /// The same without changes that every server has taken over; none when there are no such changes.
    fn tidied(&self, now: Timestamp, longest_lag: Duration) -> Option<SimZone> {
        let until = self.late.as_ref().map_or(Timestamp::MIN, |late| late.until);
        let over = |change: &Change| time::after(change.at, longest_lag) <= now && until <= now;
        let late_over = self.late.is_some() && until <= now;
        if !late_over && !self.changes.values().flatten().any(over) {
            return None;
        }
        let mut tidy = self.clone();
        tidy.late = tidy.late.filter(|_| !late_over);
        tidy.changes.retain(|_, changes| {
            changes.retain(|change| !over(change));
            !changes.is_empty()
        });
        Some(tidy)
    }
}

impl SimRecord {
    fn seen(&self, id: &str) -> Record {
        Record {
            id: id.to_owned(),
            name: self.name.clone(),
            rtype: self.rtype.clone(),
            content: self.content.clone(),
            ttl: self.ttl,
            proxied: self.proxied,
            comment: self.comment.clone(),
            tags: self.tags.clone(),
        }
    }
}

impl State {
    /// The same without what no longer matters; none when all of it does.
    pub(super) fn tidied(&self) -> Option<State> {
        let lag = Duration::from_secs(self.dns.longest_lag());
        let tidy: Vec<(&String, SimZone)> = self.cloudflare.zones.iter().filter_map(|(id, zone)| Some((id, zone.tidied(self.now, lag)?))).collect();
        if tidy.is_empty() {
            return None;
        }
        let mut state = self.clone();
        for (id, zone) in tidy {
            state.cloudflare.zones.insert(id.clone(), zone);
        }
        Some(state)
    }
}

/// The door.
pub(super) struct DnsDoor(pub(super) Arc<Core>);

#[async_trait]
impl DnsRead for DnsDoor {
    async fn zone(&self, name: &str) -> CallResult<Option<Zone>> {
        let find = |work: &mut super::core::Work<'_>| {
            let found = work.state.cloudflare.zones.iter().find(|(_, zone)| zone.name == name);
            Ok(found.map(|(id, zone)| Zone { id: id.clone(), name: zone.name.clone(), name_servers: zone.name_servers.clone() }))
        };
        self.0.call("cloudflare:zones", name.to_owned(), false, find).await
    }

    async fn records(&self, zone_id: &str) -> CallResult<Vec<Record>> {
        let list = |work: &mut super::core::Work<'_>| match work.state.cloudflare.zones.get(zone_id) {
            Some(zone) => Ok(zone.visible(work.now())),
            None => Err(batch::unknown_zone(work)),
        };
        self.0.call("cloudflare:records", zone_id.to_owned(), false, list).await
    }
}

#[async_trait]
impl DnsWrite for DnsDoor {
    async fn batch(&self, zone_id: &str, batch: &Batch) -> CallResult<()> {
        self.0.call("cloudflare:batch", zone_id.to_owned(), true, |work| batch::execute(work, zone_id, batch)).await
    }
}
