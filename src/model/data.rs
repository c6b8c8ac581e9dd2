//! Data of a kind, as a plan holds it: JSON that only its kind understands, kept as text. A tree of values would take ten times the memory, and a
//! plan may hold a hundred thousand records several times.

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Json, canonical, input, json};

/// One value in canonical form: no white space, sorted keys.
#[derive(Clone)]
pub struct Data(Text);

/// Makes a text that nobody has asked for yet.
type Maker = Box<dyn FnOnce() -> Box<str> + Send>;

#[derive(Clone)]
enum Text {
    Made(Box<str>),
    Later(Arc<LazyLock<Box<str>, Maker>>),
}

impl Data {
    /// Anything as data.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        canonical::to_string(value).map(Data::made)
    }

    /// Data that is made when somebody asks for it: a plan that is only looked at needs little of what it would do. What `make` gives must
    /// be JSON; were it ever not to be, this is null, which no kind takes for data of its own.
    pub fn later<T: Serialize>(make: impl FnOnce() -> T + Send + 'static) -> Self {
        let text = move || canonical::to_string(&make()).map_or_else(|_| "null".into(), String::into_boxed_str);
        Data(Text::Later(Arc::new(LazyLock::new(Box::new(text)))))
    }

    fn made(text: String) -> Self {
        Data(Text::Made(text.into_boxed_str()))
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.0 {
            Text::Made(text) => text,
            Text::Later(text) => text,
        }
    }

    /// What it stands for.
    ///
    /// # Errors
    /// When it stands for something else.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// The text of one member, where it is an object that has such a one: without reading the rest into memory.
    #[must_use]
    pub fn word(&self, member: &str) -> Option<String> {
        struct Words<'m>(&'m str);
        impl<'de> de::Visitor<'de> for Words<'_> {
            type Value = Option<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut found = None;
                while let Some(key) = members.next_key::<String>()? {
                    if key == self.0 {
                        found = members.next_value::<json::Any>()?.0.as_str().map(str::to_owned);
                    } else {
                        members.next_value::<de::IgnoredAny>()?;
                    }
                }
                Ok(found)
            }
        }
        serde_json::Deserializer::from_str(self.text()).deserialize_map(Words(member)).ok().flatten()
    }

    /// As a tree of values, for looking into it; instead of one that would take too much memory, a word about that.
    #[must_use]
    pub fn json(&self) -> Json {
        match input::check_json(self.text()) {
            Ok(()) => json::read(self.text()).unwrap_or_default(),
            Err(why) => Json::from(format!("not shown: {why}")),
        }
    }

    /// As [`Data::json`], of a long object or list the first `most` members alone.
    #[must_use]
    pub fn head(&self, most: usize) -> Json {
        if input::check_json(self.text()).is_ok() { json::head(self.text(), most) } else { self.json() }
    }
}

impl From<Json> for Data {
    fn from(json: Json) -> Self {
        // The text of a tree is canonical: its maps are sorted.
        Data::made(json.to_string())
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Data {}

impl PartialEq<Json> for Data {
    fn eq(&self, other: &Json) -> bool {
        self.json() == *other
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = serializer.serialize_struct(canonical::RAW, 1)?;
        raw.serialize_field(canonical::RAW, self.text())?;
        raw.end()
    }
}

impl<'de> Deserialize<'de> for Data {
    /// In whatever order and spelling; whoever must know whether it stood there in canonical form compares the whole document.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        canonical::transcode(deserializer).map(Data::made)
    }
}

/// A text without the white space between its JSON tokens. What stands inside strings stays.
#[must_use]
pub fn without_white_space(text: &str) -> String {
    let (mut out, mut in_string, mut escaped) = (String::with_capacity(text.len()), false, false);
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if matches!(c, ' ' | '\n' | '\r' | '\t') {
            continue;
        } else {
            in_string = c == '"';
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

    use super::*;

    #[test]
    fn data_stands_in_documents_as_what_it_is() {
        let tree = json!({ "b": [1, "x y"], "a": { "type": "t" } });
        let data = Data::of(&tree).unwrap();
        assert_eq!(data.text(), r#"{"a":{"type":"t"},"b":[1,"x y"]}"#);
        assert_eq!(serde_json::to_string(&[&data]).unwrap(), format!("[{}]", data.text()));
        assert_eq!(serde_json::to_value(&data).unwrap(), tree);
        assert_eq!(canonical::to_string(&[&data]).unwrap(), format!("[{}]", data.text()));
        assert_eq!(serde_json::from_value::<Data>(tree.clone()).unwrap(), data);
        assert_eq!(serde_json::from_str::<Data>(&serde_json::to_string_pretty(&tree).unwrap()).unwrap(), data);
        assert!(data == tree);
        assert_eq!(Data::from(json!({ "a": { "type": "x" }, "type": "t" })).word("type").as_deref(), Some("t"));
        assert_eq!((Data::from(json!([1])).word("type"), data.word("type")), (None, None));
    }

    #[test]
    fn what_is_made_later_is_made_once_and_only_when_it_is_asked_for() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&made);
        let data = Data::later(move || json!({ "n": count.fetch_add(1, Ordering::SeqCst) }));
        let copy = data.clone();
        assert_eq!(made.load(Ordering::SeqCst), 0);
        assert_eq!((data.text(), copy.text()), ("{\"n\":0}", "{\"n\":0}"));
        assert_eq!(data, Data::from(json!({ "n": 0 })));
        assert_eq!(made.load(Ordering::SeqCst), 1);
        assert_eq!(Data::later(|| BTreeMap::from([(vec![1], 1)])).text(), "null");
    }

    #[test]
    fn of_a_long_value_the_head_is_enough() {
        let many: BTreeMap<String, u64> = (10..99).map(|n| (format!("k{n}"), n)).collect();
        assert_eq!(Data::of(&many).unwrap().head(2), json!({ "k10": 10, "k11": 11 }));
        assert_eq!(Data::from(json!([1, [2], 3])).head(2), json!([1, [2]]));
        for whole in [json!({ "a": { "b": 1 } }), json!([]), json!("x"), json!(null), json!(1.5)] {
            assert_eq!(Data::from(whole.clone()).head(9), whole);
        }
    }

    #[test]
    fn it_is_read_in_any_spelling_and_refused_when_it_says_a_thing_twice() {
        let data = Data::from(json!({ "a": 1, "b": "a\u{202e}b" }));
        for text in [data.text(), "{ \"b\" : \"a\\u202eb\", \"\\u0061\": 1 }"] {
            assert_eq!(serde_json::from_str::<Data>(text).unwrap(), data, "{text}");
        }
        for wrong in [r#"{"a":1,"a":1}"#, r#"{"a":{"b":1,"c":2,"b":1}}"#, "[1", ""] {
            assert!(serde_json::from_str::<Data>(wrong).is_err(), "{wrong}");
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Record {
        Begun { data: Data },
    }

    #[test]
    fn it_is_read_from_records_that_are_told_apart_by_a_member() {
        for tree in [json!(null), json!([1, -1, 1.5, true, "x", { "z": {}, "a": null }])] {
            let record = Record::Begun { data: tree.into() };
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        }
    }
}
