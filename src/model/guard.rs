//! Whether a name holds a protected word, however it is spelt.

/// The first of `words` that `name` contains, both folded: case, width, accents over Latin letters, look-alike letters of other
/// scripts, and characters that nobody sees.
#[must_use]
pub fn protected<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    let name = fold(name);
    words
        .iter()
        .find(|word| {
            let word = fold(word);
            !word.is_empty() && name.contains(&word)
        })
        .map(String::as_str)
}

/// One spelling for all that looks the same.
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().filter_map(narrow).flat_map(char::to_lowercase).filter(|c| !invisible(*c)).map(plain).collect()
}

/// Full-width and mathematical letters as ASCII.
fn narrow(c: char) -> Option<char> {
    let code = u32::from(c);
    match code {
        0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0),
        // Thirteen alphabets of 26 upper-case and 26 lower-case letters in a row.
        0x1D400..=0x1D6A3 => char::from_u32(u32::from(b'a') + (code - 0x1D400) % 26),
        0x1D7CE..=0x1D7FF => char::from_u32(u32::from(b'0') + (code - 0x1D7CE) % 10),
        0x24B6..=0x24CF => char::from_u32(u32::from(b'a') + (code - 0x24B6)),
        0x24D0..=0x24E9 => char::from_u32(u32::from(b'a') + (code - 0x24D0)),
        _ => Some(c),
    }
}

/// Characters of no width: joiners, direction marks, combining accents, variation selectors, tags.
fn invisible(c: char) -> bool {
    matches!(u32::from(c),
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180E | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F
        | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x20D0..=0x20FF | 0xE0000..=0xE0FFF)
        || c.is_control()
}

/// The Latin letter or digit that a lower-case letter looks like.
fn plain(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' | 'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => 'a',
        'в' | 'β' | 'ь' | 'ƀ' => 'b',
        'с' | 'ϲ' | 'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => 'c',
        'ԁ' | 'ď' | 'đ' | 'ɗ' | 'ḍ' | 'ժ' => 'd',
        'е' | 'ё' | 'є' | 'ε' | 'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ғ' | 'ƒ' => 'f',
        'ԍ' | 'ց' | 'ĝ' | 'ğ' | 'ġ' | 'ģ' | 'ɡ' => 'g',
        'һ' | 'հ' | 'ĥ' | 'ħ' | 'н' | 'η' => 'h',
        'і' | 'ї' | 'ι' | 'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' | 'ӏ' | 'ɩ' => 'i',
        'ј' | 'ϳ' | 'ĵ' => 'j',
        'к' | 'κ' | 'ķ' => 'k',
        'ł' | 'ĺ' | 'ļ' | 'ľ' | 'ⅼ' => 'l',
        'м' | 'μ' | 'ⅿ' => 'm',
        'п' | 'ո' | 'ñ' | 'ń' | 'ņ' | 'ň' | 'ν' => 'n',
        'о' | 'ο' | 'σ' | 'օ' | 'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | '0' => 'o',
        'р' | 'ρ' | 'þ' | 'ƿ' | 'ҏ' => 'p',
        'ԛ' | 'զ' => 'q',
        'г' | 'ŕ' | 'ŗ' | 'ř' | 'ɍ' | 'ᴦ' => 'r',
        'ѕ' | 'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => 's',
        'т' | 'τ' | 'ţ' | 'ť' | 'ț' => 't',
        'υ' | 'ս' | 'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ѵ' | 'ⅴ' => 'v',
        'ԝ' | 'ω' | 'ŵ' | 'ш' => 'w',
        'х' | 'χ' | 'ⅹ' => 'x',
        'у' | 'γ' | 'ý' | 'ÿ' | 'ŷ' | 'ү' => 'y',
        'ź' | 'ż' | 'ž' | 'ᴢ' => 'z',
        '‐' | '‑' | '‒' | '–' | '—' | '−' | '﹣' => '-',
        other => other,
    }
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
            "рʀod".replace('ʀ', "r").as_str(),
            "𝐩𝐫𝐨𝐝",
            "pr0d",
        ] {
            assert_eq!(protected(&words, name), Some("prod"), "{name}");
        }
        for name in ["dev-openverse-db", "pro-d", "", "staging"] {
            assert_eq!(protected(&words, name), None, "{name}");
        }
    }

    #[test]
    fn no_word_protects_nothing_and_an_empty_one_neither() {
        assert_eq!(protected(&[], "prod"), None);
        assert_eq!(protected(&[String::new(), "\u{200b}".to_owned()], "prod"), None);
    }
}
