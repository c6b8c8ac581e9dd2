//! The kinds of resources: one folder each, and the one list of them.

pub mod database;
pub mod dns_zone;

use crate::apply::Operations;
use crate::declare::KindSchema;
use crate::diff::Differ;
use crate::observe::Observer;
use crate::plan::Planner;

/// All that a kind is.
pub trait Kind: KindSchema + Observer + Differ + Planner + Operations {}

impl<K: KindSchema + Observer + Differ + Planner + Operations> Kind for K {}

/// The list. A kind's name is its block's.
pub static ALL: &[&dyn Kind] = &[&database::KIND, &dns_zone::KIND];

/// One kind by its block's name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Kind> {
    ALL.iter().copied().find(|kind| kind.block().name == name)
}

#[cfg(test)]
mod tests;
