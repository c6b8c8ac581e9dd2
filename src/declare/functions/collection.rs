//! Lists and maps.

use indexmap::IndexMap;

use super::{Function, Outcome, Wrong, arg, at, int, list, map, text, texts};
use crate::declare::eval::convert::{self, equal, sorted, to_bool, to_number};
use crate::model::{Number, Value};

/// The longest list that `range` makes.
const MAX_RANGE: usize = 100_000;

pub(super) const TABLE: &[Function] = &[
    Function::new("length", 1, Some(1), "(text, list or map)", "how many characters, elements or entries", super::text::length).keeping_structure(),
    Function::new("concat", 0, None, "(lists…)", "the lists one after the other", concat).keeping_structure(),
    Function::new("merge", 0, None, "(maps…)", "all entries; later maps win", merge).keeping_structure(),
    Function::new("lookup", 2, Some(3), "(map, key, default)", "the entry, or the default", lookup).keeping_structure(),
    Function::new("keys", 1, Some(1), "(map)", "the keys, sorted", |a| {
        Ok(Value::List(sorted(map(a, 0)?).into_iter().map(|(key, _)| Value::String(key.clone())).collect()))
    })
    .keeping_structure(),
    Function::new("values", 1, Some(1), "(map)", "the values, in the order of their keys", |a| {
        Ok(Value::List(sorted(map(a, 0)?).into_iter().map(|(_, value)| value.clone()).collect()))
    })
    .keeping_structure(),
    Function::new("element", 2, Some(2), "(list, index)", "one element; the index wraps around", element).keeping_structure(),
    Function::new("index", 2, Some(2), "(list, value)", "the place of the first such element", |a| {
        let wanted = arg(a, 1);
        let place = list(a, 0)?.iter().position(|item| equal(item, wanted));
        place.map(convert::index).ok_or_else(|| "there is no such element".into())
    }),
    Function::new("slice", 3, Some(3), "(list, start, end)", "the elements from start up to, not including, end", slice).keeping_structure(),
    Function::new("reverse", 1, Some(1), "(list)", "the list backwards", |a| Ok(Value::List(list(a, 0)?.iter().rev().cloned().collect())))
        .keeping_structure(),
    Function::new("flatten", 1, Some(1), "(list)", "the list with inner lists dissolved", |a| {
        let mut flat = Vec::new();
        flatten(list(a, 0)?, &mut flat);
        Ok(Value::List(flat))
    })
    .keeping_structure(),
    Function::new("compact", 1, Some(1), "(list)", "the list without null and empty texts", |a| {
        let full = |item: &&Value| !matches!(item, Value::Null) && item.as_str() != Some("");
        Ok(Value::List(list(a, 0)?.iter().filter(full).cloned().collect()))
    }),
    Function::new("chunklist", 2, Some(2), "(list, size)", "the list in pieces of a size", |a| {
        let size = usize::try_from(int(a, 1)?).ok().filter(|size| *size > 0).ok_or("the size must be above 0")?;
        Ok(Value::List(list(a, 0)?.chunks(size).map(|piece| Value::List(piece.to_vec())).collect()))
    })
    .keeping_structure(),
    Function::new("zipmap", 2, Some(2), "(keys, values)", "a map of two lists", zip_map).keeping_structure(),
    Function::new("range", 1, Some(3), "(limit) or (start, limit) or (start, limit, step)", "numbers up to, not including, the limit", range),
    Function::new("coalesce", 1, None, "(values…)", "the first that is neither null nor empty text", |a| {
        let full = |item: &&Value| !matches!(item, Value::Null) && item.as_str() != Some("");
        a.iter().find(full).cloned().ok_or_else(|| "all values are null or empty".into())
    }),
    Function::new("coalescelist", 1, None, "(lists…)", "the first list that is not empty", |a| {
        a.iter().find(|item| matches!(item, Value::List(items) if !items.is_empty())).cloned().ok_or_else(|| "all lists are empty".into())
    }),
    Function::new("one", 1, Some(1), "(list)", "the only element, or null of an empty list", |a| match list(a, 0)? {
        [] => Ok(Value::Null),
        [only] => Ok(only.clone()),
        more => Err(format!("{} elements where at most one is expected", more.len()).into()),
    })
    .keeping_structure(),
    Function::new("tolist", 1, Some(1), "(list)", "as a list", |a| Ok(Value::List(list(a, 0)?.to_vec()))).keeping_structure(),
    Function::new("tomap", 1, Some(1), "(map)", "as a map", |a| Ok(Value::Map(map(a, 0)?.clone()))).keeping_structure(),
    Function::new("alltrue", 1, Some(1), "(list)", "whether all are true", |a| every(a, true)),
    Function::new("anytrue", 1, Some(1), "(list)", "whether one is true", |a| every(a, false)),
    Function::new("sum", 1, Some(1), "(list)", "the numbers added up", sum),
    Function::new("sort", 1, Some(1), "(list)", "texts in order", |a| {
        let mut items = texts(a, 0)?;
        items.sort();
        Ok(Value::List(items.into_iter().map(Value::String).collect()))
    }),
];

fn concat(args: &[Value]) -> Outcome {
    let mut all = Vec::new();
    for n in 0..args.len() {
        all.extend_from_slice(list(args, n)?);
    }
    Ok(Value::List(all))
}

fn merge(args: &[Value]) -> Outcome {
    let mut all = IndexMap::new();
    for n in 0..args.len() {
        if !matches!(arg(args, n), Value::Null) {
            all.extend(map(args, n)?.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
    }
    Ok(Value::Map(all))
}

fn lookup(args: &[Value]) -> Outcome {
    let key = text(args, 1)?;
    match (map(args, 0)?.get(&key), args.get(2)) {
        (Some(found), _) => Ok(found.clone()),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(Wrong { argument: Some(1), what: format!("there is no key `{}` and no default", convert::short(&key)) }),
    }
}

fn element(args: &[Value]) -> Outcome {
    let items = list(args, 0)?;
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return Err("the list is empty".into());
    }
    let place = usize::try_from(int(args, 1)?.rem_euclid(count)).unwrap_or(0);
    Ok(items[place].clone())
}

fn slice(args: &[Value]) -> Outcome {
    let items = list(args, 0)?;
    let place = |n: usize| -> Result<usize, Wrong> {
        let wrong = || Wrong { argument: Some(n), what: format!("not between 0 and {}", items.len()) };
        usize::try_from(int(args, n)?).ok().filter(|place| *place <= items.len()).ok_or_else(wrong)
    };
    let (start, end) = (place(1)?, place(2)?);
    if start > end { Err("start is behind end".into()) } else { Ok(Value::List(items[start..end].to_vec())) }
}

/// Values are never nested deeper than the evaluator's limit, so the recursion is bounded.
fn flatten(items: &[Value], flat: &mut Vec<Value>) {
    for item in items {
        if let Value::List(inner) = item { flatten(inner, flat) } else { flat.push(item.clone()) }
    }
}

fn zip_map(args: &[Value]) -> Outcome {
    let (keys, values) = (texts(args, 0)?, list(args, 1)?);
    if keys.len() != values.len() {
        return Err("as many keys as values are needed".into());
    }
    Ok(Value::Map(keys.into_iter().zip(values.iter().cloned()).collect()))
}

fn range(args: &[Value]) -> Outcome {
    let number = |n: usize| int(args, n);
    let (start, limit, step) = match args.len() {
        1 => (0, number(0)?, None),
        2 => (number(0)?, number(1)?, None),
        _ => (number(0)?, number(1)?, Some(number(2)?)),
    };
    let step = step.unwrap_or(if limit < start { -1 } else { 1 });
    if step == 0 {
        return Err("the step must not be 0".into());
    }
    let mut items = Vec::new();
    let mut next = start;
    while (step > 0 && next < limit) || (step < 0 && next > limit) {
        if items.len() >= MAX_RANGE {
            return Err(format!("more than {MAX_RANGE} numbers").into());
        }
        items.push(Value::Number(Number::Int(next)));
        next = next.saturating_add(step);
    }
    Ok(Value::List(items))
}

fn every(args: &[Value], all: bool) -> Outcome {
    for item in list(args, 0)? {
        if at(0, to_bool(item))? != all {
            return Ok(Value::Bool(!all));
        }
    }
    Ok(Value::Bool(all))
}

fn sum(args: &[Value]) -> Outcome {
    let too_large = || Wrong::from("the sum is too large");
    let mut total = Number::Int(0);
    for item in list(args, 0)? {
        total = match (total, at(0, to_number(item))?) {
            (Number::Int(a), Number::Int(b)) => Number::Int(a.checked_add(b).ok_or_else(too_large)?),
            (a, b) => convert::number_of(convert::to_f64(a) + convert::to_f64(b)).ok_or_else(too_large)?,
        };
    }
    Ok(Value::Number(total))
}
