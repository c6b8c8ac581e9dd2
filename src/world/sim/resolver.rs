//! Name servers, simulated: each is behind by its own lag, so a change is seen here and not yet there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::cloudflare::{SimRecord, SimZone, within};
use super::core::{Core, Work};
use crate::model::record::canonical_name;
use crate::model::time::Timestamp;
use crate::world::resolver::{Answer, Resolver};
use crate::world::{CallError, CallResult, Failure};

/// What Cloudflare's proxy answers with instead of the origin's addresses.
const PROXY_V4: [&str; 2] = ["104.16.0.1", "104.16.0.2"];
const PROXY_V6: [&str; 2] = ["2606:4700::6810:1", "2606:4700::6810:2"];

/// The door.
pub(super) struct ResolverDoor(pub(super) Arc<Core>);

#[async_trait]
impl Resolver for ResolverDoor {
    async fn ask(&self, server: &str, name: &str, rtype: &str) -> CallResult<Answer> {
        self.0.call("dns:query", format!("{server} {name} {rtype}"), false, |work| answer(work, server, name, rtype)).await
    }
}

/// A server without its port: `192.0.2.53:53`, `[2001:db8::1]:53`, `ns.example`.
fn host(server: &str) -> &str {
    if let Some((inside, _)) = server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside;
    }
    match server.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => server,
    }
}

fn answer(work: &mut Work<'_>, server: &str, name: &str, rtype: &str) -> CallResult<Answer> {
    let Some(lag) = work.state.dns.lag(host(server).trim_end_matches('.')) else {
        return Err(CallError::new(work.call, Failure::Unknown { retry_after: None }, format!("{server} did not answer in time")));
    };
    let name = canonical_name(name).map_err(|why| CallError::new(work.call, Failure::Refused, why))?;
    let rtype = rtype.to_ascii_uppercase();
    let zones = work.state.cloudflare.zones.values().filter(|zone| within(&name, &zone.name));
    let Some(zone) = zones.max_by_key(|zone| zone.name.len()) else {
        return Ok(Answer { rcode: "REFUSED".to_owned(), contents: Vec::new() });
    };
    let (now, lag) = (work.now(), Duration::from_secs(lag));
    let (found, exists) = matching(zone, &name, now, lag);
    let mut contents: BTreeSet<String> = found.iter().flat_map(|record| contents(record, &rtype)).collect();
    if name == zone.name && rtype == "NS" {
        contents.extend(zone.name_servers.iter().cloned());
    }
    let rcode = if exists { "NOERROR" } else { "NXDOMAIN" };
    Ok(Answer { rcode: rcode.to_owned(), contents: contents.into_iter().collect() })
}

/// The records that answer for a name, its own or a wildcard's, and whether there is such a name.
fn matching(zone: &SimZone, name: &str, now: Timestamp, lag: Duration) -> (Vec<SimRecord>, bool) {
    let own = zone.named_at(name, now, lag);
    if !own.is_empty() || name == zone.name || zone.exists_at(name, now, lag) {
        return (own, true);
    }
    let mut ancestor = name;
    while let Some((_, parent)) = ancestor.split_once('.').filter(|(_, parent)| within(parent, &zone.name)) {
        let wild = zone.named_at(&format!("*.{parent}"), now, lag);
        if !wild.is_empty() {
            return (wild, true);
        }
        // A wildcard covers nothing below a name that is there. The zone's own name always is, and all of a large zone lies below it.
        if parent == zone.name || zone.exists_at(parent, now, lag) {
            break;
        }
        ancestor = parent;
    }
    (Vec::new(), false)
}

fn contents(record: &SimRecord, rtype: &str) -> Vec<String> {
    let proxied = |addresses: [&str; 2]| addresses.map(str::to_owned).to_vec();
    match (record.proxied, rtype) {
        // A proxied name has both families, whatever the origin has, and shows no CNAME.
        (true, "A") => proxied(PROXY_V4),
        (true, "AAAA") => proxied(PROXY_V6),
        (false, _) if record.rtype == rtype => vec![record.content.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_with_and_without_port() {
        for (server, expected) in [
            ("192.0.2.53:53", "192.0.2.53"),
            ("[2001:db8::1]:53", "2001:db8::1"),
            ("ns.example:53", "ns.example"),
            ("ns.example", "ns.example"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(host(server), expected);
        }
    }
}
