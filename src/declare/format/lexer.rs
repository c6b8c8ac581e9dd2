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
            ' ' | '\t' | '\u{feff}' => {
                at += c.len_utf8();
                continue;
            }
            '#' => (Kind::Comment, line(&file[at..])),
            '/' if file[at..].starts_with("//") => (Kind::Comment, line(&file[at..])),
            '/' if file[at..].starts_with("/*") => (Kind::Comment, 2 + file[at + 2..].find("*/")? + 2),
            '"' => (Kind::Text, quoted(&file[at..])?),
            '<' if file[at..].starts_with("<<") => (Kind::Heredoc, heredoc(&file[at..])?),
            '(' | '[' | '{' => (Kind::Open, 1),
            ')' | ']' | '}' => (Kind::Close, 1),
            _ if c.is_ascii_digit() => (Kind::Number, number(&file[at..])),
            _ if c.is_alphanumeric() || c == '_' => (Kind::Word, word(&file[at..])),
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
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-' || is_mark_of_letter(c))).unwrap_or(rest.len())
}

/// Combining marks stand inside identifiers.
fn is_mark_of_letter(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}')
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

/// From a quote to its own end, templates inside it included.
fn quoted(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            b'$' | b'%' if bytes.get(at + 1) == bytes.get(at) && bytes.get(at + 2) == Some(&b'{') => at += 3,
            b'$' | b'%' if bytes.get(at + 1) == Some(&b'{') => at += 1 + braces(&rest[at + 1..])?,
            _ => at += 1,
        }
    }
}

/// From an opening brace to the one that closes it.
fn braces(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'"' => at += quoted(&rest[at..])? - 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// From `<<` to the end of the line that holds nothing but its mark.
fn heredoc(rest: &str) -> Option<usize> {
    let first = rest.find('\n')?;
    let mark = rest[2..first].trim_start_matches('-').trim();
    if mark.is_empty() {
        return None;
    }
    let mut at = first + 1;
    loop {
        let next = rest[at..].find('\n').map_or(rest.len(), |end| at + end);
        let text = rest[at..next].trim_end_matches('\r');
        if text.trim() == mark {
            return Some(at + text.trim_end().len());
        }
        if next == rest.len() {
            return None;
        }
        at = next + 1;
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
        assert_eq!(texts("/* a\n b */ 1.5e-3...]"), ["/* a\n b */", "1.5e-3", "...", "]"]);
    }

    #[test]
    fn what_has_no_end_is_no_file() {
        for file in ["\"a", "\"${", "<<EOT\nx", "<<\n", "/* a", "a = \"\\", "\u{1}"] {
            assert!(tokens(file).is_none(), "{file:?}");
        }
    }
}
