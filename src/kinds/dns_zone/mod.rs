//! The records of one Cloudflare zone.
//!
//! # Procedure
//! *prepare* looks up the Elastic IPs behind changed answers again; *verify* reads the zone and compares what the plan relies on; *switch* sends
//! all changes in one batch call, which the service carries out as one transaction in the order deletes, patches, posts; *confirm* reads the
//! changed sets back through the API, then asks every name server until all answer as declared. Nothing is left to *retire*.
//!
//! # Guarantees
//! - A declared name and type is owned as a whole set; everything else is foreign and untouched, unless `answers` is `"all"`. SOA and the NS
//!   records of the zone itself are never touched.
//! - A changed answer is a patch with id, type, name and content, so that the record keeps its id, TTL, proxying, comment and tags. A, AAAA and CNAME
//!   turn into one another by patch too: the name never lacks an answer.
//! - The undo of a batch is the inverse batch, computed when the plan is made from what was observed.
//! - A lost answer is resolved by looking, change by change; a second call is never needed to find out.
//!
//! # Assumptions
//! Names and contents arrive from the doors in canonical form (`model::record`). Nobody else changes the declared sets during a run: what the plan
//! relies on is checked just before the call, but the API has no conditional update, so a change within that moment is overwritten.
//!
//! # Caveats
//! A batch is one transaction in Cloudflare's database; its servers take the records over one by one. A removed record that the undo makes again
//! has a new id. More changes than one call may hold are several transactions, and the plan warns. Answers for proxied records are
//! Cloudflare's own addresses, so only their presence is confirmed; delegated names are confirmed through the API alone.

mod addresses;
mod batch;
mod check;
mod desired;
mod diff;
mod facts;
mod observe;
mod operations;
mod pairing;
mod places;
mod plan;
mod questions;
mod rows;
mod safety;
mod schema;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use async_trait::async_trait;

use crate::apply::{Cx, Operation, Operations};
use crate::declare::{BlockSpec, Declared, Desired, KindSchema, TimeoutSpec};
use crate::diff::{Change, DiffCx, Differ};
use crate::model::{Data, Error, Exit, Problem, Result};
use crate::observe::{Observation, ObserveCx, Observer};
use crate::plan::{Part, PlanCx, Planner};
use crate::world::CallResult;

use diff::ZoneDetail;
use observe::ZoneObservation;

/// The kind.
pub struct DnsZone;

/// The only one of it, for the list of kinds.
pub static KIND: DnsZone = DnsZone;

/// The kind's own observation, as it was handed out.
fn own(observation: &Observation) -> Result<&ZoneObservation> {
    observation
        .downcast_ref()
        .ok_or_else(|| Error::new(Exit::Error, "a dns_zone was given the observation of another kind", "this is a bug: please report it"))
}

impl KindSchema for DnsZone {
    fn block(&self) -> &'static BlockSpec {
        &schema::BLOCK
    }

    fn timeouts(&self) -> &'static [TimeoutSpec] {
        &schema::TIMEOUTS
    }

    fn check(&self, declared: &Declared, desired: &Desired) -> Vec<Problem> {
        check::check(declared, desired)
    }

    fn check_together(&self, desired: &Desired) -> Vec<Problem> {
        check::check_together(desired)
    }
}

#[async_trait]
impl Observer for DnsZone {
    async fn observe(&self, declared: &Declared, cx: &ObserveCx<'_>) -> Result<Observation> {
        Ok(Box::new(observe::observe(declared, cx).await?))
    }
}

impl Differ for DnsZone {
    fn diff(&self, declared: &Declared, observation: &Observation, _cx: &DiffCx<'_>) -> Result<Change> {
        diff::diff(&declared.address, own(observation)?)
    }
}

impl Planner for DnsZone {
    fn plan(&self, declared: &Declared, observation: &Observation, change: &Change, cx: &PlanCx<'_>) -> Result<Part> {
        match change.detail.as_ref().and_then(|detail| detail.downcast_ref::<Arc<ZoneDetail>>()) {
            Some(detail) => plan::plan(declared, own(observation)?, detail, cx),
            None => Ok(Part::default()),
        }
    }
}

#[async_trait]
impl Operations for DnsZone {
    fn decode(&self, operation: &Data) -> Result<Box<dyn Operation>, String> {
        operations::decode(operation)
    }

    async fn read_fact(&self, read: &Data, cx: &Cx<'_>) -> CallResult<Data> {
        facts::read(read, cx).await
    }
}
