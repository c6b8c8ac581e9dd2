//! What declaring produces.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::BlockSpec;
use crate::model::time::{self, Timestamp};
use crate::model::{Address, Number, Problem, SecretRef, Span, Value};
use crate::world::provider::{AwsProvider, CloudflareProvider, SlackProvider};

/// One evaluated attribute.
#[derive(Debug, Clone)]
pub struct Attr {
    /// Its value; never null (an attribute that is null is not there).
    pub value: Value,
    /// Its name in the file.
    pub key: Span,
    /// Its expression in the file.
    pub span: Span,
}

/// Attributes of a block by name, in the order of the file. There are few, so they are searched one after the other: a table for each `record` of a large
/// zone would take more room than the attributes.
#[derive(Debug, Clone, Default)]
pub struct Attributes(Vec<(&'static str, Attr)>);

impl Attributes {
    /// With room for so many.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Attributes(Vec::with_capacity(count))
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attr> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, attr)| attr)
    }

    /// Adds one, in the place of one that has its name.
    pub fn insert(&mut self, name: &'static str, attr: Attr) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(there) => there.1 = attr,
            None => self.0.push((name, attr)),
        }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl FromIterator<(&'static str, Attr)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (&'static str, Attr)>>(attributes: I) -> Self {
        let mut all = Attributes::default();
        attributes.into_iter().for_each(|(name, attr)| all.insert(name, attr));
        all
    }
}

/// One evaluated block, checked against its table: every attribute here is in the table and of its type.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its table.
    pub spec: &'static BlockSpec,
    /// Its labels with their places.
    pub labels: Vec<(String, Span)>,
    /// Its header.
    pub span: Span,
    /// Its attributes by name, in the order of the file.
    pub attributes: Attributes,
    /// Its inner blocks, in the order of the file.
    pub blocks: Vec<Node>,
}

impl Node {
    /// One attribute.
    #[must_use]
    pub fn attr(&self, name: &str) -> Option<&Attr> {
        self.attributes.get(name)
    }

    /// One attribute's value.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.attr(name).map(|attr| &attr.value)
    }

    /// A text (or a reference as its text).
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::String(text) | Value::Reference(text) => Some(text),
            _ => None,
        }
    }

    /// A bool.
    #[must_use]
    pub fn bool(&self, name: &str) -> Option<bool> {
        if let Value::Bool(b) = self.value(name)? { Some(*b) } else { None }
    }

    /// A whole number.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        if let Value::Number(Number::Int(n)) = self.value(name)? { Some(*n) } else { None }
    }

    /// A duration.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<Duration> {
        self.text(name).and_then(|text| time::parse_duration(text).ok())
    }

    /// One text or a list of texts, as a list. References count as their text.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let one = |value: &Value| match value {
            Value::String(text) | Value::Reference(text) => Some(text.clone()),
            _ => None,
        };
        match self.value(name)? {
            Value::List(items) => Some(items.iter().filter_map(one).collect()),
            single => one(single).map(|text| vec![text]),
        }
    }

    /// A map from text to text.
    #[must_use]
    pub fn text_map(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let Value::Map(entries) = self.value(name)? else { return None };
        Some(entries.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect())
    }

    /// A secret; a plain text where the table allows both counts as none.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&SecretRef> {
        if let Value::Secret(reference) = self.value(name)? { Some(reference) } else { None }
    }

    /// Inner blocks of one type, in the order of the file.
    pub fn blocks<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> + 'a {
        self.blocks.iter().filter(move |block| block.spec.name == name)
    }

    /// The only inner block of one type.
    #[must_use]
    pub fn block(&self, name: &str) -> Option<&Node> {
        self.blocks.iter().find(|block| block.spec.name == name)
    }
}

/// Leave a resource as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub reason: Option<String>,
    /// Who said so.
    pub by: Option<String>,
    /// Until when; later it is an error.
    pub until: Option<Timestamp>,
}

/// Stands for the file of a resource that has no block any more.
pub const NO_LONGER_DECLARED: &str = "no longer declared";

/// What every resource block has.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// Named in `depends_on`, in order.
    pub depends_on: Vec<Address>,
    /// Whether to leave it alone.
    pub hold: Option<Hold>,
    /// `lifecycle { prevent_destroy = true }`.
    pub prevent_destroy: bool,
    /// Declared timeouts by name.
    pub timeouts: BTreeMap<String, Duration>,
}

/// One resource block.
#[derive(Debug, Clone)]
pub struct Declared {
    /// What it is called.
    pub address: Address,
    /// What every resource has.
    pub common: Common,
    /// The rest, by the kind's table.
    pub body: Node,
    /// What its kind has made of the body, so that a large one is gone through once for all phases.
    pub typed: Typed,
}

/// A place for what only a kind knows the type of; empty until the kind puts something there, and in every copy, since a copy may be changed.
#[derive(Debug, Default)]
pub struct Typed(OnceLock<Arc<dyn Any + Send + Sync>>);

impl Clone for Typed {
    fn clone(&self) -> Self {
        Typed::default()
    }
}

impl Typed {
    /// What is there, when it is of this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.get().and_then(|typed| Arc::clone(typed).downcast().ok())
    }

    /// Puts it there, unless something is there already.
    pub fn put<T: Send + Sync + 'static>(&self, typed: Arc<T>) {
        let _ = self.0.set(typed);
    }
}

/// A provider of any type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Provider {
    /// `provider "aws"`.
    Aws(AwsProvider),
    /// `provider "cloudflare"`.
    Cloudflare(CloudflareProvider),
    /// `provider "slack"`.
    Slack(SlackProvider),
    /// A type that later kinds use: known by name only.
    Other {
        /// `postgres.api`.
        name: String,
    },
}

/// Where runs are journaled.
#[derive(Debug, Clone, PartialEq)]
pub enum JournalSetting {
    /// `.switchover/` below the root.
    Local,
    /// `postgres://…` or `s3://…`; the password inside is a secret, so the whole may be one.
    Url(Value),
}

/// What an environment must be.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The environment's name.
    pub environment: String,
    /// The folder that holds `environments/`.
    pub root: PathBuf,
    /// For people.
    pub description: Option<String>,
    /// Words that the name of nothing written may contain; as declared.
    pub protect: Vec<String>,
    /// Where notices go, in order.
    pub notify: Vec<SlackProvider>,
    /// Where runs are journaled.
    pub journal: JournalSetting,
    /// By name: `aws`, `aws.hk`.
    pub providers: BTreeMap<String, Provider>,
    /// In the order of the files.
    pub resources: Vec<Declared>,
    /// Warnings of the files.
    pub warnings: Vec<Problem>,
}

impl Desired {
    /// One resource.
    #[must_use]
    pub fn resource(&self, address: &Address) -> Option<&Declared> {
        self.resources.iter().find(|resource| resource.address == *address)
    }

    /// An AWS provider by name.
    #[must_use]
    pub fn aws(&self, name: &str) -> Option<&AwsProvider> {
        if let Some(Provider::Aws(provider)) = self.providers.get(name) { Some(provider) } else { None }
    }

    /// A Cloudflare provider by name.
    #[must_use]
    pub fn cloudflare(&self, name: &str) -> Option<&CloudflareProvider> {
        if let Some(Provider::Cloudflare(provider)) = self.providers.get(name) { Some(provider) } else { None }
    }
}
