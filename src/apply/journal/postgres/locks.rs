//! Locks as rows. Whoever takes one does so alone, and waits for appends that hold the row. The fence grows with every holding; the nonce beside it
//! tells two holdings apart that a server drew one number for, which it can after it failed over to a standby that lagged.

use std::sync::Arc;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error as PgError, Row};

use super::schema;
use crate::apply::journal::store::{Acquire, LockInfo};
use crate::apply::journal::{Holder, locks};
use crate::model::Error;

const COLUMNS: &str = "name, fence || '/' || nonce, run, holder, since, heartbeat, expires, expires <= clock_timestamp() AS expired, nonce";

/// A lock as a row, and the word by which its holder knows it again.
pub struct Held {
    /// As people see it.
    pub info: LockInfo,
    nonce: String,
}

fn held(row: &Row) -> Result<Held, PgError> {
    let holder: String = row.try_get(3)?;
    let unknown = Holder {
        actor: "somebody unknown".to_owned(),
        host: String::new(),
        boot: String::new(),
        pid_namespace: String::new(),
        pid: 0,
        process_start: 0,
    };
    let info = LockInfo {
        name: row.try_get(0)?,
        fence: row.try_get(1)?,
        run: row.try_get(2)?,
        // Whoever changed it by hand does not get the lock by that.
        holder: serde_json::from_str(&holder).unwrap_or(unknown),
        since: row.try_get(4)?,
        heartbeat: row.try_get(5)?,
        expires: row.try_get(6)?,
        expires_since_boot_ms: None,
        expired: row.try_get(7)?,
    };
    Ok(Held { info, nonce: row.try_get(8)? })
}

/// One lock.
pub async fn one(client: &Client, s: &str, name: &str) -> Result<Option<Held>, PgError> {
    let sql = format!("SELECT {COLUMNS} FROM {s}.locks WHERE name = $1");
    client.query_typed_opt(&sql, &[(&name, Type::TEXT)]).await?.as_ref().map(held).transpose()
}

/// What came of the wish for locks.
pub enum Taken {
    /// They are ours, under this fence.
    Ours(String),
    /// One is somebody else's.
    Refused(Error),
}

/// Takes all or none. `nonce` tells a second try that the first one had gone well.
pub async fn take(mut client: Client, s: &str, acquire: &Acquire, nonce: &str) -> Result<Taken, PgError> {
    let transaction = client.transaction().await?;
    // Rows that are not there yet cannot be locked: one process at a time takes locks.
    schema::take_turn(&transaction, s, "take").await?;
    let sql = format!("SELECT {COLUMNS} FROM {s}.locks WHERE name = ANY($1) ORDER BY name FOR UPDATE");
    let rows = transaction.query_typed(&sql, &[(&acquire.names, Type::TEXT_ARRAY)]).await?;
    let all: Vec<Held> = rows.iter().map(held).collect::<Result<_, PgError>>()?;
    if all.len() == acquire.names.len() && all.iter().all(|held| held.nonce == nonce) {
        let fence = all.first().map(|held| held.info.fence.clone()).unwrap_or_default();
        return Ok(Taken::Ours(fence));
    }
    for held in &all {
        if let Err(refused) = locks::may_take(&held.info, acquire) {
            return Ok(Taken::Refused(refused));
        }
    }
    let holder = serde_json::to_string(&acquire.holder).unwrap_or_default();
    // After the rows are ours: a fence that was drawn later is also the greater one.
    let fence: i64 = transaction.query_typed_one(&format!("SELECT nextval('{s}.fences')"), &[]).await?.try_get(0)?;
    let sql = format!(
        "INSERT INTO {s}.locks (name, fence, nonce, run, holder, since, heartbeat, expires) SELECT name, $2, $3, $4, $5, now.t, now.t, now.t + \
         make_interval(secs => $6) FROM unnest($1::text[]) AS name, (SELECT clock_timestamp() AS t) AS now ON CONFLICT (name) DO UPDATE SET fence = \
         EXCLUDED.fence, nonce = EXCLUDED.nonce, run = EXCLUDED.run, holder = EXCLUDED.holder, since = EXCLUDED.since, heartbeat = \
         EXCLUDED.heartbeat, expires = EXCLUDED.expires"
    );
    let seconds = acquire.length.as_secs_f64();
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 6] = [
        (&acquire.names, Type::TEXT_ARRAY),
        (&fence, Type::INT8),
        (&nonce, Type::TEXT),
        (&acquire.run, Type::TEXT),
        (&holder, Type::TEXT),
        (&seconds, Type::FLOAT8),
    ];
    transaction.query_typed(&sql, &values).await?;
    transaction.batch_execute(DURABLE).await?;
    transaction.commit().await?;
    Ok(Taken::Ours(format!("{fence}/{nonce}")))
}

/// Whatever the server's settings say, a commit is answered when it is safe from the server's crash.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') <> 'remote_apply'";

/// Makes locks last from now; gives the first that is no longer ours, as it is now.
pub async fn renew(client: Arc<Client>, s: &str, names: &[String], fence: &str, seconds: f64) -> Result<Option<(String, Option<LockInfo>)>, PgError> {
    let sql = format!(
        "UPDATE {s}.locks SET heartbeat = clock_timestamp(), expires = clock_timestamp() + make_interval(secs => $3) WHERE name = ANY($1) AND fence \
         || '/' || nonce = $2 RETURNING name"
    );
    let rows = client.query_typed(&sql, &[(&names, Type::TEXT_ARRAY), (&fence, Type::TEXT), (&seconds, Type::FLOAT8)]).await?;
    if rows.len() == names.len() { Ok(None) } else { lost(&client, s, names, fence).await.map(Some) }
}

/// Which of these locks is not held under this fence, as it is now.
pub async fn lost(client: &Client, s: &str, names: &[String], fence: &str) -> Result<(String, Option<LockInfo>), PgError> {
    for name in names {
        let held = one(client, s, name).await?.map(|held| held.info);
        if held.as_ref().is_none_or(|held| held.fence != fence) {
            return Ok((name.clone(), held));
        }
    }
    Ok((names.first().cloned().unwrap_or_default(), None))
}
