//! Whether a name holds a protected word, however it is spelt.

use std::sync::LazyLock;

/// Characters and what they look like; [`fold`] says how it is used.
const LOOK_ALIKES: &str = include_str!("guard/look_alikes.txt");
/// In a folded text: what may be an i, an l or a 1.
const STROKE: char = '|';
/// Turns the letters that follow it round, for whoever reads them.
const RIGHT_TO_LEFT: char = '\u{202E}';

/// The first of `words` that `name` contains, both folded: case, width, accents over Latin letters, look-alike letters of other
/// scripts, and characters that nobody sees. The labels of a domain name are read in their Unicode form too.
#[must_use]
pub fn protected<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    if words.is_empty() {
        return None;
    }
    let readings = readings(name);
    let holds = |word: &str| {
        let word: Vec<char> = fold(word).chars().collect();
        !word.is_empty() && readings.iter().any(|reading| contains(reading, &word))
    };
    words.iter().map(String::as_str).find(|word| holds(word))
}

/// One spelling for all that looks the same.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0' => folded.push('o'),
            '1' | '|' => folded.push(STROKE),
            _ if c.is_ascii_control() => {}
            _ if c.is_ascii() => folded.push(c.to_ascii_lowercase()),
            _ => fold_letter(c, &mut folded),
        }
    }
    folded
}

fn fold_letter(c: char, folded: &mut String) {
    if let Some(like) = looks_like(c) {
        return folded.push_str(like);
    }
    for lower in c.to_lowercase().filter(|lower| !lower.is_control()) {
        match looks_like(lower) {
            Some(like) => folded.push_str(like),
            None => folded.push(lower),
        }
    }
}

/// The ASCII letters or digits that a character looks like; nothing for one that nobody sees.
fn looks_like(c: char) -> Option<&'static str> {
    static RANGES: LazyLock<Vec<(u32, u32, &'static str)>> = LazyLock::new(|| {
        let mut ranges: Vec<_> = LOOK_ALIKES.lines().filter(|line| !line.starts_with('#')).flat_map(ranges_of).collect();
        ranges.sort_unstable();
        ranges
    });
    let code = u32::from(c);
    let after = RANGES.partition_point(|(first, _, _)| *first <= code);
    RANGES[..after].last().filter(|(_, last, _)| code <= *last).map(|(_, _, like)| *like)
}

/// The ranges of one line: what they look like, then code points in hexadecimal.
fn ranges_of(line: &'static str) -> impl Iterator<Item = (u32, u32, &'static str)> {
    let mut words = line.split(' ');
    let letters = match words.next() {
        Some(".") | None => "",
        Some("o" | "0") => "o",
        Some("1") => "|",
        Some(other) => other,
    };
    words.filter_map(move |range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some((u32::from_str_radix(first, 16).ok()?, u32::from_str_radix(last, 16).ok()?, letters))
    })
}

/// The ways in which people may read a name, folded.
fn readings(name: &str) -> Vec<Vec<char>> {
    let mut readings = vec![name.to_owned()];
    readings.extend(in_unicode(name));
    let turned: Vec<String> = readings.iter().filter(|text| text.contains(RIGHT_TO_LEFT)).map(|text| text.chars().rev().collect()).collect();
    readings.extend(turned);
    readings.iter().map(|text| fold(text).chars().collect()).collect()
}

/// A domain name with its A-labels decoded; none where there is none.
fn in_unicode(name: &str) -> Option<String> {
    let has_prefix = |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    if !name.split('.').any(has_prefix) {
        return None;
    }
    let decoded = |label: &str| {
        let punycode = if has_prefix(label) { label.get(4..) } else { None };
        punycode.and_then(|text| idna::punycode::decode_to_string(&text.to_ascii_lowercase())).unwrap_or_else(|| label.to_owned())
    };
    Some(name.split('.').map(decoded).collect::<Vec<_>>().join("."))
}

fn contains(text: &[char], word: &[char]) -> bool {
    text.windows(word.len()).any(|window| window.iter().zip(word).all(|(one, other)| alike(*one, *other)))
}

fn alike(one: char, other: char) -> bool {
    one == other || (one == STROKE && matches!(other, 'i' | 'l')) || (other == STROKE && matches!(one, 'i' | 'l'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_words_are_found_in_every_spelling() {
        let words = vec!["prod".to_owned()];
        for name in [
            "prod-db",
            "my-PROD",
            "PrOd",
            "ｐｒｏｄ-db",
            "рrоd",
            "p\u{200b}rod",
            "ρrod",
            "pro\u{301}d",
            "pʀod",
            "𝐩𝐫𝐨𝐝",
            "pr0d",
            "ᴘʀᴏᴅ",
            "ꓑrꓳꓓ",
            "🅿rod",
            "🇵🇷🇴🇩",
            "ⓟⓡⓞⓓ",
            "p\u{e0072}rod",
            "\u{202e}dorp",
        ] {
            assert_eq!(protected(&words, name), Some("prod"), "{name}");
        }
        for name in ["dev-openverse-db", "pro-d", "", "staging", "dorp", "город", "продукт", "xn--bcher-kva.example.org"] {
            assert_eq!(protected(&words, name), None, "{name}");
        }
    }

    #[test]
    fn labels_of_domain_names_are_read_as_people_see_them() {
        // A Cyrillic р, as a zone has it.
        let label = crate::model::record::canonical_name("рrod.example.org").unwrap();
        assert!(label.starts_with("xn--"), "{label}");
        assert_eq!(protected(&["prod".to_owned()], &label), Some("prod"));
        assert_eq!(protected(&["prod".to_owned()], &label.to_uppercase()), Some("prod"));
        assert_eq!(protected(&["bücher".to_owned()], "xn--bcher-kva.example.org"), Some("bücher"));
        assert_eq!(protected(&["прод".to_owned()], &crate::model::record::canonical_name("www.прод.example.org").unwrap()), Some("прод"));
        assert_eq!(protected(&["prod".to_owned()], "xn--.xn--999999999999"), None);
    }

    #[test]
    fn a_stroke_may_be_an_i_an_l_or_a_one() {
        let live = vec!["live".to_owned()];
        for name in ["LIVE", "1ive", "l1ve", "|ive", "lіve", "ӏive", "ⅼive"] {
            assert_eq!(protected(&live, name), Some("live"), "{name}");
        }
        assert_eq!(protected(&["mail".to_owned()], "mall"), None);
        assert_eq!(protected(&["v1".to_owned()], "v1"), Some("v1"));
    }

    #[test]
    fn no_word_protects_nothing_and_an_empty_one_neither() {
        assert_eq!(protected(&[], "prod"), None);
        assert_eq!(protected(&[String::new(), "\u{200b}".to_owned()], "prod"), None);
    }

    #[test]
    fn the_table_of_look_alikes_is_read_whole() {
        let lines = || LOOK_ALIKES.lines().filter(|line| !line.starts_with('#'));
        let written = lines().map(|line| line.split(' ').count() - 1).sum::<usize>();
        let mut read: Vec<_> = lines().flat_map(ranges_of).collect();
        assert_eq!(read.len(), written, "a range cannot be read");
        read.sort_unstable();
        assert!(read.windows(2).all(|two| two[0].1 < two[1].0), "two ranges overlap");
        assert!(read.iter().all(|(first, last, like)| first <= last && *first >= 0x80 && like.is_ascii()));
    }
}
