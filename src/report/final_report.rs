//! The last thing a run prints: what became of it, in one screen, and what a person must do.

use std::time::Duration;

use super::story::{Failed, Story};
use crate::apply::event::Summary;
use crate::model::{Phase, time};
use crate::plan::{Plan, Step, Undo};
use crate::review::layout::{Cell, Line, Page};
use crate::review::summary::short_name;
use crate::review::{Ink, Style, escape};

/// Lists up to this length are given in full.
const NAMES: usize = 8;
/// Of longer ones this many are named, what matters most first.
const NAMES_OF_MANY: usize = 6;
const FAILURES: usize = 4;
const NEEDS: usize = 8;
const LABEL: usize = 11;
const COUNT: usize = 4;

/// A run that has ended, for now or for good.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// What was to be done.
    pub plan: &'a Plan,
    /// What was told on the way: failures and outages.
    pub story: &'a Story,
    /// What became of each step.
    pub summary: &'a Summary,
    /// Seconds that this process's part of the run took.
    pub elapsed_seconds: u64,
}

/// Renders the final report. Always there: done, undone, in flight, not started, and what a person must do.
#[must_use]
pub fn final_report(outcome: &Outcome<'_>, style: &Style) -> String {
    let mut page = Page::new(style);
    let summary = outcome.summary;
    verdict(&mut page, outcome);
    page.gap();
    failures(&mut page, outcome);
    steps(&mut page, outcome, Ink::Good, "done", &summary.done);
    steps(&mut page, outcome, Ink::Watch, "undone", &summary.undone);
    steps(&mut page, outcome, Ink::Danger, "in flight", &summary.in_flight);
    steps(&mut page, outcome, Ink::Plain, "not started", &summary.not_started);
    outages(&mut page, outcome);
    needs(&mut page, outcome);
    go_on(&mut page, outcome);
    page.finish()
}

/// One line: how it ended, what that means, how long it took.
fn verdict(page: &mut Page, outcome: &Outcome<'_>) {
    let plan = outcome.plan;
    let back = outcome.story.mode == "rollback";
    let (ink, word, meaning) = match outcome.summary.exit_code {
        0 if back => (Ink::Good, "TURNED BACK", "everything is as it was before the run"),
        0 => (Ink::Good, "DONE", "everything is as planned"),
        3 => (Ink::Watch, "WAITING", "a gate wants people; nothing goes on before"),
        4 => (Ink::Danger, "FAILED", "and turned back: everything is as it was"),
        5 => (Ink::Danger, "A PERSON IS NEEDED", "it is neither finished nor turned back as a whole"),
        6 => (Ink::Danger, "STALE", "what the plan relied on has changed; what had begun is turned back"),
        7 => (Ink::Danger, "LOCKED", "another run has the lock; this one has ended"),
        8 => (Ink::Watch, "STOPPED", "at a safe point; nothing is lost"),
        _ => (Ink::Danger, "FAILED", "no write was tried"),
    };
    let after = time::words(Duration::from_secs(outcome.elapsed_seconds));
    let line = Line::of(Ink::Strong, &plan.environment).and(Ink::Plain, ": ").and(ink, word).and(Ink::Plain, &format!(", {meaning}"));
    let aside = format!("  ({after}, run {}, exit {})", plan.run, outcome.summary.exit_code);
    page.put(0, 2, &line.and(Ink::Faint, &aside));
}

fn failures(page: &mut Page, outcome: &Outcome<'_>) {
    for failed in outcome.story.failures.iter().take(FAILURES) {
        failure(page, outcome.plan, failed);
    }
    let more = outcome.story.failures.len().saturating_sub(FAILURES);
    if more > 0 {
        let runs = format!("and {more} more: switchover runs {} {}", escape::shell(&outcome.plan.environment), escape::shell(&outcome.plan.run));
        entry(page, Line::default(), Line::of(Ink::Faint, &runs));
    }
}

fn failure(page: &mut Page, plan: &Plan, failed: &Failed) {
    let name = failed.step.as_deref().map_or_else(String::new, |id| match plan.place(id) {
        Some(place) => format!("{}/{} {}", place + 1, plan.steps.len(), short_name(plan, id)),
        None => id.to_owned(),
    });
    let what = if failed.undo { " (its way back): " } else { ": " };
    let line = if name.is_empty() { Line::default() } else { Line::of(Ink::Strong, &name).and(Ink::Plain, what) };
    entry(page, Line::of(Ink::Danger, "failed"), line.and(Ink::Plain, &failed.error));
    if !failed.help.is_empty() {
        entry(page, Line::default(), Line::of(Ink::Strong, "help: ").and(Ink::Plain, &failed.help));
    }
}

/// A count and the names; what is in flight has its whole title, since a person may have to look at it.
fn steps(page: &mut Page, outcome: &Outcome<'_>, ink: Ink, label: &str, ids: &[String]) {
    let ink = if ids.is_empty() { Ink::Faint } else { ink };
    let names = if label == "in flight" { titles(outcome.plan, ids) } else { names(outcome.plan, ids) };
    let width = page.columns().saturating_sub(2 + LABEL + 2 + COUNT + 2);
    let count = Line::of(ink, &ids.len().to_string());
    page.row(&Line::plain("  "), &[Cell::left(Line::of(ink, label), LABEL), Cell::right(count, COUNT), Cell::left(Line::plain(&names), width)]);
}

fn titles(plan: &Plan, ids: &[String]) -> String {
    let title = |id: &String| plan.step(id).map_or_else(|| id.clone(), |step| format!("{} ({})", short_name(plan, id), step.title));
    and_more(ids.iter().take(NAMES_OF_MANY).map(title).collect(), ids.len())
}

fn names(plan: &Plan, ids: &[String]) -> String {
    let mut shown: Vec<&String> = ids.iter().collect();
    if ids.len() > NAMES {
        // The sort is stable: within one rank the order of the plan stays.
        shown.sort_by_cached_key(|id| rank(plan.step(id)));
        shown.truncate(NAMES_OF_MANY);
    }
    and_more(shown.into_iter().map(|id| short_name(plan, id)).collect(), ids.len())
}

/// What cannot be undone matters most, then what people notice, then what removes.
fn rank(step: Option<&Step>) -> u8 {
    match step {
        Some(step) if step.irreversible.is_some() => 0,
        Some(step) if step.outage.is_some() || step.phase == Phase::Switch => 1,
        Some(step) if step.phase == Phase::Retire => 2,
        Some(step) if step.phase == Phase::Prepare => 3,
        _ => 4,
    }
}

fn and_more(mut shown: Vec<String>, all: usize) -> String {
    if all > shown.len() {
        shown.push(format!("and {} more", all - shown.len()));
    }
    shown.join(", ")
}

fn outages(page: &mut Page, outcome: &Outcome<'_>) {
    for (name, seconds) in &outcome.story.outages {
        let lasted = time::to_the_second(Duration::from_secs(*seconds));
        entry(page, Line::of(Ink::Watch, "outage"), Line::plain(&format!("{name}: {lasted}")));
    }
    for (name, since) in &outcome.story.open_outages {
        entry(page, Line::of(Ink::Danger, "outage"), Line::of(Ink::Danger, &format!("{name}: since {}, not ended", time::minute(*since))));
    }
}

fn needs(page: &mut Page, outcome: &Outcome<'_>) {
    let needs = &outcome.summary.needs;
    page.gap();
    if needs.is_empty() {
        let words = if outcome.summary.exit_code == 0 { "Nothing is left for a person to do." } else { "Nothing has to be mended by hand." };
        page.put(0, 0, &Line::plain(words));
        return;
    }
    page.put(0, 0, &Line::of(Ink::Danger, "What a person must do:"));
    for (need, number) in needs.iter().take(NEEDS).zip(1..) {
        page.put(2, 3, &Line::plain(&format!("{number}. {need}")));
    }
    if needs.len() > NEEDS {
        page.put(2, 3, &Line::plain(&format!("and {} more", needs.len() - NEEDS)));
    }
}

/// The commands that make sense now, ready to be copied.
fn go_on(page: &mut Page, outcome: &Outcome<'_>) {
    let (plan, summary) = (outcome.plan, outcome.summary);
    let lost = plan.steps.iter().any(|step| step.irreversible.is_some() && summary.done.contains(&step.id));
    let mut commands: Vec<(&str, &str)> = Vec::new();
    match summary.exit_code {
        0 if outcome.story.mode != "rollback" && !lost && !summary.done.is_empty() => commands.push(("rollback", "turns it back")),
        0 | 7 => {}
        // What was turned back as far as that is possible leaves nothing to go on with.
        5 if lost && !summary.undone.is_empty() => commands.push(("plan", "plans again from what is there now")),
        3 | 5 | 8 => {
            commands.push(("resume", "goes on"));
            // `rollback` refuses as soon as something that cannot be undone was called, whatever came of it.
            if !lost && !called_for_good(outcome) {
                commands.push(("rollback", "turns it back"));
            }
        }
        _ => commands.push(("plan", "plans again from what is there now")),
    }
    let environment = escape::shell(&plan.environment);
    if !commands.is_empty() {
        page.gap();
        page.put(0, 0, &Line::plain("From here:"));
    }
    for (command, does) in commands {
        let command = Line::of(Ink::Strong, &format!("switchover {command} {environment}")).padded("switchover rollback ".len() + environment.len());
        page.raw(2, &command.and(Ink::Faint, &format!("   {does}")));
    }
}

/// Whether a step without a way back was called.
fn called_for_good(outcome: &Outcome<'_>) -> bool {
    let called = |id: &String| outcome.summary.done.contains(id) || outcome.summary.in_flight.contains(id);
    outcome.plan.steps.iter().any(|step| matches!(step.undo, Undo::Impossible(_)) && called(&step.id))
}

fn entry(page: &mut Page, label: Line, words: Line) {
    let width = page.columns().saturating_sub(2 + LABEL + 2);
    page.row(&Line::plain("  "), &[Cell::left(label, LABEL), Cell::left(words, width)]);
}

#[cfg(test)]
mod tests;
