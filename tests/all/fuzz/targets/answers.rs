//! Answers of services, through the real doors and a server on this machine that says what the fuzzer wants.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use switchover::model::record::{RecordType, canonical_content};
use switchover::world::dns::{Batch, DnsRead, DnsWrite};
use switchover::world::live::clock::MachineClock;
use switchover::world::live::cloudflare::Cloudflare;
use switchover::world::live::http::HttpLimits;
use switchover::world::live::limiter::Limiter;
use switchover::world::live::resolver::{DnsLimits, NetworkResolver};
use switchover::world::provider::CloudflareProvider;
use switchover::world::resolver::Resolver;

use crate::fuzz::planning::now;
use crate::fuzz::{oracle, server};

/// Statuses that the first byte chooses from.
const STATUSES: [u16; 8] = [200, 200, 200, 400, 403, 429, 500, 301];

/// What Cloudflare answers to the question for a zone, to that for its records, and to a batch.
pub fn cloudflare(bytes: &[u8]) {
    static DOOR: OnceLock<(server::Http, Cloudflare)> = OnceLock::new();
    let (server, door) = DOOR.get_or_init(|| {
        let server = server::Http::start();
        let provider = CloudflareProvider {
            name: "cloudflare".into(),
            api_token: None,
            base_url: Some(format!("{}/client/v4", server.url())),
            max_batch: 200,
            allow_plain_http: false,
        };
        let budget = Arc::new(Limiter::new(usize::MAX / 2, Duration::from_millis(1)));
        let door = Cloudflare::open(&provider, "xyzzy", HttpLimits::default(), budget, Arc::new(MachineClock::new())).unwrap();
        (server, door)
    });
    let (first, body) = bytes.split_first().unwrap_or((&0, &[]));
    server.answer(STATUSES[usize::from(*first) % STATUSES.len()], body);
    now(async {
        let _ = door.zone("gigadb.org").await.map_err(|why| oracle::call_error(&why));
        match door.records("z1").await {
            Ok(records) => {
                for record in records {
                    let known: Option<RecordType> = record.rtype.parse().ok();
                    let _ = known.map(|rtype| canonical_content(rtype, &record.content));
                }
            }
            Err(why) => oracle::call_error(&why),
        }
        let _ = door.batch("z1", &Batch::default()).await.map_err(|why| oracle::call_error(&why));
    });
}

/// What a name server answers: the first byte chooses the type that is asked for, the rest is the message.
pub fn dns(bytes: &[u8]) {
    static DOOR: OnceLock<(server::Udp, NetworkResolver)> = OnceLock::new();
    const TYPES: [&str; 16] = ["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "URI"];
    let (server, door) = DOOR.get_or_init(|| {
        let limits = DnsLimits { udp: Duration::from_secs(5), udp_attempts: 1, tcp: Duration::from_secs(5) };
        (server::Udp::start(), NetworkResolver::new(limits, 7))
    });
    let (first, message) = bytes.split_first().unwrap_or((&0, &[]));
    server.answer(message);
    match now(door.ask(&server.address(), "a.example.org", TYPES[usize::from(*first) % TYPES.len()])) {
        Ok(answer) => assert!(answer.contents.is_sorted() && !answer.rcode.is_empty(), "{answer:?}"),
        Err(why) => oracle::call_error(&why),
    }
}
