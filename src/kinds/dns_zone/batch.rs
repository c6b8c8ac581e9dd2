//! From changes to batches: what one call changes, what it was before, and so the way back.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::diff::ZoneDetail;
use super::pairing::{Item, Revision};
use crate::world::dns::{NewRecord, Patch, Record};

/// A record to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Its content.
    pub content: String,
    /// Its id; none for a record that an earlier batch made, whose id nobody could know when this was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
}

/// A record to be changed: what it is and what it becomes. Both name the same attributes where both matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alteration {
    /// As it was observed, as far as it changes.
    pub from: Patch,
    /// What is sent.
    pub to: Patch,
}

/// What one batch changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Records that go.
    pub deletes: Vec<Removal>,
    /// Records that change and keep their ids.
    pub patches: Vec<Alteration>,
    /// Records that come.
    pub posts: Vec<NewRecord>,
    /// The values of the tags of all these records, sorted: names that the guard looks at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_values: Vec<String>,
}

/// What one batch changes: some of a plan's items, one after the other.
#[derive(Debug, Clone)]
pub struct Chunk {
    detail: Arc<ZoneDetail>,
    /// Where the first item stands: its name, and its place there.
    first: (usize, usize),
    /// How many there are.
    count: usize,
}

impl Changes {
    /// Names of the records, and the values of their tags, sorted.
    pub fn writes(&self) -> Vec<String> {
        let names = self.deletes.iter().map(|removal| &removal.name);
        let names = names.chain(self.patches.iter().map(|change| &change.to.name)).chain(self.posts.iter().map(|record| &record.name));
        let all: BTreeSet<&String> = names.chain(&self.tag_values).collect();
        all.into_iter().cloned().collect()
    }
}

impl Chunk {
    /// How many records it changes.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What it changes.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        let (name, item) = self.first;
        self.detail.names[name..].iter().flat_map(|name| &name.items).skip(item).take(self.count)
    }

    /// "7 changed, 1 added".
    pub fn counts(&self) -> String {
        let (mut changed, mut added, mut removed) = (0, 0, 0);
        for item in self.items() {
            match item {
                Item::Patch { .. } => changed += 1,
                Item::Post(_) => added += 1,
                Item::Delete(_) => removed += 1,
            }
        }
        let counted = [(changed, "changed"), (added, "added"), (removed, "removed")];
        counted.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    }

    /// Names of the records, and the values of their tags, sorted.
    pub fn writes(&self) -> Vec<String> {
        let tags = self.tag_values();
        let mut all: Vec<&str> = self.items().map(Item::name).chain(tags.iter().map(String::as_str)).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().map(str::to_owned).collect()
    }

    /// The records that are changed or removed, as observed.
    pub fn observed(&self) -> impl Iterator<Item = &Record> {
        self.items().filter_map(|item| if let Item::Delete(before) | Item::Patch { before, .. } = item { Some(&**before) } else { None })
    }

    /// The records that are made.
    pub fn posts(&self) -> impl Iterator<Item = &NewRecord> {
        self.items().filter_map(|item| if let Item::Post(record) = item { Some(&**record) } else { None })
    }

    /// Name and type of all records that it makes, or makes out of records of another type.
    pub fn new_sets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.items().filter_map(|item| match item {
            Item::Post(record) => Some((record.name.as_str(), record.rtype.as_str())),
            Item::Patch { before, patch } if before.rtype != patch.rtype => Some((before.name.as_str(), patch.rtype)),
            _ => None,
        })
    }

    /// What is changed. Made when it is needed and not kept: a large zone has many.
    pub fn forward(&self) -> Changes {
        let mut changes = Changes { tag_values: self.tag_values(), ..Changes::default() };
        for item in self.items() {
            match item {
                Item::Delete(before) => {
                    changes.deletes.push(Removal { id: Some(before.id.clone()), ..removal(&before.name, &before.rtype, &before.content) });
                }
                Item::Patch { before, patch } => changes.patches.push(Alteration { from: inverse(before, patch), to: patch.patch(before) }),
                Item::Post(record) => changes.posts.push((**record).clone()),
            }
        }
        changes
    }

    /// What brings the records back to what was observed: made out of what is changed.
    pub fn back(&self) -> Changes {
        let forward = self.forward();
        let mut changes = Changes { tag_values: forward.tag_values, ..Changes::default() };
        changes.patches = forward.patches.into_iter().map(|Alteration { from, to }| Alteration { from: to, to: from }).collect();
        for item in self.items() {
            match item {
                Item::Delete(before) => changes.posts.push(as_new(before)),
                Item::Patch { .. } => {}
                Item::Post(record) => changes.deletes.push(removal(&record.name, &record.rtype, &record.content)),
            }
        }
        changes
    }

    fn tag_values(&self) -> Vec<String> {
        let mut tags: BTreeSet<&str> = BTreeSet::new();
        for item in self.items() {
            match item {
                Item::Delete(before) => tags.extend(before.tags.iter().map(String::as_str)),
                Item::Patch { before, patch } => tags.extend(before.tags.iter().chain(patch.tags.iter().flatten()).map(String::as_str)),
                Item::Post(record) => tags.extend(record.tags.iter().map(String::as_str)),
            }
        }
        let values: BTreeSet<&str> = tags.into_iter().filter_map(|tag| tag.split_once(':')).map(|(_, value)| value).collect();
        values.into_iter().filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }
}

fn removal(name: &str, rtype: &str, content: &str) -> Removal {
    Removal { id: None, name: name.to_owned(), rtype: rtype.to_owned(), content: content.to_owned() }
}

fn as_new(record: &Record) -> NewRecord {
    NewRecord {
        name: record.name.clone(),
        rtype: record.rtype.clone(),
        content: record.content.clone(),
        ttl: record.ttl,
        proxied: record.proxied,
        comment: record.comment.clone(),
        tags: record.tags.clone(),
    }
}

/// The patch that undoes `patch`. Switching the proxy changes the TTL along with it, so both come back together.
fn inverse(before: &Record, patch: &Revision) -> Patch {
    let both = patch.ttl.is_some() || patch.proxied.is_some();
    Patch {
        id: before.id.clone(),
        name: before.name.clone(),
        rtype: before.rtype.clone(),
        content: before.content.clone(),
        ttl: both.then_some(before.ttl),
        proxied: both.then_some(before.proxied),
        comment: patch.comment.as_ref().map(|_| before.comment.clone().unwrap_or_default()),
        tags: patch.tags.as_ref().map(|_| before.tags.clone()),
    }
}

/// As few batches as `most` changes a call allow. All changes of one name stay together where they fit, so that no batch is invalid for
/// want of another; a name with more changes than that is cut in the order deletes, patches, posts.
pub(super) fn chunks(detail: &Arc<ZoneDetail>, most: usize) -> Vec<Chunk> {
    let most = most.max(1);
    let begun = |name, item| Chunk { detail: Arc::clone(detail), first: (name, item), count: 0 };
    let (mut chunks, mut chunk) = (Vec::new(), begun(0, 0));
    for (at, name) in detail.names.iter().enumerate() {
        if chunk.count > 0 && chunk.count + name.items.len() > most {
            chunks.push(std::mem::replace(&mut chunk, begun(at, 0)));
        }
        for item in 0..name.items.len() {
            if chunk.count == most {
                chunks.push(std::mem::replace(&mut chunk, begun(at, item)));
            }
            chunk.count += 1;
        }
    }
    if chunk.count > 0 {
        chunks.push(chunk);
    }
    chunks
}
