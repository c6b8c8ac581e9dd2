//! The rows that people read: `A gigadb.org` before → after.

use std::sync::Arc;

use super::addresses::Books;
use super::desired::Answers;
use super::diff::Few;
use super::pairing::{Item, NameChange, Wanted};
use crate::diff::AttributeChange;
use crate::model::Json;
use crate::world::dns::Record;

/// One record in one line.
pub(super) fn record_line(record: &Record) -> String {
    line(&record.rtype, &record.name, &record.content)
}

/// Type, name and answer in one line: how facts and messages show a record.
pub(super) fn line(rtype: &str, name: &str, content: &str) -> String {
    format!("{rtype} {name} {content}")
}

/// The first of many, and how many more there are.
pub(super) fn some(items: impl Iterator<Item = String>, count: usize, most: usize) -> String {
    let mut shown: Vec<String> = items.take(most).collect();
    if count > most {
        shown.push(format!("and {} more", count - most));
    }
    shown.join("; ")
}

/// One value as itself, several as a list, none as null.
fn json(values: &[&str]) -> Json {
    match values {
        [] => Json::Null,
        [one] => Json::from(*one),
        several => several.iter().copied().map(Json::from).collect(),
    }
}

/// The rows of one name: its answers by type, then what else changes of its records.
pub(super) fn of_name(rows: &mut Vec<AttributeChange>, change: &NameChange, sets: &[Wanted<'_>], here: &[&Arc<Record>], books: &Books) {
    let mut types: Few<&str> = sets.iter().map(|one| one.set.rtype.word()).collect();
    for item in &change.items {
        let rtype = if let Item::Delete(before) | Item::Patch { before, .. } = item { before.rtype.as_str() } else { continue };
        if !types.contains(&rtype) {
            types.push(rtype);
        }
    }
    for rtype in types {
        let wanted = sets.iter().find(|one| one.set.rtype.word() == rtype);
        let mut before: Few<&str> = here.iter().filter(|record| record.rtype == rtype).map(|record| record.content.as_str()).collect();
        before.sort_unstable();
        let after: Few<&str> = wanted.map_or_else(Few::new, |one| one.contents.iter().map(String::as_str).collect());
        if before != after {
            let name = [rtype, " ", change.name()].concat();
            rows.push(AttributeChange { name, before: json(&before), after: json(&after), note: note(rtype, change, wanted, books) });
        }
    }
    settings(rows, change);
}

/// A few words behind the answers of one type.
fn note(rtype: &str, change: &NameChange, wanted: Option<&Wanted<'_>>, books: &Books) -> Option<String> {
    if let Some(Wanted { set, contents }) = wanted
        && let Answers::ElasticIps { aws, names } = &set.answers
        && !contents.is_empty()
    {
        let region = books.get(aws).map_or("", |book| book.region.as_str());
        let word = if names.len() == 1 { "Elastic IP" } else { "Elastic IPs" };
        return Some(format!("{word} {} ({aws}, {region})", names.join(", ")));
    }
    let turned = change.items.iter().find_map(|item| match item {
        Item::Patch { before, patch } if before.rtype != patch.rtype && before.rtype == rtype => Some(format!("the record becomes {}", patch.rtype)),
        Item::Patch { before, patch } if before.rtype != patch.rtype && patch.rtype == rtype => Some(format!("the record was {}", before.rtype)),
        _ => None,
    });
    turned.or_else(|| wanted.is_none().then(|| "not declared; `answers` is \"all\"".to_owned()))
}

/// TTL, proxying, comment and tags of records that stay.
fn settings(rows: &mut Vec<AttributeChange>, change: &NameChange) {
    let mut add = |before: &Record, attribute: &str, from: Json, to: Json| {
        let name = [before.rtype.as_str(), " ", change.name(), " ", attribute].concat();
        // Several records of one set mostly change alike: one row says so.
        match rows.iter_mut().rev().take_while(|row| row.name.contains(change.name())).find(|row| row.name == name) {
            Some(row) if row.before == from && row.after == to => {}
            Some(row) => row.note = Some("differs between the records of the set".to_owned()),
            None => rows.push(AttributeChange { name, before: from, after: to, note: None }),
        }
    };
    for item in &change.items {
        let Item::Patch { before, patch } = item else { continue };
        if let Some(ttl) = patch.ttl {
            add(before, "ttl", before.ttl.into(), ttl.into());
        }
        if let Some(proxied) = patch.proxied {
            add(before, "proxied", before.proxied.into(), proxied.into());
        }
        if let Some(comment) = &patch.comment {
            add(before, "comment", before.comment.clone().map_or(Json::Null, Json::from), comment.as_str().into());
        }
        if let Some(tags) = &patch.tags {
            add(before, "tags", before.tags.clone().into(), tags.clone().into());
        }
    }
}
