//! The resolver against a real name server that serves the twin's zone, and against servers that do not answer.

use std::net::UdpSocket;
use std::time::Duration;

use serde_json::json;
use switchover::world::dns::Batch;
use switchover::world::resolver::{Answer, Resolver};
use switchover::world::{Failure, Readers, Writers};

use crate::live_cloudflare::one_of_each;
use crate::live_world::{cloudflare, world};
use crate::services::nsd::Nsd;
use crate::services::process::free_port;
use crate::services::twin::{TOKEN, Twin};
use crate::services::zone_file;

const ZONE: &str = "gigadb.org";

/// A twin whose every change reaches a real name server a moment later.
fn served() -> Option<(Twin, String)> {
    let nsd = Nsd::start(&[ZONE])?;
    let address = nsd.address();
    let twin = Twin::start(&[ZONE]);
    twin.on_change(move |zone, records| nsd.publish(zone, &zone_file::of(zone, records)));
    Some((twin, address))
}

/// Asks until the answer is as expected; servers are as eventual here as they are anywhere.
async fn eventually(resolver: &dyn Resolver, server: &str, name: &str, rtype: &str, expected: &[String]) {
    let mut last = None;
    for _ in 0..200 {
        let answer = resolver.ask(server, name, rtype).await.unwrap();
        if answer.contents == expected {
            return;
        }
        last = Some(answer);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} {rtype}: {last:?} instead of {expected:?}");
}

#[tokio::test]
async fn what_a_batch_writes_is_what_the_name_server_answers() {
    let Some((twin, server)) = served() else { return };
    let (world, provider) = cloudflare(twin.server.url(""), TOKEN);
    let door = world.dns_writer(&provider).await.unwrap();
    let zone = door.zone(ZONE).await.unwrap().unwrap();
    let posts = one_of_each(ZONE);
    door.batch(&zone.id, &Batch { posts: posts.clone(), ..Batch::default() }).await.unwrap();
    let resolver = world.resolver().await.unwrap();
    for record in &posts {
        eventually(resolver.as_ref(), &server, &record.name, &record.rtype, std::slice::from_ref(&record.content)).await;
    }
}

#[tokio::test]
async fn sets_are_sorted_and_only_of_the_asked_name_and_type() {
    let Some((twin, server)) = served() else { return };
    let record = |rtype: &str, name: &str, content: &str| json!({ "type": rtype, "name": format!("{name}.{ZONE}"), "content": content });
    let long: Vec<_> = (0..30).map(|n| record("TXT", "long", &format!("\"{n:02}{}\"", "x".repeat(100)))).collect();
    let mut records = vec![record("A", "www", "192.0.2.2"), record("A", "www", "192.0.2.1"), record("CNAME", "alias", &format!("www.{ZONE}"))];
    records.extend(long);
    twin.seed(ZONE, &records);
    let resolver = world(&[]).resolver().await.unwrap();
    let addresses = ["192.0.2.1".to_owned(), "192.0.2.2".to_owned()];
    eventually(resolver.as_ref(), &server, &format!("WWW.{ZONE}"), "A", &addresses).await;
    let port = server.rsplit_once(':').unwrap().1;
    eventually(resolver.as_ref(), &format!("localhost:{port}"), &format!("www.{ZONE}."), "A", &addresses).await;
    eventually(resolver.as_ref(), &server, &format!("alias.{ZONE}"), "CNAME", &[format!("www.{ZONE}")]).await;
    eventually(resolver.as_ref(), &server, &format!("alias.{ZONE}"), "A", &[]).await;
    // 3 KB do not fit into a datagram: this one comes over TCP.
    let texts: Vec<String> = (0..30).map(|n| format!("{n:02}{}", "x".repeat(100))).collect();
    eventually(resolver.as_ref(), &server, &format!("long.{ZONE}"), "TXT", &texts).await;
    // The zone's own servers come with every answer; they are the answer only when they are asked for.
    eventually(resolver.as_ref(), &server, ZONE, "NS", &[format!("ns.{ZONE}")]).await;
    eventually(resolver.as_ref(), &server, &format!("www.{ZONE}"), "NS", &[]).await;
    let missing = resolver.ask(&server, &format!("missing.{ZONE}"), "A").await.unwrap();
    assert_eq!(missing, Answer { rcode: "NXDOMAIN".into(), contents: Vec::new() });
    let foreign = resolver.ask(&server, "example.net", "A").await.unwrap();
    assert_eq!(foreign, Answer { rcode: "REFUSED".into(), contents: Vec::new() });
}

#[tokio::test]
async fn no_answer_is_an_error_and_never_an_empty_answer() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent_address = silent.local_addr().unwrap().to_string();
    let babbling = UdpSocket::bind("127.0.0.1:0").unwrap();
    let babbling_address = babbling.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((_, from)) = babbling.recv_from(&mut buffer) {
            drop(babbling.send_to(b"this is no message", from));
        }
    });
    let resolver = world(&[]).resolver().await.unwrap();
    let unknown = Failure::Unknown { retry_after: None };
    for (server, name, rtype, failure, word) in [
        (silent_address.as_str(), "gigadb.org", "A", unknown, "in time"),
        (babbling_address.as_str(), "gigadb.org", "A", unknown, "127.0.0.1"),
        (&format!("127.0.0.1:{}", free_port()), "gigadb.org", "A", Failure::Unreachable, "127.0.0.1"),
        ("no-such-server.invalid", "gigadb.org", "A", Failure::Unreachable, "no-such-server.invalid"),
        ("not a server", "gigadb.org", "A", Failure::Refused, "not a server"),
        (silent_address.as_str(), "gigadb.org", "LOC", Failure::Refused, "LOC"),
        (silent_address.as_str(), &"x".repeat(300), "A", Failure::Refused, "cannot be asked"),
    ] {
        let error = resolver.ask(server, name, rtype).await.unwrap_err();
        assert_eq!((error.call.as_str(), error.failure), ("dns:query", failure), "{error}");
        assert!(error.message.contains(word), "{error}");
    }
}
