//! Service bindings (HTTPS and SVCB): their parameters in the order of their numbers.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::fields::{Field, bare_or_quoted};

/// The registered keys by number.
const KEYS: [&str; 9] = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"];

/// The canonical form of one service binding.
pub(super) fn canonical(priority: u16, target: &str, parameters: &[Field]) -> Result<String, String> {
    let mut by_number = BTreeMap::new();
    for parameter in parameters {
        let (key, value) = match parameter.0.iter().position(|byte| *byte == b'=') {
            Some(at) => (&parameter.0[..at], Some(&parameter.0[at + 1..])),
            None => (parameter.0.as_slice(), None),
        };
        let number = key_number(key)?;
        if by_number.insert(number, one_value(number, value)?).is_some() {
            return Err(format!("`{}` stands there twice", key_word(number)));
        }
    }
    let mut text = format!("{priority} {target}");
    for (number, value) in by_number {
        text.push(' ');
        text.push_str(&key_word(number));
        if let Some(value) = value {
            text.push('=');
            text.push_str(&bare_or_quoted(&value));
        }
    }
    Ok(text)
}

fn key_number(key: &[u8]) -> Result<u16, String> {
    let word = String::from_utf8_lossy(key).to_ascii_lowercase();
    if let Some(number) = KEYS.iter().position(|known| *known == word) {
        return u16::try_from(number).map_err(|_| "too many keys".to_owned());
    }
    word.strip_prefix("key")
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u16>().ok())
        .filter(|number| *number < u16::MAX)
        .ok_or_else(|| format!("`{word}` is not a service parameter such as alpn, port or ipv4hint"))
}

fn key_word(number: u16) -> String {
    KEYS.get(usize::from(number)).map_or_else(|| format!("key{number}"), |word| (*word).to_owned())
}

/// The value in its canonical form; none where the key stands alone.
fn one_value(number: u16, value: Option<&[u8]>) -> Result<Option<Vec<u8>>, String> {
    let key = key_word(number);
    let value = value.filter(|value| !value.is_empty());
    let needed = || value.ok_or_else(|| format!("`{key}` needs a value"));
    let text = || needed().and_then(|value| std::str::from_utf8(value).map_err(|_| format!("the value of `{key}` is not text")));
    match number {
        0 => {
            let mut numbers = items(text()?).map(|item| key_number(item.as_bytes())).collect::<Result<Vec<_>, _>>()?;
            numbers.sort_unstable();
            Ok(Some(numbers.into_iter().map(key_word).collect::<Vec<_>>().join(",").into_bytes()))
        }
        1 => Ok(Some(items(text()?).collect::<Vec<_>>().join(",").into_bytes())),
        2 | 8 if value.is_some() => Err(format!("`{key}` takes no value")),
        2 | 8 => Ok(None),
        3 => {
            let port = text()?;
            let port: u16 = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
            Ok(Some(port.to_string().into_bytes()))
        }
        4 => addresses::<Ipv4Addr>(text()?).map(Some),
        6 => addresses::<Ipv6Addr>(text()?).map(Some),
        _ => Ok(value.map(<[u8]>::to_vec)),
    }
}

/// The items of a list; printers of other tools leave a comma at its end.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn addresses<A: std::str::FromStr + ToString>(text: &str) -> Result<Vec<u8>, String> {
    let list = items(text)
        .map(|item| item.parse::<A>().map(|address| address.to_string()).map_err(|_| format!("`{item}` is not an address of that family")))
        .collect::<Result<Vec<_>, _>>()?;
    if list.is_empty() { Err("a list of addresses is empty".to_owned()) } else { Ok(list.join(",").into_bytes()) }
}
