//! SIGKILL and SIGSTOP for real: processes of the real binary over the simulated world, killed at random moments of `apply`, `resume` and
//! `rollback`, up to three times one after the other; or stopped for longer than their lease, while another process goes on with the run, and then
//! woken. The end is always the declared or the original world, no call had an effect that was not intended, what the undisturbed run
//! does once was done once, who was stopped writes nothing more, and planning again yields what it must. `scenarios::killed` does the former over
//! real services.
//!
//! `scripts/prove-kill` runs both with counts, journals and seeds of one's own, through these variables:
//!
//! | variable | what |
//! |---|---|
//! | `SWITCHOVER_PROVE_KILL` | trials with SIGKILL |
//! | `SWITCHOVER_PROVE_STOP` | trials with SIGSTOP |
//! | `SWITCHOVER_PROVE_REAL` | trials with SIGKILL over the real services |
//! | `SWITCHOVER_PROVE_SEED` | the seed of the first trial; each later one has the next number |
//! | `SWITCHOVER_PROVE_JOURNAL` | whose trials these are: `local`, `postgres` or `s3`; without it a few of the others run too |
//!
//! A seed fixes what a trial does and at which event; the moment within is the machine's. So a trial that fails keeps its folder, with world,
//! journal and what every process said, and names it.

mod evidence;
mod killed;
mod matrix;
pub mod moment;
mod process;
mod stage;
mod stopped;
pub mod verdict;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use matrix::Matrix;
use stage::{Baseline, Case};

use crate::support::journals::Journals;

/// Trials at once: a killed process waits for the disk, a stopped one for its lease.
const KILLS_AT_ONCE: usize = 2;
const STOPS_AT_ONCE: usize = 8;

/// A number of the environment.
pub fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")))
}

/// What a trial reports to the matrix: where it was struck, what came next, where it ended.
pub struct Told {
    pub rows: Vec<(String, String)>,
    pub outcome: &'static str,
}

/// How many trials there are of a kind with a journal: the variables are about the journal that they name, `local` if none.
fn count(what: &str, word: &str, default: u64) -> u64 {
    let named = std::env::var("SWITCHOVER_PROVE_JOURNAL").ok();
    if named.as_deref().unwrap_or("local") == word {
        return number(&format!("SWITCHOVER_PROVE_{what}")).unwrap_or(default);
    }
    if named.is_some() { 0 } else { default }
}

/// Runs trials of the stories over the simulated world.
fn prove(what: &str, word: &str, default: u64, at_once: usize, trial: fn(&Case, &Baseline, &Journals, u64) -> Told) {
    let count = count(what, word, default);
    if count == 0 {
        return;
    }
    let Some(journal) = Journals::open(word) else { return };
    let cases = stage::cases();
    let baselines: Vec<Baseline> = cases.iter().map(|case| stage::straight(case, &journal)).collect();
    let replay = |seed| format!("scripts/prove-kill 1 --only {what} --journal {word} --seed {seed}");
    side_by_side(&format!("{what}, journal {word}"), count, at_once, &replay, &|seed| {
        let at = usize::try_from(seed % cases.len() as u64).unwrap();
        trial(&cases[at], &baselines[at], &journal, seed)
    });
}

/// Runs trials side by side, each with a seed of its own; prints the matrix; fails with every trial that failed and the command that repeats it.
pub fn side_by_side(what: &str, count: u64, at_once: usize, replay: &dyn Fn(u64) -> String, trial: &(dyn Fn(u64) -> Told + Sync)) {
    let first = number("SWITCHOVER_PROVE_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    println!("{what}: {count} trials, seeds from {first}");
    let begin = std::time::Instant::now();
    let (matrix, failed, next) = (Mutex::new(Matrix::new(what)), Mutex::new(Vec::new()), AtomicU64::new(0));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::SeqCst);
            if index >= count {
                return;
            }
            if index > 0 && index.is_multiple_of(100) {
                println!("{what}: {index} trials begun");
            }
            let seed = first + index;
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| trial(seed))) {
                Ok(told) => matrix.lock().unwrap().add(&told),
                Err(_) => failed.lock().unwrap().push(seed),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(work);
        }
    });
    println!("{}in {} s\n", matrix.into_inner().unwrap(), begin.elapsed().as_secs());
    let again: Vec<String> = failed.into_inner().unwrap().into_iter().map(replay).collect();
    assert!(again.is_empty(), "{} of {count} trials failed; each says above which folder it kept. Again with:\n{}", again.len(), again.join("\n"));
}

#[test]
fn runs_survive_being_killed_at_random_moments() {
    prove("KILL", "local", 12, KILLS_AT_ONCE, killed::trial);
}

#[test]
fn runs_journaled_in_postgres_survive_being_killed_at_random_moments() {
    prove("KILL", "postgres", 4, KILLS_AT_ONCE, killed::trial);
}

#[test]
fn runs_journaled_in_a_bucket_survive_being_killed_at_random_moments() {
    prove("KILL", "s3", 3, KILLS_AT_ONCE, killed::trial);
}

#[test]
fn a_process_that_slept_past_its_lease_writes_nothing_more() {
    prove("STOP", "local", 4, STOPS_AT_ONCE, stopped::trial);
}

#[test]
fn a_process_that_slept_past_its_lease_in_postgres_writes_nothing_more() {
    prove("STOP", "postgres", 2, STOPS_AT_ONCE, stopped::trial);
}

#[test]
fn a_process_that_slept_past_its_lease_in_a_bucket_writes_nothing_more() {
    prove("STOP", "s3", 2, STOPS_AT_ONCE, stopped::trial);
}
