//! `status`: unfinished runs, locks, holds, freshness, left-overs.

use super::session::OpenWorld;
use super::{Session, history, planning, running};
use crate::apply::engine::summary;
use crate::apply::journal::{RunState, Stage, Standing, Store};
use crate::declare::{Desired, Location};
use crate::diff::{Change, Diffed};
use crate::kinds;
use crate::model::time::{self, Timestamp};
use crate::model::{Address, Error, Exit, Result};
use crate::plan::Experience;
use crate::report::status::{Expected, Freshness, HoldStatus, LeftOver, LockStatus, StatusDoc, UnfinishedRun, json, text};
use crate::world::Readers;

pub async fn run(session: &Session, environments: &[String], offline: bool) -> Result<Exit> {
    let mut docs = Vec::new();
    for location in session.locate_all(environments)? {
        docs.push(one(session, &location, offline).await?);
    }
    session.say(&if session.globals.json { json(&docs) } else { text(&docs, &session.out_style()) });
    let unknown: Vec<&str> = docs.iter().flat_map(|doc| doc.errors.iter().map(String::as_str)).collect();
    let Some(first) = unknown.first() else { return Ok(Exit::Done) };
    let what =
        if unknown.len() == 1 { "not everything could be found out".to_owned() } else { format!("{} things could not be found out", unknown.len()) };
    Err(Error::new(Exit::Error, what, "mend what is named and ask again; unknown is not absent").because_text(*first))
}

/// What can be found out: neither a mistake in a file nor a damaged journal hides the rest.
async fn one(session: &Session, location: &Location, offline: bool) -> Result<StatusDoc> {
    let world = session.open_world(&location.root)?;
    let environment = &location.environment;
    let mut doc = StatusDoc {
        environment: environment.clone(),
        now: world.writers.clock().now(),
        offline,
        unfinished: Vec::new(),
        lock: None,
        holds: Vec::new(),
        freshness: Vec::new(),
        left_overs: Vec::new(),
        errors: Vec::new(),
    };
    match session.store_of_environment(location) {
        Ok(store) => {
            match running::unfinished(&*store, environment).await {
                Ok(Some(state)) => {
                    let experience = history::read(&*store, environment, &state.plan.run).await;
                    doc.unfinished.push(unfinished(&state, &experience, doc.now));
                }
                Ok(None) => {}
                Err(error) => doc.errors.push(error.chain()),
            }
            match lock(&*store, environment).await {
                Ok(lock) => doc.lock = lock,
                Err(error) => doc.errors.push(error.chain()),
            }
        }
        Err(error) => doc.errors.push(error.chain()),
    }
    match planning::read(session, location, &world) {
        Ok(desired) => {
            doc.holds = holds(&desired);
            if !offline {
                look(&mut doc, &desired, &world).await;
            }
        }
        Err(error) => doc.errors.push(error.chain()),
    }
    Ok(doc)
}

/// What the world adds: how old data is, and what was left.
async fn look(doc: &mut StatusDoc, desired: &Desired, world: &OpenWorld) {
    let now = doc.now;
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
                // What an unfinished run works with is not left over yet.
                let of_unfinished = |run: &Option<String>| doc.unfinished.iter().any(|unfinished| Some(&unfinished.run) == run.as_ref());
                let left: Vec<LeftOver> = change
                    .left_overs
                    .iter()
                    .filter(|left| !of_unfinished(&left.run))
                    .map(|left| left_over(left, address, &desired.environment, now))
                    .collect();
                doc.left_overs.extend(left);
            }
        }
    }
}

fn left_over(left: &crate::diff::LeftOver, address: &Address, environment: &str, now: Timestamp) -> LeftOver {
    let help = match left.kept_until {
        Some(until) if until > now => {
            format!("`switchover rollback {environment}` switches back to it; once its time is over a plan shows its deletion")
        }
        _ => format!("`switchover plan {environment}` shows what becomes of it, under {address}"),
    };
    LeftOver {
        name: left.name.clone(),
        run: left.run.clone(),
        kept_until: left.kept_until,
        kept: left.kept_until.is_some_and(|until| until > now),
        help,
    }
}

fn freshness(change: &Change, now: Timestamp) -> Option<Freshness> {
    if change.data_from.is_none() && change.next_due.is_none() && change.due_since.is_none() {
        return None;
    }
    Some(Freshness {
        address: change.address.to_string(),
        data_from: change.data_from,
        age_seconds: change.data_from.map(|from| time::between(from, now).as_secs()),
        due: change.due_since.or(change.next_due),
        overdue: change.due_since.or(change.next_due).is_some_and(|due| due <= now),
        note: change.warnings.first().cloned(),
    })
}

async fn lock(store: &dyn Store, environment: &str) -> Result<Option<LockStatus>> {
    let held = store.lock(&format!("env:{environment}"), environment).await?;
    Ok(held.map(|held| LockStatus {
        expired: held.expired,
        gone: held.holder.is_known_gone(),
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

fn unfinished(state: &RunState, experience: &Experience, now: Timestamp) -> UnfinishedRun {
    let counts = summary::summarize(state, Exit::Done, Vec::new());
    let at = state.each().rev().find(|(_, folded)| !matches!(folded.stage, Stage::Fresh));
    let environment = &state.plan.environment;
    let next = if state.turned_back.is_some() {
        format!("it is being turned back: `switchover resume {environment}` goes on with that")
    } else {
        "it can go on, or be turned back".to_owned()
    };
    let windows = state.plan.outage.iter().filter(|window| state.outages.contains_key(&window.name));
    UnfinishedRun {
        run: state.plan.run.clone(),
        started: state.began,
        actor: state.actor.clone(),
        phase: at.map(|(step, _)| step.phase),
        steps: state.plan.steps.len(),
        done: counts.done.len(),
        undone: counts.undone.len(),
        in_flight: counts.in_flight,
        outages: state.outages.iter().map(|(name, since)| (name.clone(), *since)).collect(),
        outages_expected_seconds: windows.map(|window| (window.name.clone(), experience.outage(window).duration.as_secs())).collect(),
        expected: state.turned_back.is_none().then(|| expected(state, experience, now)),
        turning_back: state.turned_back.is_some(),
        next,
    }
}

/// How long it takes from here, by earlier runs and by the plan.
fn expected(state: &RunState, experience: &Experience, now: Timestamp) -> Expected {
    let left = experience.left(&state.plan, |step| {
        let step = state.step(&step.id);
        match step.standing() {
            Standing::Done => None,
            Standing::InFlight => Some(step.began.map_or(std::time::Duration::ZERO, |began| time::between(began, now))),
            // Its call is made anew, however long ago it was begun.
            Standing::Undone | Standing::NotStarted => Some(std::time::Duration::ZERO),
        }
    });
    Expected { seconds: left.duration.as_secs(), basis: left.basis().to_owned() }
}
