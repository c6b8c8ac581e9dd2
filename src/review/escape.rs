//! Makes text from outside harmless where it is shown. What is replaced stays visible: `\u001b`, `\n`, `\u202e`.

use std::borrow::Cow;
use std::fmt::Write;

use crate::model::text::{self, acts, is_plain};

/// For JSON that people read: [`text::json`].
#[must_use]
pub fn json(pretty: &str) -> String {
    text::json(pretty).into_owned()
}

/// For terminals, logs and fenced code: one line, nothing in it moves the cursor or hides. Our own texts pass unchanged.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            _ if acts(c) => push_unicode(&mut safe, c),
            _ => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// The last look at what leaves the program: line ends and the colours that this program uses stay, whatever else acts is shown instead. What is
/// laid out has been escaped piece by piece before; this is for what somebody forgot.
#[must_use]
pub fn output(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !text.chars().any(|c| c != '\n' && acts(c)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(length) = colour(rest) {
            safe.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        if c == '\n' {
            safe.push(c);
        } else {
            safe.push_str(&terminal(&rest[..c.len_utf8()]));
        }
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(safe)
}

/// The length of a colour sequence at the beginning: bold, faint, underlined, a colour of sixteen, or back to normal. Nothing that hides text.
fn colour(text: &str) -> Option<usize> {
    let (codes, _) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    let known = |code: &str| matches!(code, "" | "0" | "1" | "2" | "4" | "22" | "24" | "39") || is_ink(code);
    (codes.len() <= 12 && codes.split(';').all(known)).then_some(codes.len() + 3)
}

fn is_ink(code: &str) -> bool {
    matches!(code.parse(), Ok(30_u8..=37 | 90..=97)) && code.len() == 2
}

/// As HCL writes it: four digits after `\u`, eight after `\U`.
fn push_unicode(out: &mut String, c: char) {
    let code = u32::from(c);
    // Writing to a string cannot fail.
    let _ = if code <= 0xffff { write!(out, "\\u{code:04x}") } else { write!(out, "\\U{code:08x}") };
}

/// A quoted text as HCL and JSON have it, in which quotes and backslashes cannot be mistaken for ours.
#[must_use]
pub fn quoted(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\' && byte != b'"') {
        return format!("\"{text}\"");
    }
    let inner = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", terminal(&inner))
}

/// A word for a shell: bare when it is harmless, else in single quotes.
#[must_use]
pub fn shell(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | ':' | '@' | '=' | ',' | '+');
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(bare) {
        return text.to_owned();
    }
    format!("'{}'", terminal(&text.replace('\'', "'\\''")))
}

/// For running text in Markdown (GitHub, GitLab): every mark is escaped, and what those sites link or draw by themselves (mentions, numbers of
/// issues, addresses, commits, emoji) is cut by a zero-width space.
#[must_use]
pub fn markdown(text: &str) -> String {
    const ZERO_WIDTH_SPACE: &str = "&#8203;";
    let line = cut_shortcodes(&cut_commits(&terminal(text)));
    let mut safe = String::with_capacity(line.len() * 2);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let next = chars.clone().next().unwrap_or(' ');
        match c {
            CUT => safe.push_str(ZERO_WIDTH_SPACE),
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~' | '$' | '^' | '@' => {
                safe.push('\\');
                safe.push(c);
            }
            // At the beginning they would make a list, and this one a command: `/close`.
            '/' if safe.is_empty() => safe.push_str("\\/"),
            '-' | '.' if safe.bytes().all(|b| b.is_ascii_digit()) => {
                safe.push('\\');
                safe.push(c);
            }
            _ => safe.push(c),
        }
        let reference = matches!(c, '@' | '#' | '!' | '$' | '~' | '^' | '%' | '&') && (next.is_alphanumeric() || matches!(next, '_' | '"' | '\''));
        // `[vulnerability:1]`, `*iteration:"a"`.
        let named = matches!(c, '[' | '*') && chars.as_str().trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_').starts_with(':');
        let address = (c == ':' && next == '/') || (c == '.' && ends_with(&safe, b"www."));
        let word = c == '-' && ends_with(&safe, b"gh-");
        if reference || named || address || word {
            safe.push_str(ZERO_WIDTH_SPACE);
        }
    }
    safe
}

/// A zero-width space. None is in a text any more that [`terminal`] has seen.
const CUT: char = '\u{200b}';
/// These sites take a word for the beginning of a commit's name from so many characters on.
const COMMIT_CHARS_MIN: usize = 7;

/// Words that could name a commit, with a cut in them. Numbers stay whole: accounts and dates are copied.
fn cut_commits(line: &str) -> String {
    let is_commit =
        |word: &str| word.len() >= COMMIT_CHARS_MIN && word.bytes().all(|b| b.is_ascii_hexdigit()) && !word.bytes().all(|b| b.is_ascii_digit());
    let mut cut = String::with_capacity(line.len());
    for part in line.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        if is_commit(word) {
            cut.push_str(&part[..COMMIT_CHARS_MIN / 2]);
            cut.push(CUT);
            cut.push_str(&part[COMMIT_CHARS_MIN / 2..]);
        } else {
            cut.push_str(part);
        }
    }
    cut
}

/// `:tada:` with a cut in it. Numbers stay whole, since times of day are written so, but for the two that are emoji; so do ARNs, which are copied.
fn cut_shortcodes(line: &str) -> String {
    let is_code = |name: &str| {
        let of_names = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-');
        !name.is_empty() && name.bytes().all(of_names) && (!name.bytes().all(|b| b.is_ascii_digit()) || matches!(name, "100" | "1234"))
    };
    let mut cut = String::with_capacity(line.len());
    for word in line.split_inclusive(' ') {
        let mut parts = word.split(':').peekable();
        cut.push_str(parts.next().unwrap_or_default());
        let is_arn = word.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with("arn:aws");
        while let Some(part) = parts.next() {
            cut.push(':');
            if !is_arn && parts.peek().is_some() && is_code(&part.replace(CUT, "")) {
                cut.push(CUT);
            }
            cut.push_str(part);
        }
    }
    cut
}

/// In any case of letters.
fn ends_with(text: &str, end: &[u8]) -> bool {
    text.len().checked_sub(end.len()).is_some_and(|at| text.as_bytes()[at..].eq_ignore_ascii_case(end))
}

/// A code span in Markdown that the text cannot leave, whatever back-ticks it holds.
#[must_use]
pub fn code_span(text: &str) -> String {
    let line = terminal(text);
    let fence = "`".repeat(longest_run(&line) + 1);
    if line.trim().is_empty() {
        return "(empty)".to_owned();
    }
    // A space inside is dropped by the renderer on both sides, and keeps leading and trailing back-ticks apart from the fence.
    if line.starts_with(['`', ' ']) || line.ends_with(['`', ' ']) { format!("{fence} {line} {fence}") } else { format!("{fence}{line}{fence}") }
}

/// A fenced block in Markdown that no line of the text can close. The lines are escaped one by one.
#[must_use]
pub fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let mut block = format!("{fence}{language}\n");
    for line in text.lines() {
        block.push_str(&terminal(line));
        block.push('\n');
    }
    block.push_str(&fence);
    block.push('\n');
    block
}

/// The longest run of back-ticks.
#[must_use]
pub fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// For Slack: its three marks, without which neither a mention nor a link can be made.
#[must_use]
pub fn slack(text: &str) -> String {
    terminal(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_names_a_commit_and_numbers_stay_whole() {
        assert_eq!(markdown("see abe4b23ec, DEADBEE0 or x1-abe4b23"), "see abe&#8203;4b23ec, DEA&#8203;DBEE0 or x1-abe&#8203;4b23");
        assert_eq!(markdown("account 111122223333 of 20261105, a decade"), "account 111122223333 of 20261105, a decade");
    }

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        for (hostile, shown) in [
            ("\u{1b}[31mred", "\\u001b[31mred"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("live\u{202e}dorp", "live\\u202edorp"),
            ("\u{9b}2J", "\\u009b2J"),
            ("a\u{200b}b\u{e0041}", "a\\u200bb\\U000e0041"),
        ] {
            assert_eq!(terminal(hostile), shown);
        }
        assert_eq!(terminal("naïve 数据库 ok"), "naïve 数据库 ok");
    }

    #[test]
    fn nothing_but_colours_and_line_ends_leaves() {
        assert_eq!(output("plain\nnaïve 数据库\n"), "plain\nnaïve 数据库\n");
        assert_eq!(output("\u{1b}[1;31merror\u{1b}[0m: x\n"), "\u{1b}[1;31merror\u{1b}[0m: x\n");
        for (hostile, shown) in [
            ("\u{1b}[8mhidden\u{1b}[0m", "\\u001b[8mhidden\u{1b}[0m"),
            ("\u{1b}[2Jx", "\\u001b[2Jx"),
            ("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007"),
            ("\u{1b}]8;;http://e\u{1b}\\link", "\\u001b]8;;http://e\\u001b\\link"),
            ("\u{1b}[38;5;0mx", "\\u001b[38;5;0mx"),
            ("\u{9b}31mx\ty\rz\u{200b}", "\\u009b31mx\\ty\\rz\\u200b"),
            ("\u{1b}", "\\u001b"),
        ] {
            assert_eq!(output(hostile), shown);
        }
    }

    #[test]
    fn quotes_cannot_be_closed_from_inside() {
        assert_eq!(quoted("a\" -> \"b\\"), r#""a\" -> \"b\\""#);
        assert_eq!(shell("plans/staging.json"), "plans/staging.json");
        assert_eq!(shell("a b; rm 'x'"), r"'a b; rm '\''x'\'''");
        assert_eq!(shell("-rf"), "'-rf'");
    }

    #[test]
    fn markdown_cannot_be_forged() {
        let shown = markdown("# <b>@all</b> [x](http://e) `a` #12 !3 www.x.org | _y_\n## next");
        assert_eq!(
            shown,
            "\\# &lt;b&gt;\\@&#8203;all&lt;/b&gt; \\[x\\]\\(http:&#8203;//e\\) \\`a\\` \\#&#8203;12 \\!&#8203;3 www.&#8203;x.org \\| \\_y\\_\\\\n\\#\\# next"
        );
        assert_eq!(code_span("a``b`"), "``` a``b` ```");
        assert_eq!(code_span(" "), "(empty)");
        assert_eq!(fenced("diff", "````\n@all"), "`````diff\n````\n@all\n`````\n");
    }

    #[test]
    fn no_reference_of_either_site_is_made() {
        for mark in ['@', '#', '!', '$', '~', '^', '%', '&'] {
            for name in ["123", "label", "_x", "\"two words\""] {
                let shown = markdown(&format!("see {mark}{name} and g/p{mark}{name}"));
                assert_eq!(shown.matches("&#8203;").count(), 2, "{shown}");
                assert!(!shown.contains(&format!("{mark}{name}")), "{shown}");
            }
        }
        assert_eq!(markdown("[vulnerability:1] *iteration:\"a\" [x]"), "\\[&#8203;vulnerability:1\\] \\*&#8203;iteration:\"a\" \\[x\\]");
        assert_eq!(markdown("GH-12 gh-3"), "GH-&#8203;12 gh-&#8203;3");
    }

    #[test]
    fn no_command_is_given() {
        assert_eq!(markdown("/close"), "\\/close");
        assert_eq!(markdown("a\n/close a/b"), "a\\\\n/close a/b", "there is no second line");
    }

    #[test]
    fn no_emoji_is_drawn() {
        for (text, shown) in [
            (":tada:", ":&#8203;tada:"),
            ("a:+1:b:-1:", "a:&#8203;\\+1:&#8203;b:&#8203;-1:"),
            (":flag_de::100:", ":&#8203;flag\\_de::&#8203;100:"),
            ("2001:abc::1", "2001:&#8203;abc::1"),
            (":abe4b23ec:", ":&#8203;abe&#8203;4b23ec:"),
            ("help: at 09:12:30, until: then", "help: at 09:12:30, until: then"),
            ("(arn:aws:rds:us-east-1:111122223333:db:x)", "\\(arn:aws:rds:us-east-1:111122223333:db:x\\)"),
        ] {
            assert_eq!(markdown(text), shown);
        }
    }

    #[test]
    fn json_keeps_its_meaning() {
        let pretty = "{\n  \"a\": \"x\u{202e}y\u{e0041}\u{7f}\"\n}";
        let safe = json(pretty);
        assert_eq!(safe, "{\n  \"a\": \"x\\u202ey\\udb40\\udc41\\u007f\"\n}");
        let (before, after) = (serde_json::from_str::<serde_json::Value>(pretty), serde_json::from_str::<serde_json::Value>(&safe));
        assert_eq!(before.ok(), after.ok());
    }

    #[test]
    fn slack_mentions_are_text() {
        assert_eq!(slack("<!channel> a&b\n"), "&lt;!channel&gt; a&amp;b\\n");
    }
}
