//! `locals`: evaluated when something asks for them, each once, in the order of what they refer to.
//!
//! An object literal is split into its entries, so that `local.db.user` can be used where `local.db.password` is not set.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::expr::{Expression, ObjectKey, Traversal};
use hcl_edit::visit::{self, Visit};
use hcl_edit::{Decorated, Span as _};
use indexmap::IndexMap;

use super::cycles;
use super::eval::{self, Eval, Evaluator, Fault, Scope, Shared, fault, static_name};
use super::suggest;
use crate::model::{Problem, SourceFile, Span, Value};

/// How deep object literals are split.
const MAX_SPLIT: usize = 6;

/// One local, or one entry of an object literal in a local.
pub struct Unit<'a> {
    /// Where it stands.
    pub file: &'a Arc<SourceFile>,
    /// Its expression.
    pub expr: &'a Expression,
    /// `db.password`.
    pub name: String,
    place: Span,
    /// The entries of its object literal, if it is one.
    children: Vec<(String, usize)>,
    result: RefCell<Option<Result<Shared, ()>>>,
}

impl Unit<'_> {
    /// Whether it has no entries of its own.
    #[must_use]
    pub fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    /// Gives it no value, its expression being wrong and reported.
    pub fn fail(&self) {
        *self.result.borrow_mut() = Some(Err(()));
    }
}

/// All locals of an environment.
#[derive(Default)]
pub struct Locals<'a> {
    units: Vec<Unit<'a>>,
    top: HashMap<String, usize>,
}

impl<'a> Locals<'a> {
    /// Adds one attribute of a `locals` block; an error when the name is taken.
    pub fn add(&mut self, file: &'a Arc<SourceFile>, key: &'a Decorated<hcl_edit::Ident>, expr: &'a Expression) -> Result<(), Problem> {
        let place = Span { file: Arc::clone(file), range: key.span().unwrap_or(0..0) };
        if let Some(first) = self.top.get(key.as_str()) {
            let help = format!("the first is at {}: keep one", self.units[*first].place.place());
            return Err(Problem::error(&place, format!("duplicate local `{}`", key.as_str()), help));
        }
        let unit = self.unit(file, expr, key.as_str().to_owned(), &place, 0);
        self.top.insert(key.as_str().to_owned(), unit);
        Ok(())
    }

    fn unit(&mut self, file: &'a Arc<SourceFile>, expr: &'a Expression, name: String, place: &Span, depth: usize) -> usize {
        let mut children = Vec::new();
        if let Expression::Object(object) = expr
            && depth < MAX_SPLIT
            && let Some(keys) = object.iter().map(|(key, _)| static_key(key)).collect::<Option<Vec<_>>>()
        {
            for (key, (_, value)) in keys.into_iter().zip(object) {
                let place = Span { file: Arc::clone(file), range: value.expr().span().unwrap_or(0..0) };
                let child = self.unit(file, value.expr(), format!("{name}.{key}"), &place, depth + 1);
                children.push((key, child));
            }
        }
        self.units.push(Unit { file, expr, name, place: place.clone(), children, result: RefCell::new(None) });
        self.units.len() - 1
    }

    /// Names circles among locals; what is in one has no value.
    pub fn check_cycles(&self) -> Vec<Problem> {
        let edges: Vec<Vec<usize>> = self.units.iter().map(|unit| self.needs(unit)).collect();
        let mut problems = Vec::new();
        for circle in cycles::find(&edges) {
            for unit in &circle {
                *self.units[*unit].result.borrow_mut() = Some(Err(()));
            }
            let names: Vec<String> = circle.iter().map(|unit| format!("local.{}", self.units[*unit].name)).collect();
            let what = format!("locals refer to one another in a circle: {}", cycles::words(&names));
            problems.push(Problem::error(&self.units[circle[0]].place, what, "break the circle: give one of them a value of its own"));
        }
        problems
    }

    /// What a unit's value needs: its entries, or the locals that its expression names.
    fn needs(&self, unit: &Unit<'_>) -> Vec<usize> {
        if !unit.children.is_empty() {
            return unit.children.iter().map(|(_, child)| *child).collect();
        }
        paths(unit.expr).iter().filter_map(|path| self.find(path).map(|(unit, _)| unit)).collect()
    }

    /// The deepest unit on a path, and how many names of the path lead to it.
    #[must_use]
    pub fn find(&self, path: &[String]) -> Option<(usize, usize)> {
        let mut at = *self.top.get(path.first()?)?;
        let mut used = 1;
        while let Some(child) = path.get(used).and_then(|name| self.units[at].children.iter().find(|(key, _)| key == name)) {
            at = child.1;
            used += 1;
        }
        Some((at, used))
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.top.keys().map(String::as_str)
    }

    /// All units.
    pub fn all(&self) -> &[Unit<'a>] {
        &self.units
    }

    /// One unit.
    #[must_use]
    pub fn get(&self, unit: usize) -> &Unit<'a> {
        &self.units[unit]
    }

    /// Units without entries of their own that nothing in `mentioned` reaches.
    pub fn unused(&self, mentioned: &std::collections::HashSet<usize>) -> Vec<usize> {
        let mut reached = mentioned.clone();
        let mut open: Vec<usize> = mentioned.iter().copied().collect();
        while let Some(unit) = open.pop() {
            open.extend(self.units[unit].children.iter().map(|(_, child)| *child).filter(|child| reached.insert(*child)));
        }
        (0..self.units.len()).filter(|unit| self.units[*unit].children.is_empty() && !reached.contains(unit)).collect()
    }

    /// The value at a path, and how many names it took.
    pub fn value(&self, evaluator: &Evaluator<'_>, path: &[String], at: &Span, report: &dyn Fn(Problem)) -> Eval<(Shared, usize)> {
        let Some((unit, used)) = self.find(path) else {
            let name = path.first().map_or("", String::as_str);
            let help = suggest::help(name, self.top.keys().map(String::as_str), "define it in a locals block");
            return fault(at, format!("unknown local `{}`", eval::convert::short(name)), help);
        };
        self.ensure(evaluator, unit, report);
        match &*self.units[unit].result.borrow() {
            Some(Ok(value)) => Ok((Rc::clone(value), used)),
            _ => Err(Fault::Reported),
        }
    }

    /// Evaluates a unit after all that it needs, without recursion from one local into the next.
    pub fn ensure(&self, evaluator: &Evaluator<'_>, unit: usize, report: &dyn Fn(Problem)) {
        let mut stack = vec![(unit, false)];
        while let Some((at, ready)) = stack.pop() {
            let unit = &self.units[at];
            if unit.result.borrow().is_some() {
                continue;
            }
            if !ready {
                stack.push((at, true));
                stack.extend(self.needs(unit).into_iter().map(|needed| (needed, false)));
                continue;
            }
            let result = if unit.children.is_empty() { evaluator.eval(unit.expr, &Scope::of(unit.file)) } else { self.assembled(unit) };
            let result = result.map(Rc::new).map_err(|fault| {
                if let Fault::Problem(problem) = fault {
                    report(*problem);
                }
            });
            *unit.result.borrow_mut() = Some(result);
        }
    }

    fn assembled(&self, unit: &Unit<'_>) -> Eval<Value> {
        let entry = |(key, child): &(String, usize)| match &*self.units[*child].result.borrow() {
            Some(Ok(value)) => Ok((key.clone(), Value::clone(value))),
            _ => Err(Fault::Reported),
        };
        unit.children.iter().map(entry).collect::<Eval<IndexMap<_, _>>>().map(Value::Map)
    }
}

fn static_key(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(ident) => Some(ident.as_str().to_owned()),
        ObjectKey::Expression(Expression::String(text)) => Some(text.value().clone()),
        ObjectKey::Expression(_) => None,
    }
}

/// The paths behind `local.` in an expression.
fn paths(expr: &Expression) -> Vec<Vec<String>> {
    struct Paths(Vec<Vec<String>>);
    impl Visit for Paths {
        fn visit_traversal(&mut self, traversal: &Traversal) {
            if eval::root_name(traversal) == Some("local") {
                self.0.push(traversal.operators.iter().map_while(|operator| static_name(operator.value())).collect());
            }
            visit::visit_traversal(self, traversal);
        }
    }
    let mut found = Paths(Vec::new());
    found.visit_expr(expr);
    found.0
}
