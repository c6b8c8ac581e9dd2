//! Entries as rows: added in one statement that compares the fence, the place and the checksum of the last one as it goes.

use std::sync::Arc;

use futures_util::TryStreamExt;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error as PgError};

use crate::apply::journal::Entry;
use crate::apply::journal::codec;

/// A run larger than this is not read: one of 100,000 steps needs a tenth of it.
const RUN_BYTES_MAX: u64 = 1 << 30;

/// What is to be added, and behind what.
pub struct Batch {
    /// The locks that must be held.
    pub names: Vec<String>,
    /// Under this fence.
    pub fence: String,
    /// The environment.
    pub environment: String,
    /// The run.
    pub run: String,
    /// The number of the first.
    pub first: i64,
    /// The checksum of the one before.
    pub chain: u32,
    /// One line each.
    pub lines: Vec<String>,
    /// The checksum of the last.
    pub chain_after: u32,
    /// Who writes, and which append of theirs it is: found again when the answer was lost.
    pub nonce: String,
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there, durably.
    Yes,
    /// Not all of the locks are ours.
    Fenced,
    /// The run does not end where it was to go on.
    Elsewhere,
}

/// One statement is one transaction. Reading the lock rows FOR SHARE makes whoever takes a lock wait until this is committed, and makes this wait for
/// a takeover that is being committed, whose fence it then sees: so no append of an old holder can come after the takeover.
const APPEND: &str = "
WITH held AS MATERIALIZED (
    SELECT fence || '/' || nonce AS fence FROM {s}.locks WHERE name = ANY($1) ORDER BY name FOR SHARE
), fit AS MATERIALIZED (
    SELECT count(*) FILTER (WHERE fence = $2) = cardinality($1::text[]) AS fits,
        set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true) AS sync
    FROM held
), head AS (
    INSERT INTO {s}.runs AS r (environment, run, entries, chain)
    SELECT $3, $4, $5 + cardinality($8::text[]), $7 FROM fit
    WHERE fits AND ($5 = 0 OR EXISTS (SELECT 1 FROM {s}.runs WHERE environment = $3 AND run = $4))
    ON CONFLICT (environment, run) DO UPDATE SET entries = EXCLUDED.entries, chain = EXCLUDED.chain WHERE r.entries = $5 AND r.chain = $6
    RETURNING 1
), added AS (
    INSERT INTO {s}.entries (environment, run, seq, line, nonce)
    SELECT $3, $4, $5 + number - 1, line, $9 FROM unnest($8::text[]) WITH ORDINALITY AS new (line, number) WHERE EXISTS (SELECT 1 FROM head)
    RETURNING 1
)
SELECT fits, (SELECT count(*) FROM added), sync FROM fit";

/// Adds a batch, or finds that an earlier try already had.
pub async fn append(client: Arc<Client>, s: &str, batch: &Batch, again: bool) -> Result<Added, PgError> {
    if again && is_there(&client, s, batch).await? {
        return Ok(Added::Yes);
    }
    let (chain, chain_after, count) = (i64::from(batch.chain), i64::from(batch.chain_after), batch.lines.len());
    let values: [(&(dyn ToSql + Sync), Type); 9] = [
        (&batch.names, Type::TEXT_ARRAY),
        (&batch.fence, Type::TEXT),
        (&batch.environment, Type::TEXT),
        (&batch.run, Type::TEXT),
        (&batch.first, Type::INT8),
        (&chain, Type::INT8),
        (&chain_after, Type::INT8),
        (&batch.lines, Type::TEXT_ARRAY),
        (&batch.nonce, Type::TEXT),
    ];
    let row = client.query_typed_one(&APPEND.replace("{s}", s), &values).await?;
    let (fits, added): (bool, i64) = (row.try_get(0)?, row.try_get(1)?);
    if fits && usize::try_from(added) == Ok(count) {
        return Ok(Added::Yes);
    }
    // The try whose answer was lost may have been at work until just now.
    if again && is_there(&client, s, batch).await? {
        return Ok(Added::Yes);
    }
    Ok(if fits { Added::Elsewhere } else { Added::Fenced })
}

/// Whether just the rows of this append are there.
async fn is_there(client: &Client, s: &str, batch: &Batch) -> Result<bool, PgError> {
    let sql = format!("SELECT count(*) FROM {s}.entries WHERE environment = $1 AND run = $2 AND seq >= $3 AND nonce = $4");
    let values: [(&(dyn ToSql + Sync), Type); 4] =
        [(&batch.environment, Type::TEXT), (&batch.run, Type::TEXT), (&batch.first, Type::INT8), (&batch.nonce, Type::TEXT)];
    let count: i64 = client.query_typed_one(&sql, &values).await?.try_get(0)?;
    Ok(usize::try_from(count) == Ok(batch.lines.len()))
}

/// A run as it is stored.
#[derive(Debug, Default)]
pub struct Stored {
    /// Entries, in order.
    pub entries: Vec<Entry>,
    /// The checksum of the last.
    pub chain: u32,
}

/// Reads a run, in one statement and so as of one moment. What is damaged comes as the words that say so.
pub async fn read(client: Arc<Client>, s: &str, environment: &str, run: &str) -> Result<Result<Stored, String>, PgError> {
    let sql = format!(
        "SELECT seq, line, NULL::bigint, NULL::bigint FROM {s}.entries WHERE environment = $1 AND run = $2 UNION ALL SELECT NULL, NULL, entries, chain \
         FROM {s}.runs WHERE environment = $1 AND run = $2 ORDER BY 1 NULLS FIRST"
    );
    let rows = client.query_typed_raw(&sql, [(environment, Type::TEXT), (run, Type::TEXT)]).await?;
    let mut rows = std::pin::pin!(rows);
    let (mut stored, mut head, mut bytes) = (Stored::default(), None, 0);
    while let Some(row) = rows.try_next().await? {
        let (Some(seq), Some(line)) = (row.try_get::<_, Option<i64>>(0)?, row.try_get::<_, Option<&str>>(1)?) else {
            head = Some((row.try_get::<_, i64>(2)?, row.try_get::<_, i64>(3)?));
            continue;
        };
        bytes += line.len() as u64;
        if bytes > RUN_BYTES_MAX {
            return Ok(Err("it is larger than any journal of ours".to_owned()));
        }
        if let Err(why) = add(&mut stored, seq, line) {
            return Ok(Err(why));
        }
    }
    Ok(match head {
        None if stored.entries.is_empty() => Ok(stored),
        None => Err("its row in runs is gone".to_owned()),
        Some((count, chain)) if (count, chain) == (length(&stored), i64::from(stored.chain)) => Ok(stored),
        Some((count, _)) if count > length(&stored) => Err(format!("records are missing at its end: {} of {count} are there", length(&stored))),
        Some(_) => Err("its last records are not those that its row in runs tells of".to_owned()),
    })
}

fn length(stored: &Stored) -> i64 {
    i64::try_from(stored.entries.len()).unwrap_or(i64::MAX)
}

fn add(stored: &mut Stored, seq: i64, line: &str) -> Result<(), String> {
    let expected = length(stored);
    if seq != expected {
        return Err(format!("record {expected} is missing: record {seq} stands in its place"));
    }
    let (entry, chain) = codec::decode_line(line.as_bytes(), stored.chain).map_err(|why| format!("record {seq}: {why}"))?;
    if i64::try_from(entry.seq) != Ok(seq) {
        return Err(format!("record {seq}: its number is {}", entry.seq));
    }
    stored.entries.push(entry);
    stored.chain = chain;
    Ok(())
}
