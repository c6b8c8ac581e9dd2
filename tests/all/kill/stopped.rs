//! One trial with SIGSTOP: a process of a run is stopped for longer than its lease, another one takes the run over, and the first is woken, be it
//! when the other has ended or in the middle of it.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use switchover::apply::journal::Entry;

use super::journal::Journal;
use super::process::{Mortal, Said};
use super::stage::{Baseline, Case, Stage};
use super::{Told, moment, verdict};

/// The shortest lease there is.
const LEASE: &str = "4s";
/// Until a lease of that length is over and the lock is taken, at most.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);

/// How the other process takes the run over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    Resume,
    RollBack,
    /// The plan is applied again: that takes the lock, sees that the run is unfinished, and gives the lock back.
    TakeOver,
    /// A new plan is refused before it takes any lock, since a run is unfinished: nobody takes the run over, and the first one may go on.
    Nobody,
}

impl Other {
    fn word(self) -> &'static str {
        match self {
            Other::Resume => "resume",
            Other::RollBack => "rollback",
            Other::TakeOver => "apply PLAN --takeover",
            Other::Nobody => "nobody took over",
        }
    }

    fn start(self, stage: &Stage, pace: &str) -> Mortal {
        let environment = stage.case.environment;
        match self {
            Other::Resume => stage.start(&["resume", environment, "--json", "-v", "--lease", LEASE, "--pace", pace]),
            Other::RollBack => stage.start(&["rollback", environment, "--yes", "--json", "-v", "--lease", LEASE, "--pace", pace]),
            Other::TakeOver => stage.start(&["apply", "plan.json", "--takeover", "--json", "-v", "--lease", LEASE]),
            Other::Nobody => stage.start(&["apply", environment, "--yes", "--takeover", "--json", "-v", "--lease", LEASE]),
        }
    }
}

pub fn trial(case: &Case, baseline: &Baseline, journal: &Journal, seed: u64) -> Told {
    let mut rng = fastrand::Rng::with_seed(seed);
    let stage = Stage::new(case, journal, &format!("stop-{seed}-{}", fastrand::u32(..)));
    stage.plan();
    let original = stage.essence();
    let first = stage.start(&["apply", "plan.json", "--json", "-v", "--lease", LEASE, "--pace", "300x"]);
    first.until_events(rng.u64(1..baseline.events));
    std::thread::sleep(Duration::from_micros(rng.u64(..20_000)));
    if !stop(&stage, &first) {
        let said = first.end();
        assert_eq!(said.code, Some(0), "{}: {said}", stage.place());
        return end(stage, baseline, &original, "it had ended".to_owned(), "nothing".to_owned());
    }
    let stopped = stage.entries();
    let fell = moment::of(&stopped);
    // Until now nobody else has written, so that the log has it all; a call that is told of later than this may have had its effect before.
    let before = stage.effects().len();
    let other = [Other::Resume, Other::RollBack, Other::TakeOver, Other::Nobody][rng.usize(..4)];
    let in_the_middle = matches!(other, Other::Resume | Other::RollBack) && rng.bool();
    let next = format!("{}{}", other.word(), if in_the_middle { ", woken in the middle" } else { "" });
    let second = take_over(&stage, other, in_the_middle, &mut rng);
    let told = woken(&stage, first, second, other);
    judge(&stage, &stopped, other, &told, before);
    end(stage, baseline, &original, format!("apply: {fell}"), next)
}

/// Who was stopped has written nothing more and ends with the code of that; unless nobody took the run over, or there was nothing left to take over.
fn judge(stage: &Stage, stopped: &[Entry], other: Other, told: &Both, before: usize) {
    let state = verdict::state(stopped);
    let over = state.as_ref().is_some_and(|state| state.finished.is_some());
    let refused = other == Other::RollBack && verdict::is_gone(stopped) && told.second.code == Some(1);
    let about = format!("{}: stopped at {}, then {}", stage.place(), moment::of(stopped), other.word());
    let wanted = if matches!(other, Other::TakeOver | Other::Nobody) { 5 } else { 0 };
    assert!(over || refused || told.second.code == Some(wanted), "{about}: {}", told.second);
    if over || refused || other == Other::Nobody {
        assert_eq!(told.first.code, Some(0), "{about}: {}", told.first);
        return;
    }
    let late = told.first.calls().len().saturating_sub(before);
    assert_eq!(late, 0, "{about}: it made {late} calls after it was woken: {}", told.first);
    // Without a call before that, nothing has happened.
    let code = if state.is_some_and(|state| state.wrote) { 5 } else { 1 };
    assert_eq!(told.first.code, Some(code), "{about}: {}", told.first);
}

/// Stops a process where it holds neither the turn of the local journal nor the world's log: those are the kernel's locks, and whoever is stopped with one
/// keeps everybody waiting, which is another matter. False: it has ended.
fn stop(stage: &Stage, process: &Mortal) -> bool {
    for _ in 0..2_000 {
        if process.letter() == 'Z' {
            return false;
        }
        process.signal("STOP");
        while !['T', 'Z'].contains(&process.letter()) {
            std::thread::sleep(Duration::from_micros(200));
        }
        if process.letter() == 'Z' {
            return false;
        }
        if [".switchover/.turn", "world.json.log"].iter().all(|file| is_free(&stage.root.join(file))) {
            return true;
        }
        process.signal("CONT");
        std::thread::sleep(Duration::from_micros(300));
    }
    panic!("{}: it never lets go of its files", stage.place());
}

fn is_free(path: &Path) -> bool {
    let Ok(file) = File::options().write(true).open(path) else { return true };
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// The other process: as soon as it is let in. At its end, or some way into it.
fn take_over(stage: &Stage, other: Other, in_the_middle: bool, rng: &mut fastrand::Rng) -> Result<Said, Mortal> {
    let begin = Instant::now();
    loop {
        let second = other.start(stage, if in_the_middle { "300x" } else { "1000000x" });
        if in_the_middle {
            second.until_events(rng.u64(1..20));
            if second.letter() != 'Z' && second.events() > 0 {
                return Err(second);
            }
        }
        let said = second.end();
        if said.code != Some(7) {
            return Ok(said);
        }
        assert!(begin.elapsed() < TAKEN_WITHIN, "{}: the lock is never let go of: {said}", stage.place());
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// What both said.
struct Both {
    first: Said,
    second: Said,
}

fn woken(stage: &Stage, first: Mortal, second: Result<Said, Mortal>, other: Other) -> Both {
    first.signal("CONT");
    let first = first.end();
    let second = second.unwrap_or_else(Mortal::end);
    let note = format!("first: {:?}, second ({}): {:?}\n", first.code, other.word(), second.code);
    fs::write(stage.root.join("evidence/codes"), note).unwrap();
    Both { first, second }
}

/// Whatever is left is brought to its end.
fn end(stage: Stage, baseline: &Baseline, original: &serde_json::Value, row: String, next: String) -> Told {
    let resumed = stage.run(&["resume", stage.case.environment, "--json", "-v"]);
    assert_eq!(resumed.code, Some(0), "{}: {resumed}", stage.place());
    // Processes that end fold the world's log under each other, so what each of them says it did is the evidence here; none of them was killed.
    let outcome = verdict::check(&stage, &stage.told(), baseline, original);
    stage.done();
    Told { rows: vec![(row, next)], outcome }
}
