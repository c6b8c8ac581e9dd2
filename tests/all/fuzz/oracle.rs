//! What must hold of every output, whatever the input was.

use switchover::declare;
use switchover::model::{Error, Problem, Severity};
use switchover::review::escape;
use switchover::world::CallError;

/// Nothing in it acts on a terminal: every line is what the escaping makes of it.
#[track_caller]
pub fn is_harmless(shown: &str) {
    for line in shown.split('\n') {
        assert_eq!(line, escape::terminal(line), "an output holds a character that acts");
    }
}

/// An error has a next step and is told in a few lines, however long the input was.
#[track_caller]
pub fn error(error: &Error) {
    let chain = error.chain();
    assert!(!error.help().is_empty() && !chain.is_empty() && chain.len() < 10_000, "{chain}");
}

/// A failed call is told in one short line.
#[track_caller]
pub fn call_error(error: &CallError) {
    let shown = error.to_string();
    assert!(!shown.is_empty() && shown.len() < 4_000 && !shown.contains(char::is_control), "{shown:?}");
}

/// Mistakes in files, in both forms; gives whether one of them is an error.
#[track_caller]
pub fn problems(problems: &[Problem]) -> bool {
    is_harmless(&declare::render(problems, false));
    let json = declare::to_json(problems);
    assert_eq!(json["diagnostics"].as_array().map(Vec::len), Some(problems.len()));
    assert!(problems.iter().all(|problem| !problem.help.is_empty()), "{json}");
    problems.iter().any(|problem| problem.severity == Severity::Error)
}
