//! `status`: unfinished runs, locks, holds, freshness, left-overs.

use super::session::OpenWorld;
use super::{Session, planning, running};
use crate::apply::engine::summary;
use crate::apply::journal::{RunState, Stage, Store};
use crate::declare::{Desired, Location};
use crate::diff::{Change, Diffed};
use crate::kinds;
use crate::model::time::{self, Timestamp};
use crate::model::{Exit, Result};
use crate::report::status::{Freshness, HoldStatus, LeftOver, LockStatus, StatusDoc, UnfinishedRun, json, text};
use crate::world::Readers;

pub async fn run(session: &Session, environments: &[String], offline: bool) -> Result<Exit> {
    let mut docs = Vec::new();
    for location in session.locate_all(environments)? {
        docs.push(one(session, &location, offline).await?);
    }
    session.say(&if session.globals.json { json(&docs) } else { text(&docs, &session.out_style()) });
    Ok(Exit::Done)
}

async fn one(session: &Session, location: &Location, offline: bool) -> Result<StatusDoc> {
    let world = session.open_world(&location.root)?;
    let desired = planning::read(session, location, &world)?;
    let store = session.store(&location.root, &desired.journal)?;
    let now = world.writers.clock().now();
    let mut doc = StatusDoc {
        environment: desired.environment.clone(),
        now,
        offline,
        unfinished: Vec::new(),
        lock: lock(&*store, &desired.environment).await?,
        holds: holds(&desired),
        freshness: Vec::new(),
        left_overs: Vec::new(),
        errors: Vec::new(),
    };
    if let Some(state) = running::unfinished(&*store, &desired.environment).await? {
        doc.unfinished.push(unfinished(&state));
    }
    if !offline {
        look(&mut doc, &desired, &world, now).await;
    }
    Ok(doc)
}

/// What the world adds: how old data is, and what was left.
async fn look(doc: &mut StatusDoc, desired: &Desired, world: &OpenWorld, now: Timestamp) {
    let resources: Vec<_> = desired.resources.iter().collect();
    let readers: &dyn Readers = &*world.writers;
    let observed =
        crate::observe::observe(desired, &resources, |kind| kinds::find(kind).map(|kind| kind as &dyn crate::observe::Observer), readers).await;
    let none = std::collections::BTreeSet::new();
    let diffed: Diffed =
        crate::diff::diff(desired, &resources, &observed, |kind| kinds::find(kind).map(|kind| kind as &dyn crate::diff::Differ), &none);
    for (address, result) in &diffed {
        match result {
            Err(error) => doc.errors.push(error.chain()),
            Ok(change) => {
                doc.freshness.extend(freshness(change, now));
                doc.left_overs.extend(change.left_overs.iter().map(|(name, run)| LeftOver {
                    name: name.clone(),
                    run: run.clone(),
                    help: format!("`switchover plan {}` shows what becomes of it, under {address}", desired.environment),
                }));
            }
        }
    }
}

fn freshness(change: &Change, now: Timestamp) -> Option<Freshness> {
    if change.data_from.is_none() && change.next_due.is_none() {
        return None;
    }
    Some(Freshness {
        address: change.address.to_string(),
        data_from: change.data_from,
        age_seconds: change.data_from.map(|from| time::between(from, now).as_secs()),
        due: change.next_due,
        overdue: change.next_due.is_some_and(|due| due <= now),
        note: change.warnings.first().or(change.reasons.first()).cloned(),
    })
}

async fn lock(store: &dyn Store, environment: &str) -> Result<Option<LockStatus>> {
    let held = store.lock(&format!("env:{environment}"), environment).await?;
    Ok(held.map(|held| LockStatus {
        expired: held.expires <= Timestamp::now() || held.holder.is_known_gone(),
        name: held.name,
        run: held.run,
        holder: held.holder.actor,
        host: held.holder.host,
        started: held.since,
        heartbeat: held.heartbeat,
        expires: held.expires,
    }))
}

fn holds(desired: &Desired) -> Vec<HoldStatus> {
    let one = |declared: &crate::declare::Declared| {
        let hold = declared.common.hold.as_ref()?;
        Some(HoldStatus { address: declared.address.to_string(), reason: crate::diff::all::sentence(hold), until: hold.until })
    };
    desired.resources.iter().filter_map(one).collect()
}

fn unfinished(state: &RunState) -> UnfinishedRun {
    let counts = summary::summarize(state, Exit::Done, Vec::new());
    let at = state.plan.steps.iter().rev().find(|step| !matches!(state.step(&step.id).stage, Stage::Fresh));
    let environment = &state.plan.environment;
    let next = if state.turned_back.is_some() {
        format!("it is being turned back: `switchover resume {environment}` goes on with that")
    } else {
        format!("`switchover resume {environment}` goes on, `switchover rollback {environment}` undoes it")
    };
    UnfinishedRun {
        run: state.plan.run.clone(),
        started: state.began,
        actor: state.actor.clone(),
        phase: at.map(|step| step.phase),
        steps: state.plan.steps.len(),
        done: counts.done.len(),
        undone: counts.undone.len(),
        in_flight: counts.in_flight,
        turning_back: state.turned_back.is_some(),
        next,
    }
}
