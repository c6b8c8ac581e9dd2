//! The steps of a plan as people are told of them: by number and short name, found at once however many there are.

use std::sync::Arc;

use crate::plan::{Plan, Step};
use crate::review::layout;

/// Longer names are cut, or what follows them wraps.
const NAME_COLUMNS: usize = 28;

/// A plan's steps by id.
#[derive(Debug)]
pub struct Steps {
    /// The plan.
    pub plan: Arc<Plan>,
    names: Vec<String>,
}

impl Steps {
    /// Takes a plan's steps down.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        let alone = plan.has_one_resource();
        let name = |step: &Step| {
            let slug = step.id.strip_prefix(&format!("{}/", step.address)).unwrap_or(&step.id).to_owned();
            if alone { slug } else { format!("{}/{slug}", step.address.name) }
        };
        let names = plan.steps.iter().map(name).collect();
        Steps { plan, names }
    }

    /// Where a step stands in the plan, from 0.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<usize> {
        self.plan.place(id)
    }

    /// The plan's data of a step.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.plan.step(id)
    }

    /// The short name of the step at a place: the last part of its id, with the resource's name when the plan has several.
    #[must_use]
    pub fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    /// ` 3/13`, all of one width.
    #[must_use]
    pub fn number(&self, place: usize) -> String {
        let (count, digits) = (self.plan.steps.len(), self.digits());
        format!("{:>digits$}/{count}", place + 1)
    }

    /// Columns of [`Steps::number`].
    #[must_use]
    pub fn number_columns(&self) -> usize {
        self.digits() * 2 + 1
    }

    /// Columns of the longest name, within reason.
    #[must_use]
    pub fn name_columns(&self) -> usize {
        self.names.iter().map(|name| layout::width(name)).max().unwrap_or(0).min(NAME_COLUMNS)
    }

    fn digits(&self) -> usize {
        self.plan.steps.len().to_string().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::{sample, summary};

    #[test]
    fn names_are_those_of_the_plan() {
        for plan in [sample::database(), sample::dns_swap(), sample::empty("x"), sample::hostile()] {
            let steps = Steps::new(Arc::new(plan.clone()));
            for (place, step) in plan.steps.iter().enumerate() {
                assert_eq!((steps.place(&step.id), steps.name(place)), (Some(place), summary::short_name(&plan, &step.id).as_str()));
                assert_eq!(layout::width(&steps.number(place)), steps.number_columns());
            }
            assert_eq!(steps.place("unknown"), None);
        }
    }
}
