//! What only the store in `PostgreSQL` has: tables, versions, rights, a server that goes away.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use switchover::apply::journal::{Acquire, Patience, Store};
use switchover::model::Exit;

use super::arena::{Arena, LONG, acquire, entries, entry};
use super::postgres::{Shared, arena};
use crate::services::cutter::Cutter;
use crate::services::postgres::PASSWORD;

#[tokio::test]
async fn tables_of_a_newer_version_are_refused_by_name() {
    let Some(arena) = arena().await else { return };
    let lease = arena.open().acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    let held = arena.open().lock("env:staging", "staging").await.unwrap().unwrap();
    arena.sql("INSERT INTO {s}.versions (version) VALUES (99)");
    let store = arena.open();
    for refused in [
        store.read("staging", "r1").await.unwrap_err(),
        store.lock("env:staging", "staging").await.unwrap_err(),
        store.acquire(&acquire("other", "r1", &[], LONG)).await.unwrap_err(),
        store.remove_lock(&held, "staging").await.unwrap_err(),
        store.append(&lease, "r1", &[entry(0)]).await.map_or_else(|error| error, |()| panic!("it wrote into tables that it does not know")),
    ] {
        assert!(refused.chain().contains("newer version: 99"), "{refused:?}");
    }
    assert_eq!(arena.sql("SELECT count(*) FROM {s}.entries"), "0");
}

#[tokio::test]
async fn a_role_that_may_make_no_tables_works_where_they_are_and_says_what_it_lacks_where_they_are_not() {
    let Some(arena) = arena().await else { return };
    let role = format!("{}_ci", arena.name);
    arena.sql(&format!("CREATE ROLE {role} LOGIN"));
    let open = || Shared::handle(&arena.url(&role, arena.server.port), Patience::default());
    assert!(open().runs("staging").await.unwrap().is_empty(), "reading needs no tables");
    let refused = open().acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap_err();
    assert!(refused.chain().contains("cannot make the tables") && refused.help().contains("journals.md"), "{refused:?}");
    // Somebody with more rights used it once, and granted what the document on journals says.
    arena.open().release(&arena.open().acquire(&acquire("staging", "r0", &[], LONG)).await.unwrap()).await.unwrap();
    arena.sql(&format!(
        "GRANT USAGE ON SCHEMA {{s}} TO {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON {{s}}.locks TO {role}; GRANT SELECT, INSERT, UPDATE ON {{s}}.runs TO \
         {role}; GRANT SELECT, INSERT ON {{s}}.entries TO {role}; GRANT USAGE ON SEQUENCE {{s}}.fences TO {role}; GRANT SELECT ON {{s}}.versions TO {role}"
    ));
    let lease = open().acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    open().append(&lease, "r1", &entries(0..2)).await.unwrap();
    open().append(&lease, "r1", &[entry(2)]).await.unwrap();
    open().renew(&lease).await.unwrap();
    assert_eq!(open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..3));
    let held = open().lock("env:staging", "staging").await.unwrap().unwrap();
    open().release(&lease).await.unwrap();
    assert!(!open().remove_lock(&held, "staging").await.unwrap(), "given back already");
}

#[tokio::test]
async fn a_standby_can_be_read_and_is_refused_for_writing() {
    let Some(arena) = arena().await else { return };
    let lease = arena.open().acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    arena.open().append(&lease, "r1", &entries(0..3)).await.unwrap();
    let standby = arena.server.standby();
    let store = Shared::handle(&arena.url(&arena.name, standby.port), Patience::default());
    assert_eq!(store.read("staging", "r1").await.unwrap().unwrap().entries, entries(0..3));
    assert!(store.lock("env:staging", "staging").await.unwrap().is_some());
    for refused in [
        store.append(&lease, "r1", &[entry(3)]).await.unwrap_err(),
        store.acquire(&acquire("other", "r2", &[], LONG)).await.unwrap_err(),
        store.renew(&lease).await.unwrap_err(),
    ] {
        assert!(refused.help().contains("primary"), "{refused:?}");
    }
}

#[tokio::test]
async fn records_missing_at_the_end_are_missed() {
    let Some(arena) = arena().await else { return };
    let store = arena.open();
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &entries(0..4)).await.unwrap();
    arena.sql("DELETE FROM {s}.entries WHERE seq >= 2");
    let refused = arena.open().read("staging", "r1").await.unwrap_err();
    assert!(refused.chain().contains("2 of 4 are there"), "{refused:?}");
    arena.sql("DELETE FROM {s}.runs");
    assert!(arena.open().read("staging", "r1").await.unwrap_err().chain().contains("its row in runs is gone"));
    assert_eq!(arena.open().runs("staging").await.unwrap(), ["r1"], "it is not forgotten");
}

#[tokio::test]
async fn fences_grow_and_commits_are_durable_whatever_the_server_says() {
    let Some(arena) = arena().await else { return };
    let store = arena.open();
    let mut last = 0;
    for number in 0..5 {
        let lease = store.acquire(&acquire("staging", &format!("r{number}"), &[], LONG)).await.unwrap();
        let fence: i64 = lease.fence.split('/').next().unwrap().parse().unwrap();
        assert!(fence > last, "{fence} after {last}");
        last = fence;
        store.release(&lease).await.unwrap();
    }
    assert_eq!(arena.sql("SHOW synchronous_commit"), "off", "or this test shows nothing");
    arena.sql(
        "CREATE TABLE {s}.seen (setting text); GRANT ALL ON {s}.seen TO {s}; CREATE FUNCTION {s}.see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO \
         {s}.seen SELECT current_setting('synchronous_commit'); RETURN NULL; END$$; CREATE CONSTRAINT TRIGGER see AFTER INSERT ON {s}.entries DEFERRABLE INITIALLY \
         DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.see()",
    );
    let lease = store.acquire(&acquire("staging", "r9", &[], LONG)).await.unwrap();
    store.append(&lease, "r9", &[entry(0)]).await.unwrap();
    assert_eq!(arena.sql("SELECT DISTINCT setting FROM {s}.seen"), "on", "as it is when the commit begins");
}

#[tokio::test]
async fn no_error_names_the_password() {
    let Some(arena) = arena().await else { return };
    let url = |password: &str| format!("postgres://locked:{password}@127.0.0.1:{}/journals?schema={}", arena.server.port, arena.name);
    let store = Shared::handle(&url(PASSWORD), Patience::default());
    assert!(store.runs("staging").await.unwrap().is_empty());
    assert!(!store.place().contains(PASSWORD) && store.place().contains("locked@127.0.0.1"));
    let refused = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap_err();
    assert!(!format!("{refused:?}").contains(PASSWORD), "{refused:?}");
    let wrong = Shared::handle(&url("planted-wrong-password"), Patience::default()).runs("staging").await.unwrap_err();
    assert!(!format!("{wrong:?}").contains("planted") && wrong.help().contains("password"), "{wrong:?}");
}

#[tokio::test]
async fn sessions_are_encrypted_and_the_server_is_verified_as_the_url_says() {
    let Some(arena) = arena().await else { return };
    let (port, name) = (arena.server.port, &arena.name);
    let base = format!("postgres://{name}@localhost:{port}/journals?schema={name}");
    let encrypted = || arena.sql("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = '{s}'");
    for (more, ssl) in [
        (String::new(), "f"),
        ("&sslmode=require".to_owned(), "t"),
        (format!("&sslmode=verify-full&sslrootcert={}", arena.server.ca_file()), "t"),
        (format!("&host={}", arena.server.folder.display()), "f"),
    ] {
        let store = Shared::handle(&format!("{base}{more}"), Patience::default());
        assert!(store.runs("staging").await.unwrap().is_empty(), "{more}");
        assert_eq!(encrypted(), ssl, "{more}");
        drop(store);
        arena.sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '{s}'");
    }
    let hasty = || Patience { before: Duration::ZERO, ..Patience::default() };
    let by_number = format!("postgres://{name}@127.0.0.1:{port}/journals?schema={name}&sslmode=verify-full&sslrootcert={}", arena.server.ca_file());
    for url in [format!("{base}&sslmode=verify-full"), by_number] {
        let refused = Shared::handle(&url, hasty()).runs("staging").await.unwrap_err();
        assert!(refused.chain().contains("certificate"), "{refused:?}");
    }
}

/// A handle through a cutter that tells what it says about waiting.
fn listened(arena: &Shared) -> (Arc<dyn Store>, Cutter, Arc<Mutex<Vec<String>>>) {
    let (cutter, said) = (Cutter::to(arena.server.port), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&said);
    let patience = Patience { listener: Arc::new(move |text| heard.lock().unwrap().push(text.to_owned())), ..Patience::default() };
    (Shared::handle(&arena.url(&arena.name, cutter.port), patience), cutter, said)
}

async fn until_it_waits(said: &Mutex<Vec<String>>) {
    while said.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_gone_for_a_while_is_waited_for_and_that_is_told() {
    let Some(arena) = arena().await else { return };
    let (store, cutter, said) = listened(&arena);
    // Over before the server is back, and nobody took it.
    let lease = store.acquire(&acquire("staging", "r1", &[], Duration::ZERO)).await.unwrap();
    store.append(&lease, "r1", &[entry(0)]).await.unwrap();
    cutter.down(true);
    let record = [entry(1)];
    let (appended, ()) = tokio::join!(store.append(&lease, "r1", &record), async {
        until_it_waits(&said).await;
        cutter.down(false);
    });
    appended.unwrap();
    store.renew(&lease).await.unwrap();
    assert_eq!(arena.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..2));
    let said = said.lock().unwrap().clone();
    assert!(said[0].contains("cannot be reached") && said[0].contains("waiting since"), "{said:?}");
    assert!(said.last().unwrap().contains("reached again"), "{said:?}");
}

#[tokio::test]
async fn who_comes_back_after_a_takeover_is_fenced() {
    let Some(arena) = arena().await else { return };
    let (store, cutter, said) = listened(&arena);
    let lease = store.acquire(&acquire("staging", "r1", &[], Duration::ZERO)).await.unwrap();
    store.append(&lease, "r1", &[entry(0)]).await.unwrap();
    cutter.down(true);
    let record = [entry(1)];
    let (appended, ()) = tokio::join!(store.append(&lease, "r1", &record), async {
        until_it_waits(&said).await;
        arena.open().acquire(&Acquire { takeover: true, ..acquire("staging", "r2", &[], LONG) }).await.unwrap();
        cutter.down(false);
    });
    let fenced = appended.unwrap_err();
    assert!(fenced.exit() == Exit::Person && fenced.chain().contains("taken over by somebody"), "{fenced:?}");
    assert_eq!(arena.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..1));
}

/// Enough for a mean.
const APPENDS: u64 = 200;

#[tokio::test]
async fn an_append_is_one_exchange() {
    let Some(arena) = arena().await else { return };
    let (store, cutter, _) = listened(&arena);
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    store.append(&lease, "r1", &[entry(0)]).await.unwrap();
    // A cut that never comes counts requests.
    cutter.cut(crate::services::cutter::Cut::BeforeRequest, usize::MAX);
    for number in 1..=10 {
        store.append(&lease, "r1", &[entry(number)]).await.unwrap();
    }
    assert_eq!(cutter.requests(), 10);
    let (direct, began) = (arena.open(), Instant::now());
    for number in 11..=10 + APPENDS {
        direct.append(&lease, "r1", &[entry(number)]).await.unwrap();
    }
    eprintln!(
        "postgres: {:.2} ms an append, {APPENDS} of them",
        began.elapsed().as_secs_f64() * 1_000.0 / f64::from(u32::try_from(APPENDS).unwrap())
    );
}
