//! The canonical form of data: JSON without white space, the keys of every object sorted. Written in one pass, without a tree of values: what
//! is written may be a plan of a hundred thousand records.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, Serialize, Serializer};
use serde_json::Error;

/// How `serde_json` marks a text that is JSON already (a test holds it to that).
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// Anything in its canonical form.
///
/// # Errors
/// When it cannot be JSON, such as a map whose keys are no texts.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let mut writer = Writer::default();
    value.serialize(&mut writer)?;
    String::from_utf8(writer.out).map_err(ser::Error::custom)
}

/// What is being read, in its canonical form: from JSON, or from what a reader has kept of it; without a tree of values.
///
/// # Errors
/// What cannot be read; an object with a key twice.
pub fn transcode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let mut writer = Writer::default();
    deserializer.deserialize_any(Transcode(&mut writer))?;
    String::from_utf8(writer.out).map_err(de::Error::custom)
}

/// Whether a text is `compact` with nothing but white space between its tokens.
#[must_use]
pub fn same_tokens(text: &str, compact: &str) -> bool {
    let (mut text, mut compact) = (text.as_bytes(), compact.as_bytes());
    loop {
        let blank = text.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        text = &text[blank..];
        let Some(first) = compact.first() else { return text.is_empty() };
        // A text in quotes at once: a plan is mostly those.
        let length = if *first == b'"' { quoted(compact) } else { 1 };
        let (Some(here), Some(there)) = (text.get(..length), compact.get(..length)) else { return false };
        if here != there {
            return false;
        }
        (text, compact) = (&text[length..], &compact[length..]);
    }
}

/// The length of the text in quotes that stands at the beginning, quotes included; of all there is, when it does not end.
fn quoted(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = json.get(at..).and_then(|rest| rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))) {
        at += found + 1;
        if json[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    json.len()
}

/// JSON in canonical form as people read it: two blanks for each level, a line for each member and element.
#[must_use]
pub fn pretty(canonical: &str) -> String {
    let mut pretty = String::with_capacity(canonical.len() + canonical.len() / 2);
    let (mut depth, mut before, mut in_string, mut escaped) = (0_usize, ' ', false, false);
    for c in canonical.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            pretty.push(c);
            continue;
        }
        let (opens, closes) = (matches!(before, '{' | '['), matches!(c, '}' | ']'));
        depth = depth.saturating_sub(usize::from(closes));
        // Between two brackets with nothing in them stands nothing.
        if closes && !opens || !closes && (opens || before == ',') {
            pretty.push('\n');
            (0..depth).for_each(|_| pretty.push_str("  "));
        }
        pretty.push(c);
        depth += usize::from(matches!(c, '{' | '['));
        if c == ':' {
            pretty.push(' ');
        }
        (before, in_string) = (c, c == '"');
    }
    pretty
}

/// One member of an object that is being written.
struct Member {
    /// Its key, with quotes.
    key: Range<usize>,
    /// Where it begins in the output; it ends where the next one begins.
    start: usize,
}

/// Writes values one behind the other.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    /// Members of all objects that are open, the innermost last.
    members: Vec<Member>,
    /// Where the parts of an object are put in order.
    scratch: Vec<u8>,
    /// Whether the next text is JSON already.
    raw: bool,
}

impl Writer {
    fn plain<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        serde_json::to_writer(&mut self.out, value)
    }

    /// Brings the members of the object that ends here, from number `first` on, into the order of their keys.
    fn sort(&mut self, first: usize) -> Result<(), Error> {
        if !self.members[first..].is_sorted_by(|a, b| less(&self.out[a.key.clone()], &self.out[b.key.clone()])) {
            let end = self.out.len();
            let ends: Vec<usize> = self.members[first + 1..].iter().map(|member| member.start).chain([end]).collect();
            let mut parts: Vec<(Cow<'_, [u8]>, Range<usize>)> = Vec::with_capacity(ends.len());
            for (member, end) in self.members[first..].iter().zip(ends) {
                parts.push((meant(&self.out[member.key.clone()])?, member.start..end));
            }
            parts.sort_by(|a, b| a.0.cmp(&b.0));
            if parts.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return Err(ser::Error::custom("a key stands in one object twice"));
            }
            self.scratch.clear();
            for (number, (_, part)) in parts.iter().enumerate() {
                if number > 0 {
                    self.scratch.push(b',');
                }
                let text = &self.out[part.clone()];
                self.scratch.extend_from_slice(text.strip_suffix(b",").unwrap_or(text));
            }
            let begin = self.members[first].start;
            self.out.truncate(begin);
            self.out.extend_from_slice(&self.scratch);
        }
        self.members.truncate(first);
        Ok(())
    }
}

/// Whether keys as they are written stand in order for sure: with escapes in them the order of what they mean may be another one.
fn less(a: &[u8], b: &[u8]) -> bool {
    // Without the closing quotes, lest they count as characters.
    !a.contains(&b'\\') && !b.contains(&b'\\') && a[..a.len() - 1] < b[..b.len() - 1]
}

/// What a key as it is written means.
fn meant(key: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    if key.contains(&b'\\') {
        return serde_json::from_slice::<String>(key).map(|text| Cow::Owned(text.into_bytes()));
    }
    Ok(Cow::Borrowed(&key[1..key.len() - 1]))
}

/// An array, or an object, that is being written.
struct Open<'w> {
    writer: &'w mut Writer,
    /// Of an object: the number of its first member.
    first: usize,
    empty: bool,
    close: &'static [u8],
}

impl<'w> Open<'w> {
    fn new(writer: &'w mut Writer, open: &[u8], close: &'static [u8]) -> Self {
        writer.out.extend_from_slice(open);
        let first = writer.members.len();
        Open { writer, first, empty: true, close }
    }

    fn comma(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.writer.out.push(b',');
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.comma();
        value.serialize(&mut *self.writer)
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.comma();
        let start = self.writer.out.len();
        key.serialize(&mut *self.writer)?;
        // Numbers and bools are written as texts, as `serde_json` does.
        if self.writer.out.get(start).is_some_and(|first| first.is_ascii_alphanumeric() || *first == b'-') && &self.writer.out[start..] != b"null" {
            self.writer.out.insert(start, b'"');
            self.writer.out.push(b'"');
        }
        self.keyed(start)
    }

    fn keyed(&mut self, start: usize) -> Result<(), Error> {
        let key = start..self.writer.out.len();
        if self.writer.out.get(start) != Some(&b'"') {
            return Err(ser::Error::custom("a key that is no text"));
        }
        self.writer.members.push(Member { key, start });
        self.writer.out.push(b':');
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.comma();
        let start = self.writer.out.len();
        self.writer.plain(key)?;
        self.keyed(start)?;
        value.serialize(&mut *self.writer)
    }

    fn close(self) -> Result<(), Error> {
        if self.writer.members.len() > self.first {
            self.writer.sort(self.first)?;
        }
        self.writer.out.extend_from_slice(self.close);
        Ok(())
    }
}

/// What a struct is written as.
enum Compound<'w> {
    Object(Open<'w>),
    /// A text that is JSON already.
    Raw(&'w mut Writer),
}

macro_rules! plain {
    ($($name:ident: $ty:ty),*) => { $(fn $name(self, value: $ty) -> Result<(), Error> { self.plain(&value) })* };
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'w>;
    type SerializeTuple = Open<'w>;
    type SerializeTupleStruct = Open<'w>;
    type SerializeTupleVariant = Open<'w>;
    type SerializeMap = Open<'w>;
    type SerializeStruct = Compound<'w>;
    type SerializeStructVariant = Open<'w>;

    plain!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_u8: u8);
    plain!(serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char);
    plain!(serialize_bytes: &[u8]);

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if std::mem::take(&mut self.raw) {
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        self.plain(text)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<(), Error> {
        self.plain(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut open = Open::new(self, b"{", b"}");
        open.field(variant, value)?;
        open.close()
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Open<'w>, Error> {
        Ok(Open::new(self, b"[", b"]"))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Open<'w>, Error> {
        Ok(Open::new(self, b"[", b"]"))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Open<'w>, Error> {
        Ok(Open::new(self, b"[", b"]"))
    }

    fn serialize_tuple_variant(self, _name: &'static str, _index: u32, variant: &'static str, _length: usize) -> Result<Open<'w>, Error> {
        self.out.push(b'{');
        self.plain(variant)?;
        Ok(Open::new(self, b":[", b"]}"))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Open<'w>, Error> {
        Ok(Open::new(self, b"{", b"}"))
    }

    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Compound<'w>, Error> {
        Ok(if name == RAW { Compound::Raw(self) } else { Compound::Object(Open::new(self, b"{", b"}")) })
    }

    fn serialize_struct_variant(self, _name: &'static str, _index: u32, variant: &'static str, _length: usize) -> Result<Open<'w>, Error> {
        self.out.push(b'{');
        self.plain(variant)?;
        Ok(Open::new(self, b":{", b"}}"))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.plain(&format_args!("{value}"))
    }
}

macro_rules! elements {
    ($($part:ident :: $method:ident),*) => { $(
        impl ser::$part for Open<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )* };
}

elements!(SerializeSeq::serialize_element, SerializeTuple::serialize_element);
elements!(SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field);

impl ser::SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeStruct for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        match self {
            Compound::Object(open) => open.field(key, value),
            Compound::Raw(writer) => {
                writer.raw = true;
                value.serialize(&mut **writer)
            }
        }
    }

    fn end(self) -> Result<(), Error> {
        match self {
            Compound::Object(open) => open.close(),
            Compound::Raw(_) => Ok(()),
        }
    }
}

/// Writes what is read.
struct Transcode<'w>(&'w mut Writer);

impl<'de> DeserializeSeed<'de> for Transcode<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! visit {
    ($($name:ident: $ty:ty),*) => { $(fn $name<E: de::Error>(self, value: $ty) -> Result<(), E> { self.0.plain(&value).map_err(E::custom) })* };
}

impl<'de> Visitor<'de> for Transcode<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    visit!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.0.plain(&()).map_err(E::custom)
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut open = Open::new(self.0, b"[", b"]");
        loop {
            let comma = open.writer.out.len();
            open.comma();
            if items.next_element_seed(Transcode(open.writer))?.is_none() {
                open.writer.out.truncate(comma);
                return open.close().map_err(de::Error::custom);
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut open = Open::new(self.0, b"{", b"}");
        while let Some(key) = members.next_key::<Cow<'de, str>>()? {
            open.key(&*key).map_err(de::Error::custom)?;
            members.next_value_seed(Transcode(open.writer))?;
        }
        open.close().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
