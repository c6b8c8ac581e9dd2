//! What the journal's URL and the environment say about the bucket.
//!
//! `s3://BUCKET/PREFIX?region=…&endpoint=…&allow_http=true&profile=…`. The URL wins over environment variables, and never holds a credential.

use std::net::IpAddr;

use url::{Host, Url};

use crate::model::{Error, Exit, Result};

/// A longer URL is none of ours.
const URL_BYTES_MAX: usize = 2_000;

/// Where the bucket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The bucket.
    pub bucket: String,
    /// What every name begins with, without slashes at its ends; empty for none.
    pub prefix: String,
    /// The region, where it is named.
    pub region: Option<String>,
    /// The address of a server that is not Amazon's.
    pub endpoint: Option<String>,
    /// Whether that server is spoken to without TLS.
    pub plain_http: bool,
    /// The profile to take credentials from.
    pub profile: Option<String>,
}

impl Settings {
    /// Reads the URL; `variable` gives environment variables.
    pub fn read(url: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let parsed = if url.len() > URL_BYTES_MAX { None } else { Url::parse(url).ok() };
        let parsed = parsed.filter(|url| url.scheme() == "s3").ok_or_else(|| wrong("it is no s3:// URL"))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(wrong("credentials do not belong into it")
                .with_help("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, and leave the URL without them"));
        }
        if parsed.port().is_some() || parsed.fragment().is_some() {
            return Err(wrong("a bucket has no port and no fragment"));
        }
        let mut settings = Settings {
            bucket: bucket(parsed.host_str().unwrap_or_default())?,
            prefix: prefix(parsed.path())?,
            region: set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")),
            endpoint: set("AWS_ENDPOINT_URL_S3").or_else(|| set("AWS_ENDPOINT_URL")),
            plain_http: false,
            profile: None,
        };
        let mut plain_allowed = false;
        for (name, value) in parsed.query_pairs() {
            match (&*name, &*value) {
                ("region", value) if !value.is_empty() => settings.region = Some(value.to_owned()),
                ("endpoint", value) if !value.is_empty() => settings.endpoint = Some(value.to_owned()),
                ("profile", value) if !value.is_empty() => settings.profile = Some(value.to_owned()),
                ("allow_http", "true" | "false") => plain_allowed = value == "true",
                _ => return Err(wrong(&format!("it says `{name}`, which is unknown or has no such value"))),
            }
        }
        if let Some(region) = &settings.region
            && !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(wrong("its region, or that of AWS_REGION, is no name of a region"));
        }
        if let Some(text) = settings.endpoint.take() {
            let (endpoint, plain_http) = endpoint(&text, plain_allowed)?;
            (settings.endpoint, settings.plain_http) = (Some(endpoint), plain_http);
        }
        Ok(settings)
    }

    /// For people: the URL without its query, and the server where it is not Amazon's.
    #[must_use]
    pub fn place(&self) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        let url = format!("s3://{}{slash}{}", self.bucket, self.prefix);
        self.endpoint.as_ref().map_or_else(|| url.clone(), |endpoint| format!("{url} at {endpoint}"))
    }
}

fn wrong(why: &str) -> Error {
    let help = "write journal = \"s3://BUCKET/PREFIX\", with ?region=…, ?endpoint=https://… or ?profile=… where they are needed";
    Error::new(Exit::Error, "the URL of the journal is wrong", help).because_text(why)
}

fn bucket(host: &str) -> Result<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if (3..=255).contains(&host.len()) && host.bytes().all(fits) && !host.contains("..") {
        Ok(host.to_owned())
    } else {
        Err(wrong("it names no bucket"))
    }
}

/// The path as S3 will have it: what a URL has escaped stands for itself.
fn prefix(path: &str) -> Result<String> {
    let path = path.trim_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._=".contains(&byte);
    if !path.bytes().all(plain) || path.split('/').any(|part| part == "." || part == "..") || path.contains("//") || path.len() > 300 {
        return Err(wrong("its prefix may hold letters, digits and -._=/ only"));
    }
    Ok(path.to_owned())
}

/// The server's address without anything that follows it, and whether it is plain HTTP.
fn endpoint(text: &str, plain_allowed: bool) -> Result<(String, bool)> {
    let url = Url::parse(text).map_err(|_| wrong("its endpoint, or that of AWS_ENDPOINT_URL, is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("its endpoint may hold a host, a port and a path only"));
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => return Err(wrong("its endpoint names no host")),
    };
    let plain = match url.scheme() {
        "https" => false,
        "http" if loopback || plain_allowed => true,
        "http" => {
            let what = wrong("its endpoint is plain HTTP, over which everybody on the way can read and change the journal");
            return Err(what.with_help("use https://, or say &allow_http=true in the URL of the journal if the way there is safe"));
        }
        _ => return Err(wrong("its endpoint is neither https:// nor http://")),
    };
    Ok((url.as_str().trim_end_matches('/').to_owned(), plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, variables: &[(&str, &str)]) -> Result<Settings> {
        Settings::read(url, &|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_url_wins_over_the_variables() {
        let variables = [("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", "https://a.example"), ("AWS_ENDPOINT_URL_S3", "https://b.example/")];
        let read_all = read("s3://team-journal/switchover/eu/", &variables).unwrap();
        assert_eq!((read_all.bucket.as_str(), read_all.prefix.as_str()), ("team-journal", "switchover/eu"));
        assert_eq!((read_all.region.as_deref(), read_all.endpoint.as_deref()), (Some("eu-west-1"), Some("https://b.example")));
        let named = read("s3://team-journal?region=us-west-2&endpoint=http%3A%2F%2F127.0.0.1%3A5000", &variables).unwrap();
        assert_eq!((named.region.as_deref(), named.endpoint.as_deref()), (Some("us-west-2"), Some("http://127.0.0.1:5000")));
        assert!(named.plain_http && named.prefix.is_empty());
        assert_eq!(named.place(), "s3://team-journal at http://127.0.0.1:5000");
        assert_eq!(read("s3://b-1/x", &[("AWS_DEFAULT_REGION", "r-1"), ("AWS_REGION", "")]).unwrap().region.as_deref(), Some("r-1"));
    }

    #[test]
    fn plain_http_is_for_loopback_or_by_explicit_word() {
        assert!(read("s3://bucket/x?endpoint=http://minio.example:9000", &[]).unwrap_err().help().contains("allow_http"));
        assert!(read("s3://bucket/x", &[("AWS_ENDPOINT_URL", "http://10.0.0.1")]).is_err());
        assert!(read("s3://bucket/x?endpoint=http://minio.example:9000&allow_http=true", &[]).unwrap().plain_http);
        for loopback in ["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1"] {
            assert!(read(&format!("s3://bucket/x?endpoint={loopback}"), &[]).unwrap().plain_http, "{loopback}");
        }
        assert!(read("s3://bucket/x?endpoint=http://localhost.example", &[]).is_err());
    }

    #[test]
    fn what_is_wrong_is_told_without_what_may_be_secret() {
        for url in [
            "s3://AKIA:hunter2@bucket/x",
            "s3://bucket/x?endpoint=https://u:hunter2@h",
            "s3://bucket/x?secret=hunter2",
            "s3://bucket/x?allow_http=hunter2",
            "s3://",
            "s3:///x",
            "s3://bucket:80/x",
            "s3://bucket/a/../../b%2e",
            "s3://bucket/x?region=eu/hunter2",
            "s3://bucket/x?endpoint=ftp://h",
        ] {
            let error = read(url, &[]).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{url}: {error:?}");
        }
        assert!(read(&format!("s3://bucket/{}", "x".repeat(5_000)), &[]).is_err());
    }
}
