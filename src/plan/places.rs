//! Steps by their ids, found without reading through all of them.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::document::Plan;
use super::step::Step;

/// Where each step stands, made when it is first asked for. No part of the plan: two plans are the same whether they were asked or not.
#[derive(Debug, Clone, Default)]
pub struct Places(OnceLock<Index>);

#[derive(Debug, Clone)]
struct Index {
    by_id: HashMap<String, usize>,
    one_resource: bool,
}

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Plan {
    fn index(&self) -> &Index {
        self.places.0.get_or_init(|| Index {
            by_id: self.steps.iter().enumerate().map(|(at, step)| (step.id.clone(), at)).collect(),
            one_resource: self.steps.windows(2).all(|two| two[0].address == two[1].address),
        })
    }

    /// The place of a step in the plan's order, from 0; none for an id that it does not have.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<usize> {
        let found = self.index().by_id.get(id).copied().filter(|at| self.steps.get(*at).is_some_and(|step| step.id == id));
        // Steps that were changed since it was first asked are looked for the long way.
        found.or_else(|| self.steps.iter().position(|step| step.id == id))
    }

    /// One step; none for an id that it does not have.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.get(self.place(id)?)
    }

    /// Whether all steps are of one resource, so that its name need not be told with each.
    #[must_use]
    pub fn has_one_resource(&self) -> bool {
        self.index().one_resource
    }
}
