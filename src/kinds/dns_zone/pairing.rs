//! The heart of the comparison: what is there under one name and what shall be there, as the smallest set of changes.

use std::borrow::Cow;
use std::sync::Arc;

use super::desired::Set;
use super::diff::Few;
use crate::model::record::RecordType;
use crate::world::dns::{NewRecord, Patch, Record};

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// It is removed.
    Delete(Arc<Record>),
    /// It is changed and keeps its id.
    Patch {
        /// As it is.
        before: Arc<Record>,
        /// What changes.
        patch: Revision,
    },
    /// It is made.
    Post(Box<NewRecord>),
}

/// What becomes of a record that keeps its id and its name: a [`Patch`] without what it shares with the record, of which a large zone has many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its content, from now on.
    pub content: String,
    /// Its type, from now on.
    pub rtype: &'static str,
    /// Its TTL, from now on; none where it stays.
    pub ttl: Option<u32>,
    /// Proxied or not, from now on; none where it stays.
    pub proxied: Option<bool>,
    /// Its comment, from now on; none where it stays.
    pub comment: Option<String>,
    /// All its tags, from now on; none where they stay.
    pub tags: Option<Vec<String>>,
}

impl Revision {
    /// The whole patch of this record.
    pub fn patch(&self, before: &Record) -> Patch {
        Patch {
            id: before.id.clone(),
            name: before.name.clone(),
            rtype: self.rtype.to_owned(),
            content: self.content.clone(),
            ttl: self.ttl,
            proxied: self.proxied,
            comment: self.comment.clone(),
            tags: self.tags.clone(),
        }
    }
}

/// All changes under one name, of which there is at least one; deletes, patches and posts in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameChange {
    /// What changes.
    pub items: Few<Item>,
}

impl NameChange {
    /// The name.
    pub fn name(&self) -> &str {
        self.items.first().map_or("", Item::name)
    }
}

/// A declared set with its answers, Elastic IPs looked up.
pub(super) struct Wanted<'a> {
    /// What was declared.
    pub set: &'a Set,
    /// What it must answer, sorted, without repetitions.
    pub contents: Cow<'a, [String]>,
}

/// An answer that is missing.
struct Missing<'a> {
    set: &'a Set,
    content: &'a str,
}

/// The changes under one name. `present` are the records there that may be touched; `surplus` those of them that nobody declared and
/// that shall go.
pub(super) fn changes(name: &str, wanted: &[Wanted<'_>], present: &[&Arc<Record>], surplus: &[&Arc<Record>]) -> Option<NameChange> {
    let (mut patches, mut unwanted, mut missing) = (Few::new(), Few::new(), Few::new());
    for Wanted { set, contents } in wanted {
        let of_set = present.iter().copied().filter(|record| record.rtype == set.rtype.word());
        // The service refuses identical records, but should there be two, one is enough.
        let mut kept: Few<&str> = Few::new();
        let mut gone: Few<&Arc<Record>> = Few::new();
        for record in of_set {
            if contents.binary_search(&record.content).is_ok() && !kept.contains(&record.content.as_str()) {
                kept.push(&record.content);
                patches.extend(patch(record, set, &record.content));
            } else {
                gone.push(record);
            }
        }
        let mut new = contents.iter().filter(|content| !kept.contains(&content.as_str()));
        let mut gone = gone.into_iter();
        loop {
            match (gone.next(), new.next()) {
                (Some(record), Some(content)) => patches.extend(patch(record, set, content)),
                (Some(record), None) => unwanted.push(record),
                (None, Some(content)) => missing.push(Missing { set, content }),
                (None, None) => break,
            }
        }
    }
    unwanted.extend(surplus.iter().copied());
    across_types(&mut unwanted, &mut missing, &mut patches);
    let items: Few<Item> = unwanted
        .into_iter()
        .map(|record| Item::Delete(Arc::clone(record)))
        .chain(patches)
        .chain(missing.into_iter().map(|missing| Item::Post(Box::new(new_record(name, &missing)))))
        .collect();
    (!items.is_empty()).then_some(NameChange { items })
}

/// A, AAAA and CNAME of one name turn into one another by patch, so that the name never lacks an answer and keeps its id.
fn across_types<'a>(unwanted: &mut Few<&'a Arc<Record>>, missing: &mut Few<Missing<'_>>, patches: &mut Few<Item>) {
    if unwanted.is_empty() {
        return;
    }
    let convertible = |record: &&Arc<Record>| record.rtype.parse::<RecordType>().is_ok_and(RecordType::can_be_proxied);
    let (mut from, rest): (Few<&'a Arc<Record>>, Few<_>) = unwanted.drain(..).partition(convertible);
    from.reverse();
    let mut left = Few::new();
    for wanted in missing.drain(..) {
        match if wanted.set.rtype.can_be_proxied() { from.pop() } else { None } {
            Some(record) => patches.extend(patch(record, wanted.set, wanted.content)),
            None => left.push(wanted),
        }
    }
    from.reverse();
    *unwanted = from;
    unwanted.extend(rest);
    *missing = left;
}

/// The patch that makes `record` what the set says, with `content`; none when it is that already.
fn patch(record: &Arc<Record>, set: &Set, content: &str) -> Option<Item> {
    let proxied_after = set.proxied.unwrap_or(record.proxied);
    // The TTL of a proxied record is always automatic, whatever was declared for when it is not proxied.
    let ttl = if proxied_after { set.ttl.map(|_| 1) } else { set.ttl };
    let ttl = ttl.filter(|ttl| *ttl != record.ttl);
    let proxied = set.proxied.filter(|proxied| *proxied != record.proxied);
    let comment = set.comment.as_ref().filter(|comment| *comment != record.comment.as_deref().unwrap_or(""));
    let tags = set.tags.as_ref().filter(|tags| {
        let mut before: Vec<&String> = record.tags.iter().collect();
        before.sort_unstable();
        !tags.iter().eq(before)
    });
    // Nearly all records of nearly all zones are what they must be.
    if set.rtype.word() == record.rtype && content == record.content && ttl.is_none() && proxied.is_none() && comment.is_none() && tags.is_none() {
        return None;
    }
    let patch = Revision { content: content.to_owned(), rtype: set.rtype.word(), ttl, proxied, comment: comment.cloned(), tags: tags.cloned() };
    Some(Item::Patch { before: Arc::clone(record), patch })
}

fn new_record(name: &str, Missing { set, content }: &Missing<'_>) -> NewRecord {
    let proxied = set.proxied.unwrap_or(false);
    NewRecord {
        name: name.to_owned(),
        rtype: set.rtype.word().to_owned(),
        content: (*content).to_owned(),
        ttl: if proxied { 1 } else { set.ttl.unwrap_or(1) },
        proxied,
        comment: set.comment.clone().filter(|comment| !comment.is_empty()),
        tags: set.tags.clone().unwrap_or_default(),
    }
}

impl Item {
    /// The record's name.
    pub(super) fn name(&self) -> &str {
        match self {
            Item::Delete(before) | Item::Patch { before, .. } => &before.name,
            Item::Post(record) => &record.name,
        }
    }

    /// The types whose answers change with it, or their TTL, or whether they are proxied.
    pub(super) fn changed_types(&self) -> impl Iterator<Item = &str> {
        let types = match self {
            Item::Delete(before) => [Some(before.rtype.as_str()), None],
            Item::Post(record) => [Some(record.rtype.as_str()), None],
            Item::Patch { before, patch } if self.taken().is_some() || patch.ttl.is_some() || patch.proxied.is_some() => {
                [Some(before.rtype.as_str()), (before.rtype != patch.rtype).then_some(patch.rtype)]
            }
            Item::Patch { .. } => [None, None],
        };
        types.into_iter().flatten()
    }

    /// The answer that its name loses, if it loses one.
    pub(super) fn given(&self) -> Option<&str> {
        match self {
            Item::Delete(before) => Some(&before.content),
            Item::Patch { before, patch } if before.content != patch.content || before.rtype != patch.rtype => Some(&before.content),
            _ => None,
        }
    }

    /// The answer that its name gets, if it gets one.
    pub(super) fn taken(&self) -> Option<&str> {
        match self {
            Item::Patch { before, patch } if before.content != patch.content || before.rtype != patch.rtype => Some(&patch.content),
            Item::Post(record) => Some(&record.content),
            _ => None,
        }
    }

    /// How long resolvers may keep the old answer, in seconds; automatic is five minutes.
    pub(super) fn old_ttl(&self) -> Option<u32> {
        match self {
            Item::Delete(before) | Item::Patch { before, .. } => self.given().map(|_| if before.ttl == 1 { 300 } else { before.ttl }),
            Item::Post(_) => None,
        }
    }
}
