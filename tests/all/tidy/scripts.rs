//! Scripts stop at the first failure, can be started, and what the README tells people to type is there.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use switchover::cli::Cli;

use super::expect_none;
use super::sources::{files_below, root};

/// Every script: all that people or CI start.
fn scripts() -> Vec<(String, String)> {
    let all = files_below("scripts").into_iter().chain(files_below(".ci"));
    all.map(|path| (path.clone(), fs::read_to_string(root().join(&path)).unwrap())).collect()
}

#[test]
fn every_script_stops_at_the_first_failure() {
    let careless = scripts().into_iter().filter(|(_, text)| !text.lines().any(|line| line == "set -eu" || line == "set -euo pipefail"));
    expect_none("a script has `set -eu`", &careless.map(|(path, _)| path).collect::<Vec<_>>());
}

#[test]
fn every_script_says_what_it_does_and_how_it_is_started() {
    let mut found = Vec::new();
    for (path, text) in scripts() {
        let mut lines = text.lines();
        if !lines.next().is_some_and(|first| ["#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash"].contains(&first)) {
            found.push(format!("{path}:1 names no shell"));
        }
        if !lines.next().is_some_and(|second| second.starts_with("# ")) {
            found.push(format!("{path}:2 does not say what it is"));
        }
    }
    expect_none("a script begins with its shell and a comment", &found);
}

#[cfg(unix)]
#[test]
fn every_script_can_be_started() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    let dead = scripts().into_iter().filter(|(path, _)| mode(&root().join(path)) & 0o111 != 0o111);
    expect_none("a script is executable", &dead.map(|(path, _)| path).collect::<Vec<_>>());
}

/// What a text tells people to type, as words that look like files of the project.
fn mentioned(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in line.split(|c: char| c.is_whitespace() || "`()[]\"',;:*".contains(c)) {
            let word = word.trim_start_matches("./").trim_end_matches('.');
            if ["scripts/", "examples/", "tests/", "src/", ".ci/", "plans/", "environments/"].iter().any(|folder| word.starts_with(folder)) {
                found.push((number + 1, word.trim_end_matches('/').to_owned()));
            }
        }
    }
    found
}

#[test]
fn what_the_readme_names_is_there() {
    let text = fs::read_to_string(root().join("README.md")).expect("there is a README.md");
    let named = mentioned(&text);
    for wanted in ["scripts/demo", "scripts/test"] {
        assert!(named.iter().any(|(_, word)| word == wanted), "README.md does not name {wanted}");
    }
    let concrete = named.iter().filter(|(_, word)| !word.contains(['<', '{', '…', '$']) && !word.chars().any(char::is_uppercase));
    let gone = concrete.filter(|(_, word)| !root().join(word).exists()).map(|(line, word)| format!("README.md:{line} names {word}"));
    expect_none("what the README names is there", &gone.collect::<Vec<_>>());
}

/// Every word after `switchover` and its global flags in what a text shows as code.
fn subcommands_named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        let spans: Vec<&str> = if fenced { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for span in spans {
            let mut words = span.trim().trim_start_matches("$ ").split_whitespace();
            if words.next() != Some("switchover") {
                continue;
            }
            while let Some(word) = words.next() {
                if ["-C", "--world", "--seed", "--var", "--var-file", "--journal", "--pace", "--color"].contains(&word) {
                    words.next();
                } else if !word.starts_with('-') {
                    found.push((number + 1, word.to_owned()));
                    break;
                }
            }
        }
    }
    found
}

#[test]
fn the_commands_that_the_readme_names_are_there() {
    let program = Cli::command();
    let text = fs::read_to_string(root().join("README.md")).expect("there is a README.md");
    let named = subcommands_named(&text);
    assert!(named.iter().any(|(_, word)| word == "plan"), "README.md shows no `switchover plan`");
    let gone = named.iter().filter(|(_, word)| program.find_subcommand(word).is_none());
    let gone: Vec<String> = gone.map(|(line, word)| format!("README.md:{line} names `switchover {word}`")).collect();
    expect_none("a command that the README names is one of the program's", &gone);
}

#[test]
fn commands_are_found_in_code() {
    let found = subcommands_named(
        "Use switchover well: `switchover -C x --world w plan ENV` or `other`\n```sh\n$ switchover apply p\n```\n`switchover --help`",
    );
    assert_eq!(found, [(1, "plan".to_owned()), (3, "apply".to_owned())]);
}

#[test]
fn files_are_found_in_sentences() {
    let found = mentioned("Run `scripts/demo`, then (see tests/services/) ./scripts/test.\nscripts are fine");
    assert_eq!(found, [(1, "scripts/demo".to_owned()), (1, "tests/services".to_owned()), (1, "scripts/test".to_owned())]);
}
