//! Events → lines of text: what began, what moves, what ended, and how long it took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::steps::Steps;
use crate::apply::{Event, EventKind};
use crate::model::text::many;
use crate::model::time::{self, Timestamp};
use crate::plan::{Estimate, Experience, Plan, Step, Undo};
use crate::review::layout::{self, Cell, Line, Page, width};
use crate::review::summary::about;
use crate::review::{Ink, Style};

/// A step that says nothing new says so this often.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// While it goes on and on, the pauses between heartbeats double up to this: some dozens of lines for a wait of hours.
const SLOWEST_HEARTBEAT: Duration = Duration::from_mins(5);
/// A step of percent that is worth a line.
const NOTABLE_PERCENT: u8 = 10;
/// Columns of the times, `13:04:05`.
const TIME: usize = 8;

/// Puts events into words, for one reader of one run.
pub struct Wording {
    /// How lines are shown.
    pub style: Style,
    steps: Steps,
    experience: Arc<Experience>,
    /// Columns of the short names.
    widest_name: usize,
    /// Outages that are open.
    open: usize,
    /// What was last said of the steps under way, by id.
    said: BTreeMap<String, Said>,
}

/// The last line of one step.
struct Said {
    status: String,
    percent: Option<u8>,
    at: Timestamp,
    pause: Duration,
}

impl Wording {
    /// For a plan whose steps took what they took before.
    #[must_use]
    pub fn new(style: Style, plan: Arc<Plan>, experience: Arc<Experience>) -> Self {
        let steps = Steps::new(plan);
        let widest_name = steps.name_columns();
        Wording { style, steps, experience, widest_name, open: 0, said: BTreeMap::new() }
    }

    /// What stays to be read when something else shows what is under way: ends, failures, notes, and where an outage begins and ends.
    #[must_use]
    pub fn lasting(&mut self, event: &Event) -> String {
        if matches!(event.kind, EventKind::StepStarted { undo: false, attempt: 0 | 1, .. } | EventKind::StepProgress { .. }) {
            return String::new();
        }
        self.text(event)
    }

    /// The text of one event; empty when it is not worth a line.
    #[must_use]
    pub fn text(&mut self, event: &Event) -> String {
        let mut page = Page::new(&self.style);
        match &event.kind {
            EventKind::RunStarted { mode, steps, expected_seconds, actor } => {
                self.said.clear();
                let (environment, run, steps) = (&event.environment, &event.run, many(*steps, "step"));
                let words = match *expected_seconds {
                    0 => format!("{mode} of {environment}, run {run} of {steps}, by {actor}"),
                    seconds => format!("{mode} of {environment}, run {run}: {steps}, {}, by {actor}", about(self.whole(seconds))),
                };
                self.line(&mut page, event, Line::of(Ink::Strong, &words));
            }
            EventKind::StepStarted { expected_seconds, attempt, undo } => self.started(&mut page, event, *expected_seconds, *attempt, *undo),
            EventKind::StepProgress { status, percent, elapsed_seconds, expected_seconds } => {
                if self.worth_saying(event, status, *percent) {
                    let percent = percent.map_or_else(String::new, |percent| format!(" {percent} %"));
                    let words = format!("{status}{percent}, {}", self.of_expected(event, *elapsed_seconds, *expected_seconds));
                    self.line(&mut page, event, Line::of(Ink::Faint, &words));
                }
            }
            EventKind::StepDone { elapsed_seconds, detail } => {
                let expected = self.step(event).map_or(0, |step| step.limits.expected.as_secs());
                let words = format!("in {}", self.of_expected(event, *elapsed_seconds, expected));
                self.line(&mut page, event, Line::of(Ink::Good, "done ").and(Ink::Plain, &words));
                Self::lines(&mut page, detail);
                self.forget(event);
            }
            EventKind::StepFailed { error, help, undo } => {
                let what = if *undo { "its way back failed: " } else { "failed: " };
                self.line(&mut page, event, Line::of(Ink::Danger, what).and(Ink::Plain, error));
                self.continued(&mut page, event, Line::of(Ink::Strong, "help: ").and(Ink::Plain, help));
                self.forget(event);
            }
            EventKind::StepUndone { elapsed_seconds } => {
                self.line(&mut page, event, Line::of(Ink::Watch, "undone").and(Ink::Plain, &format!(" in {}", words(*elapsed_seconds))));
                self.forget(event);
            }
            EventKind::OutageStarted { outage, expected_seconds } => {
                self.open += 1;
                let line = Line::of(Ink::Danger, "OUTAGE BEGINS ").and(Ink::Plain, &format!("{outage}, {}", self.outage(outage, *expected_seconds)));
                self.line(&mut page, event, line);
            }
            EventKind::OutageEnded { outage, seconds } => {
                self.open = self.open.saturating_sub(1);
                let line = Line::of(Ink::Good, "OUTAGE ENDS ")
                    .and(Ink::Plain, &format!("{outage}, after {}", time::to_the_second(Duration::from_secs(*seconds))));
                self.line(&mut page, event, line);
            }
            EventKind::GateWaiting { message } => self.line(&mut page, event, Line::of(Ink::Watch, "waiting at a gate: ").and(Ink::Plain, message)),
            EventKind::Notice { message } => self.line(&mut page, event, Line::of(Ink::Watch, "note: ").and(Ink::Plain, message)),
            EventKind::RunFinished { summary, elapsed_seconds } => {
                let counts =
                    [("done", &summary.done), ("undone", &summary.undone), ("in flight", &summary.in_flight), ("not started", &summary.not_started)];
                let counts = counts.map(|(word, steps)| format!("{} {word}", steps.len())).join(", ");
                self.line(
                    &mut page,
                    event,
                    Line::of(Ink::Strong, &format!("ends after {}: {counts}, exit {}", words(*elapsed_seconds), summary.exit_code)),
                );
            }
        }
        page.finish()
    }

    fn started(&self, page: &mut Page, event: &Event, expected_seconds: u64, attempt: u32, undo: bool) {
        let title = self.step(event).map_or("", |step| match &step.undo {
            Undo::Operations { title, .. } if undo => title.as_str(),
            _ => step.title.as_str(),
        });
        let begins = match (undo, attempt) {
            (true, _) => Line::of(Ink::Watch, "turning back: "),
            (false, 0 | 1) => Line::default(),
            (false, again) => Line::of(Ink::Watch, &format!("attempt {again}: ")),
        };
        let estimate = if undo { Estimate::guess(seconds(expected_seconds)) } else { self.estimate(event, expected_seconds) };
        let aside = match estimate.runs {
            _ if estimate.duration <= Duration::from_secs(1) => String::new(),
            0 => format!("  ({})", estimate.short()),
            _ => format!("  ({}, {})", estimate.short(), estimate.basis()),
        };
        self.line(page, event, begins.and(Ink::Plain, title).and(Ink::Faint, &aside));
    }

    /// Whether status or percent moved notably, or the heartbeat is due; remembers what is said.
    fn worth_saying(&mut self, event: &Event, status: &str, percent: Option<u8>) -> bool {
        let Some(step) = &event.step else { return true };
        let fresh = Said { status: status.to_owned(), percent, at: event.time, pause: HEARTBEAT };
        let Some(said) = self.said.get_mut(step) else {
            self.said.insert(step.clone(), fresh);
            return true;
        };
        let moved = match (said.percent, percent) {
            (Some(before), Some(now)) => now.abs_diff(before) >= NOTABLE_PERCENT || (now == 100 && before != 100),
            (before, now) => before != now,
        };
        if said.status != status || moved {
            *said = fresh;
            return true;
        }
        if time::between(said.at, event.time) < said.pause {
            return false;
        }
        // Nobody wants to wait for news while an outage lasts.
        let pause = if self.open == 0 { said.pause.saturating_mul(2).min(SLOWEST_HEARTBEAT) } else { HEARTBEAT };
        *said = Said { pause, ..fresh };
        true
    }

    fn step(&self, event: &Event) -> Option<&Step> {
        self.steps.step(event.step.as_deref()?)
    }

    fn forget(&mut self, event: &Event) {
        if let Some(step) = &event.step {
            self.said.remove(step);
        }
    }

    /// Time, number of the step, its short name, then the words; what does not fit is wrapped under them.
    fn line(&self, page: &mut Page, event: &Event, words: Line) {
        let clock = Line::of(Ink::Faint, &event.time.strftime("%H:%M:%S").to_string());
        let (place, name) = event.step.as_deref().map_or_else(Default::default, |id| self.place(id));
        self.columns(page, event, [clock, Line::of(Ink::Faint, &place), Line::of(Ink::Strong, &name), words]);
    }

    /// Further words to the event above, under its own.
    fn continued(&self, page: &mut Page, event: &Event, words: Line) {
        self.columns(page, event, [Line::default(), Line::default(), Line::default(), words]);
    }

    fn columns(&self, page: &mut Page, event: &Event, [clock, place, name, words]: [Line; 4]) {
        let mut cells = vec![Cell::left(clock, TIME)];
        if event.step.is_some() {
            cells.extend([Cell::right(place, self.steps.number_columns()), Cell::left(name, self.widest_name)]);
        }
        let used: usize = cells.iter().map(|cell| cell.width + 2).sum();
        cells.push(Cell::left(words, page.columns().saturating_sub(used).max(20)));
        page.row(&Line::default(), &cells);
    }

    /// ` 3/13` and `restore`.
    fn place(&self, id: &str) -> (String, String) {
        match self.steps.place(id) {
            Some(place) => (self.steps.number(place), layout::shortened(self.steps.name(place), self.widest_name)),
            None => (String::new(), id.to_owned()),
        }
    }

    /// What is expected of the event's step; the event's own word for a step that the plan does not have.
    fn estimate(&self, event: &Event, expected_seconds: u64) -> Estimate {
        let known = self.step(event).map(|step| self.experience.step(step)).filter(|estimate| estimate.runs > 0);
        known.unwrap_or_else(|| Estimate::guess(seconds(expected_seconds)))
    }

    /// `12m of about 45m`, `12m of 14m` where earlier runs say so; only the time where nothing was expected.
    fn of_expected(&self, event: &Event, elapsed: u64, expected: u64) -> String {
        let estimate = self.estimate(event, expected);
        if estimate.duration.is_zero() { words(elapsed) } else { format!("{} of {}", words(elapsed), estimate.short()) }
    }

    /// What the whole run takes: as planned, or as earlier runs have it.
    fn whole(&self, expected: u64) -> Duration {
        if self.experience.is_empty() { seconds(expected) } else { self.experience.run(&self.steps.plan, |_| true) }
    }

    fn outage(&self, name: &str, expected: u64) -> String {
        let window = self.steps.plan.outage.iter().find(|window| window.name == name);
        match window.map(|window| self.experience.outage(window)).filter(|estimate| estimate.runs > 0) {
            Some(estimate) => format!("{}, {}", estimate.short(), estimate.basis()),
            None => about(seconds(expected)),
        }
    }

    /// What a step found out, line by line: a table stays a table where there is room for it. Where there is not, each of its lines is wrapped between words.
    fn lines(page: &mut Page, detail: &str) {
        let fits = detail.lines().all(|line| TIME + 4 + width(line) <= page.columns());
        for line in detail.lines() {
            if fits {
                page.raw(TIME + 4, &Line::plain(line));
            } else {
                let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
                page.put(TIME + 4, 4, &Line::plain(&cells.join("  ")));
            }
        }
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn words(elapsed: u64) -> String {
    time::words(seconds(elapsed))
}
