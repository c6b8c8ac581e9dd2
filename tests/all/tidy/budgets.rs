//! How long files and functions may be.

use super::expect_none;
use super::sources::sources;
use super::syntax::functions;

/// Lines of a file.
const FILE_LINES_MAX: usize = 500;
/// Half of the files have fewer lines than this.
const FILE_LINES_SMALL: usize = 150;
/// Lines of a function, signature and braces counted.
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn no_file_is_long() {
    let long = sources().iter().filter(|source| source.lines() > FILE_LINES_MAX).map(|source| format!("{} has {}", source.path, source.lines()));
    expect_none(&format!("a file has at most {FILE_LINES_MAX} lines: split it by what it does"), &long.collect::<Vec<_>>());
}

#[test]
fn half_of_the_files_are_small() {
    for folder in ["src/", "tests/"] {
        let lines: Vec<usize> = sources().iter().filter(|source| source.path.starts_with(folder)).map(super::sources::Source::lines).collect();
        let small = lines.iter().filter(|lines| **lines < FILE_LINES_SMALL).count();
        assert!(
            small * 2 >= lines.len(),
            "{folder}: {small} of {} files have fewer than {FILE_LINES_SMALL} lines; at least half should",
            lines.len()
        );
    }
}

#[test]
fn no_function_is_long() {
    let mut long = Vec::new();
    for source in sources() {
        let functions = functions(&source.tokens);
        let found = functions.iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
        long.extend(found.map(|function| format!("{} {} has {}", source.at(function.line), function.name, function.lines)));
    }
    expect_none(&format!("a function has at most {FUNCTION_LINES_MAX} lines"), &long);
}
