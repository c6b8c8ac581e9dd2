//! `variable` blocks and where their values come from: `--var`, `--var-file`, `SWITCHOVER_VAR_x`, the default; in that order.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::structure::{Attribute, Block};
use indexmap::IndexMap;

use super::eval::{self, Eval, Evaluator, Fault, Scope, Shared, fault};
use super::names::NoNames;
use super::types::{self, Type};
use super::{parse, suggest};
use crate::model::{Error, Exit, Problem, Result, SourceFile, Span, Value, input, json};

/// The largest variables file, in bytes.
const MAX_BYTES: u64 = 8 << 20;

/// Values that the command line gives.
#[derive(Clone, Default)]
pub struct VariableSources {
    /// `--var NAME=TEXT`, in order; a later one wins.
    pub flags: Vec<(String, String)>,
    /// `--var-file FILE`, in order; a later one wins. HCL attributes, or JSON when the name ends in `.json`.
    pub files: Vec<PathBuf>,
}

/// Names without their values, any of which may be a secret.
impl fmt::Debug for VariableSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.flags.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("VariableSources").field("flags", &names).field("files", &self.files).finish()
    }
}

/// A value from outside.
#[derive(Clone)]
pub enum Given {
    /// Text, to be read by the variable's type.
    Text(String),
    /// Already a value.
    Value(Value),
}

/// Without the value, which may be a secret.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Given::Text(_) => "Text(…)",
            Given::Value(_) => "Value(…)",
        })
    }
}

/// Values by name, and who gave them.
pub type GivenValues = IndexMap<String, (Given, String)>;

/// Reads the command line's values. Later ones win, flags over files.
///
/// # Errors
/// When a file cannot be read or is not what its name says.
pub fn given(sources: &VariableSources) -> Result<GivenValues> {
    let mut given = GivenValues::new();
    for path in &sources.files {
        let label = format!("--var-file {}", path.display());
        for (name, value) in read_file(path)? {
            given.insert(name, (Given::Value(value), label.clone()));
        }
    }
    for (name, text) in &sources.flags {
        given.insert(name.clone(), (Given::Text(text.clone()), format!("--var {name}")));
    }
    Ok(given)
}

fn read_file(path: &Path) -> Result<Vec<(String, Value)>> {
    let failed = |why: String| {
        Error::new(
            Exit::Error,
            format!("cannot read variable file {}", path.display()),
            "it holds lines such as name = \"value\", or a JSON object when its name ends in .json",
        )
        .because_text(why)
    };
    let bytes = input::read_or_receive(path, MAX_BYTES).map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8 text".to_owned()))?;
    if path.extension().is_some_and(|extension| extension == "json") {
        // serde_json's messages name places, never values of the document.
        input::check_json(&text).map_err(failed)?;
        let json = json::read(&text).map_err(|error| failed(format!("not JSON (line {}, column {})", error.line(), error.column())))?;
        return match eval::convert::from_json(json).map_err(failed)? {
            Value::Map(entries) => Ok(entries.into_iter().collect()),
            _ => Err(failed("not a JSON object".to_owned())),
        };
    }
    // The values may be secret: problems name the place alone.
    let source = Arc::new(SourceFile { path: path.display().to_string(), text });
    let at = |problem: &Problem| problem.span.as_ref().map_or_else(String::new, Span::place) + ": " + &problem.summary;
    let body = parse::body(&source.text).map_err(|syntax| failed(at(&syntax.problem(&source))))?;
    let names = NoNames { root: Path::new("") };
    let evaluator = Evaluator::new(&names);
    let mut values = Vec::new();
    for attribute in body.attributes() {
        match evaluator.eval(&attribute.value, &Scope::of(&source)) {
            Ok(value) => values.push((attribute.key.as_str().to_owned(), value)),
            Err(Fault::Problem(problem)) => return Err(failed(at(&problem))),
            Err(Fault::Reported) => return Err(failed("an expression has no value".to_owned())),
        }
    }
    if let Some(block) = body.blocks().next() {
        return Err(failed(format!("a block `{}` where only attributes may be", block.ident.as_str())));
    }
    Ok(values)
}

/// One declared variable.
pub struct Variable<'a> {
    /// Where it is declared.
    pub file: &'a Arc<SourceFile>,
    /// Its label.
    pub place: Span,
    /// What it takes.
    pub ty: Type,
    /// Its default, unless that is `null`.
    pub default: Option<&'a Attribute>,
    /// Whether there is a default at all, `null` included.
    has_default: bool,
    /// Whether its value is a secret.
    pub sensitive: bool,
    result: RefCell<Option<std::result::Result<Shared, ()>>>,
}

/// All variables of an environment, and what is given for them.
#[derive(Default)]
pub struct Variables<'a> {
    declared: IndexMap<String, Variable<'a>>,
    given: GivenValues,
    into_secrets: HashSet<String>,
}

impl<'a> Variables<'a> {
    /// Variables with these values from outside; none declared yet. Values of those that go into secrets (`var.x`) are not quoted.
    #[must_use]
    pub fn new(given: GivenValues, into_secrets: HashSet<String>) -> Self {
        Variables { declared: IndexMap::new(), given, into_secrets }
    }

    /// Adds a block whose attributes have been checked.
    pub fn add(&mut self, file: &'a Arc<SourceFile>, block: &'a Block, sensitive: bool) -> std::result::Result<(), Problem> {
        let Some(label) = block.labels.first() else { return Ok(()) };
        let place = Span { file: Arc::clone(file), range: label.span().unwrap_or(0..0) };
        let name = label.as_str().to_owned();
        if let Some(first) = self.declared.get(&name) {
            let help = format!("the first is at {}: keep one", first.place.place());
            return Err(Problem::error(&place, format!("duplicate variable `{name}`"), help));
        }
        let ty = match block.body.get_attribute("type").map(|attribute| types::parse(&attribute.value, &Scope::of(file))) {
            None => Type::Any,
            Some(Ok(ty)) => ty,
            Some(Err(Fault::Problem(problem))) => return Err(*problem),
            Some(Err(Fault::Reported)) => return Ok(()),
        };
        let default = block.body.get_attribute("default");
        let variable = Variable {
            file,
            place,
            ty,
            default: default.filter(|default| !default.value.is_null()),
            has_default: default.is_some(),
            sensitive,
            result: RefCell::new(None),
        };
        self.declared.insert(name, variable);
        Ok(())
    }

    /// One variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable<'a>> {
        self.declared.get(name)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.declared.keys().map(String::as_str)
    }

    /// Whether the default is what counts, no value being given.
    #[must_use]
    pub fn uses_default(&self, name: &str, env: &dyn Fn(&str) -> Option<String>) -> bool {
        self.get(name).is_some_and(|variable| variable.default.is_some()) && !self.given.contains_key(name) && env(&env_name(name)).is_none()
    }

    /// Names given on the command line that are not declared.
    pub fn check_given(&self) -> Vec<Problem> {
        let undeclared = self.given.iter().filter(|(name, _)| !self.declared.contains_key(*name));
        undeclared
            .map(|(name, (given, label))| {
                let help = suggest::help(name, self.names(), "declare it: variable \"NAME\" {}");
                // A variable file is often shared between environments.
                let severity = if matches!(given, Given::Text(_)) { crate::model::Severity::Error } else { crate::model::Severity::Warning };
                Problem {
                    severity,
                    summary: format!("{label}: there is no variable `{name}`"),
                    label: String::new(),
                    help,
                    span: None,
                    secret: false,
                }
            })
            .collect()
    }

    /// A variable's value; what is wrong with it is reported once, at its block.
    pub fn value(
        &self,
        evaluator: &Evaluator<'_>,
        name: &str,
        at: &Span,
        env: &dyn Fn(&str) -> Option<String>,
        report: &dyn Fn(Problem),
    ) -> Eval<Shared> {
        let Some(variable) = self.declared.get(name) else {
            let help = suggest::help(name, self.names(), "declare it: variable \"NAME\" {}");
            return fault(at, format!("unknown variable `{}`", eval::convert::short(name)), help);
        };
        if variable.sensitive {
            return Ok(Rc::new(eval::secret()));
        }
        if let Some(result) = &*variable.result.borrow() {
            return result.clone().map_err(|()| Fault::Reported);
        }
        // Until it is known, asking again (a default that refers to its own variable) has no answer.
        *variable.result.borrow_mut() = Some(Err(()));
        let result = self.evaluate(evaluator, name, variable, env).map(Rc::new).map_err(|fault| {
            if let Fault::Problem(problem) = fault {
                report(*problem);
            }
        });
        *variable.result.borrow_mut() = Some(result.clone());
        result.map_err(|()| Fault::Reported)
    }

    fn evaluate(&self, evaluator: &Evaluator<'_>, name: &str, variable: &Variable<'_>, env: &dyn Fn(&str) -> Option<String>) -> Eval<Value> {
        let outside = self.given.get(name).cloned().or_else(|| env(&env_name(name)).map(|text| (Given::Text(text), env_name(name))));
        if let Some((given, label)) = outside {
            let example = example(name, &variable.ty, matches!(given, Given::Text(_)));
            return typed(given, &variable.ty).or_else(|what| {
                let secret = self.into_secrets.contains(&format!("var.{name}"));
                let what = if secret { eval::convert::without_values(&what, "") } else { what };
                fault(&variable.place, format!("{label}: {what}"), format!("give a value of the variable's type, such as {example}"))
            });
        }
        let Some(default) = variable.default else {
            if variable.has_default {
                return Ok(Value::Null);
            }
            let help = format!("set it with --var {name}=…, --var-file or {}, or give it a default", env_name(name));
            return fault(&variable.place, format!("variable `{name}` is not set"), help);
        };
        let scope = Scope::of(variable.file);
        let value = evaluator.eval(&default.value, &scope)?;
        types::convert(&variable.ty, value)
            .or_else(|what| fault(&scope.span(default.value.span()), what, "the default must be of the variable's type"))
    }
}

/// How a variable is given: in a shell, where texts and numbers stand as they are, or in a file.
fn example(name: &str, ty: &Type, for_a_shell: bool) -> String {
    match ty {
        _ if !for_a_shell => format!("{name} = {}", literal(ty)),
        Type::Any | Type::String => format!("{name}=text"),
        Type::Number | Type::Bool => format!("{name}={}", literal(ty)),
        _ => format!("{name}='{}'", literal(ty)),
    }
}

/// Some value of a type.
fn literal(ty: &Type) -> String {
    match ty {
        Type::Any | Type::String => "\"text\"".to_owned(),
        Type::Number => "3".to_owned(),
        Type::Bool => "true".to_owned(),
        Type::List(of) | Type::Set(of) => format!("[{}]", literal(of)),
        Type::Tuple(of) => format!("[{}]", of.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Type::Map(of) => format!("{{ name = {} }}", literal(of)),
        Type::Object(of) => {
            let needed = of.iter().filter(|(_, (_, optional))| !optional).map(|(name, (ty, _))| format!("{name} = {}", literal(ty)));
            format!("{{ {} }}", needed.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The environment variable that sets a variable.
#[must_use]
pub fn env_name(name: &str) -> String {
    format!("SWITCHOVER_VAR_{name}")
}

/// A value from outside by the type of its variable.
pub fn typed(given: Given, ty: &Type) -> std::result::Result<Value, String> {
    let value = match (given, ty) {
        (Given::Value(value), _) => value,
        (Given::Text(text), Type::Any | Type::String | Type::Number | Type::Bool) => Value::String(text),
        (Given::Text(text), _) => expression(&text)?,
    };
    types::convert(ty, value)
}

/// Text that is an expression without names: `["a", "b"]`.
pub fn expression(text: &str) -> std::result::Result<Value, String> {
    let source = Arc::new(SourceFile { path: "value".to_owned(), text: text.to_owned() });
    let parsed = parse::expression(&source).map_err(|_| "not an expression such as [\"a\", \"b\"]".to_owned())?;
    let names = NoNames { root: Path::new("") };
    Evaluator::new(&names).eval(&parsed, &Scope::of(&source)).map_err(|_| "the expression has no value".to_owned())
}
