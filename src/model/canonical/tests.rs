use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::*;

fn of_text(text: &str) -> Result<String, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let written = transcode(&mut deserializer)?;
    deserializer.end().map(|()| written)
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Unit,
    New(u8),
    Tuple(u8, &'static str),
    Struct { z: i8, a: Option<bool> },
}

#[derive(Serialize)]
struct Whole {
    zebra: Vec<Kind>,
    #[serde(rename = "type")]
    name: char,
    apple: BTreeMap<u32, f64>,
    pair: (String, ()),
    #[serde(flatten)]
    more: HashMap<&'static str, f32>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Tagged {
    One { a: u8, zz: u8 },
}

/// The same through a tree of values, whose maps are sorted.
fn by_tree<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).unwrap().to_string()
}

#[test]
fn every_shape_is_written_as_by_a_sorted_tree() {
    let whole = Whole {
        zebra: vec![Kind::Unit, Kind::New(1), Kind::Tuple(2, "\u{7}\"é"), Kind::Struct { z: -1, a: None }],
        name: '\'',
        apple: BTreeMap::from([(7, 1.5), (10, f64::NAN)]),
        pair: (String::new(), ()),
        more: HashMap::from([("b", 0.5), ("a", 2.0), ("z\"", 1.0), ("z~", 1.0)]),
    };
    assert_eq!(to_string(&whole).unwrap(), by_tree(&whole));
    assert_eq!(to_string(&Tagged::One { a: 1, zz: 2 }).unwrap(), by_tree(&Tagged::One { a: 1, zz: 2 }));
    assert!(to_string(&HashMap::from([(vec![1], 1)])).is_err(), "a key that is no text");
}

#[test]
fn only_json_with_each_key_once_has_a_canonical_form() {
    for wrong in ["", "{", "[1]]", "{\"a\":1,\"a\":1}", "{\"b\":0,\"a\":{\"x\":1,\"y\":2,\"\\u0078\":3}}"] {
        assert!(of_text(wrong).is_err(), "{wrong}");
    }
    assert_eq!(of_text(" [ ] ").unwrap(), "[]");
    assert!(!same_tokens("\"a b\"", "\"ab\"") && !same_tokens("[1 ,2]", "[12]") && same_tokens("[ \"\\\" \" ]", "[\"\\\" \"]"));
}

#[test]
fn what_is_json_already_stays_as_it_is() {
    let raw = serde_json::value::RawValue::from_string("{\"b\":1,\"a\": [ ]}".to_owned()).unwrap();
    assert_eq!(to_string(&json!({ "x": 1 })).unwrap(), "{\"x\":1}");
    assert_eq!(to_string(&[&raw, &raw]).unwrap(), format!("[{},{}]", raw.get(), raw.get()));
}

/// [`same_tokens`] as it is meant, byte by byte.
fn same_by_bytes(text: &str, compact: &str) -> bool {
    let (mut in_string, mut escaped) = (false, false);
    let tokens = text.bytes().filter(move |byte| {
        let counts = in_string || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        in_string = if in_string { escaped || *byte != b'"' } else { *byte == b'"' };
        escaped = in_string && !escaped && *byte == b'\\';
        counts
    });
    tokens.eq(compact.bytes())
}

fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf =
        prop_oneof![Just(json!(null)), any::<bool>().prop_map(|b| json!(b)), any::<i64>().prop_map(|n| json!(n)), ".{0,6}".prop_map(|s| json!(s))];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            proptest::collection::vec(("[a-c\"\\\\\u{0}-\u{1f}é]{0,3}", inner), 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Members in the order they were drawn in, not sorted.
struct Shuffled<'v>(&'v serde_json::Value);

impl Serialize for Shuffled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            serde_json::Value::Object(members) => serializer.collect_map(members.iter().rev().map(|(key, value)| (key, Shuffled(value)))),
            serde_json::Value::Array(items) => serializer.collect_seq(items.iter().map(Shuffled)),
            other => other.serialize(serializer),
        }
    }
}

proptest! {
    #[test]
    fn any_tree_in_any_order_has_one_form(value in tree(), at in any::<proptest::sample::Index>(), piece in "[ \\n\"\\\\,a\\[]{0,3}") {
        prop_assert_eq!(to_string(&value).unwrap(), value.to_string());
        prop_assert_eq!(to_string(&Shuffled(&value)).unwrap(), value.to_string());
        let read = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(&pretty(&value.to_string()), &read);
        prop_assert!(same_tokens(&read, &value.to_string()));
        let (mut text, at) = (read, at.index(value.to_string().len() + 1));
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &piece);
        prop_assert_eq!(same_tokens(&text, &value.to_string()), same_by_bytes(&text, &value.to_string()), "{}", text);
        prop_assert_eq!(of_text(&serde_json::to_string(&Shuffled(&value)).unwrap()).unwrap(), value.to_string());
    }
}
