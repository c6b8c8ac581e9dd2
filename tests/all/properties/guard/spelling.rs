//! How a word can be spelt so that people still read it.

use crate::properties::trials::Dice;

/// Words that environments protect.
pub const WORDS: [&str; 5] = ["prod", "live", "master", "gold", "blue"];

/// Characters that are taken for a letter: of other alphabets, of other widths and fonts, with accents, as small capitals, in circles and boxes.
fn look_alikes(letter: char) -> &'static str {
    match letter {
        'a' => "aAаαáàäâãåāąɑᴀＡａ𝐚𝒂𝖆Ⓐⓐ🄰🅰ⲁ𝛼Ꭺ",
        'b' => "bBЬḃｂＢ𝐛ⓑⒷʙᏴ🅑",
        'd' => "dDďđḍԁⅾｄＤ𝐝𝔡ⓓⒹᴅᎠꓓ🅳ɗ",
        'e' => "eEеéèëêēęěёεｅＥ𝐞ⓔⒺᴇ℮ΕᎬꓰ",
        'g' => "gGɡĝğġģｇＧ𝐠ⓖⒼɢԍᏀꓖ",
        'i' => "iIіíìïîīıɩｉＩ𝐢ⓘⒾɪӏΙ1|Ꭵⅰ",
        'l' => "lLłĺļľⅼｌＬ𝐥ⓛⓁʟ1|ⳑᏞꓡ",
        'm' => "mMмμⅿｍＭ𝐦ⓜⓂᴍΜᎷꓟ",
        'o' => "oOоοσօöóòôõøō0ｏＯ𝐨ⓞⓄᴏΟ𐐬ꓳⲟ𝟎٥",
        'p' => "pPрρｐＰ𝐩ⓟⓅᴘΡᏢꓑⲣ🅿𝜌ṗ",
        'r' => "rRгŕřｒＲ𝐫ⓡⓇʀᎡꓣⲅᴦ𝓇ṛ",
        's' => "sSѕśŝşšșｓＳ𝐬ⓢⓈꜱᏚꓢ",
        't' => "tTтτţťｔＴ𝐭ⓣⓉᴛΤᎢꓔ",
        'u' => "uUυսúùüûūｕＵ𝐮ⓤⓊᴜꓴ",
        'v' => "vVѵνⅴｖＶ𝐯ⓥⓋᴠᏙꓦ",
        _ => "",
    }
}

/// Characters that nobody sees, or that only lie over the one before.
const UNSEEN: &str =
    "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{34f}\u{300}\u{301}\u{323}\u{335}\u{fe0f}\u{e0061}\u{202a}\u{2066}\u{180e}\u{17b4}";

fn one_of(dice: &mut Dice, characters: &str) -> char {
    let all: Vec<char> = characters.chars().collect();
    *dice.one(&all)
}

/// The word in another spelling.
pub fn spelt(dice: &mut Dice, word: &str) -> String {
    let (odd, unseen) = (*dice.one(&[0, 25, 100]), *dice.one(&[0, 0, 30]));
    let mut spelt = String::new();
    for letter in word.chars() {
        spelt.push(if dice.chance(odd) { one_of(dice, look_alikes(letter)) } else { letter });
        if dice.chance(unseen) {
            spelt.push(one_of(dice, UNSEEN));
        }
    }
    if dice.chance(5) {
        // Written from right to left, which a mark turns round for the reader.
        return format!("\u{202e}{}", word.chars().rev().collect::<String>());
    }
    spelt
}

/// Something before and after it.
pub fn surrounded(dice: &mut Dice, word: &str) -> String {
    let (before, after) = (dice.one(&["", "my-", "x", "db-1-", "A"]).to_string(), dice.one(&["", "-db", "2", "-of-us", "Z"]).to_string());
    format!("{before}{word}{after}")
}

/// A name of plain letters and hyphens, which may hold a word by chance or as it is.
pub fn anything(dice: &mut Dice) -> String {
    let mut name = String::new();
    for _ in 0..dice.number(0, 12) {
        match dice.number(0, 11) {
            0 => name.push_str(dice.one::<&str>(&WORDS)),
            1 => name.push('-'),
            2 => name.push('0'),
            _ => name.push(one_of(dice, "abdegilmoprstuvPROD")),
        }
    }
    name
}

/// A name in which no protected word stands.
pub fn ordinary(dice: &mut Dice) -> String {
    let parts = ["dev", "staging", "openverse", "files", "pro", "duct", "old", "mast", "liv", "b1ack", "web2", "go-ld", "xn", "mall"];
    let name: Vec<&str> = (0..dice.number(1, 4)).map(|_| *dice.one(&parts)).collect();
    name.join("-")
}
