//! Numbers and conversions.

use super::{Function, Outcome, Wrong, arg, at, int, list, text};
use crate::declare::eval::convert::{number_of, to_bool, to_f64, to_number, to_text};
use crate::model::{Number, Value};

pub(super) const TABLE: &[Function] = &[
    Function::new("abs", 1, Some(1), "(number)", "without its sign", |a| match number(a, 0)? {
        Number::Int(n) => Ok(Value::Number(Number::Int(n.checked_abs().ok_or("the result is too large")?))),
        Number::Float(n) => Ok(Value::Number(Number::Float(n.abs()))),
    }),
    Function::new("min", 1, None, "(numbers…)", "the smallest", |a| extreme(a, |new, old| new < old)),
    Function::new("max", 1, None, "(numbers…)", "the largest", |a| extreme(a, |new, old| new > old)),
    Function::new("floor", 1, Some(1), "(number)", "the next whole number below", |a| rounded(a, f64::floor)),
    Function::new("ceil", 1, Some(1), "(number)", "the next whole number above", |a| rounded(a, f64::ceil)),
    Function::new("pow", 2, Some(2), "(number, exponent)", "raised to a power", |a| {
        let result = to_f64(number(a, 0)?).powf(to_f64(number(a, 1)?));
        Ok(Value::Number(number_of(result).ok_or("the result is too large")?))
    }),
    Function::new("signum", 1, Some(1), "(number)", "-1, 0 or 1", |a| {
        let n = to_f64(number(a, 0)?);
        Ok(Value::Number(Number::Int(i64::from(n > 0.0) - i64::from(n < 0.0))))
    }),
    Function::new("parseint", 2, Some(2), "(text, base)", "a whole number in a base from 2 to 36", |a| {
        let base = u32::try_from(int(a, 1)?).ok().filter(|base| (2..=36).contains(base)).ok_or("the base is 2 to 36")?;
        let parsed =
            i64::from_str_radix(&text(a, 0)?, base).map_err(|_| Wrong { argument: Some(0), what: "not a whole number in this base".to_owned() })?;
        Ok(Value::Number(Number::Int(parsed)))
    }),
    Function::new("tostring", 1, Some(1), "(value)", "as text", |a| match arg(a, 0) {
        Value::Null => Ok(Value::Null),
        value => Ok(Value::String(at(0, to_text(value))?)),
    }),
    Function::new("tonumber", 1, Some(1), "(value)", "as a number", |a| match arg(a, 0) {
        Value::Null => Ok(Value::Null),
        value => Ok(Value::Number(at(0, to_number(value))?)),
    }),
    Function::new("tobool", 1, Some(1), "(value)", "as true or false", |a| match arg(a, 0) {
        Value::Null => Ok(Value::Null),
        value => Ok(Value::Bool(at(0, to_bool(value))?)),
    }),
];

fn number(args: &[Value], n: usize) -> Result<Number, Wrong> {
    at(n, to_number(arg(args, n)))
}

/// A single list counts as its elements, which Terraform asks to be expanded with `...`.
fn extreme(args: &[Value], better: fn(f64, f64) -> bool) -> Outcome {
    let items = if let [Value::List(_)] = args { list(args, 0)? } else { args };
    let mut best: Option<Number> = None;
    for (n, item) in items.iter().enumerate() {
        let next = at(n, to_number(item))?;
        if best.is_none_or(|best| better(to_f64(next), to_f64(best))) {
            best = Some(next);
        }
    }
    best.map(Value::Number).ok_or_else(|| "at least one number is needed".into())
}

fn rounded(args: &[Value], round: fn(f64) -> f64) -> Outcome {
    match number(args, 0)? {
        whole @ Number::Int(_) => Ok(Value::Number(whole)),
        Number::Float(n) => Ok(Value::Number(number_of(round(n)).ok_or("the result is too large")?)),
    }
}
