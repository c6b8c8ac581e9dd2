//! DNS names, types and answers in one canonical form, so that both sides are compared alike.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
/// # Errors
/// A fragment that says what is wrong with the name.
pub fn canonical_name(text: &str) -> Result<String, String> {
    let trimmed = text.strip_suffix('.').unwrap_or(text);
    let (star, rest) = trimmed.strip_prefix("*.").map_or(("", trimmed), |rest| ("*.", rest));
    let ascii = idna::domain_to_ascii_cow(rest.as_bytes(), idna::AsciiDenyList::EMPTY).map_err(|_| format!("`{text}` is not a domain name"))?;
    let name = format!("{star}{}", ascii.to_ascii_lowercase());
    let label_ok = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if ascii.is_empty() || name.len() > 253 || !ascii.split('.').all(label_ok) {
        return Err(format!("`{text}` is not a domain name"));
    }
    Ok(name)
}

/// One answer in its canonical presentation form: addresses in their shortest spelling, names as [`canonical_name`] gives
/// them, numbers in decimal, one space between fields; TXT is the bare text without quotes.
///
/// # Errors
/// A fragment that says what is wrong with the answer.
pub fn canonical_content(rtype: RecordType, text: &str) -> Result<String, String> {
    match rtype {
        RecordType::A => text.trim().parse::<Ipv4Addr>().map(|a| a.to_string()).map_err(|_| format!("`{text}` is not an IPv4 address")),
        RecordType::Aaaa => text.trim().parse::<Ipv6Addr>().map(|a| a.to_string()).map_err(|_| format!("`{text}` is not an IPv6 address")),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => canonical_name(text.trim()),
        RecordType::Txt => Ok(text.to_owned()),
        _ => Ok(text.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}
