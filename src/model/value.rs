//! Values of evaluated expressions: HCL's own, and the two that must stay unevaluated.

use indexmap::IndexMap;

use super::{Json, SecretRef};

/// A number as HCL has it: exact integers, else a double.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number that fits.
    Int(i64),
    /// Everything else; always finite.
    Float(f64),
}

/// What an expression is worth.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`: as if the attribute were not there.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(String),
    /// A list, tuple or set.
    List(Vec<Value>),
    /// An object or map, in the order of the file.
    Map(IndexMap<String, Value>),
    /// A secret, unevaluated; whatever is made of one is one.
    Secret(SecretRef),
    /// A resource or provider by name: `database.x`, `aws.hk`. An identifier, not a value.
    Reference(String),
}

impl Value {
    /// The word for messages: "a string", "a list".
    #[must_use]
    pub fn type_word(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a bool",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Secret(_) => "a secret",
            Value::Reference(_) => "a reference",
        }
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// As plain data for plans: a secret stands as its reference, a reference as its text.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Number(Number::Int(n)) => Json::from(*n),
            Value::Number(Number::Float(n)) => Json::from(*n),
            Value::String(text) | Value::Reference(text) => Json::from(text.as_str()),
            Value::List(items) => items.iter().map(Value::to_json).collect(),
            Value::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect::<serde_json::Map<_, _>>().into(),
            Value::Secret(reference) => serde_json::to_value(reference).unwrap_or(Json::Null),
        }
    }
}
