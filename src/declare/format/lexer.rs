//! HCL as a formatter sees it: tokens with their text, nothing evaluated. Texts in quotes and heredocs are one token each, since what is
//! inside them is not ours to move.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Word,
    /// A number.
    Number,
    /// A text in quotes, with all that its templates hold.
    Text,
    /// From `<<` to the line of its end mark, without the line end behind it.
    Heredoc,
    /// `#`, `//` up to the line's end, or `/* … */`.
    Comment,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// Any other mark.
    Mark,
    /// The end of a line.
    Newline,
}

/// A piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// As it stands in the file.
    pub text: &'a str,
}

/// Marks of more than one character, longest first.
const MARKS: [&str; 9] = ["...", "==", "!=", "<=", ">=", "=>", "&&", "||", "::"];

/// Splits a file that parses into its tokens; none when a text, heredoc or comment has no end, or a character stands where none may.
#[must_use]
pub fn tokens(file: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = file[at..].chars().next() {
        let (kind, length) = match c {
            '\n' => (Kind::Newline, 1),
            '\r' if file[at..].starts_with("\r\n") => (Kind::Newline, 2),
            ' ' | '\t' | '\r' | '\u{feff}' => {
                at += c.len_utf8();
                continue;
            }
            '#' | '/' if is_comment(&file[at..]) => (Kind::Comment, comment(&file[at..])?),
            '"' => (Kind::Text, quoted(&file[at..])?),
            '<' if file[at..].starts_with("<<") => (Kind::Heredoc, heredoc(&file[at..])?),
            '(' | '[' | '{' => (Kind::Open, 1),
            ')' | ']' | '}' => (Kind::Close, 1),
            _ if c.is_ascii_digit() => (Kind::Number, number(&file[at..])),
            _ if is_name(c) => (Kind::Word, word(&file[at..])),
            _ if c.is_ascii_punctuation() => (Kind::Mark, MARKS.iter().find(|mark| file[at..].starts_with(**mark)).map_or(1, |mark| mark.len())),
            _ => return None,
        };
        tokens.push(Token { kind, text: &file[at..at + length] });
        at += length;
    }
    Some(tokens)
}

/// Up to the line's end.
fn line(rest: &str) -> usize {
    let end = rest.find('\n').unwrap_or(rest.len());
    if rest[..end].ends_with('\r') { end - 1 } else { end }
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())
}

/// Whether the parser takes it for a part of a name.
fn is_name(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || matches!(c, '_' | '-') } else { hcl::Identifier::new(format!("a{c}")).is_ok() }
}

fn is_comment(rest: &str) -> bool {
    rest.starts_with('#') || rest.starts_with("//") || rest.starts_with("/*")
}

/// The comment that begins here.
fn comment(rest: &str) -> Option<usize> {
    match rest.strip_prefix("/*") {
        Some(inside) => inside.find("*/").map(|end| 2 + end + 2),
        None => Some(line(rest)),
    }
}

/// Digits, a fraction, an exponent. What follows a dot that no digit follows is not part of it (`1...`).
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}

/// From a quote to its own end, templates inside it included. Between `%{ if … }` and its `%{ endif }` quotes and backslashes mean nothing to the
/// parser.
fn quoted(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut at, mut directives) = (1, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' if directives == 0 => return Some(at + 1),
            b'\\' if directives == 0 => at += 2,
            b'%' if rest[at..].starts_with("%{") => {
                match directive(&rest[at + 2..]) {
                    "if" | "for" => directives += 1,
                    "endif" | "endfor" => directives = directives.saturating_sub(1),
                    _ => {}
                }
                at += 1 + braces(&rest[at + 1..])?;
            }
            _ => at += in_text(&rest.as_bytes()[at..], || &rest[at..])?,
        }
    }
}

/// The word of a directive, blanks and comments before it aside.
fn directive(rest: &str) -> &str {
    let mut rest = rest.strip_prefix('~').unwrap_or(rest).trim_start_matches([' ', '\t', '\r', '\n']);
    while let Some(length) = is_comment(rest).then(|| comment(rest)).flatten() {
        rest = rest[length..].trim_start_matches([' ', '\t', '\r', '\n']);
    }
    &rest[..word(rest)]
}

/// One byte of a text, or the whole template or escaped mark that begins with it.
fn in_text<'a>(bytes: &[u8], rest: impl FnOnce() -> &'a str) -> Option<usize> {
    match bytes {
        [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => Some(3),
        [b'$' | b'%', b'{', ..] => Some(1 + braces(&rest()[1..])?),
        _ => Some(1),
    }
}

/// From an opening brace to the one that closes it; those in texts, heredocs and comments are none.
fn braces(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'"' => at += quoted(&rest[at..])? - 1,
            b'#' | b'/' if is_comment(&rest[at..]) => at += comment(&rest[at..])? - 1,
            b'<' if rest[at..].starts_with("<<") => at += heredoc(&rest[at..])? - 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// From `<<` to its mark at the beginning of a line, blanks before it aside. More may follow the mark on that line: `EOT)`.
fn heredoc(rest: &str) -> Option<usize> {
    let first = rest.find('\n')?;
    let mark = rest[2..first].strip_prefix('-').unwrap_or(&rest[2..first]).trim_end_matches('\r');
    if mark.is_empty() {
        return None;
    }
    let mut at = first + 1;
    loop {
        let line = &rest[at..];
        let ends = line.trim_start_matches([' ', '\t']).strip_prefix(mark).filter(|behind| !behind.starts_with(is_name));
        if let Some(behind) = ends {
            return Some(rest.len() - behind.len());
        }
        // A template may go on over the line's end.
        while rest.as_bytes().get(at)? != &b'\n' {
            at += in_text(&rest.as_bytes()[at..], || &rest[at..])?;
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(file: &str) -> Vec<&str> {
        tokens(file).unwrap().into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn texts_and_heredocs_are_whole() {
        assert_eq!(texts(r#"a = "x ${f("}\"") + { b = 1 }.b} $${"  # c"#), ["a", "=", r#""x ${f("}\"") + { b = 1 }.b} $${""#, "# c"]);
        assert_eq!(texts("a = <<-EOT\n  x\n EOT \nb"), ["a", "=", "<<-EOT\n  x\n EOT", "\n", "b"]);
        assert_eq!(texts("a = f(<<E\n ${ <<F\nE }\nF\n}\nEE\n\tE, 1)"), ["a", "=", "f", "(", "<<E\n ${ <<F\nE }\nF\n}\nEE\n\tE", ",", "1", ")"]);
        assert_eq!(texts("\"${ a /* } \" */ + # }\"\n b }\" c"), ["\"${ a /* } \" */ + # }\"\n b }\"", "c"]);
        assert_eq!(texts(r#""%{~ /* */ if a }\"}${ "}" }%{ endif ~}" b"#), [r#""%{~ /* */ if a }\"}${ "}" }%{ endif ~}""#, "b"]);
        assert_eq!(texts("क्या = \r1"), ["क्या", "=", "1"]);
        assert_eq!(texts("/* a\n b */ 1.5e-3...]"), ["/* a\n b */", "1.5e-3", "...", "]"]);
    }

    #[test]
    fn what_has_no_end_is_no_file() {
        for file in ["\"a", "\"${", "<<EOT\nx", "<<\n", "/* a", "a = \"\\", "\u{1}"] {
            assert!(tokens(file).is_none(), "{file:?}");
        }
    }
}
