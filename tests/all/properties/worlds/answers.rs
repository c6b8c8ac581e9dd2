//! Answers of every record type, each in more than one spelling.

use switchover::model::record::RecordType;

use super::super::trials::Dice;

/// One of a few answers of a type, as somebody may have spelt it.
pub fn answer(dice: &mut Dice, rtype: RecordType) -> String {
    let number = dice.number(1, 5);
    let odd = dice.chance(40);
    let host = host(dice, number);
    let digest = hex(dice, number);
    match rtype {
        RecordType::A => format!("192.0.2.{number}"),
        RecordType::Aaaa if odd => format!("2001:DB8:0:0:0:0:0:{number}"),
        RecordType::Aaaa => format!("2001:db8::{number}"),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => host,
        RecordType::Mx if odd => format!("0{number}  {host}"),
        RecordType::Mx => format!("{number} {host}"),
        RecordType::Txt => text(dice, number),
        RecordType::Caa if odd => format!("0 ISSUE \"ca{number}.example.net\""),
        RecordType::Caa => format!("0 issue ca{number}.example.net"),
        RecordType::Srv => format!("{number} 5 5060 {host}"),
        RecordType::Ds => format!("{number} 13 2 {digest}"),
        RecordType::Sshfp => format!("4 2 {digest}"),
        RecordType::Tlsa => format!("3 1 1 {digest}"),
        RecordType::Https | RecordType::Svcb if odd => format!("{number} {host} port=8443 alpn=h2,h3 ipv4hint=192.0.2.{number}"),
        RecordType::Https | RecordType::Svcb => format!("{number} {host} ALPN=\"h2,h3\" ipv4hint=192.0.2.{number} port=8443"),
        RecordType::Naptr => format!("100 {number} u \"E2U+sip\" \"!^.*$!sip:info@example.net!\" ."),
        RecordType::Uri => format!("10 {number} \"https://host{number}.example.net/a?b=c\""),
    }
}

fn host(dice: &mut Dice, number: u64) -> String {
    match dice.number(0, 4) {
        0 => format!("Host{number}.Example.NET"),
        1 => format!("host{number}.example.net."),
        2 if number == 5 => "bücher.example.net".to_owned(),
        2 if number == 4 => "xn--bcher-kva.example.net".to_owned(),
        _ => format!("host{number}.example.net"),
    }
}

fn hex(dice: &mut Dice, number: u64) -> String {
    let digits = format!("{number:02x}").repeat(32);
    if dice.chance(40) { format!("{} {}", digits[..20].to_uppercase(), &digits[20..]) } else { digits }
}

fn text(dice: &mut Dice, number: u64) -> String {
    match dice.number(0, 7) {
        0 => format!("with \"quotes\" and \\ number {number}"),
        1 => format!("${{not a template}} %{{ nor this }} {number}"),
        2 => format!("grüße {number} \u{1f30d}"),
        3 => format!(" blanks  around {number} "),
        4 => format!("{number}").repeat(300),
        5 => format!("two\nlines {number}"),
        _ => format!("v=spf1 include:host{number}.example.net -all"),
    }
}

/// A name as somebody may have spelt it.
pub fn spelt(dice: &mut Dice, name: &str) -> String {
    match dice.number(0, 5) {
        0 => format!("{name}."),
        1 => name.to_uppercase(),
        2 if name.starts_with("xn--bcher-kva") => name.replacen("xn--bcher-kva", "Bücher", 1),
        _ => name.to_owned(),
    }
}
