//! The plan's digest: approval is bound to it, and so is everything that a journal says of the plan.

use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Plan;
use crate::model::canonical;

/// `sha256:…` over the canonical form of everything but the digest itself. The canonical form is JSON without white space, keys sorted. It is never there
/// as a whole: a large plan is its digest's only large reader.
#[must_use]
pub fn of(plan: &Plan) -> String {
    let mut members = Members { hasher: Sha256::new(), between: "{" };
    members.one("created_at", &plan.created_at);
    members.one("environment", &plan.environment);
    if !plan.errors.is_empty() {
        members.one("errors", &plan.errors);
    }
    members.one("expected_seconds", &plan.expected.as_secs());
    members.each("facts", &plan.facts);
    members.one("format_version", &plan.format_version);
    members.one("irreversible", &plan.irreversible);
    members.one("journal", &plan.journal);
    members.one("locks", &plan.locks);
    members.one("notify", &plan.notify);
    members.one("outage", &plan.outage);
    members.one("protect", &plan.protect);
    members.one("providers", &plan.providers);
    members.each("resource_changes", &plan.resource_changes);
    members.one("run", &plan.run);
    members.each("steps", &plan.steps);
    members.one("switchover_version", &plan.switchover_version);
    members.one("warnings", &plan.warnings);
    members.one("world", &plan.world);
    members.hasher.update("}");
    words(members.hasher)
}

/// The members of the document, in the order of their keys.
struct Members {
    hasher: Sha256,
    between: &'static str,
}

impl Members {
    fn key(&mut self, key: &str) {
        self.hasher.update(std::mem::replace(&mut self.between, ","));
        self.hasher.update(format!("\"{key}\":"));
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        // A plan of ours always becomes JSON; were it ever not to, the digest of something shorter is refused by every check.
        self.hasher.update(canonical::to_string(value).unwrap_or_default());
    }

    fn one<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.key(key);
        self.value(value);
    }

    fn each<T: Serialize>(&mut self, key: &str, values: &[T]) {
        self.key(key);
        self.hasher.update("[");
        for (number, value) in values.iter().enumerate() {
            self.hasher.update(if number == 0 { "" } else { "," });
            self.value(value);
        }
        self.hasher.update("]");
    }
}

fn words(hasher: Sha256) -> String {
    hasher.finalize().iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A plan in its canonical form.
#[must_use]
pub fn text(plan: &Plan) -> String {
    // A plan of ours always becomes JSON; were it ever not to, the digest of nothing is refused by every check.
    canonical::to_string(plan).unwrap_or_default()
}

/// As [`of`], of a plan's canonical form and the digest that stands in it.
#[must_use]
pub fn of_text(text: &str, digest: &str) -> String {
    // Only the time of the plan stands before it, which cannot look like it.
    let member = format!("\"digest\":{},", canonical::to_string(digest).unwrap_or_default());
    let (before, behind) = text.split_once(&member).unwrap_or((text, ""));
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(behind);
    words(hasher)
}
