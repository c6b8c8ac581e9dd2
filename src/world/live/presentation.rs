//! Fields and strings of the presentation format of zone files (RFC 1035, section 5.1).

/// The longest character string of a TXT record, in bytes.
const STRING_MAX: usize = 255;

/// The fields of an answer, quotes and escapes resolved: `0 issue "a b"` are three.
///
/// # Errors
/// A fragment when a quote is not closed or an escape is not one.
pub fn fields(text: &str) -> Result<Vec<String>, String> {
    let mut rest = text.trim_start();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (field, after) = if let Some(inside) = rest.strip_prefix('"') {
            unquote(inside)?
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        };
        found.push(field);
        rest = after.trim_start();
    }
    Ok(found)
}

/// Reads up to the closing quote; gives the string and what follows.
fn unquote(text: &str) -> Result<(String, &str), String> {
    let bad = || format!("`\"{text}` is not a quoted string");
    let bytes = text.as_bytes();
    let (mut string, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok((String::from_utf8_lossy(&string).into_owned(), &text[at + 1..])),
            b'\\' => match bytes.get(at + 1..at + 4) {
                Some(digits) if digits.iter().all(u8::is_ascii_digit) => {
                    let value = digits.iter().fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
                    string.push(u8::try_from(value).map_err(|_| bad())?);
                    at += 4;
                }
                _ => {
                    string.push(*bytes.get(at + 1).ok_or_else(bad)?);
                    at += 2;
                }
            },
            other => {
                string.push(*other);
                at += 1;
            }
        }
    }
    Err(bad())
}

/// A string in quotes; bytes that are not printable ASCII as `\DDD`.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => quoted.extend(escape(byte)),
        }
    }
    quoted.push('"');
    quoted
}

/// `\DDD`.
#[must_use]
pub fn escape(byte: u8) -> [char; 4] {
    let digit = |unit: u8| char::from(b'0' + byte / unit % 10);
    ['\\', digit(100), digit(10), digit(1)]
}

/// The text of a TXT record as character strings of at most 255 bytes each, in quotes.
#[must_use]
pub fn quote_txt(text: &str) -> String {
    let mut strings = Vec::new();
    let mut rest = text;
    while rest.len() > STRING_MAX {
        let mut end = STRING_MAX;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        strings.push(quote(&rest.as_bytes()[..end]));
        rest = &rest[end..];
    }
    strings.push(quote(rest.as_bytes()));
    strings.join(" ")
}

/// The text of a TXT record, with or without quotes around it: only what is a row of quoted strings from end to end is unquoted.
#[must_use]
pub fn unquote_txt(text: &str) -> String {
    let mut rest = text.trim();
    let mut joined = String::new();
    if !rest.starts_with('"') {
        return text.to_owned();
    }
    while let Some(inside) = rest.strip_prefix('"') {
        let Ok((string, after)) = unquote(inside) else { return text.to_owned() };
        joined.push_str(&string);
        rest = after.trim_start();
    }
    if rest.is_empty() { joined } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_resolve_quotes_and_escapes() {
        assert_eq!(fields("0 issue \"a b; c=\\\"d\\\"\"").unwrap(), ["0", "issue", "a b; c=\"d\""]);
        assert_eq!(fields("100 10 \"S\" \"\" \"\" .").unwrap(), ["100", "10", "S", "", "", "."]);
        assert_eq!(fields("\"\\195\\169\\092\"").unwrap(), ["é\\"]);
        assert!(fields("1 \"open").is_err());
        assert!(fields("\"\\999\"").is_err());
        assert!(fields("\"\\").is_err());
    }

    #[test]
    fn txt_survives_quoting_at_any_length() {
        for text in ["v=spf1 -all", "a \"b\" \\c", "", "ü".repeat(300).as_str(), "x".repeat(256).as_str(), "tab\there"] {
            let quoted = quote_txt(text);
            assert_eq!(unquote_txt(&quoted), *text, "{quoted}");
            assert!(fields(&quoted).unwrap().iter().all(|string| string.len() <= STRING_MAX), "{quoted}");
        }
        assert_eq!(quote_txt(&"x".repeat(256)), format!("\"{}\" \"x\"", "x".repeat(255)));
        assert_eq!(unquote_txt("v=spf1 -all"), "v=spf1 -all");
        assert_eq!(unquote_txt("\"a\" b"), "\"a\" b", "not a row of strings: stays as it is");
    }
}
