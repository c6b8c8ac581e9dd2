//! What a plan comes to, in numbers and half-sentences: shared by every way of showing it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diff::Action;
use crate::model::text::many;
use crate::model::time;
use crate::plan::{Estimate, OutageWindow, Plan, ResourceChange, Step, Undo};

/// Resources by what happens to them, counted as Terraform does: a replacement is one addition and one destruction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Created or replaced.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Deleted or replaced.
    pub destroy: usize,
}

/// Counts a plan's resources.
#[must_use]
pub fn counts(plan: &Plan) -> Counts {
    let mut counts = Counts::default();
    for change in &plan.resource_changes {
        match change.action {
            Action::NoOp => {}
            Action::Create => counts.add += 1,
            Action::Update => counts.change += 1,
            Action::Delete => counts.destroy += 1,
            Action::Replace => {
                counts.add += 1;
                counts.destroy += 1;
            }
        }
    }
    counts
}

/// Terraform's line, which other programs look for: `Plan: 1 to add, 0 to change, 1 to destroy.`
#[must_use]
pub fn count_line(plan: &Plan) -> String {
    let counts = counts(plan);
    format!("Plan: {} to add, {} to change, {} to destroy.", counts.add, counts.change, counts.destroy)
}

/// Whether there is nothing to do, and nothing that could not be found out.
#[must_use]
pub fn nothing_to_do(plan: &Plan) -> bool {
    plan.steps.is_empty() && plan.errors.is_empty() && changed(plan).next().is_none()
}

/// The resources that change, in order.
pub fn changed(plan: &Plan) -> impl Iterator<Item = &ResourceChange> {
    plan.resource_changes.iter().filter(|change| change.action != Action::NoOp)
}

/// Counts, steps and time: `1 resource to change in 19 steps, about 2h 10m`.
#[must_use]
pub fn size(plan: &Plan) -> String {
    let resources = changed(plan).count();
    format!("{} to change in {}, {}", many(resources, "resource"), many(plan.steps.len(), "step"), about(plan.expected))
}

/// The outages in a few words: `outage of dev-openverse-db, about 8m`; or that there is none.
#[must_use]
pub fn outages(plan: &Plan) -> String {
    match plan.outage.as_slice() {
        [] => "no outage".to_owned(),
        [one] => format!("outage of {}, {}", one.name, about(one.expected)),
        several => {
            let total = several.iter().fold(Duration::ZERO, |sum, window| sum.saturating_add(window.expected));
            format!("{} outages, {} together", several.len(), about(total))
        }
    }
}

/// What cannot be undone, in a few words; or that everything can.
#[must_use]
pub fn no_way_back(plan: &Plan) -> String {
    match plan.irreversible.len() {
        0 => "everything can be undone".to_owned(),
        1 => "1 thing cannot be undone".to_owned(),
        several => format!("{several} things cannot be undone"),
    }
}

/// `about 8m`; `at once` for what takes no time worth naming.
#[must_use]
pub fn about(duration: Duration) -> String {
    if duration.is_zero() { "at once".to_owned() } else { format!("about {}", time::words(duration)) }
}

/// `about 8m` for a guess; `7m 12s, median of 3 runs` where earlier runs tell.
#[must_use]
pub fn expected(estimate: Estimate) -> String {
    if estimate.runs == 0 { about(estimate.duration) } else { format!("{}, {}", estimate.short(), estimate.basis()) }
}

/// The way back of a step in a half-sentence; none when there is nothing to undo.
#[must_use]
pub fn undo(step: &Step) -> Option<String> {
    match &step.undo {
        Undo::Nothing => None,
        Undo::Operations { title, .. } => Some(format!("undo: {title}")),
        Undo::Keep(why) => Some(format!("stays when turned back: {why}")),
        Undo::Impossible(what) => Some(format!("cannot be undone: {what}")),
    }
}

/// The numbers that steps have for people, from 1, by id.
#[derive(Debug)]
pub struct Numbers<'a>(BTreeMap<&'a str, usize>);

impl<'a> Numbers<'a> {
    /// Numbers a plan's steps in their order.
    #[must_use]
    pub fn of(plan: &'a Plan) -> Self {
        Numbers(plan.steps.iter().zip(1..).map(|(step, number)| (step.id.as_str(), number)).collect())
    }

    /// A step's number; none for an id that the plan does not have.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<usize> {
        self.0.get(id).copied()
    }

    /// `step 4`, `steps 3 and 4`, `steps 3 to 6`, of an outage; empty when the plan has none of its steps.
    #[must_use]
    pub fn of_window(&self, window: &OutageWindow) -> String {
        let mut numbers: Vec<usize> = window.steps.iter().filter_map(|id| self.get(id)).collect();
        numbers.sort_unstable();
        match numbers.as_slice() {
            [] => String::new(),
            [one] => format!("step {one}"),
            [first, second] => format!("steps {first} and {second}"),
            [first, .., last] => format!("steps {first} to {last}"),
        }
    }

    /// The number of the step after which this cannot be undone.
    #[must_use]
    pub fn of_irreversible(&self, plan: &Plan, words: &str) -> Option<usize> {
        plan.steps.iter().find(|step| step.irreversible.as_deref() == Some(words)).and_then(|step| self.get(&step.id))
    }
}

/// Steps by the short names that logs and reports use: the last part of the id, with the resource's name when the plan has several.
#[must_use]
pub fn short_name(plan: &Plan, id: &str) -> String {
    let Some(step) = plan.step(id) else { return id.to_owned() };
    let prefix = format!("{}/", step.address);
    let slug = id.strip_prefix(&prefix).unwrap_or(id);
    if plan.has_one_resource() { slug.to_owned() } else { format!("{}/{slug}", step.address.name) }
}

/// The first part of a digest: enough to compare by eye.
#[must_use]
pub fn short_digest(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Address;
    use crate::review::sample;

    #[test]
    fn a_replacement_counts_as_terraform_counts_it() {
        let address = Address::new("database", "x");
        let mut plan = sample::empty("x");
        for action in [Action::NoOp, Action::Create, Action::Update, Action::Delete, Action::Replace] {
            plan.resource_changes.push(sample::change(&address, action, Vec::new(), "x.hcl:1:1"));
        }
        assert_eq!(count_line(&plan), "Plan: 2 to add, 1 to change, 2 to destroy.");
        assert_eq!(changed(&plan).count(), 4);
    }

    #[test]
    fn short_names_are_unique_and_short() {
        let (alone, two) = (sample::database(), sample::dns_swap());
        assert_eq!(short_name(&alone, &alone.steps[2].id), "restore");
        assert_eq!(short_name(&two, &two.steps[4].id), "gigadb.org/batch");
        assert_eq!(short_name(&two, "unknown"), "unknown");
    }

    #[test]
    fn every_step_is_found_where_it_stands_also_after_a_change() {
        let mut plan = sample::dns_swap();
        let ids: Vec<String> = plan.steps.iter().map(|step| step.id.clone()).collect();
        assert!(ids.iter().enumerate().all(|(at, id)| plan.place(id) == Some(at)) && plan.place("unknown").is_none());
        assert!(!plan.has_one_resource() && sample::database().has_one_resource());
        plan.steps.remove(0);
        assert!(ids.iter().skip(1).enumerate().all(|(at, id)| plan.place(id) == Some(at)) && plan.step(&ids[0]).is_none());
    }

    #[test]
    fn a_plan_with_errors_is_never_nothing_to_do() {
        assert!(nothing_to_do(&sample::nothing()) && nothing_to_do(&sample::held()));
        assert!(!nothing_to_do(&sample::blocked()) && !nothing_to_do(&sample::database()));
    }
}
