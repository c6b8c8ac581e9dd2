//! Problems for people (rustc's look) and for programs (the shape of Terraform's `validate -json`).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::json;

use crate::model::{Json, Problem, Severity, SourceFile, Span, visible};

/// The most problems that are written out; the rest is counted.
const MAX_SHOWN: usize = 200;

/// The most lines and bytes of one excerpt.
const MAX_EXCERPT_LINES: usize = 12;
const MAX_EXCERPT_BYTES: usize = 2_000;

/// Problems as text: each with its place, an excerpt and a `help:` line. Ends with a line feed unless there is none.
#[must_use]
pub fn render(problems: &[Problem], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut lines = Lines::default();
    let mut text = String::new();
    for problem in problems.iter().take(MAX_SHOWN) {
        text.push_str(&one(problem, &renderer, &mut lines));
        text.push_str("\n\n");
    }
    if problems.len() > MAX_SHOWN {
        let _ = write!(text, "… and {} more: mend these first\n\n", problems.len() - MAX_SHOWN);
    }
    // One line feed at the very end, an empty line between problems.
    text.pop();
    text
}

fn one(problem: &Problem, renderer: &Renderer, lines: &mut Lines) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let [summary, label, help] = [&problem.summary, &problem.label, &problem.help].map(|text| visible::in_place(text).into_owned());
    let title = level.primary_title(summary.as_str());
    let group = match &problem.span {
        None => title.element(annotate_snippets::Padding),
        Some(span) => {
            let place = lines.place(span);
            if problem.secret {
                let origin = annotate_snippets::Origin::path(span.file.path.as_str()).line(place.line).char_column(place.column);
                title.element(origin)
            } else {
                let annotation = AnnotationKind::Primary.span(place.inner.clone());
                let annotation = if label.is_empty() { annotation } else { annotation.label(label.as_str()) };
                let excerpt = visible::in_place(&span.file.text[place.excerpt.clone()]).into_owned();
                title.element(Snippet::source(excerpt).path(span.file.path.as_str()).line_start(place.first_line).annotation(annotation))
            }
        }
    };
    // The renderer makes titles and excerpts harmless, but trusts this text, which may hold names from the file.
    let help: String = help.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let group = if help.is_empty() { group } else { group.element(Level::HELP.message(help.as_str())) };
    renderer.render(&[group])
}

/// Where a span is, in numbers that people and programs use.
struct Place {
    /// Both from 1; columns count characters.
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    /// The whole lines that are shown, in bytes of the file, and the number of the first.
    excerpt: Range<usize>,
    first_line: usize,
    /// The span within the excerpt.
    inner: Range<usize>,
}

/// The starts of all lines of each file, found once.
#[derive(Default)]
struct Lines {
    starts: HashMap<*const SourceFile, (Arc<SourceFile>, Vec<usize>)>,
}

impl Lines {
    fn place(&mut self, span: &Span) -> Place {
        let key = Arc::as_ptr(&span.file);
        let (_, starts) = self.starts.entry(key).or_insert_with(|| {
            let starts = std::iter::once(0).chain(span.file.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            (Arc::clone(&span.file), starts)
        });
        let text = &span.file.text;
        let start = boundary(text, span.range.start);
        let end = boundary(text, span.range.end).max(start);
        let line_of = |offset: usize| starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let (first, last) = (line_of(start), line_of(end));
        let shown_last = last.min(first + MAX_EXCERPT_LINES - 1);
        let line_end = |line: usize| starts.get(line + 1).map_or(text.len(), |next| next - 1);
        let mut excerpt = starts[first]..line_end(shown_last).max(starts[first]);
        // A line of a megabyte is shown around the place alone.
        if excerpt.len() > MAX_EXCERPT_BYTES {
            let from = boundary(text, start.saturating_sub(60)).max(excerpt.start);
            excerpt = from..boundary(text, from + MAX_EXCERPT_BYTES).min(excerpt.end).max(from);
        }
        let inner_end = end.min(excerpt.end).max(start);
        Place {
            line: first + 1,
            column: text[starts[first]..start].chars().count() + 1,
            end_line: last + 1,
            end_column: text[starts[last]..end].chars().count() + 1,
            first_line: first + 1,
            inner: start - excerpt.start..inner_end.max(start) - excerpt.start,
            excerpt,
        }
    }
}

/// The nearest place at or before `offset` where a character begins.
fn boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Problems as data: `format_version`, `valid`, counts and `diagnostics`.
#[must_use]
pub fn to_json(problems: &[Problem]) -> Json {
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let mut lines = Lines::default();
    let diagnostics: Vec<Json> = problems.iter().map(|problem| diagnostic(problem, &mut lines)).collect();
    json!({
        "format_version": "1.0",
        "valid": count(Severity::Error) == 0,
        "error_count": count(Severity::Error),
        "warning_count": count(Severity::Warning),
        "diagnostics": diagnostics,
    })
}

fn diagnostic(problem: &Problem, lines: &mut Lines) -> Json {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut diagnostic = json!({ "severity": severity, "summary": problem.summary, "detail": problem.help });
    let Some(span) = &problem.span else { return diagnostic };
    let place = lines.place(span);
    let (start, end) = (boundary(&span.file.text, span.range.start), boundary(&span.file.text, span.range.end));
    diagnostic["range"] = json!({
        "filename": span.file.path,
        "start": { "line": place.line, "column": place.column, "byte": start },
        "end": { "line": place.end_line, "column": place.end_column, "byte": end.max(start) },
    });
    if !problem.secret {
        diagnostic["snippet"] = json!({
            "context": null,
            "code": &span.file.text[place.excerpt.clone()],
            "start_line": place.first_line,
            "highlight_start_offset": place.inner.start,
            "highlight_end_offset": place.inner.end,
            "values": [],
        });
    }
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, range: Range<usize>) -> Span {
        Span { file: Arc::new(SourceFile { path: "environments/staging.hcl".into(), text: text.into() }), range }
    }

    #[test]
    fn a_problem_is_shown_with_place_excerpt_and_help() {
        let problem =
            Problem::error(&span("a {\n  colour = 1\n}\n", 6..12), "unknown attribute `colour`", "did you mean `color`?").label("not an attribute");
        let text = render(&[problem], false);
        let expected = "error: unknown attribute `colour`\n --> environments/staging.hcl:2:3\n  |\n2 |   colour = 1\n  |   ^^^^^^ not an attribute\n  |\n  = help: did you mean `color`?\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let mut problem = Problem::warning(&span("password = \"hunter2\"\n", 11..20), "a literal secret", "use env()");
        problem.secret = true;
        let text = render(&[problem.clone()], false);
        assert!(!text.contains("hunter2") && text.contains("environments/staging.hcl:1:12") && text.contains("help: use env()"), "{text}");
        assert!(!to_json(&[problem]).to_string().contains("hunter2"));
    }

    #[test]
    fn odd_places_do_not_fall_over() {
        let long = format!("x = \"{}\"\n", "ä".repeat(50_000));
        for (text, range) in [
            ("", 0..0),
            ("a", 1..1),
            ("a\n", 2..2),
            ("ä\nb", 1..3),
            ("a\nb\nc", 0..99),
            ("a", Range { start: 7, end: 3 }),
            (long.as_str(), 9..10),
            (long.as_str(), 0..100_000),
        ] {
            let problem = Problem::error(&span(text, range.clone()), "what", "help");
            let shown = render(std::slice::from_ref(&problem), false);
            assert!(shown.contains("help: help") && shown.len() < 20_000, "{range:?}");
            assert_eq!(to_json(&[problem])["error_count"], 1);
        }
        let nowhere = Problem { span: None, ..Problem::error(&span("", 0..0), "what", "do this") };
        assert!(render(&[nowhere], false).contains("help: do this"));
        assert_eq!(render(&[], false), "");
    }

    #[test]
    fn data_has_terraforms_shape() {
        let problem = Problem::error(&span("a {\n  é = 1\n}\n", 6..8), "what", "do this");
        let json = to_json(&[problem]);
        assert_eq!((json["format_version"].as_str(), json["valid"].as_bool()), (Some("1.0"), Some(false)));
        let first = &json["diagnostics"][0];
        assert_eq!(first["range"]["start"], json!({ "line": 2, "column": 3, "byte": 6 }));
        assert_eq!(first["range"]["end"], json!({ "line": 2, "column": 4, "byte": 8 }));
        assert_eq!((first["snippet"]["code"].as_str(), first["snippet"]["highlight_start_offset"].as_u64()), (Some("  é = 1"), Some(2)));
    }
}
