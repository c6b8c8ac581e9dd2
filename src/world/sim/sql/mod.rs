//! `PostgreSQL`, simulated: a model of tables that knows how many rows each has and which others it references. Enough for checks
//! by count and for scrubbing; whatever it cannot judge is an explicit error, never a guess.

mod judge;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::aws::DbInstance;
use super::core::{Core, Reply, Work};
use super::touched::Touched;
use crate::model::Json;
use crate::world::sql::{BeforeCommit, Fate, SqlRead, SqlTarget, SqlWrite};
use crate::world::{CallError, CallResult, Failure};
use judge::Refusal;
use tokens::Statement;

/// By database name.
pub type Databases = BTreeMap<String, Database>;

/// One database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Tables of the schema `public`, by name.
    #[serde(default)]
    pub tables: BTreeMap<String, Table>,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Tables that its foreign keys point to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
}

/// The door.
pub(super) struct SqlDoor {
    pub(super) core: Arc<Core>,
    pub(super) target: SqlTarget,
}

/// Account, region.
type Where = (String, String);

impl SqlDoor {
    fn words(&self) -> String {
        format!("{} {}", self.target.host, self.target.database)
    }

    /// Connects: the instance must be there, take connections, and be the one that the host name leads to.
    fn connect<'w>(&self, work: &'w mut Work<'_>) -> CallResult<(Where, &'w mut DbInstance)> {
        let call = work.call;
        let unreachable = |why: String| CallError::new(call, Failure::Unreachable, why);
        let target = &self.target;
        for (account_id, account) in &mut work.state.aws.accounts {
            for (region_name, region) in &mut account.regions {
                let Some(instance) = region.instances.get_mut(&target.resource_id) else { continue };
                if !leads_to(&target.host, &instance.identifier) {
                    return Err(unreachable(format!("{} does not lead to {}", target.host, instance.identifier)));
                }
                if instance.hidden() || !takes_connections(instance.status()) {
                    return Err(unreachable(format!("{} refuses connections while it is {}", target.host, instance.status())));
                }
                if !instance.databases.contains_key(&target.database) {
                    return Err(CallError::new(call, Failure::Refused, format!("database \"{}\" does not exist", target.database)).code("3D000"));
                }
                return Ok(((account_id.clone(), region_name.clone()), instance));
            }
        }
        Err(unreachable(format!("there is no instance behind {}", target.host)))
    }

    fn database<'w>(&self, instance: &'w mut DbInstance) -> &'w mut Database {
        instance.databases.entry(self.target.database.clone()).or_default()
    }
}

fn takes_connections(status: &str) -> bool {
    matches!(status, "available" | "backing-up" | "modifying") || status.starts_with("storage-") || status.starts_with("configuring-")
}

/// Whether a host leads to an instance: its name stands in the host as a whole, or the host is this machine (a tunnel).
fn leads_to(host: &str, identifier: &str) -> bool {
    let loopback = host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let whole = |at: usize| !host[at + identifier.len()..].starts_with(inside) && !host[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
    loopback || host.match_indices(identifier).any(|(at, _)| whole(at))
}

fn refusal(call: &str, (code, message): Refusal) -> CallError {
    let mut error = CallError::new(call, Failure::Refused, message);
    error.code = code.map(str::to_owned);
    error
}

fn parse(call: &str, sql: &str) -> CallResult<Vec<Statement>> {
    tokens::statements(sql).map_err(|why| CallError::new(call, Failure::Refused, why).code("42601"))
}

#[async_trait]
impl SqlRead for SqlDoor {
    async fn scalar(&self, sql: &str) -> CallResult<Json> {
        let read = |work: &mut Work<'_>| {
            let call = work.call;
            let (_, instance) = self.connect(work)?;
            let statements = parse(call, sql)?;
            match statements.as_slice() {
                [statement] => judge::select(self.database(instance), statement).map_err(|error| refusal(call, error)),
                _ => Err(CallError::new(call, Failure::Refused, "one statement is wanted").code("42601")),
            }
        };
        self.core.call("postgres:query", self.words(), false, read).await
    }

    async fn fate(&self, transaction_id: &str) -> CallResult<Fate> {
        let read = |work: &mut Work<'_>| {
            let call = work.call;
            let id: u64 = transaction_id.parse().map_err(|_| CallError::new(call, Failure::Refused, "this is not a transaction id").code("22P02"))?;
            let (begun, open) = (work.state.counters.transactions, work.open_transactions.contains(&id));
            let (_, instance) = self.connect(work)?;
            match id {
                _ if open => Ok(Fate::InProgress),
                _ if instance.transactions.contains(&id) => Ok(Fate::Committed),
                // The server cannot know more than it has begun.
                _ if id > begun + FIRST_TRANSACTION => {
                    Err(CallError::new(call, Failure::Refused, format!("transaction ID {id} is in the future")).code("22023"))
                }
                _ if id < FIRST_TRANSACTION => Ok(Fate::Forgotten),
                _ => Ok(Fate::Aborted),
            }
        };
        self.core.call("postgres:fate", format!("{} {transaction_id}", self.words()), false, read).await
    }
}

/// Ids below were used before the world began.
const FIRST_TRANSACTION: u64 = 1_000;

/// Takes a transaction off the list of open ones, however it ends.
struct Open<'a>(&'a Core, u64);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.lock().open_transactions.remove(&self.1);
    }
}

impl SqlDoor {
    /// Everything up to COMMIT: the statements go well, and the transaction has an id that is never given again.
    fn try_statements(&self, work: &mut Work<'_>, statements: &[Statement]) -> CallResult<u64> {
        let call = work.call;
        let (_, instance) = self.connect(work)?;
        let mut copy = self.database(instance).clone();
        statements.iter().try_for_each(|statement| judge::execute(&mut copy, statement)).map_err(|error| refusal(call, error))?;
        work.state.counters.transactions = work.state.counters.transactions.saturating_add(1);
        work.dirty.insert(Touched::Counters);
        let id = FIRST_TRANSACTION + work.state.counters.transactions;
        work.open_transactions.insert(id);
        Ok(id)
    }

    /// COMMIT: the statements are done on what is there now.
    fn commit(&self, work: &mut Work<'_>, statements: &[Statement], id: u64) -> CallResult<()> {
        let call = work.call;
        let ((account, region), instance) = self.connect(work)?;
        let mut copy = self.database(instance).clone();
        statements.iter().try_for_each(|statement| judge::execute(&mut copy, statement)).map_err(|error| refusal(call, error))?;
        *self.database(instance) = copy;
        instance.transactions.insert(id);
        work.dirty.insert(Touched::Instance(account, region, self.target.resource_id.clone()));
        Ok(())
    }

    async fn run(&self, statements: &[Statement], before: &dyn BeforeCommit) -> Reply<()> {
        let begun = match self.core.begin("postgres:transaction", self.words(), true) {
            Ok(begun) => begun,
            Err(reply) => return reply,
        };
        let call = begun.info.call;
        let id = match self.core.prepare(call, |work| self.try_statements(work, statements)) {
            Ok(id) => id,
            Err(error) => return self.core.answer(begun.without_fault(), |_| Err(error)),
        };
        let open = Open(&self.core, id);
        if let Err(why) = before.about_to_commit(&id.to_string()).await {
            let aborted = CallError::new(call, Failure::Refused, format!("the transaction was aborted before it was committed: {why}"));
            return self.core.answer(begun.without_fault(), |_| Err(aborted));
        }
        let reply = self.core.answer(begun, |work| self.commit(work, statements, id));
        drop(open);
        reply
    }
}

#[async_trait]
impl SqlWrite for SqlDoor {
    async fn transaction(&self, statements: &[String], before: &dyn BeforeCommit) -> CallResult<()> {
        let mut parsed = Vec::new();
        for sql in statements {
            parsed.extend(parse("postgres:transaction", sql)?);
        }
        self.run(&parsed, before).await.wait().await
    }
}
