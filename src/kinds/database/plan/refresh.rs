//! A new instance beside the old one, proven, switched, confirmed.

use super::super::connect::Connect;
use super::super::desired::{Check, Expect};
use super::super::facts::{self, Read};
use super::super::intent::Refreshing;
use super::super::marks::{self, Tags};
use super::super::operations::{
    Ask, Confirm, Delete, InstanceRef, MadeBy, Modify, Op, Parity, Ready, Reboot, Rename, RestoreNext, Scrub, Tag, WaitSnapshot,
};
use super::super::settings;
use super::builder::{Builder, Draft, by_id, names, tagging, undo};
use super::in_place::{facts_of, tags_back};
use super::left_over::protection;
use super::retire;
use crate::model::{Json, Phase, time};
use crate::plan::{Outage, Undo};
use crate::world::rds::{Instance, Restore, Settings};

/// What the refresh relies on.
pub fn facts(builder: &mut Builder<'_>, refreshing: &Refreshing) {
    let intent = builder.intent;
    let wanted = &intent.wanted;
    let provider = builder.provider();
    if let Some(base) = &intent.base {
        facts_of(builder, base);
    } else {
        let read = Read::NameFree { provider: provider.clone(), name: wanted.name.clone(), except: Vec::new() };
        builder.fact("name-free", format!("no instance is called {}", wanted.name), &read, Json::Bool(true));
    }
    let snapshot = &refreshing.snapshot;
    // RDS settles the time of a snapshot when it is complete.
    let timed = snapshot.created.is_some() && snapshot.status == "available";
    let read = Read::Snapshot { provider: provider.clone(), identifier: snapshot.identifier.clone(), timed };
    let title = format!("newest snapshot of {}: {}", refreshing.rules.source, snapshot.identifier);
    builder.fact("snapshot", title, &read, facts::snapshot_value(Some(snapshot), timed));
    let leftover = intent.leftover.iter().map(|found| found.resource_id.clone()).collect();
    let olds = intent.finish.iter().map(|finish| finish.retiring.old.resource_id.clone());
    let olds = olds.chain(intent.recover.iter().map(|recover| recover.resource_id.clone())).collect();
    for (slug, name, except) in [("next-free", &wanted.next, leftover), ("old-free", &wanted.old, olds)] {
        let read = Read::NameFree { provider: provider.clone(), name: name.clone(), except };
        builder.fact(slug, format!("no other instance is called {name}"), &read, Json::Bool(true));
    }
}

/// The instance that this run makes.
fn new_instance(builder: &Builder<'_>) -> InstanceRef {
    let wanted = &builder.intent.wanted;
    InstanceRef::MadeBy(MadeBy {
        step: builder.id("restore"),
        names: vec![wanted.next.clone(), wanted.name.clone()],
        owner: wanted.owner.clone(),
        except: builder.intent.base.as_ref().map(|base| base.resource_id.clone()),
    })
}

/// All steps, in order.
pub fn steps(builder: &mut Builder<'_>, refreshing: &Refreshing) {
    let intent = builder.intent;
    let new = new_instance(builder);
    if let Some(base) = &intent.base {
        mark_old(builder, base);
    }
    wait_for_snapshot(builder, refreshing);
    restore(builder, refreshing);
    settle(builder, refreshing, &new);
    prove(builder, refreshing, &new);
    switch(builder, refreshing, &new);
    confirm(builder, &new);
    let guarded = names(&[&intent.wanted.name], &refreshing.tags);
    retire::catch_up(builder, &new, &refreshing.later, &guarded);
    match &intent.base {
        Some(base) if refreshing.rules.keep_old.is_zero() => retire::delete(builder, base, Some(&refreshing.rules), Phase::Retire),
        Some(base) => retire::keep(builder, base, &refreshing.rules),
        None => {}
    }
}

fn mark_old(builder: &mut Builder<'_>, base: &Instance) {
    let wanted = &builder.intent.wanted;
    let written = wanted.owner.tags(builder.run, &builder.id("mark-old"));
    let guarded = names(&[&wanted.name], &base.tags);
    let op = Op::Tag(Tag { provider: wanted.provider.clone(), instance: by_id(&base.resource_id), tags: written.clone(), names: guarded.clone() });
    let facts = builder.facts(&["instance", "pending", "snapshot", "next-free", "old-free"]);
    let step = builder.push(Draft {
        slug: "mark-old".to_owned(),
        phase: Phase::Prepare,
        title: format!("tag {} as ours, so that it is known again once it is renamed", wanted.name),
        op,
        undo: tags_back(&wanted.provider, base, &written, &guarded),
        timeout: "modify",
    });
    step.facts = facts;
    tagging(step);
}

fn wait_for_snapshot(builder: &mut Builder<'_>, refreshing: &Refreshing) {
    let snapshot = &refreshing.snapshot;
    let made = snapshot.status == "available";
    let title =
        if made { format!("the snapshot {} is complete", snapshot.identifier) } else { format!("wait for the snapshot {}", snapshot.identifier) };
    let op = Op::WaitSnapshot(WaitSnapshot { provider: builder.provider(), snapshot: snapshot.identifier.clone() });
    let step = builder.push(Draft { slug: "snapshot".to_owned(), phase: Phase::Prepare, title, op, undo: Undo::Nothing, timeout: "snapshot" });
    if made {
        step.limits.expected = std::time::Duration::ZERO;
    }
}

fn restore(builder: &mut Builder<'_>, refreshing: &Refreshing) {
    let intent = builder.intent;
    let wanted = &intent.wanted;
    let new = new_instance(builder);
    let mut tags: Tags = refreshing.tags.clone();
    tags.extend(wanted.owner.tags(builder.run, &builder.id("restore")));
    tags.insert(marks::SNAPSHOT.to_owned(), refreshing.snapshot.identifier.clone());
    if let Some(base) = &intent.base {
        tags.insert(marks::REPLACES.to_owned(), base.resource_id.clone());
    }
    let until_switch = settings::until_switch(&refreshing.target.settings, &refreshing.later);
    let restore = Restore {
        identifier: wanted.next.clone(),
        snapshot: refreshing.snapshot.identifier.clone(),
        settings: settings::in_restore(&with_protection_off(until_switch)),
        tags,
    };
    let guarded = names(&[&wanted.next], &refreshing.tags);
    let provider = wanted.provider.clone();
    let back = [
        Op::Modify(Modify {
            provider: provider.clone(),
            instance: new.clone(),
            settings: protection(false),
            removal: true,
            undoes: Settings::new(),
            names: guarded.clone(),
        }),
        Op::Delete(Delete {
            provider: provider.clone(),
            instance: new,
            name: wanted.next.clone(),
            owner: wanted.owner.clone(),
            final_snapshot: None,
            delete_automated_backups: true,
            names: guarded,
        }),
    ];
    let facts = builder.facts(&["instance", "snapshot", "next-free", "old-free", "name-free"]);
    let age = refreshing.snapshot.created.map_or_else(String::new, |at| format!(" ({})", time::minute(at)));
    let step = builder.push(Draft {
        slug: "restore".to_owned(),
        phase: Phase::Prepare,
        title: format!("restore {} from {}{age}", wanted.next, refreshing.snapshot.identifier),
        op: Op::Restore(RestoreNext { provider, restore, owner: wanted.owner.clone(), snapshot_step: format!("{}/snapshot", wanted.address) }),
        undo: undo(format!("delete {}, its protection lifted first", wanted.next), &back),
        timeout: "restore",
    });
    step.facts = facts;
}

/// Nothing is born protected: what fails before the switch is removed.
fn with_protection_off(mut settings: crate::world::rds::Settings) -> crate::world::rds::Settings {
    settings.insert("deletion_protection".to_owned(), Json::Bool(false));
    settings
}

/// Nothing of its own is done: the new instance goes as a whole.
fn goes_with(next: &str) -> Undo {
    undo(format!("nothing of its own: {next} is deleted as a whole"), &[])
}

/// From "restored" to "as it must be": the first backup, what a restore cannot carry, a restart if one is due.
fn settle(builder: &mut Builder<'_>, refreshing: &Refreshing, new: &InstanceRef) {
    let wanted = &builder.intent.wanted;
    let (provider, next) = (builder.provider(), wanted.next.clone());
    let gone = || goes_with(&wanted.next);
    let guarded = names(&[&next], &refreshing.tags);
    let ready = || Op::Ready(Ready { provider: provider.clone(), instance: new.clone() });
    let prepare = |slug: &str, title: String, op: Op, undo: Undo, timeout: &'static str| Draft {
        slug: slug.to_owned(),
        phase: Phase::Prepare,
        title,
        op,
        undo,
        timeout,
    };
    let until_switch = with_protection_off(settings::until_switch(&refreshing.target.settings, &refreshing.later));
    if until_switch.get("backup_retention_period").and_then(Json::as_i64) != Some(0) {
        builder.push(prepare("first-backup", format!("wait for the first backup of {next}"), ready(), Undo::Nothing, "backup"));
    }
    let op = Op::Modify(Modify {
        provider: provider.clone(),
        instance: new.clone(),
        settings: until_switch,
        removal: false,
        undoes: Settings::new(),
        names: guarded.clone(),
    });
    let title = format!("set what the restore could not set of {next}");
    let step = builder.push(prepare("settings", title, op, gone(), "modify"));
    // RDS may begin a backup unasked, and takes no modification until it is done.
    step.limits.timeout = step.limits.timeout.max(wanted.timeout("backup").0);
    let op = Op::Reboot(Reboot { provider: provider.clone(), instance: new.clone(), names: guarded.clone() });
    let step = builder.push(prepare("reboot", format!("restart {next}, only if a parameter group waits for that"), op, gone(), "reboot"));
    step.limits.expected = std::time::Duration::ZERO;
    let step = builder.push(prepare("ready", format!("wait until {next} is available for its tests"), ready(), Undo::Nothing, "backup"));
    step.limits.expected = std::time::Duration::ZERO;
    if !wanted.scrub.is_empty() {
        let tags = Tags::from([(marks::STEP.to_owned(), builder.id("scrub"))]);
        let op = Op::Tag(Tag { provider: provider.clone(), instance: new.clone(), tags, names: guarded });
        let title = format!("tag {next}: from here on it may be scrubbed");
        tagging(builder.push(prepare("mark-scrub", title, op, gone(), "modify")));
    }
}

fn prove(builder: &mut Builder<'_>, refreshing: &Refreshing, new: &InstanceRef) {
    let intent = builder.intent;
    let wanted = &intent.wanted;
    // A zone that nobody declared is RDS's to choose where the service does not follow us.
    let zone_declared = wanted.settings.contains_key("availability_zone");
    let op = Op::Parity(Parity {
        provider: builder.provider(),
        old: intent.base.as_ref().map(|base| base.resource_id.clone()),
        instance: new.clone(),
        settings: refreshing.target.settings.clone(),
        later: refreshing.later.clone(),
        lenient: if zone_declared { Vec::new() } else { vec!["availability_zone".to_owned()] },
        tags: refreshing.tags.clone(),
    });
    let title = format!("compare every setting and tag of {} with what it must be", wanted.next);
    builder.push(Draft { slug: "parity".to_owned(), phase: Phase::Verify, title, op, undo: Undo::Nothing, timeout: "check" });
    let Some(connect) = &wanted.connect else { return };
    if !wanted.scrub.is_empty() {
        let guarded = names(&[&wanted.next], &refreshing.tags);
        let op = Op::Scrub(Scrub {
            provider: builder.provider(),
            instance: new.clone(),
            connect: connect.clone(),
            statements: wanted.scrub.clone(),
            names: guarded,
        });
        builder.push(Draft {
            slug: "scrub".to_owned(),
            phase: Phase::Verify,
            title: format!(
                "scrub {} in one transaction ({} script{})",
                wanted.next,
                wanted.scrub.len(),
                if wanted.scrub.len() == 1 { "" } else { "s" }
            ),
            op,
            undo: goes_with(&wanted.next),
            timeout: "scrub",
        });
    }
    let drafts = wanted.checks.iter().enumerate().map(|(index, check)| ask(builder, new, connect, index + 1, check)).collect();
    builder.push_all(drafts);
}

fn ask(builder: &Builder<'_>, new: &InstanceRef, connect: &Connect, number: usize, check: &Check) -> Draft {
    let expected: Vec<String> = check
        .expect
        .iter()
        .map(|expect| match expect {
            Expect::Equals(value) => format!("= {value}"),
            Expect::AtLeast(value) => format!("≥ {value}"),
            Expect::AtMost(value) => format!("≤ {value}"),
            Expect::Anything => "any answer".to_owned(),
        })
        .collect();
    Draft {
        slug: format!("check-{number}"),
        phase: Phase::Verify,
        title: format!("check: {} ({})", check.title, expected.join(", ")),
        op: Op::Ask(Ask {
            provider: builder.provider(),
            instance: new.clone(),
            connect: connect.clone(),
            sql: check.sql.clone(),
            expect: check.expect.clone(),
        }),
        undo: Undo::Nothing,
        timeout: "check",
    }
}

fn switch(builder: &mut Builder<'_>, refreshing: &Refreshing, new: &InstanceRef) {
    let intent = builder.intent;
    let wanted = &intent.wanted;
    let rename = |instance: &InstanceRef, from: &str, to: &str, tags: &Tags| {
        Op::Rename(Rename {
            provider: wanted.provider.clone(),
            instance: instance.clone(),
            from: from.to_owned(),
            to: to.to_owned(),
            not_before: None,
            rival: None,
            successor: None,
            gone_by: None,
            frees_name: false,
            names: names(&[], tags),
        })
    };
    if let Some(base) = &intent.base {
        let old = by_id(&base.resource_id);
        let back = rename(&old, &wanted.old, &wanted.name, &base.tags);
        let facts = builder.facts(&["instance", "pending", "old-free"]);
        let mut op = rename(&old, &wanted.name, &wanted.old, &base.tags);
        if let Op::Rename(rename) = &mut op {
            rename.successor = Some(new.clone());
        }
        let step = builder.push(Draft {
            slug: "rename-old".to_owned(),
            phase: Phase::Switch,
            title: format!("rename {} to {}", wanted.name, wanted.old),
            op,
            undo: undo(format!("rename {} back to {}", wanted.old, wanted.name), &[back]),
            timeout: "rename",
        });
        step.facts = facts;
        step.outage = Some(Outage::Starts(wanted.name.clone()));
    }
    let mut back = rename(new, &wanted.name, &wanted.next, &refreshing.tags);
    if let Op::Rename(rename) = &mut back {
        rename.frees_name = true;
    }
    let facts = builder.facts(&["name-free"]);
    let step = builder.push(Draft {
        slug: "rename-next".to_owned(),
        phase: Phase::Switch,
        title: format!("rename {} to {}", wanted.next, wanted.name),
        op: rename(new, &wanted.next, &wanted.name, &refreshing.tags),
        undo: undo(format!("rename the new {} back to {}; what was written to it since is lost", wanted.name, wanted.next), &[back]),
        timeout: "rename",
    });
    step.facts = facts;
    step.outage = intent.base.is_some().then(|| Outage::Ends(wanted.name.clone()));
}

fn confirm(builder: &mut Builder<'_>, new: &InstanceRef) {
    let wanted = &builder.intent.wanted;
    let name = wanted.name.clone();
    let op = Op::Confirm(Confirm { provider: builder.provider(), instance: new.clone(), name: name.clone(), not_before: None });
    let title = format!("the new instance has the name {name}, and its endpoint too");
    let step = builder.push(Draft { slug: "confirm".to_owned(), phase: Phase::Confirm, title, op, undo: Undo::Nothing, timeout: "rename" });
    step.limits.expected = std::time::Duration::ZERO;
    if let Some(connect) = wanted.connect.clone() {
        let op =
            Op::Ask(Ask { provider: builder.provider(), instance: new.clone(), connect, sql: "SELECT 1".to_owned(), expect: vec![Expect::Anything] });
        let title = format!("{name} answers a query");
        builder.push(Draft { slug: "confirm-query".to_owned(), phase: Phase::Confirm, title, op, undo: Undo::Nothing, timeout: "check" });
    }
}
