//! A run begun on one machine goes on on another, with nothing but the environment's file and the journal.

use std::path::Path;

use serde_json::json;

use super::postgres::{Shared, arena};
use crate::cli::bench::{Bench, Said};

/// The machine where the run begins: a whole project, whose process dies in the middle of the outage.
fn here(url: &str) -> Bench {
    let bench = Bench::openverse().variable("TEAM_JOURNAL", url);
    bench.edit("environments/staging.hcl", "environment \"staging\" {", "environment \"staging\" {\n  journal = env(\"TEAM_JOURNAL\")");
    bench.change_world(|world| {
        world["faults"] = json!([{ "call": "rds:ModifyDBInstance", "nth": 2, "times": 1, "fault": { "kind": "crash", "when": "after" } }]);
    });
    bench
}

/// Another machine: the environment's file alone.
struct There {
    bench: Bench,
    world: String,
}

impl There {
    fn new(here: &Bench, url: &str) -> Self {
        let bench = Bench::new("staging", &here.read("environments/staging.hcl"), "").variable("TEAM_JOURNAL", url);
        There { bench, world: here.path("world.json").display().to_string() }
    }

    fn run(&self, args: &[&str]) -> Said {
        self.bench.run(&[args, &["--world", &self.world]].concat())
    }
}

/// As if the process had died on a machine that nobody here can look into.
fn far_away(arena: &Shared) {
    arena.sql("UPDATE {s}.locks SET holder = jsonb_set(jsonb_set(holder::jsonb, '{host}', '\"runner-7\"'), '{boot}', '\"another\"')::text");
}

fn is_empty_but_for_the_file(bench: &Bench) -> bool {
    !bench.path(".switchover").exists() && !bench.path("plan.json").exists()
}

async fn begun() -> Option<(Shared, Bench, There)> {
    let arena = arena().await?;
    let url = arena.url(&arena.name, arena.server.port);
    let here = here(&url);
    here.run(&["plan", "staging", "--out", "plan.json"]).exits(0);
    assert_eq!(arena.sql("SELECT to_regnamespace('{s}') IS NULL"), "t", "planning writes nothing");
    assert_eq!(here.run(&["apply", "plan.json"]).code, -1);
    far_away(&arena);
    assert!(!here.path(".switchover").exists(), "nothing of the run is left on the machine");
    let there = There::new(&here, &url);
    Some((arena, here, there))
}

#[tokio::test]
async fn a_run_begun_on_one_machine_is_resumed_on_another() {
    let Some((arena, here, there)) = begun().await else { return };
    there.run(&["status", "staging", "--offline"]).says("is in its outage since").says("runner-7");
    there.run(&["runs", "staging"]).exits(0).says("unfinished");
    there.run(&["resume", "staging"]).exits(7).says("is locked by tester on runner-7");
    there.run(&["apply", "staging", "--yes"]).exits(1);
    arena.sql("UPDATE {s}.locks SET expires = clock_timestamp()");
    there.run(&["resume", "staging"]).exits(0).says("staging: DONE").says("outage dev-openverse-db");
    assert!(is_empty_but_for_the_file(&there.bench));
    let run = there.run(&["runs", "staging", "--json"]).exits(0).json()["runs"][0]["run"].as_str().unwrap().to_owned();
    there.run(&["runs", "staging", &run]).exits(0).says("DONE");
    // Where it began everybody sees the same, and the plan is used up.
    here.run(&["resume", "staging"]).exits(0).says("Nothing to resume");
    here.run(&["apply", "plan.json"]).exits(6);
    here.run(&["plan", "staging", "--detailed-exitcode"]).exits(0);
    assert_eq!(arena.sql("SELECT count(*) FROM {s}.locks"), "0");
}

#[tokio::test]
async fn a_run_begun_on_one_machine_is_unlocked_and_turned_back_on_another() {
    let Some((arena, here, there)) = begun().await else { return };
    there.run(&["rollback", "staging", "--yes"]).exits(7);
    assert!(arena.sql("SELECT count(*) FROM {s}.locks").parse::<u32>().unwrap() > 1, "resources are locked too");
    there.run(&["unlock", "staging", "--yes"]).exits(0).says("runner-7").says("staging is unlocked");
    assert_eq!(arena.sql("SELECT count(*) FROM {s}.locks"), "0");
    there.run(&["rollback", "staging", "--yes"]).exits(0).says("TURNED BACK");
    assert!(is_empty_but_for_the_file(&there.bench));
    here.run(&["status", "staging", "--offline"]).exits(0);
    here.run(&["plan", "staging", "--detailed-exitcode"]).exits(2);
}

#[tokio::test]
async fn a_journal_can_be_named_in_every_way_and_no_way_shows_its_password() {
    let Some(arena) = arena().await else { return };
    let url = format!("postgres://{}:planted-journal-password@127.0.0.1:{}/journals?schema={0}", arena.name, arena.server.port);
    let literal = Bench::openverse();
    literal.edit("environments/staging.hcl", "environment \"staging\" {", &format!("environment \"staging\" {{\n  journal = \"{url}\""));
    literal.run(&["plan", "staging", "--out", "plan.json"]).never_says("planted").exits(0);
    assert!(!literal.read("plan.json").contains("planted"));
    literal.run(&["apply", "plan.json", "-vv"]).never_says("planted").exits(0);
    assert_eq!(arena.sql("SELECT count(*) FROM {s}.entries WHERE line LIKE '%planted%'"), "0");
    for (setting, word) in
        [("redis://:planted@h/1", "`redis://…`"), ("planted-and-no-url", "what is set"), ("postgres://:planted@h/d", "names no role")]
    {
        let bench = Bench::openverse();
        bench.run(&["status", "staging", "--offline", "--journal", setting]).never_says("planted").exits(1).says(word);
        bench.variable("SWITCHOVER_JOURNAL", setting).run(&["apply", "staging", "--yes"]).never_says("planted").exits(1).says(word);
    }
    let flag = Bench::openverse();
    flag.run(&["runs", "staging", "--journal", &url.replace("postgres:", "postgresql:")]).exits(0).says("17/17");
    assert!(Path::new(&flag.path("world.json")).exists() && !flag.path(".switchover").exists());
}
