//! Progress as plain lines that the log of a CI job can bear: what began, what moves, what ended, and how long it took.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use super::final_report::{Outcome, final_report};
use super::story::Story;
use crate::apply::{Event, EventKind, Sink};
use crate::model::time::{self, Timestamp};
use crate::plan::{Plan, Step, Undo};
use crate::review::layout::{self, Cell, Line, Page};
use crate::review::summary::{Numbers, about, many, short_name};
use crate::review::{Ink, Style};

/// A step that says nothing new says so this often.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// While it goes on and on, the pauses between heartbeats double up to this: some dozens of lines for a wait of hours.
const SLOWEST_HEARTBEAT: Duration = Duration::from_mins(5);
/// A step of percent that is worth a line.
const NOTABLE_PERCENT: u8 = 10;
/// Columns of the times, `13:04:05`.
const TIME: usize = 8;
const NAME: usize = 28;

/// Writes progress lines, and at the end of a run one that counts; the final report only when asked to.
pub struct Progress {
    out: Box<dyn Write + Send>,
    style: Style,
    plan: Arc<Plan>,
    story: Story,
    with_report: bool,
    /// Columns of the short names.
    widest_name: usize,
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

impl Progress {
    /// Writes to `out`, as a rule stderr. What cannot be written is lost.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, style: Style, plan: Arc<Plan>) -> Self {
        let widest_name = plan.steps.iter().map(|step| layout::width(&short_name(&plan, &step.id))).max().unwrap_or(0).min(NAME);
        Progress { out, style, plan, story: Story::default(), with_report: false, widest_name, said: BTreeMap::new() }
    }

    /// Writes the final report, too, when the run has ended: for replaying a run, where nobody else does.
    #[must_use]
    pub fn with_report(mut self) -> Self {
        self.with_report = true;
        self
    }

    /// The text of one event; empty when it is not worth a line.
    fn text(&mut self, event: &Event) -> String {
        let mut page = Page::new(&self.style);
        match &event.kind {
            EventKind::RunStarted { mode, steps, expected_seconds, actor } => {
                self.said.clear();
                let words = format!(
                    "{mode} of {}, run {}: {}, {}, by {actor}",
                    event.environment,
                    event.run,
                    many(*steps, "step"),
                    about(seconds(*expected_seconds))
                );
                self.line(&mut page, event, Line::of(Ink::Strong, &words));
            }
            EventKind::StepStarted { expected_seconds, attempt, undo } => self.started(&mut page, event, *expected_seconds, *attempt, *undo),
            EventKind::StepProgress { status, percent, elapsed_seconds, expected_seconds } => {
                if self.worth_saying(event, status, *percent) {
                    let percent = percent.map_or_else(String::new, |percent| format!(" {percent} %"));
                    let words = format!("{status}{percent}, {}", of_expected(*elapsed_seconds, *expected_seconds));
                    self.line(&mut page, event, Line::of(Ink::Faint, &words));
                }
            }
            EventKind::StepDone { elapsed_seconds, detail } => {
                let expected = self.step(event).map_or(0, |step| step.limits.expected.as_secs());
                let words = format!("in {}", of_expected(*elapsed_seconds, expected));
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
                let line = Line::of(Ink::Danger, "OUTAGE BEGINS ").and(Ink::Plain, &format!("{outage}, {}", about(seconds(*expected_seconds))));
                self.line(&mut page, event, line);
            }
            EventKind::OutageEnded { outage, seconds } => {
                let line = Line::of(Ink::Good, "OUTAGE ENDS ").and(Ink::Plain, &format!("{outage}, after {}", words(*seconds)));
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
        let aside = if expected_seconds > 1 { format!("  ({})", about(seconds(expected_seconds))) } else { String::new() };
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
        let pause = if self.story.open_outages.is_empty() { said.pause.saturating_mul(2).min(SLOWEST_HEARTBEAT) } else { HEARTBEAT };
        *said = Said { pause, ..fresh };
        true
    }

    fn step(&self, event: &Event) -> Option<&Step> {
        let id = event.step.as_deref()?;
        self.plan.steps.iter().find(|step| step.id == id)
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
            cells.extend([Cell::right(place, self.digits() * 2 + 1), Cell::left(name, self.widest_name)]);
        }
        let used: usize = cells.iter().map(|cell| cell.width + 2).sum();
        cells.push(Cell::left(words, page.columns().saturating_sub(used).max(20)));
        page.row(&Line::default(), &cells);
    }

    fn digits(&self) -> usize {
        self.plan.steps.len().to_string().len()
    }

    /// ` 3/13` and `restore`.
    fn place(&self, id: &str) -> (String, String) {
        let (count, digits) = (self.plan.steps.len(), self.digits());
        let number = Numbers::of(&self.plan).get(id);
        (number.map_or_else(String::new, |number| format!("{number:>digits$}/{count}")), short_name(&self.plan, id))
    }

    /// What a step found out, line by line: a table stays a table.
    fn lines(page: &mut Page, detail: &str) {
        for line in detail.lines() {
            page.raw(TIME + 4, &Line::plain(line));
        }
    }

    fn report(&self) -> String {
        let Some((summary, elapsed_seconds)) = self.story.end.as_ref().filter(|_| self.with_report) else { return String::new() };
        let outcome = Outcome { plan: &self.plan, story: &self.story, summary, elapsed_seconds: *elapsed_seconds };
        format!("\n{}", final_report(&outcome, &self.style))
    }
}

impl Sink for Progress {
    fn event(&mut self, event: &Event) {
        self.story.event(event);
        let mut text = self.text(event);
        if matches!(event.kind, EventKind::RunFinished { .. }) {
            text.push_str(&self.report());
        }
        if !text.is_empty() {
            // A terminal that went away must not stop the run.
            let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        }
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn words(elapsed: u64) -> String {
    time::words(seconds(elapsed))
}

/// `12m of about 45m`; only the time where nothing was expected.
fn of_expected(elapsed: u64, expected: u64) -> String {
    if expected == 0 { words(elapsed) } else { format!("{} of about {}", words(elapsed), words(expected)) }
}
