//! Garbage at every door that takes in what others wrote: one target a format, driven in two ways.
//!
//! `cargo test fuzz::targets` runs each over its corpus (`tests/fuzz/corpus/TARGET/`, examples) and over mutations of it that are always the same;
//! `SWITCHOVER_FUZZ_CASES` says how many. `scripts/fuzz` builds the same tests with coverage counters and hands each to libFuzzer, which
//! looks for inputs that reach what none before did. `huge` is about the sizes that no fuzzer tries, in real processes.

mod corpus;
mod huge;
mod oracle;
mod planning;
mod process;
mod server;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What is done with one input: whatever the bytes, it ends without a panic and with what its oracles say.
type Target = fn(&[u8]);

/// Mutations that are tried where nobody says how many.
const CASES: u64 = 150;

/// Runs a target: under libFuzzer for as long as that says, else over corpus and mutations.
fn drive(name: &str, target: Target) {
    if std::env::var_os("BOLERO_LIBFUZZER_ARGS").is_some() {
        bolero::check!().for_each(|input: &[u8]| target(input));
        return;
    }
    let only: Option<u64> = std::env::var("SWITCHOVER_FUZZ_CASE").ok().and_then(|text| text.parse().ok());
    let count = std::env::var("SWITCHOVER_FUZZ_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let entries = corpus::entries(name);
    assert!(!entries.is_empty(), "tests/fuzz/corpus/{name}/ holds nothing to begin with");
    if only.is_none() {
        for (file, bytes) in &entries {
            run(target, bytes, || file.clone());
        }
    }
    for case in only.map_or(0..count, |case| case..case + 1) {
        let bytes = corpus::mutated(&entries, case);
        run(target, &bytes, || format!("SWITCHOVER_FUZZ_CASE={case} cargo test --test all fuzz::targets::{name}"));
    }
}

/// One input; a panic is told with what it takes to see it again.
fn run(target: Target, bytes: &[u8], replay: impl Fn() -> String) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(bytes))) {
        eprintln!("replay: {}\ninput: \"{}\"", replay(), bytes.escape_ascii());
        resume_unwind(panic);
    }
}
