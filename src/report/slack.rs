//! Which events become notices, and their text: complete in itself, so that somebody who reads it on a phone knows what is going on
//! and what comes next.

use std::time::Duration;

use crate::apply::event::{Event, EventKind, Summary};
use crate::model::text::many;
use crate::model::time;
use crate::plan::Plan;
use crate::review::escape;
use crate::review::summary::{about, changed, no_way_back, outages, short_name};

/// Notices of one undisturbed run, start and end included.
const MOST: usize = 6;
/// Names in one notice.
const NAMED: usize = 3;
/// Characters of one part: a notice is read on a phone.
const PART: usize = 400;

/// Keeps an undisturbed run within six notices, and tells of a failure once, however many steps fail together.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    sent: usize,
    failed: bool,
    open: Vec<String>,
}

impl Notices {
    /// No notice yet.
    #[must_use]
    pub fn new() -> Self {
        Notices::default()
    }

    /// No notice yet from this process; the end of an outage that an earlier one left open will be one.
    #[must_use]
    pub fn going_on(open: Vec<String>) -> Self {
        Notices { open, ..Notices::default() }
    }

    /// The text to send for this event; none when it is not worth one. Events come in order.
    pub fn notice(&mut self, event: &Event, plan: &Plan) -> Option<String> {
        let text = notice(event, plan)?;
        let wanted = match &event.kind {
            // The end of this outage, of those that are open, and of the run must still fit.
            EventKind::OutageStarted { outage, .. } => {
                let fits = self.failed || self.sent + self.open.len() + 3 <= MOST;
                if fits {
                    self.open.push(outage.clone());
                }
                fits
            }
            EventKind::OutageEnded { outage, .. } => {
                let told = self.open.iter().position(|open| open == outage).map(|index| self.open.remove(index));
                told.is_some() || self.failed
            }
            EventKind::StepFailed { undo, .. } => !std::mem::replace(&mut self.failed, true) || *undo,
            EventKind::GateWaiting { .. } => self.failed || self.sent + self.open.len() + 2 <= MOST,
            _ => true,
        };
        if wanted {
            self.sent += 1;
        }
        wanted.then_some(text)
    }
}

/// The text of the notice for one event, in Slack's escaping: start, outage start and end, gate, failure, end. None for all others.
#[must_use]
pub fn notice(event: &Event, plan: &Plan) -> Option<String> {
    let head = format!("*{}* (run {})", part(&event.environment), part(&event.run));
    let step = event.step.as_deref().map_or_else(|| "the run".to_owned(), |id| step_name(plan, id));
    let body = match &event.kind {
        EventKind::RunStarted { mode, steps, expected_seconds, actor } => started(plan, mode, *steps, *expected_seconds, actor),
        EventKind::OutageStarted { outage, expected_seconds } => format!(
            "the outage of {} begins now and lasts {} as a rule. Next: a notice when it has ended.",
            part(outage),
            about(Duration::from_secs(*expected_seconds))
        ),
        EventKind::OutageEnded { outage, seconds } => {
            format!(
                "the outage of {} has ended after {}. Next: a notice when the run ends.",
                part(outage),
                time::to_the_second(Duration::from_secs(*seconds))
            )
        }
        EventKind::GateWaiting { message } => {
            format!("waits at a gate, {step}: {}. Next: nothing happens until somebody decides.", part(message.trim_end_matches('.')))
        }
        EventKind::StepFailed { error, help, undo: false } => format!(
            "{step} failed: {}. Next: what is in flight is awaited, and a notice says how the run ends. Help: {}",
            part(error.trim_end_matches('.')),
            part(help)
        ),
        EventKind::StepFailed { error, help, undo: true } => {
            format!("the way back of {step} failed: {}. Next: a person will be needed. Help: {}", part(error.trim_end_matches('.')), part(help))
        }
        EventKind::RunFinished { summary, elapsed_seconds } => finished(event, summary, *elapsed_seconds),
        EventKind::StepStarted { .. }
        | EventKind::StepProgress { .. }
        | EventKind::StepDone { .. }
        | EventKind::StepUndone { .. }
        | EventKind::Notice { .. } => return None,
    };
    Some(format!("{head}: {body}"))
}

fn started(plan: &Plan, mode: &str, steps: usize, expected_seconds: u64, actor: &str) -> String {
    let next = if plan.outage.is_empty() || mode != "apply" { "a notice at the end" } else { "a notice when an outage begins" };
    if mode != "apply" {
        let does = if mode == "rollback" { "is being turned back" } else { "goes on" };
        return format!("the run {does}, as {} asked. Next: {next}.", part(actor));
    }
    let mut names: Vec<String> = changed(plan).take(NAMED).map(|change| part(&change.address.to_string())).collect();
    let all = changed(plan).count();
    if all > names.len() {
        names.push(format!("{} more", all - names.len()));
    }
    let time = about(Duration::from_secs(expected_seconds));
    let of = if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) };
    format!(
        "{}{of} started by {}: {}, {time}; {}; {}. Next: {next}.",
        part(mode),
        part(actor),
        many(steps, "step"),
        part(&outages(plan)),
        no_way_back(plan)
    )
}

fn finished(event: &Event, summary: &Summary, elapsed_seconds: u64) -> String {
    let environment = part(&escape::shell(&event.environment));
    let took = words(elapsed_seconds);
    let counts = format!(
        "{} done, {} undone, {} in flight, {} not started",
        summary.done.len(),
        summary.undone.len(),
        summary.in_flight.len(),
        summary.not_started.len()
    );
    let resume = format!("`switchover resume {environment}` goes on");
    let (how, next) = match summary.exit_code {
        0 if summary.undone.is_empty() => (format!("done after {took}"), "nothing".to_owned()),
        0 => (format!("turned back after {took}; everything is as it was"), "nothing".to_owned()),
        3 => (format!("waits at a gate after {took}"), resume),
        4 => (format!("failed after {took} and is turned back; everything is as it was"), "find out why, then plan again".to_owned()),
        // What is needed names its own command, which is not always this one.
        5 if !summary.needs.is_empty() => (format!("needs a person after {took}"), "what is said above".to_owned()),
        5 => (format!("needs a person after {took}"), format!("`switchover status {environment}`")),
        8 => (format!("stopped at a safe point after {took}"), resume),
        6 => (format!("ended after {took}: its plan is stale"), format!("`switchover plan {environment}`")),
        code => (format!("ended after {took} with exit code {code}"), format!("`switchover status {environment}`")),
    };
    let mut needs: Vec<String> = summary.needs.iter().take(NAMED).map(|need| part(need)).collect();
    if summary.needs.len() > needs.len() {
        needs.push(format!("and {} more", summary.needs.len() - needs.len()));
    }
    let mut needs = if needs.is_empty() { String::new() } else { format!(" What a person must do: {}", needs.join(" ")) };
    if !needs.is_empty() && !needs.ends_with(['.', '!', '?']) {
        needs.push('.');
    }
    format!("{how} ({counts}).{needs} Next: {next}.")
}

fn step_name(plan: &Plan, id: &str) -> String {
    let name = part(&short_name(plan, id));
    plan.place(id).map_or_else(|| format!("step {name}"), |place| format!("step {} of {}, {name}", place + 1, plan.steps.len()))
}

fn words(seconds: u64) -> String {
    time::words(Duration::from_secs(seconds))
}

/// Text from outside: cut, then escaped.
fn part(text: &str) -> String {
    let kept: String = text.chars().take(PART).collect();
    let ellipsis = if kept.len() < text.len() { "…" } else { "" };
    format!("{}{ellipsis}", escape::slack(&kept))
}
