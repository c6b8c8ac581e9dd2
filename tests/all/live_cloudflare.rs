//! The Cloudflare door against a stateful twin, held to the vendor's description by prism.

use std::sync::LazyLock;

use serde_json::{Value, json};
use switchover::world::dns::{Batch, DnsWrite, NewRecord, Patch, Record};
use switchover::world::{Failure, Writers};

use crate::live_world::cloudflare;
use crate::services::prism::Prism;
use crate::services::twin::{TOKEN, Twin};

/// One twin behind one prism, a zone a test.
static CONTRACT: LazyLock<Option<(Twin, Prism)>> = LazyLock::new(|| {
    let twin = Twin::start(&["types.example.org", "swap.example.org"]);
    let prism = Prism::proxy("cloudflare-dns.json", &twin.server.url(""))?;
    Some((twin, prism))
});

fn post(rtype: &str, name: &str, content: &str) -> NewRecord {
    NewRecord { name: name.into(), rtype: rtype.into(), content: content.into(), ttl: 300, proxied: false, comment: None, tags: Vec::new() }
}

fn patch(record: &Record, content: &str) -> Patch {
    let (id, name, rtype) = (record.id.clone(), record.name.clone(), record.rtype.clone());
    Patch { id, name, rtype, content: content.into(), ttl: None, proxied: None, comment: None, tags: None }
}

/// One of every type that can be declared, in canonical form.
pub fn one_of_each(zone: &str) -> Vec<NewRecord> {
    let long = "v=DKIM1; p=".to_owned() + &"k".repeat(400);
    [
        ("A", "a", "192.0.2.1"),
        ("AAAA", "aaaa", "2001:db8::1"),
        ("CAA", "caa", "0 issue \"letsencrypt.org\""),
        ("CNAME", "cname", "gigadb.example.net"),
        ("DS", "ds", "4660 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
        ("HTTPS", "https", "1 svc.example.net alpn=\"h3,h2\""),
        ("MX", "mx", "10 mail.example.net"),
        ("NAPTR", "naptr", "100 10 \"S\" \"SIP+D2U\" \"\" sip.example.net"),
        ("NS", "ns-of", "ns.example.net"),
        ("PTR", "ptr", "host.example.net"),
        ("SRV", "srv", "1 2 5060 sip.example.net"),
        ("SSHFP", "sshfp", "4 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
        ("SVCB", "svcb", "1 svc.example.net port=\"8443\""),
        ("TLSA", "tlsa", "3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
        ("TXT", "txt", long.as_str()),
        ("URI", "uri", "10 1 \"https://example.net/\""),
    ]
    .map(|(rtype, label, content)| {
        let known = rtype.parse().unwrap();
        post(rtype, &format!("{label}.{zone}"), &switchover::model::record::canonical_content(known, content).unwrap())
    })
    .into()
}

/// Type, name, content of a zone, sorted.
async fn answers(door: &dyn DnsWrite, zone_id: &str) -> Vec<(String, String, String)> {
    let records = door.records(zone_id).await.unwrap();
    let mut answers: Vec<_> = records.into_iter().map(|record| (record.rtype, record.name, record.content)).collect();
    answers.sort();
    answers
}

#[tokio::test]
async fn every_type_is_made_and_read_back_within_the_vendors_description() {
    let Some((_, prism)) = CONTRACT.as_ref() else { return };
    let (world, provider) = cloudflare(format!("http://127.0.0.1:{}", prism.port), TOKEN);
    let door = world.dns_writer(&provider).await.unwrap();
    let zone = door.zone("types.example.org").await.unwrap().unwrap();
    assert_eq!(zone.name_servers, ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"]);
    assert_eq!(door.zone("other.example.org").await.unwrap(), None);

    let posts = one_of_each("types.example.org");
    let mut expected: Vec<_> = posts.iter().map(|new| (new.rtype.clone(), new.name.clone(), new.content.clone())).collect();
    expected.sort();
    door.batch(&zone.id, &Batch { posts, ..Batch::default() }).await.unwrap();
    assert_eq!(answers(door.as_ref(), &zone.id).await, expected);

    // A patch of every record with what it is already: each type's patch is within the description, too.
    let records = door.records(&zone.id).await.unwrap();
    let patches = records.iter().map(|record| patch(record, &record.content)).collect();
    door.batch(&zone.id, &Batch { patches, ..Batch::default() }).await.unwrap();
    assert_eq!(door.records(&zone.id).await.unwrap(), records);

    let deletes = records.iter().map(|record| record.id.clone()).collect();
    door.batch(&zone.id, &Batch { deletes, ..Batch::default() }).await.unwrap();
    assert_eq!(answers(door.as_ref(), &zone.id).await, []);
}

#[tokio::test]
async fn a_patch_changes_the_answer_and_leaves_everything_else() {
    let Some((twin, prism)) = CONTRACT.as_ref() else { return };
    let (world, provider) = cloudflare(format!("http://127.0.0.1:{}", prism.port), TOKEN);
    twin.seed(
        "swap.example.org",
        &[json!({ "type": "A", "name": "swap.example.org", "content": "192.0.2.1", "ttl": 120, "proxied": true, "comment": "by hand", "tags": ["a:b"] })],
    );
    let door = world.dns_writer(&provider).await.unwrap();
    let zone = door.zone("swap.example.org").await.unwrap().unwrap();
    let before = door.records(&zone.id).await.unwrap().remove(0);
    door.batch(&zone.id, &Batch { patches: vec![patch(&before, "192.0.2.2")], ..Batch::default() }).await.unwrap();
    let after = door.records(&zone.id).await.unwrap().remove(0);
    assert_eq!(after, Record { content: "192.0.2.2".into(), ..before });
    let sent = twin.server.requests().into_iter().filter(|request| request.path.ends_with("batch"));
    let bodies = sent.map(|request| serde_json::from_slice::<Value>(&request.body).unwrap());
    let ours = bodies.into_iter().find(|body| body["patches"][0]["name"] == "swap.example.org").unwrap();
    assert_eq!(ours, json!({ "patches": [{ "id": after.id, "type": "A", "name": "swap.example.org", "content": "192.0.2.2" }] }));
}

#[tokio::test]
async fn what_the_description_forbids_does_not_reach_the_twin() {
    let Some((twin, prism)) = CONTRACT.as_ref() else { return };
    let (world, provider) = cloudflare(format!("http://127.0.0.1:{}", prism.port), TOKEN);
    let door = world.dns_writer(&provider).await.unwrap();
    let short = NewRecord { ttl: 5, ..post("A", "ttl-of-five.example.org", "192.0.2.1") };
    let error = door.batch("any-zone", &Batch { posts: vec![short], ..Batch::default() }).await.unwrap_err();
    // The service itself answers 400; prism says 422, and in an envelope without words.
    assert_eq!((error.failure, error.code.as_deref()), (Failure::Refused, Some("422")), "{error}");
    assert!(!twin.server.requests().iter().any(|request| request.path.contains("any-zone")));
}

#[tokio::test]
async fn a_wrong_token_is_denied_through_the_vendors_description_too() {
    let Some((_, prism)) = CONTRACT.as_ref() else { return };
    for (token, code) in [("planted-wrong-token-42", "9109"), ("short", "6003")] {
        let (world, provider) = cloudflare(format!("http://127.0.0.1:{}", prism.port), token);
        let door = world.dns_writer(&provider).await.unwrap();
        let error = door.zone("swap.example.org").await.unwrap_err();
        assert_eq!((error.failure, error.code.as_deref()), (Failure::Denied, Some(code)), "{error}");
        assert!(!error.to_string().contains(token), "{error}");
    }
}

#[tokio::test]
async fn all_pages_are_read_whatever_their_size() {
    let twin = Twin::start(&["example.org"]);
    let records: Vec<Value> = (0..50).map(|n| json!({ "type": "A", "name": format!("h{n}.example.org"), "content": "192.0.2.1" })).collect();
    twin.seed("example.org", &records);
    twin.limit_pages(7);
    let (world, provider) = cloudflare(twin.server.url("/client/v4/"), TOKEN);
    let door = world.dns_writer(&provider).await.unwrap();
    let zone = door.zone("example.org").await.unwrap().unwrap();
    assert_eq!(door.records(&zone.id).await.unwrap().len(), 50);
    let pages = twin.server.requests().iter().filter(|request| request.path.ends_with("/dns_records")).count();
    assert_eq!(pages, 8 + 7, "pages, and the edges between them");
}

#[tokio::test]
async fn a_batch_happens_as_a_whole_or_not_at_all() {
    let twin = Twin::start(&["example.org"]);
    let by_hand = json!({ "type": "A", "name": "www.example.org", "content": "192.0.2.1" });
    twin.seed("example.org", &[by_hand]);
    let (world, provider) = cloudflare(twin.server.url(""), TOKEN);
    let door = world.dns_writer(&provider).await.unwrap();
    let zone = door.zone("example.org").await.unwrap().unwrap();
    let www = door.records(&zone.id).await.unwrap().remove(0);
    let missing = Patch { id: "0".repeat(32), ..patch(&www, "192.0.2.9") };
    let many = (0..201).map(|n| post("A", &format!("h{n}.example.org"), "192.0.2.1")).collect();
    let before = twin.records("example.org");
    for (batch, failure, code) in [
        (Batch { deletes: vec![www.id.clone()], patches: vec![missing], ..Batch::default() }, Failure::NotFound, "81044"),
        (
            Batch { posts: vec![post("A", "new.example.org", "192.0.2.1"), post("A", "www.example.org", "192.0.2.1")], ..Batch::default() },
            Failure::Refused,
            "81058",
        ),
        (
            Batch { patches: vec![patch(&www, "192.0.2.2")], posts: vec![post("CNAME", "www.example.org", "example.org")], ..Batch::default() },
            Failure::Refused,
            "81053",
        ),
        (Batch { posts: many, ..Batch::default() }, Failure::Refused, "1004"),
    ] {
        let error = door.batch(&zone.id, &batch).await.unwrap_err();
        assert_eq!((error.failure, error.code.as_deref()), (failure, Some(code)), "{error}");
        assert!(error.nothing_happened());
        assert_eq!(twin.records("example.org"), before, "{error}");
    }
    let error = door.batch("no-such-zone", &Batch::default()).await.unwrap_err();
    assert_eq!(error.failure, Failure::NotFound);
}

#[tokio::test]
async fn a_batch_whose_answer_is_lost_is_unknown_and_never_sent_again() {
    let twin = Twin::start(&["example.org"]);
    let (world, provider) = cloudflare(twin.server.url(""), TOKEN);
    let door = world.dns_writer(&provider).await.unwrap();
    let zone = door.zone("example.org").await.unwrap().unwrap();
    twin.lose_replies(1);
    let batch = Batch { posts: vec![post("A", "www.example.org", "192.0.2.1")], ..Batch::default() };
    let error = door.batch(&zone.id, &batch).await.unwrap_err();
    assert_eq!((error.failure, error.call.as_str()), (Failure::Unknown { retry_after: None }, "cloudflare:batch"), "{error}");
    assert_eq!(twin.records("example.org").len(), 1, "it took effect");
    assert_eq!(twin.server.requests().iter().filter(|request| request.method == "POST").count(), 1);
}

#[tokio::test]
async fn a_record_without_its_fields_is_refused_before_anything_is_sent() {
    let twin = Twin::start(&["example.org"]);
    let (world, provider) = cloudflare(twin.server.url(""), TOKEN);
    let door = world.dns_writer(&provider).await.unwrap();
    let error = door.batch("any", &Batch { posts: vec![post("SRV", "s.example.org", "1 2")], ..Batch::default() }).await.unwrap_err();
    assert_eq!(error.failure, Failure::Refused);
    assert!(twin.server.requests().is_empty());
}
