//! What the table cannot say: relations between records, and between zones of one environment.

use std::collections::HashMap;

use super::desired::{Set, ZoneSpec, label_span, read};
use super::schema::BLOCK;
use crate::declare::{Declared, Desired, Node};
use crate::model::record::{RecordType, canonical_name};
use crate::model::{Number, Problem, Value};

/// All mistakes of one zone.
pub(super) fn check(declared: &Declared, desired: &Desired) -> Vec<Problem> {
    let (spec, mut problems) = read(declared, desired);
    let blocks: Vec<&Node> = declared.body.blocks("record").collect();
    duplicates(&spec, &blocks, &mut problems);
    beside_cname(&spec, &blocks, &mut problems);
    proxied_ttl(&spec, &blocks, &mut problems);
    problems
}

/// Several blocks that declare one zone, each said once, at the later one.
pub(super) fn check_together(desired: &Desired) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut first: HashMap<String, &Declared> = HashMap::new();
    for declared in desired.resources.iter().filter(|declared| declared.address.kind == BLOCK.name) {
        let Ok(name) = canonical_name(&declared.address.name) else { continue };
        let Some(other) = first.get(&name) else {
            first.insert(name, declared);
            continue;
        };
        problems.push(Problem::error(
            label_span(&declared.body, 0),
            format!("the zone {name} is declared twice"),
            format!("it is declared at {} too: put its records into one block", label_span(&other.body, 0).place()),
        ));
    }
    problems
}

/// The `record` block of a set.
fn block<'a>(blocks: &[&'a Node], set: &Set) -> Option<&'a Node> {
    blocks.get(set.block).copied()
}

fn duplicates(spec: &ZoneSpec, blocks: &[&Node], problems: &mut Vec<Problem>) {
    let mut first: HashMap<(&str, RecordType), &Set> = HashMap::with_capacity(spec.sets.len());
    for set in &spec.sets {
        let Some(earlier) = first.get(&(set.name.as_str(), set.rtype)) else {
            first.insert((&set.name, set.rtype), set);
            continue;
        };
        let (Some(here), Some(there)) = (block(blocks, set), block(blocks, earlier)) else { continue };
        problems.push(
            Problem::error(
                label_span(here, 1),
                format!("duplicate record {} {}", set.rtype, set.name),
                format!("it is declared at {} too: list all answers in the `values` of one block", label_span(there, 0).place()),
            )
            .label("declared again here"),
        );
    }
}

/// A CNAME must be alone under its name. At the zone's own name Cloudflare answers for it ("flattening"), so there only
/// addresses are in its way.
fn beside_cname(spec: &ZoneSpec, blocks: &[&Node], problems: &mut Vec<Problem>) {
    let held = |set: &&Set| set.answers.count() > 0;
    let cnames: HashMap<&str, &Set> =
        spec.sets.iter().filter(held).filter(|set| set.rtype == RecordType::Cname).map(|set| (set.name.as_str(), set)).collect();
    if cnames.is_empty() {
        return;
    }
    for set in spec.sets.iter().filter(held).filter(|set| set.rtype != RecordType::Cname) {
        let Some(cname) = cnames.get(set.name.as_str()) else { continue };
        if !excludes_cname(set.rtype.word(), set.name == spec.name) {
            continue;
        }
        let (Some(here), Some(there)) = (block(blocks, set), block(blocks, cname)) else { continue };
        problems.push(
            Problem::error(
                label_span(here, 0),
                format!("the {} record {} stands beside a CNAME of the same name", set.rtype, set.name),
                format!("the CNAME is declared at {}: a name with a CNAME has no other records; keep one of the two", label_span(there, 0).place()),
            )
            .label("beside a CNAME"),
        );
    }
}

/// Whether a record of type `other` and a CNAME cannot stand under one name.
pub(super) fn excludes_cname(other: &str, apex: bool) -> bool {
    !apex || matches!(other, "A" | "AAAA" | "CNAME")
}

/// The TTL of a proxied record is Cloudflare's own.
fn proxied_ttl(spec: &ZoneSpec, blocks: &[&Node], problems: &mut Vec<Problem>) {
    for set in spec.sets.iter().filter(|set| set.proxied == Some(true)) {
        let Some(attr) = block(blocks, set).and_then(|node| node.attr("ttl")) else { continue };
        if attr.value != Value::Number(Number::Int(1)) {
            problems.push(Problem::warning(
                &attr.span,
                format!("the TTL of the proxied {} record {} has no effect", set.rtype, set.name),
                "proxied records always have the automatic TTL: remove `ttl` or set it to 1",
            ));
        }
    }
}

#[cfg(test)]
mod tests;
