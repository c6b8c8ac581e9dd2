//! Changes → steps: look again, verify, one batch for each call, read back, ask the name servers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::batch::{Changes, Chunk, chunks};
use super::diff::ZoneDetail;
use super::facts::{Read, elastic_ips, free, records_by_id};
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
use crate::model::{Address, Data, Error, Exit, Phase, Result, time};
use crate::plan::{Fact, Limits, Part, PlanCx, Step, Undo};

/// How long the API may take to show what a batch did.
const VISIBILITY: Duration = Duration::from_mins(1);
/// The longest pause between two looks at the API, whose calls are counted.
const POLL: Duration = Duration::from_secs(5);
/// How long name servers take as a rule.
const ANSWERS_EXPECTED: Duration = Duration::from_secs(15);
/// Lines that a note shows.
const SHOWN_MAX: usize = 5;

/// The steps of one zone.
pub(super) fn plan(declared: &Declared, observation: &ZoneObservation, detail: &ZoneDetail, cx: &PlanCx<'_>) -> Result<Part> {
    judge(observation, &detail.names, cx.exchange)?;
    let most = max_batch(observation, cx.desired)?;
    let chunks = chunks(&detail.names, most);
    let mut builder = Builder { declared, observation, detail, part: Part::default(), last: None };
    builder.elastic_ips(cx.desired)?;
    let index = Index::new(&observation.zone.name, &chunks, &observation.records);
    builder.verify(&chunks, &index)?;
    for number in 0..chunks.len() {
        builder.batch(&chunks, number, &index)?;
    }
    builder.read_back()?;
    builder.answers()?;
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
    detail: &'a ZoneDetail,
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

    fn step(&mut self, slug: &str, phase: Phase, title: String, op: &Op, limits: Limits) -> Result<&mut Step> {
        let id = self.id(slug);
        let step = Step {
            id: id.clone(),
            address: self.address().clone(),
            phase,
            title,
            operation: data(op.to_data())?,
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
        Ok(&mut self.part.steps[at])
    }

    fn fact(&mut self, slug: &str, title: String, read: &Read, value: Data) -> Result<()> {
        let fact = Fact { id: self.id(slug), address: self.address().clone(), title, read: data(Data::of(read))?, value };
        self.part.facts.push(fact);
        Ok(())
    }

    /// *prepare*: only when Elastic IPs stand behind changed answers.
    fn elastic_ips(&mut self, desired: &Desired) -> Result<()> {
        let mut expected = Vec::new();
        for (provider, addresses) in &self.detail.elastic_ips {
            let Some(book) = self.observation.books.get(provider) else { continue };
            let names: BTreeSet<String> = addresses.keys().cloned().collect();
            let value = data(Data::of(&elastic_ips(&names, book)))?;
            let region = desired.aws(provider).map_or("", |aws| aws.region.as_str());
            let title = format!("addresses of {} Elastic IPs in {provider} ({region})", names.len());
            self.fact(&format!("elastic-ips-{provider}"), title, &Read::ElasticIps { provider: provider.clone(), names }, value)?;
            self.part.world.insert(provider.clone(), format!("{}/{}", book.account, book.region));
            expected.push(Expected { provider: provider.clone(), addresses: addresses.clone() });
        }
        if expected.is_empty() {
            return Ok(());
        }
        let count: usize = expected.iter().map(|one| one.addresses.len()).sum();
        let limits = self.limits("lookup");
        let title = format!("look up {count} Elastic {} again", if count == 1 { "IP" } else { "IPs" });
        self.step("addresses", Phase::Prepare, title, &Op::Addresses(Addresses { expected }), limits)?;
        Ok(())
    }

    fn verify(&mut self, chunks: &[Chunk<'_>], index: &Index<'_>) -> Result<()> {
        let observed = chunks.iter().flat_map(Chunk::observed);
        let op = Op::Verify(Verify {
            provider: self.observation.spec.provider.clone(),
            zone: self.observation.zone.name.clone(),
            zone_id: self.observation.zone.id.clone(),
            records: observed.map(|record| (record.id.clone(), record_line(record))).collect(),
            places: index.places(chunks, 0, chunks.len(), &self.detail.kept),
        });
        let title = format!("check that {} is as it was planned with", self.observation.zone.name);
        let limits = self.limits("verify");
        self.step("verify", Phase::Verify, title, &op, limits)?;
        Ok(())
    }

    fn batch(&mut self, chunks: &[Chunk<'_>], number: usize, index: &Index<'_>) -> Result<()> {
        let chunk = &chunks[number];
        let (zone, provider) = (&self.observation.zone, &self.observation.spec.provider);
        let (suffix, part) = match chunks.len() {
            1 => (String::new(), String::new()),
            several => (format!("-{}", number + 1), format!(", part {} of {several}", number + 1)),
        };
        let mut facts: Vec<String> = self.part.facts.iter().map(|fact| fact.id.clone()).filter(|id| id.contains("/elastic-ips-")).collect();
        let ids: BTreeSet<String> = chunk.observed().map(|record| record.id.clone()).collect();
        if !ids.is_empty() {
            let value = data(Data::of(&records_by_id(ids.iter(), chunk.observed())))?;
            let title = format!("{} records of {} to be changed or removed{part}", ids.len(), zone.name);
            self.fact(&format!("records{suffix}"), title, &Read::Records { provider: provider.clone(), zone_id: zone.id.clone(), ids }, value)?;
            facts.push(self.id(&format!("records{suffix}")));
        }
        let places = index.places(chunks, number, number + 1, &self.detail.kept);
        if !places.sets.is_empty() {
            let value = data(Data::of(&free(&places, places.sets.keys().flat_map(|name| index.present(name)).copied())))?;
            let title = format!("{} names of {} free for new records{part}", places.sets.len(), zone.name);
            self.fact(&format!("free{suffix}"), title, &Read::Free { provider: provider.clone(), zone_id: zone.id.clone(), places }, value)?;
            facts.push(self.id(&format!("free{suffix}")));
        }
        let forward = chunk.forward();
        let op = |changes| Op::Batch(Batch { provider: provider.clone(), zone: zone.name.clone(), zone_id: zone.id.clone(), changes });
        let title = format!("change {} in one batch{part}: {}", zone.name, counts(&forward));
        let (writes, limits) = (forward.writes(), self.limits("batch"));
        let forward = op(forward);
        let step = self.step(&format!("batch{suffix}"), Phase::Switch, title, &forward, limits)?;
        let back = match forward {
            Op::Batch(batch) => chunk.back(batch.changes),
            _ => Changes::default(),
        };
        let title = format!("put the {} records of {} back as they were", back.count(), zone.name);
        let undo = Undo::Operations { title, operations: vec![data(op(back).to_data())?] };
        step.undo = undo;
        step.facts = facts;
        step.writes = writes;
        Ok(())
    }

    fn read_back(&mut self) -> Result<()> {
        let mut sets: BTreeMap<(String, String), Vec<String>> = self.detail.changed.iter().map(|set| (set.clone(), Vec::new())).collect();
        let mut gone = BTreeSet::new();
        for item in self.detail.names.iter().flat_map(|name| &name.items) {
            let (before, after) = match item {
                Item::Delete(before) => (Some(&before.id), None),
                Item::Patch { before, patch } => (Some(&before.id), Some((&patch.name, &patch.rtype, &patch.content))),
                Item::Post(record) => (None, Some((&record.name, &record.rtype, &record.content))),
            };
            gone.extend(before.cloned());
            if let Some((name, rtype, content)) = after {
                sets.entry((name.clone(), rtype.clone())).or_default().push(content.clone());
            }
        }
        for record in self.observation.records.iter().filter(|record| self.detail.kept.contains(&record.id) && !gone.contains(&record.id)) {
            if let Some(contents) = sets.get_mut(&(record.name.clone(), record.rtype.clone())) {
                contents.push(record.content.clone());
            }
        }
        // Sets of which only comments or tags change answer as before.
        let sets: Vec<SetAfter> = sets
            .into_iter()
            .filter(|(set, _)| self.detail.changed.contains(set))
            .map(|((name, rtype), mut contents)| {
                contents.sort_unstable();
                contents.dedup();
                SetAfter { contents, name, rtype }
            })
            .collect();
        if sets.is_empty() {
            return Ok(());
        }
        let zone = &self.observation.zone;
        let title = format!("read {} back: {} sets as declared", zone.name, sets.len());
        let op = Op::ReadBack(ReadBack { provider: self.observation.spec.provider.clone(), zone: zone.name.clone(), zone_id: zone.id.clone(), sets });
        let limits = self.limits("read_back");
        self.step("read-back", Phase::Confirm, title, &op, limits)?;
        Ok(())
    }

    fn answers(&mut self) -> Result<()> {
        let (zone, spec) = (&self.observation.zone, &self.observation.spec);
        let (questions, unasked) = questions(&zone.name, self.detail, &self.observation.records);
        if !unasked.is_empty() {
            let count = unasked.len();
            self.part.notes.push(format!(
                "cannot be asked of the name servers, and is confirmed by the API alone: {}",
                some(unasked.into_iter(), count, SHOWN_MAX)
            ));
        }
        if questions.is_empty() {
            return Ok(());
        }
        let servers = spec.name_servers.clone().unwrap_or_else(|| zone.name_servers.clone());
        if servers.is_empty() {
            let warning =
                format!("Cloudflare names no name servers of {}, so the change is confirmed by the API alone: list some in `confirm`", zone.name);
            self.part.warnings.push(warning);
            return Ok(());
        }
        let title = format!("ask {} until they answer as declared ({} questions each)", servers.join(", "), questions.len());
        let witness = Some(Witness { provider: spec.provider.clone(), zone_id: zone.id.clone() });
        let op = Op::Answers(Answers { zone: zone.name.clone(), servers, questions, witness });
        let limits =
            Limits { timeout: spec.confirm_timeout, visibility: VISIBILITY, poll: POLL, expected: ANSWERS_EXPECTED.min(spec.confirm_timeout) };
        self.step("answers", Phase::Confirm, title, &op, limits)?;
        Ok(())
    }

    /// What the reader should know of the whole.
    fn words(&mut self, chunks: &[Chunk<'_>], most: usize) {
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

/// "7 changed, 1 added".
fn counts(changes: &Changes) -> String {
    let counted = [(changes.patches.len(), "changed"), (changes.posts.len(), "added"), (changes.deletes.len(), "removed")];
    counted.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

/// Plain data of our own types, which cannot fail, without a panic if it ever does.
fn data(result: Result<Data, serde_json::Error>) -> Result<Data> {
    result.map_err(|error| Error::new(Exit::Error, "cannot write a step of a dns_zone as data", "this is a bug: please report it").because(error))
}

#[cfg(test)]
mod tests;
