//! Habits that the project does not have, and the few places with a reason to have them all the same.

use std::fs;

use super::lexer::{Kind, Token};
use super::sources::{Source, files_below, root, sources};
use super::syntax::matches;
use super::{expect_needed, expect_none};

/// Time, randomness and variables come in as arguments. Here they come from.
const OUTSIDE: [(&str, &str); 5] = [
    ("src/main.rs", "the process's own variables begin here"),
    ("src/commands/session.rs", "declarations of a live environment are checked against the machine's time"),
    ("src/apply/journal/clock.rs", "leases follow the machine's clock, whatever the world's says"),
    ("src/apply/journal/locks.rs", "a fence is a number that nobody else has"),
    ("src/world/live/", "the doors to what is outside"),
];

/// Places that write to the terminal.
const SPEAKERS: [(&str, &str); 2] = [("src/main.rs", "says why nothing could be started"), ("src/commands/", "commands are what people hear")];

/// The tokens of these that begin at `at`, outside of tests.
fn uses<'a>(source: &'a Source, wanted: &'a [&'a [&'a str]]) -> impl Iterator<Item = (usize, String)> + 'a {
    let hit = move |at: usize| wanted.iter().find(|words| matches(&source.tokens, at, words)).map(|words| (source.tokens[at].line, words.concat()));
    (0..source.tokens.len()).filter_map(hit).filter(|(line, _)| !source.is_test(*line))
}

/// Uses in `src/` outside of the places that may; the exceptions must be needed.
fn outside_of(exceptions: &[(&str, &str)], rule: &str, wanted: &[&[&str]]) {
    let (mut found, mut used) = (Vec::new(), Vec::new());
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        let exception = exceptions.iter().find(|(place, _)| source.path.starts_with(place));
        for (line, what) in uses(source, wanted) {
            match exception {
                Some((place, _)) => used.push((*place).to_owned()),
                None => found.push(format!("{} has {what}", source.at(line))),
            }
        }
    }
    expect_none(rule, &found);
    expect_needed(rule, exceptions, &used);
}

#[test]
fn time_randomness_and_variables_come_in_as_arguments() {
    let wanted: &[&[&str]] = &[
        &["env", ":", ":", "var"],
        &["env", ":", ":", "var_os"],
        &["env", ":", ":", "vars"],
        &["Timestamp", ":", ":", "now"],
        &["Zoned", ":", ":", "now"],
        &["Instant", ":", ":", "now"],
        &["SystemTime"],
        &["fastrand", ":", ":", "u64"],
        &["fastrand", ":", ":", "u8"],
    ];
    outside_of(&OUTSIDE, "time, randomness and environment variables come in as arguments", wanted);
}

#[test]
fn only_commands_speak() {
    let wanted: &[&[&str]] = &[&["println", "!"], &["print", "!"], &["eprintln", "!"], &["eprint", "!"], &["io", ":", ":", "stdout"]];
    outside_of(&SPEAKERS, "what is said to people goes through the commands' session", wanted);
}

#[test]
fn nothing_is_left_for_later() {
    let wanted: &[&[&str]] = &[&["todo", "!"], &["unimplemented", "!"], &["dbg", "!"], &["#", "[", "ignore"], &["unsafe"]];
    let mut found = Vec::new();
    for source in sources() {
        let all = (0..source.tokens.len()).filter_map(|at| wanted.iter().find(|words| matches(&source.tokens, at, words)).map(|words| (at, words)));
        found.extend(all.map(|(at, words)| format!("{} has {}", source.at(source.tokens[at].line), words.concat())));
    }
    expect_none("what is there is finished, and every test runs", &found);
}

/// Everything that people wrote as text: not what tools write, and not this file, which has to spell what it looks for.
fn texts() -> Vec<(String, String)> {
    let generated = ["Cargo.lock", "package-lock.json"];
    let written = ["rs", "md", "toml", "hcl", "sql", "json", "py", "yml", "yaml", "txt", "run"];
    let is_text = |path: &String| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let written = written.iter().any(|ending| super::sources::ends(path, ending)) || path.starts_with("scripts/") || path.starts_with(".ci/");
        written && !generated.contains(&name) && path != "tests/all/tidy/habits.rs"
    };
    files_below("").into_iter().filter(is_text).filter_map(|path| Some((path.clone(), fs::read_to_string(root().join(path)).ok()?))).collect()
}

/// Every line of every text that has a word in it, whole.
fn lines_with(words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| has_word(line, word)) {
                found.push(format!("{path}:{} has {word}", number + 1));
            }
        }
    }
    found
}

/// Whether `word` stands in `line` with nothing that would make it part of a longer one beside it.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let open = word.ends_with('/') || !part(line[at + word.len()..].chars().next());
        open && !part(line[..at].chars().next_back())
    })
}

#[test]
fn no_note_to_oneself_is_left() {
    expect_none("what is to be done is an issue, not a comment", &lines_with(&["FIXME", "XXX", "TODO", "HACK"]));
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let mut places = vec!["/home/".to_owned(), "/Users/".to_owned(), "C:\\".to_owned(), root().display().to_string()];
    places.extend(std::env::var("HOME").ok().filter(|home| home.len() > 1));
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    expect_none("no absolute path of a machine stands in the project", &lines_with(&places));
}

#[test]
fn names_in_code_are_ascii() {
    let mut found = Vec::new();
    for source in sources() {
        let odd = |token: &&Token| matches!(token.kind, Kind::Word | Kind::Lifetime) && !token.text.is_ascii();
        found.extend(source.tokens.iter().filter(odd).map(|token| format!("{} {}", source.at(token.line), token.text)));
    }
    expect_none("identifiers are ASCII", &found);
}

#[test]
fn words_are_found_whole() {
    assert!(has_word("// FIXME: x", "FIXME") && has_word("FIXME", "FIXME") && has_word("a=/home/x", "/home/"));
    assert!(!has_word("XXXl", "XXX") && !has_word("FIXMEs", "FIXME") && !has_word("chrome/home/", "/home/"));
}
