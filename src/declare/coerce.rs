//! A value as the type of its attribute, converted as Terraform converts.

use indexmap::IndexMap;

use super::dates;
use super::eval::convert::{self, short};
use super::spec::AttrType;
use crate::model::{Number, Value, time};

/// What is wrong (a fragment) and what to do about it.
pub type Wrong = (String, String);

/// The value as its attribute's type. Whether references lead anywhere is not looked at here.
pub fn coerce(ty: AttrType, value: Value) -> Result<Value, Wrong> {
    if let Value::Reference(name) = &value
        && !matches!(ty, AttrType::Reference(_) | AttrType::ReferenceList(_))
    {
        return Err((format!("`{}` is a reference, not a value", short(name)), format!("this takes {}; text stands in quotes", words(ty))));
    }
    let wrong = |what: String| (what, format!("this takes {}", words(ty)));
    match ty {
        AttrType::String => text(value).map_err(wrong),
        AttrType::Bool => convert::to_bool(&value).map(Value::Bool).map_err(wrong),
        AttrType::Int => convert::to_int(&value).map(|n| Value::Number(Number::Int(n))).map_err(wrong),
        AttrType::Duration => checked(value, |text| time::parse_duration(text).map(|_| ())).map_err(wrong),
        AttrType::Schedule => checked(value, dates::check_schedule).map_err(wrong),
        AttrType::Date => checked(value, |text| dates::parse_date(text).map(|_| ())).map_err(wrong),
        AttrType::Percent => checked(value, percent).map_err(wrong),
        AttrType::StringList => list(value, text).map_err(wrong),
        AttrType::StringOrList => match value {
            Value::List(_) => list(value, text).map_err(wrong),
            single => text(single).map_err(wrong),
        },
        AttrType::StringMap => match value {
            Value::Map(entries) => {
                let pair = |(key, value)| text(value).map(|value| (key, value));
                entries.into_iter().map(pair).collect::<Result<IndexMap<_, _>, _>>().map(Value::Map).map_err(wrong)
            }
            other => Err(wrong(unfit(&other, "a map"))),
        },
        AttrType::BoolOrString => match value {
            Value::Bool(_) => Ok(value),
            other => text(other).map_err(wrong),
        },
        AttrType::Scalar => match value {
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value),
            other => Err(wrong(unfit(&other, "text, a number or a bool"))),
        },
        AttrType::Any => Ok(value),
        AttrType::Reference(kind) => reference(kind, value),
        AttrType::ReferenceList(kind) => match value {
            Value::List(items) => items.into_iter().map(|item| reference(kind, item)).collect::<Result<_, _>>().map(Value::List),
            single @ Value::Reference(_) => {
                Err((format!("one reference where {} is needed", words(ty)), format!("write [{}]", single.to_json().as_str().unwrap_or(""))))
            }
            other => Err((unfit(&other, words(ty)), format!("write [{}]", example(kind)))),
        },
    }
}

fn unfit(value: &Value, needed: &str) -> String {
    format!("{} where {needed} is needed", value.type_word())
}

fn text(value: Value) -> Result<Value, String> {
    match value {
        Value::String(_) => Ok(value),
        other => convert::to_text(&other).map(Value::String),
    }
}

fn checked(value: Value, check: impl Fn(&str) -> Result<(), String>) -> Result<Value, String> {
    match &value {
        Value::String(text) => check(text).map(|()| value),
        other => Err(unfit(other, "text in quotes")),
    }
}

fn percent(text: &str) -> Result<(), String> {
    let number = text.strip_suffix('%').and_then(convert::parse_number).map(convert::to_f64);
    if number.is_some_and(|n| (0.0..=100.0).contains(&n)) { Ok(()) } else { Err(format!("`{}` is not a share such as \"30%\"", short(text))) }
}

fn list(value: Value, one: impl Fn(Value) -> Result<Value, String>) -> Result<Value, String> {
    match value {
        Value::List(items) => items.into_iter().map(one).collect::<Result<_, _>>().map(Value::List),
        other => Err(unfit(&other, "a list")),
    }
}

fn reference(kind: &str, value: Value) -> Result<Value, Wrong> {
    let help = || format!("write {}, without quotes", example(kind));
    match value {
        Value::Reference(name) => {
            let root = name.split(['.', '[']).next().unwrap_or("");
            if kind.is_empty() || root == kind {
                return Ok(Value::Reference(name));
            }
            Err((format!("`{}` is not {}", short(&name), article(kind)), help()))
        }
        other => Err((unfit(&other, "a reference"), help())),
    }
}

fn example(kind: &str) -> String {
    match kind {
        "" => "database.NAME".to_owned(),
        kind => format!("{kind}.NAME"),
    }
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} `{kind}`", if vowel { "an" } else { "a" })
}

/// A type for messages.
#[must_use]
pub fn words(ty: AttrType) -> &'static str {
    match ty {
        AttrType::String => "text",
        AttrType::Bool => "true or false",
        AttrType::Int => "a whole number",
        AttrType::Duration => "a duration such as \"90s\", \"15m\" or \"31d\"",
        AttrType::Schedule => "a schedule such as \"monthly\" or \"0 2 * * *\"",
        AttrType::Date => "a date such as \"2026-12-31\" or an RFC 3339 instant",
        AttrType::Percent => "a share such as \"30%\"",
        AttrType::StringList => "a list of texts",
        AttrType::StringOrList => "text or a list of texts",
        AttrType::StringMap => "a map of texts",
        AttrType::BoolOrString => "true, false or text",
        AttrType::Scalar => "text, a number, or true or false",
        AttrType::Any => "a value of its type",
        AttrType::Reference(_) => "a reference",
        AttrType::ReferenceList(_) => "a list of references",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(text: &str) -> Value {
        Value::String(text.into())
    }

    fn n(n: i64) -> Value {
        Value::Number(Number::Int(n))
    }

    #[test]
    fn values_fit_their_types_or_say_why_not() {
        let reference = |name: &str| Value::Reference(name.into());
        for (ty, value, result) in [
            (AttrType::Int, s("100"), n(100)),
            (AttrType::Bool, s("true"), Value::Bool(true)),
            (AttrType::String, n(5), s("5")),
            (AttrType::Duration, s("15m"), s("15m")),
            (AttrType::Percent, s("30%"), s("30%")),
            (AttrType::StringOrList, s("a"), s("a")),
            (AttrType::StringList, Value::List(vec![n(1)]), Value::List(vec![s("1")])),
            (AttrType::BoolOrString, Value::Bool(true), Value::Bool(true)),
            (AttrType::Reference("aws"), reference("aws.hk"), reference("aws.hk")),
            (AttrType::Reference(""), reference("dns_zone[\"a.b\"]"), reference("dns_zone[\"a.b\"]")),
        ] {
            assert_eq!(coerce(ty, value), Ok(result), "{ty:?}");
        }
        for (ty, value) in [
            (AttrType::Int, Value::Number(Number::Float(1.5))),
            (AttrType::Int, s("x")),
            (AttrType::Bool, s("yes please")),
            (AttrType::String, Value::List(vec![])),
            (AttrType::String, reference("aws.hk")),
            (AttrType::Duration, s("soon")),
            (AttrType::Duration, n(15)),
            (AttrType::Schedule, s("sometimes")),
            (AttrType::Date, s("soon")),
            (AttrType::Percent, s("130%")),
            (AttrType::StringList, s("a")),
            (AttrType::StringMap, s("a")),
            (AttrType::Reference("aws"), s("aws.hk")),
            (AttrType::Reference("aws"), reference("slack.x")),
            (AttrType::ReferenceList("slack"), reference("slack.x")),
        ] {
            let (what, help) = coerce(ty, value).unwrap_err();
            assert!(!what.is_empty() && !help.is_empty(), "{ty:?}");
        }
    }
}
