//! `PostgreSQL` for checks and scrubs. Every call has a session of its own: nothing is left behind, and nothing of an earlier
//! call (a setting, an open transaction) reaches a later one.

mod transaction;
mod value;

use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Client;

use super::http::clean;
use crate::model::{Json, time};
use crate::world::postgres::{NoSession, Sessions, errors};
use crate::world::sql::{BeforeCommit, Fate, SqlRead, SqlTarget, SqlWrite};
use crate::world::{CallError, CallResult, Failure};

const QUERY: &str = "postgres:query";
const TRANSACTION: &str = "postgres:transaction";
const FATE: &str = "postgres:fate";

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct SqlLimits {
    /// Until a session stands, TLS and password included.
    pub connect: Duration,
    /// One question. Counting a table of hundreds of gigabytes takes its time.
    pub query: Duration,
    /// All statements of a transaction together.
    pub transaction: Duration,
    /// COMMIT, and the question what became of it.
    pub commit: Duration,
}

impl Default for SqlLimits {
    fn default() -> Self {
        SqlLimits {
            connect: Duration::from_secs(15),
            query: Duration::from_hours(1),
            transaction: Duration::from_hours(24),
            commit: Duration::from_mins(5),
        }
    }
}

/// One database of one instance.
pub struct Postgres {
    sessions: Sessions,
    limits: SqlLimits,
    secrets: Vec<String>,
}

impl Postgres {
    /// Prepares sessions; nothing is sent yet. `password` is the resolved one.
    ///
    /// # Errors
    /// `Refused` for an unknown `sslmode` or roots that cannot be read.
    pub fn open(target: &SqlTarget, password: Option<String>, limits: SqlLimits) -> CallResult<Self> {
        let sessions = Sessions::new(target, password.as_deref(), limits.connect).map_err(|why| CallError::new(QUERY, Failure::Refused, why))?;
        Ok(Postgres { sessions, limits, secrets: password.into_iter().collect() })
    }

    /// A session whose connection is driven until the client is dropped.
    async fn connect(&self, call: &str) -> CallResult<Client> {
        self.sessions.open().await.map_err(|why| match why {
            NoSession::Failed(error) => self.error(call, errors::connecting(&error), &error),
            NoSession::TimedOut(limit) => CallError::new(call, Failure::Unreachable, format!("no session within {}", time::words(limit))),
        })
    }

    /// An error with the server's own words and code, without the password.
    fn error(&self, call: &str, failure: Failure, error: &tokio_postgres::Error) -> CallError {
        let known = CallError::new(call, failure, clean(&errors::words(error), &self.secrets));
        if let Some(code) = error.code() { known.code(code.code()) } else { known }
    }

    /// The first column of the only row of `sql`.
    async fn read_scalar(&self, client: &mut Client, sql: &str) -> CallResult<Json> {
        let failed = |error: &tokio_postgres::Error| self.error(QUERY, errors::reading(error), error);
        let transaction = client.build_transaction().read_only(true).start().await.map_err(|e| failed(&e))?;
        // Prepared, and so one statement: what follows a semicolon cannot leave the read-only transaction.
        let statement = transaction.prepare(sql).await.map_err(|e| failed(&e))?;
        let refused = |why: String| CallError::new(QUERY, Failure::Refused, why);
        let Some(column) = statement.columns().first() else { return Err(refused("the statement gives no columns".into())) };
        value::supported(column.type_()).map_err(refused)?;
        let portal = transaction.bind(&statement, &[]).await.map_err(|e| failed(&e))?;
        let rows = transaction.query_portal(&portal, 2).await.map_err(|e| failed(&e))?;
        match rows.as_slice() {
            [row] => row.try_get::<_, value::Scalar>(0).map(|scalar| scalar.0).map_err(|e| failed(&e)),
            [] => Err(refused("the statement gives no row; a check needs exactly one".into())),
            _ => Err(refused("the statement gives more than one row; a check needs exactly one".into())),
        }
    }
}

#[async_trait]
impl SqlRead for Postgres {
    async fn scalar(&self, sql: &str) -> CallResult<Json> {
        let mut client = self.connect(QUERY).await?;
        if let Ok(answer) = tokio::time::timeout(self.limits.query, self.read_scalar(&mut client, sql)).await {
            return answer;
        }
        let why = format!("no answer within {}", time::words(self.limits.query));
        Err(CallError::new(QUERY, Failure::Unknown { retry_after: None }, why))
    }

    async fn fate(&self, transaction_id: &str) -> CallResult<Fate> {
        if transaction_id.parse::<u64>().is_err() {
            return Err(CallError::new(FATE, Failure::Refused, format!("`{transaction_id}` is not a transaction id")));
        }
        let client = self.connect(FATE).await?;
        match tokio::time::timeout(self.limits.commit, transaction::fate(&client, transaction_id)).await {
            Ok(Ok(fate)) => Ok(fate),
            Ok(Err(error)) => Err(self.error(FATE, errors::reading(&error), &error)),
            Err(_) => {
                let why = format!("no answer within {}", time::words(self.limits.commit));
                Err(CallError::new(FATE, Failure::Unknown { retry_after: None }, why))
            }
        }
    }
}

#[async_trait]
impl SqlWrite for Postgres {
    async fn transaction(&self, statements: &[String], before: &dyn BeforeCommit) -> CallResult<()> {
        let client = self.connect(TRANSACTION).await?;
        transaction::run(self, &client, statements, before).await
    }
}
