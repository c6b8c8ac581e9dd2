//! The store in a real `PostgreSQL`: a schema and a role of its own for each arena, in one database.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use switchover::apply::journal::postgres::PostgresStore;
use switchover::apply::journal::{Patience, Store};

use super::arena::{Arena, Damage, LeaseClock, Tail};
use crate::services::cutter::Cutter;
use crate::services::postgres::Postgres;

const DATABASE: &str = "journals";

static SERVER: LazyLock<Option<&'static Postgres>> = LazyLock::new(|| Postgres::database(DATABASE));
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A role that owns a schema, both of this name.
pub struct Shared {
    pub server: &'static Postgres,
    pub name: String,
}

pub async fn arena() -> Option<Shared> {
    let (server, name) = ((*SERVER)?, format!("arena_{}", COUNT.fetch_add(1, Ordering::SeqCst)));
    server.psql(DATABASE, &format!("CREATE ROLE {name} LOGIN; GRANT CREATE ON DATABASE {DATABASE} TO {name}"));
    Some(Shared { server, name })
}

conformance!(arena);
conformance_without_writing!(arena);

impl Shared {
    /// The URL as seen through a port.
    pub fn url(&self, role: &str, port: u16) -> String {
        format!("postgres://{role}@127.0.0.1:{port}/{DATABASE}?schema={}", self.name)
    }

    /// A handle for this URL.
    pub fn handle(url: &str, patience: Patience) -> Arc<dyn Store> {
        let nonce = format!("handle-{}", COUNT.fetch_add(1, Ordering::SeqCst));
        Arc::new(PostgresStore::new(url, nonce, patience).unwrap())
    }

    /// Runs SQL as the superuser; `{s}` is the schema.
    pub fn sql(&self, sql: &str) -> String {
        self.server.psql(DATABASE, &sql.replace("{s}", &self.name))
    }

    fn on(run: &str, environment: &str, record: u64) -> String {
        format!("environment = '{environment}' AND run = '{run}' AND seq = {record}")
    }
}

#[async_trait]
impl Arena for Shared {
    fn open(&self) -> Arc<dyn Store> {
        Self::handle(&self.url(&self.name, self.server.port), Patience::default())
    }

    /// The store has no clock to be off: it is given none, and asks the machine for none.
    fn skewed(&self, _seconds: i64) -> Arc<dyn Store> {
        self.open()
    }

    fn lease_clock(&self) -> LeaseClock {
        LeaseClock::Store
    }

    async fn damage(&self, environment: &str, run: &str, damage: Damage) -> bool {
        let on = |record| Self::on(run, environment, record);
        let sql = match damage {
            Damage::Flip { record, at } => format!(
                "UPDATE {{s}}.entries SET line = overlay(line PLACING chr(ascii(substr(line, p, 1)) # 1) FROM p) FROM (SELECT length(line) * {at} / 1000 + 1 \
                 AS p FROM {{s}}.entries WHERE {0}) AS place WHERE {0}",
                on(record)
            ),
            Damage::Remove(record) => format!("DELETE FROM {{s}}.entries WHERE {}", on(record)),
            Damage::Swap(one, other) => {
                let set = |from: u64, to: u64| format!("UPDATE {{s}}.entries SET seq = {to} WHERE {};", on(from));
                [set(one, 9_999), set(other, one), set(9_999, other)].concat()
            }
            Damage::Double { record, over } => {
                format!("UPDATE {{s}}.entries SET line = (SELECT line FROM {{s}}.entries WHERE {}) WHERE {}", on(record), on(over))
            }
            Damage::Shorten(record) => format!("UPDATE {{s}}.entries SET line = left(line, length(line) / 2) WHERE {}", on(record)),
        };
        self.sql(&sql);
        true
    }

    async fn tear(&self, environment: &str, run: &str) -> Option<Tail> {
        self.sql(&format!(
            "UPDATE {{s}}.entries SET line = left(line, length(line) / 2) WHERE environment = '{environment}' AND run = '{run}' AND seq = (SELECT \
             max(seq) FROM {{s}}.entries WHERE environment = '{environment}' AND run = '{run}')"
        ));
        Some(Tail::Refused)
    }

    fn place_of(&self, run: &str) -> String {
        format!("the journal of run {run} at {}", self.open().place())
    }

    async fn is_untouched(&self) -> bool {
        self.sql("SELECT to_regnamespace('{s}') IS NULL") == "t"
    }

    fn through_cutter(&self) -> Option<(Arc<dyn Store>, Cutter)> {
        let cutter = Cutter::to(self.server.port);
        Some((Self::handle(&self.url(&self.name, cutter.port), Patience::default()), cutter))
    }

    /// As a standby has it; sessions that are open are ended, so that the new ones are under it.
    async fn forbid_writing(&self, forbid: bool) {
        let word = if forbid { "on" } else { "off" };
        self.sql(&format!("ALTER ROLE {{s}} SET default_transaction_read_only = {word}"));
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{s}'");
    }

    /// The server's own words for a full disk, from a trigger.
    async fn fill(&self, full: bool) {
        self.sql(if full {
            "CREATE FUNCTION {s}.no_room() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'could not extend file \"base/1/2\": No space left on device' USING \
             ERRCODE = 'disk_full'; END$$; CREATE TRIGGER no_room BEFORE INSERT ON {s}.entries FOR EACH ROW WHEN (octet_length(NEW.line) > 1000000) EXECUTE \
             FUNCTION {s}.no_room()"
        } else {
            "DROP TRIGGER no_room ON {s}.entries"
        });
    }
}
