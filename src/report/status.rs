//! How an environment stands: unfinished runs, lock, holds, freshness, left-overs. Filled by the command, shown here.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::Phase;
use crate::model::text::many;
use crate::model::time::{self, Timestamp};
use crate::review::layout::{Cell, Line, Page};
use crate::review::{Ink, Style, escape};

/// How one environment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusDoc {
    /// Its name.
    pub environment: String,
    /// When this was found out, by the world's clock.
    pub now: Timestamp,
    /// Whether only the journal was read.
    pub offline: bool,
    /// Runs that have not ended, newest first; as a rule at most one.
    pub unfinished: Vec<UnfinishedRun>,
    /// The lock, if one is there.
    pub lock: Option<LockStatus>,
    /// What is held.
    pub holds: Vec<HoldStatus>,
    /// How old data is, and when it is next due.
    pub freshness: Vec<Freshness>,
    /// What earlier runs left.
    pub left_overs: Vec<LeftOver>,
    /// What could not be found out, in full sentences; unknown is not absent.
    pub errors: Vec<String>,
}

/// One run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnfinishedRun {
    /// Its id.
    pub run: String,
    /// When it began.
    pub started: Timestamp,
    /// Who began it.
    pub actor: String,
    /// The phase of the step it is at; none before the first.
    pub phase: Option<Phase>,
    /// Steps of its plan.
    pub steps: usize,
    /// How many are done.
    pub done: usize,
    /// How many are undone.
    pub undone: usize,
    /// Ids of steps whose effect may be there, or half there.
    pub in_flight: Vec<String>,
    /// Outages that are open, since when.
    pub outages: BTreeMap<String, Timestamp>,
    /// How long these are expected to last, in seconds from their beginning.
    pub outages_expected_seconds: BTreeMap<String, u64>,
    /// How long it is expected to take from here; none for one that is turned back.
    pub expected: Option<Expected>,
    /// Whether it was being turned back.
    pub turning_back: bool,
    /// What comes next, in a full sentence.
    pub next: String,
}

/// What is expected of a run from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// How long, if nothing waits for a person; 0 when it takes longer than expected already.
    pub seconds: u64,
    /// What that rests on: `a guess`.
    pub basis: String,
}

/// A lock and its lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockStatus {
    /// Which lock: `env:staging`.
    pub name: String,
    /// The run that holds it.
    pub run: String,
    /// Who.
    pub holder: String,
    /// On which machine.
    pub host: String,
    /// Since when, by the machine's clock.
    pub started: Timestamp,
    /// When it last said that it lives.
    pub heartbeat: Timestamp,
    /// When the lease ends unless it says so again.
    pub expires: Timestamp,
    /// Whether it has ended.
    pub expired: bool,
    /// Whether its process is known to be gone: then nobody need wait for the lease.
    pub gone: bool,
}

/// A resource that is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldStatus {
    /// Which.
    pub address: String,
    /// Why, who, in one sentence.
    pub reason: String,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// How fresh the data of one resource is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// Which.
    pub address: String,
    /// When its data was taken; none when that is not known.
    pub data_from: Option<Timestamp>,
    /// How old it is, in seconds.
    pub age_seconds: Option<u64>,
    /// Since when, or from when on, it is due; none when it never is.
    pub due: Option<Timestamp>,
    /// Whether that time has come.
    pub overdue: bool,
    /// A few words behind it: "from rds:…", "no newer snapshot exists".
    pub note: Option<String>,
}

/// Something that an earlier run made and that is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOver {
    /// What: `instance dev-openverse-db-next`.
    pub name: String,
    /// Of which run; none when its mark does not say.
    pub run: Option<String>,
    /// Until when it is kept on purpose.
    pub kept_until: Option<Timestamp>,
    /// Whether that time is still to come.
    pub kept: bool,
    /// What to do, in a full sentence.
    pub help: String,
}

impl StatusDoc {
    /// Whether a process is at work on the unfinished run at this moment, as far as its lease tells.
    fn is_running(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| !lock.expired && !lock.gone && self.unfinished.iter().any(|run| run.run == lock.run))
    }
}

const LABEL: usize = 10;

/// All of them, one after the other, an empty line between.
#[must_use]
pub fn text(docs: &[StatusDoc], style: &Style) -> String {
    let mut page = Page::new(style);
    for doc in docs {
        page.gap();
        one(&mut page, doc);
    }
    page.finish()
}

/// As JSON: always a list, pretty-printed, with a line end.
#[must_use]
pub fn json(docs: &[StatusDoc]) -> String {
    let mut text = serde_json::to_string_pretty(docs).unwrap_or_default();
    text.push('\n');
    escape::json(&text)
}

fn one(page: &mut Page, doc: &StatusDoc) {
    let calm = doc.unfinished.is_empty() && doc.lock.is_none() && doc.left_overs.iter().all(|left| left.kept) && doc.errors.is_empty();
    let in_outage = doc.unfinished.iter().any(|run| !run.outages.is_empty());
    let words = if doc.is_running() {
        if in_outage { ("a run is under way, in an outage", Ink::Danger) } else { ("a run is under way", Ink::Watch) }
    } else if in_outage {
        ("AN OUTAGE IS OPEN, and no run is under way", Ink::Danger)
    } else if calm {
        ("quiet: no unfinished run, no lock", Ink::Good)
    } else {
        ("needs a look", Ink::Watch)
    };
    let overdue = doc.freshness.iter().filter(|fresh| fresh.overdue).count();
    let mut line = Line::of(Ink::Strong, &doc.environment).and(Ink::Plain, ": ").and(words.1, words.0);
    if overdue > 0 {
        line = line.and(Ink::Watch, &format!("; {} due for a refresh", many(overdue, "resource")));
    }
    let aside = if doc.offline { "  (journal only)" } else { "" };
    page.put(0, 2, &line.and(Ink::Faint, aside));
    for run in &doc.unfinished {
        unfinished(page, doc, run);
    }
    if let Some(lock) = &doc.lock {
        locked(page, doc, lock);
    }
    for hold in &doc.holds {
        entry(page, Ink::Watch, "held", &Line::of(Ink::Strong, &hold.address).and(Ink::Plain, &format!(": {}", hold.reason)));
    }
    for fresh in &doc.freshness {
        freshness(page, doc, fresh);
    }
    for left in &doc.left_overs {
        let run = left.run.as_ref().map_or_else(String::new, |run| format!(" of run {run}"));
        let (ink, label, until) = match left.kept_until {
            Some(until) if left.kept => (Ink::Plain, "kept", format!(" until {}", time::minute(until))),
            _ => (Ink::Watch, "left over", String::new()),
        };
        entry(page, ink, label, &Line::of(Ink::Strong, &left.name).and(Ink::Plain, &format!("{run}{until}: {}", left.help)));
    }
    for error in &doc.errors {
        entry(page, Ink::Danger, "unknown", &Line::plain(error));
    }
}

fn unfinished(page: &mut Page, doc: &StatusDoc, run: &UnfinishedRun) {
    let phase = run.phase.map_or_else(|| "before its first step".to_owned(), |phase| format!("in {phase}"));
    let back = if run.turning_back { ", being turned back" } else { "" };
    let age = time::words(time::between(run.started, doc.now));
    let words = format!(
        "{phase}{back}; {} of {} done, {} undone, {} in flight; begun {age} ago by {}",
        run.done,
        many(run.steps, "step"),
        run.undone,
        run.in_flight.len(),
        run.actor
    );
    let (ink, label) = if doc.is_running() { (Ink::Watch, "running") } else { (Ink::Danger, "unfinished") };
    entry(page, ink, label, &Line::of(Ink::Strong, &run.run).and(Ink::Plain, &format!(": {words}")));
    if !run.in_flight.is_empty() {
        entry(page, Ink::Plain, "", &Line::plain(&format!("in flight: {}", run.in_flight.join(", "))));
    }
    for (outage, since) in &run.outages {
        let expected = run.outages_expected_seconds.get(outage).map_or_else(String::new, |seconds| format!(" of about {}", words_of(*seconds)));
        let lasts = time::words(time::between(*since, doc.now));
        let words = format!("{outage} is in its outage since {}, {lasts}{expected}", time::minute(*since));
        entry(page, Ink::Danger, "", &Line::of(Ink::Danger, &words));
    }
    if let Some(expected) = &run.expected {
        let words = match (expected.seconds, doc.is_running()) {
            (0, true) => "takes longer than expected".to_owned(),
            (0, false) => "what is left takes no time worth counting".to_owned(),
            (seconds, running) => format!("about {} {}, {}", words_of(seconds), if running { "left" } else { "once it goes on" }, expected.basis),
        };
        entry(page, Ink::Plain, "", &Line::plain(&words));
    }
    if doc.is_running() {
        return;
    }
    entry(page, Ink::Plain, "", &Line::plain(&format!("next: {}", run.next)));
    let environment = escape::shell(&doc.environment);
    for command in ["resume", "rollback"].into_iter().take(if run.turning_back { 1 } else { 2 }) {
        page.raw(LABEL + 4, &Line::of(Ink::Strong, &format!("switchover {command} {environment}")));
    }
}

fn words_of(seconds: u64) -> String {
    time::words(std::time::Duration::from_secs(seconds))
}

fn locked(page: &mut Page, doc: &StatusDoc, lock: &LockStatus) {
    let lease = if lock.gone {
        "its process is gone".to_owned()
    } else if lock.expired {
        format!("its lease ended {}", time::minute(lock.expires))
    } else {
        format!("its lease lasts until {}", time::rfc3339(lock.expires))
    };
    let words = format!(
        " by {} on {} for run {}, since {}, last heard {}; {lease}",
        lock.holder,
        lock.host,
        lock.run,
        time::minute(lock.started),
        time::rfc3339(lock.heartbeat)
    );
    entry(page, Ink::Watch, "locked", &Line::of(Ink::Strong, &lock.name).and(Ink::Plain, &words));
    // A run that can go on takes the lock by itself.
    if (lock.expired || lock.gone) && doc.unfinished.is_empty() {
        page.raw(LABEL + 4, &Line::of(Ink::Strong, &format!("switchover unlock {}", escape::shell(&doc.environment))));
    }
}

fn freshness(page: &mut Page, doc: &StatusDoc, fresh: &Freshness) {
    let age = fresh.age_seconds.map(|age| time::words(std::time::Duration::from_secs(age)));
    let age = age.map_or_else(|| "age of the data unknown".to_owned(), |age| format!("data is {age} old"));
    let (ink, due) = match fresh.due {
        None => (Ink::Plain, String::new()),
        Some(due) if fresh.overdue => (Ink::Watch, format!("; due since {}", time::minute(due))),
        Some(due) => (Ink::Good, format!("; next due {}, in {}", time::minute(due), time::words(time::between(doc.now, due)))),
    };
    let note = fresh.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
    entry(page, ink, "freshness", &Line::of(Ink::Strong, &fresh.address).and(Ink::Plain, &format!(": {age}{due}{note}")));
}

fn entry(page: &mut Page, ink: Ink, label: &str, line: &Line) {
    let width = page.columns().saturating_sub(LABEL + 6);
    page.row(&Line::plain("  "), &[Cell::left(Line::of(ink, label), LABEL), Cell::left(line.clone(), width)]);
}
