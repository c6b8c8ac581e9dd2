//! The `environment` block.

use std::collections::BTreeMap;

use hcl_edit::structure::Block;

use super::schema::{Extra, Walker};
use super::{JournalSetting, Node, Provider, tables};
use crate::model::{Problem, Value};
use crate::world::provider::SlackProvider;

/// What an environment says of itself.
pub struct Environment {
    /// For people.
    pub description: Option<String>,
    /// Words that the name of nothing written may contain.
    pub protect: Vec<String>,
    /// References to Slack providers, in order.
    pub notify: Vec<String>,
    /// Where runs are journaled.
    pub journal: JournalSetting,
}

impl Default for Environment {
    fn default() -> Self {
        Environment { description: None, protect: vec!["prod".to_owned()], notify: Vec::new(), journal: JournalSetting::Local }
    }
}

/// Reads the block; its label must be `name`.
pub fn read(walker: &Walker<'_, '_>, block: &Block, name: &str) -> Environment {
    if !walker.check_labels(&tables::ENVIRONMENT, block) {
        return Environment::default();
    }
    let label = block.labels.first().map_or("", |label| label.as_str());
    let node = walker.node(&tables::ENVIRONMENT, block, &["environment", label], Extra::default());
    if label != name
        && let Some((_, place)) = node.labels.first()
    {
        let help = format!("write environment \"{name}\", or rename the file");
        walker.context.report(Problem::error(place, format!("the environment `{label}` stands where `{name}` is expected"), help));
    }
    Environment {
        description: node.text("description").map(str::to_owned),
        protect: protect(walker, &node),
        notify: node.texts("notify").unwrap_or_default(),
        journal: journal(&node),
    }
}

fn protect(walker: &Walker<'_, '_>, node: &Node) -> Vec<String> {
    let allowed = node.bool("allow_protected").unwrap_or(false);
    let Some(attr) = node.attr("protect") else { return vec!["prod".to_owned()] };
    let words = node.texts("protect").unwrap_or_default();
    if words.is_empty() && !allowed {
        let help = "add allow_protected = true beside it if nothing shall be protected, or name what shall be";
        walker.context.report(Problem::error(&attr.span, "`protect = []` protects nothing", help));
        // What else is wrong is judged as if it were not there.
        return vec!["prod".to_owned()];
    }
    words
}

/// The setting in an `environment` block that has been read.
#[must_use]
pub fn journal(node: &Node) -> JournalSetting {
    match node.value("journal") {
        None => JournalSetting::Local,
        Some(Value::String(text)) if text == "local" => JournalSetting::Local,
        Some(other) => JournalSetting::Url(other.clone()),
    }
}

/// The Slack providers behind `notify`.
#[must_use]
pub fn notify(names: &[String], providers: &BTreeMap<String, Provider>) -> Vec<SlackProvider> {
    let slack = |name: &String| if let Some(Provider::Slack(slack)) = providers.get(name) { Some(slack.clone()) } else { None };
    names.iter().filter_map(slack).collect()
}
