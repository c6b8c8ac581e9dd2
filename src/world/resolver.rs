//! Questions to name servers over DNS.

use async_trait::async_trait;

use super::CallResult;

/// What one server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `NOERROR`, `NXDOMAIN`, `SERVFAIL`, …
    pub rcode: String,
    /// The contents of the records of the asked name and type, canonical (`model::record::canonical_content`), sorted.
    pub contents: Vec<String>,
}

/// Reading.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// Asks `server` (`192.0.2.53:53`, `[2001:db8::1]:53`, or a host name with or without a port) for `name` and `rtype`, recursion
    /// not desired. UDP first, TCP when truncated. No answer in time is an error, not an empty answer.
    async fn ask(&self, server: &str, name: &str, rtype: &str) -> CallResult<Answer>;
}
