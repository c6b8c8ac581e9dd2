//! Expressions → values: a walk of our own over the parser's tree, with places on every error and limits on everything.
//!
//! Conditionals, `&&` and `||` evaluate only what they need. A secret (a sensitive variable, `sensitive()`) is never evaluated:
//! it is [`Value::Secret`], and whatever is made of one is one too.

mod call;
mod collect;
pub mod convert;
mod operate;
mod template;
mod traverse;

pub use call::{SPECIAL, check_name};
pub use traverse::{root_name, static_name, unknown_name};

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use indexmap::IndexMap;

use super::names::Names;
use crate::model::{Number, Problem, SecretRef, SourceFile, Span, Value};

/// The work that reading one environment may take, in steps of one node or 64 bytes of text: about ten seconds at the very most.
pub const MAX_STEPS: u64 = 20_000_000;
/// The longest text that an expression may give, in bytes.
pub const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;
/// The most elements that one value may hold, inner ones included.
pub const MAX_ELEMENTS: u64 = 250_000;
/// The deepest nesting of a value.
pub const MAX_VALUE_DEPTH: usize = 100;
/// The deepest nesting of evaluation, template files included.
const MAX_EVAL_DEPTH: u32 = 250;

/// Why an expression has no value.
#[derive(Debug, Clone)]
pub enum Fault {
    /// What is wrong, not yet reported.
    Problem(Box<Problem>),
    /// What is wrong has been reported where it stands (in a local, in a variable).
    Reported,
}

/// A value, or why there is none.
pub type Eval<T> = Result<T, Fault>;

/// An error at a place.
pub fn fault<T>(span: &Span, summary: impl Into<String>, help: impl Into<String>) -> Eval<T> {
    Err(Fault::Problem(Box::new(Problem::error(span, summary, help))))
}

/// A name that a `for` binds.
struct Binding<'s> {
    name: &'s str,
    value: &'s Value,
    next: Option<&'s Binding<'s>>,
}

/// Where an expression stands, and which names it sees besides the environment's.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    file: &'s Arc<SourceFile>,
    bindings: Option<&'s Binding<'s>>,
    /// The names that a template file was given.
    given: Option<&'s IndexMap<String, Value>>,
    /// Whether `var.` and `local.` can be seen: not from a template file.
    sealed: bool,
}

impl<'s> Scope<'s> {
    /// The scope of a file: no names but the environment's.
    #[must_use]
    pub fn of(file: &'s Arc<SourceFile>) -> Self {
        Scope { file, bindings: None, given: None, sealed: false }
    }

    fn bound(&self, name: &str) -> Option<&'s Value> {
        let mut next = self.bindings;
        while let Some(binding) = next {
            if binding.name == name {
                return Some(binding.value);
            }
            next = binding.next;
        }
        self.given.and_then(|given| given.get(name))
    }

    /// A place in this scope's file.
    #[must_use]
    pub fn span(&self, range: Option<Range<usize>>) -> Span {
        Span { file: Arc::clone(self.file), range: range.unwrap_or(0..0) }
    }
}

/// Evaluates expressions of one environment, and counts the work.
pub struct Evaluator<'a> {
    names: &'a dyn Names,
    steps: Cell<u64>,
    depth: Cell<u32>,
    templates: RefCell<Vec<PathBuf>>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator with all its steps left.
    #[must_use]
    pub fn new(names: &'a dyn Names) -> Self {
        Evaluator { names, steps: Cell::new(0), depth: Cell::new(0), templates: RefCell::new(Vec::new()) }
    }

    /// The value of an expression.
    pub fn eval(&self, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        self.spend(1, expr, scope)?;
        let depth = self.depth.get();
        if depth >= MAX_EVAL_DEPTH {
            return fault(&scope.span(expr.span()), "expression nested too deeply", "split it into locals");
        }
        self.depth.set(depth + 1);
        let result = self.dispatch(expr, scope);
        self.depth.set(depth);
        result
    }

    fn dispatch(&self, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        match expr {
            Expression::Null(_) => Ok(Value::Null),
            Expression::Bool(b) => Ok(Value::Bool(*b.value())),
            Expression::Number(number) => number_literal(number.value(), expr, scope),
            Expression::String(text) => Ok(Value::String(text.value().clone())),
            Expression::Array(array) => self.array(array, scope),
            Expression::Object(object) => self.object(object, expr, scope),
            Expression::StringTemplate(template) => self.quoted_template(template, expr, scope),
            Expression::HeredocTemplate(heredoc) => self.whole_template(&heredoc.template, expr, scope),
            Expression::Parenthesis(inner) => self.eval(inner.inner(), scope),
            Expression::Variable(_) | Expression::Traversal(_) => self.traverse(expr, scope),
            Expression::Conditional(conditional) => self.conditional(conditional, scope),
            Expression::FuncCall(call) => self.call(call, expr, scope),
            Expression::UnaryOp(op) => self.unary(op, scope),
            Expression::BinaryOp(op) => self.binary(op, expr, scope),
            Expression::ForExpr(each) => self.for_expr(each, expr, scope),
        }
    }

    /// Counts work, and ends it when there was too much.
    fn spend(&self, steps: u64, expr: &Expression, scope: &Scope<'_>) -> Eval<()> {
        let spent = self.steps.get().saturating_add(steps);
        self.steps.set(spent);
        if spent > MAX_STEPS {
            return fault(&scope.span(expr.span()), "the expressions take too much work", "make the lists that are computed here smaller");
        }
        Ok(())
    }

    /// Counts a new value, and refuses one that is too large or too deep.
    fn checked(&self, value: Value, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let weight = convert::weigh(&value);
        self.spend(weight.nodes + weight.bytes / 64, expr, scope)?;
        Self::bounded(&weight, expr, scope).map(|()| value)
    }

    /// A value that becomes part of a larger one, of which `sum` is what there is so far: refused before it has grown, not after.
    fn part(&self, expr: &Expression, sum: &mut convert::Weight, scope: &Scope<'_>) -> Eval<Value> {
        let value = self.eval(expr, scope)?;
        let weight = convert::weigh(&value);
        sum.nodes += weight.nodes;
        sum.bytes += weight.bytes;
        Self::bounded(sum, expr, scope).map(|()| value)
    }

    fn bounded(weight: &convert::Weight, expr: &Expression, scope: &Scope<'_>) -> Eval<()> {
        let what = if weight.depth > MAX_VALUE_DEPTH {
            format!("the value is nested more than {MAX_VALUE_DEPTH} levels deep")
        } else if weight.nodes > MAX_ELEMENTS {
            format!("the value has more than {MAX_ELEMENTS} elements")
        } else if weight.bytes > MAX_TEXT_BYTES as u64 {
            format!("the value is larger than {} MiB", MAX_TEXT_BYTES / 1024 / 1024)
        } else {
            return Ok(());
        };
        fault(&scope.span(expr.span()), what, "compute less here")
    }

    /// What must be true or false; none when it is secret.
    fn condition(&self, expr: &Expression, scope: &Scope<'_>) -> Eval<Option<bool>> {
        let value = self.eval(expr, scope)?;
        if convert::holds_secret(&value) {
            return Ok(None);
        }
        match convert::to_bool(&value) {
            Ok(b) => Ok(Some(b)),
            Err(what) => fault(&scope.span(expr.span()), what, "a condition is true or false: compare with == or !="),
        }
    }
}

/// The mark of a secret while evaluating; what stands in the plan is made from the attribute's expression.
#[must_use]
pub fn secret() -> Value {
    Value::Secret(SecretRef::Expression { expression: String::new(), refers_to: Vec::new() })
}

/// A value behind a pointer, so that looking into a large local does not copy it.
pub type Shared = Rc<Value>;

fn number_literal(number: &hcl_edit::Number, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
    if let Some(n) = number.as_i64() {
        return Ok(Value::Number(Number::Int(n)));
    }
    match number.as_f64() {
        Some(n) if n.is_finite() && n.abs() < convert::EXACT => Ok(Value::Number(Number::Float(n))),
        _ => fault(&scope.span(expr.span()), "the number has more digits than can be kept", "write it as text, in quotes"),
    }
}
