//! Secret values, at the door and nowhere else: evaluated from environment variables, `--var` and `--var-file`, or read again
//! from their place in a file. Needs no environment to have been read.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::address;
use crate::declare::eval::{Eval, Evaluator, Fault, Scope, Shared, convert, fault};
use crate::declare::names::Names;
use crate::declare::variables::{self, Given, GivenValues, VariableSources, env_name};
use crate::declare::{parse, source as disk};
use crate::model::{Error, Exit, Result, SecretRef, Secrets, SourceFile, Span, Value};

/// Environment variables, however they are kept.
pub type Env = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How far a literal may lead to another one.
const MAX_DEPTH: usize = 20;

/// Resolves secrets of a plan.
#[derive(Clone)]
pub struct Resolver {
    root: PathBuf,
    sources: VariableSources,
    env: Env,
}

impl Resolver {
    /// `root` is the folder that files of literals are relative to; `flags` and `files` are `--var` and `--var-file`. Nothing is
    /// read before a secret is asked for.
    pub fn new(root: impl Into<PathBuf>, flags: Vec<(String, String)>, files: Vec<PathBuf>, env: Env) -> Self {
        Resolver { root: root.into(), sources: VariableSources { flags, files }, env }
    }
}

impl Secrets for Resolver {
    fn resolve(&self, reference: &SecretRef) -> Result<String> {
        let names = Outside { root: &self.root, given: variables::given(&self.sources)?, env: &self.env, open: std::cell::RefCell::new(Vec::new()) };
        let evaluator = Evaluator::new(&names);
        let source = Arc::new(SourceFile { path: "secret".to_owned(), text: String::new() });
        let nowhere = Span { file: Arc::clone(&source), range: 0..0 };
        let value = match reference {
            SecretRef::Literal { file, attribute } => names.declared(&evaluator, file, attribute, &nowhere),
            SecretRef::Expression { expression, .. } => {
                let source = Arc::new(SourceFile { path: "secret".to_owned(), text: expression.clone() });
                parse::expression(&source).map_err(Fault::Problem).and_then(|parsed| evaluator.eval(&parsed, &Scope::of(&source)))
            }
        };
        let what = match reference {
            SecretRef::Literal { file, attribute } => format!("cannot read the secret {attribute} of {file}"),
            SecretRef::Expression { refers_to, .. } if refers_to.is_empty() => "cannot resolve a secret".to_owned(),
            SecretRef::Expression { refers_to, .. } => format!("cannot resolve the secret made of {}", refers_to.join(", ")),
        };
        match value {
            Ok(Value::Null) => Err(Error::new(Exit::Error, what, "set one of the names it is made of").because_text("it is null")),
            Ok(value) => convert::to_text(&value).map_err(|why| Error::new(Exit::Error, what, "a secret is one text").because_text(why)),
            Err(Fault::Problem(problem)) => {
                // What went wrong was found out with the values at hand, and a message may quote them.
                let known = match reference {
                    SecretRef::Literal { file, attribute } => format!("{file} {attribute}"),
                    SecretRef::Expression { expression, .. } => expression.clone(),
                };
                let why = convert::without_values(&problem.summary, &known);
                Err(Error::new(Exit::Error, what, convert::without_values(&problem.help, &known)).because_text(why))
            }
            Err(Fault::Reported) => Err(Error::new(Exit::Error, what, "run validate and mend what it shows")),
        }
    }
}

/// The names of a secret's expression: everything comes from outside.
struct Outside<'r> {
    root: &'r Path,
    given: GivenValues,
    env: &'r Env,
    open: std::cell::RefCell<Vec<(String, String)>>,
}

impl Outside<'_> {
    /// A value at an address of a file, as the file is now.
    fn read(&self, evaluator: &Evaluator<'_>, file: &str, attribute: &str, at: &Span) -> Eval<Value> {
        const HELP: &str = "the secret was a literal when the plan was made: put it back, or use env(\"NAME\") and plan again";
        let gone = || fault(at, format!("there is no {attribute} in {file} any more"), HELP);
        let Some(segments) = address::parse(attribute) else { return gone() };
        if let [address::Segment::Name(block), address::Segment::Name(name), address::Segment::Name(_)] = segments.as_slice()
            && block == "variable"
            && let Some(value) = self.outside(name)
        {
            return Ok(value);
        }
        // The name comes from a plan, which may come from anywhere.
        if !Path::new(file).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return fault(at, format!("{file} is not below the root"), HELP);
        }
        let text = disk::bounded(&self.root.join(file)).or_else(|why| fault(at, format!("cannot read {file}: {why}"), HELP))?;
        let source = Arc::new(SourceFile { path: file.to_owned(), text });
        let body = parse::body(&source.text).map_err(|syntax| {
            let problem = syntax.problem(&source);
            let place = problem.span.as_ref().map_or_else(String::new, Span::place);
            Fault::Problem(Box::new(crate::model::Problem { summary: format!("{place}: {}", problem.summary), ..problem }))
        })?;
        match address::find(&body, &segments) {
            Some(expr) => evaluator.eval(expr, &Scope::of(&source)),
            None => gone(),
        }
    }

    /// A variable's value from the command line or its environment variable. Text is text: types are the environment's to know.
    fn outside(&self, name: &str) -> Option<Value> {
        match self.given.get(name) {
            Some((Given::Text(text), _)) => Some(Value::String(text.clone())),
            Some((Given::Value(value), _)) => Some(value.clone()),
            None => (self.env)(&env_name(name)).map(Value::String),
        }
    }
}

impl Names for Outside<'_> {
    fn variable(&self, _: &Evaluator<'_>, name: &str, at: &Span) -> Eval<Shared> {
        match self.outside(name) {
            Some(value) => Ok(Rc::new(value)),
            None => fault(at, format!("variable `{name}` is not set"), format!("set it with --var {name}=…, --var-file or {}", env_name(name))),
        }
    }

    /// Locals of the file whose literal is being read.
    fn local(&self, evaluator: &Evaluator<'_>, path: &[String], at: &Span) -> Eval<(Shared, usize)> {
        let name = path.first().map_or("", String::as_str);
        let beside = disk::siblings(&self.root.join(&at.file.path));
        for file in beside {
            let shown = disk::shown(self.root, &file);
            let address = address::words(&["locals", name]);
            if let Ok(value) = self.declared(evaluator, &shown, &address, at) {
                return Ok((Rc::new(value), 1));
            }
        }
        fault(at, format!("there is no local `{name}` any more"), "put it back, or plan again")
    }

    fn is_reference(&self, _: &str) -> bool {
        false
    }

    fn references(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn env(&self, name: &str) -> Option<String> {
        (self.env)(name)
    }

    fn root(&self) -> &Path {
        self.root
    }

    fn reveals(&self) -> bool {
        true
    }

    fn declared(&self, evaluator: &Evaluator<'_>, file: &str, attribute: &str, at: &Span) -> Eval<Value> {
        let entry = (file.to_owned(), attribute.to_owned());
        if self.open.borrow().contains(&entry) || self.open.borrow().len() >= MAX_DEPTH {
            return fault(at, format!("{attribute} of {file} leads back to itself"), "give it a value of its own");
        }
        self.open.borrow_mut().push(entry);
        let value = self.read(evaluator, file, attribute, at);
        self.open.borrow_mut().pop();
        value
    }
}
