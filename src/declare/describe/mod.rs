//! The language described from its own tables: as a JSON schema for programs, as a reference for people. What the parser does not take is
//! in neither, since both are made of what it reads by.

mod reference;
mod schema;

pub use reference::markdown;
pub use schema::json;

use super::KindSchema;
use super::spec::{BlockSpec, TimeoutSpec};
use super::{common, tables};

/// Blocks at the top of a file, in the order in which people write them, with the `timeouts` of those that are resources.
fn top(kinds: &[&dyn KindSchema]) -> Vec<(&'static BlockSpec, Option<&'static [TimeoutSpec]>)> {
    let plain = [&tables::ENVIRONMENT, &tables::VARIABLE, &tables::LOCALS];
    let mut all: Vec<(&'static BlockSpec, Option<&'static [TimeoutSpec]>)> = plain.into_iter().map(|spec| (spec, None)).collect();
    all.extend(tables::PROVIDERS.iter().map(|spec| (spec, None)));
    all.extend(kinds.iter().map(|kind| (kind.block(), Some(kind.timeouts()))));
    all
}

/// Whether a block of the top is a provider: its name is then its first label.
fn is_provider(spec: &BlockSpec) -> bool {
    tables::PROVIDERS.iter().any(|provider| std::ptr::eq(provider, spec))
}

/// What every resource has, besides its own table.
fn shared() -> (&'static [super::AttrSpec], &'static [BlockSpec]) {
    (common::ATTRIBUTES, common::BLOCKS)
}
