//! One environment while it is read: its names, its switches, and the problems found so far.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::eval::{Eval, Evaluator, Fault, Shared};
use super::locals::Locals;
use super::names::Names;
use super::variables::Variables;
use crate::model::{Problem, Severity, SourceFile, Span};

/// The most errors, and the most warnings, that are kept: beyond, more of them help nobody.
const MAX_PROBLEMS: usize = 1_000;

/// What an environment's expressions can name, and where its problems are collected.
pub struct Context<'a> {
    /// The folder that holds `environments/`.
    pub root: &'a Path,
    /// Environment variables.
    pub env_vars: &'a dyn Fn(&str) -> Option<String>,
    /// Declared variables.
    pub variables: Variables<'a>,
    /// Declared locals.
    pub locals: Locals<'a>,
    /// Block types of resources, and types of providers.
    pub reference_roots: Vec<&'static str>,
    /// Canonical names of all declared providers and resources, with their places.
    pub declared: HashMap<String, Span>,
    /// A file of the environment could not be parsed, so names that are missing may well be there.
    pub incomplete: bool,
    /// Variables that some expression names.
    pub mentioned_variables: RefCell<HashSet<String>>,
    /// Locals (by unit) that some expression names.
    pub mentioned_locals: RefCell<HashSet<usize>>,
    /// Something has no value because of a problem that was reported elsewhere.
    pub unexplained: Cell<bool>,
    problems: RefCell<Vec<Problem>>,
    errors: Cell<usize>,
    warnings: Cell<usize>,
}

impl<'a> Context<'a> {
    /// An environment of which nothing is known yet.
    pub fn new(root: &'a Path, env_vars: &'a dyn Fn(&str) -> Option<String>, variables: Variables<'a>) -> Self {
        Context {
            root,
            env_vars,
            variables,
            locals: Locals::default(),
            reference_roots: Vec::new(),
            declared: HashMap::new(),
            incomplete: false,
            mentioned_variables: RefCell::default(),
            mentioned_locals: RefCell::default(),
            unexplained: Cell::new(false),
            problems: RefCell::default(),
            errors: Cell::default(),
            warnings: Cell::default(),
        }
    }

    /// Keeps a problem.
    pub fn report(&self, problem: Problem) {
        let count = if problem.severity == Severity::Error { &self.errors } else { &self.warnings };
        count.set(count.get() + 1);
        if count.get() <= MAX_PROBLEMS {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// Whether looking for more mistakes is of no use: making one out costs more than reading the place that it is about.
    pub fn has_enough_errors(&self) -> bool {
        self.errors.get() >= MAX_PROBLEMS
    }

    /// Keeps a problem about something that is not there; not while a file is missing.
    pub fn report_missing(&self, problem: Problem) {
        if !self.incomplete {
            self.report(problem);
        }
    }

    /// Keeps a fault, unless it has been.
    pub fn report_fault(&self, fault: Fault) {
        match fault {
            Fault::Problem(problem) => self.report(*problem),
            Fault::Reported => self.unexplained.set(true),
        }
    }

    /// All problems so far.
    pub fn take_problems(&self) -> Vec<Problem> {
        self.problems.take()
    }

    /// Evaluates what nothing names, so that its mistakes are found too.
    pub fn check_unused(&self, evaluator: &Evaluator<'_>) {
        let mentioned = self.mentioned_variables.borrow().clone();
        let unused: Vec<String> = self.variables.names().filter(|name| !mentioned.contains(*name)).map(str::to_owned).collect();
        for name in unused {
            if let Some(variable) = self.variables.get(&name) {
                let _ = self.variable(evaluator, &name, &variable.place);
            }
        }
        let mentioned = self.mentioned_locals.borrow().clone();
        for unit in self.locals.unused(&mentioned) {
            self.locals.ensure(evaluator, unit, &|problem| self.report(problem));
        }
    }
}

impl Names for Context<'_> {
    fn variable(&self, evaluator: &Evaluator<'_>, name: &str, at: &Span) -> Eval<Shared> {
        self.variables.value(evaluator, name, at, self.env_vars, &|problem| self.report(problem))
    }

    fn local(&self, evaluator: &Evaluator<'_>, path: &[String], at: &Span) -> Eval<(Shared, usize)> {
        self.locals.value(evaluator, path, at, &|problem| self.report(problem))
    }

    fn is_reference(&self, root: &str) -> bool {
        self.reference_roots.contains(&root)
    }

    fn references(&self) -> Vec<&'static str> {
        self.reference_roots.clone()
    }

    fn env(&self, name: &str) -> Option<String> {
        (self.env_vars)(name)
    }

    fn root(&self) -> &Path {
        self.root
    }
}

/// A place in a file.
#[must_use]
pub fn span(file: &Arc<SourceFile>, range: Option<std::ops::Range<usize>>) -> Span {
    Span { file: Arc::clone(file), range: range.unwrap_or(0..0) }
}
