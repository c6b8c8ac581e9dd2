//! HCL files → [`Desired`]: what an environment must be. No network, no credentials, nothing observed.

pub mod describe;
pub mod desired;
pub mod spec;

mod check;
mod coerce;
mod common;
mod context;
mod cycles;
mod dates;
mod diagnostics;
mod environment;
mod eval;
mod files;
pub mod format;
mod functions;
mod locals;
mod locate;
mod mask;
mod names;
mod parse;
mod plain;
mod providers;
mod read;
mod scan;
mod schema;
mod secrets;
mod source;
mod suggest;
pub mod tables;
mod types;
mod variables;

pub use common::{ATTRIBUTES as COMMON_ATTRIBUTES, BLOCKS as COMMON_BLOCKS};
pub use dates::{SCHEDULE_WORDS, parse_date};
pub use desired::{Attr, Common, Declared, Desired, Hold, JournalSetting, Node, Provider, Typed};
pub use diagnostics::{render, to_json};
pub use eval::SPECIAL as SPECIAL_FUNCTIONS;
pub use functions::{Function, all as functions};
pub use locate::{Location, all_environments, locate};
#[cfg(test)]
pub(crate) use read::read_by_the_parser;
pub use read::{Inputs, Reading, journal_setting, read};
pub use secrets::Resolver;
pub use spec::{AttrSpec, AttrType, BlockSpec, Check, KindSchema, Presence, TimeoutSpec};
pub use variables::VariableSources;
