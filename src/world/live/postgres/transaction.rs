//! A scrub: all statements in one transaction whose fate can always be found out.

use tokio_postgres::{Client, Error};

use super::{Postgres, TRANSACTION, errors};
use crate::model::time;
use crate::world::sql::{BeforeCommit, Fate};
use crate::world::{CallError, CallResult, Failure};

/// BEGIN, the statements, the id compared, `before`, COMMIT.
///
/// # Flow
/// The transaction's id is taken right after BEGIN. A statement that ends the transaction (COMMIT, ROLLBACK) leaves another one, or
/// none, behind it: then the id at the end is another. Only when it is the same is `before` told, and only then COMMIT goes out.
///
/// # Guarantees
/// An error that is not `Unknown` means that this transaction did not and will not commit. `Unknown` comes only of COMMIT.
///
/// # Caveats
/// What stood before a COMMIT inside the statements is committed; the error says so.
pub async fn run(door: &Postgres, client: &Client, statements: &[String], before: &dyn BeforeCommit) -> CallResult<()> {
    let work = work(door, client, statements);
    let Ok(done) = tokio::time::timeout(door.limits.transaction, work).await else {
        // Dropping the session makes the server roll back; asking it to stop spares it the rest of the work.
        door.sessions.cancel(client).await;
        let why = format!("not done within {}; rolled back", time::words(door.limits.transaction));
        return Err(CallError::new(TRANSACTION, Failure::Refused, why));
    };
    let id = done?;
    if let Err(why) = before.about_to_commit(&id).await {
        roll_back(client).await;
        return Err(CallError::new(TRANSACTION, Failure::Refused, format!("not committed: {why}")));
    }
    match tokio::time::timeout(door.limits.commit, client.batch_execute("COMMIT")).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(door.error(TRANSACTION, errors::committing(&error), &error)),
        Err(_) => {
            let why = format!("COMMIT was not answered within {}", time::words(door.limits.commit));
            Err(CallError::new(TRANSACTION, Failure::Unknown { retry_after: None }, why))
        }
    }
}

/// Everything up to COMMIT; gives the transaction's id.
async fn work(door: &Postgres, client: &Client, statements: &[String]) -> CallResult<String> {
    let begun = async {
        client.batch_execute("BEGIN").await?;
        current_id(client).await
    };
    let id = begun.await.map_err(|error| door.error(TRANSACTION, errors::before_commit(&error), &error))?;
    for (index, sql) in statements.iter().enumerate() {
        if let Err(error) = client.batch_execute(sql).await {
            let mut failed = door.error(TRANSACTION, errors::before_commit(&error), &error);
            roll_back(client).await;
            let so_far = if committed(client, &id).await { PARTLY } else { "; rolled back" };
            failed.message = format!("statement {} of {}: {}{so_far}", index + 1, statements.len(), failed.message);
            return Err(failed);
        }
    }
    match current_id(client).await {
        Ok(now) if now == id => Ok(id),
        Ok(_) => {
            roll_back(client).await;
            let so_far = if committed(client, &id).await { PARTLY } else { "; rolled back" };
            let why = format!("a statement ended the transaction: take COMMIT and ROLLBACK out of the SQL{so_far}");
            Err(CallError::new(TRANSACTION, Failure::Refused, why))
        }
        Err(error) => {
            roll_back(client).await;
            Err(door.error(TRANSACTION, errors::before_commit(&error), &error))
        }
    }
}

const PARTLY: &str = "; what stood before a COMMIT inside the SQL is committed: this database is not as it was";

/// The id of the transaction that is open; of a new one when none is. As text, since the client has no type for 64-bit ids.
async fn current_id(client: &Client) -> Result<String, Error> {
    client.query_one_scalar("SELECT pg_current_xact_id()::text", &[]).await
}

/// Whether the server says that a transaction committed; "no" also when it cannot be asked any more.
async fn committed(client: &Client, id: &str) -> bool {
    matches!(fate(client, id).await, Ok(Fate::Committed))
}

/// What became of a transaction.
pub async fn fate(client: &Client, id: &str) -> Result<Fate, Error> {
    let word: Option<String> = client.query_one_scalar("SELECT pg_xact_status($1::text::xid8)", &[&id]).await?;
    Ok(match word.as_deref() {
        Some("committed") => Fate::Committed,
        Some("aborted") => Fate::Aborted,
        Some(_) => Fate::InProgress,
        None => Fate::Forgotten,
    })
}

/// An error here changes nothing: without its session the transaction is rolled back all the same.
async fn roll_back(client: &Client) {
    drop(client.batch_execute("ROLLBACK").await);
}
