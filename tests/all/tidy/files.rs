//! No file is forgotten: what is not compiled is not tested, however good it looks.

use std::fs;
use std::path::Path;

use super::sources::{ends, files_below, root, sources};
use super::syntax::matches;
use super::{expect_none, lexer::Token};

#[test]
fn every_file_is_reached_by_a_mod() {
    let lost: Vec<String> =
        sources().iter().filter(|source| source.module.is_none() && !is_root(&source.path)).map(|source| source.path.clone()).collect();
    expect_none("every file of Rust is compiled: add its `mod`, or remove it", &lost);
}

fn is_root(path: &str) -> bool {
    ["src/lib.rs", "src/main.rs", "tests/all/main.rs"].contains(&path)
}

#[test]
fn tests_are_one_binary() {
    let outside: Vec<String> = files_below("tests").into_iter().filter(|path| ends(path, "rs") && !path.starts_with("tests/all/")).collect();
    expect_none("tests of more than one module stand under tests/all/, so that they link once", &outside);
}

/// Whether a test, or a macro that makes tests, begins here.
fn begins_test(tokens: &[Token], at: usize) -> bool {
    matches(tokens, at, &["#", "[", "test", "]"])
        || matches(tokens, at, &["#", "[", "tokio", ":", ":", "test"])
        || matches(tokens, at, &["proptest", "!"])
}

#[test]
fn no_file_of_tests_is_empty() {
    let mut empty = Vec::new();
    for source in sources() {
        let name = source.path.rsplit('/').next().unwrap_or_default();
        let is_named = name == "tests.rs" || name.ends_with("_tests.rs");
        let tests = (0..source.tokens.len()).any(|at| begins_test(&source.tokens, at) || matches(&source.tokens, at, &["mod"]));
        if is_named && !tests {
            empty.push(source.path.clone());
        }
    }
    expect_none("a file called after tests holds tests", &empty);
}

/// Snapshots that nobody has accepted yet.
fn is_pending(path: &str) -> bool {
    ends(path, "new") || ends(path, "pending-snap")
}

#[test]
fn no_snapshot_is_left_over() {
    let mut left = Vec::new();
    for path in files_below("src").into_iter().chain(files_below("tests")).filter(|path| ends(path, "snap") || is_pending(path)) {
        let text = fs::read_to_string(root().join(&path)).unwrap_or_default();
        let source = text.lines().find_map(|line| line.strip_prefix("source: ")).unwrap_or_default();
        if is_pending(&path) || !sources().iter().any(|known| known.path == source) {
            left.push(format!("{path} (of {source})"));
        }
    }
    expect_none("a snapshot belongs to a test that is there, and is accepted", &left);
}

#[test]
fn every_folder_says_what_it_is() {
    let mut silent = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/") || source.path.ends_with("mod.rs")) {
        if !source.text.starts_with("//!") && !source.test {
            silent.push(source.path.clone());
        }
    }
    expect_none("a file begins with `//!`: what it is", &silent);
}

#[test]
fn every_test_target_is_named_in_the_manifest() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("path = \"tests/all/main.rs\""), "the one integration binary is tests/all/main.rs");
    assert!(!Path::new(root()).join("build.rs").exists(), "a build script would have to be read by whoever builds; there is none");
}
