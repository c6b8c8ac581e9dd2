//! Plain inner blocks, such as the `record` blocks of a large zone, read without the parser: it takes most of the time and memory of reading a
//! file of ten thousand of them.
//!
//! A block is plain when it begins a line, stands right inside of a top-level block, has only literals, and is written in the usual way; what is
//! not, the parser reads. For the parser, each run of plain blocks is one empty block of the same name, and blanks up to its end: what may stand
//! before and after a run is still the parser's to say, and every other place stays where it is. A property test holds both ways of reading to
//! the same result.

use std::collections::HashSet;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::structure::{Block, Body};

use super::spec::{AttrSpec, AttrType, BlockSpec, KindSchema, Presence};
use crate::model::{Number, Value};

/// What stands for a run of plain blocks, behind the block's name.
const STANDS_FOR_A_RUN: &str = "{}";

/// One plain block; all places are byte offsets in the file.
#[derive(Debug)]
pub struct Plain {
    /// From its name to its last label.
    pub header: Range<usize>,
    /// Each label, with its place.
    pub labels: Vec<(String, Range<usize>)>,
    /// Its attributes.
    pub attributes: Vec<Literal>,
    /// Behind its closing brace.
    pub end: usize,
}

/// One attribute of a plain block.
#[derive(Debug)]
pub struct Literal {
    /// What its table says of it.
    pub spec: &'static AttrSpec,
    /// Its name.
    pub key: Range<usize>,
    /// Its value.
    pub value: Value,
    /// Where that stands.
    pub place: Range<usize>,
}

/// A type of blocks that may be plain.
#[derive(Debug, Clone, Copy)]
pub struct Inner {
    /// The type of the resource that they stand in.
    pub parent: &'static str,
    /// Their table.
    pub spec: &'static BlockSpec,
}

/// The inner blocks that may be plain: those that may stand any number of times, hold no others, and are alone in having their name. `secret` are the
/// names of all secret attributes, whose values are looked for wherever such a name stands.
pub fn inner(kinds: &[&dyn KindSchema], secret: &HashSet<&'static str>) -> Vec<Inner> {
    let all = || kinds.iter().flat_map(|kind| kind.block().blocks.iter().map(|spec| Inner { parent: kind.block().name, spec }));
    let alone = |spec: &BlockSpec| all().filter(|other| other.spec.name.starts_with(spec.name)).count() == 1;
    let open = |spec: &BlockSpec| spec.attributes.iter().all(|attribute| !secret.contains(attribute.name));
    let repeated = all().filter(|Inner { spec, .. }| spec.presence == Presence::Repeated && spec.blocks.is_empty() && !spec.labels.is_empty());
    repeated.filter(|Inner { spec, .. }| alone(spec) && open(spec)).collect()
}

/// A text with the runs of plain blocks taken out, as the parser gets it.
pub struct Cut {
    /// The text.
    pub text: String,
    /// Where the runs were.
    pub runs: Vec<Range<usize>>,
}

/// Takes runs out of a text; none when there is none.
pub fn cut(text: &str, runs: Vec<Range<usize>>, inner: &[Inner]) -> Option<Cut> {
    if runs.is_empty() {
        return None;
    }
    let (mut cut, mut done) = (String::with_capacity(text.len()), 0);
    for run in &runs {
        cut.push_str(&text[done..run.start + spec_at(text, run.start, inner)?.name.len()]);
        cut.push_str(STANDS_FOR_A_RUN);
        let blanks = run.end - cut.len();
        cut.extend(std::iter::repeat_n(' ', blanks));
        done = run.end;
    }
    cut.push_str(&text[done..]);
    Some(Cut { text: cut, runs })
}

/// Whether each run stands where blocks of its type may stand: elsewhere the parser's tree is needed to say what is wrong.
pub fn belong(body: &Body, runs: &[Range<usize>], inner: &[Inner]) -> bool {
    let mut found = 0;
    for block in body.blocks() {
        for one in inner.iter().filter(|one| one.parent == block.ident.as_str()) {
            found += block.body.get_blocks(one.spec.name).filter(|block| run_of(block, runs).is_some()).count();
        }
    }
    found == runs.len()
}

/// The run that a block of the parser's tree stands for.
pub fn run_of<'r>(block: &Block, runs: &'r [Range<usize>]) -> Option<&'r Range<usize>> {
    let start = block.ident.span()?.start;
    runs.binary_search_by_key(&start, |run| run.start).ok().map(|at| &runs[at])
}

/// The blocks of a run, all of one type.
pub fn blocks(text: &str, run: &Range<usize>, spec: &'static BlockSpec) -> impl Iterator<Item = Plain> {
    let (mut at, end) = (run.start, run.end);
    std::iter::from_fn(move || {
        at += text.as_bytes()[at..end].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let plain = read(text, at, spec)?;
        at = plain.end;
        Some(plain)
    })
}

/// The type of the plain block that begins at `at`, and where it ends; none when no such begins there. That `at` begins a line, and what it is
/// inside of, is the caller's to know.
pub fn end(text: &str, at: usize, inner: &[Inner]) -> Option<(&'static str, usize)> {
    let spec = spec_at(text, at, inner)?;
    read(text, at, spec).map(|plain| (spec.name, plain.end))
}

/// The block type whose name stands here.
fn spec_at(text: &str, at: usize, inner: &[Inner]) -> Option<&'static BlockSpec> {
    inner.iter().map(|one| one.spec).find(|spec| text.as_bytes()[at..].starts_with(spec.name.as_bytes()))
}

fn read(text: &str, at: usize, spec: &'static BlockSpec) -> Option<Plain> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at };
    reader.word_of(spec.name)?;
    let mut labels = Vec::with_capacity(spec.labels.len());
    for _ in spec.labels {
        reader.blanks();
        let start = reader.at;
        let label = reader.text()?.to_owned();
        labels.push((label, start..reader.at));
    }
    let header = at..reader.at;
    reader.blanks();
    reader.byte(b'{')?;
    reader.blanks();
    let attributes = if reader.line_end() { reader.lines(spec)? } else { vec![reader.attribute(spec)?] };
    reader.blanks();
    reader.byte(b'}')?;
    let end = reader.at;
    reader.blanks();
    // What else stands on the line is the parser's to judge, a comment included.
    reader.ends().then_some(Plain { header, labels, attributes, end })
}

/// Reads forward; whatever is not plain ends it.
struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t') {
            self.at += 1;
        }
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    fn word_of(&mut self, word: &str) -> Option<()> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn line_end(&mut self) -> bool {
        let long = usize::from(self.peek() == b'\r');
        let found = self.bytes.get(self.at + long) == Some(&b'\n');
        self.at += if found { long + 1 } else { 0 };
        found
    }

    /// Whether the line, or the file, ends here.
    fn ends(&self) -> bool {
        let rest = &self.bytes[self.at..];
        rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
    }

    fn run_of(&mut self, fits: impl Fn(u8) -> bool) -> &'t str {
        let start = self.at;
        self.at += self.bytes[start..].iter().take_while(|byte| fits(**byte)).count();
        // Only ASCII fits, so that both ends are between characters.
        &self.text[start..self.at]
    }

    /// A text in quotes in which nothing means anything else: no escapes, no templates.
    fn text(&mut self) -> Option<&'t str> {
        self.byte(b'"')?;
        let text = self.run_of(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\' | b'$' | b'%'));
        self.byte(b'"')?;
        Some(text)
    }

    /// Attributes, each on a line of its own.
    fn lines(&mut self, spec: &'static BlockSpec) -> Option<Vec<Literal>> {
        let mut attributes: Vec<Literal> = Vec::with_capacity(1);
        loop {
            self.blanks();
            if self.peek() == b'}' {
                return Some(attributes);
            }
            if self.line_end() {
                continue;
            }
            let attribute = self.attribute(spec)?;
            self.blanks();
            if !self.line_end() || attributes.iter().any(|other| other.spec.name == attribute.spec.name) {
                return None;
            }
            attributes.push(attribute);
        }
    }

    fn attribute(&mut self, spec: &'static BlockSpec) -> Option<Literal> {
        let start = self.at;
        let name = self.run_of(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let key = start..self.at;
        // Where it may be wrong or a secret, the parser's tree says more.
        let spec = spec.attributes.iter().find(|attribute| attribute.name == name && is_plain(attribute))?;
        self.blanks();
        self.byte(b'=')?;
        self.blanks();
        let start = self.at;
        let value = match self.peek() {
            b'"' => Value::String(self.text()?.to_owned()),
            b'[' => self.list()?,
            _ => Self::word(self.run_of(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')))?,
        };
        Some(Literal { spec, key, value, place: start..self.at })
    }

    fn list(&mut self) -> Option<Value> {
        let mut items = Vec::new();
        self.byte(b'[')?;
        loop {
            self.blanks();
            items.push(Value::String(self.text()?.to_owned()));
            self.blanks();
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(Value::List(items));
                }
                _ => return None,
            }
        }
    }

    fn word(word: &str) -> Option<Value> {
        match word {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            // Nine digits are a number for everybody.
            _ if (1..=9).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()) && (word.len() == 1 || !word.starts_with('0')) => {
                word.parse().ok().map(|number| Value::Number(Number::Int(number)))
            }
            _ => None,
        }
    }
}

/// Whether a literal of an attribute says all there is to say: neither a secret nor a name of something else.
fn is_plain(attribute: &AttrSpec) -> bool {
    !attribute.secret && matches!(attribute.ty, AttrType::String | AttrType::StringOrList | AttrType::StringList | AttrType::Int | AttrType::Bool)
}

#[cfg(test)]
mod tests;
