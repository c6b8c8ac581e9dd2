//! Plain text goes out to this machine alone, or where somebody wrote that it may; an encrypted connection is to the host that it says it is.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use switchover::world::provider::SlackProvider;
use switchover::world::sql::SqlTarget;
use switchover::world::{Failure, Readers, Writers};

use super::canary::{HOOK, PASSWORD, TOKEN, none_in};
use crate::cli::bench::Bench;
use crate::live_world::{cloudflare, secret, world};
use crate::services::http_server::{HttpServer, Incoming, Reply};
use crate::services::process::{self, Server};

/// What a door does with each address: to another machine in plain text never, unless it was allowed.
#[tokio::test]
async fn no_door_sends_plain_text_to_another_machine() {
    for url in [
        "http://example.invalid/v4",
        "http://192.0.2.1:80/v4",
        "http://localhost.example.invalid/",
        "http://127.0.0.1.example.invalid/",
        "http://127.0.0.1@example.invalid/",
    ] {
        let (live, mut provider) = cloudflare(url.to_owned(), TOKEN);
        let refused = live.dns(&provider).await.err().unwrap();
        assert!(refused.failure == Failure::Refused && refused.message.contains("https://"), "{url}: {refused}");
        provider.allow_plain_http = true;
        assert!(live.dns(&provider).await.is_ok(), "{url}: by explicit word");
        let channel = SlackProvider { name: "slack.s".into(), webhook_url: Some(secret("hook")) };
        let chat = world(&[("hook", &format!("{url}/{HOOK}"))]).chat().await.unwrap();
        let refused = chat.post(&channel, "x").await.unwrap_err();
        assert!(refused.failure == Failure::Refused && refused.message.contains("https://"), "{url}: {refused}");
    }
    for url in ["ftp://example.invalid/", "file:///etc/passwd", "unix:/run/x", "data:,x"] {
        let (live, mut provider) = cloudflare(url.to_owned(), TOKEN);
        provider.allow_plain_http = true;
        assert_eq!(live.dns(&provider).await.err().unwrap().failure, Failure::Refused, "{url}");
    }
}

const FILE: &str = r#"
environment "live" {}
provider "cloudflare" {
  api_token = env("TOKEN")
  base_url  = env("CLOUDFLARE")
  ALLOW
}
dns_zone "example.org" {
  provider = cloudflare
  record "A" "example.org" { value = "192.0.2.2" }
}
"#;

fn live(allow: &str, url: &str) -> Bench {
    Bench::new("live", &FILE.replace("ALLOW", allow), "").variable("TOKEN", TOKEN).variable("CLOUDFLARE", url)
}

/// A proxy sees every byte that would leave in plain text: none does, until somebody says that it may.
#[test]
fn nothing_leaves_in_plain_text_before_somebody_allowed_it() {
    let proxy = HttpServer::start(|_: &Incoming| Reply::Full { status: 502, headers: Vec::new(), body: b"seen".to_vec() });
    let through = |bench: Bench| bench.variable("HTTP_PROXY", &proxy.url("/")).variable("http_proxy", &proxy.url("/"));
    for allow in ["", "allow_plain_http = false"] {
        let bench = through(live(allow, "http://example.invalid/client/v4"));
        for args in [&["validate"][..], &["plan", "live", "-vv"], &["apply", "live", "--yes"], &["status"]] {
            bench.run(args).exits(1).says("http://").says("allow_plain_http = true").never_says(TOKEN);
        }
    }
    assert!(proxy.requests().is_empty(), "nothing was sent");
    let bench = through(live("allow_plain_http = true", "http://example.invalid/client/v4"));
    bench.run(&["validate"]).exits(0);
    bench.run(&["plan", "live", "-vv"]).exits(1).says("seen");
    assert!(!proxy.requests().is_empty(), "the proxy would have seen it");
    // To this machine no word is needed, and no proxy is asked.
    let here = HttpServer::start(|_: &Incoming| Reply::Full { status: 502, headers: Vec::new(), body: b"here".to_vec() });
    through(live("", &here.url("/v4"))).run(&["plan", "live", "-vv"]).exits(1).says("here");
    assert!(!here.requests().is_empty());
}

/// A server with a certificate for `localhost` that an authority of its own has signed; none without `openssl`.
struct Tls {
    port: u16,
    authority: String,
    _server: Server,
}

impl Tls {
    fn start() -> Option<Tls> {
        if process::find_program("openssl").is_none() {
            return process::skipped("openssl");
        }
        let (folder, port) = (process::folder("tls"), process::free_port());
        let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj '/CN=Test CA' && \
                      openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost && \
                      echo subjectAltName=DNS:localhost >san && \
                      openssl x509 -req -days 2 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -out server.crt";
        let made = Command::new("sh").args(["-c", script]).current_dir(&folder).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let words = ["openssl", "s_server", "-accept", &format!("127.0.0.1:{port}"), "-cert", "server.crt", "-key", "server.key", "-www"];
        let authority = folder.join("ca.pem").display().to_string();
        let server = Server::start(&words, &folder, None, "TERM");
        process::wait_for_port(port, &folder.join("log"), Duration::from_secs(20));
        Some(Tls { port, authority, _server: server })
    }
}

#[test]
fn a_server_that_is_not_who_it_says_gets_no_request() {
    let Some(tls) = Tls::start() else { return };
    let at = |host: &str| live("", &format!("https://{host}:{}/v4", tls.port));
    // Known authority and right name: the page of the test server is no answer of this API, but it came.
    at("localhost").variable("SSL_CERT_FILE", &tls.authority).run(&["plan", "live"]).exits(1).says("not of this API");
    // The wrong name, and an authority that nobody knows.
    at("127.0.0.1").variable("SSL_CERT_FILE", &tls.authority).run(&["plan", "live"]).exits(1).says("certificate").never_says("not of this API");
    at("localhost").run(&["plan", "live"]).exits(1).never_says("not of this API");
}

/// A server that says it has no TLS must not be sent a name or a password; told that none is wanted, it is asked at once.
#[tokio::test]
async fn a_database_that_refuses_tls_is_sent_nothing_else() {
    for (sslmode, expected) in [("verify-full", false), ("require", false), ("disable", true)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            let mut bytes = vec![0; 8];
            let mut all = Vec::new();
            if stream.read_exact(&mut bytes).is_ok() {
                all.extend(&bytes);
                drop(stream.write_all(b"N"));
                drop(stream.read_to_end(&mut all));
            }
            sender.send(all).unwrap();
        });
        let target = SqlTarget {
            resource_id: "db-TEST".into(),
            host: "localhost".into(),
            port,
            sslmode: sslmode.into(),
            ca_file: None,
            user: "canary-user".into(),
            password: Some(secret("password")),
            database: "canary-database".into(),
        };
        let door = world(&[("password", PASSWORD)]).sql(&target).await.unwrap();
        let error = door.scalar("SELECT 1").await.unwrap_err();
        none_in("the error", &format!("{error:?}"));
        let sent = tokio::task::spawn_blocking(move || received.recv().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&sent).into_owned();
        assert_eq!(text.contains("canary-user"), expected, "{sslmode}: {sent:?}");
        assert!(expected || sent.len() == 8, "{sslmode}: the question for TLS and nothing else: {sent:?}");
        none_in("what was sent", &text);
    }
}
