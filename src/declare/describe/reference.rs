//! The reference for people, as Markdown.

use std::fmt::Write as _;

use super::{is_provider, shared, top};
use crate::declare::spec::{AttrSpec, AttrType, BlockSpec, KindSchema, Presence, TimeoutSpec};
use crate::declare::{SPECIAL_FUNCTIONS, coerce, functions as plain_functions};
use crate::model::time;

const HEAD: &str = "# Reference of the language\n\nMade by `switchover schema --format markdown` from the tables that the parser reads by; a test compares the two. \
                    Names in **bold** must be there.\n\nEvery file under `environments/` is HCL. Values are expressions, evaluated before anything is observed.\n";

/// The whole reference.
#[must_use]
pub fn markdown(kinds: &[&dyn KindSchema]) -> String {
    let mut text = HEAD.to_owned();
    for (spec, timeouts) in top(kinds) {
        let header = if is_provider(spec) { format!("provider \"{}\"", spec.name) } else { header(spec) };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## `{header}`\n\n{}\n", spec.doc);
        if is_provider(spec) {
            text.push_str("\nA second label names one of several: `provider \"TYPE\" \"NAME\"` is `TYPE.NAME`.\n");
        }
        attributes(&mut text, spec.attributes);
        for block in spec.blocks {
            self::block(&mut text, spec.name, block);
        }
        if let Some(timeouts) = timeouts {
            self::timeouts(&mut text, timeouts);
        }
    }
    every_resource(&mut text);
    functions(&mut text);
    text
}

/// `record "TYPE" "NAME"`.
fn header(spec: &BlockSpec) -> String {
    let labels = spec.labels.iter().map(|label| format!(" \"{}\"", label.to_uppercase()));
    std::iter::once(spec.name.to_owned()).chain(labels).collect()
}

fn block(text: &mut String, within: &str, spec: &BlockSpec) {
    let often = match spec.presence {
        Presence::Required => "Exactly one.",
        Presence::Optional => "At most one.",
        Presence::Repeated => "Any number.",
    };
    let _ = write!(text, "\n### `{}` in `{within}`\n\n{} {often}\n", header(spec), spec.doc);
    attributes(text, spec.attributes);
    for inner in spec.blocks {
        block(text, spec.name, inner);
    }
}

fn attributes(text: &mut String, specs: &[AttrSpec]) {
    if specs.is_empty() {
        return;
    }
    text.push_str("\n| name | takes | default | what it is |\n|---|---|---|---|\n");
    for spec in specs {
        let name = if spec.presence == Presence::Required { format!("**`{}`**", spec.name) } else { format!("`{}`", spec.name) };
        let default = spec.default.map_or_else(String::new, |default| format!("`{}`", cell(default)));
        let secret = if spec.secret { " Secret: resolved only when it is used." } else { "" };
        let _ = writeln!(text, "| {name} | {} | {default} | {}{secret} |", cell(&takes(spec.ty)), cell(spec.doc));
    }
}

fn takes(ty: AttrType) -> String {
    match ty {
        AttrType::Reference("") => "a reference to a resource".to_owned(),
        AttrType::ReferenceList("") => "a list of references to resources".to_owned(),
        AttrType::Reference(kind) => format!("a reference to `{kind}`"),
        AttrType::ReferenceList(kind) => format!("a list of references to `{kind}`"),
        plain => coerce::words(plain).to_owned(),
    }
}

fn timeouts(text: &mut String, specs: &[TimeoutSpec]) {
    text.push_str("\n### its `timeouts`\n\n| name | default | as a rule | what it limits |\n|---|---|---|---|\n");
    for spec in specs {
        let _ = writeln!(text, "| `{}` | `{}` | {} | {} |", spec.name, time::words(spec.default), time::words(spec.expected), cell(spec.doc));
    }
}

fn every_resource(text: &mut String) {
    let (attributes, blocks) = shared();
    text.push_str("\n## Every resource\n\nWhat each resource block may hold besides its own.\n");
    self::attributes(text, attributes);
    for block in blocks {
        self::block(text, "a resource", block);
    }
}

fn functions(text: &mut String) {
    text.push_str("\n## Functions\n\n| function | what it gives |\n|---|---|\n");
    let plain = plain_functions().map(|function| (function.name, function.form, function.doc));
    let mut all: Vec<_> = plain.chain(SPECIAL_FUNCTIONS.iter().map(|function| (function.name, function.form, function.doc))).collect();
    all.sort_unstable();
    for (name, form, doc) in all {
        let _ = writeln!(text, "| `{name}{}` | {} |", cell(form), cell(doc));
    }
}

/// A text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
