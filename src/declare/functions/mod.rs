//! The pure functions of expressions, with Terraform's names and manners. One table per file.

mod collection;
mod encode;
mod format;
mod net;
mod number;
mod set;
mod text;

#[cfg(test)]
mod tests;

pub(super) use set::set as ordered_set;

use indexmap::IndexMap;

use super::eval::convert;
use crate::model::Value;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The argument at fault, from 0; none for the call as a whole.
    pub argument: Option<usize>,
    /// A fragment.
    pub what: String,
}

impl<T: Into<String>> From<T> for Wrong {
    fn from(what: T) -> Self {
        Wrong { argument: None, what: what.into() }
    }
}

/// What a function gives.
pub type Outcome = Result<Value, Wrong>;

/// One function.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The fewest arguments.
    pub least: usize,
    /// The most arguments; none: any number.
    pub most: Option<usize>,
    /// Its arguments, for people: `(list, index)`.
    pub form: &'static str,
    /// One line for the reference.
    pub doc: &'static str,
    /// Whether secrets inside of its lists and maps stay where they are; else one secret anywhere makes the whole result secret.
    pub keeps_structure: bool,
    /// What it does.
    pub run: fn(&[Value]) -> Outcome,
}

impl Function {
    const fn new(name: &'static str, least: usize, most: Option<usize>, form: &'static str, doc: &'static str, run: fn(&[Value]) -> Outcome) -> Self {
        Function { name, least, most, form, doc, keeps_structure: false, run }
    }

    const fn keeping_structure(mut self) -> Self {
        self.keeps_structure = true;
        self
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Function> {
    [text::TABLE, format::TABLE, collection::TABLE, set::TABLE, number::TABLE, encode::TABLE, net::TABLE].into_iter().flatten()
}

/// One of them.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

fn at<T>(n: usize, result: Result<T, String>) -> Result<T, Wrong> {
    result.map_err(|what| Wrong { argument: Some(n), what })
}

fn arg(args: &[Value], n: usize) -> &Value {
    args.get(n).unwrap_or(&Value::Null)
}

fn text(args: &[Value], n: usize) -> Result<String, Wrong> {
    at(n, convert::to_text(arg(args, n)))
}

fn int(args: &[Value], n: usize) -> Result<i64, Wrong> {
    at(n, convert::to_int(arg(args, n)))
}

fn list(args: &[Value], n: usize) -> Result<&[Value], Wrong> {
    match arg(args, n) {
        Value::List(items) => Ok(items),
        other => at(n, Err(format!("{} where a list is needed", other.type_word()))),
    }
}

fn map(args: &[Value], n: usize) -> Result<&IndexMap<String, Value>, Wrong> {
    match arg(args, n) {
        Value::Map(entries) => Ok(entries),
        other => at(n, Err(format!("{} where a map is needed", other.type_word()))),
    }
}

fn texts(args: &[Value], n: usize) -> Result<Vec<String>, Wrong> {
    list(args, n)?.iter().map(|item| at(n, convert::to_text(item))).collect()
}

/// Refuses a text before it is built.
fn room_for(bytes: usize) -> Result<(), Wrong> {
    if bytes > super::eval::MAX_TEXT_BYTES { Err("the result would be too large".into()) } else { Ok(()) }
}
