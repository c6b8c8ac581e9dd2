//! The address of an attribute in a file: `provider.cloudflare.api_token`, `database["a b"].connect.password`.

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::Body;

/// One part of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A block type, label, attribute or key.
    Name(String),
    /// An element of a list.
    Index(usize),
}

/// Parts as one text; what is no identifier stands in brackets.
#[must_use]
pub fn words(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        let plain = part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') && !part.is_empty();
        match (plain, text.is_empty()) {
            (true, true) => text.push_str(part),
            (true, false) => text.extend([".", part]),
            (false, _) => text.extend(["[", &serde_json::Value::from(*part).to_string(), "]"]),
        }
    }
    text
}

/// Reads an address; none when it is not one.
#[must_use]
pub fn parse(text: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let mut values = serde_json::Deserializer::from_str(inner).into_iter::<serde_json::Value>();
            let value = values.next()?.ok()?;
            rest = inner.get(values.byte_offset()..)?.strip_prefix(']')?;
            segments.push(match value {
                serde_json::Value::String(name) => Segment::Name(name),
                number => Segment::Index(usize::try_from(number.as_u64()?).ok()?),
            });
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            segments.push(Segment::Name(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        if segments.len() > 100 {
            return None;
        }
    }
    Some(segments)
}

/// The expression at an address.
#[must_use]
pub fn find<'b>(body: &'b Body, segments: &[Segment]) -> Option<&'b Expression> {
    let (Segment::Name(first), rest) = segments.split_first()? else { return None };
    if let Some(attribute) = body.get_attribute(first)
        && let Some(found) = inside(&attribute.value, rest)
    {
        return Some(found);
    }
    body.blocks().filter(|block| block.ident.as_str() == first).find_map(|block| {
        let labels = block.labels.len();
        let matches =
            rest.len() >= labels && block.labels.iter().zip(rest).all(|(label, segment)| *segment == Segment::Name(label.as_str().to_owned()));
        if matches { find(&block.body, &rest[labels..]) } else { None }
    })
}

/// Into object and list literals.
fn inside<'e>(expr: &'e Expression, segments: &[Segment]) -> Option<&'e Expression> {
    match (segments.split_first(), expr) {
        (None, _) => Some(expr),
        (Some((Segment::Name(name), rest)), Expression::Object(object)) => object.iter().find_map(|(key, value)| {
            let same = match key {
                ObjectKey::Ident(ident) => ident.as_str() == name,
                ObjectKey::Expression(Expression::String(text)) => text.value() == name,
                ObjectKey::Expression(_) => false,
            };
            if same { inside(value.expr(), rest) } else { None }
        }),
        (Some((Segment::Index(n), rest)), Expression::Array(items)) => items.get(*n).and_then(|item| inside(item, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_to_their_attributes() {
        let body = hcl_edit::parser::parse_body(
            "locals {\n  db = { password = \"a\" }\n}\nprovider \"slack\" \"ops\" {\n  webhook_url = \"b\"\n}\ndatabase \"x y\" {\n  connect {\n    password = [\"c\", \"d\"]\n  }\n}\n",
        )
        .unwrap();
        for (parts, value) in [(vec!["locals", "db", "password"], "a"), (vec!["provider", "slack", "ops", "webhook_url"], "b")] {
            let segments = parse(&words(&parts)).unwrap();
            assert_eq!(find(&body, &segments).and_then(Expression::as_str), Some(value), "{parts:?}");
        }
        let listed = parse("database[\"x y\"].connect.password[1]").unwrap();
        assert_eq!(find(&body, &listed).and_then(Expression::as_str), Some("d"));
        for bad in ["a..b", "[", "[x]", "a[\"", "provider.slack.nope.webhook_url"] {
            assert!(parse(bad).and_then(|segments| find(&body, &segments)).is_none(), "{bad}");
        }
    }
}
