//! The live view at the widths of real terminals, and what reaches the terminal.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use insta::assert_snapshot;

use super::screen::Screen;
use super::state::State;
use super::*;
use crate::apply::event::EventKind;
use crate::model::time;
use crate::report::tests::Teller;
use crate::review::sample;

fn started(expected_seconds: u64, undo: bool) -> EventKind {
    EventKind::StepStarted { expected_seconds, attempt: 1, undo }
}

fn run_started(mode: &str) -> EventKind {
    EventKind::RunStarted { mode: mode.to_owned(), steps: 13, expected_seconds: 5_280, actor: "github:ana".to_owned() }
}

fn progress(status: &str, percent: Option<u8>) -> EventKind {
    EventKind::StepProgress { status: status.to_owned(), percent, elapsed_seconds: 0, expected_seconds: 0 }
}

fn done(elapsed_seconds: u64) -> EventKind {
    EventKind::StepDone { elapsed_seconds, detail: String::new() }
}

/// Three earlier runs, of which the restores and the outages are known.
fn known(plan: &Plan) -> Experience {
    let mut known = Experience::default();
    for minutes in [41, 39, 44] {
        known.add_step(&plan.steps[2], Duration::from_mins(minutes));
    }
    known.add_step(&plan.steps[8], Duration::from_secs(200));
    known.add_outage("dev-openverse-db", Duration::from_secs(433));
    known
}

fn state(told: &Teller, plan: &Plan, experience: Experience) -> State {
    let now = told.events.first().map_or(sample::at("2026-11-05T13:04:05Z"), |event| event.time);
    let mut state = State::new(Arc::new(plan.clone()), Arc::new(experience), SoFar::default(), now);
    told.events.iter().for_each(|event| state.event(event));
    state
}

fn restoring() -> Teller {
    let plan = sample::database();
    let mut told = Teller::new(&plan);
    told.run(run_started("apply")).step(1, started(5, false)).after(4).step(1, done(4));
    told.step(2, started(1_200, false)).after(1).step(3, started(2_700, false)).after(30).step(2, progress("creating", Some(62)));
    told.step(3, progress("creating", None));
    told
}

fn in_outage() -> Teller {
    let mut told = restoring();
    told.after(2_400)
        .step(2, done(600))
        .step(3, done(2_400))
        .step(8, EventKind::OutageStarted { outage: "dev-openverse-db".to_owned(), expected_seconds: 480 });
    told.step(8, started(240, false)).after(100).step(8, done(100)).step(9, started(240, false)).after(5).step(9, progress("renaming", None));
    told
}

/// At each width, a few seconds after the last event; columns are counted here, so that nothing can wrap.
fn views(told: &Teller, state: &State, after: u64) -> String {
    let now = time::after(told.events.last().unwrap().time, Duration::from_secs(after));
    let mut all = String::new();
    for columns in [60, 100, 160] {
        let lines = view::lines(state, now, 24, &Style::plain(columns));
        assert!(lines.iter().all(|line| crate::review::layout::width(line) < columns), "{lines:#?}");
        all = format!("{all}-- {columns}\n{}\n", lines.join("\n"));
    }
    all
}

#[test]
fn before_an_outage_it_is_calm() {
    let (told, plan) = (restoring(), sample::database());
    assert_snapshot!(views(&told, &state(&told, &plan, known(&plan)), 719), @"
    -- 60
    apply of staging: 1 of 13 done, 12m 34s of about 1h 24m
    [prepare 1/4]  verify  switch  confirm  retire
       2/13  snapshot  creating 62 %  12m 30s of about 20m
       3/13  restore   creating       12m 29s of 41m
    outage to come dev-openverse-db: 7m 13s, from step 8
    Ctrl-C: stops at the next safe point, to be resumed
    -- 100
    apply of staging: 1 of 13 done, 12m 34s of about 1h 24m, run staging-20261105-0912-k3v9
    [prepare 1/4]  verify 0/3  switch 0/2  confirm 0/1  retire 0/3
       2/13  snapshot  creating 62 %  12m 30s of about 20m, a guess
       3/13  restore   creating       12m 29s of 41m, median of 3 runs
    outage to come dev-openverse-db: 7m 13s, as in the last run, from step 8
    Ctrl-C: stops at the next safe point; `switchover resume staging` goes on
    -- 160
    apply of staging: 1 of 13 done, 12m 34s of about 1h 24m, run staging-20261105-0912-k3v9
    [prepare 1/4]  verify 0/3  switch 0/2  confirm 0/1  retire 0/3
       2/13  snapshot  creating 62 %  12m 30s of about 20m, a guess
       3/13  restore   creating       12m 29s of 41m, median of 3 runs
    outage to come dev-openverse-db: 7m 13s, as in the last run, from step 8
    Ctrl-C: stops at the next safe point; `switchover resume staging` goes on
    ");
}

#[test]
fn without_a_history_it_is_a_guess() {
    let (told, plan) = (restoring(), sample::database());
    assert_snapshot!(views(&told, &state(&told, &plan, Experience::default()), 2_719), @"
    -- 60
    apply of staging: 1 of 13 done, 45m 54s of about 1h 28m
    [prepare 1/4]  verify  switch  confirm  retire
       2/13  snapshot  creating 62 %  45m 50s of about 20m
       3/13  restore   creating       45m 49s of about 45m
    outage to come dev-openverse-db: about 8m, from step 8
    Ctrl-C: stops at the next safe point, to be resumed
    -- 100
    apply of staging: 1 of 13 done, 45m 54s of about 1h 28m, run staging-20261105-0912-k3v9
    [prepare 1/4]  verify 0/3  switch 0/2  confirm 0/1  retire 0/3
       2/13  snapshot  creating 62 %  45m 50s of about 20m, a guess
       3/13  restore   creating       45m 49s of about 45m, a guess
    outage to come dev-openverse-db: about 8m, a guess, from step 8
    Ctrl-C: stops at the next safe point; `switchover resume staging` goes on
    -- 160
    apply of staging: 1 of 13 done, 45m 54s of about 1h 28m, run staging-20261105-0912-k3v9
    [prepare 1/4]  verify 0/3  switch 0/2  confirm 0/1  retire 0/3
       2/13  snapshot  creating 62 %  45m 50s of about 20m, a guess
       3/13  restore   creating       45m 49s of about 45m, a guess
    outage to come dev-openverse-db: about 8m, a guess, from step 8
    Ctrl-C: stops at the next safe point; `switchover resume staging` goes on
    ");
}

#[test]
fn an_outage_has_a_clock() {
    let (told, plan) = (in_outage(), sample::database());
    assert_snapshot!(views(&told, &state(&told, &plan, known(&plan)), 25), @"
    -- 60
    apply of staging: 4 of 13 done, 42m 45s of about 1h 24m
    prepare  verify  [switch 1/2]  confirm  retire
       9/13  rename-next  renaming  30s of 3m 20s
    OUTAGE dev-openverse-db: open 2m 10s of 7m 13s
    Ctrl-C: stops when the outage has ended
    -- 100
    apply of staging: 4 of 13 done, 42m 45s of about 1h 24m, run staging-20261105-0912-k3v9
    prepare 3/4  verify 0/3  [switch 1/2]  confirm 0/1  retire 0/3
       9/13  rename-next  renaming  30s of 3m 20s, as in the last run
    OUTAGE dev-openverse-db: open 2m 10s of 7m 13s, as in the last run
    Ctrl-C: stops when the outage has ended; `switchover resume staging` goes on
    -- 160
    apply of staging: 4 of 13 done, 42m 45s of about 1h 24m, run staging-20261105-0912-k3v9
    prepare 3/4  verify 0/3  [switch 1/2]  confirm 0/1  retire 0/3
       9/13  rename-next  renaming  30s of 3m 20s, as in the last run
    OUTAGE dev-openverse-db: open 2m 10s of 7m 13s, as in the last run
    Ctrl-C: stops when the outage has ended; `switchover resume staging` goes on
    ");
}

#[test]
fn an_outage_that_is_late_says_by_how_much_and_a_stop_what_it_does() {
    let (told, plan) = (in_outage(), sample::database());
    let mut state = state(&told, &plan, known(&plan));
    state.stopping = Stopping::Safely;
    assert_snapshot!(views(&told, &state, 600), @"
    -- 60
    apply of staging: 4 of 13 done, 52m 20s of about 1h 24m
    prepare  verify  [switch 1/2]  confirm  retire
       9/13  rename-next  renaming  10m 5s of 3m 20s
    OUTAGE dev-ope…rse-db: open 11m 45s, 4m 32s over the 7m 13s
    STOPPING after the outage. Ctrl-C again: leaves it open
    -- 100
    apply of staging: 4 of 13 done, 52m 20s of about 1h 24m, run staging-20261105-0912-k3v9
    prepare 3/4  verify 0/3  [switch 1/2]  confirm 0/1  retire 0/3
       9/13  rename-next  renaming  10m 5s of 3m 20s, as in the last run
    OUTAGE dev-openverse-db: open 11m 45s, 4m 32s over the 7m 13s
    STOPPING when the outage has ended. Ctrl-C again: leaves it open
    -- 160
    apply of staging: 4 of 13 done, 52m 20s of about 1h 24m, run staging-20261105-0912-k3v9
    prepare 3/4  verify 0/3  [switch 1/2]  confirm 0/1  retire 0/3
       9/13  rename-next  renaming  10m 5s of 3m 20s, as in the last run
    OUTAGE dev-openverse-db: open 11m 45s, 4m 32s over the 7m 13s
    STOPPING when the outage has ended. Ctrl-C again: leaves it open
    ");
}

#[test]
fn a_way_back_is_shown_as_one() {
    let plan = sample::database();
    let mut told = in_outage();
    told.step(9, EventKind::StepFailed { error: "refused".to_owned(), help: "wait".to_owned(), undo: false });
    told.step(8, started(240, true)).after(61).step(8, progress("renaming", None));
    let mut state = state(&told, &plan, Experience::default());
    state.stopping = Stopping::Now;
    assert_snapshot!(views(&told, &state, 0), @"
    -- 60
    apply of staging: 4 of 13 done, 43m 21s of about 1h 28m
    prepare  verify  [switch 1/2]  confirm  retire
       8/13  rename-old  turning back: renaming  1m 1s
    OUTAGE dev-openverse-db: open 2m 46s of about 8m
    STOPPING NOW; `switchover resume staging` goes on
    -- 100
    apply of staging: 4 of 13 done, 43m 21s of about 1h 28m, run staging-20261105-0912-k3v9
    prepare 3/4  verify 0/3  [switch 1/2]  confirm 0/1  retire 0/3
       8/13  rename-old  turning back: renaming  1m 1s
    OUTAGE dev-openverse-db: open 2m 46s of about 8m, a guess
    STOPPING NOW; `switchover resume staging` goes on
    -- 160
    apply of staging: 4 of 13 done, 43m 21s of about 1h 28m, run staging-20261105-0912-k3v9
    prepare 3/4  verify 0/3  [switch 1/2]  confirm 0/1  retire 0/3
       8/13  rename-old  turning back: renaming  1m 1s
    OUTAGE dev-openverse-db: open 2m 46s of about 8m, a guess
    STOPPING NOW; `switchover resume staging` goes on
    ");
}

#[test]
fn colours_only_repeat_what_words_say() {
    let (told, plan) = (in_outage(), sample::database());
    let state = state(&told, &plan, known(&plan));
    let at = |style: Style| view::lines(&state, told.events.last().unwrap().time, 24, &style).join("\n");
    let coloured = at(Style { color: true, width: 100 });
    assert_snapshot!(coloured.replace('\u{1b}', "ESC"), @"
    apply of ESC[1mstagingESC[0m: 4 of 13 done, 42m 20s of about 1h 24mESC[2m, run staging-20261105-0912-k3v9ESC[0m
    ESC[2mprepare 3/4  verify 0/3  ESC[0mESC[1m[switch 1/2]  ESC[0mESC[2mconfirm 0/1  retire 0/3ESC[0m
    ESC[2m   9/13  ESC[0mESC[1mrename-next  ESC[0mrenaming  5s of 3m 20s, as in the last run
    ESC[1mESC[31mOUTAGE dev-openverse-db: open 1m 45s of 7m 13s, as in the last runESC[0m
    ESC[2mCtrl-C: stops when the outage has ended; `switchover resume staging` goes onESC[0m
    ");
    let mut bare = coloured;
    for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[35m"] {
        bare = bare.replace(code, "");
    }
    assert_eq!(bare, at(Style::plain(100)));
}

#[test]
fn more_steps_than_rows_are_counted_and_names_are_cut_in_the_middle() {
    let mut plan = sample::database();
    plan.environment = "a-very-long-name-of-an-environment-that-nobody-would-want-to-type-twice".to_owned();
    let address = crate::model::Address::new("dns_zone", "another.example.org");
    for number in 0..300 {
        let slug = format!("a-step-with-a-name-that-goes-on-and-on-{number}");
        sample::push(&mut plan, &address, &slug, crate::model::Phase::Prepare, "x", (60, 600), crate::plan::Undo::Nothing);
    }
    let mut told = Teller::new(&plan);
    told.run(run_started("apply"));
    for number in 14..=313 {
        told.step(number, started(60, false));
    }
    let state = state(&told, &plan, Experience::default());
    assert_snapshot!(views(&told, &state, 7), @"
    -- 60
    apply of a-very-…e-twice: 0 of 313 done, 7s of about 6h 28m
    [prepare 0/304]  verify  switch  confirm  retire
       14/313  another.exam…-on-and-on-0  begun  7s of about 1m
       15/313  another.exam…-on-and-on-1  begun  7s of about 1m
       16/313  another.exam…-on-and-on-2  begun  7s of about 1m
       17/313  another.exam…-on-and-on-3  begun  7s of about 1m
       18/313  another.exam…-on-and-on-4  begun  7s of about 1m
       19/313  another.exam…-on-and-on-5  begun  7s of about 1m
       20/313  another.exam…-on-and-on-6  begun  7s of about 1m
       21/313  another.exam…-on-and-on-7  begun  7s of about 1m
       22/313  another.exam…-on-and-on-8  begun  7s of about 1m
      and 291 more under way
    outage to come dev-openverse-db: about 8m, from step 8
    Ctrl-C: stops at the next safe point, to be resumed
    -- 100
    apply of a-very-long-name-of-an-envi…dy-would-want-to-type-twice: 0 of 313 done, 7s of about 6h 28m
    [prepare 0/304]  verify 0/3  switch 0/2  confirm 0/1  retire 0/3
       14/313  another.exampl…s-on-and-on-0  begun  7s of about 1m, a guess
       15/313  another.exampl…s-on-and-on-1  begun  7s of about 1m, a guess
       16/313  another.exampl…s-on-and-on-2  begun  7s of about 1m, a guess
       17/313  another.exampl…s-on-and-on-3  begun  7s of about 1m, a guess
       18/313  another.exampl…s-on-and-on-4  begun  7s of about 1m, a guess
       19/313  another.exampl…s-on-and-on-5  begun  7s of about 1m, a guess
       20/313  another.exampl…s-on-and-on-6  begun  7s of about 1m, a guess
       21/313  another.exampl…s-on-and-on-7  begun  7s of about 1m, a guess
       22/313  another.exampl…s-on-and-on-8  begun  7s of about 1m, a guess
      and 291 more under way
    outage to come dev-openverse-db: about 8m, a guess, from step 8
    Ctrl-C: stops at the next safe point, to be resumed
    -- 160
    apply of a-very-long-name-of-an-environment-that-nobody-would-want-to-type-twice: 0 of 313 done, 7s of about 6h 28m
    [prepare 0/304]  verify 0/3  switch 0/2  confirm 0/1  retire 0/3
       14/313  another.exampl…s-on-and-on-0  begun  7s of about 1m, a guess
       15/313  another.exampl…s-on-and-on-1  begun  7s of about 1m, a guess
       16/313  another.exampl…s-on-and-on-2  begun  7s of about 1m, a guess
       17/313  another.exampl…s-on-and-on-3  begun  7s of about 1m, a guess
       18/313  another.exampl…s-on-and-on-4  begun  7s of about 1m, a guess
       19/313  another.exampl…s-on-and-on-5  begun  7s of about 1m, a guess
       20/313  another.exampl…s-on-and-on-6  begun  7s of about 1m, a guess
       21/313  another.exampl…s-on-and-on-7  begun  7s of about 1m, a guess
       22/313  another.exampl…s-on-and-on-8  begun  7s of about 1m, a guess
      and 291 more under way
    outage to come dev-openverse-db: about 8m, a guess, from step 8
    Ctrl-C: stops at the next safe point, to be resumed
    ");
    for rows in 1..30 {
        assert!(view::lines(&state, state.last, rows, &Style::plain(60)).len() < rows.max(2), "{rows} rows");
    }
}

#[test]
fn nothing_from_outside_acts_and_nothing_is_wider_than_the_terminal() {
    let plan = sample::hostile();
    let mut told = Teller::new(&plan);
    told.run(run_started("apply"))
        .step(1, started(60, false))
        .step(1, progress("creating\u{1b}[2J\n\u{202e}数据库数据库数据库数据库数据库", Some(3)));
    told.step(1, EventKind::OutageStarted { outage: "evil\u{1b}]0;x\u{7}".repeat(9), expected_seconds: 3 });
    told.run(EventKind::GateWaiting { message: "approve\r\n\u{9b}2J".repeat(20) });
    let state = state(&told, &plan, Experience::default());
    for columns in 20..200 {
        for line in view::lines(&state, state.last, 24, &Style { color: false, width: columns }) {
            assert!(!line.chars().any(char::is_control) && crate::review::layout::width(&line) < columns.max(40), "{columns}: {line:?}");
        }
    }
}

/// What a terminal of this size was sent.
#[derive(Clone)]
struct Paper(Arc<Mutex<(Vec<u8>, usize, usize)>>);

impl Paper {
    fn new(columns: usize, writes: usize) -> Paper {
        Paper(Arc::new(Mutex::new((Vec::new(), columns, writes))))
    }

    fn resize(&self, columns: usize) {
        self.0.lock().unwrap().1 = columns;
    }

    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap().0)).unwrap()
    }
}

impl Surface for Paper {
    fn size(&self) -> (usize, usize) {
        (self.0.lock().unwrap().1, 24)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut paper = self.0.lock().unwrap();
        paper.2 = paper.2.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
        paper.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn a_frame_takes_the_place_of_the_one_before_and_text_goes_above_it() {
    let paper = Paper::new(60, usize::MAX);
    let screen = Screen::new(Box::new(paper.clone()));
    let bar = screen.bar();
    screen.show(&bar, "", &owned(&["one", "two"])).unwrap();
    assert_eq!(paper.take(), "one\ntwo");
    screen.show(&bar, "", &owned(&["one", "two"])).unwrap();
    assert_eq!(paper.take(), "", "nothing new is not written again");
    screen.show(&bar, "", &owned(&["one", "three", "four"])).unwrap();
    assert_eq!(paper.take(), "\r\u{1b}[1A\u{1b}[Jone\nthree\nfour");
    screen.show(&bar, "said\n\nand done\n", &owned(&["five"])).unwrap();
    let sent = paper.take();
    assert!(sent.starts_with("\r\u{1b}[2A\u{1b}[Jsaid\n\nand done\n") && sent.ends_with("five"), "{sent:?}");
    screen.show(&bar, "", &[]).unwrap();
    assert_eq!(paper.take(), "\r\u{1b}[J");
}

/// Reading what a plan relies on takes longer than a frame, and only then there is anything to show.
#[test]
fn what_has_nothing_to_show_at_first_shows_what_comes() {
    let paper = Paper::new(60, usize::MAX);
    let screen = Screen::new(Box::new(paper.clone()));
    let bar = screen.bar();
    screen.show(&bar, "", &[]).unwrap();
    screen.show(&bar, "", &[]).unwrap();
    paper.take();
    screen.show(&bar, "", &owned(&["one"])).unwrap();
    assert!(paper.take().ends_with("one"));
    screen.show(&bar, "said\n", &owned(&["two"])).unwrap();
    let sent = paper.take();
    assert!(sent.contains("said\n") && sent.ends_with("two"), "{sent:?}");
    screen.show(&bar, "", &[]).unwrap();
    assert!(!paper.take().contains("said"));
}

#[test]
fn a_terminal_that_was_made_narrower_is_cleared_of_all_that_it_broke() {
    let paper = Paper::new(100, usize::MAX);
    let screen = Screen::new(Box::new(paper.clone()));
    let bar = screen.bar();
    let coloured = Style { color: true, width: 100 }.paint(crate::review::Ink::Danger, &"a".repeat(90));
    screen.show(&bar, "", &owned(&[&coloured, "b", &"c".repeat(61)])).unwrap();
    paper.take();
    paper.resize(60);
    screen.show(&bar, "", &owned(&["a", "b", "c"])).unwrap();
    // 90 columns are two rows of 60 now, and so are 61: five rows, the cursor on the last one.
    assert_eq!(paper.take(), "\r\u{1b}[4A\u{1b}[Ja\nb\nc");
}

fn setup(paper: &Paper, plan: &Plan) -> Setup {
    Setup {
        surface: Box::new(paper.clone()),
        style: Style::plain(80),
        plan: Arc::new(plan.clone()),
        experience: Arc::default(),
        so_far: SoFar::default(),
        now: Box::new(|| sample::at("2026-11-05T13:04:05Z")),
    }
}

#[test]
fn what_stays_is_there_in_the_end_and_the_view_is_not() {
    let paper = Paper::new(80, usize::MAX);
    let told = in_outage();
    let mut live = Live::start(setup(&paper, &sample::database())).unwrap();
    told.events.iter().for_each(|event| live.event(event));
    live.say("said by somebody else");
    live.finish();
    let sent = paper.take();
    let last = sent.rsplit("\u{1b}[J").next().unwrap();
    assert!(sent.contains("tag          done in 4s of about 5s\n") && sent.contains("OUTAGE BEGINS dev-openverse-db"), "{sent:?}");
    assert!(sent.contains("said by somebody else\n") && !last.contains("Ctrl-C"), "{sent:?}");
    assert!(!sent.contains("restore from"), "what begins is in the view alone: {sent:?}");
}

/// Takes the first frame and then nothing, until it is let go: a terminal on which somebody pressed Ctrl-S.
struct Stopped(Arc<Mutex<()>>);

impl Surface for Stopped {
    fn size(&self) -> (usize, usize) {
        (80, 24)
    }

    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        drop(self.0.lock().unwrap());
        Ok(())
    }
}

#[test]
fn a_terminal_that_takes_nothing_stops_nobody_and_one_that_is_gone_neither() {
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().unwrap();
    let paper = Paper::new(80, 0);
    for surface in [Box::new(Stopped(Arc::clone(&gate))) as Box<dyn Surface>, Box::new(paper)] {
        let plan = sample::database();
        let mut live = Live::start(Setup { surface, ..setup(&Paper::new(80, 0), &plan) }).unwrap();
        let told = in_outage();
        for _ in 0..2_000 {
            told.events.iter().for_each(|event| live.event(event));
        }
        let kept = live.shared.lock().pending.len();
        assert!(kept <= PENDING_BYTES_MAX, "{kept}");
        live.finish();
    }
    drop(held);
}
