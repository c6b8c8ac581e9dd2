//! Lines of tokens laid out: blanks between tokens, indentation, `=` and comments in columns.

use super::lexer::{Kind, Token};

/// Blanks a level.
const INDENT: usize = 2;

/// Columns, as far as an editor with one column a character shows them.
fn text_width(text: &str) -> usize {
    text.chars().count()
}

/// One line.
struct Line<'a> {
    tokens: Vec<Token<'a>>,
    /// A comment that follows something.
    comment: Option<&'a str>,
    level: usize,
    /// Tokens at its beginning that stand in columns with those of its neighbours: the name of an attribute whose value ends on this line, the
    /// words before the brace of a block that does.
    cells: usize,
}

/// Lays a file out anew.
#[must_use]
pub fn lay_out(tokens: &[Token<'_>]) -> String {
    let mut lines = split(tokens);
    indent(&mut lines);
    let widths = widths(&lines);
    let mut texts: Vec<String> = lines.iter().zip(&widths).map(|(line, widths)| body(line, widths)).collect();
    comments(&lines, &mut texts);
    join(&texts)
}

/// Lines with their trailing comments apart. Block comments in the middle of a line stay where they are.
fn split<'a>(tokens: &[Token<'a>]) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for part in tokens.split(|token| token.kind == Kind::Newline) {
        let mut part = part.to_vec();
        let trails = part.len() > 1 && part.last().is_some_and(|last| last.kind == Kind::Comment && !last.text.contains('\n'));
        let comment = if trails { part.pop().map(|token| token.text) } else { None };
        lines.push(Line { tokens: part, comment, level: 0, cells: 0 });
    }
    lines
}

/// What stands in brackets is one level deeper than the line that opened the innermost of them; a line that begins by closing stands where the
/// line stands that opened.
fn indent(lines: &mut [Line<'_>]) {
    // For each open bracket the level of the line that it stands in.
    let mut open: Vec<usize> = Vec::new();
    for line in lines {
        let leading = line.tokens.iter().take_while(|token| token.kind == Kind::Close).count();
        let closed = (0..leading).filter_map(|_| open.pop()).last();
        line.level = closed.unwrap_or_else(|| open.last().map_or(0, |level| level + 1));
        let before = open.len();
        let mut whole = leading == 0;
        for token in &line.tokens[leading..] {
            match token.kind {
                Kind::Open => open.push(line.level),
                Kind::Close => {
                    whole &= open.len() > before;
                    open.pop();
                }
                Kind::Heredoc => whole = false,
                Kind::Comment => whole &= !token.text.contains('\n'),
                _ => {}
            }
        }
        line.cells = if whole && open.len() == before { cells(&line.tokens) } else { 0 };
    }
}

/// How many tokens stand in columns: the name in `name = value`, all before the brace in `record "A" "x" { … }`.
fn cells(tokens: &[Token<'_>]) -> usize {
    match tokens {
        [name, equals, _, ..] if matches!(name.kind, Kind::Word | Kind::Text | Kind::Number) && equals.text == "=" => 1,
        [word, ..] if word.kind == Kind::Word => {
            let header = tokens.iter().take_while(|token| matches!(token.kind, Kind::Word | Kind::Text)).count();
            if tokens.get(header).is_some_and(|brace| brace.text == "{") { header } else { 0 }
        }
        _ => 0,
    }
}

/// The mark behind a line's cells, and for blocks their type: neighbours share columns only where these are the same.
fn nature<'a>(line: &Line<'a>) -> (Option<&'a str>, Option<&'a str>) {
    let mark = line.tokens.get(line.cells).map(|token| token.text);
    (mark, line.tokens.first().map(|token| token.text).filter(|_| mark == Some("{")))
}

/// Whether two neighbouring lines share their columns: two attributes, or two blocks of one type with as many labels.
fn alike(one: &Line<'_>, other: &Line<'_>) -> bool {
    one.cells == other.cells && one.level == other.level && nature(one) == nature(other)
}

/// For each line the columns that its cells take: those of neighbours are alike.
fn widths(lines: &[Line<'_>]) -> Vec<Vec<usize>> {
    let mut widths = Vec::new();
    while widths.len() < lines.len() {
        let from = &lines[widths.len()..];
        let run = &from[..from.iter().take_while(|line| line.cells > 0 && alike(&from[0], line)).count().max(1)];
        let widest = |cell: usize| run.iter().map(|line| text_width(line.tokens[cell].text)).max().unwrap_or(0);
        let columns: Vec<usize> = (0..run[0].cells).map(widest).collect();
        widths.extend(std::iter::repeat_n(columns, run.len()));
    }
    widths
}

/// A line without its trailing comment.
fn body(line: &Line<'_>, widths: &[usize]) -> String {
    if line.tokens.is_empty() {
        return String::new();
    }
    let mut text = " ".repeat(line.level * INDENT);
    for (at, token) in line.tokens.iter().enumerate() {
        if at > 0 && blank(&line.tokens, at) {
            text.push(' ');
        }
        text.push_str(&shown(token));
        if let Some(width) = widths.get(at) {
            text.push_str(&" ".repeat(width.saturating_sub(text_width(token.text))));
        }
    }
    text
}

/// A comment of `//` is one of `#`: one way to write one thing. Blanks at its end go.
fn shown(token: &Token<'_>) -> String {
    match (token.kind, token.text.strip_prefix("//")) {
        (Kind::Comment, Some(rest)) => format!("#{}", rest.trim_end()),
        (Kind::Comment, None) => token.text.trim_end().to_owned(),
        _ => token.text.to_owned(),
    }
}

/// Words after which a value begins, so that a bracket is no index and a minus no subtraction.
fn is_keyword(token: &Token<'_>) -> bool {
    token.kind == Kind::Word && matches!(token.text, "in" | "if" | "for")
}

/// Whether the token at `at` ends a value that an operator, an index or a call may follow. A star does as a splat: `.*`, `[*]`.
fn ends_value(tokens: &[Token<'_>], at: usize) -> bool {
    let token = &tokens[at];
    let splat = token.text == "*" && at > 0 && matches!(tokens[at - 1].text, "." | "[");
    splat || (!is_keyword(token) && matches!(token.kind, Kind::Word | Kind::Number | Kind::Text | Kind::Close))
}

/// Whether a sign is one of a value of its own (`-1`, `!x`), not between two.
fn is_sign(tokens: &[Token<'_>], at: usize) -> bool {
    tokens[at].text == "!" || (tokens[at].text == "-" && (at == 0 || !ends_value(tokens, at - 1)))
}

/// Whether a blank stands before the token at `at`, which is not the first.
fn blank(tokens: &[Token<'_>], at: usize) -> bool {
    let (left, right) = (&tokens[at - 1], &tokens[at]);
    if left.kind == Kind::Comment || right.kind == Kind::Comment {
        return true;
    }
    if matches!(left.text, "." | "::") || matches!(right.text, "." | "," | "..." | "::") {
        return false;
    }
    match (left.text, right.text) {
        ("{", "}") | ("(" | "[", _) | (_, ")" | "]") => return false,
        ("{", _) | (_, "}") => return true,
        _ => {}
    }
    if is_sign(tokens, at - 1) {
        return false;
    }
    // `.*` is a splat; what follows it belongs to it.
    if left.text == "*" && at >= 2 && tokens[at - 2].text == "." {
        return !matches!(right.text, "[");
    }
    match right.text {
        "(" => left.kind != Kind::Word || is_keyword(left),
        "[" => !ends_value(tokens, at - 1),
        _ => true,
    }
}

/// Adds the trailing comments: those of neighbouring lines begin in one column.
fn comments(lines: &[Line<'_>], texts: &mut [String]) {
    let mut from = 0;
    while from < lines.len() {
        let run = lines[from..].iter().take_while(|line| line.comment.is_some()).count();
        let last = |text: &String| text_width(text.rsplit('\n').next().unwrap_or_default());
        let column = texts[from..from + run].iter().map(last).max().unwrap_or(0);
        for (line, text) in lines[from..from + run].iter().zip(&mut texts[from..from + run]) {
            let Some(comment) = line.comment else { continue };
            text.push_str(&" ".repeat(column - last(text) + 1));
            text.push_str(&shown(&Token { kind: Kind::Comment, text: comment }));
        }
        from += run.max(1);
    }
}

/// One empty line at most between two others, none at either end.
fn join(lines: &[String]) -> String {
    let mut text = String::new();
    let mut empty = false;
    for line in lines {
        if line.is_empty() {
            empty = !text.is_empty();
            continue;
        }
        if std::mem::take(&mut empty) {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}
