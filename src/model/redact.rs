//! Takes secrets out of text that comes from outside: as they are, and in the forms in which servers, proxies and libraries give them back.

use std::fmt;
use std::fmt::Write;

/// Stands where a secret was.
pub const HIDDEN: &str = "(secret)";

/// A part of a secret of at least this many bytes is hidden too: an answer that was cut, or that quotes the beginning alone, holds no less.
const FRAGMENT_BYTES: usize = 12;
/// Other forms of shorter secrets are too likely to be ordinary words.
const FORM_BYTES_MIN: usize = 6;
/// Of longer texts the rest is dropped before anything is looked for: messages are cut much shorter anyway.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// A longer secret is looked for by its beginning.
const SECRET_BYTES_MAX: usize = 8 << 10;

/// Knows secrets, and hides them.
#[derive(Clone, Default)]
pub struct Redactor {
    /// As they are.
    whole: Vec<String>,
    /// Every form of every secret, longest first.
    forms: Vec<Vec<u8>>,
}

impl Redactor {
    /// Hides these; empty ones are none.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut redactor = Redactor::default();
        secrets.into_iter().for_each(|secret| redactor.add(&secret));
        redactor
    }

    /// Hides one more; without the white space around it, which no service gives back.
    pub fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        if secret.is_empty() || self.whole.iter().any(|known| known == secret) {
            return;
        }
        self.whole.push(secret.to_owned());
        self.forms.extend(forms(cut(secret, SECRET_BYTES_MAX)));
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        self.forms.dedup();
    }

    /// The text with every secret, and every long part of one, replaced by [`HIDDEN`].
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let text = cut(text, TEXT_BYTES_MAX);
        let bytes = text.as_bytes();
        let mut hidden = vec![false; bytes.len()];
        for form in &self.forms {
            mark_whole(bytes, form, &mut hidden);
            mark_fragments(bytes, form, &mut hidden);
        }
        if !hidden.contains(&true) {
            return text.to_owned();
        }
        let mut safe = String::with_capacity(text.len());
        let mut before = false;
        for (at, c) in text.char_indices() {
            // A character of which any byte belongs to a secret goes with it.
            let now = hidden[at..at + c.len_utf8()].contains(&true);
            match (before, now) {
                (false, true) => safe.push_str(HIDDEN),
                (_, true) => {}
                (_, false) => safe.push(c),
            }
            before = now;
        }
        safe
    }
}

/// How many there are, and nothing else.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} secrets)", self.whole.len())
    }
}

fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn mark_whole(text: &[u8], form: &[u8], hidden: &mut [bool]) {
    let Some(last) = text.len().checked_sub(form.len()) else { return };
    for at in 0..=last {
        if text[at] == form[0] && text[at..].starts_with(form) {
            hidden[at..at + form.len()].fill(true);
        }
    }
}

/// Marks every part that `text` shares with a form of more than two fragments' length.
fn mark_fragments(text: &[u8], form: &[u8], hidden: &mut [bool]) {
    if form.len() < FRAGMENT_BYTES + FRAGMENT_BYTES / 2 || text.len() < FRAGMENT_BYTES {
        return;
    }
    let known: std::collections::HashSet<&[u8]> = form.windows(FRAGMENT_BYTES).collect();
    for (at, part) in text.windows(FRAGMENT_BYTES).enumerate() {
        if known.contains(part) {
            hidden[at..at + FRAGMENT_BYTES].fill(true);
        }
    }
}

/// A secret as it may come back: raw, in JSON, in HTML, in a URL, in base64 (at any place of what was encoded), in hexadecimal.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut texts = vec![secret.to_owned()];
    if secret.len() >= FORM_BYTES_MIN {
        let json = serde_json::Value::from(secret).to_string();
        let json = json[1..json.len() - 1].to_owned();
        texts.push(json.replace('/', "\\/"));
        texts.push(ascii_json(&json));
        texts.push(json);
        texts.push(secret.escape_default().to_string());
        for quote in ["&#39;", "&#x27;", "&apos;"] {
            texts.push(html(secret, quote));
        }
        for strict in [true, false] {
            let url = percent(secret, strict);
            texts.push(url.replace("%20", "+"));
            texts.push(url.to_ascii_lowercase());
            texts.push(url);
        }
        for alphabet in [*b"+/", *b"-_"] {
            texts.extend((0..3).map(|shift| base64(secret.as_bytes(), shift, alphabet)));
        }
        let hex = secret.bytes().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        texts.push(hex.to_ascii_uppercase());
        texts.push(hex);
    }
    texts.sort();
    texts.dedup();
    texts.into_iter().filter(|text| !text.is_empty()).map(String::into_bytes).collect()
}

/// Everything outside of ASCII as `\uXXXX`, the way many languages write JSON.
fn ascii_json(json: &str) -> String {
    let mut text = String::new();
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

fn html(secret: &str, quote: &str) -> String {
    secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', quote)
}

/// Percent-encoding; `strict` leaves only what is reserved nowhere, else what a path or a password may hold stays as it is.
fn percent(secret: &str, strict: bool) -> String {
    let mut text = String::new();
    for byte in secret.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (!strict && b"!$&'()*+,;=/".contains(&byte));
        if plain {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The characters of base64 that depend on the secret alone, when it begins `shift` bytes after a group's beginning: so it is found in what was
/// encoded together with a user's name.
fn base64(secret: &[u8], shift: usize, marks: [u8; 2]) -> String {
    let symbol = |six: u32| match six {
        0..=25 => char::from(b'A' + u8::try_from(six).unwrap_or(0)),
        26..=51 => char::from(b'a' + u8::try_from(six - 26).unwrap_or(0)),
        52..=61 => char::from(b'0' + u8::try_from(six - 52).unwrap_or(0)),
        62 => char::from(marks[0]),
        _ => char::from(marks[1]),
    };
    let bytes: Vec<u8> = std::iter::repeat_n(0, shift).chain(secret.iter().copied()).collect();
    // Bits before the secret's first and after its last byte belong to its neighbours.
    let (first, last) = ((shift * 8).div_ceil(6), bytes.len() * 8 / 6);
    let six = |index: usize| {
        (0..6).fold(0, |value, bit| {
            let at = index * 6 + bit;
            value << 1 | u32::from(bytes[at / 8] >> (7 - at % 8) & 1)
        })
    };
    (first..last).map(|index| symbol(six(index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "p@ss/wörd \"4711\"&<x>";

    #[test]
    fn every_form_is_hidden() {
        let redactor = Redactor::new([SECRET.to_owned()]);
        for form in [
            SECRET,
            "p@ss/wörd \\\"4711\\\"&<x>",
            "p@ss\\/wörd \\\"4711\\\"&<x>",
            "p@ss/w\\u00f6rd \\\"4711\\\"&<x>",
            "p@ss/wörd &quot;4711&quot;&amp;&lt;x&gt;",
            "p%40ss%2Fw%C3%B6rd%20%224711%22%26%3Cx%3E",
            "p%40ss%2fw%c3%b6rd%20%224711%22%26%3cx%3e",
            "p%40ss%2Fw%C3%B6rd+%224711%22%26%3Cx%3E",
            "p%40ss/w%C3%B6rd%20%224711%22&%3Cx%3E",
            "cEBzcy93w7ZyZCAiNDcxMSImPHg+",
            "70407373",
        ] {
            let text = format!("before {form} after");
            let shown = redactor.hide(&text);
            if form == "70407373" {
                assert_eq!(shown, text, "eight digits are no secret");
            } else {
                assert!(shown.starts_with("before (secret)") && shown.ends_with(" after"), "{form}: {shown}");
                assert!(!shown.contains("4711"), "{form}: {shown}");
            }
        }
    }

    #[test]
    fn base64_is_found_at_every_place_of_what_was_encoded() {
        let redactor = Redactor::new(["planted-password".to_owned()]);
        // user:planted-password, me:planted-password, x:planted-password
        for (encoded, rest) in [("dXNlcjpwbGFudGVkLXBhc3N3b3Jk", 8), ("bWU6cGxhbnRlZC1wYXNzd29yZA==", 8), ("eDpwbGFudGVkLXBhc3N3b3Jk", 8)] {
            let shown = redactor.hide(&format!("Basic {encoded}."));
            assert!(shown.contains(HIDDEN) && shown.len() < 6 + HIDDEN.len() + rest, "{encoded}: {shown}");
        }
        assert_eq!(redactor.hide("706c616e7465642d70617373776f7264"), HIDDEN);
    }

    #[test]
    fn a_part_that_says_enough_is_hidden_too() {
        let redactor = Redactor::new(["0123456789abcdefghijklmnop".to_owned()]);
        assert_eq!(redactor.hide("bad token 0123456789abcdef…"), "bad token (secret)…");
        assert_eq!(redactor.hide("…56789abcdefghijklmnop is bad"), "…(secret) is bad");
        assert_eq!(redactor.hide("0123456789 is ten digits"), "0123456789 is ten digits");
    }

    #[test]
    fn short_and_empty_secrets_hide_themselves_alone() {
        let redactor = Redactor::new(["pw".to_owned(), " ".to_owned(), String::new()]);
        assert_eq!(redactor.hide("user pw at cHc= in 7077"), "user (secret) at cHc= in 7077");
        assert_eq!(format!("{redactor:?}"), "Redactor(1 secrets)");
        assert_eq!(Redactor::default().hide("nothing"), "nothing");
    }

    #[test]
    fn texts_and_secrets_of_any_size_and_script_are_taken() {
        let long = "ö".repeat(100_000);
        let redactor = Redactor::new([long.clone(), "日本語のパスワード".to_owned()]);
        assert_eq!(redactor.hide(&long), HIDDEN);
        assert_eq!(redactor.hide("x日本語のパスワードy"), "x(secret)y");
        assert!(!redactor.hide("x日本語のパスワーy").contains('語'));
    }
}
