//! From changes to batches: what one call changes, what it was before, and so the way back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::pairing::{Item, NameChange};
use crate::world::dns::{NewRecord, Patch, Record};

/// A record to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Its id; none for a record that an earlier batch made, whose id nobody could know when this was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// Its content.
    pub content: String,
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

/// A batch and its inverse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// What is changed.
    pub forward: Changes,
    /// What brings the records back to what was observed.
    pub back: Changes,
    /// Ids of the records that are changed or removed, with name, type and content as observed.
    pub observed: Vec<Record>,
}

impl Changes {
    /// How many records it changes.
    pub fn count(&self) -> usize {
        self.deletes.len() + self.patches.len() + self.posts.len()
    }

    /// Names of the records, and the values of their tags, sorted.
    pub fn writes(&self) -> Vec<String> {
        let names = self.deletes.iter().map(|removal| &removal.name);
        let names = names.chain(self.patches.iter().map(|change| &change.to.name)).chain(self.posts.iter().map(|record| &record.name));
        let all: BTreeSet<&String> = names.chain(&self.tag_values).collect();
        all.into_iter().cloned().collect()
    }
}

impl Chunk {
    fn add(&mut self, item: &Item) {
        match item {
            Item::Delete(before) => {
                self.forward.deletes.push(Removal { id: Some(before.id.clone()), ..removal(&before.name, &before.rtype, &before.content) });
                self.back.posts.push(as_new(before));
                self.observed.push(before.clone());
            }
            Item::Patch { before, patch } => {
                let from = inverse(before, patch);
                self.back.patches.push(Alteration { from: patch.clone(), to: from.clone() });
                self.forward.patches.push(Alteration { from, to: patch.clone() });
                self.observed.push(before.clone());
            }
            Item::Post(record) => {
                self.back.deletes.push(removal(&record.name, &record.rtype, &record.content));
                self.forward.posts.push(record.clone());
            }
        }
    }

    fn finish(&mut self) {
        let mut tags: BTreeSet<&str> = self.observed.iter().flat_map(|record| &record.tags).map(String::as_str).collect();
        tags.extend(self.forward.posts.iter().flat_map(|record| &record.tags).map(String::as_str));
        tags.extend(self.forward.patches.iter().flat_map(|change| change.to.tags.iter().flatten()).map(String::as_str));
        let values: BTreeSet<&str> = tags.into_iter().filter_map(|tag| tag.split_once(':')).map(|(_, value)| value).collect();
        let values: Vec<String> = values.into_iter().filter(|value| !value.is_empty()).map(str::to_owned).collect();
        self.forward.tag_values.clone_from(&values);
        self.back.tag_values = values;
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
fn inverse(before: &Record, patch: &Patch) -> Patch {
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
pub(super) fn chunks(names: &[NameChange], most: usize) -> Vec<Chunk> {
    let most = most.max(1);
    let (mut chunks, mut chunk) = (Vec::new(), Chunk::default());
    for name in names {
        if chunk.forward.count() > 0 && chunk.forward.count() + name.items.len() > most {
            chunks.push(std::mem::take(&mut chunk));
        }
        for item in &name.items {
            if chunk.forward.count() == most {
                chunks.push(std::mem::take(&mut chunk));
            }
            chunk.add(item);
        }
    }
    if chunk.forward.count() > 0 {
        chunks.push(chunk);
    }
    chunks.iter_mut().for_each(Chunk::finish);
    chunks
}
