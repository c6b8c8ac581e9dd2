//! What comes last: the new one gets what it still lacks, the old one goes or is kept.

use super::super::desired::Refresh;
use super::super::facts::{self, Read};
use super::super::names::final_snapshot;
use super::super::operations::{Ask, Confirm, Delete, InstanceRef, Keep, Modify, Op, Ready, Untag};
use super::super::{desired::Expect, marks};
use super::builder::{Builder, Draft, by_id, names, tagging, undo};
use super::in_place::{facts_of, is_on};
use super::left_over::protection;
use crate::model::{Phase, time};
use crate::plan::{Outage, Undo};
use crate::world::rds::{Instance, Settings};

/// What the new instance gets only now: protection first, then backups, which restart it.
pub fn catch_up(builder: &mut Builder<'_>, instance: &InstanceRef, later: &Settings, guarded: &[String]) {
    let wanted = &builder.intent.wanted;
    let name = wanted.name.clone();
    let keep = || undo("nothing of its own: the new instance is deleted as a whole".to_owned(), &[]);
    let make = |settings: Settings| {
        Op::Modify(Modify {
            provider: wanted.provider.clone(),
            instance: instance.clone(),
            settings,
            removal: false,
            undoes: Settings::new(),
            names: guarded.to_vec(),
        })
    };
    if later.contains_key("deletion_protection") {
        builder.push(Draft {
            slug: "protect-new".to_owned(),
            phase: Phase::Retire,
            title: format!("set the deletion protection of the new {name}"),
            op: make(protection(true)),
            undo: keep(),
            timeout: "modify",
        });
    }
    let Some(days) = later.get("backup_retention_period") else { return };
    let settled = Op::Ready(Ready { provider: wanted.provider.clone(), instance: instance.clone() });
    let restart = wanted.timeout("modify").1;
    let step = builder.push(Draft {
        slug: "raise-backups".to_owned(),
        phase: Phase::Retire,
        title: format!("keep backups of the new {name} for {days} days, which restarts it"),
        op: make(Settings::from([("backup_retention_period".to_owned(), days.clone())])),
        // Neither its restart nor its first backup lets it be renamed: the way back waits for both.
        undo: undo(format!("wait until the new {name} is available, then it goes"), &[settled]),
        timeout: "backup",
    });
    step.limits.expected = restart;
    // An outage of its own: whoever brings the one of the renames to its end need not go as far as this.
    step.outage = Some(Outage::Whole(format!("{name} (first backup)")));
    if let Some(connect) = wanted.connect.clone() {
        let op = Op::Ask(Ask {
            provider: wanted.provider.clone(),
            instance: instance.clone(),
            connect,
            sql: "SELECT 1".to_owned(),
            expect: vec![Expect::Anything],
        });
        let title = format!("{name} answers again");
        builder.push(Draft { slug: "answers-again".to_owned(), phase: Phase::Retire, title, op, undo: Undo::Nothing, timeout: "check" });
    }
}

/// The old instance is deleted, after its protection is lifted by a step of its own: in *retire*, or in *prepare* where its time
/// has passed and the next refresh needs its name.
pub fn delete(builder: &mut Builder<'_>, old: &Instance, rules: Option<&Refresh>, phase: Phase) {
    let wanted = &builder.intent.wanted;
    let guarded = names(&[&wanted.old], &old.tags);
    let facts = builder.facts(&["old-instance"]);
    let makes_room = phase == Phase::Prepare;
    let (unprotect_slug, delete_slug) = if makes_room { ("unprotect-kept", "delete-kept") } else { ("unprotect-old", "delete-old") };
    let stays = || Undo::Keep(format!("the time of {} has passed", wanted.old));
    if is_on(old, "deletion_protection") {
        let make = |on| {
            Op::Modify(Modify {
                provider: wanted.provider.clone(),
                instance: by_id(&old.resource_id),
                settings: protection(on),
                removal: !on,
                undoes: Settings::new(),
                names: guarded.clone(),
            })
        };
        let step = builder.push(Draft {
            slug: unprotect_slug.to_owned(),
            phase,
            title: format!("lift the deletion protection of {}", wanted.old),
            op: make(false),
            undo: if makes_room { stays() } else { undo("protect it again", &[make(true)]) },
            timeout: "modify",
        });
        step.facts.clone_from(&facts);
    }
    let snapshot = rules.and_then(|rules| rules.final_snapshot.as_deref()).map(|beginning| final_snapshot(beginning, builder.run));
    let backups = rules.is_none_or(|rules| rules.delete_automated_backups);
    let words = match (&snapshot, backups) {
        (Some(name), true) => format!("with the last snapshot {name}, its automated backups too"),
        (Some(name), false) => format!("with the last snapshot {name}, keeping its automated backups"),
        (None, true) => "without a last snapshot, its automated backups too".to_owned(),
        (None, false) => "without a last snapshot, keeping its automated backups".to_owned(),
    };
    let what = format!("{} ({}) is deleted {words}", wanted.old, old.resource_id);
    let op = Op::Delete(Delete {
        provider: wanted.provider.clone(),
        instance: by_id(&old.resource_id),
        name: wanted.old.clone(),
        owner: wanted.owner.clone(),
        final_snapshot: snapshot,
        delete_automated_backups: backups,
        names: guarded,
    });
    let undo = if makes_room { stays() } else { Undo::Impossible(format!("the data of {} is gone", wanted.old)) };
    let title = format!("delete {} {words}", wanted.old);
    let step = builder.push(Draft { slug: delete_slug.to_owned(), phase, title, op, undo, timeout: "delete" });
    step.irreversible = Some(what);
    // Once we have lifted its protection it is not as it was any more; its mark and its name are looked at in any case.
    if !is_on(old, "deletion_protection") {
        step.facts = facts;
    }
}

/// The old instance is tagged with the time until which it is kept.
pub fn keep(builder: &mut Builder<'_>, old: &Instance, rules: &Refresh) {
    let wanted = &builder.intent.wanted;
    let guarded = names(&[&wanted.old], &old.tags);
    let instance = by_id(&old.resource_id);
    let back = Op::Untag(Untag {
        provider: wanted.provider.clone(),
        instance: instance.clone(),
        keys: vec![marks::KEEP_UNTIL.to_owned()],
        names: guarded.clone(),
    });
    let step = builder.push(Draft {
        slug: "keep-old".to_owned(),
        phase: Phase::Retire,
        title: format!("tag {} to be kept for {} from then on; a later plan deletes it", wanted.old, time::words(rules.keep_old)),
        op: Op::Keep(Keep { provider: wanted.provider.clone(), instance, duration: rules.keep_old, names: guarded }),
        undo: undo("take that tag away", &[back]),
        timeout: "modify",
    });
    tagging(step);
}

/// The look that comes before what an earlier run left to do: the instance that replaced the other one has the name for good.
pub fn settled(builder: &mut Builder<'_>) {
    let intent = builder.intent;
    let (Some(finish), Some(base)) = (&intent.finish, &intent.base) else { return };
    let old = &finish.retiring.old;
    let wanted = &intent.wanted;
    let read = Read::Instance { provider: wanted.provider.clone(), resource_id: old.resource_id.clone() };
    builder.fact("old-instance", format!("{}: identity, status, settings, tags", wanted.old), &read, facts::instance_value(Some(old)));
    facts_of(builder, base);
    let facts = builder.facts(&["instance", "old-instance"]);
    let op = Op::Confirm(Confirm {
        provider: wanted.provider.clone(),
        instance: by_id(&base.resource_id),
        name: wanted.name.clone(),
        not_before: finish.retiring.not_before,
    });
    let title = format!("the instance that replaced {} has the name {}", wanted.old, wanted.name);
    let phase = if intent.refresh.is_some() { Phase::Prepare } else { Phase::Confirm };
    let step = builder.push(Draft { slug: "settled".to_owned(), phase, title, op, undo: Undo::Nothing, timeout: "rename" });
    step.facts = facts;
}

/// What an earlier run left to do for the instance that it replaced.
pub fn finish(builder: &mut Builder<'_>) {
    let intent = builder.intent;
    let (Some(finish), Some(base)) = (&intent.finish, &intent.base) else { return };
    let (old, wanted) = (&finish.retiring.old, &intent.wanted);
    // With a refresh behind it this makes room for that; alone it is the end of the earlier run.
    let phase = if intent.refresh.is_some() { Phase::Prepare } else { Phase::Retire };
    catch_up(builder, &by_id(&base.resource_id), &finish.catch_up, &names(&[&wanted.name], &base.tags));
    match (&wanted.refresh, finish.delete) {
        (Some(rules), false) => keep(builder, old, rules),
        (rules, _) => delete(builder, old, rules.as_ref(), phase),
    }
}
