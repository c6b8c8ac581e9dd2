//! What every resource block has: `depends_on`, `hold`, `lifecycle`, `timeouts`.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use hcl_edit::Span as _;
use hcl_edit::structure::Block;

use super::schema::{Extra, Walker};
use super::spec::{AttrSpec, AttrType, BlockSpec, Presence, TimeoutSpec};
use super::{Common, Hold, Node, dates, suggest};
use crate::model::time::{self, Timestamp};
use crate::model::{Address, Problem, Value};

/// Attributes of every resource block.
pub static ATTRIBUTES: &[AttrSpec] = &[
    AttrSpec::new("depends_on", AttrType::ReferenceList(""), "Resources whose changes must be confirmed before this one's begin."),
    AttrSpec::new("hold", AttrType::Bool, "Whether to leave the resource as it is; a block when there is more to say.").default("false"),
];

/// Blocks of every resource block.
pub static BLOCKS: &[BlockSpec] = &[
    BlockSpec {
        name: "hold",
        labels: &[],
        presence: Presence::Optional,
        doc: "Leave the resource as it is; plans show the hold.",
        attributes: &[
            AttrSpec::new("reason", AttrType::String, "Why the resource is held."),
            AttrSpec::new("by", AttrType::String, "Who said that it is to be held."),
            AttrSpec::new("until", AttrType::Date, "Until when; afterwards it is an error, so that nobody forgets it."),
        ],
        blocks: &[],
    },
    BlockSpec {
        name: "lifecycle",
        labels: &[],
        presence: Presence::Optional,
        doc: "What may not happen to the resource.",
        attributes: &[AttrSpec::new("prevent_destroy", AttrType::Bool, "Refuses every plan that deletes the resource, or the instance it replaces.")
            .default("false")],
        blocks: &[],
    },
    BlockSpec {
        name: "timeouts",
        labels: &[],
        presence: Presence::Optional,
        doc: "How long its steps may take, by name.",
        attributes: &[],
        blocks: &[],
    },
];

/// What belongs to every resource, for the walk of its own table.
pub static EXTRA: Extra = Extra { attributes: ATTRIBUTES, blocks: BLOCKS };

/// Reads what every resource has.
pub fn read(walker: &Walker<'_, '_>, block: &Block, address: &[&str], timeouts: &[TimeoutSpec], now: Timestamp) -> Common {
    let mut common = Common::default();
    for attribute in block.body.attributes() {
        let Some(spec) = ATTRIBUTES.iter().find(|spec| spec.name == attribute.key.as_str()) else { continue };
        match walker.attribute(spec, attribute, address).map(|attr| attr.value) {
            Some(Value::List(items)) => common.depends_on = items.iter().filter_map(reference).collect(),
            Some(Value::Bool(true)) => common.hold = Some(Hold { reason: None, by: None, until: None }),
            _ => {}
        }
    }
    if let Some(node) = only(walker, block, &BLOCKS[0], address) {
        if block.body.has_attribute("hold") {
            walker.context.report(Problem::error(&node.span, "`hold` is there as a block and as an attribute", "keep one of them"));
        }
        common.hold = Some(hold(walker, &node, now));
    }
    if let Some(node) = only(walker, block, &BLOCKS[1], address) {
        common.prevent_destroy = node.bool("prevent_destroy").unwrap_or(false);
    }
    for inner in block.body.get_blocks("timeouts") {
        read_timeouts(walker, inner, address, timeouts, &mut common);
    }
    common
}

fn reference(value: &Value) -> Option<Address> {
    if let Value::Reference(name) = value { Address::from_str(name).ok() } else { None }
}

/// The only inner block of a type; a second one is reported.
fn only(walker: &Walker<'_, '_>, block: &Block, spec: &'static BlockSpec, address: &[&str]) -> Option<Node> {
    let mut found = None;
    for inner in block.body.get_blocks(spec.name) {
        if found.is_some() {
            walker.context.report(Problem::error(&walker.header(inner), format!("duplicate block `{}`", spec.name), "keep one of them"));
        } else if walker.check_labels(spec, inner) {
            let mut path = address.to_vec();
            path.push(spec.name);
            found = Some(walker.node(spec, inner, &path, Extra::default()));
        }
    }
    found
}

fn hold(walker: &Walker<'_, '_>, node: &Node, now: Timestamp) -> Hold {
    let until = node.text("until").and_then(|text| dates::parse_date(text).ok());
    if let (Some(until), Some(attr)) = (until, node.attr("until"))
        && until < now
    {
        let what = format!("the hold has expired ({})", time::minute(until));
        walker.context.report(Problem::error(&attr.span, what, "remove the hold to let the resource change again, or give it a later `until`"));
    }
    Hold { reason: node.text("reason").map(str::to_owned), by: node.text("by").map(str::to_owned), until }
}

fn read_timeouts(walker: &Walker<'_, '_>, block: &Block, address: &[&str], timeouts: &[TimeoutSpec], common: &mut Common) {
    let mut read = BTreeMap::new();
    if !walker.check_labels(&BLOCKS[2], block) {
        return;
    }
    for inner in block.body.blocks() {
        walker.context.report(Problem::error(
            &walker.header(inner),
            format!("unknown block `{}`", inner.ident.as_str()),
            "timeouts holds attributes such as restore = \"4h\"",
        ));
    }
    for attribute in block.body.attributes() {
        let name = attribute.key.as_str();
        let Some(known) = timeouts.iter().find(|known| known.name == name) else {
            let help = suggest::help(name, timeouts.iter().map(|known| known.name), "remove it: this kind has no timeouts to set");
            walker.context.report(Problem::error(&walker.span(attribute.key.span()), format!("unknown timeout `{name}`"), help));
            continue;
        };
        let spec = AttrSpec::new(known.name, AttrType::Duration, known.doc);
        let Some(attr) = walker.attribute(&spec, attribute, address) else { continue };
        match attr.value.as_str().map(time::parse_duration) {
            Some(Ok(duration)) if !duration.is_zero() => drop(read.insert(known.name.to_owned(), duration)),
            _ => walker.context.report(Problem::error(&attr.span, format!("the timeout `{name}` must be longer than nothing"), known.doc)),
        }
    }
    if common.timeouts.is_empty() {
        common.timeouts = read;
    } else {
        walker.context.report(Problem::error(&walker.header(block), "duplicate block `timeouts`", "keep one of them"));
    }
}
