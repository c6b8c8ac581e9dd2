//! Templates: interpolations, `%{if}`, `%{for}` and the `~` strip markers.

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::template::{Directive, Element, ForDirective, IfDirective, StringTemplate, Template};

use super::convert::{elements, holds_secret, to_text};
use super::{Binding, Eval, Evaluator, MAX_TEXT_BYTES, Scope, fault, secret};
use crate::model::Value;

/// The text made so far, and whether a secret went into it.
#[derive(Default)]
struct Output {
    text: String,
    secret: bool,
}

impl Evaluator<'_> {
    /// A quoted template: `"${x}"` alone is `x` itself, whatever its type.
    pub(super) fn quoted_template(&self, template: &StringTemplate, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.eval(&only.expr, scope);
        }
        self.whole_template(template, expr, scope)
    }

    /// A template as text.
    pub(super) fn whole_template(&self, template: &Template, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let mut output = Output::default();
        self.render(template, (false, false), &mut output, expr, scope)?;
        Ok(if output.secret { secret() } else { Value::String(output.text) })
    }

    /// `strip`: whether the tag before the template, and the one behind it, eats the white space next to it.
    fn render(&self, template: &Template, strip: (bool, bool), output: &mut Output, expr: &Expression, scope: &Scope<'_>) -> Eval<()> {
        for (n, element) in template.iter().enumerate() {
            match element {
                Element::Literal(literal) => {
                    let before = n.checked_sub(1).and_then(|n| template.get(n)).map_or(strip.0, strips_after);
                    let after = template.get(n + 1).map_or(strip.1, strips_before);
                    let mut text = literal.value().as_str();
                    text = if before { text.trim_start() } else { text };
                    text = if after { text.trim_end() } else { text };
                    self.push(text, output, expr, scope)?;
                }
                Element::Interpolation(interpolation) => {
                    let value = self.eval(&interpolation.expr, scope)?;
                    if holds_secret(&value) {
                        output.secret = true;
                        continue;
                    }
                    match to_text(&value) {
                        Ok(text) => self.push(&text, output, expr, scope)?,
                        Err(what) => {
                            let help = if matches!(value, Value::List(_) | Value::Map(_)) {
                                "name one element, or use join() or jsonencode()"
                            } else {
                                "only text, numbers and bools can stand in a template"
                            };
                            return fault(&scope.span(interpolation.expr.span()), format!("{what} in a template"), help);
                        }
                    }
                }
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => self.if_directive(directive, output, expr, scope)?,
                    Directive::For(directive) => self.for_directive(directive, output, expr, scope)?,
                },
            }
        }
        Ok(())
    }

    fn push(&self, text: &str, output: &mut Output, expr: &Expression, scope: &Scope<'_>) -> Eval<()> {
        self.spend(1 + text.len() as u64 / 64, expr, scope)?;
        if output.text.len() + text.len() > MAX_TEXT_BYTES {
            return fault(&scope.span(expr.span()), format!("the text is larger than {} MiB", MAX_TEXT_BYTES / 1024 / 1024), "make it shorter");
        }
        output.text.push_str(text);
        Ok(())
    }

    fn if_directive(&self, directive: &IfDirective, output: &mut Output, expr: &Expression, scope: &Scope<'_>) -> Eval<()> {
        let end = directive.endif_expr.strip.strip_start();
        let taken = &directive.if_expr;
        let Some(condition) = self.condition(&taken.cond_expr, scope)? else {
            output.secret = true;
            return Ok(());
        };
        if condition {
            let behind = directive.else_expr.as_ref().map_or(end, |other| other.strip.strip_start());
            return self.render(&taken.template, (taken.strip.strip_end(), behind), output, expr, scope);
        }
        match &directive.else_expr {
            Some(other) => self.render(&other.template, (other.strip.strip_end(), end), output, expr, scope),
            None => Ok(()),
        }
    }

    fn for_directive(&self, directive: &ForDirective, output: &mut Output, expr: &Expression, scope: &Scope<'_>) -> Eval<()> {
        let each = &directive.for_expr;
        let collection = self.eval(&each.collection_expr, scope)?;
        if matches!(collection, Value::Secret(_)) {
            output.secret = true;
            return Ok(());
        }
        let Some(items) = elements(&collection) else {
            let what = format!("{} where a list or map is needed", collection.type_word());
            return fault(&scope.span(each.collection_expr.span()), what, "%{for} walks a list or a map");
        };
        let strip = (each.strip.strip_end(), directive.endfor_expr.strip.strip_start());
        for (key, item) in &items {
            let value = Binding { name: each.value_var.as_str(), value: item, next: scope.bindings };
            let name = each.key_var.as_ref().map_or("", |ident| ident.as_str());
            let both = Binding { name, value: key, next: Some(&value) };
            let inner = Scope { bindings: Some(&both), ..*scope };
            self.render(&each.template, strip, output, expr, &inner)?;
        }
        Ok(())
    }
}

/// Whether an element eats the white space behind it.
fn strips_after(element: &Element) -> bool {
    match element {
        Element::Literal(_) => false,
        Element::Interpolation(interpolation) => interpolation.strip.strip_end(),
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => directive.endif_expr.strip.strip_end(),
            Directive::For(directive) => directive.endfor_expr.strip.strip_end(),
        },
    }
}

/// Whether an element eats the white space before it.
fn strips_before(element: &Element) -> bool {
    match element {
        Element::Literal(_) => false,
        Element::Interpolation(interpolation) => interpolation.strip.strip_start(),
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => directive.if_expr.strip.strip_start(),
            Directive::For(directive) => directive.for_expr.strip.strip_start(),
        },
    }
}
