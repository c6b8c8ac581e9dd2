//! What people may write in a file is documented and tested: every block, attribute and timeout of every table. The tables of kinds are
//! asked; those of `declare`, which nobody else needs, are read as text.

use std::collections::BTreeSet;
use std::fs;

use switchover::declare::{BlockSpec, TimeoutSpec};
use switchover::kinds;

use super::expect_none;
use super::lexer::{Kind, Token};
use super::sources::{ends, files_below, root, sources};
use super::syntax::{arguments, matches};

/// Shorter than this a sentence explains nothing.
const DOC_CHARS_MIN: usize = 20;

/// One thing that people may write: where it stands (`database.refresh.schedule`), its own name, its documentation.
struct Entry {
    place: String,
    name: String,
    doc: String,
}

fn block(within: &str, spec: &'static BlockSpec, entries: &mut Vec<Entry>) {
    let place = if within.is_empty() { spec.name.to_owned() } else { format!("{within}.{}", spec.name) };
    entries.push(Entry { place: place.clone(), name: spec.name.to_owned(), doc: spec.doc.to_owned() });
    for attribute in spec.attributes {
        entries.push(Entry { place: format!("{place}.{}", attribute.name), name: attribute.name.to_owned(), doc: attribute.doc.to_owned() });
    }
    for inner in spec.blocks {
        block(&place, inner, entries);
    }
}

fn timeout(kind: &str, spec: &'static TimeoutSpec) -> Entry {
    Entry { place: format!("{kind}.timeouts.{}", spec.name), name: spec.name.to_owned(), doc: spec.doc.to_owned() }
}

/// Every `AttrSpec::new(name, type, documentation)` that stands in the code of `declare`.
fn written_in_declare(entries: &mut Vec<Entry>) {
    for source in sources().iter().filter(|source| source.path.starts_with("src/declare/")) {
        let tokens = &source.tokens;
        for at in (0..tokens.len()).filter(|at| matches(tokens, *at, &["AttrSpec", ":", ":", "new", "("]) && !source.is_test(tokens[*at].line)) {
            let text = |argument: Option<&&[Token]>| match argument {
                Some([only]) if only.kind == Kind::Text => Some(only.text.clone()),
                _ => None,
            };
            let arguments = arguments(tokens, at + 4);
            let (Some(name), Some(doc)) = (text(arguments.first()), text(arguments.get(2))) else { continue };
            entries.push(Entry { place: format!("{} {name}", source.at(tokens[at].line)), name, doc });
        }
    }
}

/// Everything that the tables describe.
fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    for kind in kinds::ALL {
        block("", kind.block(), &mut entries);
        entries.extend(kind.timeouts().iter().map(|spec| timeout(kind.block().name, spec)));
    }
    written_in_declare(&mut entries);
    entries
}

#[test]
fn every_attribute_is_documented() {
    let poor = entries().into_iter().filter(|entry| entry.doc.chars().count() < DOC_CHARS_MIN || !entry.doc.ends_with('.'));
    let found: Vec<String> = poor.map(|entry| format!("{}: {:?}", entry.place, entry.doc)).collect();
    expect_none(&format!("its documentation is a sentence of at least {DOC_CHARS_MIN} characters that ends with a full stop"), &found);
}

#[test]
fn every_name_stands_once_in_its_block() {
    let mut known = BTreeSet::new();
    let twice: Vec<String> = entries().into_iter().map(|entry| entry.place).filter(|place| !known.insert(place.clone())).collect();
    expect_none("an attribute or block is described once", &twice);
}

/// Names that HCL in `text` gives: what stands before `=` or `{`, and labels' block types.
fn hcl_names(text: &str, names: &mut BTreeSet<String>) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut at = 0;
    while at < chars.len() {
        if !is_name(chars[at].1) {
            at += 1;
            continue;
        }
        let begin = chars[at].0;
        while at < chars.len() && is_name(chars[at].1) {
            at += 1;
        }
        let end = chars.get(at).map_or(text.len(), |(end, _)| *end);
        let rest = text[end..].trim_start_matches([' ', '\t', '"', '\\']);
        let gives = rest.starts_with('=') && !rest.starts_with("==") || rest.starts_with('{') || text[end..].starts_with(" \"");
        if gives {
            names.insert(text[begin..end].to_owned());
        }
    }
}

/// Every name that some test mentions: as a text of its own, or as an attribute or block of the HCL in one.
fn tested_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in sources() {
        // The tables themselves are no test, and neither is this folder.
        if source.path.starts_with("tests/all/tidy/") {
            continue;
        }
        for token in source.tokens.iter().filter(|token| token.kind == Kind::Text && source.is_test(token.line)) {
            names.insert(token.text.clone());
            hcl_names(&token.text, &mut names);
        }
    }
    for path in files_below("tests").into_iter().filter(|path| ends(path, "hcl")) {
        hcl_names(&fs::read_to_string(root().join(path)).unwrap(), &mut names);
    }
    names
}

#[test]
fn every_attribute_is_named_in_a_test() {
    let tested = tested_names();
    let untested: Vec<String> = entries().into_iter().filter(|entry| !tested.contains(&entry.name)).map(|entry| entry.place).collect();
    expect_none("some test names it, as a text of its own or in HCL", &untested);
}

#[test]
fn names_are_found_in_hcl() {
    let mut names = BTreeSet::new();
    hcl_names("record \"A\" \"gigadb.org\" { values = [\"x\"]\n ttl=60 }\n if a == b timeouts{", &mut names);
    let found: Vec<&str> = names.iter().map(String::as_str).filter(|name| ["record", "values", "ttl", "timeouts", "a", "x"].contains(name)).collect();
    assert_eq!(found, ["record", "timeouts", "ttl", "values"]);
}
