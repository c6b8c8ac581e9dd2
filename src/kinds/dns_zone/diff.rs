//! Declared × observed: both sides in one shape, set by set.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;
use smallvec::SmallVec;

use super::addresses::resolve;
use super::check::excludes_cname;
use super::desired::{Answers, ZoneSpec};
use super::observe::ZoneObservation;
use super::pairing::{self, Item, NameChange, Wanted};
use super::rows;
use crate::diff::{Action, AttributeChange, Change};
use crate::model::record::RecordType;
use crate::model::{Address, Error, Exit, Result};
use crate::world::dns::Record;

/// What stands under one name: nearly always one thing, which then needs no memory of its own.
pub(super) type Few<T> = SmallVec<[T; 1]>;

/// Records that one message or note shows.
const SHOWN_MAX: usize = 10;

/// What the planner needs besides the rows that people read.
#[derive(Debug, Clone)]
pub struct ZoneDetail {
    /// What changes, name by name, in the order of the file; undeclared names after them.
    pub names: Vec<NameChange>,
    /// Elastic IPs that the changed answers rely on: provider → name → address.
    pub elastic_ips: BTreeMap<String, BTreeMap<String, String>>,
    /// Records beside the changed ones in sets that are declared: known to be there when new ones come to them.
    pub kept: BTreeSet<String>,
}

impl ZoneDetail {
    /// Name and type of every set of which an answer, its TTL or its proxying changes, in order.
    pub fn changed(&self) -> Vec<(&str, &str)> {
        let mut changed = Vec::with_capacity(self.names.len());
        changed.extend(self.names.iter().flat_map(|one| &one.items).flat_map(|item| item.changed_types().map(|rtype| (item.name(), rtype))));
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

/// What must happen to a zone.
pub(super) fn diff(address: &Address, observation: &ZoneObservation) -> Result<Change> {
    let spec = &observation.spec;
    let wanted = wanted(observation)?;
    let mut present: HashMap<&str, Few<&Arc<Record>>> = HashMap::with_capacity(observation.records.len());
    for record in observation.records.iter().filter(|record| may_be_touched(record, &spec.name)) {
        present.entry(&record.name).or_default().push(record);
    }
    // The service lists records in no order, and the same zone must give the same plan.
    for here in present.values_mut().filter(|here| here.len() > 1) {
        here.sort_unstable_by(|a, b| (&a.rtype, &a.content, &a.id).cmp(&(&b.rtype, &b.content, &b.id)));
    }
    let elastic =
        wanted.iter().filter(|one| matches!(one.set.answers, Answers::ElasticIps { .. })).flat_map(|one| one.contents.iter().cloned()).collect();
    let mut by_name: IndexMap<&str, Few<Wanted<'_>>> = IndexMap::with_capacity(wanted.len());
    for one in wanted {
        by_name.entry(&one.set.name).or_default().push(one);
    }
    let (mut found, mut in_the_way) = (Found::new(observation), Vec::new());
    for (name, sets) in &by_name {
        let here = present.get(name).map_or(&[][..], SmallVec::as_slice);
        let undeclared: Vec<&Arc<Record>> =
            here.iter().copied().filter(|record| sets.iter().all(|one| one.set.rtype.word() != record.rtype)).collect();
        let surplus = if spec.all { undeclared.as_slice() } else { &[] };
        if !spec.all {
            in_the_way.extend(undeclared.iter().map(|record| &***record).filter(|record| is_in_the_way(record, sets, &spec.name)));
        }
        if let Some(change) = pairing::changes(name, sets, here, surplus) {
            found.add(change, sets, here);
        }
    }
    refuse_in_the_way(spec, &in_the_way)?;
    if spec.all {
        let mut others: Vec<(&str, &Few<&Arc<Record>>)> =
            present.iter().filter(|(name, _)| !by_name.contains_key(*name)).map(|(name, here)| (*name, here)).collect();
        others.sort_unstable_by_key(|(name, _)| *name);
        for (name, here) in others {
            if let Some(change) = pairing::changes(name, &[], &[], here) {
                found.add(change, &[], here);
            }
        }
    }
    let mut change = Change::none(address.clone());
    change.exchange.named = elastic;
    found.finish(&mut change, &by_name);
    Ok(change)
}

/// SOA and the NS records of the zone itself are Cloudflare's.
fn may_be_touched(record: &Record, zone: &str) -> bool {
    record.rtype != "SOA" && !(record.rtype == "NS" && record.name == zone)
}

/// The declared sets with their answers; Elastic IPs looked up.
fn wanted(observation: &ZoneObservation) -> Result<Vec<Wanted<'_>>> {
    observation.spec.sets.iter().map(|set| Ok(Wanted { set, contents: contents(&set.answers, observation)? })).collect()
}

fn contents<'a>(answers: &'a Answers, observation: &ZoneObservation) -> Result<Cow<'a, [String]>> {
    let (aws, names) = match answers {
        Answers::Fixed(contents) => return Ok(Cow::Borrowed(contents)),
        Answers::ElasticIps { aws, names } => (aws, names),
    };
    let mut contents = names.iter().map(|name| resolve(&observation.books, aws, name)).collect::<Result<Vec<_>, _>>().map_err(|mistake| {
        Error::new(Exit::Error, mistake, "each name must be the `Name` tag of exactly one Elastic IP in that account and region")
    })?;
    contents.sort_unstable();
    contents.dedup();
    Ok(Cow::Owned(contents))
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

/// What is to be changed, as it is found name by name. Sets are lists until all is found: put in order once, they take a fraction of the time.
struct Found<'a> {
    observation: &'a ZoneObservation,
    names: Vec<NameChange>,
    rows: Vec<AttributeChange>,
    elastic_ips: BTreeMap<String, BTreeMap<String, String>>,
    kept: Vec<String>,
}

impl<'a> Found<'a> {
    fn new(observation: &'a ZoneObservation) -> Self {
        Found { observation, names: Vec::new(), rows: Vec::new(), elastic_ips: BTreeMap::new(), kept: Vec::new() }
    }

    /// The changes of one name, the sets declared there, and what is there.
    fn add(&mut self, change: NameChange, sets: &[Wanted<'_>], here: &[&Arc<Record>]) {
        rows::of_name(&mut self.rows, &change, sets, here, &self.observation.books);
        for wanted in sets {
            let Answers::ElasticIps { aws, names } = &wanted.set.answers else { continue };
            if change.items.iter().flat_map(Item::changed_types).any(|rtype| rtype == wanted.set.rtype.word()) {
                let books = &self.observation.books;
                let found = names.iter().filter_map(|name| resolve(books, aws, name).ok().map(|address| (name.clone(), address)));
                self.elastic_ips.entry(aws.clone()).or_default().extend(found);
            }
        }
        let ids = change
            .items
            .iter()
            .filter_map(|item| if let Item::Delete(before) | Item::Patch { before, .. } = item { Some(before.id.as_str()) } else { None });
        let mut touched: Few<&str> = ids.collect();
        touched.sort_unstable();
        self.kept.extend(here.iter().filter(|record| touched.binary_search(&record.id.as_str()).is_err()).map(|record| record.id.clone()));
        drop(touched);
        self.names.push(change);
    }

    /// Everything of a change that people read, the answers that change hands, and what the planner needs.
    fn finish(self, change: &mut Change, by_name: &IndexMap<&str, Few<Wanted<'_>>>) {
        if self.names.is_empty() {
            return;
        }
        change.action = Action::Update;
        change.attributes = Arc::new(self.rows);
        let (mut patches, mut deletes, mut posts) = (0, 0, 0);
        let (mut given, mut taken) = (Vec::new(), Vec::new());
        for item in self.names.iter().flat_map(|one| &one.items) {
            match item {
                Item::Delete(_) => deletes += 1,
                Item::Patch { .. } => patches += 1,
                Item::Post(_) => posts += 1,
            }
            given.extend(item.given());
            taken.extend(item.taken());
        }
        change.exchange.given = set(given);
        change.exchange.taken = set(taken);
        let counted = [(patches, "changed"), (posts, "added"), (deletes, "removed")];
        let words: Vec<String> = counted.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        let observation = self.observation;
        change.reasons.push(format!("of {} records in {}: {}", observation.records.len(), observation.spec.name, words.join(", ")));
        change.notes.extend(left_behind(observation, by_name, &change.exchange.given));
        let detail = ZoneDetail { names: self.names, elastic_ips: self.elastic_ips, kept: self.kept.into_iter().collect() };
        change.detail = Some(Box::new(Arc::new(detail)));
    }
}

/// Texts as a set.
fn set(mut texts: Vec<&str>) -> BTreeSet<String> {
    texts.sort_unstable();
    texts.dedup();
    texts.into_iter().map(str::to_owned).collect()
}

/// Foreign records that go on answering what declared names give up: perhaps forgotten.
fn left_behind(observation: &ZoneObservation, by_name: &IndexMap<&str, Few<Wanted<'_>>>, given: &BTreeSet<String>) -> Option<String> {
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
        .filter(|record| may_be_touched(record, &spec.name) && !declared(record) && given.contains(&record.content))
        .collect();
    if foreign.is_empty() {
        return None;
    }
    foreign.sort_by(|a, b| (&a.name, &a.rtype, &a.content).cmp(&(&b.name, &b.rtype, &b.content)));
    let shown = rows::some(foreign.iter().map(|record| rows::record_line(record)), foreign.len(), SHOWN_MAX);
    Some(format!("not declared, so left alone, though it answers what declared names give up: {shown}"))
}

#[cfg(test)]
mod tests;
