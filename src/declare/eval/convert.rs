//! Conversions between types, equality and size, as Terraform's users expect them.

use indexmap::IndexMap;

use crate::model::{Number, Value};

/// Up to here every whole number is exact as a double.
pub const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number, a bool or text as text.
pub fn to_text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(b) => Ok(b.to_string()),
        Value::Number(number) => Ok(number_text(*number)),
        other => Err(format!("{} where text is needed", other.type_word())),
    }
}

/// A number as people write it.
#[must_use]
pub fn number_text(number: Number) -> String {
    match number {
        Number::Int(n) => n.to_string(),
        Number::Float(n) => n.to_string(),
    }
}

/// A number, or text that is one.
pub fn to_number(value: &Value) -> Result<Number, String> {
    match value {
        Value::Number(number) => Ok(*number),
        Value::String(text) => parse_number(text).ok_or_else(|| format!("`{}` is not a number", short(text))),
        other => Err(format!("{} where a number is needed", other.type_word())),
    }
}

/// Reads a decimal number.
#[must_use]
pub fn parse_number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // Rust reads "inf", "nan" and "+1" too.
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || digits.len() > 40 {
        return None;
    }
    if let Ok(n) = text.parse::<i64>() {
        return Some(Number::Int(n));
    }
    text.parse::<f64>().ok().and_then(number_of)
}

/// A double as a number: whole ones as integers; none when it is not finite or its digits would be lost.
#[must_use]
pub fn number_of(n: f64) -> Option<Number> {
    if !n.is_finite() || n.abs() >= EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    if n.fract() == 0.0 { Some(Number::Int(n as i64)) } else { Some(Number::Float(n)) }
}

/// As a double.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "only for comparing and for what is fractional anyway")]
pub fn to_f64(number: Number) -> f64 {
    match number {
        Number::Int(n) => n as f64,
        Number::Float(n) => n,
    }
}

/// A bool, or text that is one.
pub fn to_bool(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(b) => Ok(*b),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        Value::String(text) => Err(format!("`{}` is neither true nor false", short(text))),
        other => Err(format!("{} where true or false is needed", other.type_word())),
    }
}

/// A whole number.
pub fn to_int(value: &Value) -> Result<i64, String> {
    match to_number(value)? {
        Number::Int(n) => Ok(n),
        Number::Float(n) => Err(format!("`{n}` is not a whole number")),
    }
}

/// Text for a message, not longer than a line, and without the marks that stand around it there.
#[must_use]
pub fn short(text: &str) -> String {
    let plain = |c: char| match c {
        '`' => '\'',
        c if c.is_control() => ' ',
        c => c,
    };
    let line: String = text.chars().take(60).map(plain).collect();
    if line.len() < text.len() { format!("{line}…") } else { line }
}

/// A message without the values that it quotes, unless they stand in `known`: where a value may be a secret.
#[must_use]
pub fn without_values(message: &str, known: &str) -> String {
    let parts: Vec<&str> = message.split('`').collect();
    let quoted = |at: usize| at % 2 == 1 && at + 1 < parts.len();
    let shown = parts.iter().enumerate().map(|(at, part)| if quoted(at) && !known.contains(part) { "…" } else { part });
    shown.collect::<Vec<_>>().join("`")
}

/// Whether two values are the same, as `==` means it.
#[must_use]
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(Number::Int(a)), Value::Number(Number::Int(b))) => a == b,
        (Value::Number(a), Value::Number(b)) => to_f64(*a).total_cmp(&to_f64(*b)).is_eq(),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Map(a), Value::Map(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b))),
        _ => a == b,
    }
}

/// How large a value is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weight {
    /// It and all its elements.
    pub nodes: u64,
    /// Of all texts and keys.
    pub bytes: u64,
    /// Levels of lists and maps.
    pub depth: usize,
}

/// Measures a value. Values deeper than the limit are never built, so the walk is bounded.
#[must_use]
pub fn weigh(value: &Value) -> Weight {
    let mut whole = Weight { nodes: 1, bytes: 0, depth: 0 };
    let mut add = |inner: Weight| {
        whole.nodes += inner.nodes;
        whole.bytes += inner.bytes;
        whole.depth = whole.depth.max(inner.depth + 1);
    };
    match value {
        Value::List(items) => items.iter().for_each(|item| add(weigh(item))),
        Value::Map(entries) => entries.iter().for_each(|(key, item)| {
            let inner = weigh(item);
            add(Weight { bytes: inner.bytes + key.len() as u64, ..inner });
        }),
        Value::String(text) => whole.bytes = text.len() as u64,
        _ => {}
    }
    whole
}

/// Whether a secret is in it, at any depth.
#[must_use]
pub fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Secret(_) => true,
        Value::List(items) => items.iter().any(holds_secret),
        Value::Map(entries) => entries.values().any(holds_secret),
        _ => false,
    }
}

/// The elements of a list with their indexes, or the entries of a map in the order of their keys.
#[must_use]
pub fn elements(value: &Value) -> Option<Vec<(Value, &Value)>> {
    match value {
        Value::List(items) => Some(items.iter().enumerate().map(|(n, item)| (index(n), item)).collect()),
        Value::Map(entries) => Some(sorted(entries).into_iter().map(|(key, item)| (Value::String(key.clone()), item)).collect()),
        _ => None,
    }
}

/// The entries of a map in the order of their keys, which is the order in which Terraform walks a map.
#[must_use]
pub fn sorted(entries: &IndexMap<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|(key, _)| *key);
    sorted
}

/// A count as a value.
#[must_use]
pub fn index(n: usize) -> Value {
    Value::Number(Number::Int(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// Plain data (a JSON or YAML document) as a value.
pub fn from_json(json: serde_json::Value) -> Result<Value, String> {
    Ok(match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(b),
        serde_json::Value::Number(number) => {
            let number = number.as_i64().map(Number::Int).or_else(|| number.as_f64().and_then(number_of));
            Value::Number(number.ok_or("a number has more digits than can be kept")?)
        }
        serde_json::Value::String(text) => Value::String(text),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(from_json).collect::<Result<_, _>>()?),
        serde_json::Value::Object(entries) => {
            Value::Map(entries.into_iter().map(|(key, item)| Ok((key, from_json(item)?))).collect::<Result<_, String>>()?)
        }
    })
}
