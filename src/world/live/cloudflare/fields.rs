//! Between canonical presentation form and the API's fields: `content` alone, `content` and `priority`, or `data`.

use serde_json::{Map, json};

use crate::model::Json;
use crate::model::record::{RecordType, canonical_content};
use crate::world::live::presentation::{fields, quote, quote_txt, unquote_txt};

/// How one field of `data` is written.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// A whole number.
    Number,
    /// A bare word: a name, a tag.
    Word,
    /// A string in quotes.
    Quoted,
    /// All that is left, as it is: hexadecimal digits (without spaces) or service parameters.
    Hex,
    /// As `Hex`, but with its spaces.
    Rest,
}

use Shape::{Hex, Number, Quoted, Rest, Word};

/// The fields of `data` in the order of the presentation form; none for types whose answer is `content`.
fn layout(rtype: RecordType) -> &'static [(&'static str, Shape)] {
    match rtype {
        RecordType::Caa => &[("flags", Number), ("tag", Word), ("value", Quoted)],
        RecordType::Ds => &[("key_tag", Number), ("algorithm", Number), ("digest_type", Number), ("digest", Hex)],
        RecordType::Https | RecordType::Svcb => &[("priority", Number), ("target", Word), ("value", Rest)],
        RecordType::Naptr => {
            &[("order", Number), ("preference", Number), ("flags", Quoted), ("service", Quoted), ("regex", Quoted), ("replacement", Word)]
        }
        RecordType::Srv => &[("priority", Number), ("weight", Number), ("port", Number), ("target", Word)],
        RecordType::Sshfp => &[("algorithm", Number), ("type", Number), ("fingerprint", Hex)],
        RecordType::Tlsa => &[("usage", Number), ("selector", Number), ("matching_type", Number), ("certificate", Hex)],
        RecordType::Uri => &[("priority", Number), ("weight", Number), ("target", Quoted)],
        RecordType::A | RecordType::Aaaa | RecordType::Cname | RecordType::Mx | RecordType::Ns | RecordType::Ptr | RecordType::Txt => &[],
    }
}

/// Whether Cloudflare's proxy can answer for a type.
pub fn can_be_proxied(rtype: &str) -> bool {
    matches!(rtype, "A" | "AAAA" | "CNAME")
}

/// What the API wants for an answer.
///
/// # Errors
/// A fragment when the answer has not the fields of its type.
pub fn to_fields(rtype: &str, content: &str) -> Result<Map<String, Json>, String> {
    let mut body = Map::new();
    let known = rtype.parse::<RecordType>();
    match known {
        Ok(RecordType::Txt) => {
            body.insert("content".to_owned(), json!(quote_txt(content)));
        }
        Ok(RecordType::Mx) => {
            let (priority, host) = content.split_once(' ').ok_or_else(|| format!("`{content}` is not a priority and a host"))?;
            body.insert("priority".to_owned(), json!(number(priority)?));
            body.insert("content".to_owned(), json!(host.trim()));
        }
        Ok(known) if !layout(known).is_empty() => {
            let mut data = data_of(known, content)?;
            // The description has no place for it in `data`, and asks for it beside.
            if known == RecordType::Uri
                && let Some(priority) = data.remove("priority")
            {
                body.insert("priority".to_owned(), priority);
            }
            body.insert("data".to_owned(), data.into());
        }
        _ => {
            body.insert("content".to_owned(), json!(content));
        }
    }
    Ok(body)
}

fn number(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number from 0 to 65535"))
}

fn data_of(rtype: RecordType, content: &str) -> Result<Map<String, Json>, String> {
    let layout = layout(rtype);
    let missing = || format!("`{content}` has not the {} fields of {rtype}", layout.len());
    // Service parameters hold quotes of their own and are passed on as they are written.
    if layout.last().is_some_and(|(_, shape)| *shape == Rest) {
        let mut parts = content.splitn(3, ' ');
        let (priority, target) = (parts.next().ok_or_else(missing)?, parts.next().ok_or_else(missing)?);
        let value = parts.next().unwrap_or_default().trim();
        return Ok([("priority", json!(number(priority)?)), ("target", json!(target)), ("value", json!(value))]
            .map(|(k, v)| (k.to_owned(), v))
            .into_iter()
            .collect());
    }
    let mut found = fields(content)?;
    if layout.last().is_some_and(|(_, shape)| *shape == Hex) && found.len() > layout.len() {
        let joined = found.split_off(layout.len() - 1).concat();
        found.push(joined);
    }
    if found.len() != layout.len() {
        return Err(missing());
    }
    let field = |((name, shape), text): (&(&str, Shape), String)| {
        let value = if *shape == Number { json!(number(&text)?) } else { json!(text) };
        Ok(((*name).to_owned(), value))
    };
    layout.iter().zip(found).map(field).collect()
}

/// The canonical answer of a record. What cannot be understood stays as the service wrote it: it is then simply not what was
/// declared.
pub fn to_content(rtype: &str, content: &str, priority: Option<f64>, data: Option<&Json>) -> String {
    let Ok(known) = rtype.parse::<RecordType>() else { return content.to_owned() };
    let text = match (known, priority) {
        (RecordType::Txt, _) => unquote_txt(content),
        (RecordType::Mx, Some(priority)) => format!("{priority} {content}"),
        _ if layout(known).is_empty() => content.to_owned(),
        _ => from_data(known, priority, data).unwrap_or_else(|| with_priority(known, content, priority)),
    };
    canonical_content(known, &text).unwrap_or(text)
}

/// `content` of old answers without `data`: SRV and URI leave their priority out of it.
fn with_priority(rtype: RecordType, content: &str, priority: Option<f64>) -> String {
    let short = content.split_whitespace().count() < layout(rtype).len();
    match priority {
        Some(priority) if short && matches!(rtype, RecordType::Srv | RecordType::Uri) => format!("{priority} {content}"),
        _ => content.to_owned(),
    }
}

fn from_data(rtype: RecordType, priority: Option<f64>, data: Option<&Json>) -> Option<String> {
    let data = data?.as_object()?;
    let mut words = Vec::new();
    for (name, shape) in layout(rtype) {
        let value = match data.get(*name) {
            Some(value) => value.clone(),
            None if *name == "priority" => json!(priority?),
            None if *shape == Rest => json!(""),
            None => return None,
        };
        words.push(match (&value, shape) {
            (Json::Number(n), Number) => n.as_f64()?.to_string(),
            (Json::String(text), Quoted) => quote(text.as_bytes()),
            (Json::String(text), Hex) => text.split_whitespace().collect(),
            (Json::String(text), _) => text.clone(),
            _ => return None,
        });
    }
    Some(words.join(" ").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type, presentation form, the API's fields.
    fn examples() -> Vec<(&'static str, &'static str, Json)> {
        vec![
            ("A", "192.0.2.1", json!({ "content": "192.0.2.1" })),
            ("CNAME", "gigadb.org", json!({ "content": "gigadb.org" })),
            ("MX", "10 mail.example.org", json!({ "content": "mail.example.org", "priority": 10 })),
            ("TXT", "v=spf1 \"x\" -all", json!({ "content": "\"v=spf1 \\\"x\\\" -all\"" })),
            ("SRV", "1 2 5060 sip.example.org", json!({ "data": { "priority": 1, "weight": 2, "port": 5060, "target": "sip.example.org" } })),
            ("CAA", "0 issue \"letsencrypt.org; a=b\"", json!({ "data": { "flags": 0, "tag": "issue", "value": "letsencrypt.org; a=b" } })),
            (
                "NAPTR",
                "100 10 \"S\" \"SIP+D2U\" \"\" sip.example.org",
                json!({ "data": { "order": 100, "preference": 10, "flags": "S", "service": "SIP+D2U", "regex": "", "replacement": "sip.example.org" } }),
            ),
            ("TLSA", "3 1 1 abcd", json!({ "data": { "usage": 3, "selector": 1, "matching_type": 1, "certificate": "abcd" } })),
            ("SSHFP", "4 2 abcd", json!({ "data": { "algorithm": 4, "type": 2, "fingerprint": "abcd" } })),
            ("DS", "1 13 2 abcd", json!({ "data": { "key_tag": 1, "algorithm": 13, "digest_type": 2, "digest": "abcd" } })),
            ("URI", "10 1 \"https://example.org/a b\"", json!({ "priority": 10, "data": { "weight": 1, "target": "https://example.org/a b" } })),
            ("HTTPS", "1 . alpn=\"h3,h2\"", json!({ "data": { "priority": 1, "target": ".", "value": "alpn=\"h3,h2\"" } })),
            ("SVCB", "0 svc.example.org", json!({ "data": { "priority": 0, "target": "svc.example.org", "value": "" } })),
        ]
    }

    #[test]
    fn every_type_goes_out_in_its_fields_and_comes_back() {
        for (rtype, content, expected) in examples() {
            let body = Json::from(to_fields(rtype, content).unwrap());
            assert_eq!(body, expected, "{rtype}");
            let back = to_content(rtype, body["content"].as_str().unwrap_or(""), body["priority"].as_f64(), body.get("data"));
            let known = rtype.parse().unwrap();
            assert_eq!(canonical_content(known, &back), canonical_content(known, content), "{rtype}");
        }
    }

    #[test]
    fn answers_without_data_are_read_from_their_content() {
        let srv = to_content("SRV", "2 5060 sip.example.org", Some(1.0), None);
        assert_eq!(srv, canonical_content(RecordType::Srv, "1 2 5060 sip.example.org").unwrap());
        assert_eq!(to_content("TXT", "bare text", None, None), "bare text");
        assert_eq!(to_content("LOC", "37 46 46 N", None, None), "37 46 46 N");
        assert_eq!(to_content("CAA", "garbage", None, Some(&json!([1]))), to_content("CAA", "garbage", None, None));
    }

    #[test]
    fn what_has_not_the_fields_of_its_type_is_not_sent() {
        for (rtype, content) in
            [("MX", "mail"), ("MX", "x mail"), ("SRV", "1 2 3"), ("CAA", "0 issue \"open"), ("TLSA", "3 1 70000 ab"), ("HTTPS", "1")]
        {
            assert!(to_fields(rtype, content).is_err(), "{rtype} {content}");
        }
    }
}
