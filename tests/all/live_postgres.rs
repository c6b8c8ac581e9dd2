//! The SQL door against a real `PostgreSQL`.

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Value, json};
use switchover::world::sql::{BeforeCommit, Fate, SqlTarget, SqlWrite};
use switchover::world::{CallError, Failure, Writers};

use crate::live_world::{secret, world};
use crate::services::postgres::{PASSWORD, Postgres};
use crate::services::process::free_port;

fn target(port: u16, database: &str) -> SqlTarget {
    SqlTarget {
        resource_id: "db-TEST".into(),
        host: "127.0.0.1".into(),
        port,
        sslmode: "disable".into(),
        ca_file: None,
        user: "postgres".into(),
        password: None,
        database: database.into(),
    }
}

async fn door(target: &SqlTarget) -> std::sync::Arc<dyn SqlWrite> {
    world(&[("password", PASSWORD), ("wrong", "planted-wrong-password")]).sql_writer(target).await.unwrap()
}

/// Remembers the transaction; says no if told so.
#[derive(Default)]
struct Witness {
    seen: Mutex<Vec<String>>,
    objection: Option<&'static str>,
}

#[async_trait]
impl BeforeCommit for Witness {
    async fn about_to_commit(&self, transaction_id: &str) -> Result<(), String> {
        self.seen.lock().unwrap().push(transaction_id.to_owned());
        self.objection.map_or(Ok(()), |why| Err(why.to_owned()))
    }
}

impl Witness {
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// Runs a scrub; gives what came of it and the transactions that were about to commit.
async fn scrub(server: &Postgres, database: &str, statements: &[&str]) -> (Result<(), CallError>, Vec<String>) {
    let witness = Witness::default();
    let statements: Vec<String> = statements.iter().map(|sql| (*sql).to_owned()).collect();
    let result = door(&target(server.port, database)).await.transaction(&statements, &witness).await;
    (result, witness.seen())
}

#[tokio::test]
async fn a_check_reads_one_value_of_any_plain_type() {
    let Some(server) = Postgres::database("checks") else { return };
    server.psql("checks", "CREATE TABLE image (id bigint); INSERT INTO image SELECT generate_series(1, 1000)");
    let door = door(&target(server.port, "checks")).await;
    for (sql, expected) in [
        ("SELECT count(*) FROM image", json!(1000)),
        ("SELECT sum(id) FROM image", json!(500_500)),
        ("SELECT avg(id) FROM image;", json!(500.5)),
        ("SELECT -0.05::numeric", json!(-0.05)),
        ("SELECT 1.5::real", json!(1.5)),
        ("SELECT true", json!(true)),
        ("SELECT NULL::int", Value::Null),
        ("SELECT 'text'", json!("text")),
        ("SELECT 'x'::varchar, 2", json!("x")),
        ("SHOW transaction_read_only", json!("on")),
        ("SELECT '2026-11-01T00:00:00Z'::timestamptz", json!("2026-11-01T00:00:00Z")),
        ("SELECT '2026-11-01'::date", json!("2026-11-01")),
        ("SELECT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("SELECT '{\"a\": 1}'::jsonb", json!("{\"a\":1}")),
    ] {
        assert_eq!(door.scalar(sql).await.unwrap(), expected, "{sql}");
    }
}

#[tokio::test]
async fn a_check_that_is_none_is_refused_and_changes_nothing() {
    let Some(server) = Postgres::database("no_checks") else { return };
    server.psql("no_checks", "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)");
    let door = door(&target(server.port, "no_checks")).await;
    for (sql, failure, code, word) in [
        ("SELECT id FROM t", Failure::Refused, None, "more than one row"),
        ("SELECT id FROM t WHERE false", Failure::Refused, None, "no row"),
        ("DELETE FROM t RETURNING 1", Failure::Refused, Some("25006"), "read-only"),
        ("SELECT 1; DELETE FROM t", Failure::Refused, Some("42601"), "multiple commands"),
        ("COMMIT; DELETE FROM t", Failure::Refused, Some("42601"), "multiple commands"),
        ("SELECT '1 day'::interval", Failure::Refused, None, "cast it"),
        ("SELEC 1", Failure::Refused, Some("42601"), "syntax error"),
        ("SELECT 1 FROM missing", Failure::NotFound, Some("42P01"), "missing"),
        ("SELECT 1/0", Failure::Refused, Some("22012"), "division"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", Failure::Unknown { retry_after: None }, Some("57P01"), "terminating"),
        ("", Failure::Refused, None, "no columns"),
    ] {
        let error = door.scalar(sql).await.unwrap_err();
        assert_eq!((error.call.as_str(), error.failure, error.code.as_deref()), ("postgres:query", failure, code), "{sql}: {error}");
        assert!(error.to_string().contains(word), "{sql}: {error}");
    }
    assert_eq!(server.psql("no_checks", "SELECT count(*) FROM t"), "2");
}

#[tokio::test]
async fn sessions_that_do_not_come_about_say_why_without_the_password() {
    let Some(server) = Postgres::database("sessions") else { return };
    let base = target(server.port, "sessions");
    let locked = SqlTarget { user: "locked".into(), password: Some(secret("password")), ..base.clone() };
    assert_eq!(door(&locked).await.scalar("SELECT current_user::text").await.unwrap(), json!("locked"));
    for (target, failure, code) in [
        (SqlTarget { password: Some(secret("wrong")), ..locked.clone() }, Failure::Denied, Some("28P01")),
        (SqlTarget { user: "nobody".into(), ..base.clone() }, Failure::Denied, Some("28000")),
        (SqlTarget { database: "missing".into(), ..base.clone() }, Failure::NotFound, Some("3D000")),
        (SqlTarget { port: free_port(), ..base.clone() }, Failure::Unreachable, None),
        (SqlTarget { host: "no-such-host.invalid".into(), ..base.clone() }, Failure::Unreachable, None),
        (SqlTarget { sslmode: "verify-full".into(), host: "localhost".into(), ..base.clone() }, Failure::Unreachable, None),
    ] {
        let error = door(&target).await.scalar("SELECT 1").await.unwrap_err();
        assert_eq!((error.failure, error.code.as_deref()), (failure, code), "{target:?}: {error}");
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
    let unset = SqlTarget { password: Some(secret("unset")), ..base };
    let error = world(&[]).sql_writer(&unset).await.err().unwrap();
    assert!(error.failure == Failure::Denied && error.message.contains("unset is not set"), "{error}");
}

#[tokio::test]
async fn sessions_are_encrypted_and_verified_as_sslmode_says() {
    let Some(server) = Postgres::database("encrypted") else { return };
    let base = target(server.port, "encrypted");
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let full = SqlTarget { sslmode: "verify-full".into(), host: "localhost".into(), ca_file: Some(server.ca_file()), ..base.clone() };
    for (target, expected) in [(&base, false), (&SqlTarget { sslmode: "require".into(), ..base.clone() }, true), (&full, true)] {
        assert_eq!(door(target).await.scalar(encrypted).await.unwrap(), json!(expected), "{target:?}");
    }
    for (target, word) in [
        (SqlTarget { ca_file: None, ..full.clone() }, "UnknownIssuer"),
        // The certificate is for the name, not for the address.
        (SqlTarget { host: "127.0.0.1".into(), ..full.clone() }, "certificate not valid for name"),
    ] {
        let error = door(&target).await.scalar(encrypted).await.unwrap_err();
        assert!(error.nothing_happened() && error.message.contains(word), "{error}");
    }
}

#[tokio::test]
async fn a_scrub_is_one_transaction_whose_fate_is_known() {
    let Some(server) = Postgres::database("scrubs") else { return };
    server.psql("scrubs", "CREATE TABLE token (id serial); INSERT INTO token SELECT FROM generate_series(1, 5)");
    let (result, seen) = scrub(server, "scrubs", &["TRUNCATE token RESTART IDENTITY CASCADE", "INSERT INTO token DEFAULT VALUES; SELECT 1"]).await;
    result.unwrap();
    assert_eq!(server.psql("scrubs", "SELECT string_agg(id::text, ',') FROM token"), "1");
    let door = door(&target(server.port, "scrubs")).await;
    assert_eq!(door.fate(&seen[0]).await.unwrap(), Fate::Committed);
    // The very first ids are those of the making of the cluster: long forgotten.
    assert_eq!(door.fate("3").await.unwrap(), Fate::Forgotten);
    for id in ["99999999999", "", "1; DROP TABLE token", "-1"] {
        assert_eq!(door.fate(id).await.unwrap_err().failure, Failure::Refused, "{id}");
    }
}

#[tokio::test]
async fn a_scrub_that_fails_leaves_everything_as_it_was() {
    let Some(server) = Postgres::database("failing") else { return };
    server.psql("failing", "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (1, NULL)");
    for (statements, code, word) in [
        (vec!["DELETE FROM t", "SELECT 1/0"], Some("22012"), "statement 2 of 2: division by zero; rolled back"),
        (vec!["DELETE FROM t; INSERT INTO missing VALUES (1)"], Some("42P01"), "missing"),
        (vec!["DELETE FROM t", "VACUUM t"], Some("25001"), "VACUUM cannot run inside a transaction block"),
        (vec!["DELETE FROM t", "CREATE INDEX CONCURRENTLY i ON t (id)"], Some("25001"), "cannot run inside"),
        (vec!["DELETE FROM t", "ROLLBACK"], None, "ended the transaction"),
    ] {
        let (result, seen) = scrub(server, "failing", &statements).await;
        let error = result.unwrap_err();
        assert_eq!((error.call.as_str(), error.failure, error.code.as_deref()), ("postgres:transaction", Failure::Refused, code), "{error}");
        assert!(error.message.contains(word), "{error}");
        assert!(seen.is_empty(), "nobody was told of a commit");
        assert_eq!(server.psql("failing", "SELECT count(*) FROM t"), "1", "{error}");
    }
    // Found out by COMMIT itself: an answer, so nothing is unknown, and the fate agrees.
    let (result, seen) = scrub(server, "failing", &["INSERT INTO t VALUES (2, 7)"]).await;
    let error = result.unwrap_err();
    assert_eq!((error.failure, error.code.as_deref()), (Failure::Refused, Some("23503")), "{error}");
    assert_eq!(door(&target(server.port, "failing")).await.fate(&seen[0]).await.unwrap(), Fate::Aborted);
}

#[tokio::test]
async fn a_commit_inside_the_sql_is_found_and_told() {
    let Some(server) = Postgres::database("committing") else { return };
    server.psql("committing", "CREATE TABLE t (id int)");
    for statements in [
        vec!["INSERT INTO t VALUES (1); COMMIT; BEGIN; INSERT INTO t VALUES (2)"],
        vec!["INSERT INTO t VALUES (1)", "COMMIT AND CHAIN"],
        vec!["INSERT INTO t VALUES (1)", "COMMIT"],
        vec!["INSERT INTO t VALUES (1); COMMIT; SELECT 1/0"],
    ] {
        let (result, seen) = scrub(server, "committing", &statements).await;
        let error = result.unwrap_err();
        assert_eq!(error.failure, Failure::Refused, "{error}");
        assert!(error.message.contains("COMMIT inside the SQL is committed"), "{error}");
        assert!(seen.is_empty());
        assert_eq!(server.psql("committing", "SELECT string_agg(id::text, ',') FROM t"), "1");
        server.psql("committing", "TRUNCATE t");
    }
}

#[tokio::test]
async fn an_objection_before_commit_rolls_back() {
    let Some(server) = Postgres::database("objections") else { return };
    server.psql("objections", "CREATE TABLE t (id int)");
    let witness = Witness { objection: Some("the journal cannot be written"), ..Witness::default() };
    let door = door(&target(server.port, "objections")).await;
    let error = door.transaction(&["INSERT INTO t VALUES (1)".to_owned()], &witness).await.unwrap_err();
    assert_eq!(error.failure, Failure::Refused);
    assert!(error.message.contains("the journal cannot be written"), "{error}");
    assert_eq!(server.psql("objections", "SELECT count(*) FROM t"), "0");
    assert_eq!(door.fate(&witness.seen()[0]).await.unwrap(), Fate::Aborted);
}

/// Cuts the session from outside between the last statement and COMMIT, and looks at the fate while it is still open.
struct Cutter {
    server: &'static Postgres,
    fate_before: Mutex<Option<Fate>>,
    id: Mutex<String>,
}

#[async_trait]
impl BeforeCommit for Cutter {
    async fn about_to_commit(&self, transaction_id: &str) -> Result<(), String> {
        let fate = door(&target(self.server.port, "cutting")).await.fate(transaction_id).await.unwrap();
        *self.fate_before.lock().unwrap() = Some(fate);
        transaction_id.clone_into(&mut self.id.lock().unwrap());
        self.server
            .psql("cutting", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'switchover' AND datname = 'cutting'");
        Ok(())
    }
}

#[tokio::test]
async fn a_session_cut_at_commit_is_unknown_and_resolved_by_its_fate() {
    let Some(server) = Postgres::database("cutting") else { return };
    server.psql("cutting", "CREATE TABLE t (id int)");
    let door = door(&target(server.port, "cutting")).await;
    let cutter = Cutter { server, fate_before: Mutex::new(None), id: Mutex::new(String::new()) };
    let error = door.transaction(&["INSERT INTO t VALUES (1)".to_owned()], &cutter).await.unwrap_err();
    assert_eq!(error.failure, Failure::Unknown { retry_after: None }, "{error}");
    assert_eq!(*cutter.fate_before.lock().unwrap(), Some(Fate::InProgress));
    let id = cutter.id.lock().unwrap().clone();
    assert_eq!(door.fate(&id).await.unwrap(), Fate::Aborted);
    // Before COMMIT a cut is known to have changed nothing.
    let (result, _) = scrub(server, "cutting", &["INSERT INTO t VALUES (1)", "SELECT pg_terminate_backend(pg_backend_pid())"]).await;
    assert_eq!(result.unwrap_err().failure, Failure::Unreachable);
    assert_eq!(server.psql("cutting", "SELECT count(*) FROM t"), "0");
}
