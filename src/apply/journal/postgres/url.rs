//! `postgres://ROLE:PASSWORD@HOST:PORT/DATABASE?schema=…&sslmode=…&sslrootcert=…&host=…`

use std::borrow::Cow;
use std::net::IpAddr;

use url::Url;

use crate::model::{Error, Exit, Result};
use crate::world::sql::SqlTarget;

/// Where a journal is.
pub struct Place {
    /// The server and the database.
    pub target: SqlTarget,
    /// The password, if the URL has one.
    pub password: Option<String>,
    /// The schema of our tables.
    pub schema: String,
}

impl Place {
    /// For people: the URL without its password.
    pub fn shown(&self) -> String {
        let target = &self.target;
        format!("postgres://{}@{}:{}/{} (schema {})", target.user, target.host, target.port, target.database, self.schema)
    }
}

const PORT: u16 = 5432;
/// `PostgreSQL` cuts longer names.
const SCHEMA_CHARS_MAX: usize = 63;

/// Reads a URL. What is wrong is told without quoting it: there is a password in it.
pub fn parse(text: &str) -> Result<Place> {
    let url = Url::parse(&with_host(text)).map_err(|why| mistake(&why.to_string()))?;
    let given = |part: &str| (!part.is_empty()).then(|| decoded(part)).transpose();
    let user = given(url.username())?.ok_or_else(|| mistake("it names no role"))?;
    let host = given(url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']'))?;
    let database = given(url.path().trim_start_matches('/'))?;
    let mut target = SqlTarget {
        resource_id: String::new(),
        host: host.unwrap_or_else(|| "localhost".to_owned()),
        port: url.port().unwrap_or(PORT),
        sslmode: String::new(),
        ca_file: None,
        database: database.unwrap_or_else(|| user.clone()),
        user,
        password: None,
    };
    let mut schema = "switchover".to_owned();
    for (name, value) in url.query_pairs() {
        match &*name {
            "sslmode" => value.as_ref().clone_into(&mut target.sslmode),
            "sslrootcert" => target.ca_file = Some(value.into_owned()),
            "host" => value.as_ref().clone_into(&mut target.host),
            "schema" => value.as_ref().clone_into(&mut schema),
            _ => return Err(mistake(&format!("it has a parameter `{name}`"))),
        }
    }
    if !["", "disable", "require", "verify-full"].contains(&target.sslmode.as_str()) {
        // Not quoted: who puts a password into the wrong place of a URL puts it anywhere.
        return Err(mistake("its sslmode is none of disable, require and verify-full"));
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if schema.is_empty() || schema.len() > SCHEMA_CHARS_MAX || !schema.chars().all(plain) || schema.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(mistake("its schema is not made of lower-case letters, digits and `_`"));
    }
    if target.sslmode.is_empty() {
        // Plain text stays on this machine unless somebody says so in as many words.
        (if stays_here(&target.host) { "disable" } else { "verify-full" }).clone_into(&mut target.sslmode);
    }
    Ok(Place { target, password: url.password().map(decoded).transpose()?, schema })
}

/// `postgres://ROLE@/DATABASE?host=…` names no host before its parameters, which is fine for `PostgreSQL` and no URL for others.
fn with_host(text: &str) -> Cow<'_, str> {
    let authority = text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    if authority.ends_with('@') { Cow::Owned(text.replacen(authority, &format!("{authority}localhost"), 1)) } else { Cow::Borrowed(text) }
}

/// A socket of this machine, or its loopback.
fn stays_here(host: &str) -> bool {
    host.starts_with('/') || host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn decoded(text: &str) -> Result<String> {
    let bytes = text.as_bytes();
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        if let Some(value) = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            all.push(value);
            at += 3;
        } else {
            all.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(all).map_err(|_| mistake("what it encodes with % is not UTF-8"))
}

fn mistake(why: &str) -> Error {
    let help = "write postgres://ROLE:PASSWORD@HOST:PORT/DATABASE, with ?schema=, sslmode=disable|require|verify-full, sslrootcert=FILE or host=/SOCKET/FOLDER \
                after it where they are needed";
    Error::new(Exit::Error, "the journal's postgres URL cannot be used", help).because_text(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how_and_encryption_is_the_default() {
        let place = parse("postgres://ci%40team:s%2Fecret@db.example.org/journals?schema=ours").unwrap();
        assert_eq!(place.shown(), "postgres://ci@team@db.example.org:5432/journals (schema ours)");
        assert_eq!((place.password.as_deref(), place.target.sslmode.as_str()), (Some("s/ecret"), "verify-full"));
        let plain = |url: &str| parse(url).unwrap().target.sslmode == "disable";
        assert!(plain("postgresql://u@localhost/d") && plain("postgres://u@127.0.0.1:1/d") && plain("postgres://u@[::1]/d"));
        assert!(plain("postgres://u@/d?host=/var/run/postgresql") && plain("postgres://u@%2Fvar%2Frun/d"));
        assert!(plain("postgres://u@10.0.0.1/d?sslmode=disable"), "by explicit word");
        assert!(
            !plain("postgres://u@10.0.0.1/d") && !plain("postgres://u@localhost.example.org/d") && !plain("postgres://u@127.0.0.1/d?sslmode=require")
        );
        let place = parse("postgres://u@h/d?sslmode=verify-full&sslrootcert=ca.pem").unwrap();
        assert_eq!(place.target.ca_file.as_deref(), Some("ca.pem"));
        assert_eq!(parse("postgres://u@h").unwrap().target.database, "u");
    }

    #[test]
    fn a_mistake_is_told_without_the_password() {
        for (url, word) in [
            ("postgres://:planted@h/d", "no role"),
            ("postgres://u:planted@h/d?pasword=planted", "`pasword`"),
            ("postgres://u:planted@h/d?schema=Ours", "schema"),
            ("postgres://u:planted@h/d?schema=a;b", "schema"),
            ("postgres://u:planted@h/d?schema=", "schema"),
            ("postgres://u:planted@h:port/d", "port"),
            ("postgres://u:planted%FF@h/d", "UTF-8"),
        ] {
            let Err(error) = parse(url) else { panic!("{url} was taken") };
            assert!(error.chain().contains(word) && !format!("{error:?}").contains("planted"), "{url}: {error:?}");
        }
    }
}
