//! Instances of ours whose block is gone: what `--prune` removes.
//!
//! Only what earlier runs *made* for this environment counts, which the snapshot's tag proves. An instance that was there before and only got our
//! mark, because a run replaced it or was about to, is left alone; and so is one that is kept until a time that has not come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::desired::Wanted;
use super::intent::Intent;
use super::marks::{self, Tags};
use super::schema;
use super::status::{Class, class};
use crate::declare::desired::NO_LONGER_DECLARED;
use crate::declare::{Attr, Common, Declared, Node, Provider, Typed};
use crate::diff::{Action, AttributeChange, Change, DiffCx};
use crate::model::{Address, Exit, Result, SourceFile, Span, Value, time};
use crate::observe::{ObserveCx, Undeclared};
use crate::world::provider::AwsProvider;
use crate::world::rds::{Instance, Settings};

/// One instance of a resource that is not declared any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Remnant {
    /// The provider through which it was found.
    pub provider: String,
    /// `ACCOUNT/REGION`.
    pub place: String,
    /// It.
    pub instance: Instance,
}

/// All instances of one such resource.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Remains(Vec<Remnant>);

/// Looks through every AWS account and region of the environment.
pub async fn look(cx: &ObserveCx<'_>) -> Vec<Undeclared> {
    let mut remains: BTreeMap<Address, Remains> = BTreeMap::new();
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for provider in cx.desired.providers.values() {
        let Provider::Aws(aws) = provider else { continue };
        match instances(aws, cx).await {
            Ok((account, instances)) => {
                let place = format!("{account}/{}", aws.region);
                for (address, instance) in instances.into_iter().filter_map(|instance| Some((gone(&instance, cx)?, instance))) {
                    if seen.insert((place.clone(), instance.resource_id.clone())) {
                        let remnant = Remnant { provider: aws.name.clone(), place: place.clone(), instance };
                        remains.entry(address).or_default().0.push(remnant);
                    }
                }
            }
            Err(error) => found.push((without_block(Address::new(schema::BLOCK.name, format!("* of {}", aws.name)), &aws.name), Err(error))),
        }
    }
    for (address, mut remains) in remains {
        remains.0.sort_by(|a, b| (&a.place, &a.instance.identifier).cmp(&(&b.place, &b.instance.identifier)));
        let provider = remains.0.first().map_or_else(String::new, |remnant| remnant.provider.clone());
        found.push((without_block(address, &provider), Ok(Box::new(remains) as crate::observe::Observation)));
    }
    found
}

async fn instances(aws: &AwsProvider, cx: &ObserveCx<'_>) -> Result<(String, Vec<Instance>)> {
    let failed = |error: crate::world::CallError| error.into_error(Exit::Error).within(format!("cannot list the instances of {}", aws.name));
    let door = cx.readers.rds(aws).await.map_err(failed)?;
    let found = door.instances().await.map_err(failed)?;
    Ok((door.account_id().to_owned(), found))
}

/// The address that an instance's tags name, if it is of this environment and declared no more.
fn gone(instance: &Instance, cx: &ObserveCx<'_>) -> Option<Address> {
    if instance.tags.get(marks::ENVIRONMENT) != Some(&cx.desired.environment) {
        return None;
    }
    let address: Address = instance.tags.get(marks::RESOURCE)?.parse().ok()?;
    (address.kind == schema::BLOCK.name && cx.desired.resource(&address).is_none()).then_some(address)
}

/// Stands for the block that is not there.
fn without_block(address: Address, provider: &str) -> Declared {
    let file = Arc::new(SourceFile { path: NO_LONGER_DECLARED.to_owned(), text: String::new() });
    let span = Span { file, range: 0..0 };
    let provider = Attr { value: Value::Reference(provider.to_owned()), key: span.clone(), span: span.clone() };
    let labels = vec![(address.name.clone(), span.clone())];
    let attributes = [("provider", provider)].into_iter().collect();
    Declared {
        address,
        common: Common::default(),
        body: Node { spec: &schema::BLOCK, labels, span, attributes, blocks: Vec::new() },
        typed: Typed::default(),
    }
}

/// What of it is removed. Pure.
pub fn diff(wanted: Wanted, remains: &Remains, cx: &DiffCx<'_>) -> Change {
    let mut change = Change::none(wanted.address.clone());
    let mut prune = Vec::new();
    for remnant in &remains.0 {
        let Instance { identifier, tags, status, .. } = &remnant.instance;
        let keep_until = marks::moment(tags, marks::KEEP_UNTIL);
        if class(status) == Class::Deleting {
            change.notes.push(format!("{identifier} is being deleted already"));
        } else if let Some(until) = keep_until.filter(|until| *until > cx.now) {
            change.notes.push(format!("{identifier} is kept until {}: --prune removes it then", time::minute(until)));
        } else if keep_until.is_none() && !tags.contains_key(marks::SNAPSHOT) {
            change.notes.push(format!("{identifier} bears our tags, but no run of ours made it: it is left alone"));
        } else if marks::is_copy(&remnant.instance) || has_twin(remnant, remains) {
            change.notes.push(format!(
                "{identifier} bears the tags of another instance, as what is restored from a snapshot of it does: it is left alone, and deleted by hand if at all"
            ));
        } else {
            prune.push(remnant.clone());
        }
    }
    if prune.is_empty() {
        return change;
    }
    change.action = Action::Delete;
    change.reasons.push(format!("{} is no longer declared, and --prune was given", wanted.address));
    change.rows().extend(prune.iter().flat_map(attributes));
    let intent =
        Intent { wanted, base: None, recover: None, leftover: None, finish: None, refresh: None, modify: Settings::new(), tags: Tags::new(), prune };
    change.detail = Some(Box::new(intent));
    change
}

/// Whether another instance bears the tags of the same step of the same run, which made one: then tags do not tell which.
fn has_twin(remnant: &Remnant, remains: &Remains) -> bool {
    let marks = |remnant: &Remnant| [marks::RUN, marks::STEP].map(|key| remnant.instance.tags.get(key).cloned());
    let own = marks(remnant);
    own.iter().all(Option::is_some) && remains.0.iter().filter(|other| marks(other) == own).count() > 1
}

/// What goes, in a few lines.
fn attributes(Remnant { place, instance, .. }: &Remnant) -> Vec<AttributeChange> {
    let row = |name: &str, before: Json, note: Option<String>| AttributeChange {
        name: format!("{}.{name}", instance.identifier),
        before,
        after: Json::Null,
        note,
    };
    let snapshot = instance.tags.get(marks::SNAPSHOT).map(|snapshot| row("snapshot", Json::from(snapshot.as_str()), None));
    let class = instance.settings.get("instance_class").map(|class| row("instance_class", class.clone(), None));
    let id = row("resource_id", Json::from(instance.resource_id.as_str()), Some(place.clone()));
    [Some(id), class, snapshot].into_iter().flatten().collect()
}
