//! Zone files from a twin's records, in the words of RFC 1035.

use std::fmt::Write;

use serde_json::Value;

/// What Cloudflare's proxy answers with instead of the origin.
const PROXY: &str = "104.16.0.1";

/// A zone without any record of its own.
pub fn empty(zone: &str) -> String {
    format!("$ORIGIN {zone}.\n@ 300 IN SOA ns.{zone}. hostmaster.{zone}. 1 7200 3600 86400 60\n@ 300 IN NS ns.{zone}.\nns 300 IN A 127.0.0.1\n")
}

/// The zone with these records.
pub fn of(zone: &str, records: &[Value]) -> String {
    let mut text = empty(zone);
    for record in records {
        let word = |key: &str| record[key].as_str().unwrap_or_default();
        let ttl = record["ttl"].as_u64().filter(|ttl| *ttl != 1).unwrap_or(300);
        let proxied = record["proxied"].as_bool().unwrap_or(false);
        let (rtype, answer) = if proxied { ("A", PROXY.to_owned()) } else { (word("type"), answer(record)) };
        writeln!(text, "{}. {ttl} IN {rtype} {answer}", word("name")).unwrap();
    }
    text
}

fn answer(record: &Value) -> String {
    let (content, data) = (record["content"].as_str().unwrap_or_default(), &record["data"]);
    let word = |key: &str| match &data[key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let dotted = |name: &str| if name.ends_with('.') { name.to_owned() } else { format!("{name}.") };
    match record["type"].as_str().unwrap_or_default() {
        "CNAME" | "NS" | "PTR" => dotted(content),
        "MX" => format!("{} {}", record["priority"], dotted(content)),
        "SRV" => format!("{} {} {} {}", word("priority"), word("weight"), word("port"), dotted(&word("target"))),
        "CAA" => format!("{} {} \"{}\"", word("flags"), word("tag"), word("value")),
        "TLSA" => format!("{} {} {} {}", word("usage"), word("selector"), word("matching_type"), word("certificate")),
        "SSHFP" => format!("{} {} {}", word("algorithm"), word("type"), word("fingerprint")),
        "DS" => format!("{} {} {} {}", word("key_tag"), word("algorithm"), word("digest_type"), word("digest")),
        "URI" => format!("{} {} \"{}\"", record["priority"], word("weight"), word("target")),
        "HTTPS" | "SVCB" => format!("{} {} {}", word("priority"), dotted(&word("target")), word("value")),
        "NAPTR" => {
            let strings = ["flags", "service", "regex"].map(|key| format!("\"{}\"", word(key))).join(" ");
            format!("{} {} {strings} {}", word("order"), word("preference"), dotted(&word("replacement")))
        }
        _ => content.to_owned(),
    }
}
