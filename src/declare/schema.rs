//! A block against its table: unknown and missing things, wrong types, references to nothing. All mistakes at once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Block, Body};

use super::context::{Context, span};
use super::desired::Attributes;
use super::eval::{Evaluator, Scope, convert};
use super::plain::{self, Literal, Plain};
use super::secrets::{self, address_words};
use super::spec::{AttrSpec, AttrType, BlockSpec, Presence};
use super::{Attr, Node, check, coerce, suggest, tables};
use crate::model::{Problem, SourceFile, Span, Value};

/// Names that a table does not hold and somebody else reads.
#[derive(Clone, Copy, Default)]
pub struct Extra {
    /// Attributes.
    pub attributes: &'static [AttrSpec],
    /// Blocks.
    pub blocks: &'static [BlockSpec],
}

/// Walks the blocks of one file.
pub struct Walker<'w, 'a> {
    /// The environment.
    pub context: &'w Context<'a>,
    /// Its evaluator.
    pub evaluator: &'w Evaluator<'w>,
    /// The file.
    pub file: &'w Arc<SourceFile>,
    /// Its runs of plain blocks.
    pub runs: &'w [Range<usize>],
    /// Headers of blocks in which something could not be read, so that what is missing there may well be there.
    pub broken: &'w RefCell<Vec<Range<usize>>>,
}

impl Walker<'_, '_> {
    /// A place in this file.
    #[must_use]
    pub fn span(&self, range: Option<Range<usize>>) -> Span {
        span(self.file, range)
    }

    /// A block's header: its type and its labels.
    #[must_use]
    pub fn header(&self, block: &Block) -> Span {
        let start = block.ident.span().unwrap_or(0..0);
        let end = block.labels.last().and_then(hcl_edit::Span::span).map_or(start.end, |last| last.end);
        self.span(Some(start.start..end))
    }

    /// A block's labels with their places.
    #[must_use]
    pub fn labels(&self, block: &Block) -> Vec<(String, Span)> {
        block.labels.iter().map(|label| (label.as_str().to_owned(), self.span(label.span()))).collect()
    }

    /// Whether a block has the labels its table wants.
    pub fn check_labels(&self, spec: &BlockSpec, block: &Block) -> bool {
        let (has, wants) = (block.labels.len(), spec.labels.len());
        if has == wants {
            return true;
        }
        let form: Vec<String> = spec.labels.iter().map(|label| format!("\"{}\"", label.to_uppercase())).collect();
        let place = block.labels.get(wants).and_then(hcl_edit::Span::span).map_or_else(|| self.header(block), |extra| self.span(Some(extra)));
        let what = if has > wants { "too many labels" } else { "a label is missing" };
        let form = [spec.name.to_owned(), form.join(" ")].join(" ");
        self.context.report(Problem::error(&place, format!("{what} on `{}`", spec.name), format!("write {} {{ … }}", form.trim_end())));
        false
    }

    /// A block by its table. What is wrong is reported; what is right is in the node.
    pub fn node(&self, spec: &'static BlockSpec, block: &Block, address: &[&str], extra: Extra) -> Node {
        let (header, body) = (self.header(block), &block.body);
        let mut node = Node {
            spec,
            labels: self.labels(block),
            span: header.clone(),
            attributes: Attributes::with_capacity(body.attributes().count()),
            blocks: Vec::with_capacity(body.blocks().count()),
        };
        let mut good = true;
        let mut guessed: Vec<&str> = Vec::new();
        for attribute in block.body.attributes() {
            let name = attribute.key.as_str();
            if let Some(known) = spec.attributes.iter().find(|known| known.name == name) {
                match self.attribute(known, attribute, address) {
                    Some(attr) => node.attributes.insert(known.name, attr),
                    None if attribute.value.is_null() => {}
                    None => {
                        good = false;
                        guessed.push(known.name);
                    }
                }
            } else if !extra.attributes.iter().any(|known| known.name == name) {
                good = false;
                guessed.extend(self.unknown_attribute(spec, extra, attribute));
            }
        }
        good &= self.blocks(spec, &block.body, address, extra, &mut node);
        self.missing(spec, &block.body, &header, &guessed, &node);
        if !good {
            self.broken.borrow_mut().push(header.range);
        }
        node
    }

    /// The inner blocks.
    fn blocks(&self, spec: &'static BlockSpec, body: &Body, address: &[&str], extra: Extra, node: &mut Node) -> bool {
        let mut good = true;
        let mut first: HashMap<&str, Span> = HashMap::new();
        for inner in body.blocks() {
            if self.context.has_enough_errors() {
                break;
            }
            let name = inner.ident.as_str();
            let Some(known) = spec.blocks.iter().find(|known| known.name == name) else {
                if !extra.blocks.iter().any(|known| known.name == name) {
                    good = false;
                    self.unknown_block(spec, extra, inner);
                }
                continue;
            };
            if let Some(run) = plain::run_of(inner, self.runs) {
                self.run(known, run, node);
                continue;
            }
            if known.presence != Presence::Repeated
                && let Some(earlier) = first.insert(known.name, self.header(inner))
            {
                let help = format!("the first is at {}: keep one", earlier.place());
                self.context.report(Problem::error(&self.header(inner), format!("duplicate block `{name}`"), help));
                continue;
            }
            if !self.check_labels(known, inner) {
                good = false;
                continue;
            }
            let mut path = address.to_vec();
            path.push(known.name);
            path.extend(inner.labels.iter().map(hcl_edit::structure::BlockLabel::as_str));
            node.blocks.push(self.node(known, inner, &path, Extra::default()));
        }
        good
    }

    /// The blocks of a run.
    fn run(&self, spec: &'static BlockSpec, run: &Range<usize>, node: &mut Node) {
        let mut end = run.start;
        for plain in plain::blocks(&self.file.text, run, spec) {
            if self.context.has_enough_errors() {
                return;
            }
            end = plain.end;
            node.blocks.push(self.plain(spec, plain));
        }
        if end != run.end {
            // Never reached as long as what is read here is what was found plain; nothing of a file may be lost without a word.
            let help = "report this as a mistake of the tool, with the file; a comment between these blocks helps until then";
            self.context.report(Problem::error(&self.span(Some(end..run.end)), "some blocks could not be read", help));
        }
    }

    /// A plain block by its table.
    fn plain(&self, spec: &'static BlockSpec, plain: Plain) -> Node {
        let place = |range: Range<usize>| self.span(Some(range));
        let mut node = Node {
            spec,
            labels: plain.labels.into_iter().map(|(label, range)| (label, place(range))).collect(),
            span: place(plain.header),
            attributes: Attributes::with_capacity(plain.attributes.len()),
            blocks: Vec::new(),
        };
        let mut guessed: Vec<&str> = Vec::new();
        for Literal { spec, key, value, place: range } in plain.attributes {
            let span = place(range);
            match self.typed(spec, value, &span, None) {
                Some(value) => node.attributes.insert(spec.name, Attr { value, key: place(key), span }),
                None => guessed.push(spec.name),
            }
        }
        self.missing(spec, &Body::default(), &node.span, &guessed, &node);
        if !guessed.is_empty() {
            self.broken.borrow_mut().push(node.span.range.clone());
        }
        node
    }

    fn missing(&self, spec: &BlockSpec, body: &Body, header: &Span, guessed: &[&str], node: &Node) {
        for wanted in spec.attributes.iter().filter(|wanted| wanted.presence == Presence::Required) {
            if node.attr(wanted.name).is_some() || guessed.contains(&wanted.name) {
                continue;
            }
            let what = if body.has_attribute(wanted.name) { "is null" } else { "is missing" };
            let help = format!("add {} = …: {}", wanted.name, wanted.doc);
            self.context.report(Problem::error(header, format!("the attribute `{}` {what} in `{}`", wanted.name, spec.name), help));
        }
        for wanted in spec.blocks.iter().filter(|wanted| wanted.presence == Presence::Required) {
            if !body.has_blocks(wanted.name) {
                let help = format!("add {} {{ … }}: {}", wanted.name, wanted.doc);
                self.context.report(Problem::error(header, format!("the block `{}` is missing in `{}`", wanted.name, spec.name), help));
            }
        }
    }

    /// One attribute by its table; none when it is null, or wrong and reported.
    pub fn attribute(&self, spec: &AttrSpec, attribute: &Attribute, address: &[&str]) -> Option<Attr> {
        let (key, place) = (self.span(attribute.key.span()), self.span(attribute.value.span()));
        if !check::names(self.context, self.file, &attribute.value) {
            return None;
        }
        let value = if spec.secret {
            let mut path = address.to_vec();
            path.push(spec.name);
            let secret = secrets::Attribute {
                file: self.file,
                expr: &attribute.value,
                address: address_words(&path),
                url: matches!(spec.name, "url" | "journal"),
            };
            secrets::value(self.context, self.evaluator, &secret).map_err(|fault| secrets::report(self.context, fault)).ok()?
        } else {
            self.evaluator.eval(&attribute.value, &Scope::of(self.file)).map_err(|fault| self.context.report_fault(fault)).ok()?
        };
        if matches!(value, Value::Null) {
            return None;
        }
        let value = match (&value, spec.ty) {
            (Value::Secret(_), _) | (Value::List(_), AttrType::StringList | AttrType::StringOrList) if spec.secret => value,
            (Value::List(_), _) if spec.secret => {
                self.context.report(Problem::error(&place, format!("wrong type for `{}`: a list where one text is needed", spec.name), spec.doc));
                return None;
            }
            _ => self.typed(spec, value, &place, Some(&attribute.value))?,
        };
        Some(Attr { value, key, span: place })
    }

    fn typed(&self, spec: &AttrSpec, value: Value, place: &Span, expr: Option<&Expression>) -> Option<Value> {
        if convert::holds_secret(&value) {
            let help = "a plan shows this value, and a plan holds no secrets: use a variable that is not sensitive";
            self.context.report(Problem::error(place, format!("`{}` cannot be made of a secret", spec.name), help));
            return None;
        }
        let value = match coerce::coerce(spec.ty, value) {
            Ok(value) => value,
            Err((what, help)) => {
                self.context.report(
                    Problem::error(place, format!("wrong type for `{}`: {what}", spec.name), help).label(format!("takes {}", coerce::words(spec.ty))),
                );
                return None;
            }
        };
        if let Some(check) = spec.check
            && let Err(what) = check(&value)
        {
            self.context.report(Problem::error(place, format!("bad value for `{}`: {what}", spec.name), spec.doc));
            return None;
        }
        self.leads_somewhere(spec.ty, &value, place, expr).then_some(value)
    }

    /// Whether what a reference names is declared. Where a list is written out, the place is that of its item.
    fn leads_somewhere(&self, ty: AttrType, value: &Value, place: &Span, expr: Option<&Expression>) -> bool {
        let (AttrType::Reference(kind) | AttrType::ReferenceList(kind)) = ty else { return true };
        let names: Vec<&str> = match value {
            Value::Reference(name) => vec![name],
            Value::List(items) => {
                items.iter().filter_map(|item| if let Value::Reference(name) = item { Some(name.as_str()) } else { None }).collect()
            }
            _ => Vec::new(),
        };
        let items: Vec<&Expression> = if let Some(Expression::Array(items)) = expr { items.iter().collect() } else { Vec::new() };
        let mut good = true;
        for (at, name) in names.iter().enumerate().filter(|(_, name)| !self.context.declared.contains_key(**name)) {
            let item = items.get(at).filter(|_| items.len() == names.len()).map(|item| self.span(item.span()));
            let help = not_declared(self.context, kind, name);
            self.context.report_missing(Problem::error(
                item.as_ref().unwrap_or(place),
                format!("reference to `{name}`, which is not declared"),
                help,
            ));
            good = false;
        }
        for (at, name) in names.iter().enumerate().filter(|(_, name)| kind.is_empty() && is_provider(name)) {
            let item = items.get(at).filter(|_| items.len() == names.len()).map(|item| self.span(item.span()));
            let help = "name resources, such as database.NAME: providers need no order";
            self.context.report(Problem::error(item.as_ref().unwrap_or(place), format!("`{name}` is a provider, not a resource"), help));
            good = false;
        }
        good
    }

    /// Reports it, and gives the known name that was probably meant.
    fn unknown_attribute(&self, spec: &BlockSpec, extra: Extra, attribute: &Attribute) -> Option<&'static str> {
        let name = attribute.key.as_str();
        let place = self.span(attribute.key.span());
        if spec.blocks.iter().chain(extra.blocks).any(|block| block.name == name) {
            self.context.report(Problem::error(
                &place,
                format!("`{name}` is a block, not an attribute"),
                format!("write {name} {{ … }}, without `=`"),
            ));
            return None;
        }
        let known: Vec<&'static str> =
            spec.attributes.iter().chain(extra.attributes).map(|known| known.name).chain(spec.blocks.iter().map(|block| block.name)).collect();
        let help = suggest::help(name, known.iter().copied(), "remove it; the reference lists what can stand here");
        self.context
            .report(Problem::error(&place, format!("unknown attribute `{name}`"), help).label(format!("not an attribute of `{}`", spec.name)));
        check::names(self.context, self.file, &attribute.value);
        suggest::nearest(name, known)
    }

    fn unknown_block(&self, spec: &BlockSpec, extra: Extra, block: &Block) {
        let name = block.ident.as_str();
        let place = self.span(block.ident.span());
        if spec.attributes.iter().chain(extra.attributes).any(|attribute| attribute.name == name) {
            let problem = Problem::error(&place, format!("`{name}` is an attribute, not a block"), format!("write {name} = …"));
            return self.context.report(problem);
        }
        let known = spec.blocks.iter().chain(extra.blocks).map(|block| block.name);
        let help = suggest::help(name, known, "remove it; the reference lists what can stand here");
        self.context.report(Problem::error(&place, format!("unknown block `{name}`"), help).label(format!("not a block of `{}`", spec.name)));
    }
}

/// What to do about a reference to nothing: the name that was probably meant, what there is, or how to declare it. `kind` empty: any resource.
pub fn not_declared(context: &Context<'_>, kind: &str, name: &str) -> String {
    let fits = |known: &&String| if kind.is_empty() { !is_provider(known) } else { known.split(['.', '[']).next() == Some(kind) };
    let mut alike: Vec<&str> = context.declared.keys().filter(fits).map(String::as_str).collect();
    alike.sort_unstable();
    suggest::reference(name, &alike).unwrap_or_else(|| format!("declare it: {}", declaration(name)))
}

/// Whether a reference names a provider.
fn is_provider(name: &str) -> bool {
    let root = name.split(['.', '[']).next();
    tables::PROVIDERS.iter().any(|spec| root == Some(spec.name))
}

/// How a missing thing would be declared.
fn declaration(name: &str) -> String {
    let (root, rest) = name.split_once(['.', '[']).unwrap_or((name, ""));
    let label = rest.trim_end_matches(']').trim_matches('"');
    match (is_provider(name), label) {
        (true, "") => format!("provider \"{root}\" {{ … }}"),
        (true, label) => format!("provider \"{root}\" \"{label}\" {{ … }}"),
        (false, label) => format!("{root} \"{label}\" {{ … }}"),
    }
}
