//! Characters that act instead of being seen, and JSON without them.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character acts instead of being seen: controls, direction marks, invisible and unassigned-looking formatting.
#[must_use]
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// `1 step`, `3 steps`.
#[must_use]
pub fn many(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// For JSON that people read: the same document, with characters that act written as escapes. They can stand only inside texts, where an escape means
/// the same; line ends and blanks of the layout stay.
#[must_use]
pub fn json(pretty: &str) -> Cow<'_, str> {
    if is_plain(pretty) {
        return Cow::Borrowed(pretty);
    }
    let mut safe = String::with_capacity(pretty.len());
    for c in pretty.chars() {
        if c != '\n' && acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Whether a text has nothing but printable ASCII and line feeds, which nearly all have: found out quickly.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
}
