//! What the steps of a database do, one file a group. Their data is the `operation` of a step: `{"type": "rename", …}`.

mod delete;
mod instance;
mod look;
mod modify;
mod rename;
mod restore;
mod sql;
mod tag;

use serde::{Deserialize, Serialize};

use crate::apply::Operation;
use crate::model::{Data, Json};

pub use delete::Delete;
pub use instance::{InstanceRef, MadeBy};
pub use look::{Confirm, Ready, WaitSnapshot};
pub use modify::{Modify, Reboot};
pub use rename::{Rename, Rival};
pub use restore::RestoreNext;
pub use sql::{Ask, Scrub};
pub use tag::{Keep, Tag, Untag};

pub use super::parity::Parity;

/// Every operation of this kind as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "each says what it does at its own type")]
pub enum Op {
    Tag(Tag),
    Untag(Untag),
    Keep(Keep),
    WaitSnapshot(WaitSnapshot),
    Restore(RestoreNext),
    Modify(Modify),
    Reboot(Reboot),
    Ready(Ready),
    Parity(Parity),
    Scrub(Scrub),
    Ask(Ask),
    Rename(Rename),
    Confirm(Confirm),
    Delete(Delete),
}

impl Op {
    /// As what the engine runs.
    #[must_use]
    pub fn boxed(self) -> Box<dyn Operation> {
        match self {
            Op::Tag(op) => Box::new(op),
            Op::Untag(op) => Box::new(op),
            Op::Keep(op) => Box::new(op),
            Op::WaitSnapshot(op) => Box::new(op),
            Op::Restore(op) => Box::new(op),
            Op::Modify(op) => Box::new(op),
            Op::Reboot(op) => Box::new(op),
            Op::Ready(op) => Box::new(op),
            Op::Parity(op) => Box::new(op),
            Op::Scrub(op) => Box::new(op),
            Op::Ask(op) => Box::new(op),
            Op::Rename(op) => Box::new(op),
            Op::Confirm(op) => Box::new(op),
            Op::Delete(op) => Box::new(op),
        }
    }

    /// As it stands in a step.
    #[must_use]
    pub fn to_data(&self) -> Data {
        Data::of(self).unwrap_or_else(|_| Json::Null.into())
    }
}

/// The operation behind a step's data.
///
/// # Errors
/// A fragment that names the unknown type or field.
pub fn decode(operation: &Data) -> Result<Box<dyn Operation>, String> {
    operation.decode::<Op>().map(Op::boxed).map_err(|why| format!("not an operation of a database: {why}"))
}

#[cfg(test)]
mod manners;
#[cfg(test)]
mod tests;
