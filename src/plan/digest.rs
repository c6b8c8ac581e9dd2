//! The plan's digest: approval is bound to it, and so is everything that a journal says of the plan.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Plan;
use crate::model::Json;

/// `sha256:…` over the canonical form of everything but the digest itself. The canonical form is JSON without white space, keys sorted.
#[must_use]
pub fn of(plan: &Plan) -> String {
    // A plan of ours always becomes JSON; were it ever not to, the digest of nothing is refused by every check.
    of_json(&serde_json::to_value(plan).unwrap_or(Json::Null))
}

/// The same of a plan's document as it stands in a file.
#[must_use]
pub fn of_json(json: &Json) -> String {
    let text = match json {
        Json::Object(entries) => object(entries.iter().filter(|(key, _)| *key != "digest")),
        other => canonical(other),
    };
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// JSON without white space, keys sorted at every level.
#[must_use]
pub fn canonical(json: &Json) -> String {
    match json {
        Json::Object(entries) => object(entries.iter()),
        Json::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn object<'a>(entries: impl Iterator<Item = (&'a String, &'a Json)>) -> String {
    let mut sorted: Vec<_> = entries.collect();
    sorted.sort_by_key(|(key, _)| key.as_str());
    let inner: Vec<String> = sorted.into_iter().map(|(key, value)| format!("{}:{}", Json::from(key.as_str()), canonical(value))).collect();
    format!("{{{}}}", inner.join(","))
}

/// A text without the white space between its JSON tokens. What stands inside strings stays.
#[must_use]
pub fn without_white_space(text: &str) -> String {
    let (mut out, mut in_string, mut escaped) = (String::with_capacity(text.len()), false, false);
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if matches!(c, ' ' | '\n' | '\r' | '\t') {
            continue;
        } else {
            in_string = c == '"';
        }
        out.push(c);
    }
    out
}
