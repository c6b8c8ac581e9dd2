//! Whatever parses is formatted: files put together of pieces at random, and the files of the repository with something cut out or put in.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;

use super::super::{Formatted, format, meaning};

/// What stands between two other things: blanks of every kind, and comments with a number in place of `@`.
const BETWEEN: &[&str] =
    &["", "", " ", "  ", "\t", "\n", "\r\n", "\n\n\n", " /*@*/ ", "/* é\n  @ */", " #@\n", "//@\r\n", " ## @  \n", "// // @ \t\n", "#\n"];

/// Pieces of files, values and templates.
const PIECES: &[&str] = &[
    "a = ",
    "größe = ",
    "\"k\" = ",
    "(b) = ",
    "b: ",
    "block \"l\" m {\n",
    "record \"A\" \"naïve\" { value = \"1\" }\n",
    "x { y = 1 }\n",
    "z {}\n",
    "{",
    "}",
    "}\n",
    "[",
    "]",
    "(",
    ")",
    ",",
    "f(",
    "ns::f(",
    "...",
    "1",
    "-1.5e-3",
    "1.e",
    "\"数据库 ${",
    "}\"",
    "\"# no /* no // no\"",
    "\"$${ %%{ \\\" \\\\\"",
    "\"%{ if a }x%{ else }y%{ endif }\"",
    "\"${ f(\"}\") /* \" */ }\"",
    "\"${~ a ~}\"",
    "<<EOT\n  kept {  ${ a }\n # no\nEOT\n",
    "<<-E\r\n\tx\r\n   E\r\n",
    "<<-É\n  é \n É\n",
    "var.x",
    "x[0].y",
    "x.0.y",
    "x.*.y",
    "x[*].y",
    "[\"i\"]",
    ".b",
    "[*]",
    "for v in ",
    "for k, v in ",
    "if ",
    " : ",
    " => ",
    " ? ",
    "=",
    "-",
    "!",
    " + ",
    "*",
    "/",
    "%",
    "==",
    "<=",
    "&&",
    "||",
    "null",
    "in",
    "if",
    "a-b",
    "\u{feff}",
    "\u{c}",
    "e\u{301}",
];

/// Whole attributes and blocks, to be put one behind the other.
const LINES: &[&str] = &[
    "a@ = [1,2 , 3]\n",
    "long_@ = {k = 1, \"q\" = -2}\r\n",
    "b@ = {\nk=1 # @\n\n\n(k2) : 2, // @\nk3 = 3,\n}\n",
    "c@ = <<EOT\n  kept {  ${ a }\n # no\nEOT\n",
    "d@ = f(<<-E\n    x\n  E\n, 1)\n",
    "e@ = (a # @\n+ /* @ */ b\n)\n",
    "f@ = [for k, v in m : \"${k}\" if v != null...]\n",
    "g@ = {for k, v in m : k => v...}\n",
    "h@ = x ? -y[0].*.z : !w\n",
    "i@ = \"größe ${ a }\" # @ é\n",
    "j@ = [ # @\n1, /* @ */ 2\n# @\n]\n",
    "block \"l\" m { # @\nx = 1 // @\n}\n",
    "record \"A\" \"naïve\" { value = \"1\" } # @\n",
    "record \"AAAA\" \"b\" {}\n",
    "box {\n# @\ninner { y = 1 } /* @ */\n/* @\n   @ */ z = 2\n}\n",
    "  // @\n",
    "#@\r\n",
    "\t/* é @\n  é */\n",
    "/* @ */ /* @ */ // @\n",
    "\n\n\r\n",
];

/// Each `@` becomes a number of its own.
fn numbered(text: &str) -> String {
    let parts: Vec<&str> = text.split('@').collect();
    parts.iter().enumerate().map(|(at, part)| if at == 0 { (*part).to_owned() } else { format!("{}{part}", at + 1_000) }).collect()
}

/// Neither knows the lexer: all that is not blank is there in the same order, but that `#` may stand where `//` stood.
fn same_but_for_blanks(before: &str, after: &str) -> bool {
    let marks = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').collect::<Vec<_>>();
    let (before, after) = (marks(before), marks(after));
    let mut from = before.as_slice();
    for c in &after {
        from = match (c, from) {
            (c, [first, rest @ ..]) if c == first => rest,
            ('#', ['/', '/', rest @ ..]) => rest,
            _ => return false,
        };
    }
    from.is_empty()
}

/// As `fmt` does it, with and without `--check`: the file's new text, if any.
fn formatted(file: &Path, text: &str) -> Formatted {
    fs::write(file, text).unwrap();
    format(file.parent().unwrap(), file, &[]).unwrap()
}

/// Whether the text parses; if it does, all that is promised of its canonical form holds.
fn keeps_its_promises(file: &Path, text: &str) -> Result<bool, TestCaseError> {
    let once = formatted(file, text);
    let Some(meant) = meaning(text) else {
        prop_assert!(once.text.is_none() && once.problem.is_some(), "formatted although it does not parse:\n{}", text);
        return Ok(false);
    };
    prop_assert!(once.problem.is_none(), "refused: {:?}\n{}", once.problem.map(|problem| problem.summary), text);
    let canonical = once.text.unwrap_or_else(|| text.to_owned());
    prop_assert_eq!(meaning(&canonical), Some(meant), "means something else:\n{}\nfrom:\n{}", canonical, text);
    prop_assert!(same_but_for_blanks(text, &canonical), "more than blanks changed:\n{}\nfrom:\n{}", canonical, text);
    let twice = formatted(file, &canonical);
    prop_assert!(twice.text.is_none() && twice.problem.is_none(), "formatted again:\n{:?}\nonce:\n{}\nfrom:\n{}", twice.text, canonical, text);
    Ok(true)
}

/// The files of the repository that are, or come near to being, HCL.
fn files() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> =
        ["tests/fuzz/corpus/hcl", "tests/fuzz/corpus/variables", "tests/all/language"].map(|folder| root.join(folder)).into();
    folders.extend(fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path().join("environments")));
    let mut paths: Vec<_> = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file() && path.extension().is_none_or(|extension| extension != "rs"));
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Tries so many texts, of which at least so many in a hundred parse.
fn hold_for_any(cases: u32, parse_percent: u32, texts: impl Strategy<Value = String>) {
    let folder = tempfile::tempdir().unwrap();
    let (file, parsed) = (folder.path().join("a.hcl"), std::cell::Cell::new(0));
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let result = runner.run(&texts, |text| {
        parsed.set(parsed.get() + u32::from(keeps_its_promises(&file, &text)?));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(parsed.get() * 100 >= cases * parse_percent, "only {} of {cases} parse", parsed.get());
}

/// A text with some of it replaced by a piece.
fn changed((text, at, cut, piece): (String, Index, usize, String)) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let start = at.index(chars.len() + 1);
    let end = (start + cut).min(chars.len());
    chars.splice(start..end, piece.chars());
    chars.into_iter().collect()
}

fn any_lines() -> impl Strategy<Value = String> {
    prop::collection::vec(select(LINES), 0..8).prop_map(|lines| numbered(&lines.concat()))
}

#[test]
fn files_of_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    let parse = files().iter().filter(|text| keeps_its_promises(&folder.path().join("a.hcl"), text).unwrap()).count();
    assert!(parse >= 6, "{parse}");
}

#[test]
fn files_of_the_repository_with_a_change() {
    let piece = prop_oneof![select(PIECES), select(BETWEEN)].prop_map(numbered);
    hold_for_any(200, 10, (select(files()), any::<Index>(), 0_usize..4, piece).prop_map(changed));
}

#[test]
fn lines_with_a_change() {
    let piece = prop_oneof![select(PIECES), select(BETWEEN)].prop_map(numbered);
    hold_for_any(1_000, 10, (any_lines(), any::<Index>(), 0_usize..3, piece).prop_map(changed));
}

#[test]
fn any_pieces() {
    let values = prop::collection::vec((select(PIECES), select(BETWEEN)), 1..6);
    let file = values.prop_map(|pieces| {
        let text: String = pieces.iter().flat_map(|(piece, between)| [*piece, *between]).collect();
        numbered(&format!("a = [{text}]\n"))
    });
    hold_for_any(2_000, 2, file);
}
