//! Function calls: those that need the evaluator (`env`, `file`, `templatefile`, `try` …) here, the pure ones in `functions`.

use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall};

use super::convert::{holds_secret, short};
use super::{Eval, Evaluator, Fault, Scope, fault, secret};
use crate::declare::functions::{self, Function};
use crate::declare::{files, suggest};
use crate::model::{SourceFile, Span, Value};

/// How deep template files may call template files.
const MAX_TEMPLATE_DEPTH: usize = 8;

/// A function that is evaluated here: it sees its arguments' expressions, the environment or files.
pub struct Special {
    /// Its name.
    pub name: &'static str,
    /// The fewest and the most arguments.
    count: (usize, usize),
    /// Its arguments, for people.
    pub form: &'static str,
    /// One line for the reference.
    pub doc: &'static str,
}

/// All of them.
pub static SPECIAL: &[Special] = &[
    special("can", (1, 1), "(expression)", "Whether the expression can be evaluated."),
    special("env", (1, 2), "(name[, default])", "An environment variable; without a default it is an error when it is not set."),
    special("file", (1, 1), "(path)", "The text of a file, relative to the file that names it."),
    special("sensitive", (1, 1), "(value)", "The value as a secret: plans and messages show where it comes from, never what it is."),
    special("templatefile", (2, 2), "(path, variables)", "The text of a file, its templates evaluated with these variables."),
    special("try", (1, usize::MAX), "(expression, …)", "The first of the expressions that can be evaluated."),
];

const fn special(name: &'static str, count: (usize, usize), form: &'static str, doc: &'static str) -> Special {
    Special { name, count, form, doc }
}

/// Whether there is such a function, and a help sentence when not.
pub fn check_name(name: &str) -> Result<(), String> {
    if SPECIAL.iter().any(|special| special.name == name) || functions::find(name).is_some() {
        return Ok(());
    }
    let known = SPECIAL.iter().map(|special| special.name).chain(functions::all().map(|function| function.name));
    let mut every: Vec<&str> = known.collect();
    every.sort_unstable();
    Err(suggest::nearest(name, every.iter().copied())
        .map_or_else(|| format!("there are: {}", every.join(", ")), |near| format!("did you mean `{near}`?")))
}

impl Evaluator<'_> {
    pub(super) fn call(&self, call: &FuncCall, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let name = call.name.name.as_str();
        let place = scope.span(call.name.name.span().or_else(|| expr.span()));
        if name == "declared" && !call.name.is_namespaced() {
            return self.declared(call, &place, scope);
        }
        if call.name.is_namespaced() {
            return fault(&place, "functions have no namespaces here", "write the function's bare name");
        }
        if let Err(help) = check_name(name) {
            return fault(&place, format!("unknown function `{}`", short(name)), help);
        }
        if let Some(Special { count: (least, most), .. }) = SPECIAL.iter().find(|special| special.name == name) {
            if call.args.expand_final() {
                return fault(&place, format!("`{name}` cannot take its arguments from a list"), "name the arguments one by one");
            }
            check_count(name, call.args.len(), *least, Some(*most), &place)?;
            return self.special(name, call, expr, scope);
        }
        match functions::find(name) {
            Some(function) => self.plain(function, call, expr, scope),
            None => Err(Fault::Reported),
        }
    }

    fn special(&self, name: &str, call: &FuncCall, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        match name {
            "env" => self.env(call, scope),
            "try" => self.first_that_works(call, scope),
            "can" => Ok(Value::Bool(call.args.get(0).is_some_and(|arg| self.eval(arg, scope).is_ok()))),
            "sensitive" => match call.args.get(0) {
                Some(inner) if self.names.reveals() => self.eval(inner, scope),
                _ => Ok(secret()),
            },
            "file" => match self.text_argument(call, 0, scope)? {
                Some(path) => self.file(&path, expr, scope).and_then(|(_, text)| self.checked(Value::String(text), expr, scope)),
                None => Ok(secret()),
            },
            _ => self.template_file(call, expr, scope),
        }
    }

    /// A text argument; none when it is secret.
    fn text_argument(&self, call: &FuncCall, n: usize, scope: &Scope<'_>) -> Eval<Option<String>> {
        let Some(arg) = call.args.get(n) else { return Err(Fault::Reported) };
        match self.eval(arg, scope)? {
            Value::String(text) => Ok(Some(text)),
            value if holds_secret(&value) => Ok(None),
            other => fault(
                &scope.span(arg.span()),
                format!("{} where text is needed", other.type_word()),
                format!("`{}` takes text here", call.name.name.as_str()),
            ),
        }
    }

    fn env(&self, call: &FuncCall, scope: &Scope<'_>) -> Eval<Value> {
        let Some(name) = self.text_argument(call, 0, scope)? else { return Ok(secret()) };
        if let Some(value) = self.names.env(&name) {
            return Ok(Value::String(value));
        }
        match call.args.get(1) {
            Some(default) => self.eval(default, scope),
            None => fault(
                &scope.span(call.args.get(0).and_then(hcl_edit::Span::span)),
                format!("environment variable `{}` is not set", short(&name)),
                format!("set {0}, or give a default: env(\"{0}\", …)", short(&name)),
            ),
        }
    }

    fn first_that_works(&self, call: &FuncCall, scope: &Scope<'_>) -> Eval<Value> {
        let mut last = Fault::Reported;
        for arg in &call.args {
            match self.eval(arg, scope) {
                Ok(value) => return Ok(value),
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }

    fn plain(&self, function: &Function, call: &FuncCall, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let mut args = call.args.iter().map(|arg| self.eval(arg, scope)).collect::<Eval<Vec<_>>>()?;
        if call.args.expand_final() {
            match args.pop() {
                Some(Value::List(items)) => args.extend(items),
                Some(Value::Secret(_)) => return Ok(secret()),
                _ => {
                    return fault(
                        &scope.span(call.args.iter().last().and_then(hcl_edit::Span::span)),
                        "only a list can be expanded with `...`",
                        "give a list",
                    );
                }
            }
        }
        let place = scope.span(call.name.name.span().or_else(|| expr.span()));
        check_count(function.name, args.len(), function.least, function.most, &place)?;
        let secret_in = if function.keeps_structure { args.iter().any(|arg| matches!(arg, Value::Secret(_))) } else { args.iter().any(holds_secret) };
        if secret_in {
            return Ok(secret());
        }
        self.spend(args.len() as u64, expr, scope)?;
        match (function.run)(&args) {
            Ok(value) => self.checked(value, expr, scope),
            Err(wrong) => {
                let arg = wrong.argument.and_then(|n| call.args.get(n)).and_then(hcl_edit::Span::span).or_else(|| expr.span());
                let help = format!("it is {}{}: {}", function.name, function.form, function.doc);
                fault(&scope.span(arg), format!("{} in `{}`", wrong.what, function.name), help)
            }
        }
    }

    /// Reads a file that `scope`'s file names.
    fn file(&self, path: &str, expr: &Expression, scope: &Scope<'_>) -> Eval<(files::Found, String)> {
        let found = files::find(self.names.root(), scope.file, path);
        let read = found.and_then(|found| files::read(&found).map(|text| (found, text)));
        read.or_else(|(what, help)| fault(&scope.span(expr.span()), what, help))
    }

    fn template_file(&self, call: &FuncCall, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let (Some(path), Some(vars_arg)) = (self.text_argument(call, 0, scope)?, call.args.get(1)) else { return Ok(secret()) };
        let vars = match self.eval(vars_arg, scope)? {
            Value::Map(vars) => vars,
            Value::Secret(_) => return Ok(secret()),
            other => {
                return fault(
                    &scope.span(vars_arg.span()),
                    format!("{} where a map is needed", other.type_word()),
                    "templatefile(PATH, { NAME = VALUE })",
                );
            }
        };
        let (found, text) = self.file(&path, expr, scope)?;
        {
            let open = self.templates.borrow();
            if open.contains(&found.path) || open.len() >= MAX_TEMPLATE_DEPTH {
                return fault(
                    &scope.span(expr.span()),
                    format!("`{}` calls itself through templatefile", found.shown),
                    "a template file may not lead back to itself",
                );
            }
        }
        let source = Arc::new(SourceFile { path: found.shown.clone(), text });
        let template = match crate::declare::parse::template(&source) {
            Ok(template) => template,
            Err(problem) => return Err(Fault::Problem(problem)),
        };
        self.templates.borrow_mut().push(found.path);
        let whole = Scope { file: &source, bindings: None, given: Some(&vars), sealed: true };
        let result = self.whole_template(&template, expr, &whole);
        self.templates.borrow_mut().pop();
        result
    }

    /// A literal read again from a file, for secrets.
    fn declared(&self, call: &FuncCall, place: &Span, scope: &Scope<'_>) -> Eval<Value> {
        check_count("declared", call.args.len(), 2, Some(2), place)?;
        match (self.text_argument(call, 0, scope)?, self.text_argument(call, 1, scope)?) {
            (Some(file), Some(attribute)) => self.names.declared(self, &file, &attribute, place),
            _ => Ok(secret()),
        }
    }
}

fn check_count(name: &str, count: usize, least: usize, most: Option<usize>, place: &Span) -> Eval<()> {
    let most = most.unwrap_or(usize::MAX);
    if (least..=most).contains(&count) {
        return Ok(());
    }
    let takes = match (least, most) {
        (least, most) if least == most => format!("{least}"),
        (least, usize::MAX) => format!("at least {least}"),
        (least, most) => format!("{least} to {most}"),
    };
    let noun = if takes == "1" { "argument" } else { "arguments" };
    fault(place, format!("`{name}` takes {takes} {noun}, not {count}"), "check the call's arguments")
}
