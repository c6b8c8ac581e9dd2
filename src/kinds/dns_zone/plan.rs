//! Changes → steps: look again, verify, one batch for each call, read back, ask the name servers.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::batch::{Changes, Chunk, chunks};
use super::diff::ZoneDetail;
use super::facts::{Read, elastic_ips, free};
use super::observe::ZoneObservation;
use super::operations::{Addresses, Answers, Batch, Expected, Op, ReadBack, SetAfter, Verify, Witness};
use super::pairing::Item;
use super::places::Index;
use super::questions::questions;
use super::rows::{record_line, some};
use super::safety::judge;
use super::schema::TIMEOUTS;
use crate::declare::{Declared, Desired};
use crate::model::record::RecordType;
use crate::model::text::many;
use crate::model::{Address, Data, Error, Exit, Phase, Result, time};
use crate::plan::{Fact, Limits, Part, PlanCx, Step, Undo};
use crate::world::dns::Record;

/// How long the API may take to show what a batch did.
const VISIBILITY: Duration = Duration::from_mins(1);
/// The longest pause between two looks at the API, whose calls are counted.
const POLL: Duration = Duration::from_secs(5);
/// How long name servers take as a rule.
const ANSWERS_EXPECTED: Duration = Duration::from_secs(15);
/// Lines that a note shows.
const SHOWN_MAX: usize = 5;

/// The steps of one zone.
pub(super) fn plan(declared: &Declared, observation: &ZoneObservation, detail: &Arc<ZoneDetail>, cx: &PlanCx<'_>) -> Result<Part> {
    judge(observation, &detail.names, cx.exchange)?;
    let most = max_batch(observation, cx.desired)?;
    let chunks = chunks(detail, most);
    let mut builder = Builder { declared, observation, detail, part: Part::default(), last: None };
    builder.part.providers.insert(observation.spec.provider.clone());
    builder.elastic_ips(cx.desired);
    let index = Index::new(&observation.zone.name, &chunks, &observation.records);
    builder.verify(&chunks, &index);
    for number in 0..chunks.len() {
        builder.batch(&chunks, number, &index);
    }
    let changed = detail.changed();
    builder.read_back(changed.len());
    builder.answers(&changed);
    builder.words(&chunks, most);
    let zone = &observation.zone;
    builder.part.together = Some("dns_zone");
    builder.part.locks.push(format!("dns:{}", zone.id));
    builder.part.world.insert(format!("zone {}", zone.name), zone.id.clone());
    Ok(builder.part)
}

fn max_batch(observation: &ZoneObservation, desired: &Desired) -> Result<usize> {
    let name = &observation.spec.provider;
    let provider = desired
        .cloudflare(name)
        .ok_or_else(|| Error::new(Exit::Error, format!("no provider {name} is declared"), "declare it, or name another one with `provider`"))?;
    Ok(usize::try_from(provider.max_batch).unwrap_or(usize::MAX).max(1))
}

/// Collects the steps in the order in which they are shown, each after the one before.
struct Builder<'a> {
    declared: &'a Declared,
    observation: &'a ZoneObservation,
    detail: &'a Arc<ZoneDetail>,
    part: Part,
    last: Option<String>,
}

impl Builder<'_> {
    fn address(&self) -> &Address {
        &self.declared.address
    }

    fn id(&self, slug: &str) -> String {
        format!("{}/{slug}", self.address())
    }

    /// Limits by the declared timeouts, else by the table.
    fn limits(&self, name: &str) -> Limits {
        let table = TIMEOUTS.iter().find(|spec| spec.name == name);
        let default = table.map_or(VISIBILITY, |spec| spec.default);
        Limits {
            timeout: self.declared.common.timeouts.get(name).copied().unwrap_or(default),
            visibility: VISIBILITY,
            poll: POLL,
            expected: table.map_or(Duration::ZERO, |spec| spec.expected),
        }
    }

    /// A step; what it does is worked out when somebody needs to know.
    fn step(&mut self, slug: &str, phase: Phase, title: String, op: impl FnOnce() -> Op + Send + 'static, limits: Limits) -> &mut Step {
        let id = self.id(slug);
        let step = Step {
            id: id.clone(),
            address: self.address().clone(),
            phase,
            title,
            operation: Data::later(op),
            undo: Undo::Nothing,
            after: self.last.replace(id).into_iter().collect(),
            facts: Vec::new(),
            writes: Vec::new(),
            limits,
            outage: None,
            irreversible: None,
        };
        self.part.steps.push(step);
        let at = self.part.steps.len() - 1;
        &mut self.part.steps[at]
    }

    fn fact(&mut self, slug: &str, title: String, read: impl FnOnce() -> Read + Send + 'static, value: Data) {
        let fact = Fact { id: self.id(slug), address: self.address().clone(), title, read: Data::later(read), value };
        self.part.facts.push(fact);
    }

    /// *prepare*: only when Elastic IPs stand behind changed answers.
    fn elastic_ips(&mut self, desired: &Desired) {
        let mut expected = Vec::new();
        for (provider, addresses) in &self.detail.elastic_ips {
            let Some(book) = self.observation.books.get(provider) else { continue };
            let names: BTreeSet<String> = addresses.keys().cloned().collect();
            let addresses_found = elastic_ips(&names, book);
            let region = desired.aws(provider).map_or("", |aws| aws.region.as_str());
            let title = format!("addresses of {} in {provider} ({region})", many(names.len(), "Elastic IP"));
            let read = Read::ElasticIps { provider: provider.clone(), names };
            self.fact(&format!("elastic-ips-{provider}"), title, || read, Data::later(|| addresses_found));
            self.part.providers.insert(provider.clone());
            self.part.world.insert(provider.clone(), format!("{}/{}", book.account, book.region));
            expected.push(Expected { provider: provider.clone(), addresses: addresses.clone() });
        }
        if expected.is_empty() {
            return;
        }
        let count: usize = expected.iter().map(|one| one.addresses.len()).sum();
        let limits = self.limits("lookup");
        let title = format!("look up {} again", many(count, "Elastic IP"));
        self.step("addresses", Phase::Prepare, title, || Op::Addresses(Addresses { expected }), limits);
    }

    fn verify(&mut self, chunks: &[Chunk], index: &Index<'_>) {
        let (provider, zone) = (self.observation.spec.provider.clone(), self.observation.zone.clone());
        let places = index.places(chunks, 0, chunks.len(), &self.detail.kept);
        let title = format!("check that {} is as it was planned with", zone.name);
        let (limits, chunks) = (self.limits("verify"), chunks.to_vec());
        let op = move || {
            let records = chunks.iter().flat_map(Chunk::observed).map(|record| (record.id.clone(), record_line(record))).collect();
            Op::Verify(Verify { provider, zone: zone.name, zone_id: zone.id, records, places })
        };
        self.step("verify", Phase::Verify, title, op, limits);
    }

    fn batch(&mut self, chunks: &[Chunk], number: usize, index: &Index<'_>) {
        let chunk = &chunks[number];
        let (suffix, part) = match chunks.len() {
            1 => (String::new(), String::new()),
            several => (format!("-{}", number + 1), format!(", part {} of {several}", number + 1)),
        };
        let mut facts: Vec<String> = self.part.facts.iter().map(|fact| fact.id.clone()).filter(|id| id.contains("/elastic-ips-")).collect();
        facts.extend(self.known_records(chunk, &suffix, &part));
        facts.extend(self.free_names(chunks, number, index, &suffix, &part));
        let (zone, provider) = (&self.observation.zone, &self.observation.spec.provider);
        let title = format!("change {} in one batch{part}: {}", zone.name, chunk.counts());
        let op = |changes: fn(&Chunk) -> Changes| {
            let (provider, zone, chunk) = (provider.clone(), zone.clone(), chunk.clone());
            move || Op::Batch(Batch { provider, zone: zone.name, zone_id: zone.id, changes: changes(&chunk) })
        };
        let undone = match chunk.count() {
            made if made == chunk.posts().count() => format!("take the {} of {} away again", many(made, "new record"), zone.name),
            1 => format!("put the record of {} back as it was", zone.name),
            count => format!("put the {count} records of {} back as they were", zone.name),
        };
        let undo = Undo::Operations { title: undone, operations: vec![Data::later(op(Chunk::back))] };
        let (forward, limits) = (op(Chunk::forward), self.limits("batch"));
        let step = self.step(&format!("batch{suffix}"), Phase::Switch, title, forward, limits);
        step.undo = undo;
        step.facts = facts;
        step.writes = chunk.writes();
    }

    /// The fact that what a batch changes or removes is as it was.
    fn known_records(&mut self, chunk: &Chunk, suffix: &str, part: &str) -> Option<String> {
        let (zone, provider) = (&self.observation.zone, self.observation.spec.provider.clone());
        let count = chunk.observed().count();
        if count == 0 {
            return None;
        }
        let title = format!("{} of {} to be changed or removed{part}", many(count, "record"), zone.name);
        let (zone_id, read) = (zone.id.clone(), chunk.clone());
        let read = move || Read::Records { provider, zone_id, ids: read.observed().map(|record| record.id.clone()).collect() };
        let value = chunk.clone();
        let value = Data::later(move || {
            let lines: BTreeMap<String, String> = value.observed().map(|record| (record.id.clone(), record_line(record))).collect();
            lines
        });
        self.fact(&format!("records{suffix}"), title, read, value);
        Some(self.id(&format!("records{suffix}")))
    }

    /// The fact that the names of new records are free for them.
    fn free_names(&mut self, chunks: &[Chunk], number: usize, index: &Index<'_>, suffix: &str, part: &str) -> Option<String> {
        let (zone, provider) = (&self.observation.zone, self.observation.spec.provider.clone());
        let places = index.places(chunks, number, number + 1, &self.detail.kept);
        if places.sets.is_empty() {
            return None;
        }
        let found = free(&places, places.sets.keys().flat_map(|name| index.present(name)).copied());
        let title = format!("{} of {} free for new records{part}", many(places.sets.len(), "name"), zone.name);
        let zone_id = zone.id.clone();
        self.fact(&format!("free{suffix}"), title, || Read::Free { provider, zone_id, places }, Data::later(|| found));
        Some(self.id(&format!("free{suffix}")))
    }

    /// After so many sets have changed.
    fn read_back(&mut self, changed: usize) {
        // Sets of which only comments or tags change answer as before.
        if changed == 0 {
            return;
        }
        let (provider, zone) = (self.observation.spec.provider.clone(), self.observation.zone.clone());
        let kept = self.observation.records.iter().filter(|record| self.detail.kept.contains(&record.id));
        let (kept, detail): (Vec<Arc<Record>>, _) = (kept.cloned().collect(), Arc::clone(self.detail));
        let title = format!("read {} back: {} as declared", zone.name, many(changed, "set"));
        let limits = self.limits("read_back");
        let op = move || Op::ReadBack(ReadBack { provider, zone: zone.name, zone_id: zone.id, sets: sets_after(&detail, &kept) });
        self.step("read-back", Phase::Confirm, title, op, limits);
    }

    /// After these sets have changed.
    fn answers(&mut self, changed: &[(&str, &str)]) {
        let (zone, spec) = (&self.observation.zone, &self.observation.spec);
        let (asked, unasked) = questions(&zone.name, self.detail, changed, &self.observation.records);
        if !unasked.is_empty() {
            let count = unasked.len();
            self.part.notes.push(format!(
                "cannot be asked of the name servers, and is confirmed by the API alone: {}",
                some(unasked.into_iter(), count, SHOWN_MAX)
            ));
        }
        let asked = asked.len();
        if asked == 0 {
            return;
        }
        let servers = spec.name_servers.clone().unwrap_or_else(|| zone.name_servers.clone());
        if servers.is_empty() {
            let warning =
                format!("Cloudflare names no name servers of {}, so the change is confirmed by the API alone: list some in `confirm`", zone.name);
            self.part.warnings.push(warning);
            return;
        }
        let title = format!("ask {} until they answer as declared ({} each)", servers.join(", "), many(asked, "question"));
        let witness = Some(Witness { provider: spec.provider.clone(), zone_id: zone.id.clone() });
        let (zone, detail, records) = (zone.name.clone(), Arc::clone(self.detail), self.observation.records.clone());
        let op = move || {
            let questions = questions(&zone, &detail, &detail.changed(), &records).0.into_iter().map(Into::into).collect();
            Op::Answers(Answers { zone, servers, questions, witness })
        };
        let limits =
            Limits { timeout: spec.confirm_timeout, visibility: VISIBILITY, poll: POLL, expected: ANSWERS_EXPECTED.min(spec.confirm_timeout) };
        self.step("answers", Phase::Confirm, title, op, limits);
    }

    /// What the reader should know of the whole.
    fn words(&mut self, chunks: &[Chunk], most: usize) {
        let zone = &self.observation.zone.name;
        if chunks.len() > 1 {
            self.part.warnings.push(format!(
                "the changes of {zone} need {} batches of at most {most}: the zone is not one transaction, and answers are mixed in between",
                chunks.len()
            ));
        }
        let deleted = self
            .detail
            .names
            .iter()
            .flat_map(|name| &name.items)
            .filter_map(|item| if let Item::Delete(before) = item { Some(before) } else { None });
        let types: BTreeSet<&str> = deleted.map(|record| record.rtype.as_str()).filter(|rtype| rtype.parse::<RecordType>().is_err()).collect();
        if !types.is_empty() {
            let types: Vec<&str> = types.into_iter().collect();
            self.part.warnings.push(format!(
                "records of {zone} of types that cannot be declared are removed ({}): should the run be turned back, the service may refuse to take them again",
                types.join(", ")
            ));
        }
        let longest = self.detail.names.iter().flat_map(|name| &name.items).filter_map(Item::old_ttl).max();
        if let Some(seconds) = longest {
            self.part.cached_for = Duration::from_secs(u64::from(seconds));
            let words = time::words(self.part.cached_for);
            self.part
                .notes
                .push(format!("resolvers may go on giving old answers of {zone} for up to {words} after the switch (the largest TTL concerned)"));
        }
    }
}

/// What every changed set must answer afterwards; `kept` are the records beside the changed ones.
fn sets_after(detail: &ZoneDetail, kept: &[Arc<Record>]) -> Vec<SetAfter> {
    let mut sets: BTreeMap<(&str, &str), Vec<&str>> = detail.changed().into_iter().map(|set| (set, Vec::new())).collect();
    let mut gone: HashSet<&str> = HashSet::new();
    let mut answer = |name, rtype, content| {
        if let Some(contents) = sets.get_mut(&(name, rtype)) {
            contents.push(content);
        }
    };
    for item in detail.names.iter().flat_map(|name| &name.items) {
        match item {
            Item::Delete(before) => drop(gone.insert(&before.id)),
            Item::Patch { before, patch } => {
                gone.insert(&before.id);
                answer(&before.name, patch.rtype, &patch.content);
            }
            Item::Post(record) => answer(&record.name, &record.rtype, &record.content),
        }
    }
    for record in kept.iter().filter(|record| !gone.contains(record.id.as_str())) {
        answer(&record.name, &record.rtype, &record.content);
    }
    let set = |((name, rtype), mut contents): ((&str, &str), Vec<&str>)| {
        contents.sort_unstable();
        contents.dedup();
        SetAfter { contents: contents.into_iter().map(str::to_owned).collect(), name: name.to_owned(), rtype: rtype.to_owned() }
    };
    sets.into_iter().map(set).collect()
}

#[cfg(test)]
mod tests;
