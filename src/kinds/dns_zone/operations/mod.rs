//! What the engine runs for a zone: one operation that writes, and the looks around it.

mod addresses;
mod answers;
mod batch;
mod read_back;
mod verify;

use serde::{Deserialize, Serialize};

pub use addresses::{Addresses, Expected};
pub use answers::{Answers, Witness};
pub use batch::Batch;
pub use read_back::{ReadBack, SetAfter};
pub use verify::Verify;

use crate::apply::{Cx, Operation};
use crate::model::Data;
use crate::world::CallResult;
use crate::world::dns::Record;

/// A step's operation as the plan holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Look up Elastic IPs again.
    Addresses(Addresses),
    /// Read the zone again before anything is changed.
    Verify(Verify),
    /// One transaction of changes, forward or back.
    Batch(Batch),
    /// Read the change back through the API.
    ReadBack(ReadBack),
    /// Ask the name servers.
    Answers(Answers),
}

/// The operation that a step's data stands for.
pub(super) fn decode(operation: &Data) -> Result<Box<dyn Operation>, String> {
    let op: Op = operation.decode().map_err(|error| format!("an operation of a dns_zone cannot be read: {error}"))?;
    Ok(match op {
        Op::Addresses(op) => Box::new(op),
        Op::Verify(op) => Box::new(op),
        Op::Batch(op) => Box::new(op),
        Op::ReadBack(op) => Box::new(op),
        Op::Answers(op) => Box::new(op),
    })
}

/// All records of the zone that a step names.
async fn records(cx: &Cx<'_>, provider: &str, zone_id: &str) -> CallResult<Vec<Record>> {
    cx.readers.dns(cx.cloudflare(provider)?).await?.records(zone_id).await
}
