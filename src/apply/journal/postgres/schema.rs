//! The tables: made and brought up to date by the tool, one transaction a time, under a lock that only one process has.

use tokio_postgres::{Client, Error};

/// What brings a schema from one version to the next; `{s}` is its name. One that was released is never changed: the next one changes what
/// it made.
const MIGRATIONS: [&str; 1] = [r#"
CREATE SEQUENCE {s}.fences AS bigint;
CREATE TABLE {s}.locks (
    name      text COLLATE "C" PRIMARY KEY,
    fence     bigint NOT NULL,
    nonce     text NOT NULL,
    run       text NOT NULL,
    holder    text NOT NULL,
    since     timestamptz NOT NULL,
    heartbeat timestamptz NOT NULL,
    expires   timestamptz NOT NULL
);
CREATE TABLE {s}.runs (
    environment text COLLATE "C" NOT NULL,
    run         text COLLATE "C" NOT NULL,
    entries     bigint NOT NULL,
    chain       bigint NOT NULL,
    PRIMARY KEY (environment, run)
);
CREATE TABLE {s}.entries (
    environment text COLLATE "C" NOT NULL,
    run         text COLLATE "C" NOT NULL,
    seq         bigint NOT NULL,
    line        text NOT NULL,
    nonce       text NOT NULL,
    written     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (environment, run, seq)
);
COMMENT ON TABLE {s}.locks IS 'Who runs an environment now; fence grows with every holding and is compared at every append';
COMMENT ON TABLE {s}.runs IS 'How many entries a run has, and the checksum of the last one';
COMMENT ON TABLE {s}.entries IS 'CHECKSUM JSON, each checksum over the one before it: rows are only ever added';
"#];

/// The version that this program writes.
pub const VERSION: i32 = 1;

/// How the schema is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There are no tables of ours.
    Nothing,
    /// Of this version.
    Version(i32),
}

/// Looks at the schema, and changes nothing.
pub async fn look(client: &Client, schema: &str) -> Result<Found, Error> {
    // Asked through the catalogue, where what is missing, or not for this role to enter, is no error.
    let sql = "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = \
               'versions'";
    if client.query_typed_opt(sql, &[(&schema, tokio_postgres::types::Type::TEXT)]).await?.is_none() {
        return Ok(Found::Nothing);
    }
    let version: Option<i32> = client.query_typed_one(&format!("SELECT max(version) FROM {schema}.versions"), &[]).await?.try_get(0)?;
    Ok(version.map_or(Found::Nothing, Found::Version))
}

/// Brings the schema up to this program's version; gives the version it then has, which is another one only if a newer program made it.
pub async fn migrate(client: &mut Client, schema: &str) -> Result<Found, Error> {
    let transaction = client.transaction().await?;
    take_turn(&transaction, schema, "migrate").await?;
    let found = look(transaction.client(), schema).await?;
    let from = match found {
        Found::Version(version) if version >= VERSION => return Ok(found),
        Found::Version(version) => usize::try_from(version).unwrap_or(0),
        Found::Nothing => 0,
    };
    let named: bool =
        transaction.query_typed_one("SELECT to_regnamespace($1) IS NOT NULL", &[(&schema, tokio_postgres::types::Type::TEXT)]).await?.try_get(0)?;
    if !named {
        // Not IF NOT EXISTS: that wants the right to make one even where there is one.
        transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
    }
    let versions = "CREATE TABLE IF NOT EXISTS {s}.versions (version int PRIMARY KEY, made timestamptz NOT NULL DEFAULT clock_timestamp())";
    transaction.batch_execute(&versions.replace("{s}", schema)).await?;
    for (at, migration) in MIGRATIONS.iter().enumerate().skip(from) {
        transaction.batch_execute(&migration.replace("{s}", schema)).await?;
        let version = i32::try_from(at + 1).unwrap_or(i32::MAX);
        transaction.execute(&format!("INSERT INTO {schema}.versions (version) VALUES ($1)"), &[&version]).await?;
    }
    transaction.commit().await?;
    Ok(Found::Version(VERSION))
}

/// Waits until this transaction alone does `what` in a schema.
pub async fn take_turn(transaction: &tokio_postgres::Transaction<'_>, schema: &str, what: &str) -> Result<(), Error> {
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 20261121))::text";
    transaction.query_typed(sql, &[(&format!("switchover {schema} {what}"), tokio_postgres::types::Type::TEXT)]).await.map(drop)
}
