//! Zones, batches, and what name servers answer meanwhile.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::world::dns::{Batch, DnsWrite, NewRecord, Patch, Record};
use crate::world::provider::CloudflareProvider;
use crate::world::resolver::Resolver;
use crate::world::sim::tests::support::{base, hook, open, seconds, world_with};
use crate::world::sim::{Fault, SimWorld};
use crate::world::{CallResult, Failure, Readers, Writers};

struct Scene {
    world: Arc<SimWorld>,
    dns: Arc<dyn DnsWrite>,
    resolver: Arc<dyn Resolver>,
}

async fn scene_of(world: Arc<SimWorld>) -> Scene {
    let provider = CloudflareProvider { name: "cloudflare".to_owned(), api_token: None, base_url: None, allow_plain_http: false, max_batch: 200 };
    let (dns, resolver) = (world.dns_writer(&provider).await.unwrap(), world.resolver().await.unwrap());
    Scene { world, dns, resolver }
}

async fn scene() -> Scene {
    scene_of(open(&base())).await
}

impl Scene {
    async fn send(&self, batch: &Batch) -> CallResult<()> {
        self.dns.batch("z1", batch).await
    }

    async fn record(&self, id: &str) -> Option<Record> {
        self.dns.records("z1").await.unwrap().into_iter().find(|record| record.id == id)
    }

    async fn ask(&self, server: &str, name: &str, rtype: &str) -> String {
        match self.resolver.ask(server, name, rtype).await {
            Ok(answer) => format!("{} {}", answer.rcode, answer.contents.join(",")).trim_end().to_owned(),
            Err(error) => format!("{:?}", error.failure),
        }
    }
}

fn patch(id: &str, name: &str, rtype: &str, content: &str) -> Patch {
    let (name, rtype, content) = (name.to_owned(), rtype.to_owned(), content.to_owned());
    Patch { id: id.to_owned(), name, rtype, content, ttl: None, proxied: None, comment: None, tags: None }
}

fn post(name: &str, rtype: &str, content: &str) -> NewRecord {
    NewRecord {
        name: name.to_owned(),
        rtype: rtype.to_owned(),
        content: content.to_owned(),
        ttl: 300,
        proxied: false,
        comment: None,
        tags: Vec::new(),
    }
}

fn patches(patches: Vec<Patch>) -> Batch {
    Batch { patches, ..Batch::default() }
}

fn posts(posts: Vec<NewRecord>) -> Batch {
    Batch { posts, ..Batch::default() }
}

fn deletes(ids: &[&str]) -> Batch {
    Batch { deletes: ids.iter().map(|id| (*id).to_owned()).collect(), ..Batch::default() }
}

fn code(result: CallResult<()>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.failure, Failure::Refused);
    error.code.unwrap_or_default()
}

#[tokio::test]
async fn zones_are_found_by_name() {
    let s = scene().await;
    let zone = s.dns.zone("example.org").await.unwrap().unwrap();
    assert_eq!((zone.id.as_str(), zone.name_servers.len()), ("z1", 2));
    assert_eq!(s.dns.zone("example.com").await.unwrap(), None);
    assert_eq!(s.dns.records("z9").await.unwrap_err().failure, Failure::NotFound);
}

#[tokio::test]
async fn a_patch_keeps_the_id_and_all_it_does_not_name() {
    let s = scene().await;
    s.send(&patches(vec![patch("r1", "example.org", "A", "203.0.113.9")])).await.unwrap();
    let record = s.record("r1").await.unwrap();
    assert_eq!((record.content.as_str(), record.ttl, record.comment.as_deref()), ("203.0.113.9", 300, Some("kept")));
    s.send(&patches(vec![Patch { comment: Some(String::new()), ttl: Some(60), ..patch("r1", "example.org", "AAAA", "2001:DB8::1") }])).await.unwrap();
    let record = s.record("r1").await.unwrap();
    assert_eq!((record.rtype.as_str(), record.content.as_str(), record.ttl, record.comment), ("AAAA", "2001:db8::1", 60, None));
    assert_eq!(s.world.snapshot().pointer("/cloudflare/zones/z1/records/r1/modified"), Some(&json!("2026-11-05T09:00:00Z")));
}

#[tokio::test]
async fn deletes_come_before_patches_and_patches_before_posts() {
    let s = scene().await;
    let mut batch = deletes(&["r3"]);
    batch.patches.push(patch("r2", "www.example.org", "A", "203.0.113.2"));
    batch.posts.push(post("files.example.org", "CNAME", "www.example.org"));
    s.send(&batch).await.unwrap();
    let mut names: Vec<String> = s.dns.records("z1").await.unwrap().into_iter().map(|record| format!("{} {}", record.name, record.rtype)).collect();
    names.sort();
    assert_eq!(names, ["*.wild.example.org A", "example.org A", "files.example.org CNAME", "shop.example.org A", "www.example.org A"]);
}

#[tokio::test]
async fn the_first_error_undoes_the_whole_batch() {
    let s = scene().await;
    let before = s.dns.records("z1").await.unwrap();
    let mut batch = deletes(&["r3"]);
    batch.patches.push(patch("r1", "moved.example.org", "A", "203.0.113.9"));
    batch.posts.push(post("files.example.org", "A", "203.0.113.2"));
    assert_eq!(code(s.send(&batch).await), "81058");
    assert_eq!(s.dns.records("z1").await.unwrap(), before);
    assert_eq!(s.ask("ns", "www.example.org", "CNAME").await, "NOERROR example.org");
    assert_eq!(s.ask("ns", "moved.example.org", "A").await, "NXDOMAIN");
}

#[tokio::test]
async fn what_cannot_stand_in_a_zone_is_refused_with_its_code() {
    let s = scene().await;
    for (batch, expected) in [
        (deletes(&["none"]), "81044"),
        (patches(vec![patch("none", "example.org", "A", "203.0.113.9")]), "81044"),
        (patches(vec![patch("r2", "example.org", "A", "203.0.113.1")]), "81058"),
        (posts(vec![post("example.org", "CNAME", "example.net")]), "81053"),
        (posts(vec![post("www.example.org", "TXT", "x")]), "81054"),
        (posts(vec![post("new.example.org", "A", "none")]), "9005"),
        (posts(vec![post("new.example.org", "LOC", "x")]), "9004"),
        (posts(vec![NewRecord { ttl: 59, ..post("new.example.org", "A", "203.0.113.9") }]), "9021"),
        (posts(vec![NewRecord { proxied: true, ..post("new.example.org", "TXT", "x") }]), "9004"),
        (posts(vec![post("example.com", "A", "203.0.113.9")]), ""),
        (posts((0..201).map(|n| post(&format!("n{n}.example.org"), "TXT", "x")).collect()), ""),
    ] {
        assert_eq!(code(s.send(&batch).await), expected, "{batch:?}");
    }
}

#[tokio::test]
async fn paid_plans_take_larger_batches() {
    let s = scene_of(world_with("/cloudflare/zones/z1/plan", json!("pro"))).await;
    s.send(&posts((0..3_500).map(|n| post(&format!("n{n}.example.org"), "TXT", "x")).collect())).await.unwrap();
    assert_eq!(s.dns.records("z1").await.unwrap().len(), 3_505);
}

#[tokio::test]
async fn each_server_takes_over_a_change_in_its_own_time() {
    let s = scene().await;
    s.send(&patches(vec![patch("r1", "example.org", "A", "203.0.113.9")])).await.unwrap();
    s.send(&patches(vec![patch("r1", "example.org", "A", "203.0.113.10")])).await.unwrap();
    let both =
        async || [s.ask("ns1.example.net:53", "example.org", "A").await, s.ask("NS2.example.net".to_lowercase().as_str(), "example.org.", "a").await];
    let (old, new) = ("NOERROR 203.0.113.1", "NOERROR 203.0.113.10");
    assert_eq!(both().await, [old, old]);
    s.world.advance(seconds(2));
    assert_eq!(both().await, [new, old]);
    s.world.advance(seconds(8));
    assert_eq!(both().await, [new, new]);
    assert_eq!(s.world.snapshot().pointer("/cloudflare/zones/z1/changes"), None, "what no server needs is not kept");
}

#[tokio::test]
async fn answers_are_those_of_a_real_server() {
    let s = scene().await;
    for (name, rtype, expected) in [
        ("files.example.org", "A", "NOERROR 203.0.113.2"),
        ("files.example.org", "AAAA", "NOERROR"),
        ("none.example.org", "A", "NXDOMAIN"),
        ("www.example.org", "CNAME", "NOERROR example.org"),
        ("a.wild.example.org", "A", "NOERROR 203.0.113.4"),
        ("a.b.wild.example.org", "A", "NOERROR 203.0.113.4"),
        ("a.wild.example.org", "TXT", "NOERROR"),
        ("wild.example.org", "A", "NOERROR"),
        ("shop.example.org", "A", "NOERROR 104.16.0.1,104.16.0.2"),
        ("example.org", "NS", "NOERROR ns1.example.net,ns2.example.net"),
        ("example.com", "A", "REFUSED"),
    ] {
        assert_eq!(s.ask("192.0.2.53:53", name, rtype).await, expected, "{name} {rtype}");
    }
    assert_eq!(s.ask("192.0.2.1:53", "example.org", "A").await, "Unknown { retry_after: None }");
}

#[tokio::test]
async fn readers_can_see_a_batch_late() {
    let s = scene().await;
    hook(&s.world, "cloudflare:batch", Fault::LateVisibility { seconds: 30 });
    let before = s.dns.records("z1").await.unwrap();
    let mut batch = deletes(&["r3"]);
    batch.patches.push(patch("r1", "moved.example.org", "A", "203.0.113.9"));
    batch.posts.push(post("new.example.org", "TXT", "x"));
    s.send(&batch).await.unwrap();
    assert_eq!(s.dns.records("z1").await.unwrap(), before);
    s.world.advance(seconds(15));
    assert_eq!(s.dns.records("z1").await.unwrap(), before);
    s.world.advance(seconds(15));
    let after = s.dns.records("z1").await.unwrap();
    assert!(after.len() == 5 && after != before);
}

#[tokio::test]
async fn a_large_zone_stays_cheap() {
    let records: serde_json::Map<_, _> = (0..100_000)
        .map(|n| (format!("r{n}"), json!({"name": format!("n{n}.big.org"), "type": "A", "content": "203.0.113.1", "ttl": 300})))
        .collect();
    let s = scene_of(world_with("/cloudflare/zones/z1", json!({"name": "big.org", "plan": "pro", "records": records}))).await;
    let started = std::time::Instant::now();
    for round in 0..1_000 {
        let name = format!("n{}.big.org", round * 7);
        s.send(&patches(vec![patch(&format!("r{}", round * 7), &name, "A", "203.0.113.2")])).await.unwrap();
        assert_eq!(s.ask("ns9", &name, "A").await, "NOERROR 203.0.113.2");
        s.world.advance(seconds(1));
    }
    // A pass over the whole zone for every call would take minutes.
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}
