//! Address ranges.

use std::net::IpAddr;

use super::{Function, Outcome, Wrong, int, text};
use crate::model::Value;

pub(super) const TABLE: &[Function] = &[
    Function::new("cidrhost", 2, Some(2), "(range, number)", "one address of a range; negative numbers count from its end", host),
    Function::new("cidrnetmask", 1, Some(1), "(range)", "the mask of an IPv4 range", mask),
    Function::new("cidrsubnet", 3, Some(3), "(range, bits, number)", "a smaller range within a range", subnet),
];

/// A range: its first address as a number, its prefix length and the length of its addresses.
struct Range {
    base: u128,
    prefix: u32,
    bits: u32,
}

impl Range {
    fn parse(range: &str) -> Result<Range, Wrong> {
        let bad =
            || Wrong { argument: Some(0), what: format!("`{}` is not a range such as 10.0.0.0/8", crate::declare::eval::convert::short(range)) };
        let (address, prefix) = range.split_once('/').ok_or_else(bad)?;
        let (base, bits) = match address.parse::<IpAddr>().map_err(|_| bad())? {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
            IpAddr::V6(v6) => (u128::from(v6), 128),
        };
        let prefix = prefix.parse::<u32>().ok().filter(|prefix| *prefix <= bits).ok_or_else(bad)?;
        Ok(Range { base: base & !low(bits - prefix), prefix, bits })
    }

    fn address(&self, number: u128) -> String {
        if self.bits == 32 {
            let [.., a, b, c, d] = number.to_be_bytes();
            std::net::Ipv4Addr::new(a, b, c, d).to_string()
        } else {
            std::net::Ipv6Addr::from(number).to_string()
        }
    }
}

/// A number whose lowest `bits` bits are set.
fn low(bits: u32) -> u128 {
    if bits >= 128 { u128::MAX } else { (1 << bits) - 1 }
}

fn host(args: &[Value]) -> Outcome {
    let range = Range::parse(&text(args, 0)?)?;
    let number = int(args, 1)?;
    let most = low(range.bits - range.prefix);
    let too_far = || Wrong { argument: Some(1), what: format!("the range has no address number {number}") };
    let magnitude = u128::from(number.unsigned_abs());
    let offset = if number < 0 { (most + u128::from(most < u128::MAX)).checked_sub(magnitude) } else { Some(magnitude) };
    let offset = offset.filter(|offset| *offset <= most).ok_or_else(too_far)?;
    Ok(Value::String(range.address(range.base | offset)))
}

fn mask(args: &[Value]) -> Outcome {
    let range = Range::parse(&text(args, 0)?)?;
    if range.bits != 32 {
        return Err(Wrong { argument: Some(0), what: "only IPv4 ranges have a mask".to_owned() });
    }
    Ok(Value::String(range.address(low(32) & !low(32 - range.prefix))))
}

fn subnet(args: &[Value]) -> Outcome {
    let range = Range::parse(&text(args, 0)?)?;
    let free = range.bits - range.prefix;
    let more = u32::try_from(int(args, 1)?).ok().filter(|more| *more <= free);
    let more = more.ok_or_else(|| Wrong { argument: Some(1), what: format!("the range has only {free} bits to give") })?;
    let number = u128::try_from(int(args, 2)?).ok().filter(|number| *number <= low(more));
    let number = number.ok_or_else(|| Wrong { argument: Some(2), what: format!("not a number of {more} bits") })?;
    let shift = free - more;
    let base = if shift >= 128 { range.base } else { range.base | (number << shift) };
    Ok(Value::String(format!("{}/{}", range.address(base), range.prefix + more)))
}
