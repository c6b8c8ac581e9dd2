//! Declared and observed → what is to be done. Pure.

use super::desired::{FirstBackup, Wanted};
use super::due::{self, Due};
use super::intent::{Finish, Intent, Refreshing};
use super::leftovers::{self, Retiring, Scene};
use super::marks::{self, Tags};
use super::observe::Seen;
use super::settings::{self, differences, value_of};
use super::status::{Class, class};
use crate::diff::{Action, AttributeChange, Change, DiffCx, LeftOver};
use crate::model::{Error, Exit, Json, Result, time};
use crate::world::rds::{Instance, MODIFIABLE, Settings, Snapshot};

/// Settings without which nothing new can be made.
const NEEDED: [&str; 3] = ["instance_class", "db_subnet_group_name", "vpc_security_groups"];

/// Compares.
///
/// # Errors
/// A conflict, something that cannot be made, or `prevent_destroy`.
pub fn diff(wanted: Wanted, seen: &Seen, cx: &DiffCx<'_>) -> Result<Change> {
    let mut change = Change::none(wanted.address.clone());
    let scene = leftovers::tell(&wanted, seen, cx.now)?;
    let mut declared = wanted.settings.clone();
    if let Some(groups) = &seen.groups {
        declared.insert("vpc_security_groups".to_owned(), Json::from(groups.clone()));
    }
    let due = due(&wanted, &scene, seen, cx)?;
    change.next_due = due.next;
    change.due_since = due.since;
    // Only what is refreshed has an age that matters.
    let refreshed = scene.base.as_ref().filter(|_| wanted.refresh.is_some());
    change.data_from = refreshed.and_then(due::data_since).map(|(since, _)| since);
    change.left_overs = left_overs(seen);
    change.warnings.extend(due.warnings);
    let finish = finish(&wanted, &scene, &declared, cx, &mut change)?;
    let mut intent = Intent {
        base: scene.base,
        recover: scene.recover,
        leftover: scene.leftover,
        finish,
        refresh: None,
        modify: Settings::new(),
        tags: Tags::new(),
        prune: Vec::new(),
        wanted,
    };
    let old_stays = scene.retiring.is_some() && intent.finish.as_ref().is_none_or(|finish| !finish.delete);
    match due.reason {
        Some(reason) if old_stays => {
            let help = format!("{} is kept and has the name that the next one needs", intent.wanted.old);
            change.warnings.push(format!("{reason}; it waits, since {help}"));
        }
        Some(reason) => refresh(&mut intent, seen, &declared, reason, &mut change)?,
        None => {}
    }
    if intent.refresh.is_none()
        && let Some(base) = intent.base.clone()
    {
        in_place(&mut intent, &base, &declared, &mut change);
    }
    describe(&intent, &mut change);
    if !intent.is_empty() {
        change.detail = Some(Box::new(intent));
    }
    Ok(change)
}

/// What stands under the names that only runs use; that it is ours is known by now.
fn left_overs(seen: &Seen) -> Vec<LeftOver> {
    let one = |found: &Instance| LeftOver {
        name: found.identifier.clone(),
        run: found.tags.get(marks::RUN).cloned(),
        kept_until: marks::moment(&found.tags, marks::KEEP_UNTIL),
    };
    seen.next.iter().chain(&seen.old).map(one).collect()
}

/// Whether the data is to be replaced now.
fn due(wanted: &Wanted, scene: &Scene, seen: &Seen, cx: &DiffCx<'_>) -> Result<Due> {
    let Some(base) = &scene.base else {
        // What a rename hides is there: it only gets its name back.
        let reason = scene.recover.is_none().then(|| format!("there is no instance {}", wanted.name));
        return Ok(Due { reason, ..Due::default() });
    };
    let asked = cx.refresh.contains(&wanted.address);
    let Some(refresh) = &wanted.refresh else {
        let warnings = asked.then(|| format!("{} has no refresh block: --refresh has no effect", wanted.address)).into_iter().collect();
        return Ok(Due { warnings, ..Due::default() });
    };
    let judged = due::judge(&refresh.rule, base, seen.snapshots.first(), &refresh.source, cx.now);
    let mut due = judged.map_err(|why| Error::new(Exit::Error, why, "mend the refresh block"))?;
    if asked && due.reason.is_none() {
        due.warnings.clear();
        due.reason = Some("a refresh was asked for with --refresh".to_owned());
    }
    Ok(due)
}

/// What is left to do for a replaced instance.
fn finish(wanted: &Wanted, scene: &Scene, declared: &Settings, cx: &DiffCx<'_>, change: &mut Change) -> Result<Option<Finish>> {
    let (Some(Retiring { old, keep_until, .. }), Some(base)) = (&scene.retiring, &scene.base) else { return Ok(None) };
    if let Some(until) = keep_until.filter(|until| *until > cx.now) {
        change.notes.push(format!("{} is kept until {}", old.identifier, time::minute(until)));
        return Ok(None);
    }
    let keep = wanted.refresh.as_ref().map_or(std::time::Duration::ZERO, |refresh| refresh.keep_old);
    let delete = keep_until.is_some() || keep.is_zero();
    if delete && wanted.prevent_destroy {
        return Err(prevented(&old.identifier, "hold the resource, or remove prevent_destroy to let the replaced instance go"));
    }
    let mut catch_up = Settings::new();
    if keep_until.is_none() {
        for name in ["deletion_protection", "backup_retention_period"] {
            let should = declared.get(name).cloned().unwrap_or_else(|| value_of(&old.settings, name));
            let has = value_of(&base.settings, name);
            if (has.as_bool() == Some(false) || has.as_i64() == Some(0)) && has != should {
                catch_up.insert(name.to_owned(), should);
            }
        }
    }
    change.reasons.push(match keep_until {
        Some(until) => format!("{} was kept until {}", old.identifier, time::minute(*until)),
        None => format!("an earlier run replaced {} and did not finish", old.identifier),
    });
    let retiring = scene.retiring.clone();
    Ok(retiring.map(|retiring| Finish { retiring, catch_up, delete }))
}

fn prevented(instance: &str, help: &str) -> Error {
    Error::new(Exit::Error, format!("{instance} would be deleted, and lifecycle.prevent_destroy forbids it"), help)
}

fn refresh(intent: &mut Intent, seen: &Seen, declared: &Settings, reason: String, change: &mut Change) -> Result<()> {
    let wanted = &intent.wanted;
    let Some(rules) = wanted.refresh.clone() else {
        let help = "add a refresh block that says from whose snapshots it is made, or check name, region and account";
        return Err(Error::new(Exit::Error, reason, help));
    };
    let Some(snapshot) = seen.snapshots.first().cloned() else {
        let what = format!("{} has no {} snapshot to restore", rules.source, rules.snapshot_type);
        return Err(Error::new(Exit::Error, what, "check snapshot_of, snapshot_type, the region and the account"));
    };
    match &intent.base {
        None => {
            let missing: Vec<&str> = NEEDED.into_iter().filter(|name| !declared.contains_key(*name)).collect();
            if !missing.is_empty() {
                let what = format!("{reason}, and its declaration does not say {}", missing.join(", "));
                return Err(Error::new(Exit::Error, what, "name them: there is no instance to carry them over from"));
            }
        }
        Some(base) if matches!(class(&base.status), Class::Stopped | Class::Failed | Class::Deleting) => {
            let what = format!("{} is {} and cannot be renamed", base.identifier, base.status);
            return Err(Error::new(Exit::Error, what, "bring it back to available, or hold the resource"));
        }
        Some(base) if wanted.prevent_destroy && rules.keep_old.is_zero() => {
            return Err(prevented(&base.identifier, "set keep_old to keep the replaced instance, hold the resource, or remove prevent_destroy"));
        }
        Some(_) => {}
    }
    // What an unfinished run still owes the present instance is carried over as if it were there.
    let mut declared = declared.clone();
    for (name, value) in intent.finish.iter().flat_map(|finish| &finish.catch_up) {
        declared.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let target = settings::target(intent.base.as_ref(), &declared, &snapshot);
    let mut tags = intent.base.as_ref().map(|base| marks::of_people(&base.tags)).unwrap_or_default();
    tags.extend(wanted.tags.clone());
    // With nobody there who could notice, the first backup may as well be waited for.
    let first_backup = if intent.base.is_some() { rules.first_backup } else { FirstBackup::BeforeSwitch };
    let later = settings::later(&target.settings, first_backup);
    change.reasons.push(reason);
    change.notes.push(format!("engine version, encryption key and all logins, the master user's too, come with the data of {}", rules.source));
    change.notes.extend(target.notes.iter().cloned());
    if intent.base.is_none() {
        change.notes.push(unnamed(&target.settings, &snapshot));
    }
    if let Some(finish) = &mut intent.finish {
        finish.catch_up.clear();
    }
    intent.refresh = Some(Refreshing { snapshot, target, later, tags, rules });
    Ok(())
}

/// What a first restore takes over unasked.
fn unnamed(target: &Settings, snapshot: &Snapshot) -> String {
    let mut remembered = snapshot.settings.clone();
    remembered.insert("allocated_storage".to_owned(), Json::from(snapshot.allocated_storage));
    let taken: Vec<String> =
        remembered.iter().filter(|(name, _)| !target.contains_key(*name)).map(|(name, value)| format!("{name} = {value}")).collect();
    let mut others: Vec<&str> = crate::world::rds::RESTORABLE.iter().chain(MODIFIABLE).copied().collect();
    others.sort_unstable();
    others.dedup();
    others.retain(|name| !target.contains_key(*name) && !remembered.contains_key(*name));
    format!(
        "not named, so as in the snapshot: {}; so as RDS has it: {}",
        if taken.is_empty() { "nothing".to_owned() } else { taken.join(", ") },
        others.join(", ")
    )
}

/// Differences that a modification of the running instance removes, and those that wait for a refresh.
fn in_place(intent: &mut Intent, base: &Instance, declared: &Settings, change: &mut Change) {
    let done_by_finish = intent.finish.as_ref().map(|finish| finish.catch_up.clone()).unwrap_or_default();
    let mut then = base.settings.clone();
    then.extend(declared.clone());
    for name in differences(&base.settings, declared) {
        let (before, after) = (value_of(&base.settings, &name), declared[&name].clone());
        let waits = if !MODIFIABLE.contains(&name.as_str()) {
            Some("only a restore can change it")
        } else if matches!(name.as_str(), "iops" | "storage_throughput") && !settings::speed_can_be_set(&base.engine, &then, &name) {
            Some("this storage does not let it be set")
        } else {
            None
        };
        let idle = settings::idle_without(&then, &name);
        match waits {
            _ if idle.is_some() => {
                change.notes.push(format!("{name} is declared {after} and has no effect without {}", idle.unwrap_or_default()));
            }
            Some(why) => change.notes.push(format!(
                "{name} is {before} and declared {after}; {why}, so it waits for the next refresh (--refresh {} makes it due)",
                intent.wanted.address
            )),
            None if done_by_finish.contains_key(&name) => {}
            None => {
                intent.modify.insert(name, after);
            }
        }
    }
    let size = value_of(&base.settings, "allocated_storage").as_i64().unwrap_or(0);
    if intent.modify.get("max_allocated_storage").and_then(Json::as_i64).is_some_and(|most| most <= size) {
        intent.modify.remove("max_allocated_storage");
        change.notes.push(format!("max_allocated_storage is not set, since the storage has {size} GiB already"));
    }
    let differing = intent.wanted.tags.iter().filter(|(key, value)| base.tags.get(*key) != Some(value));
    intent.tags = differing.map(|(key, value)| (key.clone(), value.clone())).collect();
    if !base.pending.is_empty() {
        let list: Vec<String> = base.pending.iter().map(|(name, value)| format!("{name} → {value}")).collect();
        change.notes.push(format!("pending on {}: {} (any modification that applies immediately brings it in)", base.identifier, list.join(", ")));
        let against = base.pending.iter().filter(|(name, value)| declared.get(*name).is_some_and(|wanted| wanted != *value));
        change.warnings.extend(against.map(|(name, value)| {
            format!("{name} of {} becomes {value} when what is pending comes in, and is declared {}", base.identifier, declared[name])
        }));
    }
    if base.pending_reboot {
        change.notes.push(format!("{} waits for a restart to take over its parameter or option group", base.identifier));
    }
}

/// Action, attributes and reasons for people.
fn describe(intent: &Intent, change: &mut Change) {
    if let Some(recover) = &intent.recover {
        change.reasons.push(if recover.precaution {
            format!(
                "an earlier run ended just before its switch; a rename of {} that it may have begun is waited for, and taken back",
                intent.wanted.name
            )
        } else {
            format!("an earlier run ended in its switch; {} gets its name back first", intent.wanted.name)
        });
    }
    if let Some(leftover) = &intent.leftover {
        let run = leftover.tags.get(marks::RUN).map_or("an earlier run", String::as_str);
        change.reasons.push(format!("{} is a left-over of {run}; it is removed", leftover.identifier));
    }
    change.rows().extend(deleted(intent));
    let empty = Settings::new();
    let before = intent.base.as_ref().map_or(&empty, |base| &base.settings);
    if let Some(refresh) = &intent.refresh {
        let tag = |key: &str| intent.base.as_ref().and_then(|base| base.tags.get(key)).map_or(Json::Null, |text| Json::from(text.as_str()));
        let created = refresh.snapshot.created.map_or_else(|| Json::from("being made"), |at| Json::from(time::rfc3339(at)));
        change.rows().push(attribute("snapshot", tag(marks::SNAPSHOT), Json::from(refresh.snapshot.identifier.as_str()), None));
        change.rows().push(attribute("snapshot_time", tag(marks::SNAPSHOT_TIME), created, None));
        let engine = intent.base.as_ref().map_or(Json::Null, |base| Json::from(base.engine_version.as_str()));
        if engine.as_str() != Some(refresh.snapshot.engine_version.as_str()) {
            let note = Some("comes with the data".to_owned());
            change.rows().push(attribute("engine_version", engine, Json::from(refresh.snapshot.engine_version.as_str()), note));
        }
        for name in differences(before, &refresh.target.settings) {
            let note = refresh.later.contains_key(&name).then(|| "after the switch".to_owned());
            change.rows().push(attribute(&name, value_of(before, &name), refresh.target.settings[&name].clone(), note));
        }
        tag_attributes(intent.base.as_ref(), &refresh.tags, change);
        if let Some(base) = intent.base.as_ref().filter(|base| !base.pending.is_empty()) {
            let list: Vec<String> = base.pending.iter().map(|(name, value)| format!("{name} → {value}")).collect();
            change.notes.push(format!("pending on {} and brought in by its rename: {}", base.identifier, list.join(", ")));
        }
    }
    let changed = intent.modify.iter().chain(intent.finish.iter().flat_map(|finish| &finish.catch_up));
    for (name, after) in changed {
        let now = value_of(before, name);
        let note = settings::restarts(name, &now, after).map(str::to_owned);
        change.rows().push(attribute(name, now, after.clone(), note));
    }
    tag_attributes(intent.base.as_ref(), &intent.tags, change);
    let deletes = intent.leftover.is_some() || intent.finish.as_ref().is_some_and(|finish| finish.delete);
    change.action = match (&intent.refresh, &intent.base) {
        (Some(_), Some(_)) => Action::Replace,
        (Some(_), None) => Action::Create,
        (None, _) if intent.is_empty() => Action::NoOp,
        (None, _) if deletes && intent.modify.is_empty() && intent.tags.is_empty() && intent.recover.is_none() => Action::Delete,
        (None, _) => Action::Update,
    };
}

/// Instances of earlier runs that go, as they have no other line of their own.
fn deleted(intent: &Intent) -> Vec<AttributeChange> {
    let gone = |instance: &Instance, note: &str| {
        attribute(&instance.identifier, Json::from(instance.resource_id.as_str()), Json::Null, Some(note.to_owned()))
    };
    let leftover = intent.leftover.iter().map(|leftover| gone(leftover, "a left-over, deleted"));
    let replaced = intent.finish.iter().filter(|finish| finish.delete).map(|finish| gone(&finish.retiring.old, "the replaced instance, deleted"));
    leftover.chain(replaced).collect()
}

fn tag_attributes(base: Option<&Instance>, tags: &Tags, change: &mut Change) {
    for (key, after) in tags {
        let before = base.and_then(|base| base.tags.get(key));
        if before != Some(after) {
            let before = before.map_or(Json::Null, |text| Json::from(text.as_str()));
            change.rows().push(attribute(&format!("tags[\"{key}\"]"), before, Json::from(after.as_str()), None));
        }
    }
}

fn attribute(name: &str, before: Json, after: Json, note: Option<String>) -> AttributeChange {
    AttributeChange { name: name.to_owned(), before, after, note }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
