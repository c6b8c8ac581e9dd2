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
        patch: Patch,
    },
    /// It is made.
    Post(NewRecord),
}

/// All changes under one name; deletes, patches and posts in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameChange {
    /// The name.
    pub name: String,
    /// What changes.
    pub items: Vec<Item>,
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
    let (mut patches, mut unwanted, mut missing) = (Vec::new(), Vec::new(), Vec::new());
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
    unwanted.extend(surplus);
    across_types(&mut unwanted, &mut missing, &mut patches);
    let items: Vec<Item> = unwanted
        .into_iter()
        .map(|record| Item::Delete(Arc::clone(record)))
        .chain(patches)
        .chain(missing.into_iter().map(|missing| Item::Post(new_record(name, &missing))))
        .collect();
    (!items.is_empty()).then(|| NameChange { name: name.to_owned(), items })
}

/// A, AAAA and CNAME of one name turn into one another by patch, so that the name never lacks an answer and keeps its id.
fn across_types<'a>(unwanted: &mut Vec<&'a Arc<Record>>, missing: &mut Vec<Missing<'_>>, patches: &mut Vec<Item>) {
    let convertible = |record: &&Arc<Record>| record.rtype.parse::<RecordType>().is_ok_and(RecordType::can_be_proxied);
    let (mut from, rest): (Vec<&'a Arc<Record>>, Vec<_>) = unwanted.drain(..).partition(convertible);
    from.reverse();
    let mut left = Vec::new();
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
    let patch = Patch {
        id: record.id.clone(),
        name: record.name.clone(),
        rtype: set.rtype.word().to_owned(),
        content: content.to_owned(),
        ttl,
        proxied,
        comment: comment.cloned(),
        tags: tags.cloned(),
    };
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
