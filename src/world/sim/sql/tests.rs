//! What SQL does in the table model, and when there is a connection at all.

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::json;

use crate::model::Json;
use crate::world::rds::Modify;
use crate::world::sim::tests::support::{DEV, aws, base, hook, open, seconds};
use crate::world::sim::{Fault, SimWorld};
use crate::world::sql::{BeforeCommit, Fate, SqlTarget, SqlWrite};
use crate::world::{CallResult, Failure, Writers};

/// Remembers the id, and says yes or no.
struct Witness(Mutex<String>, Result<(), String>);

#[async_trait]
impl BeforeCommit for Witness {
    async fn about_to_commit(&self, transaction_id: &str) -> Result<(), String> {
        transaction_id.clone_into(&mut self.0.lock().unwrap());
        self.1.clone()
    }
}

async fn session_at(world: &SimWorld, host: &str) -> Arc<dyn SqlWrite> {
    let target = SqlTarget {
        resource_id: DEV.to_owned(),
        host: host.to_owned(),
        port: 5432,
        sslmode: "verify-full".to_owned(),
        ca_file: None,
        user: "deploy".to_owned(),
        password: None,
        database: "app".to_owned(),
    };
    world.sql_writer(&target).await.unwrap()
}

async fn session(world: &SimWorld) -> Arc<dyn SqlWrite> {
    session_at(world, "dev-db.abc.us-east-1.rds.amazonaws.com").await
}

async fn run(sql: &Arc<dyn SqlWrite>, statements: &[&str]) -> (CallResult<()>, String) {
    let witness = Witness(Mutex::new(String::new()), Ok(()));
    let texts: Vec<String> = statements.iter().map(|text| (*text).to_owned()).collect();
    let result = sql.transaction(&texts, &witness).await;
    (result, witness.0.into_inner().unwrap())
}

async fn count(sql: &Arc<dyn SqlWrite>, table: &str) -> Json {
    sql.scalar(&format!("SELECT count(*) FROM {table}")).await.unwrap()
}

#[tokio::test]
async fn questions_are_answered_by_counts() {
    let world = open(&base());
    let sql = session(&world).await;
    for (text, answer) in [
        ("SELECT 1", json!(1)),
        ("select true;", json!(true)),
        ("SELECT 'a''b' -- text", json!("a'b")),
        ("SELECT NULL", json!(null)),
        ("SELECT -3", json!(-3)),
        ("SELECT count(*) FROM client", json!(10)),
        ("select COUNT( * ) AS n from public.\"client\" as c ;", json!(10)),
        ("SELECT count(*) >= 1000 FROM image", json!(true)),
        ("SELECT count(*) = 0 FROM image", json!(false)),
    ] {
        assert_eq!(sql.scalar(text).await.unwrap(), answer, "{text}");
    }
}

#[tokio::test]
async fn what_counts_cannot_tell_is_refused_by_name() {
    let world = open(&base());
    let sql = session(&world).await;
    for text in [
        "SELECT count(*) FROM image WHERE a = 1",
        "SELECT max(id) FROM image",
        "SELECT now()",
        "DELETE FROM client",
        "SELECT count(*) FROM other.client",
    ] {
        let error = sql.scalar(text).await.unwrap_err();
        assert!(error.failure == Failure::Refused && error.message.contains(text), "{error}");
    }
    for text in
        ["DELETE FROM image WHERE id = 1", "DELETE FROM client", "ALTER TABLE image ADD x int", "INSERT INTO image SELECT 1", "TRUNCATE image, 3"]
    {
        let error = run(&sql, &[text]).await.0.unwrap_err();
        assert!(error.failure == Failure::Refused && error.message.contains(text), "{error}");
    }
    for text in ["SELECT count(*) FROM none", "SELECT count(*) FROM \"Client\""] {
        assert_eq!(sql.scalar(text).await.unwrap_err().code.as_deref(), Some("42P01"));
    }
    for text in ["", "SELECT 1; SELECT 2", "SELECT 'a"] {
        assert_eq!(sql.scalar(text).await.unwrap_err().code.as_deref(), Some("42601"), "{text}");
    }
}

#[tokio::test]
async fn truncate_follows_foreign_keys_only_with_cascade() {
    let world = open(&base());
    let sql = session(&world).await;
    assert_eq!(run(&sql, &["TRUNCATE client"]).await.0.unwrap_err().code.as_deref(), Some("0A000"));
    assert_eq!(run(&sql, &["TRUNCATE client, none CASCADE"]).await.0.unwrap_err().code.as_deref(), Some("42P01"));
    assert_eq!(count(&sql, "client").await, 10);
    run(&sql, &["TRUNCATE TABLE client RESTART IDENTITY CASCADE; UPDATE image SET url = ''"]).await.0.unwrap();
    for (table, rows) in [("client", 0), ("token", 0), ("grant_", 0), ("image", 1000)] {
        assert_eq!(count(&sql, table).await, rows, "{table}");
    }
}

#[tokio::test]
async fn other_writes_change_counts() {
    let world = open(&base());
    let sql = session(&world).await;
    run(&sql, &["SET LOCAL statement_timeout = 0", "DELETE FROM grant_", "INSERT INTO client (a, b) VALUES (1, 'x;y'), (2, f(3))", "ANALYZE client"])
        .await
        .0
        .unwrap();
    assert_eq!((count(&sql, "grant_").await, count(&sql, "client").await), (json!(0), json!(12)));
}

#[tokio::test]
async fn a_transaction_happens_as_a_whole_or_not_at_all() {
    let world = open(&base());
    let sql = session(&world).await;
    let (result, id) = run(&sql, &["DELETE FROM grant_; UPDATE none SET a = 1"]).await;
    assert_eq!((result.unwrap_err().code.as_deref(), id.as_str()), (Some("42P01"), ""));
    assert_eq!(count(&sql, "grant_").await, 5);
    for ends in ["COMMIT", "rollback", "BEGIN", "VACUUM image"] {
        let (result, id) = run(&sql, &["DELETE FROM grant_", ends]).await;
        assert_eq!((result.unwrap_err().failure, id.as_str()), (Failure::Refused, ""), "{ends}");
    }
    let no = Witness(Mutex::new(String::new()), Err("the journal is full".to_owned()));
    assert_eq!(sql.transaction(&["DELETE FROM grant_".to_owned()], &no).await.unwrap_err().failure, Failure::Refused);
    assert_eq!(count(&sql, "grant_").await, 5);
    assert_eq!(sql.fate(&no.0.into_inner().unwrap()).await.unwrap(), Fate::Aborted);
}

#[tokio::test]
async fn fates_are_known_afterwards() {
    let world = open(&base());
    let sql = session(&world).await;
    let (result, first) = run(&sql, &["DELETE FROM grant_"]).await;
    result.unwrap();
    assert_eq!(sql.fate(&first).await.unwrap(), Fate::Committed);
    hook(&world, "postgres:transaction", Fault::ReplyLost {});
    let (result, second) = run(&sql, &["TRUNCATE client CASCADE"]).await;
    assert!(matches!(result.unwrap_err().failure, Failure::Unknown { .. }));
    assert_eq!((sql.fate(&second).await.unwrap(), count(&sql, "client").await), (Fate::Committed, json!(0)));
    assert_ne!(first, second);
    assert_eq!(sql.fate("7").await.unwrap(), Fate::Forgotten);
    assert_eq!(sql.fate("99999999").await.unwrap_err().failure, Failure::Refused);
    assert_eq!(sql.fate("x").await.unwrap_err().failure, Failure::Refused);
}

#[tokio::test]
async fn a_session_cut_before_commit_leaves_an_id_that_is_never_given_again() {
    struct Never;
    #[async_trait]
    impl BeforeCommit for Never {
        async fn about_to_commit(&self, _: &str) -> Result<(), String> {
            std::future::pending().await
        }
    }
    let world = open(&base());
    let sql = session(&world).await;
    {
        let statements = ["DELETE FROM grant_".to_owned()];
        let mut cut = std::pin::pin!(sql.transaction(&statements, &Never));
        assert!(futures_util::poll!(cut.as_mut()).is_pending());
        assert_eq!(sql.fate("1001").await.unwrap(), Fate::InProgress);
    }
    assert_eq!((sql.fate("1001").await.unwrap(), count(&sql, "grant_").await), (Fate::Aborted, json!(5)));
    let (result, id) = run(&sql, &["DELETE FROM grant_"]).await;
    result.unwrap();
    assert_eq!(id, "1002");
}

#[tokio::test]
async fn there_is_a_connection_only_where_the_instance_is() {
    let world = open(&base());
    let rename = Modify { identifier: "dev-db".to_owned(), new_identifier: Some("dev-db-old".to_owned()), ..Modify::default() };
    let (by_old, by_new, tunnel) = (session(&world).await, session_at(&world, "dev-db-old.abc").await, session_at(&world, "127.0.0.1").await);
    let heard = async || {
        let mut heard = Vec::new();
        for sql in [&by_old, &by_new, &tunnel] {
            heard.push(sql.scalar("SELECT 1").await.map_err(|error| error.failure).is_ok());
        }
        heard
    };
    assert_eq!(heard().await, [true, false, true]);
    world.rds_writer(&aws()).await.unwrap().modify(&rename).await.unwrap();
    world.advance(seconds(40));
    assert_eq!(heard().await, [false, false, false]);
    world.advance(seconds(200));
    assert_eq!(heard().await, [false, true, true]);
    assert_eq!(by_old.scalar("SELECT 1").await.unwrap_err().failure, Failure::Unreachable);
}
