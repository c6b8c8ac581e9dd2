//! The real doors against services that give back what they were sent: in messages, in pages of HTML, in codes, in half of an answer. What the door
//! makes of it, as text, as a chain of errors and as it stands in a core, holds no secret.

use std::error::Error as _;

use async_trait::async_trait;
use serde_json::json;
use switchover::model::Exit;
use switchover::world::dns::Batch;
use switchover::world::provider::SlackProvider;
use switchover::world::sql::{BeforeCommit, SqlTarget};
use switchover::world::{CallError, Writers};

use super::canary::{HOOK, PASSWORD, TOKEN, base64, echo, forms, none_in};
use crate::live_world::{cloudflare, secret, world};
use crate::services::http_server::{HttpServer, Incoming, Reply};
use crate::services::postgres::Postgres;

/// Insists that nothing of an error holds a secret.
#[track_caller]
pub fn clean(error: &CallError) {
    none_in("the error", &error.to_string());
    none_in("the error in a core", &format!("{error:?} {error:#?}"));
    let whole = error.clone().into_error(Exit::Error).within("cannot go on");
    none_in("its chain", &format!("{whole:?} {} {}", whole.chain(), whole.help()));
    let mut next = whole.source();
    while let Some(cause) = next {
        none_in("its cause", &format!("{cause} {cause:?}"));
        next = cause.source();
    }
}

/// What a service makes of a request: everything that it was sent, in every form.
fn bodies(secret: &str) -> Vec<String> {
    let words = echo(secret);
    let inner = json!({ "code": 1, "message": words, "error_chain": [{ "code": 2, "message": words }] });
    let mut bodies = vec![
        json!({ "success": false, "errors": [inner], "messages": [words], "result": null }).to_string(),
        json!({ "success": true, "result": [{ "id": words, "name": [words] }] }).to_string(),
        format!("<html><h1>{words}</h1><p>Authorization: Bearer {secret}</p></html>"),
        format!("{{\"success\": \"{}\"", base64(secret.as_bytes())),
        words,
    ];
    // Cut at every place around the end of an excerpt.
    bodies.extend((60..130).step_by(7).map(|before| format!("{} {secret}", "x".repeat(before))));
    bodies.extend(forms(secret).into_iter().map(|form| format!("Basic {form}.")));
    bodies
}

fn answering(status: u16, body: String) -> HttpServer {
    HttpServer::start(move |_: &Incoming| Reply::Full {
        status,
        headers: vec![("location", format!("https://{HOOK}.example.org")), ("content-type", "text/html".to_owned())],
        body: body.clone().into_bytes(),
    })
}

#[tokio::test]
async fn cloudflare_may_say_the_token() {
    for (number, body) in bodies(TOKEN).into_iter().enumerate() {
        for status in [200, 302, 400, 403, 429, 502] {
            let server = answering(status, body.clone());
            let (world, provider) = cloudflare(server.url("/v4"), TOKEN);
            let door = world.dns_writer(&provider).await.unwrap();
            let errors = [door.zone("example.org").await.err(), door.records("z").await.err(), door.batch("z", &Batch::default()).await.err()];
            errors.iter().flatten().for_each(clean);
            assert!(errors.iter().flatten().count() > 0 || number == 1 && status == 200, "{status} {body}");
        }
    }
}

#[tokio::test]
async fn slack_may_say_the_webhook() {
    let path = format!("/services/T000/B000/{HOOK}?key={HOOK}-2");
    for body in bodies(HOOK).into_iter().chain([path.clone()]) {
        for status in [302, 404, 500] {
            let server = answering(status, body.clone());
            let channel = SlackProvider { name: "slack.s".into(), webhook_url: Some(secret("hook")) };
            let chat = world(&[("hook", &server.url(&path))]).chat().await.unwrap();
            clean(&chat.post(&channel, "text").await.unwrap_err());
        }
    }
}

struct Willing;

#[async_trait]
impl BeforeCommit for Willing {
    async fn about_to_commit(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test]
async fn a_database_may_say_the_password() {
    let Some(server) = Postgres::database("echoes") else { return };
    // The server itself is told the password as any administrator's session would.
    let quoted = PASSWORD.replace('\'', "''");
    server.psql("postgres", &format!("CREATE ROLE canary SUPERUSER LOGIN PASSWORD '{quoted}'"));
    let target = SqlTarget {
        resource_id: "db-TEST".into(),
        host: "127.0.0.1".into(),
        port: server.port,
        sslmode: "disable".into(),
        ca_file: None,
        user: "canary".into(),
        password: Some(secret("password")),
        database: "echoes".into(),
    };
    let door = world(&[("password", PASSWORD)]).sql_writer(&target).await.unwrap();
    let said = "the password is ";
    for sql in [
        format!("DO $do$ BEGIN RAISE EXCEPTION '{said}%', $x${PASSWORD}$x$; END $do$"),
        format!("DO $do$ BEGIN RAISE EXCEPTION 'no' USING HINT = '{said}' || $x${PASSWORD}$x$, DETAIL = $x${PASSWORD}$x$; END $do$"),
        format!("DO $do$ BEGIN RAISE EXCEPTION '{said}%', encode(convert_to($x${PASSWORD}$x$, 'UTF8'), 'base64'); END $do$"),
        format!("DO $do$ BEGIN RAISE EXCEPTION '{said}%', encode(convert_to($x$me:{PASSWORD}$x$, 'UTF8'), 'hex'); END $do$"),
        format!("SELECT $x${PASSWORD}$x$::int"),
        format!("SELECT * FROM \"{}\"", PASSWORD.replace('"', "\"\"")),
        format!("ALTER ROLE canary PASSWORD '{quoted}' oops"),
    ] {
        clean(&door.transaction(std::slice::from_ref(&sql), &Willing).await.unwrap_err());
        if sql.starts_with("SELECT") {
            clean(&door.scalar(&sql).await.unwrap_err());
        }
    }
    for (user, database) in [(PASSWORD, "echoes"), ("canary", PASSWORD)] {
        let wrong = SqlTarget { user: user.into(), database: database.into(), ..target.clone() };
        let door = world(&[("password", PASSWORD)]).sql_writer(&wrong).await.unwrap();
        clean(&door.scalar("SELECT 1").await.unwrap_err());
    }
}
