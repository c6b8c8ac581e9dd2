//! One refresh of a database, told three ways: as it should go, with a failure, and turned back; and what each listener makes of it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use insta::assert_snapshot;

use super::*;
use crate::apply::Sink;
use crate::apply::event::{Event, EventKind, Summary};
use crate::model::time::{self, Timestamp};
use crate::plan::Plan;
use crate::review::{Style, sample};

/// What a sink has written.
#[derive(Clone, Default)]
pub(super) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Makes events of a plan; time passes as it is told.
pub(super) struct Teller {
    plan: Plan,
    now: Timestamp,
    pub(super) events: Vec<Event>,
}

impl Teller {
    pub(super) fn new(plan: &Plan) -> Self {
        Teller { plan: plan.clone(), now: sample::at("2026-11-05T13:04:05Z"), events: Vec::new() }
    }

    pub(super) fn after(&mut self, seconds: u64) -> &mut Self {
        self.now = time::after(self.now, std::time::Duration::from_secs(seconds));
        self
    }

    pub(super) fn run(&mut self, kind: EventKind) -> &mut Self {
        self.tell(None, kind)
    }

    /// About the step of that number, from 1.
    pub(super) fn step(&mut self, number: usize, kind: EventKind) -> &mut Self {
        self.tell(Some(number - 1), kind)
    }

    fn tell(&mut self, step: Option<usize>, kind: EventKind) -> &mut Self {
        let step = step.map(|index| &self.plan.steps[index]);
        self.events.push(Event {
            time: self.now,
            run: self.plan.run.clone(),
            environment: self.plan.environment.clone(),
            step: step.map(|step| step.id.clone()),
            address: step.map(|step| step.address.clone()),
            phase: step.map(|step| step.phase),
            operation: step.and_then(|step| step.operation["type"].as_str().map(str::to_owned)),
            kind,
        });
        self
    }

    /// A step from its first call to its end.
    fn whole(&mut self, number: usize, seconds: u64) -> &mut Self {
        let expected_seconds = self.plan.steps[number - 1].limits.expected.as_secs();
        self.step(number, EventKind::StepStarted { expected_seconds, attempt: 1, undo: false });
        self.after(seconds).step(number, EventKind::StepDone { elapsed_seconds: seconds, detail: String::new() })
    }

    fn ids(&self, numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
        self.plan.steps.iter().zip(1..).filter(|(_, number)| numbers.contains(number)).map(|(step, _)| step.id.clone()).collect()
    }
}

fn started(mode: &str) -> EventKind {
    EventKind::RunStarted { mode: mode.to_owned(), steps: 13, expected_seconds: 5_280, actor: "github:ana".to_owned() }
}

fn progress(status: &str, percent: Option<u8>, elapsed_seconds: u64, expected_seconds: u64) -> EventKind {
    EventKind::StepProgress { status: status.to_owned(), percent, elapsed_seconds, expected_seconds }
}

/// A run that nothing disturbs, with all the looks of a restore.
fn undisturbed() -> Teller {
    let mut told = Teller::new(&sample::database());
    told.run(started("apply")).whole(1, 4);
    told.step(2, EventKind::StepStarted { expected_seconds: 1_200, attempt: 1, undo: false });
    for percent in 60..=100_u8 {
        let elapsed = u64::from(percent - 60) * 15;
        told.after(15).step(2, progress("creating", Some(percent), elapsed, 1_200));
    }
    told.step(2, EventKind::StepDone { elapsed_seconds: 600, detail: String::new() });
    told.step(3, EventKind::StepStarted { expected_seconds: 2_700, attempt: 1, undo: false });
    for look in 1..=160_u64 {
        let status = if look <= 130 { "creating" } else { "backing-up" };
        told.after(15).step(3, progress(status, None, look * 15, 2_700));
    }
    told.step(3, EventKind::StepDone { elapsed_seconds: 2_400, detail: String::new() }).whole(4, 200);
    told.step(5, EventKind::StepStarted { expected_seconds: 2, attempt: 1, undo: false });
    let table = "setting         old           new\ninstance_class  db.m5.large   db.m5.xlarge  as declared".to_owned();
    told.after(1).step(5, EventKind::StepDone { elapsed_seconds: 1, detail: table }).whole(6, 21).whole(7, 1);
    told.step(8, EventKind::OutageStarted { outage: "dev-openverse-db".to_owned(), expected_seconds: 480 });
    told.step(8, EventKind::StepStarted { expected_seconds: 240, attempt: 1, undo: false });
    for look in 1..=232_u64 {
        told.after(1).step(8, progress("renaming", None, look, 240));
    }
    told.step(8, EventKind::StepDone { elapsed_seconds: 232, detail: String::new() }).whole(9, 200);
    told.step(9, EventKind::OutageEnded { outage: "dev-openverse-db".to_owned(), seconds: 432 });
    for number in 10..=13 {
        told.whole(number, 30);
    }
    let done = told.ids(1..=13);
    told.run(EventKind::RunFinished { summary: Summary { done, ..Summary::default() }, elapsed_seconds: 3_979 });
    told
}

/// The second rename is refused and the first one turned back.
fn turned_back() -> Teller {
    let mut told = Teller::new(&sample::database());
    told.run(started("resume")).whole(7, 1);
    told.step(8, EventKind::OutageStarted { outage: "dev-openverse-db".to_owned(), expected_seconds: 480 }).whole(8, 200);
    told.step(9, EventKind::StepStarted { expected_seconds: 240, attempt: 1, undo: false });
    told.after(1).step(
        9,
        EventKind::StepFailed {
            error: "rds:ModifyDBInstance was refused (InvalidDBInstanceState): instance is not in available state".to_owned(),
            help: "wait until dev-openverse-db-next is available, then plan again".to_owned(),
            undo: false,
        },
    );
    told.step(8, EventKind::StepStarted { expected_seconds: 240, attempt: 1, undo: true });
    told.after(190).step(8, EventKind::StepUndone { elapsed_seconds: 190 });
    told.step(8, EventKind::OutageEnded { outage: "dev-openverse-db".to_owned(), seconds: 391 });
    told.run(EventKind::Notice { message: "slack.maintainers did not take the last notice (503)".to_owned() });
    let summary = Summary { exit_code: 4, done: told.ids(5..=7), undone: told.ids(1..=4), not_started: told.ids(9..=13), ..Summary::default() };
    told.run(EventKind::RunFinished { summary, elapsed_seconds: 900 });
    told
}

fn lines_of(told: &Teller, columns: usize) -> String {
    let written = Written::default();
    let mut sink = Progress::new(Box::new(written.clone()), Style::plain(columns), Arc::new(told.plan.clone()));
    told.events.iter().for_each(|event| sink.event(event));
    written.text()
}

#[test]
fn progress_of_an_undisturbed_run() {
    assert_snapshot!(lines_of(&undisturbed(), 110), @"");
}

#[test]
fn progress_of_a_run_that_is_turned_back() {
    assert_snapshot!(lines_of(&turned_back(), 80), @"");
}

#[test]
fn nothing_from_outside_acts_in_progress() {
    let mut told = Teller::new(&sample::hostile());
    told.step(1, progress("creating\u{1b}[2J\n99:99:99 done", None, 1, 2));
    told.step(1, EventKind::StepDone { elapsed_seconds: 1, detail: "row\u{1b}]0;x\u{7}\rover".to_owned() });
    let text = lines_of(&told, 100);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    assert!(!text.contains("\n99:99:99"), "{text}");
}

#[test]
fn a_quiet_wait_of_hours_is_some_dozens_of_lines() {
    let mut told = Teller::new(&sample::database());
    for look in 0..1_440_u64 {
        told.after(10).step(3, progress("creating", None, look * 10, 2_700));
    }
    let lines = lines_of(&told, 100).lines().count();
    assert!((20..=60).contains(&lines), "{lines}");
}

#[test]
fn json_lines_hold_one_event_each() {
    let written = Written::default();
    let mut sink = Tee::new(vec![Box::new(JsonLines::new(Box::new(written.clone()))), Box::new(JsonLines::new(Box::new(std::io::sink())))]);
    let told = turned_back();
    told.events.iter().for_each(|event| sink.event(event));
    let text = written.text();
    assert_eq!(text.lines().count(), told.events.len());
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events, told.events);
    assert_snapshot!(text.lines().nth(6).unwrap(), @"");
    assert_snapshot!(text.lines().last().unwrap(), @"");
}

#[test]
fn an_undisturbed_run_sends_at_most_six_notices() {
    let told = undisturbed();
    let mut notices = Notices::new();
    let sent: Vec<String> = told.events.iter().filter_map(|event| notices.notice(event, &told.plan)).collect();
    assert_snapshot!(sent.join("\n"), @"");
}

#[test]
fn many_outages_and_gates_stay_within_six_and_no_outage_is_left_open() {
    let mut told = Teller::new(&sample::database());
    told.run(started("apply"));
    for number in 0..5 {
        let outage = format!("db-{number}");
        told.run(EventKind::GateWaiting { message: "approval".to_owned() });
        told.run(EventKind::OutageStarted { outage: outage.clone(), expected_seconds: 60 });
        told.run(EventKind::OutageEnded { outage, seconds: 61 });
    }
    told.run(EventKind::RunFinished { summary: Summary::default(), elapsed_seconds: 1 });
    let mut notices = Notices::new();
    let sent: Vec<String> = told.events.iter().filter_map(|event| notices.notice(event, &told.plan)).collect();
    assert!(sent.len() <= 6, "{sent:#?}");
    let count = |words: &str| sent.iter().filter(|text| text.contains(words)).count();
    assert_eq!(count("begins now"), count("has ended after"));
    assert!(sent.last().unwrap().contains("done after"));
}

#[test]
fn a_failure_is_told_once_and_its_end_too() {
    let told = turned_back();
    let mut notices = Notices::new();
    let twice = told.events.iter().flat_map(|event| if matches!(event.kind, EventKind::StepFailed { .. }) { vec![event; 3] } else { vec![event] });
    let sent: Vec<String> = twice.filter_map(|event| notices.notice(event, &told.plan)).collect();
    assert_eq!(sent.iter().filter(|text| text.contains(" failed: ")).count(), 1);
    assert_snapshot!(sent[2..].join("\n"), @"");
}

#[test]
fn a_notice_calls_nobody() {
    let mut told = Teller::new(&sample::hostile());
    told.run(EventKind::GateWaiting { message: "<!channel> <https://evil.example|click>".to_owned() });
    let text = notice(&told.events[0], &told.plan).unwrap();
    assert!(!text.contains('<') && !text.contains('>') && !text.contains('\u{1b}'), "{text}");
}
