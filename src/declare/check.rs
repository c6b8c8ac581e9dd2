//! A look at an expression without evaluating it: are all its names there? So a secret's expression is checked without its
//! value, and a branch that is not taken too.

use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Conditional, Expression, ForExpr, FuncCall, Traversal};
use hcl_edit::template::ForDirective;
use hcl_edit::visit::{self, Visit};

use super::context::{Context, span};
use super::eval::{self, static_name};
use super::schema::not_declared;
use super::suggest;
use crate::model::{Address, Problem, SourceFile};

/// Reports unknown names of an expression and notes the known ones as used. False when something was wrong.
pub fn names(context: &Context<'_>, file: &Arc<SourceFile>, expr: &Expression) -> bool {
    let mut check = Check { context, file, bound: Vec::new(), in_branch: false, good: true };
    check.visit_expr(expr);
    check.good
}

struct Check<'c, 'a> {
    context: &'c Context<'a>,
    file: &'c Arc<SourceFile>,
    bound: Vec<String>,
    /// Inside a branch of a conditional, which may never be taken.
    in_branch: bool,
    good: bool,
}

impl Check<'_, '_> {
    fn missing(&mut self, range: Option<std::ops::Range<usize>>, summary: String, help: String) {
        self.good = false;
        self.context.report_missing(Problem::error(&span(self.file, range), summary, help));
    }

    fn known(&self, name: &str) -> bool {
        self.bound.iter().any(|bound| bound == name) || self.context.reference_roots.contains(&name)
    }

    /// Binds names for as long as `body` looks.
    fn bind(&mut self, names: [Option<&str>; 2], body: impl FnOnce(&mut Self)) {
        let before = self.bound.len();
        self.bound.extend(names.into_iter().flatten().map(str::to_owned));
        body(self);
        self.bound.truncate(before);
    }

    fn variable(&mut self, name: Option<&String>, range: Option<std::ops::Range<usize>>) {
        let Some(name) = name else {
            return self.missing(range, "`var` needs a name behind it".to_owned(), "write var.NAME".to_owned());
        };
        if self.context.variables.get(name).is_some() {
            self.context.mentioned_variables.borrow_mut().insert(name.clone());
            return;
        }
        let help = suggest::help(name, self.context.variables.names(), &format!("declare it: variable \"{}\" {{}}", eval::convert::short(name)));
        self.missing(range, format!("unknown variable `{}`", eval::convert::short(name)), help);
    }

    /// A reference in a branch of a conditional: should the branch be taken one day, what it names must be there.
    fn reference(&mut self, root: &str, path: &[String], traversal: &Traversal) {
        let (true, [name]) = (self.in_branch && self.context.reference_roots.contains(&root), path) else { return };
        let reference = Address::new(root, name.as_str()).to_string();
        if traversal.operators.len() == 1 && !self.context.declared.contains_key(&reference) {
            let help = not_declared(self.context, root, &reference);
            self.missing(traversal.span(), format!("reference to `{reference}`, which is not declared"), help);
        }
    }

    fn local(&mut self, path: &[String], range: Option<std::ops::Range<usize>>) {
        match (self.context.locals.find(path), path.first()) {
            (Some((unit, _)), _) => {
                self.context.mentioned_locals.borrow_mut().insert(unit);
            }
            (None, Some(name)) => {
                let help = suggest::help(name, self.context.locals.names(), &format!("define it: locals {{ {} = … }}", eval::convert::short(name)));
                self.missing(range, format!("unknown local `{}`", eval::convert::short(name)), help);
            }
            (None, None) => self.missing(range, "`local` needs a name behind it".to_owned(), "write local.NAME".to_owned()),
        }
    }
}

impl Visit for Check<'_, '_> {
    fn visit_expr(&mut self, expr: &Expression) {
        if let Expression::Variable(name) = expr
            && !self.known(name.as_str())
        {
            match name.as_str() {
                "var" => self.variable(None, expr.span()),
                "local" => self.local(&[], expr.span()),
                name => {
                    let known = ["var", "local"].into_iter().chain(self.context.reference_roots.iter().copied());
                    let help = suggest::nearest(name, known).map_or_else(
                        || "text stands in quotes; values are var.NAME or local.NAME".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    );
                    let what = eval::unknown_name(name, &span(self.file, expr.span()));
                    self.missing(expr.span(), what, help);
                }
            }
        }
        visit::visit_expr(self, expr);
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        let path: Vec<String> = traversal.operators.iter().map_while(|operator| static_name(operator.value())).collect();
        match eval::root_name(traversal) {
            Some(root) if self.bound.iter().any(|bound| bound == root) => {}
            Some("var") => self.variable(path.first(), traversal.span().or_else(|| traversal.expr.span())),
            Some("local") => self.local(&path, traversal.span().or_else(|| traversal.expr.span())),
            Some(root) => {
                self.visit_expr(&traversal.expr);
                self.reference(root, &path, traversal);
            }
            None => self.visit_expr(&traversal.expr),
        }
        for operator in &traversal.operators {
            self.visit_traversal_operator(operator.value());
        }
    }

    fn visit_conditional(&mut self, conditional: &Conditional) {
        self.visit_expr(&conditional.cond_expr);
        let before = std::mem::replace(&mut self.in_branch, true);
        self.visit_expr(&conditional.true_expr);
        self.visit_expr(&conditional.false_expr);
        self.in_branch = before;
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        let name = call.name.name.as_str();
        if let Err(help) = eval::check_name(name) {
            self.good = false;
            let place = span(self.file, call.name.name.span());
            self.context.report(Problem::error(&place, format!("unknown function `{}`", eval::convert::short(name)), help));
        }
        self.visit_func_args(&call.args);
    }

    fn visit_for_expr(&mut self, each: &ForExpr) {
        self.visit_expr(&each.intro.collection_expr);
        let key = each.intro.key_var.as_ref().map(|key| key.as_str());
        self.bind([key, Some(each.intro.value_var.as_str())], |check| {
            each.key_expr.iter().for_each(|expr| check.visit_expr(expr));
            check.visit_expr(&each.value_expr);
            each.cond.iter().for_each(|condition| check.visit_expr(&condition.expr));
        });
    }

    fn visit_for_directive(&mut self, directive: &ForDirective) {
        let each = &directive.for_expr;
        self.visit_expr(&each.collection_expr);
        let key = each.key_var.as_ref().map(|key| key.as_str());
        self.bind([key, Some(each.value_var.as_str())], |check| check.visit_template(&each.template));
    }
}
