//! Which characters are seen, and which act instead.

use std::borrow::Cow;

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

/// The same text with something to be seen for every character that acts, each as many bytes long as before, so that places in the text
/// stay where they are. Line feeds, tabs and the old control characters are left to whoever shows it.
#[must_use]
pub fn in_place(text: &str) -> Cow<'_, str> {
    let hides = |c: char| !c.is_ascii() && acts(c);
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let seen = |c: char| match c.len_utf8() {
        _ if !hides(c) => c,
        2 => '\u{bf}',
        3 => '\u{fffd}',
        _ => '\u{10101}',
    };
    Cow::Owned(text.chars().map(seen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_seen_and_nothing_moves() {
        let text = "a\u{feff}b\u{85}c\u{202e}d\u{e0041}e\u{e9}\n";
        let seen = in_place(text);
        assert_eq!(seen, "a\u{fffd}b\u{bf}c\u{fffd}d\u{10101}e\u{e9}\n");
        assert_eq!(seen.len(), text.len());
        assert!(matches!(in_place("plain \u{e9}\n"), Cow::Borrowed(_)));
    }
}
