//! Every error says what to do next.

use super::expect_none;
use super::lexer::{Kind, Token};
use super::sources::sources;
use super::syntax::{arguments, matches};

/// Shorter than this it is no sentence.
const HELP_CHARS_MIN: usize = 8;

/// Whether an argument gives nothing to read: an empty or very short text, or an expression that makes an empty one.
fn says_nothing(argument: &[Token]) -> bool {
    let texts: Vec<&Token> = argument.iter().filter(|token| token.kind == Kind::Text).collect();
    let words: Vec<&str> = argument.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text.as_str()).collect();
    match (argument, &texts[..]) {
        ([], _) => true,
        ([only], [text]) if only == *text => text.text.trim().chars().count() < HELP_CHARS_MIN,
        // `"".into()`, `String::from("")`, `format!("")`: words around one text that is empty.
        (_, [text]) if text.text.trim().is_empty() => true,
        (_, []) => matches!(words[..], ["String", "new" | "default"] | ["Default", "default"]),
        _ => false,
    }
}

/// Calls of `NAME(` by the words and marks before the parenthesis, with the argument that must say something; and what is wrong.
fn silent_calls(callee: &[&str], argument: usize) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        let tokens = &source.tokens;
        for at in (0..tokens.len()).filter(|at| matches(tokens, *at, callee) && !source.is_test(tokens[*at].line)) {
            // Another crate's type of the same name (`io::Error`) is not ours.
            let foreign = at > 2 && tokens[at - 1].is(":") && !["model", "crate", "super", "self"].iter().any(|ours| tokens[at - 3].is(ours));
            let open = at + callee.len() - 1;
            if !foreign && arguments(tokens, open).get(argument).is_none_or(|help| says_nothing(help)) {
                found.push(source.at(tokens[at].line));
            }
        }
    }
    found
}

#[test]
fn every_error_has_a_help_line() {
    let mut found = silent_calls(&["Error", ":", ":", "new", "("], 2);
    found.extend(silent_calls(&[".", "with_help", "("], 0));
    expect_none("an error says what to do next in its third argument, `help`", &found);
}

#[test]
fn every_problem_has_a_help_line() {
    let mut found = silent_calls(&["Problem", ":", ":", "error", "("], 2);
    found.extend(silent_calls(&["Problem", ":", ":", "warning", "("], 2));
    expect_none("a mistake in a file is shown with what to do, the third argument", &found);
}

#[test]
fn no_help_is_made_empty_by_hand() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        let tokens = &source.tokens;
        for at in 0..tokens.len() {
            let value = tokens.get(at + 2..).unwrap_or_default();
            let end = value.iter().position(|token| token.is(",") || token.is("}") || token.is(";")).unwrap_or(value.len());
            let is_field = matches(tokens, at, &["help", ":"]) && !matches(tokens, at + 2, &[":"]);
            if is_field && !source.is_test(tokens[at].line) && says_nothing(&value[..end]) {
                found.push(source.at(tokens[at].line));
            }
        }
    }
    expect_none("a `help` field is never empty", &found);
}

#[test]
fn nothing_is_recognised_as_nothing() {
    let argument = |text: &str| says_nothing(&super::lexer::lex(text));
    for silent in ["", "\"\"", "\"  \"", "\"try it\"", "String::new()", "\"\".to_owned()", "String::from(\"\")", "format!(\"\")"] {
        assert!(argument(silent), "{silent}");
    }
    for telling in ["\"make a new plan\"", "help", "self.help.clone()", "format!(\"wait for {name}\")", "if a { \"wait a little\" } else { \"ask\" }"]
    {
        assert!(!argument(telling), "{telling}");
    }
}
