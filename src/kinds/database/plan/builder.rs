//! Puts steps into a chain.

use std::time::Duration;

use super::super::facts::Read;
use super::super::intent::Intent;
use super::super::marks::{self, Tags};
use super::super::operations::{InstanceRef, Op};
use crate::model::{Json, Phase};
use crate::plan::{Fact, Limits, Part, PlanCx, Step, Undo};

/// How long RDS may take to show a call that it answered well.
const VISIBILITY: Duration = Duration::from_mins(5);
/// How long setting tags may take, throttling and a hidden instance included.
const TAGGING: Duration = Duration::from_mins(15);
/// The longest pause between two looks when the provider says nothing.
const POLL: Duration = Duration::from_secs(15);

/// A step to be, without what the chain knows.
pub struct Draft {
    /// The end of its id.
    pub slug: String,
    /// What it may do, and how it fails.
    pub phase: Phase,
    /// One line for people.
    pub title: String,
    /// What it does.
    pub op: Op,
    /// Its way back.
    pub undo: Undo,
    /// The name of its timeout.
    pub timeout: &'static str,
}

/// Collects the steps of one database; each comes after the one before, unless it says otherwise.
pub struct Builder<'a> {
    /// What is to be done.
    pub intent: &'a Intent,
    /// The run's id.
    pub run: &'a str,
    poll: Duration,
    last: Vec<String>,
    part: Part,
}

impl<'a> Builder<'a> {
    /// Nothing yet.
    pub fn new(intent: &'a Intent, cx: &PlanCx<'a>) -> Self {
        let poll = cx.desired.aws(&intent.wanted.provider).map_or(POLL, |aws| aws.poll);
        Builder { intent, run: cx.run, poll, last: Vec::new(), part: Part::default() }
    }

    /// What was collected.
    pub fn into_part(self) -> Part {
        self.part
    }

    /// `ADDRESS/slug`.
    pub fn id(&self, slug: &str) -> String {
        format!("{}/{slug}", self.intent.wanted.address)
    }

    /// The provider's name, for operations.
    pub fn provider(&self) -> String {
        self.intent.wanted.provider.clone()
    }

    /// Ids of the steps that the next one waits for.
    pub fn ends(&self) -> Vec<String> {
        self.last.clone()
    }

    /// One step after those at the end of the chain.
    pub fn push(&mut self, draft: Draft) -> &mut Step {
        let after = std::mem::take(&mut self.last);
        let id = self.id(&draft.slug);
        self.last.push(id);
        self.push_after(draft, after)
    }

    /// One step after those; the end of the chain stays as it is.
    fn push_after(&mut self, draft: Draft, after: Vec<String>) -> &mut Step {
        let (timeout, expected) = self.intent.wanted.timeout(draft.timeout);
        let mut writes = draft.op.clone().boxed().writes();
        if let Undo::Operations { operations, .. } = &draft.undo {
            let undone = operations.iter().filter_map(|operation| super::super::operations::decode(operation).ok());
            writes.extend(undone.flat_map(|operation| operation.writes()));
        }
        writes.sort_unstable();
        writes.dedup();
        self.part.steps.push(Step {
            id: self.id(&draft.slug),
            address: self.intent.wanted.address.clone(),
            phase: draft.phase,
            title: draft.title,
            operation: draft.op.to_data(),
            undo: draft.undo,
            after,
            facts: Vec::new(),
            writes,
            limits: Limits { timeout, visibility: VISIBILITY.min(timeout), poll: self.poll, expected: expected.min(timeout) },
            outage: None,
            irreversible: None,
        });
        let end = self.part.steps.len() - 1;
        &mut self.part.steps[end]
    }

    /// Several steps side by side after the end of the chain; whatever follows waits for all of them.
    pub fn push_all(&mut self, drafts: Vec<Draft>) {
        let after = self.ends();
        let ids: Vec<String> = drafts.iter().map(|draft| self.id(&draft.slug)).collect();
        for draft in drafts {
            self.push_after(draft, after.clone());
        }
        if !ids.is_empty() {
            self.last = ids;
        }
    }

    /// One fact, once.
    pub fn fact(&mut self, slug: &str, title: impl Into<String>, read: &Read, value: Json) {
        let id = self.id(slug);
        if self.part.facts.iter().all(|fact| fact.id != id) {
            self.part.facts.push(Fact {
                id,
                address: self.intent.wanted.address.clone(),
                title: title.into(),
                read: read.to_data(),
                value: value.into(),
            });
        }
    }

    /// Ids of those of these facts that the plan has.
    pub fn facts(&self, slugs: &[&str]) -> Vec<String> {
        slugs.iter().map(|slug| self.id(slug)).filter(|id| self.part.facts.iter().any(|fact| fact.id == *id)).collect()
    }
}

/// A tag is one short call: nothing else about a modification's limits holds for it.
pub fn tagging(step: &mut Step) {
    step.limits.timeout = step.limits.timeout.min(TAGGING);
    step.limits.visibility = step.limits.visibility.min(step.limits.timeout);
    step.limits.expected = Duration::from_secs(1).min(step.limits.timeout);
}

/// Names of something written: its identifiers and what people wrote into its tags.
pub fn names(identifiers: &[&str], tags: &Tags) -> Vec<String> {
    let mut names: Vec<String> = identifiers.iter().map(|name| (*name).to_owned()).chain(marks::of_people(tags).into_values()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// An instance by its resource id.
pub fn by_id(resource_id: &str) -> InstanceRef {
    InstanceRef::ResourceId(resource_id.to_owned())
}

/// A way back of one line.
pub fn undo(title: impl Into<String>, operations: &[Op]) -> Undo {
    Undo::Operations { title: title.into(), operations: operations.iter().map(Op::to_data).collect() }
}
