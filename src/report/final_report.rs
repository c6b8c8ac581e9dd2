//! The last thing a run prints: what became of it, in one screen, and what a person must do.

use std::time::Duration;

use super::story::{Failed, Story};
use crate::apply::event::Summary;
use crate::model::{Phase, time};
use crate::plan::{Plan, Step, Undo};
use crate::review::layout::{Cell, Line, Page, width};
use crate::review::summary::short_name;
use crate::review::{Ink, Style, escape};

const LABEL: usize = 11;
const COUNT: usize = 4;
/// A run with more steps than this has more to tell than a screen holds.
const STEPS_OF_A_SCREEN: usize = 24;

/// How much of a list and of a text is told.
#[derive(Debug, Clone, Copy)]
struct Detail {
    /// Lists of steps up to this length are given in full.
    names: usize,
    /// Of longer ones this many are named, what matters most first.
    names_of_many: usize,
    /// Lines of such a list.
    name_lines: usize,
    failures: usize,
    /// Lines of one failure, and of its help, which what a person must do may say again.
    failure_lines: usize,
    help_lines: usize,
    outages: usize,
    needs: usize,
    /// Lines of what a person must do.
    need_lines: usize,
}

const WHOLE: usize = usize::MAX;

/// For whoever asks for the whole of it.
const ALL: Detail = Detail {
    names: 8,
    names_of_many: 6,
    name_lines: WHOLE,
    failures: WHOLE,
    failure_lines: WHOLE,
    help_lines: WHOLE,
    outages: WHOLE,
    needs: WHOLE,
    need_lines: WHOLE,
};
/// From more to less: the first that fits is taken. What a person must do is the last to be cut.
const LEVELS: [Detail; 6] = [
    Detail { failures: 4, outages: 4, needs: 8, ..ALL },
    Detail { names: 4, names_of_many: 3, failures: 2, failure_lines: 3, help_lines: 3, outages: 2, needs: 8, ..ALL },
    Detail { names: 2, names_of_many: 2, failures: 1, failure_lines: 2, help_lines: 2, outages: 2, needs: 8, ..ALL },
    Detail { needs: 8, need_lines: WHOLE, ..LEAST },
    Detail { needs: 4, need_lines: 3, ..LEAST },
    LEAST,
];
const LEAST: Detail =
    Detail { names: 0, names_of_many: 0, name_lines: 1, failures: 1, failure_lines: 1, help_lines: 0, outages: 1, needs: 2, need_lines: 2 };

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

/// Renders the final report in at most `rows` lines of 80 columns or more; the whole of it when none are given. Always there: done, undone, in flight,
/// not started, and what a person must do; lists and texts that do not fit are counted and cut, and then it says where all of it is.
#[must_use]
pub fn final_report(outcome: &Outcome<'_>, style: &Style, rows: Option<usize>) -> String {
    let Some(rows) = rows else { return told(outcome, style, ALL, false) };
    let mut text = String::new();
    for (level, detail) in LEVELS.into_iter().enumerate() {
        let points = level > 0 || outcome.plan.steps.len() > STEPS_OF_A_SCREEN;
        text = told(outcome, style, detail, points);
        if text.lines().count() <= rows {
            break;
        }
    }
    text
}

fn told(outcome: &Outcome<'_>, style: &Style, detail: Detail, points: bool) -> String {
    let mut page = Page::new(style);
    let summary = outcome.summary;
    verdict(&mut page, outcome);
    page.gap();
    failures(&mut page, outcome, detail);
    steps(&mut page, outcome, detail, Ink::Good, "done", &summary.done);
    steps(&mut page, outcome, detail, Ink::Watch, "undone", &summary.undone);
    steps(&mut page, outcome, detail, Ink::Danger, "in flight", &summary.in_flight);
    steps(&mut page, outcome, detail, Ink::Plain, "not started", &summary.not_started);
    outages(&mut page, outcome, detail);
    needs(&mut page, outcome, detail);
    go_on(&mut page, outcome, points);
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

fn failures(page: &mut Page, outcome: &Outcome<'_>, detail: Detail) {
    for failed in outcome.story.failures.iter().take(detail.failures) {
        failure(page, outcome.plan, failed, detail);
    }
    let more = outcome.story.failures.len().saturating_sub(detail.failures);
    if more > 0 {
        entry(page, Line::default(), Line::of(Ink::Faint, &format!("and {more} more")), 1);
    }
}

fn failure(page: &mut Page, plan: &Plan, failed: &Failed, detail: Detail) {
    let name = failed.step.as_deref().map_or_else(String::new, |id| match plan.place(id) {
        Some(place) => format!("{}/{} {}", place + 1, plan.steps.len(), short_name(plan, id)),
        None => id.to_owned(),
    });
    let what = if failed.undo { " (its way back): " } else { ": " };
    let line = if name.is_empty() { Line::default() } else { Line::of(Ink::Strong, &name).and(Ink::Plain, what) };
    entry(page, Line::of(Ink::Danger, "failed"), line.and(Ink::Plain, &failed.error), detail.failure_lines);
    if !failed.help.is_empty() && detail.help_lines > 0 {
        entry(page, Line::default(), Line::of(Ink::Strong, "help: ").and(Ink::Plain, &failed.help), detail.help_lines);
    }
}

/// A count and the names; what is in flight has its whole title, since a person may have to look at it.
fn steps(page: &mut Page, outcome: &Outcome<'_>, detail: Detail, ink: Ink, label: &str, ids: &[String]) {
    let ink = if ids.is_empty() { Ink::Faint } else { ink };
    let names = if label == "in flight" { titles(outcome.plan, ids, detail) } else { names(outcome.plan, ids, detail) };
    let width = page.columns().saturating_sub(2 + LABEL + 2 + COUNT + 2);
    let count = Line::of(ink, &ids.len().to_string());
    page.row(
        &Line::plain("  "),
        &[
            Cell::left(Line::of(ink, label), LABEL),
            Cell::right(count, COUNT),
            Cell::left(brief(Line::plain(&names), width, detail.name_lines), width),
        ],
    );
}

/// What is in flight is named whatever else is not.
fn titles(plan: &Plan, ids: &[String], detail: Detail) -> String {
    let title = |id: &String| plan.step(id).map_or_else(|| id.clone(), |step| format!("{} ({})", short_name(plan, id), step.title));
    and_more(ids.iter().take(detail.names_of_many.max(1)).map(title).collect(), ids.len())
}

fn names(plan: &Plan, ids: &[String], detail: Detail) -> String {
    let mut shown: Vec<&String> = ids.iter().collect();
    if ids.len() > detail.names {
        if detail.names_of_many == 0 {
            return String::new();
        }
        // The sort is stable: within one rank the order of the plan stays.
        shown.sort_by_key(|id| rank(plan.step(id)));
        shown.truncate(detail.names_of_many);
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

/// Those that have not ended come first.
fn outages(page: &mut Page, outcome: &Outcome<'_>, detail: Detail) {
    let open = outcome.story.open_outages.iter().map(|(name, since)| (Ink::Danger, format!("{name}: since {}, not ended", time::minute(*since))));
    let ended =
        outcome.story.outages.iter().map(|(name, seconds)| (Ink::Plain, format!("{name}: {}", time::to_the_second(Duration::from_secs(*seconds)))));
    let all: Vec<(Ink, String)> = open.chain(ended).collect();
    for ((ink, words), number) in all.iter().take(detail.outages).zip(1..) {
        let label = if *ink == Ink::Danger { Ink::Danger } else { Ink::Watch };
        let more = if number == detail.outages && all.len() > number { format!(", and {} more", all.len() - number) } else { String::new() };
        entry(page, Line::of(label, "outage"), Line::of(*ink, words).and(Ink::Plain, &more), WHOLE);
    }
}

fn needs(page: &mut Page, outcome: &Outcome<'_>, detail: Detail) {
    let needs = &outcome.summary.needs;
    page.gap();
    if needs.is_empty() {
        let words = if outcome.summary.exit_code == 0 { "Nothing is left for a person to do." } else { "Nothing has to be mended by hand." };
        page.put(0, 0, &Line::plain(words));
        return;
    }
    page.put(0, 0, &Line::of(Ink::Danger, "What a person must do:"));
    let width = page.columns().saturating_sub(5);
    for (need, number) in needs.iter().take(detail.needs).zip(1..) {
        page.put(2, 3, &brief(Line::plain(&format!("{number}. {need}")), width, detail.need_lines));
    }
    if needs.len() > detail.needs {
        page.put(2, 3, &Line::plain(&format!("and {} more", needs.len() - detail.needs)));
    }
}

/// The commands that make sense now, ready to be copied.
fn go_on(page: &mut Page, outcome: &Outcome<'_>, points: bool) {
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
    let mut lines: Vec<(String, &str)> = commands.into_iter().map(|(command, does)| (format!("switchover {command} {environment}"), does)).collect();
    if points {
        lines.push((format!("switchover runs {environment} {}", escape::shell(&plan.run)), "tells all of it"));
    }
    if !lines.is_empty() {
        page.gap();
        page.put(0, 0, &Line::plain("From here:"));
    }
    let widest = lines.iter().map(|(command, _)| width(command)).max().unwrap_or(0).max("switchover rollback ".len() + environment.len());
    for (command, does) in lines {
        page.raw(2, &Line::of(Ink::Strong, &command).padded(widest).and(Ink::Faint, &format!("   {does}")));
    }
}

/// Whether a step without a way back was called.
fn called_for_good(outcome: &Outcome<'_>) -> bool {
    let called = |id: &String| outcome.summary.done.contains(id) || outcome.summary.in_flight.contains(id);
    outcome.plan.steps.iter().any(|step| matches!(step.undo, Undo::Impossible(_)) && called(&step.id))
}

fn entry(page: &mut Page, label: Line, words: Line, lines: usize) {
    let width = page.columns().saturating_sub(2 + LABEL + 2);
    page.row(&Line::plain("  "), &[Cell::left(label, LABEL), Cell::left(brief(words, width, lines), width)]);
}

/// As much of it as stands in so many lines.
fn brief(words: Line, width: usize, lines: usize) -> Line {
    let parts = words.wrapped(width, 0);
    if parts.len() <= lines {
        return words;
    }
    // What follows the last line has no room: the mark takes that of its last columns.
    let mut kept = parts.into_iter().take(lines);
    let first = kept.next().unwrap_or_default();
    kept.fold(first, |line, part| line.and(Ink::Plain, " ").join(part)).and(Ink::Plain, "…")
}

#[cfg(test)]
mod tests;
