//! Texts in which everything is seen, and stays where it is.

use std::borrow::Cow;

use super::text::acts;

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
