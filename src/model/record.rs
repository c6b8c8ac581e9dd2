//! DNS names, types and answers in one canonical form, so that both sides are compared alike.

mod content;
mod fields;
mod service;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use content::canonical_content;

/// The longest presentation form of a name that is looked at, in bytes: enough for 253 characters of four bytes each.
const NAME_INPUT_MAX: usize = 1_024;
/// The longest name in bytes, by the limits of the protocol, without the last dot.
const NAME_MAX: usize = 253;
/// The longest label in bytes.
const LABEL_MAX: usize = 63;

/// The record types that can be declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "each is the DNS type of that name")]
pub enum RecordType {
    A,
    Aaaa,
    Caa,
    Cname,
    Ds,
    Https,
    Mx,
    Naptr,
    Ns,
    Ptr,
    Srv,
    Sshfp,
    Svcb,
    Tlsa,
    Txt,
    Uri,
}

impl RecordType {
    /// Every type, sorted by name.
    pub const ALL: [RecordType; 16] = [
        RecordType::A,
        RecordType::Aaaa,
        RecordType::Caa,
        RecordType::Cname,
        RecordType::Ds,
        RecordType::Https,
        RecordType::Mx,
        RecordType::Naptr,
        RecordType::Ns,
        RecordType::Ptr,
        RecordType::Srv,
        RecordType::Sshfp,
        RecordType::Svcb,
        RecordType::Tlsa,
        RecordType::Txt,
        RecordType::Uri,
    ];

    /// An answer as people write it, for help texts.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            RecordType::A => "192.0.2.1",
            RecordType::Aaaa => "2001:db8::1",
            RecordType::Caa => "0 issue ca.example.org",
            RecordType::Cname | RecordType::Ns | RecordType::Ptr => "host.example.org",
            RecordType::Ds => "12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE0D3A4B3C9C0B7B6D0C0E1F2A",
            RecordType::Https | RecordType::Svcb => "1 . alpn=h2",
            RecordType::Mx => "10 mail.example.org",
            RecordType::Naptr => "100 10 u E2U+sip !^.*$!sip:info@example.org! .",
            RecordType::Srv => "10 5 5060 sip.example.org",
            RecordType::Sshfp => "4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789",
            RecordType::Tlsa => "3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            RecordType::Txt => "v=spf1 -all",
            RecordType::Uri => "10 1 https://www.example.org/",
        }
    }

    /// The word of the zone file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            RecordType::A => "A",
            RecordType::Aaaa => "AAAA",
            RecordType::Caa => "CAA",
            RecordType::Cname => "CNAME",
            RecordType::Ds => "DS",
            RecordType::Https => "HTTPS",
            RecordType::Mx => "MX",
            RecordType::Naptr => "NAPTR",
            RecordType::Ns => "NS",
            RecordType::Ptr => "PTR",
            RecordType::Srv => "SRV",
            RecordType::Sshfp => "SSHFP",
            RecordType::Svcb => "SVCB",
            RecordType::Tlsa => "TLSA",
            RecordType::Txt => "TXT",
            RecordType::Uri => "URI",
        }
    }

    /// Whether Cloudflare's proxy can answer in place of a record of this type.
    #[must_use]
    pub fn can_be_proxied(self) -> bool {
        matches!(self, RecordType::A | RecordType::Aaaa | RecordType::Cname)
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for RecordType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        RecordType::ALL
            .into_iter()
            .find(|known| known.word().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("`{text}` is not a record type that can be declared"))
    }
}

/// A domain name in its canonical form: A-labels, lower case, no last dot; `*` only as the first label.
///
/// Names that are ASCII already, which is nearly all of them in a large zone, cost one pass and one allocation.
///
/// # Errors
/// A fragment that says what is wrong with the name.
pub fn canonical_name(text: &str) -> Result<String, String> {
    if text.len() > NAME_INPUT_MAX {
        return Err(format!("a name of {} bytes is no domain name: {NAME_MAX} are the most", text.len()));
    }
    let trimmed = text.strip_suffix('.').unwrap_or(text);
    let rest = trimmed.strip_prefix("*.").unwrap_or(trimmed);
    let name = if rest.is_ascii() && !has_a_label(rest) {
        trimmed.to_ascii_lowercase()
    } else {
        let ascii = idna::domain_to_ascii_cow(rest.as_bytes(), idna::AsciiDenyList::EMPTY)
            .map_err(|_| format!("`{text}` is not a domain name: it has no valid A-label form"))?;
        format!("{}{}", &trimmed[..trimmed.len() - rest.len()], ascii.to_ascii_lowercase())
    };
    match name_mistake(name.strip_prefix("*.").unwrap_or(&name), name.len()) {
        None => Ok(name),
        Some(mistake) => Err(format!("`{text}` is not a domain name: {mistake}")),
    }
}

/// Whether `name` lies in `zone` or is the zone's own name; both canonical.
#[must_use]
pub fn is_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Whether a label is in A-label form, whose Punycode must be checked.
fn has_a_label(name: &str) -> bool {
    name.as_bytes().split(|byte| *byte == b'.').any(|label| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"xn--")))
}

/// What is wrong with the labels of a lower-case ASCII name of `whole` bytes, if anything is.
fn name_mistake(name: &str, whole: usize) -> Option<&'static str> {
    if whole > NAME_MAX {
        return Some("it is longer than 253 bytes");
    }
    for label in name.as_bytes().split(|byte| *byte == b'.') {
        if label.is_empty() {
            return Some("it has an empty label");
        }
        if label.len() > LABEL_MAX {
            return Some("one of its labels is longer than 63 bytes");
        }
        if !label.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-' || *b == b'_') {
            let star = label.contains(&b'*');
            return Some(if star { "`*` is allowed as the whole first label only" } else { "only letters, digits, `-` and `_` stand in labels" });
        }
    }
    None
}

#[cfg(test)]
mod tests;
