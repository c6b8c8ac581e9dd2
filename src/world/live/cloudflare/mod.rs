//! Cloudflare's DNS over its API v4: zones by name, all records of a zone, batches.

mod envelope;
mod fields;
mod pages;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Map, json};

use super::http::{Answer, HttpDoor, HttpLimits, Request};
use super::limiter::Limiter;
use crate::model::Json;
use crate::model::record::canonical_name;
use crate::world::dns::{Batch, DnsRead, DnsWrite, NewRecord, Patch, Record, Zone};
use crate::world::provider::CloudflareProvider;
use crate::world::{CallError, CallResult, Clock, Failure};

const ZONES: &str = "cloudflare:zones";
const RECORDS: &str = "cloudflare:records";
const BATCH: &str = "cloudflare:batch";

/// Cloudflare's own endpoint.
const BASE_URL: &str = "https://api.cloudflare.com/client/v4";
/// Cloudflare takes 1,200 calls in five minutes from a user, dashboard and other jobs included: these leave some for them.
const CALLS: usize = 1_100;
const CALLS_WINDOW: Duration = Duration::from_mins(5);
/// Calls that reads leave for writes: the way back must not be locked out by looking.
const CALLS_FOR_WRITES: usize = 100;

/// The rate budget of one account.
#[must_use]
pub fn budget() -> Limiter {
    Limiter::new(CALLS, CALLS_WINDOW)
}

/// Cloudflare's DNS with one token.
pub struct Cloudflare {
    http: HttpDoor,
    base: Url,
}

#[derive(Deserialize)]
struct ApiZone {
    id: String,
    name: String,
    #[serde(default)]
    name_servers: Vec<String>,
}

impl Cloudflare {
    /// Opens the door of a provider whose token has been resolved. Nothing is sent yet.
    ///
    /// # Errors
    /// `Refused` for a `base_url` that is none, `Denied` for a token that cannot be one.
    pub fn open(provider: &CloudflareProvider, token: &str, limits: HttpLimits, limiter: Arc<Limiter>, clock: Arc<dyn Clock>) -> CallResult<Self> {
        let text = provider.base_url.as_deref().unwrap_or(BASE_URL).trim_end_matches('/');
        let base: Url = text
            .parse()
            .ok()
            .filter(|url: &Url| url.has_host())
            .ok_or_else(|| CallError::new(ZONES, Failure::Refused, format!("the base_url of {} is not a URL with a host", provider.name)))?;
        if token.trim().is_empty() {
            return Err(CallError::new(ZONES, Failure::Denied, format!("the api_token of {} is empty", provider.name)));
        }
        let http = HttpDoor::open(ZONES, &base, vec![token.trim().to_owned()], (true, provider.allow_plain_http), limits, clock)?;
        Ok(Cloudflare { http: http.limited(limiter), base })
    }

    /// The URL of a path below the base, its segments escaped.
    fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn get(&self, call: &str, segments: &[&str], query: &[(&str, &str)]) -> CallResult<Answer> {
        let request = Request { call, method: Method::GET, url: self.url(segments, query), body: None, reserve: CALLS_FOR_WRITES };
        self.http.send(request).await
    }
}

#[async_trait]
impl DnsRead for Cloudflare {
    async fn zone(&self, name: &str) -> CallResult<Option<Zone>> {
        let answer = self.get(ZONES, &["zones"], &[("name", name), ("per_page", "50")]).await?;
        let page: envelope::Page<ApiZone> = envelope::page(&self.http, ZONES, &answer)?;
        let same = |zone: &ApiZone| canonical_name(&zone.name).is_ok_and(|found| found == name);
        let mut found: Vec<ApiZone> = page.result.into_iter().filter(same).collect();
        if found.len() > 1 {
            let ids: Vec<&str> = found.iter().map(|zone| zone.id.as_str()).collect();
            let why = format!("the token sees {} zones called {name} ({}): use one of a single account", ids.len(), ids.join(", "));
            return Err(self.http.error(ZONES, Failure::Refused, &why));
        }
        Ok(found.pop().map(|zone| Zone { id: zone.id, name: name.to_owned(), name_servers: zone.name_servers }))
    }

    async fn records(&self, zone_id: &str) -> CallResult<Vec<Record>> {
        pages::all_records(self, zone_id).await
    }
}

#[async_trait]
impl DnsWrite for Cloudflare {
    async fn batch(&self, zone_id: &str, batch: &Batch) -> CallResult<()> {
        let body = batch_body(batch).map_err(|why| self.http.error(BATCH, Failure::Refused, &why))?;
        let url = self.url(&["zones", zone_id, "dns_records", "batch"], &[]);
        let request = Request { call: BATCH, method: Method::POST, url, body: Some(body.to_string().into_bytes()), reserve: 0 };
        let answer = self.http.send(request).await?;
        envelope::check(&self.http, BATCH, &answer)
    }
}

/// The body of a batch call; lists without entries are left out.
fn batch_body(batch: &Batch) -> Result<Json, String> {
    let mut body = Map::new();
    let mut list = |name: &str, entries: Vec<Json>| {
        if !entries.is_empty() {
            body.insert(name.to_owned(), entries.into());
        }
    };
    list("deletes", batch.deletes.iter().map(|id| json!({ "id": id })).collect());
    list("patches", batch.patches.iter().map(patch_body).collect::<Result<_, _>>()?);
    list("posts", batch.posts.iter().map(post_body).collect::<Result<_, _>>()?);
    Ok(body.into())
}

/// Id, type, name and the answer; what else is not named stays as it is, so nothing else is sent.
fn patch_body(patch: &Patch) -> Result<Json, String> {
    let Patch { id, name, rtype, content, ttl, proxied, comment, tags } = patch;
    let mut body = fields::to_fields(rtype, content)?;
    body.extend([("id".to_owned(), json!(id)), ("type".to_owned(), json!(rtype)), ("name".to_owned(), json!(name))]);
    let options = [
        ("ttl", ttl.map(Json::from)),
        ("proxied", proxied.map(Json::from)),
        ("comment", comment.as_deref().map(Json::from)),
        ("tags", tags.clone().map(Json::from)),
    ];
    body.extend(options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(body.into())
}

fn post_body(record: &NewRecord) -> Result<Json, String> {
    let NewRecord { name, rtype, content, ttl, proxied, comment, tags } = record;
    let mut body = fields::to_fields(rtype, content)?;
    body.extend([("type".to_owned(), json!(rtype)), ("name".to_owned(), json!(name)), ("ttl".to_owned(), json!(ttl))]);
    if fields::can_be_proxied(rtype) {
        body.insert("proxied".to_owned(), json!(proxied));
    }
    if let Some(comment) = comment {
        body.insert("comment".to_owned(), json!(comment));
    }
    // Tags need a paid plan: an empty list is not sent, lest the whole batch be refused for it.
    if !tags.is_empty() {
        body.insert("tags".to_owned(), json!(tags));
    }
    Ok(body.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_sends_what_is_named_and_nothing_else() {
        let mut patch = Patch {
            id: "r1".into(),
            name: "gigadb.org".into(),
            rtype: "A".into(),
            content: "192.0.2.1".into(),
            ttl: None,
            proxied: None,
            comment: None,
            tags: None,
        };
        let bare = json!({ "id": "r1", "type": "A", "name": "gigadb.org", "content": "192.0.2.1" });
        assert_eq!(patch_body(&patch), Ok(bare));
        (patch.ttl, patch.comment) = (Some(300), Some(String::new()));
        let more = json!({ "id": "r1", "type": "A", "name": "gigadb.org", "content": "192.0.2.1", "ttl": 300, "comment": "" });
        assert_eq!(patch_body(&patch), Ok(more));
    }

    #[test]
    fn a_batch_has_only_lists_that_hold_something() {
        let post = NewRecord {
            name: "gigadb.org".into(),
            rtype: "MX".into(),
            content: "10 mail.example.org".into(),
            ttl: 1,
            proxied: false,
            comment: None,
            tags: Vec::new(),
        };
        let batch = Batch { deletes: vec!["d1".into()], patches: Vec::new(), posts: vec![post] };
        let expected = json!({
            "deletes": [{ "id": "d1" }],
            "posts": [{ "type": "MX", "name": "gigadb.org", "content": "mail.example.org", "priority": 10, "ttl": 1 }],
        });
        assert_eq!(batch_body(&batch), Ok(expected));
        assert_eq!(batch_body(&Batch::default()), Ok(json!({})));
    }
}
