//! Sets: lists without repetition, in order.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::{Function, arg, list};
use crate::declare::eval::convert::{equal, to_f64, to_text};
use crate::model::Value;

pub(super) const TABLE: &[Function] = &[
    Function::new("toset", 1, Some(1), "(list)", "each element once, in order", |a| Ok(set(list(a, 0)?.to_vec()))),
    Function::new("distinct", 1, Some(1), "(list)", "each element once, where it first was", |a| Ok(Value::List(unique(list(a, 0)?.to_vec())))),
    Function::new("contains", 2, Some(2), "(list, value)", "whether it is an element", |a| {
        Ok(Value::Bool(list(a, 0)?.iter().any(|item| equal(item, arg(a, 1)))))
    }),
    Function::new("setunion", 1, None, "(sets…)", "what is in one of them", |a| {
        let mut all = Vec::new();
        for n in 0..a.len() {
            all.extend_from_slice(list(a, n)?);
        }
        Ok(set(all))
    }),
    Function::new("setintersection", 1, None, "(sets…)", "what is in all of them", |a| {
        let mut common = list(a, 0)?.to_vec();
        for n in 1..a.len() {
            let other: HashSet<String> = list(a, n)?.iter().map(key).collect();
            common.retain(|item| other.contains(&key(item)));
        }
        Ok(set(common))
    }),
    Function::new("setsubtract", 2, Some(2), "(set, set)", "what is in the first and not in the second", |a| {
        let other: HashSet<String> = list(a, 1)?.iter().map(key).collect();
        Ok(set(list(a, 0)?.iter().filter(|item| !other.contains(&key(item))).cloned().collect()))
    }),
];

/// Text that is the same for the same value and only then.
fn key(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("n{}", to_f64(*number)),
        other => other.to_json().to_string(),
    }
}

fn unique(items: Vec<Value>) -> Vec<Value> {
    let mut seen = HashSet::new();
    items.into_iter().filter(|item| seen.insert(key(item))).collect()
}

/// A set; elements of mixed plain types become text, as in Terraform.
pub(in crate::declare) fn set(items: Vec<Value>) -> Value {
    let numbers = items.iter().all(|item| matches!(item, Value::Number(_)));
    let bools = items.iter().all(|item| matches!(item, Value::Bool(_)));
    let items = if numbers || bools { items } else { items.into_iter().map(|item| to_text(&item).map_or(item, Value::String)).collect() };
    let mut items = unique(items);
    items.sort_by(order);
    Value::List(items)
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => to_f64(*a).total_cmp(&to_f64(*b)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => key(a).cmp(&key(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Number;

    #[test]
    fn sets_hold_each_element_once_in_order() {
        let text = |text: &str| Value::String(text.into());
        let number = |n| Value::Number(Number::Int(n));
        assert_eq!(set(vec![text("b"), text("a"), text("b")]), Value::List(vec![text("a"), text("b")]));
        assert_eq!(set(vec![number(10), number(9), number(10)]), Value::List(vec![number(9), number(10)]));
        assert_eq!(set(vec![number(1), text("1")]), Value::List(vec![text("1")]));
    }
}
