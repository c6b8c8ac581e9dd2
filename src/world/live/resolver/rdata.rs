//! Answers from the wire in presentation format.

use std::fmt::Display;

use hickory_proto::rr::rdata::svcb::{SVCB, SvcParamValue};
use hickory_proto::rr::{Name, RData};

use crate::world::live::presentation::{escape, quote};

/// The answer as a zone file has it (TXT as its bare text); none for what is no answer of a type that can be declared.
pub fn presentation(data: &RData) -> Option<String> {
    Some(match data {
        RData::A(address) => address.to_string(),
        RData::AAAA(address) => address.to_string(),
        RData::CNAME(target) => name(&target.0),
        RData::NS(target) => name(&target.0),
        RData::PTR(target) => name(&target.0),
        RData::MX(mx) => format!("{} {}", mx.preference, name(&mx.exchange)),
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, name(&srv.target)),
        RData::TXT(txt) => text(&txt.txt_data.concat()),
        RData::CAA(caa) => format!("{} {} {}", caa.flags(), caa.tag, quote(&caa.value)),
        RData::NAPTR(naptr) => {
            let [flags, services, regexp] = [&naptr.flags, &naptr.services, &naptr.regexp].map(|bytes| quote(bytes));
            format!("{} {} {flags} {services} {regexp} {}", naptr.order, naptr.preference, name(&naptr.replacement))
        }
        RData::TLSA(tlsa) => {
            let (usage, selector, matching) = (u8::from(tlsa.cert_usage), u8::from(tlsa.selector), u8::from(tlsa.matching));
            format!("{usage} {selector} {matching} {}", hex(&tlsa.cert_data))
        }
        RData::SSHFP(sshfp) => format!("{} {} {}", u8::from(sshfp.algorithm), u8::from(sshfp.fingerprint_type), hex(&sshfp.fingerprint)),
        RData::HTTPS(https) => service(&https.0),
        RData::SVCB(svcb) => service(svcb),
        RData::Unknown { code, rdata } => raw(u16::from(*code), &rdata.anything)?,
        _ => return None,
    })
}

/// Without the last dot, except the root itself.
fn name(name: &Name) -> String {
    let ascii = name.to_ascii();
    match ascii.strip_suffix('.') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => ascii,
    }
}

/// Text as it is, or with escapes where it is none.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().fold(String::new(), |mut text, &byte| {
            match byte {
                b' '..=b'~' => text.push(char::from(byte)),
                _ => text.extend(escape(byte)),
            }
            text
        }),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn service(svcb: &SVCB) -> String {
    let mut words = vec![svcb.svc_priority.to_string(), name(&svcb.target_name)];
    words.extend(svcb.svc_params.iter().map(|(key, value)| match parameter(value) {
        Some(value) => format!("{key}={}", quote(&value)),
        None => key.to_string(),
    }));
    words.join(" ")
}

fn parameter(value: &SvcParamValue) -> Option<Vec<u8>> {
    fn list<T: Display>(items: &[T]) -> String {
        items.iter().map(T::to_string).collect::<Vec<_>>().join(",")
    }
    let text = match value {
        SvcParamValue::Mandatory(keys) => list(&keys.0),
        SvcParamValue::Alpn(ids) => list(&ids.0),
        SvcParamValue::NoDefaultAlpn => return None,
        SvcParamValue::Port(port) => port.to_string(),
        SvcParamValue::Ipv4Hint(hint) => list(&hint.0),
        SvcParamValue::Ipv6Hint(hint) => list(&hint.0),
        SvcParamValue::EchConfigList(config) => config.to_string().trim_matches('"').to_owned(),
        SvcParamValue::Unknown(bytes) => return Some(bytes.0.clone()),
    };
    Some(text.into_bytes())
}

/// Types that the library passes on as bytes.
fn raw(code: u16, bytes: &[u8]) -> Option<String> {
    let number = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    match code {
        // DS
        43 => Some(format!("{} {} {} {}", number(0)?, bytes.get(2)?, bytes.get(3)?, hex(bytes.get(4..)?))),
        // URI
        256 => Some(format!("{} {} {}", number(0)?, number(2)?, quote(bytes.get(4..)?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::{CAA, MX, NULL, TXT};

    use super::*;

    #[test]
    fn answers_read_as_in_a_zone_file() {
        let host = Name::from_ascii("Mail.Example.org.").unwrap();
        assert_eq!(presentation(&RData::MX(MX::new(10, host))).unwrap(), "10 Mail.Example.org");
        assert_eq!(presentation(&RData::MX(MX::new(0, Name::root()))).unwrap(), "0 .");
        assert_eq!(presentation(&RData::TXT(TXT::new(vec!["ab".into(), "cd".into()]))).unwrap(), "abcd");
        assert_eq!(presentation(&RData::TXT(TXT::from_bytes(vec![&[0xff, b'a']]))).unwrap(), "\\255a");
        let caa = CAA::new_issue(true, Some(Name::from_ascii("ca.example.net").unwrap()), Vec::new());
        assert_eq!(presentation(&RData::CAA(caa)).unwrap(), "128 issue \"ca.example.net\"");
    }

    #[test]
    fn types_without_a_shape_of_their_own_are_read_from_bytes() {
        let unknown = |code: u16, bytes: &[u8]| presentation(&RData::Unknown { code: code.into(), rdata: NULL::with(bytes.to_vec()) });
        assert_eq!(unknown(43, &[0x12, 0x34, 13, 2, 0xab, 0xcd]).unwrap(), "4660 13 2 abcd");
        assert_eq!(unknown(256, &[0, 10, 0, 1, b'h', b'"']).unwrap(), "10 1 \"h\\\"\"");
        assert_eq!(unknown(43, &[1]), None);
        assert_eq!(unknown(999, &[1]), None);
    }
}
