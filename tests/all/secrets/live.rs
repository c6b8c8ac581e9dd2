//! The binary in the live world, at a Cloudflare and a Slack that give back what they were sent whenever they fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::canary::{HOOK, TOKEN, echo, none_on_disk, none_said};
use crate::cli::bench::{Bench, Said};
use crate::services::http_server::{HttpServer, Incoming, Reply};

const FILE: &str = r#"
environment "live" { notify = [slack.s] }
provider "cloudflare" {
  api_token = env("TOKEN")
  base_url  = env("CLOUDFLARE")
}
provider "slack" "s" { webhook_url = env("HOOK") }
dns_zone "example.org" {
  provider = cloudflare
  record "A" "example.org" { value = "192.0.2.2" }
}
"#;

/// An API with one zone and one record that differs; reads work while `reads` says so, writes never do.
fn api(reads: Arc<AtomicBool>) -> HttpServer {
    HttpServer::start(move |request: &Incoming| {
        let list = |items: serde_json::Value| {
            let info = json!({ "page": 1, "per_page": 50, "count": 1, "total_count": 1, "total_pages": 1 });
            Reply::json(200, &json!({ "success": true, "errors": [], "messages": [], "result": items, "result_info": info }))
        };
        let sent = request.headers.get("authorization").cloned().unwrap_or_default();
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/v4/zones") if reads.load(Ordering::Relaxed) => {
                list(json!([{ "id": "z1", "name": "example.org", "name_servers": ["ns.example.org"] }]))
            }
            ("GET", "/v4/zones/z1/dns_records") if reads.load(Ordering::Relaxed) => {
                list(json!([{ "id": "r1", "name": "example.org", "type": "A", "content": "192.0.2.1", "ttl": 300, "proxied": false }]))
            }
            _ => {
                let words = format!("{} {sent}", echo(TOKEN));
                Reply::json(400, &json!({ "success": false, "errors": [{ "code": 9005, "message": words }], "messages": [], "result": null }))
            }
        }
    })
}

fn slack() -> HttpServer {
    HttpServer::start(|request: &Incoming| Reply::Full {
        status: 500,
        headers: Vec::new(),
        body: format!("{} {}", request.path, echo(HOOK)).into_bytes(),
    })
}

fn run(bench: &Bench, args: &[&str]) -> Said {
    let said = bench.run(args);
    none_said(args, &said);
    none_on_disk(bench, &[]);
    said
}

#[test]
fn a_live_run_that_fails_shows_no_secret() {
    let reads = Arc::new(AtomicBool::new(true));
    let (api, slack) = (api(Arc::clone(&reads)), slack());
    let bench = Bench::new("live", FILE, "")
        .variable("TOKEN", TOKEN)
        .variable("CLOUDFLARE", &api.url("/v4"))
        .variable("HOOK", &slack.url(&format!("/services/T0/B0/{HOOK}")));
    run(&bench, &["plan", "live", "--out", "plan.json", "-vv"]).exits(0);
    run(&bench, &["show", "plan.json", "--json"]).exits(0);
    run(&bench, &["apply", "plan.json", "-vv", "--json"]).exits(4).says("cloudflare:batch was refused").says("(secret)").says("slack:post");
    assert!(api.requests().iter().any(|request| request.headers["authorization"] == format!("Bearer {TOKEN}")), "the token was sent");
    assert!(slack.requests().iter().any(|request| request.path.ends_with(HOOK)), "the webhook was used");
    let runs = run(&bench, &["runs", "live", "--json"]).exits(0).json();
    let id = runs["runs"][0]["run"].as_str().unwrap();
    for args in [&["runs", "live", id][..], &["runs", "live", id, "--json"], &["status", "--offline"], &["rollback", "live", "--yes"]] {
        run(&bench, args).exits(0);
    }
    reads.store(false, Ordering::Relaxed);
    for args in [&["plan", "live", "-vv"][..], &["plan", "live", "--json"], &["plan", "live", "--format", "markdown"], &["status", "-v"]] {
        run(&bench, args).exits(1).says("(secret)");
    }
    // A token that cannot be sent is told of by its name.
    let bench = Bench::new("live", FILE, "").variable("TOKEN", &format!("{TOKEN}\n\u{1b}x")).variable("CLOUDFLARE", &api.url("/v4"));
    run(&bench, &["plan", "live", "-vv"]).exits(1).says("no token has");
    let bench = Bench::new("live", FILE, "").variable("CLOUDFLARE", &api.url("/v4"));
    run(&bench, &["plan", "live"]).exits(1).says("environment variable `TOKEN` is not set");
}
