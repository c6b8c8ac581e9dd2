//! Style is a test: who may import whom, how long things may be, what every error and every attribute must have, and which habits
//! the project does not have. Everything here reads text; every failure lists all offenders, each with its place.

mod budgets;
mod files;
mod habits;
mod help;
mod layers;
mod lexer;
mod scripts;
mod sources;
mod syntax;
mod tables;

/// Fails with the whole list, unless it is empty.
#[track_caller]
fn expect_none(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}\n{} found:\n  {}\n", offenders.len(), offenders.join("\n  "));
}

/// A list of exceptions is kept short by this: an exception that nothing needs any longer is an offender too.
#[track_caller]
fn expect_needed(rule: &str, exceptions: &[(&str, &str)], used: &[String]) {
    let idle = exceptions.iter().filter(|(place, _)| !used.iter().any(|used| used == place));
    let idle: Vec<String> = idle.map(|(place, why)| format!("{place} ({why})")).collect();
    assert!(idle.is_empty(), "{rule}: these exceptions are not needed any longer, take them out:\n  {}\n", idle.join("\n  "));
}
