//! [`Desired`](crate::declare::Desired) + readers → [`Observed`]: bounded parallel reads. A read that failed blocks its resource by name; unknown is not absent.

pub mod all;
mod patient;

use std::any::Any;

use async_trait::async_trait;
use indexmap::IndexMap;

use crate::declare::{Declared, Desired};
use crate::model::time::Timestamp;
use crate::model::{Address, Error, Result};
use crate::world::Readers;

pub use all::{Observers, observe, undeclared};

/// What a kind found out about one resource; only that kind knows its type.
pub type Observation = Box<dyn Any + Send + Sync>;

/// What observing gets.
pub struct ObserveCx<'a> {
    /// The reading half of the world.
    pub readers: &'a dyn Readers,
    /// The whole declaration, for providers.
    pub desired: &'a Desired,
}

/// What observing needs to know of a kind.
#[async_trait]
pub trait Observer: Sync {
    /// Reads everything that the diff of this resource needs.
    async fn observe(&self, declared: &Declared, cx: &ObserveCx<'_>) -> Result<Observation>;
    /// What earlier runs made for this environment whose block is no longer there: each as a resource without a block, for `--prune` to remove. What
    /// could not be read is among it as an error. A kind whose things nobody can tell from others' has none.
    async fn undeclared(&self, _cx: &ObserveCx<'_>) -> Vec<Undeclared> {
        Vec::new()
    }
}

/// A resource that is not declared any more, and what was found of it.
pub type Undeclared = (Declared, Result<Observation>);

/// What was found, per resource, in the order of the declaration.
pub struct Observed {
    /// The world's time when reading began.
    pub at: Timestamp,
    /// Found, or why not.
    pub resources: IndexMap<Address, Result<Observation, Error>>,
}
