//! What is to be done with one database: the diff's result in this kind's own form, and all that its plan is made of.

use super::desired::{Refresh, Wanted};
use super::leftovers::{Recovery, Retiring};
use super::marks::Tags;
use super::prune::Remnant;
use super::settings::Target;
use crate::world::rds::{Instance, Settings, Snapshot};

/// A refresh, or the first restore.
#[derive(Debug, Clone, PartialEq)]
pub struct Refreshing {
    /// What is restored.
    pub snapshot: Snapshot,
    /// What the new instance must have in the end.
    pub target: Target,
    /// What of it comes only after the switch.
    pub later: Settings,
    /// All tags of people that it must have.
    pub tags: Tags,
    /// The block it follows from.
    pub rules: Refresh,
}

/// What is left to do for a replaced instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Finish {
    /// What is there.
    pub retiring: Retiring,
    /// What the new one has not got yet: protection, backups.
    pub catch_up: Settings,
    /// It is deleted; else it is tagged with the time until which it is kept.
    pub delete: bool,
}

/// All of it. Every part may be there or not.
#[derive(Debug, Clone)]
pub struct Intent {
    /// The declaration.
    pub wanted: Wanted,
    /// The instance that has, or shall have again, the name.
    pub base: Option<Instance>,
    /// The name is given back first.
    pub recover: Option<Recovery>,
    /// Of an earlier run, to be removed.
    pub leftover: Option<Instance>,
    /// Of an earlier run, to be retired.
    pub finish: Option<Finish>,
    /// The data is replaced.
    pub refresh: Option<Refreshing>,
    /// Settings that are changed in place.
    pub modify: Settings,
    /// Tags that are changed in place.
    pub tags: Tags,
    /// The block is gone: these are removed, and nothing else is done.
    pub prune: Vec<Remnant>,
}

impl Intent {
    /// Whether there is anything to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recover.is_none()
            && self.leftover.is_none()
            && self.finish.is_none()
            && self.refresh.is_none()
            && self.modify.is_empty()
            && self.tags.is_empty()
            && self.prune.is_empty()
    }
}
