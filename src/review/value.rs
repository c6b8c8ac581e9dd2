//! One value of a plan in one line, as HCL would write it.

use super::escape::quoted;
use super::layout::width;
use crate::model::Json;

/// Columns that [`inline`] takes.
#[must_use]
pub fn inline_width(value: &Json) -> usize {
    match value {
        // Most values are short texts without anything to escape.
        Json::String(text) if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\' && byte != b'"') => text.len() + 2,
        other => width(&inline(other)),
    }
}

/// In HCL's spelling; a secret's reference is named as one. Not shortened.
pub fn inline(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            if let Some(secret) = secret(value) {
                return secret;
            }
            let entries: Vec<String> = map.iter().map(|(key, inner)| format!("{} = {}", key_text(key), inline(inner))).collect();
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
        }
    }
}

/// For sentences and lists of facts: plain text without quotes, cut to about `limit` characters.
pub fn brief(value: &Json, limit: usize) -> String {
    let text = match value {
        Json::Null => "absent".to_owned(),
        Json::String(text) => text.clone(),
        Json::Object(map) if secret(value).is_none() => {
            map.iter().map(|(key, inner)| format!("{key} {}", brief(inner, limit))).collect::<Vec<_>>().join(", ")
        }
        Json::Array(items) if items.iter().all(Json::is_string) => items.iter().map(|item| brief(item, limit)).collect::<Vec<_>>().join(", "),
        other => inline(other),
    };
    if text.chars().count() <= limit { text } else { text.chars().take(limit.saturating_sub(1)).chain(['…']).collect() }
}

/// `(sensitive: env("X"))`, when the value is a reference to a secret.
pub fn secret(value: &Json) -> Option<String> {
    let source = match value.get("secret")?.as_str()? {
        "expression" => value.get("expression")?.as_str()?,
        "literal" => value.get("attribute")?.as_str()?,
        _ => return None,
    };
    Some(format!("(sensitive: {source})"))
}

/// Keys that are no identifiers are quoted.
pub fn key_text(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.to_owned() } else { quoted(key) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_in_the_files() {
        assert_eq!(inline(&json!({"a": [1, true, null], "b c": "x\"y"})), r#"{ a = [1, true, null], "b c" = "x\"y" }"#);
        assert_eq!(inline(&json!({"secret": "expression", "expression": "env(\"X\")", "refers_to": ["env.X"]})), "(sensitive: env(\"X\"))");
        assert_eq!(brief(&json!({"id": "db-1", "status": "available"}), 80), "id db-1, status available");
        assert_eq!(brief(&json!("abcdef"), 4), "abc…");
    }
}
