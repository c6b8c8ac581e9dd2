//! SQL text as tokens, in the manner of `PostgreSQL`: comments and quotes understood, statements told apart.

/// The longest text that is looked at, in bytes.
const MAX_SQL: usize = 4 * 1024 * 1024;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word without quotes, in lower case.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A text literal.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// Anything else.
    Symbol(char),
}

/// One statement: its text, for messages, and its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
}

/// All statements of a text; empty ones are left out.
///
/// # Errors
/// A fragment that says what is wrong with the text.
pub(super) fn statements(sql: &str) -> Result<Vec<Statement>, String> {
    if sql.len() > MAX_SQL {
        return Err(format!("the SQL is longer than {} MiB", MAX_SQL / 1024 / 1024));
    }
    let (mut all, mut tokens, mut start, mut rest) = (Vec::new(), Vec::new(), 0, sql);
    loop {
        rest = skip_blank(rest)?;
        let at = sql.len() - rest.len();
        if rest.is_empty() || rest.starts_with(';') {
            if !tokens.is_empty() {
                all.push(Statement { text: shorten(sql[start..at].trim()), tokens: std::mem::take(&mut tokens) });
            }
            if rest.is_empty() {
                return Ok(all);
            }
            rest = &rest[1..];
            start = at + 1;
            continue;
        }
        let (token, after) = next(rest)?;
        if tokens.is_empty() {
            start = at;
        }
        tokens.push(token);
        rest = after;
    }
}

/// A statement as messages show it.
fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 100 { line } else { format!("{}…", line.chars().take(99).collect::<String>()) }
}

/// Past spaces and comments; block comments nest.
fn skip_blank(mut rest: &str) -> Result<&str, String> {
    loop {
        rest = rest.trim_start();
        if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            let mut depth = 0_usize;
            let mut inside = rest;
            loop {
                if let Some(after) = inside.strip_prefix("/*") {
                    (depth, inside) = (depth + 1, after);
                } else if let Some(after) = inside.strip_prefix("*/") {
                    (depth, inside) = (depth - 1, after);
                    if depth == 0 {
                        break;
                    }
                } else {
                    let mut chars = inside.chars();
                    chars.next().ok_or("a comment does not end")?;
                    inside = chars.as_str();
                }
            }
            rest = inside;
        } else {
            return Ok(rest);
        }
    }
}

fn next(rest: &str) -> Result<(Token, &str), String> {
    let first = rest.chars().next().unwrap_or(' ');
    let escapes = rest.starts_with("E'") || rest.starts_with("e'");
    if first == '\'' || escapes {
        let (text, after) = quoted(&rest[1 + usize::from(escapes)..], '\'', escapes)?;
        return Ok((Token::Text(text), after));
    }
    if first == '"' {
        let (name, after) = quoted(&rest[1..], '"', false)?;
        return Ok((Token::Quoted(name), after));
    }
    if first == '$' {
        let tag =
            rest[1..].find('$').map(|end| &rest[..end + 2]).filter(|tag| tag[1..tag.len() - 1].chars().all(|c| c.is_alphanumeric() || c == '_'));
        if let Some(tag) = tag {
            let body = &rest[tag.len()..];
            let end = body.find(tag).ok_or_else(|| format!("a text in {tag} does not end"))?;
            return Ok((Token::Text(body[..end].to_owned()), &body[end + tag.len()..]));
        }
    }
    let span = |part: fn(char) -> bool| rest.find(|c: char| !part(c)).unwrap_or(rest.len());
    if first.is_alphabetic() || first == '_' {
        let end = span(|c| c.is_alphanumeric() || c == '_' || c == '$');
        return Ok((Token::Word(rest[..end].to_lowercase()), &rest[end..]));
    }
    if first.is_ascii_digit() {
        let end = span(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
        return Ok((Token::Number(rest[..end].to_owned()), &rest[end..]));
    }
    Ok((Token::Symbol(first), &rest[first.len_utf8()..]))
}

/// What stands before the closing quote, a doubled one counting as itself.
fn quoted(rest: &str, quote: char, escapes: bool) -> Result<(String, &str), String> {
    let (mut text, mut chars) = (String::new(), rest.chars());
    while let Some(c) = chars.next() {
        if c == '\\' && escapes {
            text.extend(chars.next());
        } else if c != quote {
            text.push(c);
        } else if chars.as_str().starts_with(quote) {
            chars.next();
            text.push(quote);
        } else {
            return Ok((text, chars.as_str()));
        }
    }
    Err(format!("a text in {quote} does not end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart_by_semicolons_outside_quotes_and_comments() {
        let sql = "-- one; two\nUPDATE t SET a = 'x;''y' /* ; /* nested ; */ */; ; DO $x$ a; $x$;\nSELECT \"A;b\", E'\\';', 1.5";
        let all = statements(sql).unwrap();
        assert_eq!(all.len(), 3);
        assert!(all[0].tokens.contains(&Token::Text("x;'y".to_owned())));
        assert!(all[1].tokens.contains(&Token::Text(" a; ".to_owned())));
        assert!(all[2].tokens.contains(&Token::Quoted("A;b".to_owned())));
        assert!(all[2].tokens.contains(&Token::Text("';".to_owned())));
        assert_eq!(statements(" ; -- nothing").unwrap(), Vec::new());
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        for sql in ["'a", "\"a", "/* a /* b */", "$x$ a", "E'\\"] {
            assert!(statements(sql).is_err(), "{sql}");
        }
    }
}
