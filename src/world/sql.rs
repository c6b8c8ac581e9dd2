//! SQL as checks and scrubs need it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::CallResult;
use crate::model::{Json, SecretRef};

/// Where a session goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlTarget {
    /// The RDS instance behind it, by `DbiResourceId`: the simulated world finds the tables by it.
    pub resource_id: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `disable`, `require` or `verify-full`.
    pub sslmode: String,
    /// A PEM file of further roots.
    pub ca_file: Option<String>,
    /// Role.
    pub user: String,
    /// Its password, if any.
    pub password: Option<SecretRef>,
    /// Database name.
    pub database: String,
}

/// What became of a transaction, by `pg_xact_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It happened.
    Committed,
    /// It did not and never will.
    Aborted,
    /// Its session is still at work.
    InProgress,
    /// Too old for the server to know.
    Forgotten,
}

/// Asked between the last statement and COMMIT.
#[async_trait]
pub trait BeforeCommit: Send + Sync {
    /// `transaction_id` is about to commit. An error aborts it.
    async fn about_to_commit(&self, transaction_id: &str) -> Result<(), String>;
}

/// Reading.
#[async_trait]
pub trait SqlRead: Send + Sync {
    /// The first column of the only row, in a read-only transaction: a number, text, bool or null. No row, or more than one, is refused.
    async fn scalar(&self, sql: &str) -> CallResult<Json>;
    /// What became of a transaction.
    async fn fate(&self, transaction_id: &str) -> CallResult<Fate>;
}

/// Writing.
#[async_trait]
pub trait SqlWrite: SqlRead {
    /// Runs all `statements` (each may hold several, separated by `;`) in one transaction. The transaction's id is compared at its end with that at its
    /// beginning (a statement that ended the transaction is refused), handed to `before`, and only then committed. An error whose
    /// outcome is unknown can only come from the COMMIT itself.
    async fn transaction(&self, statements: &[String], before: &dyn BeforeCommit) -> CallResult<()>;
}
