//! Lines, wrapping and columns. Whatever is put into a [`Line`] is escaped there, so nothing shown can have been forgotten.

use smallvec::SmallVec;
use tabled::grid::util::string::get_string_width;

use super::escape;
use super::style::{Ink, Style};

/// Columns that a text takes; wide characters count two.
#[must_use]
pub fn width(text: &str) -> usize {
    // Nearly every text is of letters that take one column each, and nearly all the time of a long plan went into finding that out.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) { text.len() } else { get_string_width(text) }
}

/// A name that fits into so many columns: cut in the middle, since names of one family differ at their ends.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let mut used = 0;
    let mut fits = |limit: usize, c: &char| {
        used += width(c.encode_utf8(&mut [0; 4]));
        used <= limit
    };
    let head: String = text.chars().take_while(|c| fits(room - room / 2, c)).collect();
    let mut used = 0;
    let mut fits = |limit: usize, c: &char| {
        used += width(c.encode_utf8(&mut [0; 4]));
        used <= limit
    };
    let tail: Vec<char> = text.chars().rev().take_while(|c| fits(room / 2, c)).collect();
    head.chars().chain(['…']).chain(tail.into_iter().rev()).collect()
}

/// One line of text in several inks, not yet wrapped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// The ink of each piece of the text, and where the piece ends.
    inks: SmallVec<[(Ink, usize); 8]>,
}

impl Line {
    /// A line in ordinary ink.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Line::default().and(Ink::Plain, text)
    }

    /// A line in one ink.
    #[must_use]
    pub fn of(ink: Ink, text: &str) -> Self {
        Line::default().and(ink, text)
    }

    /// The same line with more behind it.
    #[must_use]
    pub fn and(mut self, ink: Ink, text: &str) -> Self {
        if !text.is_empty() {
            self.text.push_str(&escape::terminal(text));
            self.inks.push((ink, self.text.len()));
        }
        self
    }

    /// The same line with another one behind it.
    #[must_use]
    pub fn join(mut self, other: Line) -> Self {
        let before = self.text.len();
        self.text.push_str(&other.text);
        self.inks.extend(other.inks.into_iter().map(|(ink, end)| (ink, before + end)));
        self
    }

    fn pieces(&self) -> impl Iterator<Item = (Ink, &str)> {
        let mut start = 0;
        self.inks.iter().map(move |(ink, end)| (*ink, &self.text[std::mem::replace(&mut start, *end)..*end]))
    }

    /// Columns it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.pieces().map(|(_, text)| width(text)).sum()
    }

    /// The same line with blanks behind it up to `columns`.
    #[must_use]
    pub fn padded(mut self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        if missing > 0 {
            self.text.extend(std::iter::repeat_n(' ', missing));
            self.inks.push((Ink::Plain, self.text.len()));
        }
        self
    }

    /// Puts one more piece behind the others. Neighbours in one ink are one piece, the blanks between them too (a blank has no colour), so that a coloured
    /// sentence can still be searched for.
    fn push(&mut self, ink: Ink, text: &str) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        let end = self.text.len();
        match self.inks.last_mut() {
            Some((last, before)) if *last == ink || text.bytes().all(|byte| byte == b' ') => *before = end,
            _ => self.inks.push((ink, end)),
        }
    }

    /// Takes away the blanks behind the last piece's text.
    fn trim_end(&mut self) {
        let start = self.inks.len().checked_sub(2).map_or(0, |before| self.inks[before].1);
        let end = start + self.text[start..].trim_end_matches(' ').len();
        self.text.truncate(end);
        if let Some((_, last)) = self.inks.last_mut() {
            *last = end;
        }
    }

    /// As it is printed.
    #[must_use]
    pub fn render(&self, style: &Style) -> String {
        let mut merged = Line::default();
        for (ink, text) in self.pieces() {
            merged.push(ink, text);
        }
        merged.pieces().map(|(ink, text)| style.paint(ink, text)).collect()
    }

    /// Broken at blanks so that no part is wider than `columns`, unless one word is. Following parts are indented by `hang`.
    #[must_use]
    pub fn wrapped(&self, columns: usize, hang: usize) -> Vec<Line> {
        let (mut lines, mut current, mut used) = (Vec::new(), Line::default(), 0);
        let parts = self.parts();
        let mut rest = parts.as_slice();
        while let Some(first) = rest.first() {
            // A word is what stands between two blanks, in however many inks.
            let length = rest.iter().skip(1).position(|part| part.blanks > 0).map_or(rest.len(), |at| at + 1);
            let (word, after) = rest.split_at(length);
            rest = after;
            let (blanks, columns_of_word) = (first.blanks, word.iter().map(|part| width(part.text)).sum::<usize>());
            // A sign at the beginning of a line means added or removed, and a text that goes on there must not look like it.
            let is_mark = word.len() == 1 && matches!(first.text, "+" | "-" | "~" | "+/-");
            if used > 0 && !is_mark && used + blanks + columns_of_word > columns {
                lines.push(std::mem::take(&mut current));
                current.push(Ink::Plain, &" ".repeat(hang));
                used = hang;
            } else {
                current.push(Ink::Plain, &" ".repeat(blanks));
                used += blanks;
            }
            for part in word {
                current.push(part.ink, part.text);
            }
            used += columns_of_word;
        }
        lines.push(current);
        lines
    }

    /// Its words, each in one part for each ink, with the blanks before them. Only a part with blanks before it begins a word.
    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts: Vec<Part<'_>> = vec![Part::default()];
        for (ink, text) in self.pieces() {
            for part in text.split_inclusive(' ') {
                let bare = part.trim_end_matches(' ');
                match parts.last_mut() {
                    _ if bare.is_empty() => {}
                    Some(open) if open.text.is_empty() => (open.ink, open.text) = (ink, bare),
                    _ => parts.push(Part { blanks: 0, ink, text: bare }),
                }
                if bare.len() == part.len() {
                    continue;
                }
                match parts.last_mut() {
                    Some(open) if open.text.is_empty() => open.blanks += 1,
                    _ => parts.push(Part { blanks: 1, ..Part::default() }),
                }
            }
        }
        parts
    }
}

/// What stands in one ink between two blanks.
#[derive(Default)]
struct Part<'a> {
    blanks: usize,
    ink: Ink,
    text: &'a str,
}

/// One cell of a row.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Its text, wrapped inside the cell.
    pub line: Line,
    /// Its columns.
    pub width: usize,
    /// Whether it is set to the right edge (numbers, times).
    pub right: bool,
}

impl Cell {
    /// A cell set to the left.
    #[must_use]
    pub fn left(line: Line, width: usize) -> Self {
        Cell { line, width, right: false }
    }

    /// A cell set to the right.
    #[must_use]
    pub fn right(line: Line, width: usize) -> Self {
        Cell { line, width, right: true }
    }
}

/// Text as it grows, line by line.
#[derive(Debug)]
pub struct Page {
    style: Style,
    text: String,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(style: &Style) -> Self {
        Page { style: *style, text: String::new() }
    }

    /// The columns that lines may take.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.style.columns()
    }

    /// An empty line, never two, never the first.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A heading with an empty line before it and background words behind it.
    pub fn heading(&mut self, title: &str, aside: &str) {
        self.gap();
        let line = Line::of(Ink::Strong, title);
        self.put(0, 2, &if aside.is_empty() { line } else { line.and(Ink::Faint, "  ").and(Ink::Faint, aside) });
    }

    /// A wrapped line: `indent` columns before it, `hang` more before its following parts.
    pub fn put(&mut self, indent: usize, hang: usize, line: &Line) {
        for part in line.wrapped(self.columns().saturating_sub(indent).max(20), hang) {
            self.push(&Line::plain(&" ".repeat(indent)), &part);
        }
    }

    /// A line that is never wrapped: commands, which people copy.
    pub fn raw(&mut self, indent: usize, line: &Line) {
        self.push(&Line::plain(&" ".repeat(indent)), line);
    }

    /// Cells beside one another, two blanks between, with the same gutter before each of its lines.
    pub fn row(&mut self, gutter: &Line, cells: &[Cell]) {
        let columns: Vec<Vec<Line>> = cells.iter().map(|cell| cell.line.wrapped(cell.width.max(1), 0)).collect();
        for index in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
            let mut line = Line::default();
            for (number, (cell, parts)) in cells.iter().zip(&columns).enumerate() {
                let part = parts.get(index);
                let missing = " ".repeat(cell.width.saturating_sub(part.map_or(0, Line::width)));
                line.push(Ink::Plain, if number == 0 { "" } else { "  " });
                line.push(Ink::Plain, if cell.right { &missing } else { "" });
                for (ink, text) in part.into_iter().flat_map(Line::pieces) {
                    line.push(ink, text);
                }
                line.push(Ink::Plain, if cell.right { "" } else { &missing });
            }
            self.push(gutter, &line);
        }
    }

    /// The whole text; it ends with one line end.
    #[must_use]
    pub fn finish(self) -> String {
        let text = self.text.trim_end_matches('\n');
        if text.is_empty() { String::new() } else { format!("{text}\n") }
    }

    fn push(&mut self, before: &Line, line: &Line) {
        let pieces = || before.pieces().chain(line.pieces());
        // No blanks at the end of a line: logs and snapshots dislike them.
        if self.style.color {
            let mut whole = Line::default();
            for (ink, text) in pieces() {
                whole.push(ink, text);
            }
            whole.trim_end();
            self.text.push_str(&whole.render(&self.style));
        } else {
            let start = self.text.len();
            for (_, text) in pieces() {
                self.text.push_str(text);
            }
            let length = self.text[start..].trim_end_matches(' ').len();
            self.text.truncate(start + length);
        }
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_keep_their_inks() {
        let line = Line::plain("rename the ").and(Ink::Strong, "old one").and(Ink::Plain, ", then the new one");
        let parts: Vec<String> = line.wrapped(16, 2).iter().map(|part| part.render(&Style::plain(80))).collect();
        assert_eq!(parts, ["rename the old", "  one, then the", "  new one"]);
    }

    #[test]
    fn a_sentence_is_painted_as_one() {
        let parts = Line::of(Ink::Danger, "cannot be").and(Ink::Danger, " undone").and(Ink::Plain, " now").wrapped(40, 0);
        assert_eq!(parts[0].render(&Style { color: true, width: 80 }), "\u{1b}[1m\u{1b}[31mcannot be undone \u{1b}[0mnow");
    }

    #[test]
    fn a_word_wider_than_the_line_stays_whole() {
        let parts = Line::plain("see arn:aws:rds:us-east-1:123456789012:db:x now").wrapped(10, 0);
        assert_eq!(parts.len(), 3);
    }

    #[test]
    fn rows_align_and_wrap_inside_their_cells() {
        let mut page = Page::new(&Style::plain(80));
        page.row(
            &Line::plain(" | "),
            &[Cell::right(Line::plain("7"), 2), Cell::left(Line::plain("a title too long"), 8), Cell::right(Line::plain("4m"), 4)],
        );
        assert_eq!(page.finish(), " |  7  a title     4m\n |     too long\n");
    }

    #[test]
    fn nothing_put_into_a_line_acts() {
        assert_eq!(Line::plain("a\u{1b}[2Jb").render(&Style { color: true, width: 80 }), "a\\u001b[2Jb");
    }
}
