//! The tables of `dns_zone` and of the blocks in it.

use std::time::Duration;

use crate::declare::{AttrSpec, AttrType, BlockSpec, Presence, TimeoutSpec};
use crate::model::{Number, Value, time};

/// Characters of a comment on paid plans; Cloudflare itself refuses more than 100 on Free.
const COMMENT_MAX: usize = 500;
/// Tags that one record may have.
const TAGS_MAX: usize = 20;
/// Name servers that one `confirm` may list.
const NAME_SERVERS_MAX: usize = 32;

/// The resource block.
pub(super) static BLOCK: BlockSpec = BlockSpec {
    name: "dns_zone",
    labels: &["zone"],
    presence: Presence::Repeated,
    doc: "Records in one Cloudflare zone. The label is the zone's name.",
    attributes: &[
        AttrSpec::new("provider", AttrType::Reference("cloudflare"), "The Cloudflare provider that holds the zone.").default("cloudflare"),
        AttrSpec::new("aws", AttrType::Reference("aws"), "Where `elastic_ip` is looked up, unless a record says otherwise.").default("aws"),
        AttrSpec::new("ttl", AttrType::Int, "TTL in seconds of the records that name none: 1 (automatic), or 60 to 86,400.").check(ttl),
        AttrSpec::new("proxied", AttrType::Bool, "Whether Cloudflare's proxy answers for the A, AAAA and CNAME records that do not say."),
        AttrSpec::new(
            "answers",
            AttrType::String,
            "`declared`: records not named here are foreign and stay. `all`: they are deleted, within `safety`.",
        )
        .default("declared")
        .check(answers),
    ],
    blocks: &[RECORD, CONFIRM, SAFETY],
};

const RECORD: BlockSpec = BlockSpec {
    name: "record",
    labels: &["type", "name"],
    presence: Presence::Repeated,
    doc: "All answers of one type under one name, owned as a set: other answers there are removed. Names are full names.",
    attributes: &[
        AttrSpec::new("value", AttrType::String, "The only answer, in the presentation format of zone files; TXT without quotes."),
        AttrSpec::new("values", AttrType::StringList, "The set of answers; an empty list removes all."),
        AttrSpec::new("elastic_ip", AttrType::StringOrList, "Elastic IPs by their `Name` tag, one or a list; A records only."),
        AttrSpec::new("aws", AttrType::Reference("aws"), "Where `elastic_ip` is looked up; the zone's `aws` when not named."),
        AttrSpec::new(
            "ttl",
            AttrType::Int,
            "TTL in seconds: 1 (automatic), or 60 to 86,400. Not named here or for the zone: kept; 1 for new records.",
        )
        .check(ttl),
        AttrSpec::new(
            "proxied",
            AttrType::Bool,
            "Whether Cloudflare's proxy answers; A, AAAA and CNAME only. Not named: kept; false for new records.",
        ),
        AttrSpec::new("comment", AttrType::String, "The records' comment, in one line. Not named: kept.").check(comment),
        AttrSpec::new("tags", AttrType::StringList, "The records' tags, each `name:value` (paid plans). Not named: kept.").check(tags),
    ],
    blocks: &[],
};

const CONFIRM: BlockSpec = BlockSpec {
    name: "confirm",
    labels: &[],
    presence: Presence::Optional,
    doc: "After the switch every listed server must answer as declared, else the zone is switched back.",
    attributes: &[
        AttrSpec::new("name_servers", AttrType::StringList, "Servers to ask, `host` or `host:port`. Not named: the zone's own name servers.")
            .check(name_servers),
        AttrSpec::new("timeout", AttrType::Duration, "How long they may take.").default("5m").check(timeout),
    ],
    blocks: &[],
};

const SAFETY: BlockSpec = BlockSpec {
    name: "safety",
    labels: &[],
    presence: Presence::Optional,
    doc: "Shares of a zone's records that one plan may delete or update. A swap, where answers only change hands, does not count.",
    attributes: &[
        AttrSpec::new("max_deletes", AttrType::Percent, "The largest share of the zone's records that a plan may delete.")
            .default("30%")
            .check(percent),
        AttrSpec::new("max_updates", AttrType::Percent, "The largest share of the zone's records that a plan may change.")
            .default("30%")
            .check(percent),
        AttrSpec::new("from", AttrType::Int, "Records in the zone from which the shares count.").default("10").check(from),
    ],
    blocks: &[],
};

/// What the `timeouts` block takes; the wait for the name servers is `confirm`'s.
pub(super) static TIMEOUTS: [TimeoutSpec; 4] = [
    TimeoutSpec {
        name: "lookup",
        default: Duration::from_mins(2),
        expected: Duration::from_secs(2),
        doc: "Looking up Elastic IPs again before anything is changed.",
    },
    TimeoutSpec {
        name: "verify",
        default: Duration::from_mins(2),
        expected: Duration::from_secs(2),
        doc: "Reading the zone again before anything is changed.",
    },
    TimeoutSpec {
        name: "batch",
        default: Duration::from_mins(5),
        expected: Duration::from_secs(2),
        doc: "One batch of changes, from the call until the API shows its effect.",
    },
    TimeoutSpec {
        name: "read_back",
        default: Duration::from_mins(2),
        expected: Duration::from_secs(2),
        doc: "Reading the whole change back through the API.",
    },
];

fn ttl(value: &Value) -> Result<(), String> {
    match value {
        Value::Number(Number::Int(1 | 60..=86_400)) => Ok(()),
        _ => Err("must be 1 (automatic), or 60 to 86,400 seconds".to_owned()),
    }
}

fn answers(value: &Value) -> Result<(), String> {
    match value.as_str() {
        Some("declared" | "all") => Ok(()),
        _ => Err("must be \"declared\" or \"all\"".to_owned()),
    }
}

fn comment(value: &Value) -> Result<(), String> {
    match value.as_str() {
        Some(text) if text.chars().any(char::is_control) => Err("must be one line without control characters".to_owned()),
        Some(text) if text.chars().count() > COMMENT_MAX => Err(format!("must have at most {COMMENT_MAX} characters")),
        _ => Ok(()),
    }
}

/// The items of a list that are text.
fn list(value: &Value) -> &[Value] {
    if let Value::List(items) = value { items } else { &[] }
}

fn tags(value: &Value) -> Result<(), String> {
    let items = list(value);
    if items.len() > TAGS_MAX {
        return Err(format!("must be at most {TAGS_MAX} tags"));
    }
    for text in items.iter().filter_map(Value::as_str) {
        let good = text.split_once(':').is_some_and(|(name, value)| {
            let name_ok = !name.is_empty() && name.len() <= 32 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            name_ok && value.chars().count() <= 100 && !value.chars().any(char::is_control)
        });
        if !good {
            return Err("must be tags of the form name:value: a name of at most 32 letters, digits, `-` and `_`, a value of at most 100 characters"
                .to_owned());
        }
    }
    Ok(())
}

fn name_servers(value: &Value) -> Result<(), String> {
    let items = list(value);
    if items.is_empty() || items.len() > NAME_SERVERS_MAX {
        return Err(format!("must be 1 to {NAME_SERVERS_MAX} servers; leave it out to ask the zone's own"));
    }
    match items.iter().filter_map(Value::as_str).find(|text| !is_server(text)) {
        Some(text) => Err(format!("`{text}` is not a server: it must be host or host:port, such as 192.0.2.53:53 or ns1.example.org")),
        None => Ok(()),
    }
}

/// `192.0.2.53`, `192.0.2.53:53`, `[2001:db8::1]:53`, `2001:db8::1`, `ns1.example.org`, `ns1.example.org:53`.
fn is_server(text: &str) -> bool {
    if text.parse::<std::net::SocketAddr>().is_ok_and(|address| address.port() != 0) || text.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    let (host, port) = text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0 && port.bytes().all(|b| b.is_ascii_digit())));
    // A host whose last label is a number was meant as an address, and is none.
    let numeric = host.rsplit('.').next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    port_ok && !numeric && !host.contains('*') && crate::model::record::canonical_name(host).is_ok()
}

fn timeout(value: &Value) -> Result<(), String> {
    match value.as_str().and_then(|text| time::parse_duration(text).ok()) {
        Some(duration) if duration.is_zero() => Err("must be longer than nothing: name servers take some seconds".to_owned()),
        Some(duration) if duration > Duration::from_hours(24) => Err("must be at most a day".to_owned()),
        _ => Ok(()),
    }
}

fn percent(value: &Value) -> Result<(), String> {
    match value.as_str().map(parse_percent) {
        Some(Err(mistake)) => Err(mistake),
        _ => Ok(()),
    }
}

/// A share as hundredths of a percent: `"30%"` is 3,000.
pub(super) fn parse_percent(text: &str) -> Result<u32, String> {
    let bad = || "must be a share from \"0%\" to \"100%\"".to_owned();
    let digits = text.trim().strip_suffix('%').ok_or_else(bad)?.trim_end();
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str, most: usize| !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole, 3) || !all_digits(part, 2) {
        return Err(bad());
    }
    let hundredths = format!("{part:0<2}").parse::<u32>().map_err(|_| bad())?;
    let share = whole.parse::<u32>().map_err(|_| bad())? * 100 + hundredths;
    if share > 10_000 { Err(bad()) } else { Ok(share) }
}

fn from(value: &Value) -> Result<(), String> {
    match value {
        Value::Number(Number::Int(0..=10_000_000)) => Ok(()),
        _ => Err("must be a number of records, 0 to 10,000,000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::String(value.to_owned())
    }

    #[test]
    fn ttl_is_automatic_or_a_minute_to_a_day() {
        for (seconds, good) in [(1, true), (60, true), (86_400, true), (0, false), (2, false), (59, false), (86_401, false), (-1, false)] {
            assert_eq!(ttl(&Value::Number(Number::Int(seconds))).is_ok(), good, "{seconds}");
        }
    }

    #[test]
    fn servers_are_hosts_with_or_without_port() {
        for good in ["192.0.2.53", "192.0.2.53:53", "[2001:db8::1]:53", "2001:db8::1", "ns1.example.org", "ns1.example.org:5353"] {
            assert!(is_server(good), "{good}");
        }
        for bad in ["", ":53", "192.0.2.300", "192.0.2.53:0", "192.0.2.53:99999", "ns1.example.org:", "https://x", "a b", "*.example.org", "x:+5"] {
            assert!(!is_server(bad), "{bad}");
        }
        assert!(name_servers(&Value::List(vec![])).is_err());
        assert!(name_servers(&Value::List(vec![text("192.0.2.53:53")])).is_ok());
    }

    #[test]
    fn shares_are_exact() {
        for (share, hundredths) in [("30%", 3_000), ("0%", 0), ("100%", 10_000), ("12.5%", 1_250), ("0.25%", 25)] {
            assert_eq!(parse_percent(share), Ok(hundredths), "{share}");
        }
        for bad in ["30", "101%", "-1%", "%", "1e2%", "1.%", ".5%", "1.234%", "100.01%"] {
            assert!(parse_percent(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn comments_and_tags_have_their_rules() {
        assert!(comment(&text("moved by hand")).is_ok());
        assert!(comment(&text("two\nlines")).is_err());
        assert!(comment(&text(&"x".repeat(501))).is_err());
        let one = |tag: &str| tags(&Value::List(vec![text(tag)]));
        for good in ["owner:dns-team", "owner:", "a:b:c"] {
            assert!(one(good).is_ok(), "{good}");
        }
        for bad in ["owner", ":x", "ow ner:x"] {
            assert!(one(bad).is_err(), "{bad}");
        }
        assert!(tags(&Value::List(vec![text("a:b"); 21])).is_err());
    }

    #[test]
    fn other_words_are_refused() {
        assert!(answers(&text("all")).is_ok() && answers(&text("none")).is_err());
        assert!(timeout(&text("0s")).is_err() && timeout(&text("5m")).is_ok() && timeout(&text("2d")).is_err());
        assert!(from(&Value::Number(Number::Int(-1))).is_err() && from(&Value::Number(Number::Int(0))).is_ok());
    }
}
