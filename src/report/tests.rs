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
            operation: step.and_then(|step| step.operation.word("type")),
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
    let mut sink = Progress::new(Box::new(written.clone()), Style::plain(columns), Arc::new(told.plan.clone())).with_report();
    told.events.iter().for_each(|event| sink.event(event));
    written.text()
}

#[test]
fn progress_before_the_outage_is_calm() {
    let text = lines_of(&undisturbed(), 110);
    assert_snapshot!(text.split_once("\n13:58:07   8/13").unwrap().0, @r#"
    13:04:05  apply of staging, run staging-20261105-0912-k3v9: 13 steps, about 1h 28m, by github:ana
    13:04:05   1/13  tag          tag dev-openverse-db as the one that is replaced  (about 5s)
    13:04:09   1/13  tag          done in 4s of about 5s
    13:04:09   2/13  snapshot     wait until rds:prod-openverse-db-2026-11-05-00-07 is available  (about 20m)
    13:04:24   2/13  snapshot     creating 60 %, 0s of about 20m
    13:04:54   2/13  snapshot     creating 62 %, 30s of about 20m
    13:05:54   2/13  snapshot     creating 66 %, 1m 30s of about 20m
    13:07:54   2/13  snapshot     creating 74 %, 3m 30s of about 20m
    13:10:24   2/13  snapshot     creating 84 %, 6m of about 20m
    13:10:54   2/13  snapshot     creating 86 %, 6m 30s of about 20m
    13:11:54   2/13  snapshot     creating 90 %, 7m 30s of about 20m
    13:13:54   2/13  snapshot     creating 98 %, 9m 30s of about 20m
    13:14:24   2/13  snapshot     creating 100 %, 10m of about 20m
    13:14:24   2/13  snapshot     done in 10m of about 20m
    13:14:24   3/13  restore      restore dev-openverse-db-next from rds:prod-openverse-db-2026-11-05-00-07
                                  (about 45m)
    13:14:39   3/13  restore      creating, 15s of about 45m
    13:15:09   3/13  restore      creating, 45s of about 45m
    13:16:09   3/13  restore      creating, 1m 45s of about 45m
    13:18:09   3/13  restore      creating, 3m 45s of about 45m
    13:22:09   3/13  restore      creating, 7m 45s of about 45m
    13:27:09   3/13  restore      creating, 12m 45s of about 45m
    13:32:09   3/13  restore      creating, 17m 45s of about 45m
    13:37:09   3/13  restore      creating, 22m 45s of about 45m
    13:42:09   3/13  restore      creating, 27m 45s of about 45m
    13:47:09   3/13  restore      backing-up, 32m 45s of about 45m
    13:47:39   3/13  restore      backing-up, 33m 15s of about 45m
    13:48:39   3/13  restore      backing-up, 34m 15s of about 45m
    13:50:39   3/13  restore      backing-up, 36m 15s of about 45m
    13:54:24   3/13  restore      done in 40m of about 45m
    13:54:24   4/13  settings     set backup_window, monitoring_interval and ca_cert_identifier of
                                  dev-openverse-db-next  (about 4m)
    13:57:44   4/13  settings     done in 3m 20s of about 4m
    13:57:44   5/13  parity       compare 31 settings of dev-openverse-db-next with those wanted  (about 2s)
    13:57:45   5/13  parity       done in 1s of about 2s
                setting         old           new
                instance_class  db.m5.large   db.m5.xlarge  as declared
    13:57:45   6/13  scrub        scrub dev-openverse-db-next: truncate 3 tables and run 1 SQL text in one
                                  transaction  (about 30s)
    13:58:06   6/13  scrub        done in 21s of about 30s
    13:58:06   7/13  check-1      check "OAuth applications are gone"  (about 2s)
    13:58:07   7/13  check-1      done in 1s of about 2s
    "#);
}

#[test]
fn progress_from_the_outage_on_is_told_every_half_minute_and_ends_with_the_report() {
    let text = lines_of(&undisturbed(), 110);
    assert_snapshot!(text.split_once("\n13:58:07   8/13").unwrap().1, @"
      rename-old   OUTAGE BEGINS dev-openverse-db, about 8m
    13:58:07   8/13  rename-old   rename dev-openverse-db to dev-openverse-db-old  (about 4m)
    13:58:08   8/13  rename-old   renaming, 1s of about 4m
    13:58:38   8/13  rename-old   renaming, 31s of about 4m
    13:59:08   8/13  rename-old   renaming, 1m 1s of about 4m
    13:59:38   8/13  rename-old   renaming, 1m 31s of about 4m
    14:00:08   8/13  rename-old   renaming, 2m 1s of about 4m
    14:00:38   8/13  rename-old   renaming, 2m 31s of about 4m
    14:01:08   8/13  rename-old   renaming, 3m 1s of about 4m
    14:01:38   8/13  rename-old   renaming, 3m 31s of about 4m
    14:01:59   8/13  rename-old   done in 3m 52s of about 4m
    14:01:59   9/13  rename-next  rename dev-openverse-db-next to dev-openverse-db  (about 4m)
    14:05:19   9/13  rename-next  done in 3m 20s of about 4m
    14:05:19   9/13  rename-next  OUTAGE ENDS dev-openverse-db, after 7m 12s
    14:05:19  10/13  answers      ask dev-openverse-db a query under its name  (about 5s)
    14:05:49  10/13  answers      done in 30s of about 5s
    14:05:49  11/13  protect      set deletion_protection of dev-openverse-db  (about 30s)
    14:06:19  11/13  protect      done in 30s of about 30s
    14:06:19  12/13  unprotect    lift deletion_protection of dev-openverse-db-old  (about 30s)
    14:06:49  12/13  unprotect    done in 30s of about 30s
    14:06:49  13/13  delete       delete dev-openverse-db-old with its automated backups, without a final snapshot
                                  (about 10m)
    14:07:19  13/13  delete       done in 30s of about 10m
    14:07:19  ends after 1h 6m: 13 done, 0 undone, 0 in flight, 0 not started, exit 0

    staging: DONE, everything is as planned  (1h 6m, run staging-20261105-0912-k3v9, exit 0)

      done           13  delete, rename-old, rename-next, protect, unprotect, tag, and 7 more
      undone          0
      in flight       0
      not started     0
      outage       dev-openverse-db: 7m 12s

    Nothing is left for a person to do.
    ");
}

#[test]
fn progress_of_a_run_that_is_turned_back() {
    assert_snapshot!(lines_of(&turned_back(), 80), @r#"
    13:04:05  resume of staging, run staging-20261105-0912-k3v9: 13 steps, about 1h
              28m, by github:ana
    13:04:05   7/13  check-1      check "OAuth applications are gone"  (about 2s)
    13:04:06   7/13  check-1      done in 1s of about 2s
    13:04:06   8/13  rename-old   OUTAGE BEGINS dev-openverse-db, about 8m
    13:04:06   8/13  rename-old   rename dev-openverse-db to dev-openverse-db-old
                                  (about 4m)
    13:07:26   8/13  rename-old   done in 3m 20s of about 4m
    13:07:26   9/13  rename-next  rename dev-openverse-db-next to dev-openverse-db
                                  (about 4m)
    13:07:27   9/13  rename-next  failed: rds:ModifyDBInstance was refused
                                  (InvalidDBInstanceState): instance is not in
                                  available state
                                  help: wait until dev-openverse-db-next is
                                  available, then plan again
    13:07:27   8/13  rename-old   turning back: rename it back to dev-openverse-db
                                  (about 4m)
    13:10:37   8/13  rename-old   undone in 3m 10s
    13:10:37   8/13  rename-old   OUTAGE ENDS dev-openverse-db, after 6m 31s
    13:10:37  note: slack.maintainers did not take the last notice (503)
    13:10:37  ends after 15m: 3 done, 4 undone, 0 in flight, 5 not started, exit 4

    staging: FAILED, and turned back: everything is as it was  (15m, run
      staging-20261105-0912-k3v9, exit 4)

      failed       9/13 rename-next: rds:ModifyDBInstance was refused
                   (InvalidDBInstanceState): instance is not in available state
                   help: wait until dev-openverse-db-next is available, then plan
                   again
      done            3  parity, scrub, check-1
      undone          4  tag, snapshot, restore, settings
      in flight       0
      not started     5  rename-next, answers, protect, unprotect, delete
      outage       dev-openverse-db: 6m 31s

    Nothing has to be mended by hand.

    From here:
      switchover plan staging       plans again from what is there now
    "#);
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
fn a_table_without_room_is_wrapped_between_words() {
    let row = "vpc_security_groups  sg-0a11c0ffee0000001,   same\n                     sg-0a11c0ffee0000002, sg-0a11c0ffee0000003";
    let mut told = Teller::new(&sample::database());
    told.step(5, EventKind::StepDone { elapsed_seconds: 1, detail: row.to_owned() });
    assert!(lines_of(&told, 100).contains("vpc_security_groups  sg-0a11c0ffee0000001,   same\n"), "a table where there is room");
    let narrow = lines_of(&told, 60);
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    assert!((1..=3).all(|number| narrow.contains(&format!("sg-0a11c0ffee000000{number}"))), "no word is cut: {narrow}");
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
    assert_snapshot!(text.lines().nth(6).unwrap(), @r#"{"address":"database.dev-openverse-db","attempt":1,"environment":"staging","expected_seconds":240,"operation":"rename-next","phase":"switch","run":"staging-20261105-0912-k3v9","step":"database.dev-openverse-db/rename-next","time":"2026-11-05T13:07:26Z","type":"step_started","undo":false}"#);
    assert_snapshot!(text.lines().last().unwrap(), @r#"{"done":["database.dev-openverse-db/parity","database.dev-openverse-db/scrub","database.dev-openverse-db/check-1"],"elapsed_seconds":900,"environment":"staging","exit_code":4,"in_flight":[],"needs":[],"not_started":["database.dev-openverse-db/rename-next","database.dev-openverse-db/answers","database.dev-openverse-db/protect","database.dev-openverse-db/unprotect","database.dev-openverse-db/delete"],"run":"staging-20261105-0912-k3v9","time":"2026-11-05T13:10:37Z","type":"run_finished","undone":["database.dev-openverse-db/tag","database.dev-openverse-db/snapshot","database.dev-openverse-db/restore","database.dev-openverse-db/settings"]}"#);
}

#[test]
fn an_undisturbed_run_sends_at_most_six_notices() {
    let told = undisturbed();
    let mut notices = Notices::new();
    let sent: Vec<String> = told.events.iter().filter_map(|event| notices.notice(event, &told.plan)).collect();
    assert_snapshot!(sent.join("\n"), @"
    *staging* (run staging-20261105-0912-k3v9): apply of database.dev-openverse-db started by github:ana: 13 steps, about 1h 28m; outage of dev-openverse-db, about 8m; 1 thing cannot be undone. Next: a notice when an outage begins.
    *staging* (run staging-20261105-0912-k3v9): the outage of dev-openverse-db begins now and lasts about 8m as a rule. Next: a notice when it has ended.
    *staging* (run staging-20261105-0912-k3v9): the outage of dev-openverse-db has ended after 7m 12s. Next: a notice when the run ends.
    *staging* (run staging-20261105-0912-k3v9): done after 1h 6m (13 done, 0 undone, 0 in flight, 0 not started). Next: nothing.
    ");
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
    assert_snapshot!(sent[2..].join("\n"), @"
    *staging* (run staging-20261105-0912-k3v9): step 9 of 13, rename-next failed: rds:ModifyDBInstance was refused (InvalidDBInstanceState): instance is not in available state. Next: what is in flight is awaited, and a notice says how the run ends. Help: wait until dev-openverse-db-next is available, then plan again
    *staging* (run staging-20261105-0912-k3v9): the outage of dev-openverse-db has ended after 6m 31s. Next: a notice when the run ends.
    *staging* (run staging-20261105-0912-k3v9): failed after 15m and is turned back; everything is as it was (3 done, 4 undone, 0 in flight, 5 not started). Next: find out why, then plan again.
    ");
}

#[test]
fn a_notice_calls_nobody() {
    let mut told = Teller::new(&sample::hostile());
    told.run(EventKind::GateWaiting { message: "<!channel> <https://evil.example|click>".to_owned() });
    let text = notice(&told.events[0], &told.plan).unwrap();
    assert!(!text.contains('<') && !text.contains('>') && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn the_report_is_written_only_when_asked_for() {
    let told = turned_back();
    let written = Written::default();
    let mut sink = Progress::new(Box::new(written.clone()), Style::plain(100), Arc::new(told.plan.clone()));
    told.events.iter().for_each(|event| sink.event(event));
    assert!(written.text().ends_with("ends after 15m: 3 done, 4 undone, 0 in flight, 5 not started, exit 4\n"), "{}", written.text());
    assert!(lines_of(&told, 100).contains("everything is as it was  ("));
}
