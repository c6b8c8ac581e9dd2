//! One value of `PostgreSQL` as plain data.

use std::error::Error;

use serde_json::Number;
use tokio_postgres::types::{FromSql, Type};

use crate::model::Json;

/// The longest text a check may look at, in bytes.
const TEXT_MAX: usize = 64 << 10;
/// Digits before the decimal point that are spelled out.
const DIGITS_MAX: usize = 400;

/// A number, text, bool or null.
pub struct Scalar(pub Json);

/// Whether a column of this type can be looked at.
///
/// # Errors
/// A fragment that says how to cast it.
pub fn supported(ty: &Type) -> Result<(), String> {
    if Scalar::accepts(ty) { Ok(()) } else { Err(format!("the column's type {ty} cannot be compared: cast it to text, numeric or boolean")) }
}

impl<'a> FromSql<'a> for Scalar {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Scalar(match *ty {
            Type::BOOL => Json::from(bool::from_sql(ty, raw)?),
            Type::INT2 => Json::from(i16::from_sql(ty, raw)?),
            Type::INT4 => Json::from(i32::from_sql(ty, raw)?),
            Type::INT8 => Json::from(i64::from_sql(ty, raw)?),
            Type::OID => Json::from(u32::from_sql(ty, raw)?),
            Type::FLOAT4 => float(f64::from(f32::from_sql(ty, raw)?)),
            Type::FLOAT8 => float(f64::from_sql(ty, raw)?),
            Type::NUMERIC => numeric(raw).ok_or("a numeric value that is not one")?,
            Type::TIMESTAMPTZ => Json::from(jiff::Timestamp::from_sql(ty, raw)?.to_string()),
            Type::TIMESTAMP => Json::from(jiff::civil::DateTime::from_sql(ty, raw)?.to_string()),
            Type::DATE => Json::from(jiff::civil::Date::from_sql(ty, raw)?.to_string()),
            _ if raw.len() > TEXT_MAX => return Err(format!("the value has {} bytes, more than {TEXT_MAX}", raw.len()).into()),
            Type::JSON | Type::JSONB => Json::from(Json::from_sql(ty, raw)?.to_string()),
            Type::UUID => Json::from(uuid(raw).ok_or("a uuid value that is not one")?),
            _ => Json::from(std::str::from_utf8(raw)?),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Scalar(Json::Null))
    }

    fn accepts(ty: &Type) -> bool {
        const KNOWN: [Type; 18] = [
            Type::BOOL,
            Type::INT2,
            Type::INT4,
            Type::INT8,
            Type::OID,
            Type::FLOAT4,
            Type::FLOAT8,
            Type::NUMERIC,
            Type::TIMESTAMPTZ,
            Type::TIMESTAMP,
            Type::DATE,
            Type::JSON,
            Type::JSONB,
            Type::UUID,
            Type::TEXT,
            Type::VARCHAR,
            Type::BPCHAR,
            Type::NAME,
        ];
        KNOWN.contains(ty) || *ty == Type::UNKNOWN
    }
}

/// Infinity and NaN, which plain data cannot hold, as their words.
fn float(value: f64) -> Json {
    Number::from_f64(value).map_or_else(|| Json::from(value.to_string()), Json::Number)
}

fn uuid(raw: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = raw.try_into().ok()?;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    Some([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// `numeric` on the wire: count of base-10,000 digits, weight of the first, sign, decimals shown, digits. Whole numbers that fit
/// come out exactly.
fn numeric(raw: &[u8]) -> Option<Json> {
    let word = |index: usize| Some(i16::from_be_bytes(raw.get(index * 2..index * 2 + 2)?.try_into().ok()?));
    let (count, weight, sign, scale) = (usize::try_from(word(0)?).ok()?, word(1)?, word(2)?, usize::try_from(word(3)?).ok()?);
    let negative = match u16::from_be_bytes(sign.to_be_bytes()) {
        0x0000 => false,
        0x4000 => true,
        0xC000 => return Some(Json::from("NaN")),
        0xD000 => return Some(Json::from("inf")),
        0xF000 => return Some(Json::from("-inf")),
        _ => return None,
    };
    let digits = (0..count).map(|index| word(4 + index)).collect::<Option<Vec<_>>>()?;
    let group = |place: i32| usize::try_from(i32::from(weight) - place).ok().and_then(|index| digits.get(index)).copied().unwrap_or(0);
    let mut whole = String::new();
    for place in (0..=i32::from(weight.max(0))).rev() {
        whole.extend(four_digits(group(place)));
        if whole.len() > DIGITS_MAX {
            return None;
        }
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let places = i32::try_from(scale.min(DIGITS_MAX)).ok()?;
    let mut fraction: String = (1..=(places + 3) / 4).flat_map(|place| four_digits(group(-place))).collect();
    fraction.truncate(scale);
    let text = format!("{}{whole}{}{fraction}", if negative { "-" } else { "" }, if fraction.is_empty() { "" } else { "." });
    if fraction.bytes().all(|digit| digit == b'0')
        && let Ok(exact) = format!("{}{whole}", if negative { "-" } else { "" }).parse::<i64>()
    {
        return Some(Json::from(exact));
    }
    text.parse::<f64>().ok().map(float)
}

/// One base-10,000 digit in decimal.
fn four_digits(group: i16) -> [char; 4] {
    [1_000, 100, 10, 1].map(|unit| char::from_digit(u32::try_from(group / unit % 10).unwrap_or(0), 10).unwrap_or('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(weight: i16, sign: u16, scale: i16, digits: &[i16]) -> Vec<u8> {
        let count = i16::try_from(digits.len()).unwrap();
        let words = [count.to_be_bytes(), weight.to_be_bytes(), sign.to_be_bytes(), scale.to_be_bytes()];
        words.into_iter().chain(digits.iter().map(|digit| digit.to_be_bytes())).flatten().collect()
    }

    #[test]
    fn numerics_are_exact_where_they_can_be() {
        for (raw, expected) in [
            (wire(0, 0, 0, &[]), Json::from(0)),
            (wire(0, 0, 0, &[42]), Json::from(42)),
            (wire(1, 0x4000, 0, &[123, 4567]), Json::from(-1_234_567)),
            (wire(1, 0, 0, &[1]), Json::from(10_000)),
            (wire(0, 0, 2, &[12, 3400]), Json::from(12.34)),
            (wire(-1, 0, 4, &[5]), Json::from(0.0005)),
            (wire(0, 0, 2, &[7]), Json::from(7)),
            (wire(0, 0xC000, 0, &[]), Json::from("NaN")),
        ] {
            assert_eq!(numeric(&raw), Some(expected));
        }
        assert_eq!(numeric(&[0, 1]), None);
        assert_eq!(numeric(&wire(0, 0x1234, 0, &[1])), None);
        assert_eq!(numeric(&wire(30_000, 0, 0, &[1])), None, "a number of 120,000 digits");
    }

    #[test]
    fn uuids_are_spelled_as_usual() {
        assert_eq!(uuid(&(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128).to_be_bytes()).unwrap(), "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(uuid(&[1]), None);
    }
}
