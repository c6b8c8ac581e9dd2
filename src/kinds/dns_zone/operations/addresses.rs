//! *prepare*: the Elastic IPs that the plan relies on, looked up again.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::addresses::AddressBook;
use super::super::facts::elastic_ips;
use crate::apply::operation::Outputs;
use crate::apply::{Cx, Look, Operation, StartCx};
use crate::world::CallResult;

/// Every name must still stand for the address that was planned with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// By provider.
    pub expected: Vec<Expected>,
}

/// Names of one provider's account and region, with their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The AWS provider.
    pub provider: String,
    /// Name → address.
    pub addresses: BTreeMap<String, String>,
}

#[async_trait]
impl Operation for Addresses {
    fn name(&self) -> &'static str {
        "ec2:DescribeAddresses"
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
        let (mut lines, mut moved) = (Vec::new(), Vec::new());
        for Expected { provider, addresses } in &self.expected {
            let book = AddressBook::read(cx.readers, cx.aws(provider)?).await?;
            let names: BTreeSet<String> = addresses.keys().cloned().collect();
            for (name, found) in elastic_ips(&names, &book) {
                match addresses.get(&name) {
                    Some(planned) if *planned == found => lines.push(format!("{name} ({provider}): {found}")),
                    planned => moved.push(format!("{name} ({provider}) was {} and is {found}", planned.map_or("unknown", String::as_str))),
                }
            }
        }
        if moved.is_empty() {
            Ok(Look::Done { outputs: Outputs::new(), detail: lines.join("\n") })
        } else {
            Ok(Look::Conflict(format!("Elastic IPs are not what was planned with: {}", moved.join("; "))))
        }
    }

    async fn start(&self, _cx: &StartCx<'_>) -> CallResult<()> {
        Ok(())
    }
}
