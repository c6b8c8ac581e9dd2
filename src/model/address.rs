//! How a resource is called: `database.dev-openverse-db`, `dns_zone["gigadb.org"]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Kind and name of one resource of an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The block type, e.g. `database`.
    pub kind: String,
    /// The block's label.
    pub name: String,
}

impl Address {
    /// An address from its two parts.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Address { kind: kind.into(), name: name.into() }
    }
}

/// Whether `text` can stand after a dot in HCL.
fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_identifier(&self.name) {
            write!(f, "{}.{}", self.kind, self.name)
        } else {
            write!(f, "{}[{}]", self.kind, serde_json::Value::from(self.name.as_str()))
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not an address such as database.NAME or dns_zone[\"NAME\"]");
        if let Some((kind, rest)) = text.split_once('[') {
            let inner = rest.strip_suffix(']').ok_or_else(bad)?;
            let name = serde_json::from_str::<String>(inner).map_err(|_| bad())?;
            return if is_identifier(kind) { Ok(Address::new(kind, name)) } else { Err(bad()) };
        }
        let (kind, name) = text.split_once('.').ok_or_else(bad)?;
        if is_identifier(kind) && !name.is_empty() { Ok(Address::new(kind, name)) } else { Err(bad()) }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_they_were_written() {
        for (kind, name, text) in [
            ("database", "dev-openverse-db", "database.dev-openverse-db"),
            ("dns_zone", "gigadb.org", "dns_zone[\"gigadb.org\"]"),
            ("dns_zone", "a\"b", "dns_zone[\"a\\\"b\"]"),
        ] {
            let address = Address::new(kind, name);
            assert_eq!(address.to_string(), text);
            assert_eq!(text.parse::<Address>().as_ref(), Ok(&address));
        }
        assert!("database".parse::<Address>().is_err());
        assert!("database[x]".parse::<Address>().is_err());
    }
}
