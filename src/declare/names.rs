//! What the names in an expression stand for: an environment's, a resolver's, or none at all.

use std::path::Path;

use super::eval::{Eval, Evaluator, Shared, fault};
use crate::model::{Span, Value};

/// Where an expression's names come from. An evaluator asks here and nowhere else.
pub trait Names {
    /// `var.NAME`. `at` is the place of the reference.
    fn variable(&self, evaluator: &Evaluator<'_>, name: &str, at: &Span) -> Eval<Shared>;
    /// `local.A.B…`: the value of the longest part that is known by itself, and how many names of the path it took.
    fn local(&self, evaluator: &Evaluator<'_>, path: &[String], at: &Span) -> Eval<(Shared, usize)>;
    /// Whether `NAME.x` is a reference to a resource or a provider.
    fn is_reference(&self, root: &str) -> bool;
    /// All such names, for suggestions.
    fn references(&self) -> Vec<&'static str>;
    /// An environment variable.
    fn env(&self, name: &str) -> Option<String>;
    /// The folder that `file()` may not leave, and to which paths of sources are relative.
    fn root(&self) -> &Path;
    /// Whether `sensitive(x)` is `x` here: only where secrets are resolved.
    fn reveals(&self) -> bool {
        false
    }
    /// The literal at an address of a file; only where secrets are resolved.
    fn declared(&self, evaluator: &Evaluator<'_>, file: &str, attribute: &str, at: &Span) -> Eval<Value> {
        let _ = (evaluator, file, attribute);
        fault(at, "unknown function `declared`", "this function is for plans alone")
    }
}

/// No names at all: for variable files and values given on the command line.
pub struct NoNames<'a> {
    /// As [`Names::root`].
    pub root: &'a Path,
}

impl Names for NoNames<'_> {
    fn variable(&self, _: &Evaluator<'_>, _: &str, at: &Span) -> Eval<Shared> {
        fault(at, "a value given from outside cannot refer to variables", "write the value itself")
    }

    fn local(&self, _: &Evaluator<'_>, _: &[String], at: &Span) -> Eval<(Shared, usize)> {
        fault(at, "a value given from outside cannot refer to locals", "write the value itself")
    }

    fn is_reference(&self, _: &str) -> bool {
        false
    }

    fn references(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn root(&self) -> &Path {
        self.root
    }
}
