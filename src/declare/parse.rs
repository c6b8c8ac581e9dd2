//! Text → the parser's tree, with syntax errors at their place and a hint where the parser's words are not enough.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use hcl_edit::template::Template;

use super::plain::{self, Inner};
use super::scan;
use crate::model::{Problem, SourceFile, Span};

/// What is wrong with a text as a whole: the place, a fragment, the help.
#[derive(Debug, Clone)]
pub struct Syntax {
    offset: usize,
    what: String,
    help: String,
}

impl Syntax {
    /// A mistake at a byte offset.
    #[must_use]
    pub fn new(offset: usize, what: &str, help: &str) -> Self {
        Syntax { offset, what: what.to_owned(), help: help.to_owned() }
    }

    /// As a problem of `file`.
    #[must_use]
    pub fn problem(&self, file: &Arc<SourceFile>) -> Problem {
        let text = &file.text;
        let mut start = self.offset.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let width = text[start..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        Problem::error(&Span { file: Arc::clone(file), range: start..start + width }, self.what.clone(), self.help.clone())
    }
}

/// Parses a file's body.
pub fn body(text: &str) -> Result<Body, Syntax> {
    without_plain(text, &[]).map(|(body, _)| body)
}

/// Parses a file's body, but for the runs of plain blocks of these types, which are given beside it.
pub fn without_plain(text: &str, plain: &[Inner]) -> Result<(Body, Vec<Range<usize>>), Syntax> {
    let runs = scanned(text, plain)?;
    if let Some(cut) = plain::cut(text, runs, plain)
        && let Ok(body) = hcl_edit::parser::parse_body(&cut.text)
        && plain::belong(&body, &cut.runs, plain)
    {
        return Ok((body, cut.runs));
    }
    let body = hcl_edit::parser::parse_body(text).map_err(|error| syntax(&error, text))?;
    Ok((body, Vec::new()))
}

/// Parses one expression.
pub fn expression(file: &Arc<SourceFile>) -> Result<Expression, Box<Problem>> {
    let parsed = scanned(&file.text, &[]).and_then(|_| hcl_edit::parser::parse_expr(&file.text).map_err(|error| syntax(&error, &file.text)));
    parsed.map_err(|syntax| Box::new(syntax.problem(file)))
}

/// Parses a template file.
pub fn template(file: &Arc<SourceFile>) -> Result<Template, Box<Problem>> {
    hcl_edit::parser::parse_template(&file.text).map_err(|error| Box::new(syntax(&error, &file.text).problem(file)))
}

fn scanned(text: &str, plain: &[Inner]) -> Result<Vec<Range<usize>>, Syntax> {
    scan::scan(text, plain).map_err(|refused| Syntax { offset: refused.offset, what: refused.what, help: refused.help })
}

fn syntax(error: &hcl_edit::parser::Error, text: &str) -> Syntax {
    let offset = error.location().offset().min(text.len());
    let line = error.line().trim();
    Syntax {
        offset,
        what: format!("syntax error: {}", error.message()),
        help: hint(error.message(), line, text.get(offset..).unwrap_or("")).to_owned(),
    }
}

/// What people most often meant.
fn hint(message: &str, line: &str, rest: &str) -> &'static str {
    if message.contains("redefined attribute") {
        return "the attribute stands twice in this block: keep one";
    }
    if message.contains("redefined object key") {
        return "the key stands twice in this object: keep one";
    }
    if message.contains("nesting depth") || message.contains("binary operation") {
        return "split the expression: move inner parts into locals";
    }
    if message.contains("heredoc") {
        return "the text must end with its word alone on a line";
    }
    if message.contains("escape sequence") {
        return "a backslash in quotes is written \\\\";
    }
    if rest.trim().is_empty() {
        return "the file ends too early: look for a bracket or quote that is not closed";
    }
    if rest.starts_with('\'') {
        return "text stands in double quotes";
    }
    if message.contains("block body") && line.contains('=') && line.split('=').next().is_some_and(|before| before.contains('{')) {
        return "a block on one line holds at most one attribute: put each on a line of its own";
    }
    if line.matches('"').count() % 2 == 1 {
        return "a quote is not closed on this line";
    }
    if message.contains("block body") && line.contains("%{") {
        return "a template directive is not closed: %{ if … } and %{ for … } end with %{ endif } and %{ endfor }";
    }
    if message.contains("block body") && line.contains('=') {
        return "the value cannot be read: look for a bracket or quote in it that is not closed";
    }
    if line.contains(':') && !line.contains('=') {
        return "attributes are written NAME = VALUE";
    }
    "look at the place and just before it: a bracket, comma or quote may be missing"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Problem {
        let file = Arc::new(SourceFile { path: "a.hcl".into(), text: text.into() });
        body(text).unwrap_err().problem(&file)
    }

    #[test]
    fn syntax_errors_have_a_place_and_a_hint() {
        for (text, place, hint) in [
            ("a = 1\na = 2\n", "a.hcl:2:1", "twice"),
            ("a {\n  b = 1\n", "a.hcl:2:8", "ends too early"),
            ("a { b = 1, c = 2 }\n", "a.hcl:1:10", "one attribute"),
            ("a = 'x'\n", "a.hcl:1:5", "double quotes"),
            ("a = \"\\d\"\n", "a.hcl:1:8", "backslash"),
        ] {
            let problem = problem(text);
            assert_eq!(problem.span.as_ref().unwrap().place(), place, "{text}: {}", problem.summary);
            assert!(problem.help.contains(hint), "{text}: {}", problem.help);
        }
    }

    #[test]
    fn every_kind_of_nesting_ends_quickly() {
        for (open, close) in [
            ("[", "]"),
            ("(", ")"),
            ("{a=", "}"),
            ("\"${", "}\""),
            ("f(", ")"),
            ("[for x in ", ":x]"),
            ("!", ""),
            ("-", ""),
            ("a?", ":1"),
            ("a[", "]"),
        ] {
            for depth in [20, 50, 59, 100, 100_000] {
                let text = format!("x = {}1{}\n", open.repeat(depth), close.repeat(depth));
                let _ = body(&text);
                let _ = body(&text[..text.len() / 2]);
            }
        }
    }
}
