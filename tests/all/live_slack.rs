//! Notices at a webhook.

use serde_json::{Value, json};
use switchover::world::provider::SlackProvider;
use switchover::world::{CallError, Failure, Writers};

use crate::live_world::{secret, world};
use crate::services::http_server::{HttpServer, Incoming, Reply};
use crate::services::process::free_port;

const PATH: &str = "/services/T000/B000/planted-webhook-secret";

async fn post(url: &str, text: &str) -> Result<(), CallError> {
    let channel = SlackProvider { name: "slack.maintainers".into(), webhook_url: Some(secret("hook")) };
    world(&[("hook", url)]).chat().await.unwrap().post(&channel, text).await
}

fn answering(status: u16, body: &'static str) -> HttpServer {
    HttpServer::start(move |_: &Incoming| Reply::Full { status, headers: Vec::new(), body: body.as_bytes().to_vec() }.with_header("retry-after", "3"))
}

#[tokio::test]
async fn a_notice_is_one_post_of_json_with_text() {
    let server = answering(200, "ok");
    post(&server.url(PATH), "staging: run 1 ended \"well\"\n2 steps").await.unwrap();
    let requests = server.requests();
    assert_eq!((requests.len(), requests[0].method.as_str(), requests[0].path.as_str()), (1, "POST", PATH));
    assert_eq!(requests[0].headers["content-type"], "application/json");
    assert!(!requests[0].headers.contains_key("authorization"));
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(body, json!({ "text": "staging: run 1 ended \"well\"\n2 steps" }));
}

#[tokio::test]
async fn a_notice_that_fails_says_why_and_never_the_webhook() {
    let retry_after = Some(std::time::Duration::from_secs(3));
    for (status, body, failure) in [
        (404, "no_service", Failure::NotFound),
        (403, "invalid_token", Failure::Denied),
        (429, "rate_limited", Failure::Throttled { retry_after }),
        (500, "rollup_error", Failure::Unknown { retry_after }),
        (400, PATH, Failure::Refused),
    ] {
        let server = answering(status, body);
        let error = post(&server.url(PATH), "x").await.unwrap_err();
        assert_eq!((error.call.as_str(), error.failure), ("slack:post", failure), "{error}");
        assert!(!format!("{error:?}").contains("planted-webhook-secret"), "{error:?}");
    }
    for url in [format!("http://127.0.0.1:{}{PATH}", free_port()), format!("http://hooks.example.org{PATH}"), "planted-webhook-secret".to_owned()] {
        let error = post(&url, "x").await.unwrap_err();
        assert!(error.nothing_happened());
        assert!(!format!("{error:?}").contains("planted-webhook-secret"), "{error:?}");
    }
}
