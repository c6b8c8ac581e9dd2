//! The fields of an answer in presentation format: words, quoted strings, escapes.

/// More fields than any answer has.
const FIELDS_MAX: usize = 256;

/// One field, its quotes and escapes taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field(pub Vec<u8>);

impl Field {
    /// As text, when it is printable ASCII.
    pub(super) fn word(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok().filter(|text| text.bytes().all(|b| b.is_ascii_graphic()))
    }

    /// For messages.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// Splits an answer into its fields. White space separates; a quoted string ends its field.
pub(super) fn split(text: &str) -> Result<Vec<Field>, String> {
    let bytes = text.as_bytes();
    let (mut fields, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if fields.len() == FIELDS_MAX {
            return Err(format!("it has more than {FIELDS_MAX} fields"));
        }
        let (field, next) = one(bytes, at)?;
        fields.push(field);
        at = next;
    }
    Ok(fields)
}

/// The field that begins at `at`, and where what follows it begins.
fn one(bytes: &[u8], mut at: usize) -> Result<(Field, usize), String> {
    let (mut field, mut quoted) = (Vec::new(), false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if quoted => {
                at += 1;
                return match bytes.get(at) {
                    Some(next) if !next.is_ascii_whitespace() => Err("something follows directly after a closing quote".to_owned()),
                    _ => Ok((Field(field), at)),
                };
            }
            b'"' => quoted = true,
            b'\\' => {
                let (byte, length) = escape(&bytes[at..])?;
                field.push(byte);
                at += length;
                continue;
            }
            _ if byte.is_ascii_whitespace() && !quoted => return Ok((Field(field), at)),
            _ => field.push(byte),
        }
        at += 1;
    }
    if quoted { Err("a quote is not closed".to_owned()) } else { Ok((Field(field), at)) }
}

/// The byte that an escape stands for, and the escape's length.
fn escape(bytes: &[u8]) -> Result<(u8, usize), String> {
    match bytes.get(1..4) {
        Some(digits) if digits.iter().all(u8::is_ascii_digit) => {
            let value = digits.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
            u8::try_from(value).map(|byte| (byte, 4)).map_err(|_| format!("`\\{value}` is no byte"))
        }
        _ => match bytes.get(1) {
            Some(byte) => Ok((*byte, 2)),
            None => Err("it ends in a lone backslash".to_owned()),
        },
    }
}

/// A quoted string: the canonical form of text in an answer.
pub(super) fn quote(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                text.push('\\');
                text.extend([byte / 100, byte / 10 % 10, byte % 10].map(|digit| char::from(b'0' + digit)));
            }
        }
    }
    text.push('"');
    text
}

/// Text that stands without quotes where it can.
pub(super) fn bare_or_quoted(bytes: &[u8]) -> String {
    let bare = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b';' | b'(' | b')');
    if !bytes.is_empty() && bytes.iter().all(bare) { bytes.iter().map(|b| char::from(*b)).collect() } else { quote(bytes) }
}
