//! Names and what follows them: `var.x`, `local.y[0].z`, splats, and references such as `database.x`.

use std::rc::Rc;

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::{Decorated, Span as _};

use super::convert::{holds_secret, short, to_int, to_text};
use super::{Eval, Evaluator, Scope, Shared, fault, secret};
use crate::declare::suggest;
use crate::model::{Address, Span, Value};

type Operators<'e> = &'e [Decorated<TraversalOperator>];

impl Evaluator<'_> {
    /// A name, or a name with operators behind it.
    pub(super) fn traverse(&self, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let (root, operators): (&Expression, Operators<'_>) = match expr {
            Expression::Traversal(traversal) => (&traversal.expr, &traversal.operators),
            other => (other, &[]),
        };
        let Expression::Variable(name) = root else {
            let value = self.eval(root, scope)?;
            return self.copied(&Rc::new(value), operators, expr, scope);
        };
        let name = name.as_str();
        let span = scope.span(root.span());
        if let Some(value) = scope.bound(name) {
            return self.walk(value, operators, expr, scope);
        }
        match name {
            "var" | "local" if scope.sealed => {
                fault(&span, format!("`{name}.` cannot be seen from a template file"), "hand the value in through templatefile's second argument")
            }
            "var" => {
                let (names, rest) = Self::static_names(operators, 1, &span, "var.NAME")?;
                let value = self.names.variable(self, &names[0], &span)?;
                self.copied(&value, rest, expr, scope)
            }
            "local" => {
                let (names, _) = Self::static_names(operators, usize::MAX, &span, "local.NAME")?;
                let (value, used) = self.names.local(self, &names, &span)?;
                self.copied(&value, &operators[used.min(operators.len())..], expr, scope)
            }
            _ if !scope.sealed && self.names.is_reference(name) => reference(name, operators, &span),
            _ => self.unknown(name, &span),
        }
    }

    fn copied(&self, value: &Shared, operators: Operators<'_>, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        self.walk(value, operators, expr, scope)
    }

    fn unknown(&self, name: &str, span: &Span) -> Eval<Value> {
        let known = ["var", "local"].into_iter().chain(self.names.references());
        let help = suggest::help(name, known, "text stands in quotes; values are var.NAME or local.NAME");
        fault(span, unknown_name(name, span), help)
    }

    /// The leading operators that are plain names, at most `most`, and the rest; at least one.
    fn static_names<'e>(operators: Operators<'e>, most: usize, span: &Span, form: &str) -> Eval<(Vec<String>, Operators<'e>)> {
        let names: Vec<String> = operators.iter().take(most).map_while(|operator| static_name(operator.value())).collect();
        if names.is_empty() {
            return fault(span, "a name must follow here", format!("write {form}"));
        }
        let count = names.len();
        Ok((names, &operators[count..]))
    }

    /// Follows operators into a value; copies only what is found at the end.
    fn walk(&self, start: &Value, operators: Operators<'_>, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let mut at = start;
        for (n, operator) in operators.iter().enumerate() {
            if matches!(at, Value::Secret(_)) {
                return Ok(secret());
            }
            let place = operator_span(operator, expr, scope);
            at = match operator.value() {
                TraversalOperator::GetAttr(name) => attribute(at, name.as_str(), &place)?,
                TraversalOperator::LegacyIndex(index) => element(at, &Value::String(index.value().to_string()), &place)?,
                TraversalOperator::Index(index) => {
                    let index = self.eval(index, scope)?;
                    if holds_secret(&index) {
                        return Ok(secret());
                    }
                    element(at, &index, &place)?
                }
                TraversalOperator::FullSplat(_) => return self.splat(at, &operators[n + 1..], &[], expr, scope),
                TraversalOperator::AttrSplat(_) => {
                    let rest = &operators[n + 1..];
                    let names = rest.iter().take_while(|operator| matches!(operator.value(), TraversalOperator::GetAttr(_))).count();
                    return self.splat(at, &rest[..names], &rest[names..], expr, scope);
                }
            };
        }
        self.checked(at.clone(), expr, scope)
    }

    /// `each` is applied to every element, `then` to the list of results.
    fn splat(&self, value: &Value, each: Operators<'_>, then: Operators<'_>, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let results = match value {
            Value::Null => Vec::new(),
            Value::List(items) => items.iter().map(|item| self.walk(item, each, expr, scope)).collect::<Eval<_>>()?,
            single => vec![self.walk(single, each, expr, scope)?],
        };
        self.walk(&Value::List(results), then, expr, scope)
    }
}

/// The place of one operator, or of the whole expression.
fn operator_span(operator: &Decorated<TraversalOperator>, expr: &Expression, scope: &Scope<'_>) -> Span {
    scope.span(operator.span().or_else(|| expr.span()))
}

/// `.name` or `["name"]`.
#[must_use]
pub fn static_name(operator: &TraversalOperator) -> Option<String> {
    match operator {
        TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
        TraversalOperator::Index(Expression::String(text)) => Some(text.value().clone()),
        _ => None,
    }
}

/// A reference as its canonical text: `aws.hk`, `dns_zone["gigadb.org"]`; a provider's type alone is its default.
fn reference(root: &str, operators: Operators<'_>, span: &Span) -> Eval<Value> {
    match operators {
        [] => Ok(Value::Reference(root.to_owned())),
        [only] => match static_name(only.value()) {
            Some(name) => Ok(Value::Reference(Address::new(root, name).to_string())),
            None => fault(span, "a reference names one thing", format!("write {root}.NAME or {root}[\"NAME\"]")),
        },
        _ => {
            let help = format!("a reference is {root}.NAME and nothing behind it: it orders and connects, and has no attributes to read");
            fault(span, format!("a reference to {root} is not a value"), help)
        }
    }
}

fn attribute<'v>(value: &'v Value, name: &str, place: &Span) -> Eval<&'v Value> {
    match value {
        Value::Map(entries) => {
            if let Some(found) = entries.get(name) {
                Ok(found)
            } else {
                let help = suggest::help(name, entries.keys().map(String::as_str), "check the name; lookup() and try() allow a default");
                fault(place, format!("there is no `{}` in this object", short(name)), help)
            }
        }
        Value::List(_) => {
            fault(place, format!("a list has no attribute `{}`", short(name)), format!("name an element with [0], or all of them with [*].{name}"))
        }
        other => fault(place, format!("{} has no attribute `{}`", other.type_word(), short(name)), "only objects and maps have attributes"),
    }
}

fn element<'v>(value: &'v Value, index: &Value, place: &Span) -> Eval<&'v Value> {
    match value {
        Value::Map(_) => match to_text(index) {
            Ok(name) => attribute(value, &name, place),
            Err(what) => fault(place, format!("{what} as a key"), "a key is text"),
        },
        Value::List(items) => {
            let index = to_int(index).or_else(|what| fault(place, format!("{what} as an index"), "the index of a list is a whole number"))?;
            match usize::try_from(index).ok().and_then(|index| items.get(index)) {
                Some(found) => Ok(found),
                None => fault(place, format!("there is no element {index}: the list has {}", items.len()), "indexes begin at 0"),
            }
        }
        other => fault(place, format!("{} has no elements", other.type_word()), "only lists and maps have elements"),
    }
}

/// The text of a traversal's root, if it is a name.
#[must_use]
pub fn root_name(traversal: &Traversal) -> Option<&str> {
    if let Expression::Variable(name) = &traversal.expr { Some(name.as_str()) } else { None }
}

/// What is said of a name that nothing has. In the place of a secret it may be the secret itself, without its quotes.
#[must_use]
pub fn unknown_name(name: &str, span: &Span) -> String {
    if span.is_blanked() { "a word that is no name".to_owned() } else { format!("unknown name `{}`", short(name)) }
}
