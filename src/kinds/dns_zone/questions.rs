//! What the name servers are asked after the switch, and what they must answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::diff::{Few, ZoneDetail};
use super::pairing::Item;
use crate::world::dns::Record;

/// One question, put to every server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The whole set that must be answered, sorted; none when any answer will do, since Cloudflare answers with addresses of its own.
    pub contents: Option<Vec<String>>,
    /// The name.
    pub name: String,
    /// The type that is asked for.
    #[serde(rename = "type")]
    pub rtype: String,
}

/// One question, in words of the zone: most plans are only looked at, and need to know no more than how many there are.
pub(super) struct Asked<'a> {
    contents: Option<Few<&'a str>>,
    name: &'a str,
    rtype: &'a str,
}

impl From<Asked<'_>> for Question {
    fn from(asked: Asked<'_>) -> Self {
        let contents = asked.contents.map(|contents| contents.into_iter().map(str::to_owned).collect());
        Question { contents, name: asked.name.to_owned(), rtype: asked.rtype.to_owned() }
    }
}

/// A record as it will be, as far as answers go.
struct After<'a> {
    rtype: &'a str,
    content: &'a str,
    proxied: bool,
}

/// The questions, and the sets that cannot be asked for (with why).
pub(super) fn questions<'a>(
    zone: &str,
    detail: &'a ZoneDetail,
    changed: &[(&'a str, &'a str)],
    records: &'a [Arc<Record>],
) -> (Vec<Asked<'a>>, Vec<String>) {
    let after = after(detail, records);
    let wildcards: HashSet<&str> = after.keys().filter_map(|name| name.strip_prefix("*.")).collect();
    let cuts: HashSet<&str> =
        after.iter().filter(|(name, here)| **name != zone && here.iter().any(|record| record.rtype == "NS")).map(|(name, _)| *name).collect();
    let (mut questions, mut unasked, mut proxies) = (Vec::with_capacity(changed.len()), Vec::new(), HashSet::new());
    for &(name, rtype) in changed {
        let here = after.get(name).map_or(&[][..], Few::as_slice);
        if let Some(cut) = ancestors(name).find(|ancestor| cuts.contains(ancestor)).filter(|cut| *cut != name || rtype != "DS") {
            unasked.push(format!("{rtype} {name}: delegated at {cut}, so the zone's servers only refer to others"));
            continue;
        }
        let mut contents: Few<&str> = here.iter().filter(|record| record.rtype == rtype).map(|record| record.content).collect();
        contents.sort_unstable();
        contents.dedup();
        if rtype == "CNAME" && name == zone && !contents.is_empty() {
            unasked.push(format!("{rtype} {name}: Cloudflare answers with the target's own addresses"));
            continue;
        }
        // One proxied record is enough: the proxy answers for the whole name, in both families.
        let proxied = here.iter().any(|record| record.proxied) && matches!(rtype, "A" | "AAAA" | "CNAME");
        if contents.is_empty() {
            let answered_otherwise =
                here.iter().any(|record| record.proxied || record.rtype == "CNAME") || (here.is_empty() && covered(name, &wildcards));
            if answered_otherwise {
                continue;
            }
        }
        let question = if proxied && !contents.is_empty() {
            let family = if rtype == "CNAME" { "A" } else { rtype };
            // A proxied CNAME and a proxied A ask the same.
            if !proxies.insert((name, family)) {
                continue;
            }
            Asked { name, rtype: family, contents: None }
        } else {
            Asked { name, rtype, contents: Some(contents) }
        };
        questions.push(question);
    }
    (questions, unasked)
}

/// The zone as it will be, by name.
fn after<'a>(detail: &'a ZoneDetail, records: &'a [Arc<Record>]) -> HashMap<&'a str, Few<After<'a>>> {
    let mut touched: HashMap<&str, Option<After<'_>>> = HashMap::with_capacity(detail.names.len());
    let mut by_name: HashMap<&str, Few<After<'_>>> = HashMap::with_capacity(records.len());
    for item in detail.names.iter().flat_map(|name| &name.items) {
        match item {
            Item::Delete(before) => {
                touched.insert(&before.id, None);
            }
            Item::Patch { before, patch } => {
                let proxied = patch.proxied.unwrap_or(before.proxied);
                touched.insert(&before.id, Some(After { rtype: patch.rtype, content: &patch.content, proxied }));
            }
            Item::Post(record) => {
                by_name.entry(&record.name).or_default().push(After { rtype: &record.rtype, content: &record.content, proxied: record.proxied });
            }
        }
    }
    for record in records {
        let as_it_is = || Some(After { rtype: &record.rtype, content: &record.content, proxied: record.proxied });
        if let Some(after) = touched.remove(record.id.as_str()).unwrap_or_else(as_it_is) {
            by_name.entry(&record.name).or_default().push(after);
        }
    }
    by_name
}

/// A name and all names above it.
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, above)| above))
}

/// Whether a wildcard may answer for a name that has no records of its own.
fn covered(name: &str, wildcards: &HashSet<&str>) -> bool {
    ancestors(name).skip(1).any(|above| wildcards.contains(above))
}
