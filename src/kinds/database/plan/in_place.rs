//! Settings and tags that the running instance can take.

use super::super::facts::{self, Read};
use super::super::intent::Intent;
use super::super::marks::Tags;
use super::super::operations::{Modify, Op, Reboot, Tag, Untag};
use super::super::settings::{restarts, value_of};
use super::builder::{Builder, Draft, by_id, names, tagging, undo};
use crate::model::{Json, Phase};
use crate::plan::{Outage, Undo};
use crate::world::rds::{Instance, Settings};

/// One modification, one restart if it takes one, one call for tags.
pub fn steps(builder: &mut Builder<'_>) {
    let intent = builder.intent;
    let Some(base) = &intent.base else { return };
    if intent.modify.is_empty() && intent.tags.is_empty() {
        return;
    }
    facts_of(builder, base);
    if !intent.modify.is_empty() {
        modify(builder, intent, base);
    }
    if !intent.tags.is_empty() {
        tags(builder, intent, base);
    }
}

/// Identity, settings and pending modifications of the instance.
pub fn facts_of(builder: &mut Builder<'_>, base: &Instance) {
    let (provider, resource_id) = (builder.provider(), base.resource_id.clone());
    let name = builder.intent.wanted.name.clone();
    let read = Read::Instance { provider: provider.clone(), resource_id: resource_id.clone() };
    builder.fact("instance", format!("{name}: identity, status, settings, tags"), &read, facts::instance_value(Some(base)));
    let read = Read::Pending { provider, resource_id };
    builder.fact("pending", format!("{name}: pending modifications"), &read, facts::pending_value(Some(base)));
}

fn modify(builder: &mut Builder<'_>, intent: &Intent, base: &Instance) {
    let name = &intent.wanted.name;
    let guarded = names(&[name], &base.tags);
    let before: Settings = intent
        .modify
        .keys()
        .filter(|setting| *setting != "allocated_storage")
        .map(|setting| (setting.clone(), value_of(&base.settings, setting)))
        .filter(|(_, value)| !value.is_null())
        .collect();
    let make = |settings: Settings| {
        Op::Modify(Modify {
            provider: intent.wanted.provider.clone(),
            instance: by_id(&base.resource_id),
            settings,
            removal: false,
            names: guarded.clone(),
        })
    };
    let grows = intent.modify.contains_key("allocated_storage");
    let back = match (before.is_empty(), grows) {
        (true, _) => Undo::Impossible("RDS never shrinks storage".to_owned()),
        (false, _) => undo(format!("set {} back", before.keys().cloned().collect::<Vec<_>>().join(", ")), &[make(before)]),
    };
    // What is pending comes in with our own call, and may restart it too.
    let brought: Vec<&String> = base.pending.keys().filter(|setting| !intent.modify.contains_key(*setting)).collect();
    let mut all = base.pending.clone();
    all.extend(intent.modify.clone());
    let restart = all.iter().any(|(setting, after)| restarts(setting, &value_of(&base.settings, setting), after).is_some());
    let also = brought.iter().map(|setting| setting.as_str()).collect::<Vec<_>>().join(", ");
    let also = if also.is_empty() { also } else { format!(" (the pending {also} comes in with it)") };
    let list = intent.modify.keys().cloned().collect::<Vec<_>>().join(", ");
    let facts = builder.facts(&["instance", "pending"]);
    let groups_change = ["parameter_group_name", "option_group_name"].iter().any(|setting| intent.modify.contains_key(*setting));
    let step = builder.push(Draft {
        slug: "modify".to_owned(),
        phase: Phase::Switch,
        title: format!("set {list} of {name}{also}{}", if restart { ", which restarts it" } else { "" }),
        op: make(intent.modify.clone()),
        undo: back,
        timeout: "modify",
    });
    step.facts = facts;
    step.outage = restart.then(|| Outage::Whole(name.clone()));
    if grows {
        let (from, to) = (value_of(&base.settings, "allocated_storage"), &intent.modify["allocated_storage"]);
        step.irreversible = Some(format!("the storage of {name} grows from {from} to {to} GiB and never shrinks"));
    }
    if groups_change {
        let op = Op::Reboot(Reboot { provider: builder.provider(), instance: by_id(&base.resource_id), names: guarded.clone() });
        let step = builder.push(Draft {
            slug: "restart".to_owned(),
            phase: Phase::Switch,
            title: format!("restart {name} if its new group waits for it"),
            op,
            undo: Undo::Keep("a restart leaves nothing behind".to_owned()),
            timeout: "reboot",
        });
        step.outage = Some(Outage::Whole(name.clone()));
    }
}

fn tags(builder: &mut Builder<'_>, intent: &Intent, base: &Instance) {
    let name = &intent.wanted.name;
    let instance = by_id(&base.resource_id);
    let mut all = base.tags.clone();
    all.extend(intent.tags.clone());
    let op = Op::Tag(Tag { provider: builder.provider(), instance, tags: intent.tags.clone(), names: names(&[name], &all) });
    let back = tags_back(&intent.wanted.provider, base, &intent.tags, &names(&[name], &all));
    let facts = builder.facts(&["instance"]);
    let first = intent.modify.is_empty();
    let step = builder.push(Draft {
        slug: "tags".to_owned(),
        phase: Phase::Switch,
        title: format!("set the tags {} of {name}", intent.tags.keys().cloned().collect::<Vec<_>>().join(", ")),
        op,
        undo: back,
        timeout: "modify",
    });
    tagging(step);
    // After our own modification the instance is not as it was any more.
    if first {
        step.facts = facts;
    }
}

/// Exactly the tag values there were: old values again, new keys gone.
pub fn tags_back(provider: &str, base: &Instance, written: &Tags, guarded: &[String]) -> Undo {
    let instance = by_id(&base.resource_id);
    let before: Tags = written.keys().filter_map(|key| Some((key.clone(), base.tags.get(key)?.clone()))).collect();
    let keys: Vec<String> = written.keys().filter(|key| !base.tags.contains_key(*key)).cloned().collect();
    let mut operations = Vec::new();
    if !before.is_empty() {
        operations.push(Op::Tag(Tag { provider: provider.to_owned(), instance: instance.clone(), tags: before, names: guarded.to_vec() }));
    }
    if !keys.is_empty() {
        operations.push(Op::Untag(Untag { provider: provider.to_owned(), instance, keys, names: guarded.to_vec() }));
    }
    undo("put back the tags there were", &operations)
}

/// A bool setting of an instance.
pub fn is_on(instance: &Instance, name: &str) -> bool {
    instance.settings.get(name) == Some(&Json::Bool(true))
}
