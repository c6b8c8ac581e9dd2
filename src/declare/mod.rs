//! HCL files → [`Desired`]: what an environment must be. No network, no credentials, nothing observed.

pub mod desired;
pub mod spec;

pub use desired::{Attr, Common, Declared, Desired, Hold, JournalSetting, Node, Provider};
pub use spec::{AttrSpec, AttrType, BlockSpec, KindSchema, Presence, TimeoutSpec};
