//! Reads JSON of any shape, where nobody knows what will be in it.
//!
//! The library's own reader takes an object with one member of a certain private name for raw JSON, which it parses anew, with nesting counted from zero:
//! a text in a text in a text would overflow the stack, and take memory that nobody counted. Here every key is a key.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Json;

/// A value of any shape.
pub struct Any(pub Json);

/// Reads a text.
///
/// # Errors
/// It is not JSON, is nested more than 128 levels deep, or goes on behind its end.
pub fn read(text: &str) -> Result<Json, serde_json::Error> {
    serde_json::from_str::<Any>(text).map(|any| any.0)
}

/// The first members of an object, or elements of an array, of which nobody needs to see all; anything else whole, null when it is not JSON.
#[must_use]
pub fn head(text: &str, most: usize) -> Json {
    struct Head<'f>(usize, &'f mut Json);
    impl<'de> Visitor<'de> for Head<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or an array")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
            let mut map = serde_json::Map::new();
            while map.len() < self.0
                && let Some((key, value)) = members.next_entry::<String, Any>()?
            {
                map.insert(key, value.0);
            }
            *self.1 = Json::Object(map);
            Ok(())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
            let mut items = Vec::new();
            while items.len() < self.0
                && let Some(item) = elements.next_element::<Any>()?
            {
                items.push(item.0);
            }
            *self.1 = Json::Array(items);
            Ok(())
        }
    }
    if !text.starts_with(['{', '[']) {
        return read(text).unwrap_or_default();
    }
    let mut found = Json::Null;
    // That it was not read to its end is an error to the reader, and none here.
    let _ = serde_json::Deserializer::from_str(text).deserialize_any(Head(most, &mut found));
    found
}

/// For members of structs.
///
/// # Errors
/// As the format has them.
pub fn any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
    Any::deserialize(deserializer).map(|any| any.0)
}

/// For members that are maps of such values.
///
/// # Errors
/// As the format has them.
pub fn map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Json>, D::Error> {
    let read = BTreeMap::<String, Any>::deserialize(deserializer)?;
    Ok(read.into_iter().map(|(key, any)| (key, any.0)).collect())
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values).map(Any)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        any(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(Any(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Json::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut all = serde_json::Map::new();
        while let Some((key, Any(value))) = members.next_entry::<String, Any>()? {
            all.insert(key, value);
        }
        Ok(Json::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_reads_what_the_library_reads() {
        for text in ["null", "[true, -1, 18446744073709551615, 1.5e3, \"\\u00e9\"]", "{\"b\": {\"a\": []}, \"a\": 1}", "{\"a\": 1, \"a\": 2}"] {
            assert_eq!(read(text).unwrap(), serde_json::from_str::<Json>(text).unwrap(), "{text}");
        }
        for wrong in ["", "[1", "{} {}", "nul"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_key_is_another_beginning() {
        let key = "$serde_json::private::RawValue";
        let inner = "[".repeat(120) + &"]".repeat(120);
        let text = json!({ key: inner }).to_string();
        assert_eq!(read(&text).unwrap(), json!({ key: inner }), "a text stays a text");
        assert_eq!(read(&text.replace('$', "\\u0024")).unwrap(), json!({ key: inner }));
        assert!(read(&"[".repeat(200)).unwrap_err().to_string().contains("recursion"));
    }
}
