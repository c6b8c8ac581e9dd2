//! One batch, one transaction: deletes, patches, posts, in this order; the first error undoes it all.

use std::time::Duration;

use super::{Change, LateChanges, SimRecord, SimZone};
use crate::model::record::{RecordType, canonical_content, canonical_name};
use crate::model::time::{self, Timestamp};
use crate::world::dns::{Batch, NewRecord, Patch};
use crate::world::sim::core::Work;
use crate::world::sim::touched::Touched;
use crate::world::{CallError, CallResult};

/// An error: Cloudflare's code where it is known, and words.
type Refusal = (Option<&'static str>, String);
/// Record id, before, after.
type Done = (String, Option<SimRecord>, Option<SimRecord>);

pub(super) fn unknown_zone(work: &Work<'_>) -> CallError {
    work.not_found("7003", "there is no such zone, or the token does not see it")
}

/// Does all of a batch, or nothing.
pub(super) fn execute(work: &mut Work<'_>, zone_id: &str, batch: &Batch) -> CallResult<()> {
    // New ids are drawn first, since drawing needs the whole world.
    let new_ids: Vec<String> = batch.posts.iter().map(|_| record_id(&mut work.fresh())).collect();
    let (now, lag) = (work.now(), Duration::from_secs(work.state.dns.longest_lag()));
    let Some(zone) = work.state.cloudflare.zones.get_mut(zone_id) else { return Err(unknown_zone(work)) };
    let mut done = Vec::new();
    if let Err((code, message)) = transact(zone, batch, &new_ids, now, &mut done) {
        for (id, before, _) in done.into_iter().rev() {
            zone.set(&id, before);
        }
        let mut error = CallError::new(work.call, crate::world::Failure::Refused, message);
        error.code = code.map(str::to_owned);
        return Err(error);
    }
    let first = work.state.counters.changes + 1;
    for (id, before, after) in done {
        work.state.counters.changes += 1;
        work.dirty.insert(Touched::Record(zone_id.to_owned(), id.clone()));
        let change = Change { after, at: now, before, id, number: work.state.counters.changes };
        remember(zone, &change, now, lag, |name| {
            work.dirty.insert(Touched::Changes(zone_id.to_owned(), name.to_owned()));
        });
    }
    if let Some(late) = work.late {
        let from = zone.late.as_ref().filter(|late| late.until > now).map_or(first, |late| late.from);
        zone.late = Some(LateChanges { from, until: time::after(now, late) });
        work.dirty.insert(Touched::ZoneLate(zone_id.to_owned()));
    }
    work.dirty.insert(Touched::Counters);
    Ok(())
}

/// Keeps a change under every name that it concerns, and forgets there what no server needs any more.
fn remember(zone: &mut SimZone, change: &Change, now: Timestamp, lag: Duration, mut touch: impl FnMut(&str)) {
    let late = zone.late.as_ref().is_some_and(|late| late.until > now);
    let name = |record: &Option<SimRecord>| record.as_ref().map(|record| record.name.clone());
    let (before, after) = (name(&change.before), name(&change.after));
    let second = if before == after { None } else { after };
    for name in before.into_iter().chain(second) {
        touch(&name);
        let changes = zone.changes.entry(name).or_default();
        changes.retain(|old| late || time::after(old.at, lag) > now);
        changes.push(change.clone());
    }
}

fn transact(zone: &mut SimZone, batch: &Batch, new_ids: &[String], now: Timestamp, done: &mut Vec<Done>) -> Result<(), Refusal> {
    let count = batch.deletes.len() + batch.patches.len() + batch.posts.len();
    let most = zone.plan.max_batch();
    if count > most {
        return Err((None, format!("a batch of this zone's plan holds at most {most} changes, and this one has {count}")));
    }
    for id in &batch.deletes {
        let before = zone.set(id, None).ok_or_else(|| unknown_record(id))?;
        done.push((id.clone(), Some(before), None));
    }
    for patch in &batch.patches {
        let old = zone.records.get(&patch.id).ok_or_else(|| unknown_record(&patch.id))?;
        let after = checked(zone, Some(&patch.id), patched(old, patch, now))?;
        let before = zone.set(&patch.id, Some(after.clone()));
        done.push((patch.id.clone(), before, Some(after)));
    }
    for (post, id) in batch.posts.iter().zip(new_ids) {
        let after = checked(zone, None, posted(post, now))?;
        zone.set(id, Some(after.clone()));
        done.push((id.clone(), None, Some(after)));
    }
    Ok(())
}

fn unknown_record(id: &str) -> Refusal {
    (Some("81044"), format!("record {id} does not exist"))
}

/// A patched record: what the patch does not name stays.
fn patched(old: &SimRecord, patch: &Patch, now: Timestamp) -> SimRecord {
    SimRecord {
        comment: patch.comment.clone().map_or_else(|| old.comment.clone(), |comment| (!comment.is_empty()).then_some(comment)),
        content: patch.content.clone(),
        modified: Some(now),
        name: patch.name.clone(),
        proxied: patch.proxied.unwrap_or(old.proxied),
        tags: patch.tags.clone().unwrap_or_else(|| old.tags.clone()),
        ttl: patch.ttl.unwrap_or(old.ttl),
        rtype: patch.rtype.clone(),
    }
}

fn posted(post: &NewRecord, now: Timestamp) -> SimRecord {
    SimRecord {
        comment: post.comment.clone().filter(|comment| !comment.is_empty()),
        content: post.content.clone(),
        modified: Some(now),
        name: post.name.clone(),
        proxied: post.proxied,
        tags: post.tags.clone(),
        ttl: post.ttl,
        rtype: post.rtype.clone(),
    }
}

/// A record in canonical form that may stand in the zone, beside what stands there now.
fn checked(zone: &SimZone, id: Option<&String>, mut record: SimRecord) -> Result<SimRecord, Refusal> {
    record.name = canonical_name(&record.name).map_err(|why| (Some("9000"), why))?;
    let rtype: RecordType = record.rtype.parse().map_err(|why| (Some("9004"), why))?;
    rtype.word().clone_into(&mut record.rtype);
    let wrong_content = match rtype {
        RecordType::Aaaa => "9006",
        RecordType::Cname => "9007",
        _ => "9005",
    };
    record.content = canonical_content(rtype, &record.content).map_err(|why| (Some(wrong_content), why))?;
    if !super::within(&record.name, &zone.name) {
        return Err((None, format!("{} is not in the zone {}", record.name, zone.name)));
    }
    if record.proxied {
        if !matches!(rtype, RecordType::A | RecordType::Aaaa | RecordType::Cname) {
            return Err((Some("9004"), format!("a record of type {rtype} cannot be proxied")));
        }
        // The proxy answers with a time of its own.
        record.ttl = 1;
    }
    if record.ttl != 1 && !(60..=86_400).contains(&record.ttl) {
        return Err((Some("9021"), format!("a TTL of {} is neither 1 nor from 60 to 86,400 seconds", record.ttl)));
    }
    for (_, other) in zone.named(&record.name).filter(|(other, _)| Some(*other) != id) {
        if other.rtype == record.rtype && other.content == record.content {
            return Err((Some("81058"), format!("an identical record of {} already exists", record.name)));
        }
        let addresses = matches!(other.rtype.as_str(), "A" | "AAAA" | "CNAME");
        // At the zone's own name a CNAME is answered with its target's addresses, so only addresses are in its way.
        let apex = record.name == zone.name;
        if record.rtype == "CNAME" && (addresses || !apex) {
            let code = if addresses { "81053" } else { "81054" };
            return Err((Some(code), format!("{} has a record of type {} already, beside which no CNAME can stand", record.name, other.rtype)));
        }
        if other.rtype == "CNAME" && (!apex || matches!(record.rtype.as_str(), "A" | "AAAA" | "CNAME")) {
            return Err((Some("81054"), format!("{} has a CNAME record already", record.name)));
        }
    }
    Ok(record)
}

fn record_id(rng: &mut fastrand::Rng) -> String {
    format!("{:016x}{:016x}", rng.u64(..), rng.u64(..))
}
