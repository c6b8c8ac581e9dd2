//! Cloudflare's DNS as the tool sees it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::CallResult;

/// One zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Cloudflare's id.
    pub id: String,
    /// Canonical name.
    pub name: String,
    /// Host names of its authoritative servers.
    pub name_servers: Vec<String>,
}

/// One record. Type is a word, since a zone may hold types that cannot be declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Cloudflare's id.
    pub id: String,
    /// Canonical name.
    pub name: String,
    /// `A`, `MX`, …
    #[serde(rename = "type")]
    pub rtype: String,
    /// In canonical presentation form (`model::record::canonical_content`), priority and all: `10 mail.example.org`.
    pub content: String,
    /// Seconds; 1 is automatic.
    pub ttl: u32,
    /// Whether Cloudflare's proxy answers for it.
    pub proxied: bool,
    /// Free text; none when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `name:value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// A record to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRecord {
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// In canonical presentation form.
    pub content: String,
    /// Canonical name.
    pub name: String,
    /// Whether Cloudflare's proxy shall answer for it.
    pub proxied: bool,
    /// `name:value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Seconds; 1 is automatic.
    pub ttl: u32,
    /// `A`, `MX`, …
    #[serde(rename = "type")]
    pub rtype: String,
}

/// A change of one record that keeps its id. Type and name are always sent (the vendor's description wants them); what is
/// `None` is not sent and stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// Its comment, from now on; empty text removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its content, from now on, in canonical presentation form.
    pub content: String,
    /// Which.
    pub id: String,
    /// Its name (canonical).
    pub name: String,
    /// Proxied or not, from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxied: Option<bool>,
    /// All its tags, from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Its TTL, from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
    /// Its type, from now on.
    #[serde(rename = "type")]
    pub rtype: String,
}

/// One call, one transaction: executed in this order, all or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Ids to be removed.
    pub deletes: Vec<String>,
    /// Records to be changed.
    pub patches: Vec<Patch>,
    /// Records to be made.
    pub posts: Vec<NewRecord>,
}

/// Reading.
#[async_trait]
pub trait DnsRead: Send + Sync {
    /// The zone of that canonical name; `None` when the token sees no such zone.
    async fn zone(&self, name: &str) -> CallResult<Option<Zone>>;
    /// All records of a zone, all pages, in no order.
    async fn records(&self, zone_id: &str) -> CallResult<Vec<Record>>;
}

/// Writing.
#[async_trait]
pub trait DnsWrite: DnsRead {
    /// Sends one batch.
    async fn batch(&self, zone_id: &str, batch: &Batch) -> CallResult<()>;
}
