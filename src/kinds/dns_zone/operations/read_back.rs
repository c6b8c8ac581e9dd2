//! *confirm*, first part: the API shows every changed set exactly as declared.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::records;
use crate::apply::operation::Outputs;
use crate::apply::{Cx, Look, Operation, Progress, StartCx};
use crate::world::CallResult;

/// Every changed set, read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// The Cloudflare provider.
    pub provider: String,
    /// The zone's name.
    pub zone: String,
    /// The zone's id.
    pub zone_id: String,
    /// The sets.
    pub sets: Vec<SetAfter>,
}

/// A set as it must be after the switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAfter {
    /// All its answers, sorted; none when it must be gone.
    pub contents: Vec<String>,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
}

#[async_trait]
impl Operation for ReadBack {
    fn name(&self) -> &'static str {
        "cloudflare:records"
    }

    fn writes(&self) -> Vec<String> {
        Vec::new()
    }

    fn starts(&self) -> bool {
        false
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let records = records(cx, &self.provider, &self.zone_id).await?;
        let mut found: HashMap<(&str, &str), Vec<&str>> = self.sets.iter().map(|set| ((set.name.as_str(), set.rtype.as_str()), Vec::new())).collect();
        for record in &records {
            if let Some(contents) = found.get_mut(&(record.name.as_str(), record.rtype.as_str())) {
                contents.push(&record.content);
            }
        }
        for contents in found.values_mut() {
            contents.sort_unstable();
        }
        let right = |set: &&SetAfter| found.get(&(set.name.as_str(), set.rtype.as_str())).is_some_and(|contents| *contents == set.contents);
        let count = self.sets.iter().filter(right).count();
        let words = format!("{count} of {} sets of {} as declared", self.sets.len(), self.zone);
        if count == self.sets.len() {
            return Ok(Look::Done { outputs: Outputs::new(), detail: words });
        }
        let percent = u8::try_from(count * 100 / self.sets.len()).ok();
        Ok(Look::Settling(Progress { status: words, percent }))
    }

    async fn start(&self, _cx: &StartCx<'_>) -> CallResult<()> {
        Ok(())
    }
}
