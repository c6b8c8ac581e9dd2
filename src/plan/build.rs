//! Puts the parts of all resources together into one plan.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::document::{FORMAT_VERSION, OutageWindow, Plan, PlanError, ResourceChange, TerraformChange};
use super::order::{self, Planned};
use super::places::Places;
use super::step::{Outage, Step, Undo};
use super::{Part, PlanCx, Planner, digest};
use crate::declare::{Declared, Desired, JournalSetting};
use crate::diff::{Action, AttributeChange, Change, Diffed, Exchange};
use crate::model::{Address, Data, Error, Exit, Json, Result, guard};
use crate::observe::Observed;

/// Finds the planner of a kind by the kind's name.
pub type Planners = fn(&str) -> Option<&'static dyn Planner>;

/// What a plan is made of.
pub struct Request<'a> {
    /// The whole declaration.
    pub desired: &'a Desired,
    /// The resources to be planned, in the order of the file.
    pub resources: &'a [&'a Declared],
    /// What was found.
    pub observed: &'a Observed,
    /// What differs.
    pub diffed: &'a Diffed,
    /// The kinds.
    pub planners: Planners,
    /// The world's identity.
    pub world: String,
    /// For the run's id.
    pub random: u64,
}

/// Makes the plan. What cannot be planned is among its errors, by name; everything else is planned all the same.
#[must_use]
pub fn build(request: &Request<'_>) -> Plan {
    let mut plan = draft(request);
    plan.digest = digest::of(&plan);
    plan
}

/// The plan without its digest: for looking at it. It cannot be applied, and what it would do is only worked out as far as it is looked at.
#[must_use]
pub fn draft(request: &Request<'_>) -> Plan {
    let run = run_id(request);
    let exchange = exchange(request.diffed);
    let mut errors: BTreeMap<Address, Error> = BTreeMap::new();
    let mut planned: Vec<Planned<'_>> = Vec::new();
    for declared in request.resources {
        match part(request, declared, &run, &exchange) {
            Ok(part) => planned.push(Planned { declared, part }),
            Err(error) => drop(errors.insert(declared.address.clone(), error)),
        }
    }
    block_dependents(request, &mut planned, &mut errors);
    order::connect(&mut planned, request.desired);
    assemble(request, run, planned, &errors)
}

/// The moment, and six digits of everything that makes this plan different from others made at that moment.
fn run_id(request: &Request<'_>) -> String {
    let mut hasher = Sha256::new();
    hasher.update(request.random.to_be_bytes());
    hasher.update(request.desired.environment.as_bytes());
    for (address, change) in request.diffed {
        hasher.update(address.to_string());
        if let Ok(change) = change {
            hasher.update(serde_json::to_vec(&change.attributes).unwrap_or_default());
        }
    }
    let hash = hasher.finalize();
    format!("{}-{:02x}{:02x}{:02x}", request.observed.at.strftime("%Y%m%d-%H%M%S"), hash[0], hash[1], hash[2])
}

/// Over all resources; of the only one that has any, without a copy.
fn exchange(diffed: &Diffed) -> Cow<'_, Exchange> {
    let none = Exchange::default();
    let several: Vec<&Change> = diffed.values().flatten().filter(|change| change.exchange != none).collect();
    if let [only] = several.as_slice() {
        return Cow::Borrowed(&only.exchange);
    }
    let mut all = none;
    for change in several {
        all.given.extend(change.exchange.given.iter().cloned());
        all.taken.extend(change.exchange.taken.iter().cloned());
        all.named.extend(change.exchange.named.iter().cloned());
    }
    Cow::Owned(all)
}

fn part(request: &Request<'_>, declared: &Declared, run: &str, exchange: &Exchange) -> Result<Part> {
    let address = &declared.address;
    let missing = || Error::new(Exit::Error, format!("{address} was not read"), "report this");
    let change = match request.diffed.get(address).ok_or_else(missing)? {
        Ok(change) => change,
        Err(error) => return Err(error.clone()),
    };
    if change.action == Action::NoOp && change.detail.is_none() {
        return Ok(Part::default());
    }
    let observation = request.observed.resources.get(address).and_then(|found| found.as_ref().ok()).ok_or_else(missing)?;
    let planner = (request.planners)(&address.kind).ok_or_else(missing)?;
    let cx = PlanCx { now: request.observed.at, run, desired: request.desired, exchange };
    let part = planner.plan(declared, observation, change, &cx).map_err(|error| error.within(format!("cannot plan {address}")))?;
    for step in &part.steps {
        check_guard(step, &request.desired.protect)?;
    }
    Ok(part)
}

/// The guard, offline: what the plan would write is known before anything runs.
fn check_guard(step: &Step, protect: &[String]) -> Result<()> {
    for name in &step.writes {
        if let Some(word) = guard::protected(protect, name) {
            let what = format!("{} would write `{name}`, and the environment protects everything that holds `{word}`", step.id);
            return Err(Error::new(Exit::Error, what, "name something else, or change `protect` in the environment block"));
        }
    }
    Ok(())
}

/// What waits for a resource that could not be planned cannot be planned either.
fn block_dependents(request: &Request<'_>, planned: &mut Vec<Planned<'_>>, errors: &mut BTreeMap<Address, Error>) {
    loop {
        let blocked =
            planned.iter().position(|one| !one.part.steps.is_empty() && one.declared.common.depends_on.iter().any(|on| errors.contains_key(on)));
        let Some(at) = blocked else { return };
        let address = planned.remove(at).declared.address.clone();
        let on = request.desired.resource(&address).into_iter().flat_map(|declared| &declared.common.depends_on).find(|on| errors.contains_key(on));
        let on = on.map(ToString::to_string).unwrap_or_default();
        errors.insert(
            address.clone(),
            Error::new(Exit::Error, format!("{address} depends on {on}, which could not be planned"), format!("mend {on} first")),
        );
    }
}

fn assemble(request: &Request<'_>, run: String, planned: Vec<Planned<'_>>, errors: &BTreeMap<Address, Error>) -> Plan {
    let mut plan = Plan {
        format_version: FORMAT_VERSION.to_owned(),
        switchover_version: env!("CARGO_PKG_VERSION").to_owned(),
        environment: request.desired.environment.clone(),
        run,
        created_at: request.observed.at,
        world: BTreeMap::from([("world".to_owned(), request.world.clone())]),
        providers: BTreeMap::new(),
        protect: request.desired.protect.clone(),
        notify: request.desired.notify.clone(),
        journal: match &request.desired.journal {
            JournalSetting::Local => Json::from("local"),
            JournalSetting::Url(url) => url.to_json(),
        },
        resource_changes: Vec::new(),
        steps: Vec::new(),
        facts: Vec::new(),
        locks: Vec::new(),
        warnings: order::mixed_answers(&planned, request.diffed),
        expected: std::time::Duration::ZERO,
        outage: Vec::new(),
        irreversible: Vec::new(),
        errors: errors
            .iter()
            .map(|(address, error)| PlanError { address: address.clone(), error: error.chain(), help: error.help().to_owned() })
            .collect(),
        digest: String::new(),
        places: Places::default(),
    };
    let mut notes: BTreeMap<Address, Vec<String>> = BTreeMap::new();
    let mut providers = BTreeSet::new();
    for Planned { declared, part } in planned {
        providers.extend(part.providers);
        plan.steps.extend(part.steps);
        plan.facts.extend(part.facts);
        plan.locks.extend(part.locks);
        plan.warnings.extend(part.warnings);
        plan.world.extend(part.world);
        notes.entry(declared.address.clone()).or_default().extend(part.notes);
    }
    plan.locks.sort();
    plan.locks.dedup();
    plan.steps = order::sorted(plan.steps);
    plan.expected = order::longest(&plan.steps);
    plan.outage = outages(&plan.steps);
    plan.irreversible = plan.steps.iter().filter_map(|step| step.irreversible.clone()).collect();
    debug_assert_eq!(providers, named_providers(&plan), "the kinds name the providers that their steps use");
    let used = request.desired.providers.iter().filter(|(name, _)| providers.contains(name.as_str()));
    plan.providers = used.map(|(name, provider)| (name.clone(), provider.clone())).collect();
    add_changes(request, &mut plan, notes);
    plan
}

fn add_changes(request: &Request<'_>, plan: &mut Plan, mut notes: BTreeMap<Address, Vec<String>>) {
    let mut changes: Vec<(usize, ResourceChange)> = Vec::new();
    for declared in request.resources {
        let Some(Ok(change)) = request.diffed.get(&declared.address) else { continue };
        plan.warnings.extend(change.warnings.iter().cloned());
        if plan.errors.iter().any(|error| error.address == declared.address) {
            continue;
        }
        let first = plan.steps.iter().position(|step| step.address == declared.address).unwrap_or(usize::MAX);
        changes.push((first, resource_change(declared, change, notes.remove(&declared.address).unwrap_or_default())));
    }
    // In the order in which they happen; those without steps last, in the order of the file.
    changes.sort_by_key(|(first, _)| *first);
    plan.resource_changes = changes.into_iter().map(|(_, change)| change).collect();
}

fn resource_change(declared: &Declared, change: &Change, planned_notes: Vec<String>) -> ResourceChange {
    let side = |pick: fn(&AttributeChange) -> &Json| {
        let attributes = Arc::clone(&change.attributes);
        Data::later(move || -> BTreeMap<String, Json> {
            let there = attributes.iter().filter(|attribute| !pick(attribute).is_null());
            there.map(|attribute| (attribute.name.clone(), pick(attribute).clone())).collect()
        })
    };
    let (before, after) = match change.action {
        Action::Create => (Json::Null.into(), side(|attribute| &attribute.after)),
        Action::Delete => (side(|attribute| &attribute.before), Json::Null.into()),
        _ => (side(|attribute| &attribute.before), side(|attribute| &attribute.after)),
    };
    ResourceChange {
        address: declared.address.clone(),
        mode: "managed".to_owned(),
        kind: declared.address.kind.clone(),
        name: declared.address.name.clone(),
        provider_name: declared.body.text("provider").unwrap_or_default().to_owned(),
        change: TerraformChange {
            actions: change.action.terraform(),
            before,
            after,
            after_unknown: Json::Object(serde_json::Map::new()),
            before_sensitive: Json::Bool(false),
            after_sensitive: Json::Bool(false),
        },
        action: change.action,
        attributes: Arc::clone(&change.attributes),
        reasons: change.reasons.clone(),
        notes: change.notes.iter().cloned().chain(planned_notes).collect(),
        held: change.held.clone(),
        next_due: change.next_due,
        declared_at: declared.body.span.place(),
    }
}

/// One window per outage name, in order of their first step.
fn outages(steps: &[Step]) -> Vec<OutageWindow> {
    let mut windows: Vec<OutageWindow> = Vec::new();
    for step in steps {
        let Some(outage) = &step.outage else { continue };
        match windows.iter_mut().find(|window| window.name == outage.name()) {
            Some(window) if !matches!(outage, Outage::Whole(_)) => {
                window.expected += step.limits.expected;
                window.steps.push(step.id.clone());
            }
            _ => windows.push(OutageWindow { name: outage.name().to_owned(), expected: step.limits.expected, steps: vec![step.id.clone()] }),
        }
    }
    windows
}

/// Providers whose names stand in an operation or a fact.
fn named_providers(plan: &Plan) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for step in &plan.steps {
        collect_words(&step.operation, &mut words);
        if let Undo::Operations { operations, .. } = &step.undo {
            for operation in operations {
                collect_words(operation, &mut words);
            }
        }
    }
    plan.facts.iter().for_each(|fact| collect_words(&fact.read, &mut words));
    words
}

/// The values of every `provider` key, however deep.
fn collect_words(data: &Data, words: &mut BTreeSet<String>) {
    // In canonical form a quote inside of a text has a backslash before it, so that this can only be a key.
    for (at, key) in data.text().match_indices("\"provider\":") {
        let value = &data.text()[at + key.len()..];
        if let Some(Ok(Json::String(word))) = serde_json::Deserializer::from_str(value).into_iter().next() {
            words.insert(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn providers_are_found_however_deep_and_nowhere_else() {
        let data = json!({
            "a": [{ "provider": "aws.hk" }, { "provider": 7 }, { "provider": { "provider": "aws" } }],
            "b": "\"provider\":\"none\"",
            "no provider": "none",
            "provider": "cloudflare.\"x\"",
        });
        let mut words = BTreeSet::new();
        collect_words(&data.into(), &mut words);
        assert_eq!(words.into_iter().collect::<Vec<_>>(), ["aws", "aws.hk", "cloudflare.\"x\""]);
    }
}
