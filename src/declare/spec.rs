//! The tables that describe blocks: the parser, the diagnostics, and later the schema and the reference are made from them.

use std::time::Duration;

use super::{Declared, Desired};
use crate::model::{Problem, Value};

/// Whether a block or attribute must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It must.
    Required,
    /// It may; a block at most once.
    Optional,
    /// A block that may stand any number of times.
    Repeated,
}

/// What an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttrType {
    /// Text.
    String,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// `"90s"`, `"15m"`, `"31d"`: stays text in the value, checked here.
    Duration,
    /// `monthly` … or five cron fields, as text; checked here.
    Schedule,
    /// A date or RFC 3339 instant, as text; checked here.
    Date,
    /// `"30%"`, as text; checked here.
    Percent,
    /// A list of texts.
    StringList,
    /// One text or a list of texts.
    StringOrList,
    /// A map from text to text.
    StringMap,
    /// A bool or text.
    BoolOrString,
    /// A text, number or bool.
    Scalar,
    /// Anything; something else says what fits.
    Any,
    /// A reference to something declared, of this block type (`aws` means `provider "aws"`, `database` a resource); "" means any resource.
    Reference(&'static str),
    /// A list of such.
    ReferenceList(&'static str),
}

/// What else must be true of a value; the error is a fragment.
pub type Check = fn(&Value) -> Result<(), String>;

/// One attribute of a block.
#[derive(Debug)]
pub struct AttrSpec {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub ty: AttrType,
    /// Whether it must be there.
    pub presence: Presence,
    /// What holds when it is not there, as people would write it; none when that is not one value.
    pub default: Option<&'static str>,
    /// One or two sentences for the reference.
    pub doc: &'static str,
    /// Whether its value is a secret: then it is never evaluated when the file is read.
    pub secret: bool,
    /// What else must be true of the value; the error is a fragment ("must be 1, or 60 to 86,400").
    pub check: Option<Check>,
}

impl AttrSpec {
    /// An optional attribute without default or further check; for tables.
    #[must_use]
    pub const fn new(name: &'static str, ty: AttrType, doc: &'static str) -> Self {
        AttrSpec { name, ty, presence: Presence::Optional, default: None, doc, secret: false, check: None }
    }

    /// The same, required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    /// The same with a default.
    #[must_use]
    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// The same, secret.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The same with a check.
    #[must_use]
    pub const fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }
}

/// One block type.
#[derive(Debug)]
pub struct BlockSpec {
    /// Its name.
    pub name: &'static str,
    /// What its labels mean, in order; the number of labels is exactly this.
    pub labels: &'static [&'static str],
    /// Whether, and how often, it may stand in its parent.
    pub presence: Presence,
    /// One or two sentences for the reference.
    pub doc: &'static str,
    /// Its attributes.
    pub attributes: &'static [AttrSpec],
    /// Its inner blocks.
    pub blocks: &'static [BlockSpec],
}

/// One entry that a kind's `timeouts` block takes.
#[derive(Debug)]
pub struct TimeoutSpec {
    /// `restore`, `rename`, …
    pub name: &'static str,
    /// What holds when it is not named.
    pub default: Duration,
    /// How long it takes as a rule: the expectation that plans show before there is a history.
    pub expected: Duration,
    /// What it limits.
    pub doc: &'static str,
}

/// What declaring needs to know of a kind of resource.
pub trait KindSchema: Sync {
    /// The resource block (one label: its name), without what every resource has (`depends_on`, `hold`, `lifecycle`, `timeouts`).
    fn block(&self) -> &'static BlockSpec;
    /// What its `timeouts` block takes.
    fn timeouts(&self) -> &'static [TimeoutSpec];
    /// What the table cannot say: relations between attributes, and to the rest of the environment. All mistakes at once.
    fn check(&self, declared: &Declared, desired: &Desired) -> Vec<Problem>;
    /// What shows only where all its resources are looked at together, which is done once.
    fn check_together(&self, _desired: &Desired) -> Vec<Problem> {
        Vec::new()
    }
}
