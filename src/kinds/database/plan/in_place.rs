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

/// One modification, one restart if it takes one, one call for tags; what cannot be undone comes last.
pub fn steps(builder: &mut Builder<'_>) {
    let intent = builder.intent;
    let Some(base) = &intent.base else { return };
    if intent.modify.is_empty() && intent.tags.is_empty() {
        return;
    }
    facts_of(builder, base);
    let (grows, can_be_undone) = apart(&intent.modify);
    if !can_be_undone.is_empty() {
        modify(builder, base, &can_be_undone);
    }
    if !intent.tags.is_empty() {
        tags(builder, intent, base);
    }
    if !grows.is_empty() {
        let first = can_be_undone.is_empty() && intent.tags.is_empty();
        grow(builder, base, &grows, first);
    }
}

/// What makes the storage grow, which nothing makes smaller again, with all that RDS wants to hear in the same call; and everything else.
fn apart(wanted: &Settings) -> (Settings, Settings) {
    const STORAGE: [&str; 5] = ["allocated_storage", "iops", "max_allocated_storage", "storage_throughput", "storage_type"];
    let grows = wanted.contains_key("allocated_storage");
    wanted.iter().map(|(name, value)| (name.clone(), value.clone())).partition(|(name, _)| grows && STORAGE.contains(&name.as_str()))
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

/// What these settings were. Storage that did not grow by itself is said to RDS as a limit that is the size.
fn before(base: &Instance, wanted: &Settings) -> Settings {
    let was = |name: &str| match (name, value_of(&base.settings, name)) {
        ("max_allocated_storage", Json::Null) => value_of(&base.settings, "allocated_storage"),
        (_, value) => value,
    };
    wanted.keys().map(|name| (name.clone(), was(name))).filter(|(_, value)| !value.is_null()).collect()
}

/// A modification of some settings; what is pending comes in with the first one, and may restart the instance too.
fn change(builder: &mut Builder<'_>, base: &Instance, wanted: &Settings, undo: Undo, first: bool) -> Draft {
    let name = &builder.intent.wanted.name;
    let brought: Vec<&str> = base.pending.keys().filter(|setting| first && !wanted.contains_key(*setting)).map(String::as_str).collect();
    let also = if brought.is_empty() { String::new() } else { format!(" (the pending {} comes in with it)", brought.join(", ")) };
    let list = wanted.keys().cloned().collect::<Vec<_>>().join(", ");
    let restart = if restarting(base, wanted, first) { ", which restarts it" } else { "" };
    Draft {
        slug: "modify".to_owned(),
        phase: Phase::Switch,
        title: format!("set {list} of {name}{also}{restart}"),
        op: call(builder, base, wanted.clone(), Settings::new()),
        undo,
        timeout: "modify",
    }
}

fn call(builder: &Builder<'_>, base: &Instance, settings: Settings, undoes: Settings) -> Op {
    let names = names(&[&builder.intent.wanted.name], &base.tags);
    Op::Modify(Modify { provider: builder.provider(), instance: by_id(&base.resource_id), settings, removal: false, undoes, names })
}

fn restarting(base: &Instance, wanted: &Settings, first: bool) -> bool {
    let mut all = if first { base.pending.clone() } else { Settings::new() };
    all.extend(wanted.clone());
    all.iter().any(|(setting, after)| restarts(setting, &value_of(&base.settings, setting), after).is_some())
}

fn modify(builder: &mut Builder<'_>, base: &Instance, wanted: &Settings) {
    let name = &builder.intent.wanted.name;
    let was = before(base, wanted);
    let title = format!("set {} back", was.keys().cloned().collect::<Vec<_>>().join(", "));
    // What somebody else left pending to the same value says nothing about our own call.
    let ours: Settings = wanted.iter().filter(|(name, value)| base.pending.get(*name) != Some(*value)).map(|(n, v)| (n.clone(), v.clone())).collect();
    let back = undo(title, &[call(builder, base, was, ours)]);
    let facts = builder.facts(&["instance", "pending"]);
    let draft = change(builder, base, wanted, back, true);
    let outage = restarting(base, wanted, true).then(|| Outage::Whole(name.clone()));
    let step = builder.push(draft);
    (step.facts, step.outage) = (facts, outage);
    if ["parameter_group_name", "option_group_name"].iter().any(|setting| wanted.contains_key(*setting)) {
        let names = names(&[name], &base.tags);
        let op = Op::Reboot(Reboot { provider: builder.provider(), instance: by_id(&base.resource_id), names });
        let step = builder.push(Draft {
            slug: "restart".to_owned(),
            phase: Phase::Switch,
            title: format!("restart {name} if its new group waits for it"),
            op,
            undo: Undo::Keep("a restart leaves nothing behind".to_owned()),
            timeout: "reboot",
        });
        step.outage = Some(Outage::Whole(format!("{name} (restart)")));
    }
}

/// Growing storage is for ever, so it waits until nothing else will be turned back.
fn grow(builder: &mut Builder<'_>, base: &Instance, wanted: &Settings, first: bool) {
    let name = &builder.intent.wanted.name;
    let facts = builder.facts(&["instance", "pending"]);
    let draft = change(builder, base, wanted, Undo::Impossible("RDS never shrinks storage".to_owned()), first);
    let outage = restarting(base, wanted, first).then(|| Outage::Whole(format!("{name} (growth)")));
    let step = builder.push(Draft { slug: "grow".to_owned(), phase: Phase::Retire, ..draft });
    let (from, to) = (value_of(&base.settings, "allocated_storage"), &wanted["allocated_storage"]);
    step.irreversible = Some(format!("the storage of {name} grows from {from} to {to} GiB and never shrinks"));
    step.outage = outage;
    // After our own modification the instance is not as it was any more.
    if first {
        step.facts = facts;
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
