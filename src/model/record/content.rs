//! The canonical form of answers, type by type.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fields::{Field, quote, split};
use super::{RecordType, canonical_name, service};

/// The most bytes of an answer: a TXT record of 65,535 bytes less one length byte for each of its 256 strings.
const CONTENT_MAX: usize = 65_279;

/// One answer in its canonical presentation form: addresses in their shortest spelling, names as [`canonical_name`] gives
/// them (`.` where the root is allowed), numbers in decimal, hexadecimal in lower case, strings in quotes, service parameters in the
/// order of their numbers, one space between fields. TXT is the bare text without quotes, as it is.
///
/// # Errors
/// A fragment that says what is wrong with the answer.
pub fn canonical_content(rtype: RecordType, text: &str) -> Result<String, String> {
    if text.len() > CONTENT_MAX {
        return Err(format!("an answer of {} bytes is longer than a record can be ({CONTENT_MAX})", text.len()));
    }
    match rtype {
        RecordType::Txt => Ok(text.to_owned()),
        RecordType::A => ipv4(text.trim()),
        RecordType::Aaaa => ipv6(text.trim()),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => canonical_name(text.trim()),
        _ => {
            let form = form(rtype);
            let wrong = |why: String| format!("`{}` is not `{form}`: {why}", shortened(text));
            let fields = split(text).map_err(wrong)?;
            by_fields(rtype, &fields).map_err(wrong)
        }
    }
}

/// How the answers of a type are written, for messages.
fn form(rtype: RecordType) -> &'static str {
    match rtype {
        RecordType::Mx => "PREFERENCE NAME",
        RecordType::Srv => "PRIORITY WEIGHT PORT TARGET",
        RecordType::Caa => "FLAGS TAG \"VALUE\"",
        RecordType::Ds => "KEYTAG ALGORITHM DIGESTTYPE DIGEST",
        RecordType::Naptr => "ORDER PREFERENCE \"FLAGS\" \"SERVICE\" \"REGEXP\" REPLACEMENT",
        RecordType::Sshfp => "ALGORITHM TYPE FINGERPRINT",
        RecordType::Tlsa => "USAGE SELECTOR MATCHING DATA",
        RecordType::Uri => "PRIORITY WEIGHT \"TARGET\"",
        RecordType::Https | RecordType::Svcb => "PRIORITY TARGET [KEY=VALUE …]",
        RecordType::A | RecordType::Aaaa => "ADDRESS",
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => "NAME",
        RecordType::Txt => "TEXT",
    }
}

fn by_fields(rtype: RecordType, fields: &[Field]) -> Result<String, String> {
    match (rtype, fields) {
        (RecordType::Mx, [preference, name]) => Ok(format!("{} {}", number::<u16>(preference)?, target(name)?)),
        (RecordType::Srv, [priority, weight, port, name]) => {
            Ok(format!("{} {} {} {}", number::<u16>(priority)?, number::<u16>(weight)?, number::<u16>(port)?, target(name)?))
        }
        (RecordType::Caa, [flags, tag, value]) => Ok(format!("{} {} {}", number::<u8>(flags)?, caa_tag(tag)?, quote(&value.0))),
        (RecordType::Ds, [keytag, algorithm, digest_type, digest @ ..]) => {
            Ok(format!("{} {} {} {}", number::<u16>(keytag)?, number::<u8>(algorithm)?, number::<u8>(digest_type)?, hex(digest)?))
        }
        (RecordType::Naptr, [order, preference, flags, service, regexp, replacement]) => Ok(format!(
            "{} {} {} {} {} {}",
            number::<u16>(order)?,
            number::<u16>(preference)?,
            string(flags)?,
            string(service)?,
            string(regexp)?,
            target(replacement)?
        )),
        (RecordType::Sshfp, [algorithm, kind, fingerprint @ ..]) => {
            Ok(format!("{} {} {}", number::<u8>(algorithm)?, number::<u8>(kind)?, hex(fingerprint)?))
        }
        (RecordType::Tlsa, [usage, selector, matching, data @ ..]) => {
            Ok(format!("{} {} {} {}", number::<u8>(usage)?, number::<u8>(selector)?, number::<u8>(matching)?, hex(data)?))
        }
        (RecordType::Uri, [priority, weight, uri]) if !uri.0.is_empty() => {
            Ok(format!("{} {} {}", number::<u16>(priority)?, number::<u16>(weight)?, quote(&uri.0)))
        }
        (RecordType::Https | RecordType::Svcb, [priority, name, parameters @ ..]) => {
            service::canonical(number::<u16>(priority)?, &target(name)?, parameters)
        }
        _ => Err(format!("it has {}", crate::model::text::many(fields.len(), "field"))),
    }
}

fn ipv4(text: &str) -> Result<String, String> {
    // There is one spelling of each: without leading zeros, four numbers.
    text.parse::<Ipv4Addr>().map(|_| text.to_owned()).map_err(|_| match text.parse::<Ipv6Addr>() {
        Ok(_) => format!("`{text}` is an IPv6 address, and A records take IPv4: use AAAA"),
        Err(_) => format!("`{}` is not an IPv4 address", shortened(text)),
    })
}

fn ipv6(text: &str) -> Result<String, String> {
    text.parse::<Ipv6Addr>().map(|address| IpAddr::V6(address).to_string()).map_err(|_| match text.parse::<Ipv4Addr>() {
        Ok(_) => format!("`{text}` is an IPv4 address, and AAAA records take IPv6: use A"),
        Err(_) => format!("`{}` is not an IPv6 address", shortened(text)),
    })
}

/// A whole number in decimal digits alone: no sign, nothing around it.
pub(super) fn number<N: std::str::FromStr + std::fmt::Display>(field: &Field) -> Result<N, String> {
    field
        .word()
        .filter(|word| word.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| format!("`{}` is not a number of its range", shortened(&field.shown())))
}

/// A name inside an answer, or the root.
fn target(field: &Field) -> Result<String, String> {
    match field.0.as_slice() {
        b"." => Ok(".".to_owned()),
        bytes => canonical_name(std::str::from_utf8(bytes).map_err(|_| "a name is not UTF-8".to_owned())?),
    }
}

/// A string of at most 255 bytes.
fn string(field: &Field) -> Result<String, String> {
    if field.0.len() > 255 { Err("a string is longer than 255 bytes".to_owned()) } else { Ok(quote(&field.0)) }
}

fn caa_tag(field: &Field) -> Result<String, String> {
    field
        .word()
        .filter(|word| !word.is_empty() && word.len() <= 255 && word.bytes().all(|b| b.is_ascii_alphanumeric()))
        .map(str::to_ascii_lowercase)
        .ok_or_else(|| format!("`{}` is not a tag such as issue, issuewild or iodef", shortened(&field.shown())))
}

/// Hexadecimal digits, which may be spread over fields.
fn hex(fields: &[Field]) -> Result<String, String> {
    let digits: String = fields.iter().map(Field::shown).collect::<String>().to_ascii_lowercase();
    if digits.is_empty() || digits.len() % 2 == 1 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("`{}` is not an even number of hexadecimal digits", shortened(&digits)));
    }
    Ok(digits)
}

/// At most a line of a value, for messages.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN { text.to_owned() } else { text.chars().take(SHOWN).chain(['…']).collect() }
}
