//! Declared × observed: both sides in one shape, set by set.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;

use super::addresses::{Books, resolve};
use super::check::excludes_cname;
use super::desired::{Answers, Set, ZoneSpec};
use super::observe::ZoneObservation;
use super::pairing::{self, Item, NameChange, Wanted};
use super::rows;
use crate::diff::{Action, Change};
use crate::model::record::RecordType;
use crate::model::{Address, Error, Exit, Result};
use crate::world::dns::Record;

/// Records that one message or note shows.
const SHOWN_MAX: usize = 10;

/// What the planner needs besides the rows that people read.
#[derive(Debug, Clone)]
pub struct ZoneDetail {
    /// What changes, name by name, in the order of the file; undeclared names after them.
    pub names: Vec<NameChange>,
    /// Elastic IPs that the changed answers rely on: provider → name → address.
    pub elastic_ips: BTreeMap<String, BTreeMap<String, String>>,
    /// Name and type of every set of which an answer, its TTL or its proxying changes.
    pub changed: BTreeSet<(String, String)>,
    /// Records beside the changed ones in sets that are declared: known to be there when new ones come to them.
    pub kept: BTreeSet<String>,
}

/// What must happen to a zone.
pub(super) fn diff(address: &Address, observation: &ZoneObservation) -> Result<Change> {
    let spec = &observation.spec;
    let wanted = wanted(observation)?;
    let mut present: HashMap<&str, Vec<&Arc<Record>>> = HashMap::new();
    for record in observation.records.iter().filter(|record| may_be_touched(record, &spec.name)) {
        present.entry(&record.name).or_default().push(record);
    }
    // The service lists records in no order, and the same zone must give the same plan.
    for here in present.values_mut().filter(|here| here.len() > 1) {
        here.sort_unstable_by(|a, b| (&a.rtype, &a.content, &a.id).cmp(&(&b.rtype, &b.content, &b.id)));
    }
    let elastic =
        wanted.iter().filter(|one| matches!(one.set.answers, Answers::ElasticIps { .. })).flat_map(|one| one.contents.iter().cloned()).collect();
    let mut by_name: IndexMap<&str, Vec<Wanted<'_>>> = IndexMap::with_capacity(wanted.len());
    for one in wanted {
        by_name.entry(&one.set.name).or_default().push(one);
    }
    let (mut names, mut in_the_way) = (Vec::new(), Vec::new());
    for (name, sets) in &by_name {
        let here = present.get(name).map_or(&[][..], Vec::as_slice);
        let undeclared: Vec<&Arc<Record>> =
            here.iter().copied().filter(|record| sets.iter().all(|one| one.set.rtype.word() != record.rtype)).collect();
        let surplus = if spec.all { undeclared.as_slice() } else { &[] };
        if !spec.all {
            in_the_way.extend(undeclared.iter().map(|record| &***record).filter(|record| is_in_the_way(record, sets, &spec.name)));
        }
        names.extend(pairing::changes(name, sets, here, surplus));
    }
    refuse_in_the_way(spec, &in_the_way)?;
    if spec.all {
        let mut others: Vec<&str> = present.keys().copied().filter(|name| !by_name.contains_key(name)).collect();
        others.sort_unstable();
        names.extend(others.into_iter().filter_map(|name| pairing::changes(name, &[], &[], &present[name])));
    }
    let mut change = Change::none(address.clone());
    change.exchange.named = elastic;
    if names.is_empty() {
        return Ok(change);
    }
    describe(&mut change, observation, &by_name, &present, &names);
    change.detail = Some(Box::new(Arc::new(detail(&by_name, &present, names, &observation.books))));
    Ok(change)
}

/// SOA and the NS records of the zone itself are Cloudflare's.
fn may_be_touched(record: &Record, zone: &str) -> bool {
    record.rtype != "SOA" && !(record.rtype == "NS" && record.name == zone)
}

/// The declared sets with their answers; Elastic IPs looked up.
fn wanted(observation: &ZoneObservation) -> Result<Vec<Wanted<'_>>> {
    let contents = |set: &Set| match &set.answers {
        Answers::Fixed(contents) => Ok(contents.clone()),
        Answers::ElasticIps { aws, names } => {
            let mut contents = names.iter().map(|name| resolve(&observation.books, aws, name)).collect::<Result<Vec<_>, _>>().map_err(|mistake| {
                Error::new(Exit::Error, mistake, "each name must be the `Name` tag of exactly one Elastic IP in that account and region")
            })?;
            contents.sort_unstable();
            contents.dedup();
            Ok(contents)
        }
    };
    observation.spec.sets.iter().map(|set| Ok(Wanted { set, contents: contents(set)? })).collect()
}

/// A record of a type that nobody declared, and that cannot stand beside what was declared.
fn is_in_the_way(record: &Record, sets: &[Wanted<'_>], zone: &str) -> bool {
    let apex = record.name == zone;
    sets.iter().filter(|one| !one.contents.is_empty()).any(|one| {
        let is_cname = one.set.rtype == RecordType::Cname;
        (is_cname && excludes_cname(&record.rtype, apex)) || (record.rtype == "CNAME" && excludes_cname(one.set.rtype.word(), apex))
    })
}

fn refuse_in_the_way(spec: &ZoneSpec, in_the_way: &[&Record]) -> Result<()> {
    if in_the_way.is_empty() {
        return Ok(());
    }
    let shown = rows::some(in_the_way.iter().map(|record| rows::record_line(record)), in_the_way.len(), SHOWN_MAX);
    let help =
        "declare such a set too, with `values = []` to have it removed, or remove the record by hand; a name with a CNAME has no other records";
    Err(Error::new(Exit::Error, format!("foreign records of the zone {} are in the way", spec.name), help).because_text(shown))
}

/// Everything of a change that people read, and the answers that change hands.
fn describe(
    change: &mut Change,
    observation: &ZoneObservation,
    by_name: &IndexMap<&str, Vec<Wanted<'_>>>,
    present: &HashMap<&str, Vec<&Arc<Record>>>,
    names: &[NameChange],
) {
    change.action = Action::Update;
    let (mut patches, mut deletes, mut posts, mut attributes) = (0, 0, 0, Vec::with_capacity(names.len()));
    for one in names {
        let sets = by_name.get(one.name.as_str()).map_or(&[][..], Vec::as_slice);
        let here = present.get(one.name.as_str()).map_or(&[][..], Vec::as_slice);
        rows::of_name(&mut attributes, one, sets, here, &observation.books);
        for item in &one.items {
            match item {
                Item::Delete(_) => deletes += 1,
                Item::Patch { .. } => patches += 1,
                Item::Post(_) => posts += 1,
            }
            change.exchange.given.extend(item.given().map(str::to_owned));
            change.exchange.taken.extend(item.taken().map(str::to_owned));
        }
    }
    change.attributes = Arc::new(attributes);
    let counted = [(patches, "changed"), (posts, "added"), (deletes, "removed")];
    let words: Vec<String> = counted.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    change.reasons.push(format!("of {} records in {}: {}", observation.records.len(), observation.spec.name, words.join(", ")));
    change.notes.extend(left_behind(observation, by_name, &change.exchange.given));
}

/// Foreign records that go on answering what declared names give up: perhaps forgotten.
fn left_behind(observation: &ZoneObservation, by_name: &IndexMap<&str, Vec<Wanted<'_>>>, given: &BTreeSet<String>) -> Option<String> {
    let spec = &observation.spec;
    if spec.all {
        return None;
    }
    let declared =
        |record: &Record| by_name.get(record.name.as_str()).is_some_and(|sets| sets.iter().any(|one| one.set.rtype.word() == record.rtype));
    let mut foreign: Vec<&Record> = observation
        .records
        .iter()
        .map(AsRef::as_ref)
        .filter(|record| may_be_touched(record, &spec.name) && given.contains(&record.content) && !declared(record))
        .collect();
    if foreign.is_empty() {
        return None;
    }
    foreign.sort_by(|a, b| (&a.name, &a.rtype, &a.content).cmp(&(&b.name, &b.rtype, &b.content)));
    let shown = rows::some(foreign.iter().map(|record| rows::record_line(record)), foreign.len(), SHOWN_MAX);
    Some(format!("not declared, so left alone, though it answers what declared names give up: {shown}"))
}

fn detail(
    by_name: &IndexMap<&str, Vec<Wanted<'_>>>,
    present: &HashMap<&str, Vec<&Arc<Record>>>,
    names: Vec<NameChange>,
    books: &Books,
) -> ZoneDetail {
    let mut detail = ZoneDetail { names: Vec::new(), elastic_ips: BTreeMap::new(), changed: BTreeSet::new(), kept: BTreeSet::new() };
    for one in &names {
        let touched: BTreeSet<&str> = one
            .items
            .iter()
            .filter_map(|item| if let Item::Delete(before) | Item::Patch { before, .. } = item { Some(before.id.as_str()) } else { None })
            .collect();
        for item in &one.items {
            let sets = match item {
                Item::Delete(before) => [Some(before.rtype.as_str()), None],
                Item::Post(record) => [Some(record.rtype.as_str()), None],
                Item::Patch { before, patch } if item.taken().is_some() || patch.ttl.is_some() || patch.proxied.is_some() => {
                    [Some(before.rtype.as_str()), Some(patch.rtype.as_str())]
                }
                Item::Patch { .. } => [None, None],
            };
            detail.changed.extend(sets.into_iter().flatten().map(|rtype| (one.name.clone(), rtype.to_owned())));
        }
        for wanted in by_name.get(one.name.as_str()).map_or(&[][..], Vec::as_slice) {
            let Answers::ElasticIps { aws, names } = &wanted.set.answers else { continue };
            if detail.changed.contains(&(one.name.clone(), wanted.set.rtype.word().to_owned())) {
                let found = names.iter().filter_map(|name| resolve(books, aws, name).ok().map(|address| (name.clone(), address)));
                detail.elastic_ips.entry(aws.clone()).or_default().extend(found);
            }
        }
        let here = present.get(one.name.as_str()).map_or(&[][..], Vec::as_slice);
        detail.kept.extend(here.iter().filter(|record| !touched.contains(record.id.as_str())).map(|record| record.id.clone()));
    }
    detail.names = names;
    detail
}

#[cfg(test)]
mod tests;
