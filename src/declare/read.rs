//! The way in: an environment's files → [`Desired`], or all that is wrong with them.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::structure::{Block, Structure};

use super::context::{Context, span};
use super::desired::{Declared, Desired, JournalSetting, Provider, Typed};
use super::environment::{self, Environment};
use super::eval::Evaluator;
use super::locate::Location;
use super::schema::Walker;
use super::source::{self, Parser, Source, Sources};
use super::spec::KindSchema;
use super::variables::{self, VariableSources, Variables};
use super::{check, common, cycles, providers, suggest, tables};
use crate::model::time::Timestamp;
use crate::model::{Address, Problem, Result, Severity, SourceFile, Value};

/// What reading an environment gets besides its files.
pub struct Inputs<'a> {
    /// The kinds of resources there are.
    pub kinds: &'a [&'a dyn KindSchema],
    /// `--var` and `--var-file`.
    pub variables: VariableSources,
    /// Environment variables.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The world's time, for holds.
    pub now: Timestamp,
}

/// What was read.
#[derive(Debug)]
pub struct Reading {
    /// The environment; none when there is any error.
    pub desired: Option<Desired>,
    /// Errors and warnings, in order of place.
    pub problems: Vec<Problem>,
}

/// Reads an environment whole: all mistakes of all its files at once.
///
/// # Errors
/// Only when a file cannot be read at all; mistakes in files are problems.
pub fn read(location: &Location, inputs: &Inputs<'_>) -> Result<Reading> {
    read_by(Parser::WithoutPlain, location, inputs)
}

/// As [`read`], by the parser alone, which must make no difference.
#[cfg(test)]
pub(crate) fn read_by_the_parser(location: &Location, inputs: &Inputs<'_>) -> Result<Reading> {
    read_by(Parser::Alone, location, inputs)
}

fn read_by(parser: Parser, location: &Location, inputs: &Inputs<'_>) -> Result<Reading> {
    let given = variables::given(&inputs.variables)?;
    let Sources { files: sources, problems: syntax, into_secrets } = source::read(location, inputs.kinds, parser)?;
    let mut context = Context::new(&location.root, inputs.env, Variables::new(given, into_secrets));
    context.incomplete = !syntax.is_empty();
    context.reference_roots = tables::PROVIDERS.iter().map(|spec| spec.name).chain(inputs.kinds.iter().map(|kind| kind.block().name)).collect();
    let blocks = gather(&mut context, &sources, inputs.kinds);
    let desired = build(&context, &blocks, location, inputs);
    let mut problems = syntax;
    problems.extend(context.take_problems());
    if context.incomplete {
        problems.retain(|problem| problem.span.is_some());
    }
    in_order(&mut problems, &sources);
    let mut failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    if context.unexplained.get() && !failed {
        // Never reached as long as every fault is reported where it arises; without a value nothing may go on.
        failed = true;
        let summary = "an expression has no value, for a reason that was not said".to_owned();
        let help = "report this as a mistake of the tool, with the file".to_owned();
        problems.push(Problem { severity: Severity::Error, summary, label: String::new(), help, span: None, secret: false });
    }
    let warnings = problems.iter().filter(|problem| problem.severity == Severity::Warning).cloned().collect();
    Ok(Reading { desired: (!failed).then_some(Desired { warnings, ..desired }), problems })
}

/// Reads only what the `journal` of an environment needs: what is wrong elsewhere does not matter.
///
/// # Errors
/// When a file cannot be read, or the setting itself is wrong.
pub fn journal_setting(location: &Location, inputs: &Inputs<'_>) -> Result<JournalSetting> {
    let given = variables::given(&inputs.variables)?;
    let Sources { files: sources, problems: syntax, into_secrets } = source::read(location, inputs.kinds, Parser::WithoutPlain)?;
    let mut context = Context::new(&location.root, inputs.env, Variables::new(given, into_secrets));
    let blocks = gather(&mut context, &sources, inputs.kinds);
    let found = blocks.iter().find_map(|(source, block)| {
        let attribute = block.body.get_attribute("journal").filter(|_| block.ident.as_str() == "environment")?;
        Some((*source, *block, attribute))
    });
    // Whatever was found wrong so far has nothing to do with the setting.
    context.take_problems();
    let help = "mend what is wrong, or name the journal with --journal";
    let refused = |problem: &Problem| {
        let place = problem.span.as_ref().map_or_else(String::new, |span| format!("{}: ", span.place()));
        crate::model::Error::new(crate::model::Exit::Error, "cannot read where the environment's runs are journaled", help)
            .because_text(format!("{place}{}", problem.summary))
    };
    let Some((source, block, attribute)) = found else {
        return syntax.first().map_or(Ok(JournalSetting::Local), |problem| Err(refused(problem)));
    };
    let evaluator = Evaluator::new(&context);
    let broken = RefCell::default();
    let walker = Walker { context: &context, evaluator: &evaluator, file: &source.file, runs: &source.runs, broken: &broken };
    let label = block.labels.first().map_or("", |label| label.as_str());
    let spec = tables::ENVIRONMENT.attributes.iter().find(|spec| spec.name == "journal");
    let attr = spec.and_then(|spec| walker.attribute(spec, attribute, &["environment", label]));
    if let Some(problem) = context.take_problems().iter().find(|problem| problem.severity == Severity::Error) {
        return Err(refused(problem));
    }
    Ok(match attr.map(|attr| attr.value) {
        None => JournalSetting::Local,
        Some(Value::String(text)) if text == "local" => JournalSetting::Local,
        Some(value) => JournalSetting::Url(value),
    })
}

type Blocks<'s> = Vec<(&'s Source, &'s Block)>;

/// All top-level blocks in order; takes in locals, and the names of what is declared.
fn gather<'s>(context: &mut Context<'s>, sources: &'s [Source], kinds: &[&dyn KindSchema]) -> Blocks<'s> {
    let mut blocks = Vec::new();
    for source in sources {
        for structure in source.body.iter().flatten() {
            match structure {
                Structure::Attribute(_) if context.has_enough_errors() => break,
                Structure::Attribute(attribute) => {
                    let place = span(&source.file, attribute.key.span());
                    let help = "attributes stand in blocks; a value with a name of its own belongs into locals { … }";
                    context.report(Problem::error(&place, format!("attribute `{}` outside of any block", attribute.key.as_str()), help));
                }
                Structure::Block(block) => blocks.push((source, block)),
            }
        }
    }
    for (source, block) in &blocks {
        if context.has_enough_errors() {
            break;
        }
        let file = &source.file;
        match block.ident.as_str() {
            "locals" => {
                for attribute in block.body.attributes() {
                    if let Err(problem) = context.locals.add(file, &attribute.key, &attribute.value) {
                        context.report(problem);
                    }
                }
            }
            "variable" => {
                let sensitive = block
                    .body
                    .get_attribute("sensitive")
                    .is_some_and(|attribute| attribute.value.as_bool() != Some(false) && !attribute.value.is_null());
                if let Err(problem) = context.variables.add(file, block, sensitive) {
                    context.report(problem);
                }
            }
            "provider" => declare(context, file, block, providers::name(block)),
            kind if kinds.iter().any(|known| known.block().name == kind) => {
                let name = block.labels.first().map(|label| Address::new(kind, label.as_str()).to_string());
                declare(context, file, block, name);
            }
            _ => {}
        }
    }
    blocks
}

fn declare(context: &mut Context<'_>, file: &Arc<SourceFile>, block: &Block, name: Option<String>) {
    let Some(name) = name else { return };
    let place = span(file, block.labels.last().and_then(hcl_edit::Span::span).or_else(|| block.ident.span()));
    if let Some(first) = context.declared.get(&name) {
        let help = format!("the first is at {}: keep one, or give it another name", first.place());
        let what = if block.ident.as_str() == "provider" { "provider" } else { "resource" };
        context.report(Problem::error(&place, format!("duplicate {what} `{name}`"), help));
    } else {
        context.declared.insert(name, place);
    }
}

/// Everything by its table.
fn build(context: &Context<'_>, blocks: &Blocks<'_>, location: &Location, inputs: &Inputs<'_>) -> Desired {
    let evaluator = Evaluator::new(context);
    context.locals.check_cycles().into_iter().for_each(|problem| context.report(problem));
    for unit in context.locals.all() {
        if unit.is_leaf() && !check::names(context, unit.file, unit.expr) {
            unit.fail();
        }
    }
    let mut broken: HashMap<String, RefCell<Vec<Range<usize>>>> = HashMap::new();
    for (source, _) in blocks {
        broken.entry(source.file.path.clone()).or_default();
    }
    let none = RefCell::default();
    let (mut environment, mut providers, mut resources) = (None, BTreeMap::new(), Vec::new());
    for (source, block) in blocks.iter().take_while(|_| !context.has_enough_errors()) {
        let Source { file, runs, .. } = source;
        let walker = Walker { context, evaluator: &evaluator, file, runs, broken: broken.get(&file.path).unwrap_or(&none) };
        match block.ident.as_str() {
            "environment" if environment.is_some() => {
                let problem = Problem::error(&walker.header(block), "duplicate block `environment`", "an environment has exactly one; keep one");
                context.report(problem);
            }
            "environment" => environment = Some(environment::read(&walker, block, &location.environment)),
            "provider" => providers::read(&walker, block, &mut providers),
            "variable" => variable(&walker, block),
            "locals" => locals(&walker, block),
            kind => match inputs.kinds.iter().find(|known| known.block().name == kind) {
                Some(known) => resources.extend(resource(&walker, block, *known, inputs.now)),
                None => unknown_block(&walker, block, inputs.kinds),
            },
        }
    }
    if environment.is_none() {
        let help = format!("add environment \"{}\" {{}}", location.environment);
        let place = blocks.first().map(|(source, _)| span(&source.file, Some(0..0)));
        let summary = format!("there is no `environment` block for `{}`", location.environment);
        context.report_missing(Problem { severity: Severity::Error, summary, label: String::new(), help, span: place, secret: false });
    }
    context.variables.check_given().into_iter().for_each(|problem| context.report_missing(problem));
    context.check_unused(&evaluator);
    let desired = assemble(environment.unwrap_or_default(), providers, resources, location);
    check_kinds(context, &desired, inputs.kinds, &broken);
    desired
}

fn assemble(environment: Environment, providers: BTreeMap<String, Provider>, resources: Vec<Declared>, location: &Location) -> Desired {
    Desired {
        environment: location.environment.clone(),
        root: location.root.clone(),
        description: environment.description,
        protect: environment.protect,
        notify: environment::notify(&environment.notify, &providers),
        journal: environment.journal,
        providers,
        resources,
        warnings: Vec::new(),
    }
}

fn resource(walker: &Walker<'_, '_>, block: &Block, kind: &dyn KindSchema, now: Timestamp) -> Option<Declared> {
    let spec = kind.block();
    if !walker.check_labels(spec, block) {
        return None;
    }
    let name = block.labels.first().map_or("", |label| label.as_str());
    let address = Address::new(spec.name, name);
    if name.is_empty() {
        walker.context.report(Problem::error(&walker.header(block), format!("a `{}` without a name", spec.name), "write its name as the label"));
    }
    // The second of two of one name is an error already, and must not stand beside the first.
    let first = walker.context.declared.get(&address.to_string()).is_none_or(|place| {
        block.labels.last().and_then(hcl_edit::Span::span).is_some_and(|range| place.range == range && place.file.path == walker.file.path)
    });
    let parts = [spec.name, name];
    let common = common::read(walker, block, &parts, kind.timeouts(), now);
    let body = walker.node(spec, block, &parts, common::EXTRA);
    first.then_some(Declared { address, common, body, typed: Typed::default() })
}

/// A `variable` block: its default and type are read where they are needed, the rest here.
fn variable(walker: &Walker<'_, '_>, block: &Block) {
    if !walker.check_labels(&tables::VARIABLE, block) {
        return;
    }
    let label = block.labels.first().map_or("", |label| label.as_str());
    for attribute in block.body.attributes() {
        let name = attribute.key.as_str();
        match tables::VARIABLE.attributes.iter().find(|known| known.name == name) {
            Some(known) if matches!(name, "description" | "sensitive") => drop(walker.attribute(known, attribute, &["variable", label])),
            Some(_) if name == "default" => drop(check::names(walker.context, walker.file, &attribute.value)),
            Some(_) => {}
            None => {
                let help = suggest::help(name, tables::VARIABLE.attributes.iter().map(|known| known.name), "");
                walker.context.report(
                    Problem::error(&walker.span(attribute.key.span()), format!("unknown attribute `{name}`"), help)
                        .label("not an attribute of `variable`"),
                );
            }
        }
    }
    for inner in block.body.blocks() {
        walker.context.report(Problem::error(
            &walker.header(inner),
            format!("unknown block `{}`", inner.ident.as_str()),
            "a variable holds attributes alone",
        ));
    }
    if let Some(variable) = walker.context.variables.get(label)
        && let Some(default) = variable.default.filter(|default| variable.sensitive && !is_call(&default.value))
    {
        let mut problem = Problem::warning(
            &walker.span(default.value.span()),
            "a sensitive variable with its value in the file",
            "set it with an environment variable or --var-file instead",
        );
        problem.secret = true;
        walker.context.report(problem);
    }
}

fn is_call(expr: &hcl_edit::expr::Expression) -> bool {
    matches!(expr, hcl_edit::expr::Expression::FuncCall(_))
}

fn locals(walker: &Walker<'_, '_>, block: &Block) {
    walker.check_labels(&tables::LOCALS, block);
    for inner in block.body.blocks() {
        let what = format!("block `{}` in locals", inner.ident.as_str());
        walker.context.report(Problem::error(&walker.header(inner), what, "locals holds attributes: NAME = VALUE"));
    }
}

fn unknown_block(walker: &Walker<'_, '_>, block: &Block, kinds: &[&dyn KindSchema]) {
    let name = block.ident.as_str();
    let known = ["environment", "provider", "variable", "locals"].into_iter().chain(kinds.iter().map(|kind| kind.block().name));
    let help = suggest::help(name, known, "");
    walker.context.report(Problem::error(&walker.span(block.ident.span()), format!("unknown block `{name}`"), help));
}

/// What the tables cannot say: circles among resources, and each kind's own checks.
fn check_kinds(context: &Context<'_>, desired: &Desired, kinds: &[&dyn KindSchema], broken: &HashMap<String, RefCell<Vec<Range<usize>>>>) {
    let place: HashMap<&Address, usize> = desired.resources.iter().enumerate().map(|(n, resource)| (&resource.address, n)).collect();
    let edges: Vec<Vec<usize>> = desired
        .resources
        .iter()
        .map(|resource| resource.common.depends_on.iter().filter_map(|address| place.get(address).copied()).collect())
        .collect();
    for circle in cycles::find(&edges) {
        let names: Vec<String> = circle.iter().map(|n| desired.resources[*n].address.to_string()).collect();
        let what = format!("resources depend on one another in a circle: {}", cycles::words(&names));
        context.report(Problem::error(&desired.resources[circle[0]].body.span, what, "remove one of these depends_on"));
    }
    let own = desired.resources.iter().flat_map(|resource| {
        let kind = kinds.iter().find(|kind| kind.block().name == resource.address.kind);
        kind.map(|kind| kind.check(resource, desired)).unwrap_or_default()
    });
    for problem in own.chain(kinds.iter().flat_map(|kind| kind.check_together(desired))) {
        // What is said of a block as a whole may only follow from what could not be read in it.
        let follows =
            problem.span.as_ref().is_some_and(|span| broken.get(&span.file.path).is_some_and(|ranges| ranges.borrow().contains(&span.range)));
        if !follows {
            context.report(problem);
        }
    }
}

/// In the order of the files and of the places in them; each mistake once.
fn in_order(problems: &mut Vec<Problem>, sources: &[Source]) {
    let order: HashMap<&str, usize> = sources.iter().enumerate().map(|(n, source)| (source.file.path.as_str(), n)).collect();
    let key =
        |problem: &Problem| problem.span.as_ref().map(|span| (order.get(span.file.path.as_str()).copied().unwrap_or(usize::MAX), span.range.start));
    problems.sort_by_key(key);
    problems.dedup_by(|a, b| a.summary == b.summary && a.span == b.span);
}

#[cfg(test)]
mod tests;
