//! What the HTTP doors know after every kind of bad answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::json;
use switchover::world::dns::Batch;
use switchover::world::live::clock::MachineClock;
use switchover::world::live::http::{HttpDoor, HttpLimits, Request};
use switchover::world::live::limiter::Limiter;
use switchover::world::{CallError, Failure, Readers, Writers};

use crate::live_world::{cloudflare, world, world_within};
use crate::services::http_server::{HttpServer, Incoming, Reply};
use crate::services::process::free_port;

const TOKEN: &str = "planted-secret-token-1234567890";

/// The errors of a read and of a write at a service that answers everything in one way.
async fn failures(base_url: String) -> [CallError; 2] {
    let (_, provider) = cloudflare(base_url, TOKEN);
    let world = world_within(Duration::from_millis(1_500), &[("token", TOKEN)]);
    let door = world.dns_writer(&provider).await.unwrap();
    let errors = [door.records("z").await.unwrap_err(), door.batch("z", &Batch::default()).await.unwrap_err()];
    assert_eq!(errors.each_ref().map(|error| error.call.as_str()), ["cloudflare:records", "cloudflare:batch"]);
    for error in &errors {
        assert!(!format!("{error:?}").contains(TOKEN), "{error:?}");
        assert!(error.message.chars().count() <= 400, "{error}");
    }
    errors
}

fn text(status: u16, body: &str) -> Reply {
    Reply::Full { status, headers: vec![("content-type", "text/html".into())], body: body.as_bytes().to_vec() }
}

/// A name for the case, the answer, what is then known, and a word that the message must hold.
fn bad_answers() -> Vec<(&'static str, Reply, Failure, &'static str)> {
    let refusal =
        |code: i64, message: &str| json!({ "success": false, "errors": [{ "code": code, "message": message }], "messages": [], "result": null });
    let unknown = Failure::Unknown { retry_after: None };
    let in_seven = Some(Duration::from_secs(7));
    vec![
        (
            "429 with seconds",
            Reply::json(429, &refusal(971, "slow down")).with_header("retry-after", "7"),
            Failure::Throttled { retry_after: in_seven },
            "slow down",
        ),
        (
            "429 with a date",
            text(429, "").with_header("retry-after", "Sat, 21 Nov 2026 10:00:07 GMT").with_header("date", "Sat, 21 Nov 2026 10:00:00 GMT"),
            Failure::Throttled { retry_after: in_seven },
            "429",
        ),
        ("500", Reply::json(500, &refusal(1000, "oops")), unknown, "oops"),
        ("503 that says when", text(503, "busy").with_header("retry-after", "7"), Failure::Unknown { retry_after: in_seven }, "busy"),
        ("502 in HTML", text(502, "<html><h1>Bad gateway</h1></html>"), unknown, "Bad gateway"),
        ("200 in HTML", text(200, "<html>log in to the hotel's network</html>"), unknown, "hotel"),
        ("200 that is not an envelope", Reply::json(200, &json!([1, 2])), unknown, "not of this API"),
        ("200 with a refusal inside", Reply::json(200, &refusal(1004, "DNS Validation Error")), Failure::Refused, "DNS Validation Error"),
        ("half an answer", Reply::Cut(vec![b' '; 1_000]), unknown, "broke off"),
        ("silence", Reply::Silence(Duration::from_secs(4)), unknown, "within 1s"),
        ("closed at once", Reply::Silence(Duration::ZERO), unknown, "did not answer"),
        ("two megabytes", Reply::Full { status: 200, headers: Vec::new(), body: vec![b' '; 2 << 20] }, unknown, "longer than"),
        ("403", Reply::json(403, &refusal(9109, "Invalid access token")), Failure::Denied, "Invalid access token"),
        ("400 about the token", Reply::json(400, &refusal(6003, "Invalid request headers")), Failure::Denied, "6003"),
        ("400", Reply::json(400, &refusal(9005, "bad address")), Failure::Refused, "9005"),
        ("404", Reply::json(404, &refusal(7003, "no route")), Failure::NotFound, "no route"),
        ("a redirect", text(302, "elsewhere").with_header("location", "http://127.0.0.1:1/"), Failure::Refused, "302"),
        ("an echo of the token", Reply::json(400, &refusal(9005, &format!("bad header Bearer {TOKEN}"))), Failure::Refused, "(secret)"),
    ]
}

fn again(reply: &Reply) -> Reply {
    match reply {
        Reply::Full { status, headers, body } => Reply::Full { status: *status, headers: headers.clone(), body: body.clone() },
        Reply::Cut(body) => Reply::Cut(body.clone()),
        Reply::Silence(long) => Reply::Silence(*long),
    }
}

#[tokio::test]
async fn every_bad_answer_has_its_exact_meaning_for_reads_and_writes() {
    for (case, reply, failure, word) in bad_answers() {
        let server = HttpServer::start(move |_: &Incoming| again(&reply));
        for error in failures(server.url("/v4")).await {
            assert_eq!(error.failure, failure, "{case}: {error}");
            assert!(error.to_string().contains(word), "{case}: {error}");
        }
        assert_eq!(server.requests().len(), 2, "{case}: nothing is sent twice");
    }
}

#[tokio::test]
async fn what_could_not_be_sent_did_not_happen() {
    for base_url in [format!("http://127.0.0.1:{}", free_port()), "https://no-such-host.invalid".to_owned()] {
        for error in failures(base_url).await {
            assert_eq!(error.failure, Failure::Unreachable, "{error}");
        }
    }
}

#[tokio::test]
async fn records_that_are_not_as_described_are_told_by_their_place() {
    let answer = json!({ "success": true, "errors": [], "messages": [], "result": [{ "id": 7 }] });
    let server = HttpServer::start(move |_: &Incoming| Reply::json(200, &answer));
    let (world, provider) = cloudflare(server.url(""), TOKEN);
    let error = world.dns(&provider).await.unwrap().records("z").await.unwrap_err();
    assert_eq!(error.failure, Failure::Unknown { retry_after: None });
    assert!(error.message.contains("line 1 column"), "{error}");
}

#[tokio::test]
async fn doors_do_not_open_for_what_cannot_work() {
    for (base_url, token, failure) in [
        ("not a url", TOKEN, Failure::Refused),
        ("ftp://127.0.0.1/v4", TOKEN, Failure::Refused),
        ("http://127.0.0.1/v4", "two\nlines", Failure::Denied),
        ("http://127.0.0.1/v4", "  ", Failure::Denied),
    ] {
        let (world, provider) = cloudflare(base_url.to_owned(), token);
        let error = world.dns(&provider).await.err().unwrap();
        assert_eq!(error.failure, failure, "{error}");
        assert!(token.trim().is_empty() || !format!("{error:?}").contains(token), "{error:?}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_set_is_told_by_name_when_its_door_is_opened() {
    let (_, provider) = cloudflare("http://127.0.0.1/v4".to_owned(), TOKEN);
    let error = world(&[]).dns(&provider).await.err().unwrap();
    assert_eq!(error.failure, Failure::Denied);
    assert!(error.message.contains("token is not set; set it"), "{error}");
}

#[tokio::test]
async fn a_spent_budget_is_told_and_nothing_is_sent() {
    let server = HttpServer::start(|_: &Incoming| Reply::json(200, &json!({})));
    let url: Url = server.url("/").parse().unwrap();
    let door = HttpDoor::open("cloudflare:zones", &url, Vec::new(), (false, false), HttpLimits::default(), Arc::new(MachineClock::new())).unwrap();
    let door = door.limited(Arc::new(Limiter::new(2, Duration::from_mins(5))));
    let get = |reserve| door.send(Request { call: "cloudflare:zones", method: Method::GET, url: url.clone(), body: None, reserve });
    get(1).await.unwrap();
    let error = get(1).await.unwrap_err();
    assert!(matches!(error.failure, Failure::Throttled { retry_after: Some(wait) } if wait > Duration::from_secs(290)), "{error:?}");
    get(0).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_zone_that_keeps_changing_while_it_is_read_is_no_answer() {
    let record = |id: u32| json!({ "id": format!("{id}"), "type": "A", "name": "a.example.org", "content": "192.0.2.1", "ttl": 1 });
    let server = HttpServer::start(move |request: &Incoming| {
        // The second page gives a record of the first again, as it does when one was removed in between.
        let result = if request.query["page"] == "1" { json!([record(1), record(2)]) } else { json!([record(2)]) };
        let info = json!({ "page": 1, "per_page": 2, "count": 2, "total_count": 3 });
        Reply::json(200, &json!({ "success": true, "errors": [], "messages": [], "result": result, "result_info": info }))
    });
    let (world, provider) = cloudflare(server.url(""), TOKEN);
    let error = world.dns(&provider).await.unwrap().records("z").await.unwrap_err();
    assert!(error.message.contains("changed while it was read"), "{error}");
    assert_eq!(server.requests().len(), 6);
}

/// A zone of these records, two a page, whose owner takes the first one away and makes a last one after each of so many first pages.
fn zone_that_changes(names: &[&str], changes: usize) -> HttpServer {
    let records: Vec<_> = names.iter().enumerate().map(|(id, name)| (id, (*name).to_owned())).collect();
    let zone = Mutex::new((records, changes));
    HttpServer::start(move |request: &Incoming| {
        let (records, changes) = &mut *zone.lock().unwrap();
        let number = |key: &str| request.query[key].parse::<usize>().unwrap();
        let (size, page) = (number("per_page").min(6), number("page"));
        // Small pages are asked for as they are; large ones are cut.
        let size = if size == 6 { 2 } else { size };
        let record = |(id, name): &(usize, String)| json!({ "id": format!("{id}"), "type": "A", "name": name, "content": "192.0.2.1", "ttl": 1 });
        let result: Vec<_> = records.iter().skip((page - 1) * size).take(size).map(record).collect();
        let info = json!({ "page": page, "per_page": size, "count": result.len(), "total_count": records.len() });
        if size == 2 && page == 1 && *changes > 0 {
            *changes -= 1;
            let next = records.remove(0).0 + records.len() + 1;
            records.push((next, format!("z{next}.example.org")));
        }
        Reply::json(200, &json!({ "success": true, "errors": [], "messages": [], "result": result, "result_info": info }))
    })
}

const FIVE: [&str; 5] = ["a.example.org", "b.example.org", "c.example.org", "d.example.org", "e.example.org"];

#[tokio::test]
async fn a_record_that_moves_to_a_page_that_was_read_is_not_missed() {
    let server = zone_that_changes(&FIVE, 1);
    let (world, provider) = cloudflare(server.url(""), TOKEN);
    let records = world.dns(&provider).await.unwrap().records("z").await.unwrap();
    let mut names: Vec<&str> = records.iter().map(|record| record.name.as_str()).collect();
    names.sort_unstable();
    // "c" is on the first page when the second is read, and a new one makes up for it.
    assert_eq!(names, ["b.example.org", "c.example.org", "d.example.org", "e.example.org", "z5.example.org"]);
    assert_eq!(server.requests().len(), 2 * (3 + 2), "three pages and two edges, twice");
}

#[tokio::test]
async fn a_zone_whose_records_keep_moving_is_no_answer_and_says_what_to_do() {
    let server = zone_that_changes(&FIVE, 99);
    let (world, provider) = cloudflare(server.url(""), TOKEN);
    let error = world.dns(&provider).await.unwrap().records("z").await.unwrap_err();
    assert!(error.message.contains("changed while it was read, 3 times: try again when"), "{error}");
    assert!(error.may_pass(), "{error:?}");
}

#[tokio::test]
async fn records_of_one_name_on_both_sides_of_an_edge_need_no_look() {
    let server = zone_that_changes(&["a.example.org"; 5], 0);
    let (world, provider) = cloudflare(server.url(""), TOKEN);
    assert_eq!(world.dns(&provider).await.unwrap().records("z").await.unwrap().len(), 5);
    assert_eq!(server.requests().len(), 3);
}
