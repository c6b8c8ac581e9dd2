//! What a plan for a zone relies on, and how each is read again: the same functions give the plan's value and the later one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::addresses::AddressBook;
use super::check::excludes_cname;
use super::rows::record_line;
use crate::apply::Cx;
use crate::model::{Data, Json};
use crate::world::dns::Record;
use crate::world::{CallError, CallResult, Failure};

/// How a fact is read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Read {
    /// Type, name and content of records by their ids.
    Records {
        /// The Cloudflare provider.
        provider: String,
        /// The zone's id.
        zone_id: String,
        /// Which records.
        ids: BTreeSet<String>,
    },
    /// Whether the names of new records are free for them.
    Free {
        /// The Cloudflare provider.
        provider: String,
        /// The zone's id.
        zone_id: String,
        /// For whom.
        places: Places,
    },
    /// Addresses behind Elastic IPs.
    ElasticIps {
        /// The AWS provider.
        provider: String,
        /// Their `Name` tags.
        names: BTreeSet<String>,
    },
}

/// Where records shall be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// The zone's name: its own records follow other rules.
    pub zone: String,
    /// Types to be made, by name.
    pub sets: BTreeMap<String, BTreeSet<String>>,
    /// Ids of records that the plan knows of there: kept, changed or removed by it.
    pub known: BTreeSet<String>,
    /// Records that earlier batches of the plan make there, whose ids nobody can know yet: type, name and content.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub made: BTreeSet<String>,
}

/// Records by id as the plan holds them: one line each, null for one that is not there.
pub(super) fn records_by_id<'i, 'r>(
    ids: impl Iterator<Item = &'i String>,
    records: impl IntoIterator<Item = &'r Record>,
) -> BTreeMap<&'i str, Option<String>> {
    let mut found: BTreeMap<&str, Option<String>> = ids.map(|id| (id.as_str(), None)).collect();
    for record in records {
        if let Some(line) = found.get_mut(record.id.as_str()) {
            *line = Some(record_line(record));
        }
    }
    found
}

/// What stands in the way of new records, by type and name: `free`, or lines of records that the plan does not know.
pub(super) fn free<'r>(places: &Places, records: impl IntoIterator<Item = &'r Record>) -> BTreeMap<String, Json> {
    let known: HashSet<&str> = places.known.iter().map(String::as_str).collect();
    let mut present: HashMap<&str, Vec<&Record>> = HashMap::new();
    let known = |record: &Record| known.contains(record.id.as_str()) || (!places.made.is_empty() && places.made.contains(&record_line(record)));
    for record in records.into_iter().filter(|record| places.sets.contains_key(&record.name) && !known(record)) {
        present.entry(&record.name).or_default().push(record);
    }
    let mut found = BTreeMap::new();
    for (name, types) in &places.sets {
        let here = present.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        for rtype in types {
            let apex = *name == places.zone;
            let excluded = |record: &Record| {
                (rtype == "CNAME" && excludes_cname(&record.rtype, apex)) || (record.rtype == "CNAME" && excludes_cname(rtype, apex))
            };
            let mut lines: Vec<String> =
                here.iter().filter(|record| record.rtype == *rtype || excluded(record)).map(|record| record_line(record)).collect();
            lines.sort();
            found.insert(format!("{rtype} {name}"), if lines.is_empty() { Json::from("free") } else { Json::from(lines) });
        }
    }
    found
}

/// Addresses by name: what stands behind each, or words that say why there is not exactly one.
pub(super) fn elastic_ips(names: &BTreeSet<String>, book: &AddressBook) -> BTreeMap<String, String> {
    names.iter().map(|name| (name.clone(), book.only(name).unwrap_or_else(|found| found))).collect()
}

/// A map as data.
fn data<T: Serialize>(value: &T) -> CallResult<Data> {
    Data::of(value).map_err(|error| CallError::new("plan", Failure::Refused, error.to_string()))
}

/// Reads a fact again.
pub(super) async fn read(read: &Data, cx: &Cx<'_>) -> CallResult<Data> {
    let read: Read =
        read.decode().map_err(|error| CallError::new("plan", Failure::Refused, format!("a fact of the plan cannot be read: {error}")))?;
    match read {
        Read::Records { provider, zone_id, ids } => {
            let records = cx.readers.dns(cx.cloudflare(&provider)?).await?.records(&zone_id).await?;
            data(&records_by_id(ids.iter(), &records))
        }
        Read::Free { provider, zone_id, places } => {
            let records = cx.readers.dns(cx.cloudflare(&provider)?).await?.records(&zone_id).await?;
            data(&free(&places, &records))
        }
        Read::ElasticIps { provider, names } => {
            let book = AddressBook::read(cx.readers, cx.aws(&provider)?).await?;
            data(&elastic_ips(&names, &book))
        }
    }
}
