//! What the live view shows: lines for a terminal of this size, at this moment. Pure.
//!
//! No line is wider than the terminal has columns, less one for the cursor; names are cut in the middle; when there are fewer rows than steps under
//! way, the rest is counted. Colours only repeat what words say.

use std::time::Duration;

use super::state::{State, Stopping, UnderWay};
use crate::model::time::{self, Timestamp};
use crate::model::{Address, Phase};
use crate::plan::{Estimate, Outage, Step};
use crate::review::layout::{Line, shortened, width};
use crate::review::{Ink, Style, escape};

/// Lines beyond this are too long to be read at a glance.
const COLUMNS_MAX: usize = 120;
/// Steps under way that are shown, at most.
const STEPS_MAX: usize = 10;
/// Rows that are left to what scrolls past.
const ROWS_ABOVE: usize = 4;
/// Columns that the last line leaves free: a terminal shows `^C` behind it, and a line that this breaks in two could not be taken away as one.
const ECHO: usize = 3;
/// Columns of a step's name, at most.
const NAME: usize = 28;

/// The lines for a terminal of `style.width` columns and `rows` rows.
#[must_use]
pub(super) fn lines(state: &State, now: Timestamp, rows: usize, style: &Style) -> Vec<String> {
    if state.has_ended || state.mode.is_empty() {
        return Vec::new();
    }
    let now = now.max(state.last);
    let columns = style.width.saturating_sub(1).min(COLUMNS_MAX);
    let mut lines = vec![head(state, now, columns)];
    lines.extend(phases(state, columns));
    let mut after = outages(state, now, columns);
    after.extend(state.gates.iter().map(|(address, message)| gate(address.as_ref(), message, columns)));
    after.push(stopping(state, columns.saturating_sub(ECHO)));
    let room = rows.saturating_sub(ROWS_ABOVE + lines.len() + after.len()).clamp(1, STEPS_MAX);
    lines.extend(steps(state, now, room, columns));
    lines.extend(after);
    lines.truncate(rows.saturating_sub(1).max(1));
    lines.iter().map(|line| line.render(style)).collect()
}

/// What a terminal that takes nothing has missed.
#[must_use]
pub(super) fn left_out(state: &State, lines: usize) -> String {
    let (environment, run) = (escape::shell(&state.steps.plan.environment), escape::shell(&state.steps.plan.run));
    format!("({lines} lines left out: `switchover runs {environment} {run}` has them)\n")
}

/// `apply of staging: 3 of 13 done, 42m 10s of about 1h 28m, run …`.
fn head(state: &State, now: Timestamp, columns: usize) -> Line {
    let plan = &state.steps.plan;
    let elapsed = time::between(state.began, now);
    let expected = if state.mode == crate::apply::journal::fold::ROLLBACK || state.expected.is_zero() {
        String::new()
    } else if elapsed > state.expected {
        format!(", {} over the {} expected", time::words(elapsed.saturating_sub(state.expected)), time::words(state.expected))
    } else {
        format!(" of about {}", time::words(state.expected))
    };
    let undone = if state.undone == 0 { String::new() } else { format!(", {} undone", state.undone) };
    let rest = format!(": {} of {} done{undone}, {}{expected}", state.done.len(), plan.steps.len(), time::words(elapsed));
    let before = format!("{} of ", state.mode);
    let room = columns.saturating_sub(width(&before) + width(&rest)).max(8);
    let line = Line::plain(&before).and(Ink::Strong, &shortened(&shown(&plan.environment), room)).and(Ink::Plain, &rest);
    let run = format!(", run {}", shown(&plan.run));
    if line.width() + width(&run) <= columns { line.and(Ink::Faint, &run) } else { fitted(line, columns) }
}

/// All phases of the plan with their counts, the present one in brackets; with less room only the present one is counted.
fn phases(state: &State, columns: usize) -> Option<Line> {
    let present = state.phase();
    let counted = |phase: Phase| {
        let of = |counts: &std::collections::BTreeMap<Phase, usize>| counts.get(&phase).copied().unwrap_or_default();
        format!("{phase} {}/{}", of(&state.done_by_phase), of(&state.all_by_phase))
    };
    let line = |others: fn(Phase, String) -> String| {
        let mut line = Line::default();
        for phase in state.all_by_phase.keys() {
            let is_present = Some(*phase) == present;
            let text = if is_present { format!("[{}]", counted(*phase)) } else { others(*phase, counted(*phase)) };
            let gap = if line.width() == 0 { "" } else { "  " };
            line = line.and(Ink::Plain, gap).and(if is_present { Ink::Strong } else { Ink::Faint }, &text);
        }
        line
    };
    let whole = line(|_, counted| counted);
    if whole.width() <= columns { Some(whole) } else { present.map(|_| fitted(line(|phase, _| phase.word().to_owned()), columns)) }
}

/// One step under way, its columns filled but not yet set.
struct Row {
    number: String,
    name: String,
    status: String,
    /// With what the expectation rests on, and without.
    times: [String; 2],
    inks: [Ink; 2],
}

/// What is under way, what people notice first, and how many more there are.
///
/// `  3/13  restore   creating 62 %   12m 30s of 41m, median of 3 runs`: the times stay whole; what they rest on goes first, then names and statuses
/// are cut.
fn steps(state: &State, now: Timestamp, room: usize, columns: usize) -> Vec<Line> {
    let planned = |place: usize| state.steps.plan.steps.get(place);
    let mut all: Vec<(usize, &UnderWay)> = state.under_way.iter().map(|(place, step)| (*place, step)).collect();
    all.sort_by_key(|(place, _)| (planned(*place).is_none_or(|step| step.outage.is_none()), *place));
    let count = if all.len() > room { room.saturating_sub(1) } else { all.len() };
    let rows: Vec<Row> = all.iter().take(count).filter_map(|(place, at)| Some(row(state, *place, planned(*place)?, at, now))).collect();
    let widest = |text: fn(&Row) -> &str| rows.iter().map(|row| width(text(row))).max().unwrap_or(0);
    let (names, statuses, number) = (widest(|row| &row.name).min(NAME), widest(|row| &row.status), widest(|row| &row.number));
    let fixed = 2 + number + 2 + 2 + 2;
    let with_basis = fixed + names + statuses + widest(|row| &row.times[0]) <= columns;
    let times = if with_basis { widest(|row| &row.times[0]) } else { widest(|row| &row.times[1]) };
    let free = columns.saturating_sub(fixed + times);
    let names = if names + statuses <= free { names } else { names.min((free / 2).max(free.saturating_sub(statuses))) };
    let statuses = statuses.min(free.saturating_sub(names));
    let line = |row: &Row| {
        let line = Line::of(Ink::Faint, &format!("  {}  ", row.number)).and(Ink::Strong, &shortened(&row.name, names));
        let line = line.padded(4 + number + names + 2).and(row.inks[0], &shortened(&row.status, statuses));
        fitted(line.padded(fixed + names + statuses).and(row.inks[1], &row.times[usize::from(!with_basis)]), columns)
    };
    let mut lines: Vec<Line> = rows.iter().map(line).collect();
    if all.len() > count {
        lines.push(Line::of(Ink::Faint, &format!("  and {} more under way", all.len() - count)));
    }
    lines
}

fn row(state: &State, place: usize, step: &Step, at: &UnderWay, now: Timestamp) -> Row {
    let elapsed = time::between(at.since, now);
    let estimate = if at.undo { Estimate::guess(Duration::ZERO) } else { state.experience.step(step) };
    let is_late = !estimate.duration.is_zero() && elapsed > estimate.duration;
    Row {
        number: state.steps.number(place),
        name: shown(state.steps.name(place)),
        status: status(at),
        times: [of_expected(elapsed, estimate, true), of_expected(elapsed, estimate, false)],
        inks: [if at.undo || at.attempt > 1 { Ink::Watch } else { Ink::Plain }, if is_late { Ink::Watch } else { Ink::Plain }],
    }
}

/// The service's word, and how it came to it.
fn status(at: &UnderWay) -> String {
    let word = if at.status.is_empty() { "begun".to_owned() } else { shown(&at.status) };
    let percent = at.percent.map_or_else(String::new, |percent| format!(" {percent} %"));
    match (at.undo, at.attempt) {
        (true, _) => format!("turning back: {word}{percent}"),
        (false, 0 | 1) => format!("{word}{percent}"),
        (false, attempt) => format!("attempt {attempt}: {word}{percent}"),
    }
}

fn of_expected(elapsed: Duration, estimate: Estimate, with_basis: bool) -> String {
    let words = time::words(elapsed);
    match estimate.duration.as_secs() {
        0 => words,
        _ if with_basis => format!("{words} of {}, {}", estimate.short(), estimate.basis()),
        _ => format!("{words} of {}", estimate.short()),
    }
}

/// Outages that are open, and those still to come.
fn outages(state: &State, now: Timestamp, columns: usize) -> Vec<Line> {
    let windows = &state.steps.plan.outage;
    let estimate = |name: &str| windows.iter().find(|window| window.name == name).map(|window| state.experience.outage(window));
    let mut lines = Vec::new();
    for (name, since) in &state.open {
        let open = time::between(*since, now);
        let full = match estimate(name).filter(|estimate| !estimate.duration.is_zero()) {
            None => format!("open {}", time::to_the_second(open)),
            Some(estimate) if open > estimate.duration => {
                format!("open {}, {} over the {}", time::to_the_second(open), time::words(open.saturating_sub(estimate.duration)), estimate.short())
            }
            Some(estimate) => format!("open {}", of_expected(open, estimate, columns >= 72)),
        };
        lines.push(named(Ink::Danger, "OUTAGE", name, &full, columns));
    }
    let to_come = |name: &str| !state.open.contains_key(name) && !state.over.contains(name);
    let is_left = |step: &String| state.steps.place(step).is_some_and(|place| !state.done.contains(&place));
    if let Some(window) = windows.iter().find(|window| to_come(&window.name) && window.steps.iter().any(is_left)) {
        let begins = window.steps.iter().filter_map(|id| state.steps.place(id)).find(|place| begins_outage(&state.steps.plan.steps[*place]));
        let at = begins.map_or_else(String::new, |place| format!(" from step {}", place + 1));
        let estimate = state.experience.outage(window);
        let basis = if columns >= 72 { format!(", {}", estimate.basis()) } else { String::new() };
        lines.push(named(Ink::Faint, "outage to come", &window.name, &format!("{}{basis},{at}", estimate.short()).replace(",,", ","), columns));
    }
    lines
}

fn begins_outage(step: &Step) -> bool {
    matches!(step.outage, Some(Outage::Starts(_) | Outage::Whole(_)))
}

/// `OUTAGE dev-openverse-db: open 2m 10s of 7m 12s`, the name cut where it must be.
fn named(ink: Ink, label: &str, name: &str, words: &str, columns: usize) -> Line {
    let room = columns.saturating_sub(width(label) + 1 + 2 + width(words)).max(8);
    let line = Line::of(ink, label).and(ink, " ").and(ink, &shortened(&shown(name), room)).and(ink, ": ").and(ink, words);
    fitted(line, columns)
}

fn gate(address: Option<&Address>, message: &str, columns: usize) -> Line {
    let of = address.map_or_else(String::new, |address| format!("{}: ", address.name));
    fitted(Line::of(Ink::Watch, "waiting at a gate: ").and(Ink::Plain, &of).and(Ink::Plain, message), columns)
}

/// What Ctrl-C does now.
fn stopping(state: &State, columns: usize) -> Line {
    let environment = escape::shell(&state.steps.plan.environment);
    let resume = format!("`switchover resume {environment}`");
    let candidates: Vec<String> = match state.stopping {
        Stopping::No if state.open.is_empty() => vec![
            format!("Ctrl-C: stops at the next safe point; {resume} goes on"),
            "Ctrl-C: stops at the next safe point, to be resumed".to_owned(),
            "Ctrl-C: stops safely".to_owned(),
        ],
        Stopping::No => vec![
            format!("Ctrl-C: stops when the outage has ended; {resume} goes on"),
            "Ctrl-C: stops when the outage has ended".to_owned(),
            "Ctrl-C: ends the outage".to_owned(),
        ],
        Stopping::Safely if state.open.is_empty() => vec![
            format!("STOPPING at the next safe point. Ctrl-C again: stops now, and leaves what is in flight to {resume}"),
            "STOPPING at the next safe point. Ctrl-C again: now".to_owned(),
            "STOPPING. Ctrl-C: now".to_owned(),
        ],
        Stopping::Safely => vec![
            format!("STOPPING when the outage has ended. Ctrl-C again: stops now, and leaves the outage open until {resume}"),
            "STOPPING when the outage has ended. Ctrl-C again: leaves it open".to_owned(),
            "STOPPING after the outage. Ctrl-C again: leaves it open".to_owned(),
            "STOPPING. Ctrl-C: now".to_owned(),
        ],
        Stopping::Now => vec![format!("STOPPING NOW; {resume} goes on"), "STOPPING NOW".to_owned()],
    };
    let ink = if state.stopping == Stopping::No { Ink::Faint } else { Ink::Watch };
    let fits = candidates.iter().find(|words| width(words) <= columns).or(candidates.last());
    fitted(Line::of(ink, fits.map_or("", String::as_str)), columns)
}

/// Escaped before it is cut: an escape takes more columns than what it stands for.
fn shown(text: &str) -> String {
    escape::terminal(text).into_owned()
}

/// The line as it is, or what fits of it in one ink.
fn fitted(line: Line, columns: usize) -> Line {
    if line.width() <= columns {
        return line;
    }
    Line::plain(&shortened(&line.render(&Style::plain(columns)), columns))
}
