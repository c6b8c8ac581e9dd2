//! Types of variables: `string`, `list(number)`, `object({ … })` and the like.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use indexmap::IndexMap;

use super::eval::{Eval, Scope};
use super::eval::{convert, fault};
use super::functions::ordered_set;
use crate::model::Value;

/// What a variable takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Anything.
    Any,
    /// Text.
    String,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A list of one type.
    List(Box<Type>),
    /// A list without repetition.
    Set(Box<Type>),
    /// A map to one type.
    Map(Box<Type>),
    /// Known attributes; those that need not be there are marked.
    Object(IndexMap<String, (Type, bool)>),
    /// A list of fixed length.
    Tuple(Vec<Type>),
}

/// Reads a type.
pub fn parse(expr: &Expression, scope: &Scope<'_>) -> Eval<Type> {
    let bad =
        || fault(&scope.span(expr.span()), "not a type", "types are string, number, bool, any, list(…), set(…), map(…), object({ … }), tuple([ … ])");
    match expr {
        Expression::Variable(name) => match name.as_str() {
            "any" => Ok(Type::Any),
            "string" => Ok(Type::String),
            "number" => Ok(Type::Number),
            "bool" => Ok(Type::Bool),
            "list" => Ok(Type::List(Box::new(Type::Any))),
            "map" => Ok(Type::Map(Box::new(Type::Any))),
            _ => bad(),
        },
        Expression::FuncCall(call) => {
            let Some(inner) = call.args.get(0).filter(|_| call.args.len() == 1) else { return bad() };
            match (call.name.name.as_str(), inner) {
                ("list", _) => Ok(Type::List(Box::new(parse(inner, scope)?))),
                ("set", _) => Ok(Type::Set(Box::new(parse(inner, scope)?))),
                ("map", _) => Ok(Type::Map(Box::new(parse(inner, scope)?))),
                ("tuple", Expression::Array(items)) => items.iter().map(|item| parse(item, scope)).collect::<Eval<_>>().map(Type::Tuple),
                ("object", Expression::Object(entries)) => {
                    let mut attributes = IndexMap::new();
                    for (key, value) in entries {
                        let name = match key {
                            ObjectKey::Ident(ident) => ident.as_str().to_owned(),
                            ObjectKey::Expression(Expression::String(text)) => text.value().clone(),
                            ObjectKey::Expression(_) => return bad(),
                        };
                        attributes.insert(name, attribute(value.expr(), scope)?);
                    }
                    Ok(Type::Object(attributes))
                }
                _ => bad(),
            }
        }
        _ => bad(),
    }
}

/// An object's attribute: a type, or `optional(TYPE)`.
fn attribute(expr: &Expression, scope: &Scope<'_>) -> Eval<(Type, bool)> {
    match expr {
        Expression::FuncCall(call) if call.name.name.as_str() == "optional" => match (call.args.get(0), call.args.len()) {
            (Some(inner), 1) => Ok((parse(inner, scope)?, true)),
            _ => {
                fault(&scope.span(expr.span()), "optional() takes one type", "give the default where the value is used, with coalesce() or lookup()")
            }
        },
        other => Ok((parse(other, scope)?, false)),
    }
}

/// A value as this type, converted as Terraform converts; the error is a fragment.
pub fn convert(ty: &Type, value: Value) -> Result<Value, String> {
    if matches!(value, Value::Null | Value::Secret(_)) {
        return Ok(value);
    }
    match (ty, value) {
        (Type::Any, value) => Ok(value),
        (Type::String, value) => convert::to_text(&value).map(Value::String),
        (Type::Number, value) => convert::to_number(&value).map(Value::Number),
        (Type::Bool, value) => convert::to_bool(&value).map(Value::Bool),
        (Type::List(inner), Value::List(items)) => items.into_iter().map(|item| convert(inner, item)).collect::<Result<_, _>>().map(Value::List),
        (Type::Set(inner), Value::List(items)) => {
            let items = items.into_iter().map(|item| convert(inner, item)).collect::<Result<_, _>>()?;
            Ok(ordered_set(items))
        }
        (Type::Tuple(types), Value::List(items)) if types.len() == items.len() => {
            types.iter().zip(items).map(|(ty, item)| convert(ty, item)).collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Map(inner), Value::Map(entries)) => {
            entries.into_iter().map(|(key, item)| Ok((key, convert(inner, item)?))).collect::<Result<_, String>>().map(Value::Map)
        }
        (Type::Object(attributes), Value::Map(mut entries)) => {
            let mut result = IndexMap::new();
            for (name, (ty, optional)) in attributes {
                let value = match entries.shift_remove(name) {
                    Some(value) => convert(ty, value).map_err(|what| format!("{what} (in `{name}`)"))?,
                    None if *optional => Value::Null,
                    None => return Err(format!("the attribute `{name}` is missing")),
                };
                result.insert(name.clone(), value);
            }
            Ok(Value::Map(result))
        }
        (ty, value) => Err(format!("{} where {} is needed", value.type_word(), words(ty))),
    }
}

/// A type for messages.
fn words(ty: &Type) -> &'static str {
    match ty {
        Type::Any => "any value",
        Type::String => "text",
        Type::Number => "a number",
        Type::Bool => "true or false",
        Type::List(_) => "a list",
        Type::Set(_) => "a set",
        Type::Map(_) => "a map",
        Type::Object(_) => "an object",
        Type::Tuple(_) => "a tuple of that length",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Number, SourceFile};

    fn read(text: &str) -> Eval<Type> {
        let file = Arc::new(SourceFile { path: "x".into(), text: text.into() });
        parse(&hcl_edit::parser::parse_expr(text).unwrap(), &Scope::of(&file))
    }

    #[test]
    fn types_are_read_and_values_converted() {
        let ty = read("object({ a = list(number), b = optional(string) })").unwrap();
        let value = Value::Map(IndexMap::from([("a".to_owned(), Value::List(vec![Value::String("1".into())]))]));
        let converted = convert(&ty, value).unwrap();
        assert_eq!(converted.to_json().to_string(), "{\"a\":[1],\"b\":null}");
        assert_eq!(convert(&Type::String, Value::Number(Number::Int(3))), Ok(Value::String("3".into())));
        assert!(convert(&Type::Number, Value::String("x".into())).is_err());
        assert!(convert(&ty, Value::Map(IndexMap::new())).unwrap_err().contains("missing"));
        for bad in ["strin", "list(string, number)", "object(1)", "1", "optional(string)"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
