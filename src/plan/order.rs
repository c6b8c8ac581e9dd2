//! What waits for what, across resources; and the order in which people read it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use super::Part;
use super::step::Step;
use crate::declare::{Declared, Desired};
use crate::diff::Diffed;
use crate::model::{Address, Phase, time};

/// Answers that one warning names.
const MIXED_SHOWN_MAX: usize = 20;

/// One resource's part.
pub struct Planned<'a> {
    /// The resource.
    pub declared: &'a Declared,
    /// Its part.
    pub part: Part,
}

impl Planned<'_> {
    fn address(&self) -> &Address {
        &self.declared.address
    }

    /// Steps of these phases for which no other of these phases waits.
    fn last_of(&self, phases: &[Phase]) -> Vec<String> {
        let within: Vec<&Step> = self.part.steps.iter().filter(|step| phases.contains(&step.phase)).collect();
        let waited_for: BTreeSet<&String> = within.iter().flat_map(|step| &step.after).collect();
        within.iter().filter(|step| !waited_for.contains(&step.id)).map(|step| step.id.clone()).collect()
    }

    /// Lets the first steps of these phases (those that wait for none of these phases) wait for others.
    fn begin_after(&mut self, phases: &[Phase], others: &[String]) {
        let within: BTreeSet<String> = self.part.steps.iter().filter(|step| phases.contains(&step.phase)).map(|step| step.id.clone()).collect();
        for step in self.part.steps.iter_mut().filter(|step| phases.contains(&step.phase)) {
            if !step.after.iter().any(|before| within.contains(before)) {
                let new: Vec<String> = others.iter().filter(|other| **other != step.id && !step.after.contains(other)).cloned().collect();
                step.after.extend(new);
            }
        }
    }
}

const BACKED: &[Phase] = &[Phase::Prepare, Phase::Verify, Phase::Switch, Phase::Confirm];
const BEFORE_SWITCH: &[Phase] = &[Phase::Prepare, Phase::Verify];

/// Connects the parts: a resource begins when what it depends on is confirmed; switches that belong together follow each other; nothing is retired before
/// everything that could still be turned back is confirmed.
pub fn connect(planned: &mut [Planned<'_>], desired: &Desired) {
    depend(planned, desired);
    switch_together(planned, desired);
    let confirmed: Vec<String> = planned.iter().flat_map(|one| one.last_of(BACKED)).collect();
    for one in planned.iter_mut() {
        one.begin_after(&[Phase::Retire], &confirmed);
    }
}

fn depend(planned: &mut [Planned<'_>], desired: &Desired) {
    let ends: BTreeMap<Address, Vec<String>> = planned.iter().map(|one| (one.address().clone(), one.last_of(BACKED))).collect();
    for one in planned.iter_mut() {
        let mut before = Vec::new();
        for address in nearest(one.declared, desired, &ends) {
            before.extend(ends.get(&address).into_iter().flatten().cloned());
        }
        if !before.is_empty() {
            one.begin_after(BACKED, &before);
        }
    }
}

/// What a resource depends on, through resources that have no steps in this plan.
fn nearest(declared: &Declared, desired: &Desired, ends: &BTreeMap<Address, Vec<String>>) -> BTreeSet<Address> {
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut next: Vec<Address> = declared.common.depends_on.clone();
    while let Some(address) = next.pop() {
        if !seen.insert(address.clone()) {
            continue;
        }
        if ends.get(&address).is_some_and(|ends| !ends.is_empty()) {
            found.insert(address);
        } else if let Some(declared) = desired.resource(&address) {
            next.extend(declared.common.depends_on.iter().cloned());
        }
    }
    found
}

/// Whether one depends on the other, directly or not.
fn depends(one: &Declared, on: &Address, desired: &Desired) -> bool {
    let (mut next, mut seen) = (one.common.depends_on.clone(), BTreeSet::new());
    while let Some(address) = next.pop() {
        if address == *on {
            return true;
        }
        if seen.insert(address.clone())
            && let Some(declared) = desired.resource(&address)
        {
            next.extend(declared.common.depends_on.iter().cloned());
        }
    }
    false
}

fn switch_together(planned: &mut [Planned<'_>], desired: &Desired) {
    let groups: BTreeSet<&'static str> = planned.iter().filter(|one| !one.part.steps.is_empty()).filter_map(|one| one.part.together).collect();
    for group in groups {
        let mut chain: Vec<usize> = Vec::new();
        for at in 0..planned.len() {
            let one = &planned[at];
            let has_switch = one.part.steps.iter().any(|step| step.phase == Phase::Switch);
            let apart = chain.iter().any(|other| {
                let other = &planned[*other];
                depends(one.declared, other.address(), desired) || depends(other.declared, one.address(), desired)
            });
            if one.part.together == Some(group) && has_switch && !apart {
                chain.push(at);
            }
        }
        if chain.len() < 2 {
            continue;
        }
        let verified: Vec<String> = chain.iter().flat_map(|at| planned[*at].last_of(BEFORE_SWITCH)).collect();
        let mut before = verified;
        for at in &chain {
            planned[*at].begin_after(&[Phase::Switch], &before);
            before = planned[*at].last_of(&[Phase::Switch]);
        }
        for at in &chain {
            planned[*at].begin_after(&[Phase::Confirm], &before);
        }
    }
}

/// What the reader must know of several switches that are not one transaction: which answers are mixed meanwhile, and for how long.
#[must_use]
pub fn mixed_answers(planned: &[Planned<'_>], diffed: &Diffed) -> Vec<String> {
    let zones: Vec<&Planned<'_>> =
        planned.iter().filter(|one| one.part.together.is_some() && one.part.steps.iter().any(|step| step.phase == Phase::Switch)).collect();
    if zones.len() < 2 {
        return Vec::new();
    }
    let names: Vec<String> = zones.iter().map(|one| one.declared.address.name.clone()).collect();
    let cached = time::words(zones.iter().map(|one| one.part.cached_for).max().unwrap_or_default());
    let mut warnings = vec![format!(
        "{} are switched one after the other, not in one transaction: between the two, and in caches for up to {cached} afterwards, some names answer anew while others still answer as before",
        names.join(" and "),
    )];
    for (at, first) in zones.iter().enumerate() {
        for second in &zones[at + 1..] {
            warnings.extend(mixed_between(first, second, diffed, &cached));
        }
    }
    warnings
}

/// The answers that one zone gives up and the other takes over: for a moment both or neither of them answer so.
fn mixed_between(first: &Planned<'_>, second: &Planned<'_>, diffed: &Diffed, cached: &str) -> Option<String> {
    let exchange = |one: &Planned<'_>| diffed.get(one.address())?.as_ref().ok().map(|change| &change.exchange);
    let (one, other) = (exchange(first)?, exchange(second)?);
    let both: Vec<&str> = one.taken.intersection(&other.given).map(String::as_str).collect();
    let neither: Vec<&str> = one.given.intersection(&other.taken).map(String::as_str).collect();
    let said = [("both answer", both), ("neither answers", neither)].into_iter().filter(|(_, answers)| !answers.is_empty());
    let said: Vec<String> = said.map(|(word, answers)| format!("{word} {}", some(&answers))).collect();
    let (first, second) = (&first.declared.address.name, &second.declared.address.name);
    (!said.is_empty())
        .then(|| format!("mixed between {first} and {second} until the second is switched, and for {cached} in caches: {}", said.join("; ")))
}

/// The first of them, and how many more.
fn some(answers: &[&str]) -> String {
    let more = answers.len().saturating_sub(MIXED_SHOWN_MAX);
    let shown = answers.iter().take(MIXED_SHOWN_MAX).copied().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// Steps so that everything stands after what it waits for; among those that could come next, by phase, then as they were given.
#[must_use]
pub fn sorted(steps: Vec<Step>) -> Vec<Step> {
    let places: BTreeMap<&str, usize> = steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
    let mut waiting: Vec<usize> = steps.iter().map(|step| step.after.iter().filter(|before| places.contains_key(before.as_str())).count()).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (at, step) in steps.iter().enumerate() {
        for before in step.after.iter().filter_map(|before| places.get(before.as_str())) {
            dependents[*before].push(at);
        }
    }
    let mut free: BinaryHeap<Reverse<(Phase, usize)>> =
        steps.iter().enumerate().filter(|(at, _)| waiting[*at] == 0).map(|(at, step)| Reverse((step.phase, at))).collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some(Reverse((_, at))) = free.pop() {
        order.push(at);
        for next in &dependents[at] {
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                free.push(Reverse((steps[*next].phase, *next)));
            }
        }
    }
    // A cycle leaves steps out here; making the plan ready to run refuses it by name, so they are kept.
    let left: Vec<usize> = (0..steps.len()).filter(|at| waiting[*at] > 0).collect();
    order.extend(left);
    let mut slots: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| slots[at].take()).collect()
}

/// The longest way through the steps by their expectations; steps stand after what they wait for.
#[must_use]
pub fn longest(steps: &[Step]) -> Duration {
    longest_by(steps, |step| step.limits.expected)
}

/// The same by other expectations.
#[must_use]
pub fn longest_by(steps: &[Step], expected: impl Fn(&Step) -> Duration) -> Duration {
    let mut ends: BTreeMap<&str, Duration> = BTreeMap::new();
    for step in steps {
        let begins = step.after.iter().filter_map(|before| ends.get(before.as_str())).max().copied().unwrap_or_default();
        ends.insert(&step.id, begins.saturating_add(expected(step)));
    }
    ends.values().max().copied().unwrap_or_default()
}
