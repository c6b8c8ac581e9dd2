//! Secret attributes: what stands in the plan instead of their values, and the values when a door is opened.

mod address;
mod print;
mod resolver;

#[cfg(test)]
mod tests;

pub use address::words as address_words;
pub use print::holds_password;
pub use resolver::Resolver;

use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall, Traversal};
use hcl_edit::template::Element;
use hcl_edit::visit::{self, Visit};

use super::context::{Context, span};
use super::eval::{self, Eval, Evaluator, Fault, Scope, fault, static_name};
use crate::model::{Problem, SecretRef, SourceFile, Value};
use print::Printer;

/// How many locals may lead from one to the next within a secret.
const MAX_LOCALS: usize = 40;

/// A secret attribute: where it stands, and what it is called there.
pub struct Attribute<'s> {
    /// Its file.
    pub file: &'s Arc<SourceFile>,
    /// Its expression.
    pub expr: &'s Expression,
    /// `provider.cloudflare.api_token`.
    pub address: String,
    /// Whether it is a URL, of which only the password is secret.
    pub url: bool,
}

/// What a secret attribute stands for: never its value, unless it is a URL without anything secret in it. Lists and maps keep
/// their form. Literals are warned about.
pub fn value(context: &Context<'_>, evaluator: &Evaluator<'_>, attribute: &Attribute<'_>) -> Eval<Value> {
    match attribute.expr {
        Expression::Null(_) => return Ok(Value::Null),
        Expression::Array(items) => {
            let one = |(n, expr): (usize, &Expression)| {
                value(context, evaluator, &Attribute { expr, address: format!("{}[{n}]", attribute.address), ..*attribute })
            };
            return items.iter().enumerate().map(one).collect::<Eval<_>>().map(Value::List);
        }
        Expression::Object(_) => return fault(&span(attribute.file, attribute.expr.span()), "a map where a secret text is needed", "give one text"),
        _ => {}
    }
    if attribute.url
        && let Some(plain) = plain_url(context, evaluator, attribute)?
    {
        return Ok(plain);
    }
    let reference = reference(context, evaluator, attribute.file, attribute.expr, &attribute.address, 0)?;
    if let SecretRef::Literal { file, attribute: place } = &reference {
        warn(context, attribute, file, place);
    }
    Ok(Value::Secret(reference))
}

/// The URL itself, when nothing in it comes from outside or is secret, and it holds no password.
fn plain_url(context: &Context<'_>, evaluator: &Evaluator<'_>, attribute: &Attribute<'_>) -> Eval<Option<Value>> {
    if from_outside(context, attribute.expr, 0) {
        return Ok(None);
    }
    match evaluator.eval(attribute.expr, &Scope::of(attribute.file))? {
        Value::Null => Ok(Some(Value::Null)),
        Value::String(text) if !print::holds_password(&text) => Ok(Some(Value::String(text))),
        _ => Ok(None),
    }
}

/// Whether an expression, or a local in it, reads environment variables or files.
fn from_outside(context: &Context<'_>, expr: &Expression, depth: usize) -> bool {
    struct Search<'s, 'a> {
        context: &'s Context<'a>,
        depth: usize,
        found: bool,
    }
    impl Visit for Search<'_, '_> {
        fn visit_func_call(&mut self, call: &FuncCall) {
            self.found |= matches!(call.name.name.as_str(), "env" | "file" | "templatefile");
            visit::visit_func_call(self, call);
        }

        fn visit_traversal(&mut self, traversal: &Traversal) {
            if eval::root_name(traversal) == Some("local") {
                let path: Vec<String> = traversal.operators.iter().map_while(|operator| static_name(operator.value())).collect();
                let local = self.context.locals.find(&path).map(|(unit, _)| self.context.locals.get(unit));
                self.found |= local.is_none_or(|local| from_outside(self.context, local.expr, self.depth + 1));
            }
            visit::visit_traversal(self, traversal);
        }
    }
    let mut search = Search { context, depth, found: depth > MAX_LOCALS };
    if !search.found {
        search.visit_expr(expr);
    }
    search.found
}

fn warn(context: &Context<'_>, attribute: &Attribute<'_>, file: &str, place: &str) {
    let what = if place.ends_with(".default") && place.starts_with("variable.") {
        format!("a variable's default in {file} is used as a secret")
    } else {
        "a literal secret in a file".to_owned()
    };
    let help = "write env(\"NAME\") and set that environment variable; in a plan stands the place, and the literal must still be there at apply";
    let mut problem = Problem::warning(&span(attribute.file, attribute.expr.span()), what, help);
    problem.secret = true;
    context.report(problem);
}

/// What stands in the plan for an expression at an address.
fn reference(
    context: &Context<'_>,
    evaluator: &Evaluator<'_>,
    file: &Arc<SourceFile>,
    expr: &Expression,
    address: &str,
    depth: usize,
) -> Eval<SecretRef> {
    if depth > MAX_LOCALS {
        return fault(
            &span(file, expr.span()),
            format!("more than {MAX_LOCALS} locals lead from one to the next in a secret"),
            "refer to the source directly",
        );
    }
    match expr {
        Expression::Parenthesis(inner) => return reference(context, evaluator, file, inner.inner(), address, depth),
        Expression::StringTemplate(template) => {
            if let Some(Element::Interpolation(only)) = template.as_single_element() {
                return reference(context, evaluator, file, &only.expr, address, depth);
            }
        }
        Expression::FuncCall(call) if call.name.name.as_str() == "sensitive" && call.args.len() == 1 => {
            if let Some(inner) = call.args.get(0) {
                return reference(context, evaluator, file, inner, address, depth);
            }
        }
        Expression::Traversal(traversal) => {
            let path: Vec<String> = traversal.operators.iter().map_while(|operator| static_name(operator.value())).collect();
            let whole = path.len() == traversal.operators.len();
            match (eval::root_name(traversal), path.as_slice()) {
                (Some("var"), [name]) if whole && context.variables.uses_default(name, context.env_vars) => {
                    if let Some(found) = default_place(context, name) {
                        return Ok(found);
                    }
                }
                (Some("local"), _) if whole => {
                    if let Some((unit, used)) = context.locals.find(&path)
                        && used == path.len()
                    {
                        let local = context.locals.get(unit);
                        return reference(context, evaluator, local.file, local.expr, &format!("locals.{}", local.name), depth + 1);
                    }
                }
                _ => {}
            }
        }
        _ => {}
    }
    let mut printer = Printer::new(context, evaluator, file);
    printer.print(expr, true, depth)?;
    let literal = SecretRef::Literal { file: file.path.clone(), attribute: address.to_owned() };
    // What is made of nothing from outside is a literal, however it is put together; and what does not read back as it was
    // written cannot stand in a plan.
    let constant = printer.refers_to.is_empty() && !matches!(printer.text.as_str(), "null" | "\"\"");
    if printer.literal || constant || hcl_edit::parser::parse_expr(&printer.text).is_err() {
        return Ok(literal);
    }
    Ok(SecretRef::Expression { expression: printer.text, refers_to: printer.refers_to.into_iter().collect() })
}

/// Where a variable's default stands.
fn default_place(context: &Context<'_>, name: &str) -> Option<SecretRef> {
    let variable = context.variables.get(name)?;
    variable.default?;
    Some(SecretRef::Literal { file: variable.file.path.clone(), attribute: address::words(&["variable", name, "default"]) })
}

/// Reports a fault about a secret; its excerpt is not shown.
pub fn report(context: &Context<'_>, fault: Fault) {
    match fault {
        Fault::Problem(mut problem) => {
            problem.secret = true;
            context.report(*problem);
        }
        Fault::Reported => context.unexplained.set(true),
    }
}
