//! A secret's expression as the text that stands in a plan: locals expanded, paths relative to the root, comments gone, one
//! line. Finds literals in it that may themselves be secret.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::{Directive, Element, Strip, Template};

use super::reference;
use crate::declare::context::{Context, span};
use crate::declare::eval::{self, Eval, Evaluator, Scope, fault, static_name};
use crate::declare::files;
use crate::model::{SecretRef, SourceFile, Value};

/// The longest text of one secret in a plan, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// Stands for what is not literal while a URL is looked at.
const HOLE: char = '\u{0}';

/// Writes one expression.
pub struct Printer<'p, 'a> {
    context: &'p Context<'a>,
    evaluator: &'p Evaluator<'p>,
    file: &'p Arc<SourceFile>,
    /// The text so far.
    pub text: String,
    /// Names it refers to: `env.X`, `var.y`, `file.PATH`.
    pub refers_to: BTreeSet<String>,
    /// Whether a literal may become (a part of) the value that is secret.
    pub literal: bool,
}

impl<'p, 'a> Printer<'p, 'a> {
    /// A printer for expressions of one file.
    pub fn new(context: &'p Context<'a>, evaluator: &'p Evaluator<'p>, file: &'p Arc<SourceFile>) -> Self {
        Printer { context, evaluator, file, text: String::new(), refers_to: BTreeSet::new(), literal: false }
    }

    /// Prints. `result`: whether the expression's value can become the secret itself, so that a literal here is one. `depth`
    /// counts the locals that led here.
    pub fn print(&mut self, expr: &Expression, result: bool, depth: usize) -> Eval<()> {
        if self.text.len() > MAX_TEXT {
            return fault(&span(self.file, expr.span()), format!("the expression of a secret is longer than {} KiB", MAX_TEXT / 1024), "shorten it");
        }
        match expr {
            Expression::Null(_) => self.text.push_str("null"),
            Expression::Bool(b) => self.text.push_str(if *b.value() { "true" } else { "false" }),
            Expression::Number(number) => {
                self.literal |= result;
                let _ = write!(self.text, "{}", number.value());
            }
            Expression::String(text) => {
                self.literal |= result && !text.is_empty() || holds_password(text.value());
                quote(text.value(), &mut self.text);
            }
            Expression::Array(items) => self.list("[", items.iter(), "]", |_| result, depth)?,
            Expression::Object(object) => self.object(object, result, depth)?,
            Expression::StringTemplate(template) => self.template(template, result, depth)?,
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template, result, depth)?,
            Expression::Parenthesis(inner) => {
                self.text.push('(');
                self.print(inner.inner(), result, depth)?;
                self.text.push(')');
            }
            Expression::Variable(name) => self.text.push_str(name.as_str()),
            Expression::Traversal(traversal) => self.traversal(traversal, result, depth)?,
            Expression::Conditional(choice) => {
                self.print(&choice.cond_expr, false, depth)?;
                self.text.push_str(" ? ");
                self.print(&choice.true_expr, result, depth)?;
                self.text.push_str(" : ");
                self.print(&choice.false_expr, result, depth)?;
            }
            Expression::FuncCall(call) => self.call(call, result, depth)?,
            Expression::UnaryOp(op) => {
                self.text.push_str(op.operator.value().as_str());
                self.print(&op.expr, false, depth)?;
            }
            Expression::BinaryOp(op) => {
                self.print(&op.lhs_expr, false, depth)?;
                let _ = write!(self.text, " {} ", op.operator.value().as_str());
                self.print(&op.rhs_expr, false, depth)?;
            }
            Expression::ForExpr(each) => self.for_expr(each, result, depth)?,
        }
        Ok(())
    }

    fn list<'e>(
        &mut self,
        open: &str,
        items: impl Iterator<Item = &'e Expression>,
        close: &str,
        result: impl Fn(usize) -> bool,
        depth: usize,
    ) -> Eval<()> {
        self.text.push_str(open);
        for (n, item) in items.enumerate() {
            if n > 0 {
                self.text.push_str(", ");
            }
            self.print(item, result(n), depth)?;
        }
        self.text.push_str(close);
        Ok(())
    }

    fn object(&mut self, object: &Object, result: bool, depth: usize) -> Eval<()> {
        self.text.push('{');
        for (n, (key, value)) in object.iter().enumerate() {
            self.text.push_str(if n > 0 { ", " } else { " " });
            match key {
                ObjectKey::Ident(ident) => self.text.push_str(ident.as_str()),
                ObjectKey::Expression(Expression::String(text)) => quote(text.value(), &mut self.text),
                ObjectKey::Expression(key) => {
                    self.text.push('(');
                    self.print(key, false, depth)?;
                    self.text.push(')');
                }
            }
            self.text.push_str(" = ");
            self.print(value.expr(), result, depth)?;
        }
        self.text.push_str(" }");
        Ok(())
    }

    fn for_expr(&mut self, each: &hcl_edit::expr::ForExpr, result: bool, depth: usize) -> Eval<()> {
        let map = each.key_expr.is_some();
        self.text.push_str(if map { "{for " } else { "[for " });
        if let Some(key) = &each.intro.key_var {
            let _ = write!(self.text, "{}, ", key.as_str());
        }
        let _ = write!(self.text, "{} in ", each.intro.value_var.as_str());
        self.print(&each.intro.collection_expr, result, depth)?;
        self.text.push_str(" : ");
        if let Some(key) = &each.key_expr {
            self.print(key, false, depth)?;
            self.text.push_str(" => ");
        }
        self.print(&each.value_expr, result, depth)?;
        if each.grouping {
            self.text.push_str("...");
        }
        if let Some(condition) = &each.cond {
            self.text.push_str(" if ");
            self.print(&condition.expr, false, depth)?;
        }
        self.text.push(if map { '}' } else { ']' });
        Ok(())
    }

    fn traversal(&mut self, traversal: &Traversal, result: bool, depth: usize) -> Eval<()> {
        let path: Vec<String> = traversal.operators.iter().map_while(|operator| static_name(operator.value())).collect();
        let mut used = 0;
        match (eval::root_name(traversal), path.first()) {
            (Some("var"), Some(name)) => {
                self.variable(name);
                used = 1;
            }
            (Some("local"), Some(_)) => {
                let Some((unit, count)) = self.context.locals.find(&path) else { return Err(eval::Fault::Reported) };
                let local = self.context.locals.get(unit);
                let inner = reference(self.context, self.evaluator, local.file, local.expr, &format!("locals.{}", local.name), depth + 1)?;
                self.embed(inner);
                used = count;
            }
            _ => self.print(&traversal.expr, result, depth)?,
        }
        for operator in &traversal.operators[used..] {
            match operator.value() {
                TraversalOperator::AttrSplat(_) => self.text.push_str(".*"),
                TraversalOperator::FullSplat(_) => self.text.push_str("[*]"),
                TraversalOperator::GetAttr(name) => {
                    let _ = write!(self.text, ".{}", name.as_str());
                }
                TraversalOperator::LegacyIndex(n) => {
                    let _ = write!(self.text, "[{}]", n.value());
                }
                TraversalOperator::Index(index) => self.list("[", std::iter::once(index), "]", |_| false, depth)?,
            }
        }
        Ok(())
    }

    /// A variable keeps its name; where its default counts now, the default's place stands behind it.
    fn variable(&mut self, name: &str) {
        self.refers_to.insert(format!("var.{name}"));
        if self.context.variables.uses_default(name, self.context.env_vars)
            && let Some(SecretRef::Literal { file, attribute }) = super::default_place(self.context, name)
        {
            let _ = write!(self.text, "try(var.{name}, ");
            self.declared(&file, &attribute);
            self.text.push(')');
        } else {
            let _ = write!(self.text, "var.{name}");
        }
    }

    fn declared(&mut self, file: &str, attribute: &str) {
        self.refers_to.insert(format!("file.{file}"));
        self.text.push_str("declared(");
        quote(file, &mut self.text);
        self.text.push_str(", ");
        quote(attribute, &mut self.text);
        self.text.push(')');
    }

    /// Another secret's text within this one.
    fn embed(&mut self, inner: SecretRef) {
        match inner {
            SecretRef::Literal { file, attribute } => self.declared(&file, &attribute),
            SecretRef::Expression { expression, refers_to } => {
                self.refers_to.extend(refers_to);
                let _ = write!(self.text, "({expression})");
            }
        }
    }

    fn call(&mut self, call: &FuncCall, result: bool, depth: usize) -> Eval<()> {
        let name = call.name.name.as_str();
        let mut skip = 0;
        if matches!(name, "env" | "file" | "templatefile")
            && let Some(first) = call.args.get(0)
        {
            let value = self.evaluator.eval(first, &Scope::of(self.file))?;
            if let Value::String(text) = value {
                self.source(name, &text, first)?;
                skip = 1;
            }
        }
        if skip == 0 {
            let _ = write!(self.text, "{name}(");
        } else if call.args.len() > 1 {
            self.text.push_str(", ");
        }
        self.list("", call.args.iter().skip(skip), "", |n| result && becomes_result(name, n + skip), depth)?;
        self.text.push_str(if call.args.expand_final() { "...)" } else { ")" });
        if name == "format"
            && let Some(text) = call.args.get(0).and_then(Expression::as_str)
        {
            self.literal |= holds_password(&text.replace("%s", "\u{0}"));
        }
        Ok(())
    }

    /// `env("X"` or `file("PATH"`, with the path as it is seen from the root.
    fn source(&mut self, name: &str, text: &str, at: &Expression) -> Eval<()> {
        let shown = if name == "env" {
            self.refers_to.insert(format!("env.{text}"));
            text.to_owned()
        } else {
            let found = files::find(self.context.root, self.file, text).or_else(|(what, help)| fault(&span(self.file, at.span()), what, help))?;
            self.refers_to.insert(format!("file.{}", found.shown));
            found.shown
        };
        let _ = write!(self.text, "{name}(");
        quote(&shown, &mut self.text);
        Ok(())
    }

    fn template(&mut self, template: &Template, result: bool, depth: usize) -> Eval<()> {
        let mut skeleton = String::new();
        for element in template {
            match element {
                Element::Literal(text) => skeleton.push_str(text.value()),
                _ => skeleton.push(HOLE),
            }
        }
        let only_text = template.iter().all(Element::is_literal);
        self.literal |= holds_password(&skeleton) || only_text && result;
        self.text.push('"');
        self.elements(template, result, depth)?;
        self.text.push('"');
        Ok(())
    }

    fn elements(&mut self, template: &Template, result: bool, depth: usize) -> Eval<()> {
        for element in template {
            match element {
                Element::Literal(text) => escape(text.value(), &mut self.text),
                Element::Interpolation(interpolation) => {
                    self.open("${", interpolation.strip);
                    self.print(&interpolation.expr, result, depth)?;
                    self.close(interpolation.strip);
                }
                Element::Directive(directive) => self.directive(directive, result, depth)?,
            }
        }
        Ok(())
    }

    fn directive(&mut self, directive: &Directive, result: bool, depth: usize) -> Eval<()> {
        match directive {
            Directive::If(choice) => {
                self.open("%{", choice.if_expr.strip);
                self.text.push_str(" if ");
                self.print(&choice.if_expr.cond_expr, false, depth)?;
                self.close(choice.if_expr.strip);
                self.elements(&choice.if_expr.template, result, depth)?;
                if let Some(other) = &choice.else_expr {
                    self.tag("else", other.strip);
                    self.elements(&other.template, result, depth)?;
                }
                self.tag("endif", choice.endif_expr.strip);
            }
            Directive::For(each) => {
                self.open("%{", each.for_expr.strip);
                self.text.push_str(" for ");
                if let Some(key) = &each.for_expr.key_var {
                    let _ = write!(self.text, "{}, ", key.as_str());
                }
                let _ = write!(self.text, "{} in ", each.for_expr.value_var.as_str());
                self.print(&each.for_expr.collection_expr, result, depth)?;
                self.close(each.for_expr.strip);
                self.elements(&each.for_expr.template, result, depth)?;
                self.tag("endfor", each.endfor_expr.strip);
            }
        }
        Ok(())
    }

    fn tag(&mut self, word: &str, strip: Strip) {
        self.open("%{", strip);
        let _ = write!(self.text, " {word} ");
        self.close(strip);
    }

    fn open(&mut self, marker: &str, strip: Strip) {
        self.text.push_str(marker);
        self.text.push_str(if strip.strip_start() { "~" } else { "" });
    }

    fn close(&mut self, strip: Strip) {
        self.text.push_str(if strip.strip_end() { "~}" } else { "}" });
    }
}

/// Whether a function's argument can come out as its result, so that a literal there may be the secret.
fn becomes_result(function: &str, argument: usize) -> bool {
    match function {
        "format" | "join" | "formatlist" | "length" | "keys" | "contains" | "startswith" | "endswith" | "can" | "file" | "index" => false,
        "env" | "templatefile" | "split" => argument == 1,
        "lookup" => argument != 1,
        "try" | "coalesce" | "coalescelist" | "sensitive" | "merge" | "concat" | "zipmap" | "flatten" | "compact" | "distinct" | "setunion" => true,
        _ => argument == 0,
    }
}

/// How the names of parameters end whose values are secret.
const SECRET_NAMES: [&str; 13] =
    ["password", "passwd", "passphrase", "pwd", "secret", "token", "access_key", "apikey", "api_key", "api-key", "signature", "credential", "sig"];

/// Whether a text (with holes for what is not literal) is a URL with a literal password in it.
#[must_use]
pub fn holds_password(text: &str) -> bool {
    let literal = |part: &str| part.chars().any(|c| c != HOLE);
    let named = text.split(['?', '&', ';', '#', ' ', '\t', '\n']).filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        let name = name.trim().to_ascii_lowercase();
        literal(value.trim().trim_matches('\'')) && SECRET_NAMES.iter().any(|secret| name.ends_with(secret))
    });
    let Some((_, rest)) = text.split_once("://") else { return named };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    // A password may hold an unescaped slash, which ends the authority early: look at everything before the last `@` then.
    let user = authority.rsplit_once('@').or_else(|| rest.rsplit_once('@')).map_or("", |(user, _)| user);
    named || user.split_once(':').is_some_and(|(_, password)| literal(password))
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    escape(text, out);
    out.push('"');
}

/// Text within quotes.
fn escape(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => out.extend([c, c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}
