//! A look at the bytes of a file before it is parsed: bounds size, nesting and the length of object literals, so that a hostile
//! or broken file ends at once in an error instead of using up stack or hours. Linear in the size of the file.

use std::ops::Range;

use super::plain::{self, Inner};

/// The largest file that is read, in bytes. A hundred thousand `record` blocks take about a quarter of it.
pub const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// The deepest nesting of blocks, brackets and templates; the parser's own limit is a little above.
pub const MAX_DEPTH: usize = 60;

/// The most entries of one object literal: the parser compares each key with all earlier ones.
pub const MAX_OBJECT_ENTRIES: usize = 5_000;

/// The most parts (blocks, labels, attributes, elements) of one file; a hundred thousand `record` blocks with three attributes each are a
/// little more than half of it. A part takes some hundred bytes of memory.
pub const MAX_PARTS: usize = 1_500_000;

/// Why a file is not parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Byte offset of the place that is too much.
    pub offset: usize,
    /// A fragment: what is too much.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

/// What the scan is inside of.
#[derive(Clone, Copy)]
enum Mode<'t> {
    /// Brackets of any kind, or `${` and `%{`: the closing byte, whether it is an object literal, and its entries so far.
    Code { close: u8, object: bool, entries: usize },
    /// A quoted text.
    Quote,
    /// A heredoc and its delimiter.
    Heredoc(&'t str),
}

/// Refuses what is nested too deeply or holds too long an object literal. What is merely wrong is the parser's to say. Gives the runs of plain
/// blocks of these types.
pub fn scan(text: &str, plain: &[Inner]) -> Result<Vec<Range<usize>>, Refused> {
    let mut scanner =
        Scanner { text, bytes: text.as_bytes(), at: 0, stack: Vec::new(), last: b'\n', parts: 0, plain, runs: Vec::new(), in_run: None };
    while scanner.at < scanner.bytes.len() {
        match scanner.stack.last().copied() {
            Some(Mode::Quote) => scanner.quote()?,
            Some(Mode::Heredoc(delimiter)) => scanner.heredoc(delimiter)?,
            Some(Mode::Code { .. }) | None => scanner.code()?,
        }
    }
    Ok(scanner.runs)
}

struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    stack: Vec<Mode<'t>>,
    /// The last byte that was neither blank nor in a comment.
    last: u8,
    /// Marks that begin or end a part.
    parts: usize,
    /// Types of blocks that may be plain.
    plain: &'t [Inner],
    /// Runs of plain blocks.
    runs: Vec<Range<usize>>,
    /// The type of the last of them, while nothing but blanks and line ends has come after it.
    in_run: Option<&'static str>,
}

impl<'t> Scanner<'t> {
    fn starts(&self, what: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(what)
    }

    fn push(&mut self, mode: Mode<'t>) -> Result<(), Refused> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Refused {
                offset: self.at,
                what: format!("nested more than {MAX_DEPTH} levels deep"),
                help: "move inner parts into locals, or into a file of their own".to_owned(),
            });
        }
        self.stack.push(mode);
        Ok(())
    }

    /// `${` or `%{`, unless doubled: code inside of a text.
    fn marker(&mut self) -> Result<bool, Refused> {
        if self.starts(b"$${") || self.starts(b"%%{") {
            self.at += 3;
            return Ok(true);
        }
        if self.starts(b"${") || self.starts(b"%{") {
            self.count_part()?;
            self.push(Mode::Code { close: b'}', object: false, entries: 0 })?;
            self.at += 2;
            self.last = b'{';
            return Ok(true);
        }
        Ok(false)
    }

    fn quote(&mut self) -> Result<(), Refused> {
        match self.bytes[self.at] {
            b'\\' => self.at += 2,
            b'"' => {
                self.stack.pop();
                self.last = b'"';
                self.at += 1;
            }
            _ => {
                if !self.marker()? {
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    fn heredoc(&mut self, delimiter: &str) -> Result<(), Refused> {
        let line_start = self.at == 0 || self.bytes[self.at - 1] == b'\n';
        if line_start {
            let end = self.bytes[self.at..].iter().position(|b| *b == b'\n').map_or(self.bytes.len(), |n| self.at + n);
            // Bytes between two line feeds are whole characters.
            if self.text[self.at..end].trim() == delimiter {
                self.stack.pop();
                self.last = b'"';
                self.at = end;
                return Ok(());
            }
        }
        if !self.marker()? {
            self.at += 1;
        }
        Ok(())
    }

    fn count_part(&mut self) -> Result<(), Refused> {
        self.parts += 1;
        if self.parts <= MAX_PARTS {
            return Ok(());
        }
        let help = "split the environment into several files, and keep data in files of its own: jsondecode(file(\"…\"))".to_owned();
        Err(Refused { offset: self.at, what: format!("a file of more than {MAX_PARTS} blocks, attributes and values"), help })
    }

    fn code(&mut self) -> Result<(), Refused> {
        if self.plain_block()? {
            return Ok(());
        }
        let byte = self.bytes[self.at];
        if !matches!(byte, b' ' | b'\t' | b'\n') && !self.starts(b"\r\n") {
            self.in_run = None;
        }
        if matches!(byte, b'"' | b'{' | b'[' | b'(' | b',' | b'=') {
            self.count_part()?;
        }
        match byte {
            b'#' => {
                self.skip_line();
                return Ok(());
            }
            b'/' if self.starts(b"//") => {
                self.skip_line();
                return Ok(());
            }
            b'/' if self.starts(b"/*") => {
                let rest = &self.text.as_bytes()[self.at + 2..];
                self.at = rest.windows(2).position(|pair| pair == b"*/").map_or(self.bytes.len(), |n| self.at + 2 + n + 2);
                return Ok(());
            }
            b'"' => self.push(Mode::Quote)?,
            b'<' if self.starts(b"<<") => {
                if let Some((delimiter, end)) = self.heredoc_start() {
                    self.push(Mode::Heredoc(delimiter))?;
                    self.at = end;
                    return Ok(());
                }
            }
            b'(' => self.push(Mode::Code { close: b')', object: false, entries: 0 })?,
            b'[' => self.push(Mode::Code { close: b']', object: false, entries: 0 })?,
            b'{' => {
                // After a name or a label it is a block, else an object.
                let block = self.last.is_ascii_alphanumeric() || matches!(self.last, b'_' | b'-' | b'"') || self.last >= 0x80;
                self.push(Mode::Code { close: b'}', object: !block, entries: 0 })?;
            }
            b')' | b']' | b'}' => {
                if let Some(Mode::Code { close, .. }) = self.stack.last()
                    && *close == byte
                {
                    self.stack.pop();
                }
            }
            b'=' | b':' => self.count_entry()?,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
        self.at += 1;
        Ok(())
    }

    /// A plain block right inside of a top-level one. With nothing but blanks and line ends between them, it belongs to the run of its type
    /// before it.
    fn plain_block(&mut self) -> Result<bool, Refused> {
        let inside = matches!(self.stack.as_slice(), [Mode::Code { close: b'}', object: false, .. }]);
        if !inside || !self.plain.iter().any(|inner| self.starts(inner.spec.name.as_bytes())) {
            return Ok(false);
        }
        let line = self.bytes[..self.at].iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
        let begins = line.is_none_or(|line| self.bytes[line] == b'\n');
        let Some((name, end)) = plain::end(self.text, self.at, self.plain).filter(|_| begins) else { return Ok(false) };
        let mut in_quotes = false;
        for byte in &self.bytes[self.at..end] {
            in_quotes ^= *byte == b'"';
            // As elsewhere: what stands in quotes is no part, and its first quote is one.
            if (in_quotes && *byte == b'"') || (!in_quotes && matches!(byte, b'{' | b'[' | b',' | b'=')) {
                self.count_part()?;
            }
        }
        match self.runs.last_mut() {
            Some(run) if self.in_run == Some(name) => run.end = end,
            _ => self.runs.push(self.at..end),
        }
        (self.at, self.last, self.in_run) = (end, b'}', Some(name));
        Ok(true)
    }

    fn skip_line(&mut self) {
        self.at = self.bytes[self.at..].iter().position(|b| *b == b'\n').map_or(self.bytes.len(), |n| self.at + n);
    }

    fn heredoc_start(&self) -> Option<(&'t str, usize)> {
        let rest = &self.text[self.at + 2..];
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let (delimiter, _) = rest.split_once('\n')?;
        let end = self.text.len() - rest.len() + delimiter.len() + 1;
        let delimiter = delimiter.strip_suffix('\r').unwrap_or(delimiter);
        let name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        (!delimiter.is_empty() && delimiter.chars().all(name)).then_some((delimiter, end))
    }

    fn count_entry(&mut self) -> Result<(), Refused> {
        let offset = self.at;
        if let Some(Mode::Code { object: true, entries, .. }) = self.stack.last_mut() {
            *entries += 1;
            if *entries > MAX_OBJECT_ENTRIES {
                return Err(Refused {
                    offset,
                    what: format!("an object literal of more than {MAX_OBJECT_ENTRIES} entries"),
                    help: "keep so much data in a file of its own and read it with jsondecode(file(\"…\"))".to_owned(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Result<(), Refused> {
        scan(text, &[]).map(drop)
    }

    #[test]
    fn ordinary_files_pass() {
        for text in [
            "",
            "a = \"${b(\"}\")} ) ] }\"\n",
            "x = <<EOT\n (((( [[[ {{{ ${a} \"\n EOT\ny = 1\n",
            "# ((((\n// {{{\n/* [[[ */ a = [1, 2]\n",
            "s = \"\\\" $${ ( \"\n",
        ] {
            assert_eq!(refused(text), Ok(()), "{text}");
        }
        let brackets = format!("x = <<EOT\n{}\nEOT\n", "(".repeat(1_000));
        assert_eq!(refused(&brackets), Ok(()));
    }

    #[test]
    fn deep_nesting_is_refused_where_it_begins_to_be_too_deep() {
        for open in ["[", "(", "{a=", "a {\n", "\"${"] {
            let refused = refused(&format!("x = {}", open.repeat(10_000))).unwrap_err();
            assert!(refused.what.contains("nested"), "{open}");
            assert!(refused.offset < 1_000, "{open}");
        }
    }

    #[test]
    fn too_many_parts_are_refused() {
        for part in ["a {}\n", "a = 1\n", "\"\",", "${1}"] {
            let text = format!("x = \"{}", part.repeat(MAX_PARTS + 1));
            let code = part.repeat(MAX_PARTS + 1);
            assert!([text, code].iter().any(|text| refused(text).is_err_and(|refused| refused.what.contains("more than"))), "{part}");
        }
    }

    #[test]
    fn a_huge_object_literal_is_refused_and_a_huge_file_of_blocks_is_not() {
        let entries: String = (0..6_000).map(|n| format!("k{n} = {n}\n")).collect::<Vec<_>>().concat();
        assert!(refused(&format!("x = {{\n{entries}}}\n")).is_err());
        let blocks: String = (0..100_000).map(|n| format!("record \"A\" \"n{n}\" {{ value = \"192.0.2.1\" }}\n")).collect::<Vec<_>>().concat();
        assert_eq!(refused(&blocks), Ok(()));
    }
}
