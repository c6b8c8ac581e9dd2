//! One trial with SIGSTOP: a process of a run, be it `apply`, `resume` or `rollback`, is stopped for longer than its lease, another one takes the run
//! over, and the first is woken, be it when the other has ended or in the middle of it.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use switchover::apply::journal::Entry;

use super::process::{Mortal, Said};
use super::stage::{Baseline, Case, Stage};
use super::{Told, moment, verdict};
use crate::support::journals::Journals;

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
            Other::Resume => stage.start(&["resume", environment, "--json", "-v", "--lease", stage.lease(), "--pace", pace]),
            Other::RollBack => stage.start(&["rollback", environment, "--yes", "--json", "-v", "--lease", stage.lease(), "--pace", pace]),
            Other::TakeOver => stage.start(&["apply", "plan.json", "--takeover", "--json", "-v", "--lease", stage.lease()]),
            Other::Nobody => stage.start(&["apply", environment, "--yes", "--takeover", "--json", "-v", "--lease", stage.lease()]),
        }
    }
}

/// Who is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Apply,
    /// After an `apply` that was killed at some event.
    Resume,
    RollBack,
}

impl First {
    fn word(self) -> &'static str {
        match self {
            First::Apply => "apply",
            First::Resume => "resume",
            First::RollBack => "rollback",
        }
    }

    fn start(self, stage: &Stage) -> Mortal {
        let words: &[&str] = match self {
            First::Apply => &["apply", "plan.json"],
            First::Resume => &["resume", stage.case.environment],
            First::RollBack => &["rollback", stage.case.environment, "--yes"],
        };
        stage.start(&[words, &["--json", "-v", "--lease", stage.lease(), "--pace", "300x"]].concat())
    }

    /// Whether it may end so when nobody disturbs it.
    fn may_end(self, said: &Said, entries: &[Entry]) -> bool {
        said.code == Some(0) || (self == First::RollBack && said.code == Some(1) && verdict::is_gone(entries))
    }
}

/// What has happened before the process that is stopped begins.
struct Before {
    /// The effects of a process that was killed, which cannot tell of all of them itself.
    effects: Vec<String>,
    processes: u32,
}

fn prepare(stage: &Stage, baseline: &Baseline, first: First, rng: &mut fastrand::Rng) -> Before {
    if first != First::Apply {
        let apply = stage.start(&["apply", "plan.json", "--json", "-v", "--pace", "100000x"]);
        // Most of them while there is still something to do.
        apply.until_events(rng.u64(1..baseline.events * 3 / 4));
        // It may have ended in that moment; then there is nothing left to resume, and a finished run to turn back.
        drop(apply.kill());
    }
    Before { effects: stage.effects(), processes: stage.processes() }
}

pub fn trial(case: &Case, baseline: &Baseline, journal: &Journals, seed: u64) -> Told {
    let mut rng = fastrand::Rng::with_seed(seed);
    let stage = Stage::new(case, journal, &format!("stop-{seed}-{}", fastrand::u32(..)));
    stage.plan();
    let original = stage.essence();
    let who = [First::Apply, First::Resume, First::RollBack][rng.usize(..3)];
    let earlier = prepare(&stage, baseline, who, &mut rng);
    let first = who.start(&stage);
    // Who goes on with a run has less to tell than who does it all.
    first.until_events(rng.u64(1..if who == First::Apply { baseline.events } else { baseline.events / 2 }));
    std::thread::sleep(Duration::from_micros(rng.u64(..20_000)));
    if !stop(&stage, &first) {
        let said = first.end();
        assert!(who.may_end(&said, &stage.entries()), "{}: {} ended by itself: {said}", stage.place(), who.word());
        return end(stage, baseline, &original, &earlier, format!("{} had ended", who.word()), "nothing".to_owned());
    }
    let stopped = settled(&stage);
    let fell = moment::of(&stopped);
    // Until now nobody else has written, so that the log has it all; a call that is told of later than this may have had its effect before.
    let before = stage.effects().len() - earlier.effects.len();
    let other = [Other::Resume, Other::RollBack, Other::TakeOver, Other::Nobody][rng.usize(..4)];
    let in_the_middle = matches!(other, Other::Resume | Other::RollBack) && rng.bool();
    let next = format!("{}{}", other.word(), if in_the_middle { ", woken in the middle" } else { "" });
    let second = take_over(&stage, other, in_the_middle, &mut rng);
    let told = woken(&stage, first, second, other);
    judge(&stage, &stopped, other, &told, before);
    end(stage, baseline, &original, &earlier, format!("{}: {fell}", who.word()), next)
}

/// The journal of a run whose process is stopped: a record that it had sent by then still arrives at a server.
fn settled(stage: &Stage) -> Vec<Entry> {
    let mut entries = stage.entries();
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let later = stage.entries();
        if later.len() == entries.len() {
            return entries;
        }
        entries = later;
    }
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
    // Where no intent was on disk nothing has happened, and the code is that of a run which wrote nothing; unless the first intent was on its way
    // there, of which the process that sent it cannot know.
    let wrote = state.is_some_and(|state| state.wrote);
    assert!(told.first.code == Some(5) || (told.first.code == Some(1) && !wrote), "{about}: {}", told.first);
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
fn end(stage: Stage, baseline: &Baseline, original: &serde_json::Value, earlier: &Before, row: String, next: String) -> Told {
    let resumed = stage.run(&["resume", stage.case.environment, "--json", "-v"]);
    assert_eq!(resumed.code, Some(0), "{}: {resumed}", stage.place());
    // Processes that end fold the world's log under each other, so what each of them says it did is the evidence here; none of these was killed.
    let effects = [earlier.effects.clone(), stage.told(earlier.processes)].concat();
    let outcome = verdict::check(&stage, &effects, baseline, original);
    stage.done();
    Told { rows: vec![(row, next)], outcome }
}
