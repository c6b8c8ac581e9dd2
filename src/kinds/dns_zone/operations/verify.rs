//! *verify*: the zone is still as it was observed, as far as the plan relies on it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::facts::{Places, free, records_by_id};
use super::super::rows::some;
use crate::apply::operation::Outputs;
use crate::apply::{Cx, Look, Operation, StartCx};
use crate::model::Json;
use crate::world::CallResult;

/// Lines that a conflict shows.
const SHOWN_MAX: usize = 10;

/// Every record to be changed or removed is as observed, every name of a new one is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The Cloudflare provider.
    pub provider: String,
    /// The zone's name.
    pub zone: String,
    /// The id that this name must still have.
    pub zone_id: String,
    /// Id → type, name and content of the records to be changed or removed.
    pub records: BTreeMap<String, String>,
    /// Where records shall be made.
    pub places: Places,
}

#[async_trait]
impl Operation for Verify {
    fn name(&self) -> &'static str {
        "cloudflare:records"
    }

    fn writes(&self) -> Vec<String> {
        Vec::new()
    }

    fn starts(&self) -> bool {
        false
    }

    fn conflict_is_stale(&self) -> bool {
        true
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let door = cx.readers.dns(cx.cloudflare(&self.provider)?).await?;
        match door.zone(&self.zone).await? {
            Some(zone) if zone.id == self.zone_id => {}
            Some(zone) => return Ok(Look::Conflict(format!("the zone {} has the id {} and not {}", self.zone, zone.id, self.zone_id))),
            None => return Ok(Look::Conflict(format!("the zone {} is not there any more", self.zone))),
        }
        let records = door.records(&self.zone_id).await?;
        let mut wrong: Vec<String> = records_by_id(self.records.keys(), &records)
            .into_iter()
            .filter_map(|(id, found)| {
                let planned = self.records.get(id)?;
                match found {
                    Some(line) if line == *planned => None,
                    Some(line) => Some(format!("{planned} has become {line}")),
                    None => Some(format!("{planned} is gone")),
                }
            })
            .collect();
        for (place, found) in free(&self.places, &records) {
            if let Json::Array(lines) = found {
                let lines: Vec<&str> = lines.iter().filter_map(Json::as_str).collect();
                wrong.push(format!("in the way of {place}: {}", lines.join(", ")));
            }
        }
        if wrong.is_empty() {
            let detail = format!("{} records as planned, {} names free", self.records.len(), self.places.sets.len());
            return Ok(Look::Done { outputs: Outputs::new(), detail });
        }
        let count = wrong.len();
        Ok(Look::Conflict(format!("the zone {} is not as it was planned with: {}", self.zone, some(wrong.into_iter(), count, SHOWN_MAX))))
    }

    async fn start(&self, _cx: &StartCx<'_>) -> CallResult<()> {
        Ok(())
    }
}
