//! SQL in the new instance: the scrub, and questions.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::connect::Connect;
use super::super::desired::Expect;
use super::super::expect;
use super::instance::{InstanceRef, not_yet, reader};
use super::look::nothing_to_start;
use crate::apply::operation::{Cx, Look, Notes, Operation, Outputs, Progress, StartCx};
use crate::world::sql::{BeforeCommit, Fate, SqlTarget};
use crate::world::{CallError, CallResult, Failure};

/// The note that holds the scrub's transaction id.
const TRANSACTION: &str = "transaction_id";

/// Where a session goes now, or what to wait for.
async fn target(provider: &str, instance: &InstanceRef, connect: &Connect, cx: &Cx<'_>) -> CallResult<Result<SqlTarget, Look>> {
    let rds = reader(cx, provider).await?;
    let Some(found) = instance.find(&*rds, cx).await? else { return Ok(Err(instance.missing(cx))) };
    // A backup does not keep anybody from asking.
    if let Some(wait) = not_yet(&found).filter(|_| found.status != "backing-up") {
        return Ok(Err(wait));
    }
    Ok(connect.target(&found).ok_or_else(|| Look::Settling(Progress::status("it has no endpoint yet"))))
}

/// Runs the scrub's statements in one transaction.
///
/// Flow: the transaction's id is journaled just before COMMIT; a later look asks the server for that transaction's fate.
///
/// Guarantees: never committed twice. Without a journaled id nothing was committed, since COMMIT is sent only after the id is
/// on disk; so starting it then is right, whatever became of the call. With one the server says what became of it.
///
/// Caveats: a server that has forgotten the transaction (billions of transactions later) leaves it to a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scrub {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// How to get there.
    pub connect: Connect,
    /// In order.
    pub statements: Vec<String>,
    /// Names of what is written, for the guard.
    pub names: Vec<String>,
}

struct Journaled<'a>(&'a dyn Notes);

#[async_trait]
impl BeforeCommit for Journaled<'_> {
    async fn about_to_commit(&self, transaction_id: &str) -> Result<(), String> {
        self.0.keep(TRANSACTION, transaction_id).await
    }
}

#[async_trait]
impl Operation for Scrub {
    fn name(&self) -> &'static str {
        "postgres:transaction"
    }

    fn writes(&self) -> Vec<String> {
        self.names.clone()
    }

    fn lasts(&self) -> bool {
        true
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let target = match target(&self.provider, &self.instance, &self.connect, cx).await? {
            Ok(target) => target,
            Err(wait) => return Ok(wait),
        };
        let Some(id) = cx.note(TRANSACTION) else { return Ok(Look::Pending) };
        Ok(match cx.readers.sql(&target).await?.fate(id).await? {
            Fate::Committed => Look::Done { outputs: Outputs::new(), detail: format!("transaction {id} is committed") },
            Fate::Aborted => Look::Pending,
            Fate::InProgress => Look::Settling(Progress::status("the transaction is in progress")),
            Fate::Forgotten => Look::Conflict(format!("the server does not know any more what became of transaction {id}")),
        })
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let target = target(&self.provider, &self.instance, &self.connect, cx.cx).await?;
        let target = target.map_err(|_| CallError::new(self.name(), Failure::Unreachable, "the instance does not answer at the moment"))?;
        let sql = cx.writers.sql_writer(&target).await?;
        sql.transaction(&self.statements, &Journaled(cx.notes)).await
    }
}

/// Asks the database a question, and compares the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The provider's name.
    pub provider: String,
    /// Which.
    pub instance: InstanceRef,
    /// How to get there.
    pub connect: Connect,
    /// The query.
    pub sql: String,
    /// All of these must hold of the answer.
    pub expect: Vec<Expect>,
}

#[async_trait]
impl Operation for Ask {
    fn name(&self) -> &'static str {
        "check"
    }

    fn writes(&self) -> Vec<String> {
        Vec::new()
    }

    fn starts(&self) -> bool {
        false
    }

    fn lasts(&self) -> bool {
        true
    }

    fn on_conflict(&self) -> &'static str {
        "the data is not what this check expects: look at it there, or at the check's query and bounds in the environment"
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let target = match target(&self.provider, &self.instance, &self.connect, cx).await? {
            Ok(target) => target,
            Err(wait) => return Ok(wait),
        };
        let answer = cx.readers.sql(&target).await?.scalar(&self.sql).await?;
        Ok(match expect::failed(&answer, &self.expect) {
            None => Look::Done { outputs: Outputs::new(), detail: format!("the answer is {}", expect::words(&answer)) },
            Some(why) => Look::Conflict(why),
        })
    }

    async fn start(&self, _: &StartCx<'_>) -> CallResult<()> {
        nothing_to_start(self.name())
    }
}
