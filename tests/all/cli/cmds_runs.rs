//! Applying, stopping, going on, turning back: what is said, what is left.

use std::time::Duration;

use serde_json::{Value, json};

use super::bench::{Bench, Said};

/// What a report says after the plan that was shown.
fn report(said: &Said) -> &str {
    let at = said.out.rfind("\nstaging: ").map_or(0, |before| before + 1);
    &said.out[at..]
}

fn fault(call: &str, nth: u64, times: u64, fault: &Value) -> Value {
    json!([{ "call": call, "nth": nth, "times": times, "fault": fault }])
}

fn broken(faults: Value) -> Bench {
    let bench = Bench::openverse();
    bench.change_world(|world| world["faults"] = faults);
    bench
}

fn instances(bench: &Bench) -> Vec<(String, String)> {
    let world = bench.world();
    let all = world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]["instances"].as_object().unwrap().clone();
    let mut found: Vec<(String, String)> = all.into_iter().map(|(id, one)| (one["identifier"].as_str().unwrap().to_owned(), id)).collect();
    found.sort();
    found
}

const OLD: &str = "db-B5NM6QWERT7YUIOPLKJHGFDSA2";

#[test]
fn a_plan_is_applied_once_and_its_history_is_kept() {
    let bench = Bench::openverse();
    bench.run(&["plan", "staging", "--out", "plan.json", "--seed", "1"]).exits(0);
    let before = bench.read("world.json");
    bench.run(&["status"]).exits(0).says("data is 34 days old; due since 2026-11-01");
    assert_eq!(bench.read("world.json"), before, "planning and status write nothing");
    let applied = bench.run(&["apply", "plan.json", "--seed", "1"]).exits(0);
    insta::assert_snapshot!(applied.out, @"
    staging: DONE, everything is as planned  (3h 58m, run 20261105-090000-d5bc86, exit 0)

      done           17  delete-old, rename-old, rename-next, mark-old, snapshot, restore, and 11 more
      undone          0
      in flight       0
      not started     0
      outage       dev-openverse-db: 8m

    Nothing is left for a person to do.
    ");
    bench.run(&["apply", "plan.json"]).exits(6).says("applied already");
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("No changes.");
    insta::assert_snapshot!(bench.run(&["status"]).exits(0).out, @"
    staging: quiet: no unfinished run, no lock
      freshness   database.dev-openverse-db: data is 12h 51m old; next due 2026-12-01 00:00 UTC, in 25
                  days
    ");
    insta::assert_snapshot!(bench.run(&["runs", "staging"]).exits(0).out, @"
    run                     began                   took  how it ended  steps  outage  by
    20261105-090000-d5bc86  2026-11-05 09:00 UTC  3h 58m  done          17/17      8m  tester
    ");
    let runs = bench.run(&["runs", "staging", "--json"]).exits(0).json();
    let run = runs["runs"][0]["run"].as_str().unwrap().to_owned();
    let replayed = bench.run(&["runs", "staging", &run]).exits(0);
    assert!(replayed.out.contains("OUTAGE BEGINS dev-openverse-db") && replayed.out.contains("staging: DONE"), "{}", replayed.out);
    bench.run(&["runs", "staging", "no-such-run"]).exits(1).says("there is no run no-such-run");
    bench.run(&["rollback", "staging", "--yes"]).exits(1).says("delete-old").says("nothing was done");
}

#[test]
fn without_a_terminal_and_without_yes_nothing_begins() {
    let bench = Bench::openverse();
    let before = bench.read("world.json");
    for args in [["apply", "staging"], ["rollback", "staging"], ["unlock", "staging"]] {
        bench.run(&args).exits(1).says("--yes");
    }
    assert_eq!(bench.read("world.json"), before);
    assert!(!bench.path(".switchover").exists());
}

#[test]
fn a_limit_of_time_stops_safely_and_resume_goes_on() {
    let bench = Bench::openverse();
    let stopped = bench.run(&["apply", "staging", "--yes", "--seed", "1", "--max-runtime", "30m"]).exits(8);
    insta::assert_snapshot!(report(&stopped), @"
    staging: STOPPED, at a safe point; nothing is lost  (30m, run 20261105-090000-d5bc86, exit 8)

      done            2  mark-old, snapshot
      undone          0
      in flight       1  restore (restore dev-openverse-db-next from
                         rds:prod-openverse-db-2026-11-05-00-07 (2026-11-05 00:07 UTC))
      not started    14  delete-old, rename-old, rename-next, first-backup, settings, reboot, and 8 more

    Nothing has to be mended by hand.

    From here:
      switchover resume staging     goes on
      switchover rollback staging   turns it back
    ");
    bench.run(&["apply", "staging", "--yes"]).exits(5).says("switchover resume staging").says("switchover rollback staging");
    bench
        .run(&["plan", "staging"])
        .exits(0)
        .says("of staging is unfinished, and `apply` refuses until it is not: `switchover resume staging` goes on");
    insta::assert_snapshot!(bench.run(&["status", "--offline"]).exits(0).out, @"
    staging: needs a look  (journal only)
      unfinished  20261105-090000-d5bc86: in prepare; 2 of 17 steps done, 0 undone, 1 in flight; begun
                  30m ago by tester
                  in flight: database.dev-openverse-db/restore
                  about 1h 39m once it goes on, a guess
                  next: it can go on, or be turned back
                  switchover resume staging
                  switchover rollback staging
    ");
    // The file matters for its journal alone.
    bench.write("environments/staging.hcl", "environment \"staging\" {}\n");
    bench.run(&["resume", "staging"]).exits(0).says("staging: DONE");
    bench.run(&["resume", "staging"]).exits(0).says("Nothing to resume");
}

#[test]
fn a_run_whose_file_is_gone_goes_on() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "30m"]).exits(8);
    std::fs::remove_file(bench.path("environments/staging.hcl")).unwrap();
    bench.run(&["resume", "staging"]).exits(0).says("staging: DONE");
    bench.run(&["runs", "staging"]).exits(0).says("done");
    bench.run(&["resume", "nothing"]).exits(1).says("there is no environment");
}

#[test]
fn an_unfinished_run_is_turned_back() {
    let bench = Bench::openverse();
    let before = instances(&bench);
    bench.run(&["apply", "staging", "--yes", "--seed", "1", "--max-runtime", "30m"]).exits(8);
    let back = bench.run(&["rollback", "staging", "--yes"]).exits(0);
    insta::assert_snapshot!(back.out, @"
    staging: TURNED BACK, everything is as it was before the run  (20m, run 20261105-090000-d5bc86, exit
      0)

      done            1  snapshot
      undone          2  mark-old, restore
      in flight       0
      not started    14  delete-old, rename-old, rename-next, first-backup, settings, reboot, and 8 more

    Nothing is left for a person to do.
    ");
    assert_eq!(instances(&bench), before);
    bench.run(&["rollback", "staging", "--yes"]).exits(0).says("Nothing to roll back");
    bench.run(&["runs", "staging"]).exits(0).says("turned back");
}

#[test]
fn a_kept_switchover_is_turned_back_with_its_outage() {
    let bench = Bench::openverse();
    bench.edit("environments/staging.hcl", "keep_old      = \"0s\"", "keep_old = \"7d\"");
    let before = instances(&bench);
    bench.run(&["apply", "staging", "--yes", "--seed", "1"]).exits(0);
    bench.run(&["status"]).exits(0).says("kept        dev-openverse-db-old").says("quiet");
    let status = bench.run(&["status", "--json"]).exits(0).json();
    assert_eq!(status[0]["left_overs"][0]["name"], "dev-openverse-db-old");
    assert_eq!(status[0]["left_overs"][0]["kept"], true);
    let back = bench.run(&["rollback", "staging", "--yes", "--json"]).exits(0).says("what was written to it since is lost");
    let kinds: Vec<Value> = back.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone()).collect();
    for kind in ["run_started", "outage_started", "outage_ended", "step_undone", "run_finished"] {
        assert!(kinds.iter().any(|found| found == kind), "{kind}");
    }
    assert_eq!(instances(&bench), before);
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(2);
}

#[test]
fn events_hold_every_field_of_the_contract() {
    let bench = Bench::openverse();
    let said = bench.run(&["apply", "staging", "--yes", "--json", "--seed", "1"]).exits(0);
    let events: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).cloned().collect::<Vec<_>>();
    for event in &events {
        assert!(event["time"].as_str().unwrap().ends_with('Z') && event["run"].is_string() && event["environment"] == "staging", "{event}");
    }
    for event in of("step_started").iter().chain(&of("step_done")) {
        assert!(event["step"].is_string() && event["address"] == "database.dev-openverse-db" && event["phase"].is_string(), "{event}");
    }
    assert_eq!(of("step_started").len(), of("step_done").len(), "what ends has begun");
    let restore = of("step_progress").into_iter().find(|event| event["step"].as_str().unwrap().ends_with("/restore")).unwrap();
    assert_eq!((&restore["operation"], &restore["status"]), (&json!("rds:RestoreDBInstanceFromDBSnapshot"), &json!("creating")));
    assert!(restore["elapsed_seconds"].is_u64() && restore["expected_seconds"].is_u64());
    assert_eq!(of("outage_ended")[0]["seconds"], 480);
    let end = &events[events.len() - 1];
    assert_eq!((&end["type"], &end["exit_code"]), (&json!("run_finished"), &json!(0)));
    for list in ["done", "undone", "in_flight", "not_started", "needs"] {
        assert!(end[list].is_array(), "{list}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let bench = Bench::openverse();
        let said = bench.run(&["apply", "staging", "--yes", "--json", "--seed", "7"]).exits(0);
        (said.out, bench.read("world.json"))
    };
    assert_eq!(run(), run());
}

#[test]
fn notices_are_few_and_complete() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes", "--seed", "1"]).exits(0);
    let world = bench.world();
    let texts: Vec<&str> = world["slack"]["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap()).collect();
    assert!(texts.len() <= 6, "{texts:?}");
    assert!(texts.iter().all(|text| text.contains("staging") && text.contains("run 2026") && text.contains("Next: ")), "{texts:?}");
    insta::assert_snapshot!(texts.join("\n"), @"
    *staging* (run 20261105-090000-d5bc86): apply of database.dev-openverse-db started by tester: 17 steps, about 2h 9m; outage of dev-openverse-db, about 8m; 1 thing cannot be undone. Next: a notice when an outage begins.
    *staging* (run 20261105-090000-d5bc86): the outage of dev-openverse-db begins now and lasts about 8m as a rule. Next: a notice when it has ended.
    *staging* (run 20261105-090000-d5bc86): the outage of dev-openverse-db has ended after 8m. Next: a notice when the run ends.
    *staging* (run 20261105-090000-d5bc86): done after 3h 58m (17 done, 0 undone, 0 in flight, 0 not started). Next: nothing.
    ");
}

#[test]
fn what_goes_wrong_ends_with_its_code_and_what_to_do() {
    let refusal = json!({ "kind": "refusal", "code": "SnapshotQuotaExceeded", "message": "not now" });
    // RDS says so of an instance that it still shows as available.
    let busy = json!({ "kind": "refusal", "code": "InvalidDBInstanceState", "message": "not now" });
    for (call, nth, times, what, code) in [
        ("rds:AddTagsToResource", 1, 99, refusal.clone(), 4),
        ("rds:RestoreDBInstanceFromDBSnapshot", 1, 99, refusal.clone(), 4),
        ("rds:RestoreDBInstanceFromDBSnapshot", 1, 5, busy.clone(), 0),
        ("rds:RestoreDBInstanceFromDBSnapshot", 1, 99, busy.clone(), 4),
        ("rds:ModifyDBInstance", 3, 5, busy.clone(), 0),
        ("rds:RestoreDBInstanceFromDBSnapshot", 1, 1, json!({ "kind": "reply_lost" }), 0),
        ("rds:RestoreDBInstanceFromDBSnapshot", 1, 2, json!({ "kind": "throttle", "retry_after_seconds": 300 }), 0),
        ("rds:RestoreDBInstanceFromDBSnapshot", 1, 1, json!({ "kind": "server_error", "after_effect": true }), 0),
        ("rds:ModifyDBInstance", 2, 1, json!({ "kind": "reply_lost" }), 0),
        ("rds:ModifyDBInstance", 2, 1, refusal.clone(), 4),
        ("rds:ModifyDBInstance", 3, 1, json!({ "kind": "slow", "seconds": 500 }), 0),
        ("postgres:transaction", 1, 1, json!({ "kind": "server_error", "after_effect": true }), 0),
    ] {
        let bench = broken(fault(call, nth, times, &what));
        let before = instances(&bench);
        let said = bench.run(&["apply", "staging", "--yes", "--seed", "1"]).exits(code);
        let names: Vec<String> = instances(&bench).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["dev-openverse-db", "prod-openverse-db"], "{call} {what}");
        if code == 4 {
            assert_eq!(instances(&bench), before, "{call} {what}");
            assert!(report(&said).contains("help: "), "{}", report(&said));
            assert!(bench.run(&["status"]).exits(0).out.contains("quiet"));
        }
    }
}

#[test]
fn a_refused_retirement_needs_a_person_and_can_go_on_either_way() {
    let refused = fault("rds:DeleteDBInstance", 1, 1, &json!({ "kind": "refusal", "code": "SnapshotQuotaExceeded", "message": "not now" }));
    let bench = broken(refused.clone());
    let said = bench.run(&["apply", "staging", "--yes", "--seed", "1"]).exits(5);
    insta::assert_snapshot!(report(&said), @"
    staging: A PERSON IS NEEDED, it is neither finished nor turned back as a whole  (3h 53m, run
      20261105-090000-d5bc86, exit 5)

      failed       17/17 delete-old: rds:DeleteDBInstance was refused (SnapshotQuotaExceeded): not now
                   help: read the service's words above; mend what they name
      done           16  rename-old, rename-next, mark-old, snapshot, restore, first-backup, and 10 more
      undone          0
      in flight       0
      not started     1  delete-old
      outage       dev-openverse-db: 8m

    What a person must do:
      1. database.dev-openverse-db/delete-old failed (rds:DeleteDBInstance was refused
         (SnapshotQuotaExceeded): not now): read the service's words above; mend what they name; then
         `switchover resume staging` tries it again, and so does the next plan

    From here:
      switchover resume staging     goes on
      switchover rollback staging   turns it back
    ");
    bench.run(&["status"]).exits(0).says("left over   dev-openverse-db-old");
    bench.run(&["resume", "staging"]).exits(0).says("staging: DONE");
    assert_eq!(instances(&bench).len(), 2);
    let bench = broken(refused.clone());
    bench.run(&["apply", "staging", "--yes"]).exits(5);
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    let nothing = bench.run(&["resume", "staging", "--json"]).exits(0).says("Nothing to resume");
    assert_eq!(nothing.out, "", "words are no data");
    assert_eq!(instances(&bench).len(), 2);
    // What was refused is not lost: the old one is there to take its name back.
    let bench = broken(refused);
    let before = instances(&bench);
    bench.run(&["apply", "staging", "--yes"]).exits(5);
    bench.run(&["rollback", "staging", "--yes"]).exits(0).says("an outage of dev-openverse-db comes with it, about 8m");
    assert_eq!(instances(&bench), before);
}

#[test]
fn a_check_that_fails_is_a_matter_of_the_data_and_not_of_colleagues() {
    let bench = Bench::openverse();
    bench.edit("environments/staging.hcl", "at_least = 1000000", "at_least = 1000000000000");
    let before = instances(&bench);
    let said = bench.run(&["apply", "staging", "--yes"]).exits(4);
    said.says("the data is not what this check expects").never_says("somebody or something else");
    assert_eq!(instances(&bench), before);
}

#[test]
fn what_failed_may_be_kept() {
    let refusal = json!({ "kind": "refusal", "code": "SnapshotQuotaExceeded", "message": "not now" });
    let bench = broken(fault("rds:ModifyDBInstance", 1, 1, &refusal));
    bench.run(&["apply", "staging", "--yes", "--keep-on-failure"]).exits(5).says("switchover resume staging").says("switchover rollback staging");
    assert_eq!(instances(&bench).len(), 3);
    bench.run(&["resume", "staging"]).exits(0);
    assert_eq!(instances(&bench).len(), 2);
}

#[test]
fn a_crash_leaves_its_world_and_its_journal() {
    for when in ["before", "after"] {
        let bench = broken(fault("rds:ModifyDBInstance", 2, 1, &json!({ "kind": "crash", "when": when })));
        let old = instances(&bench);
        assert_eq!(bench.run(&["apply", "staging", "--yes", "--seed", "1"]).code, -1);
        let status = bench.run(&["status"]).exits(0).says("is in its outage since").says("its process is gone");
        assert!(status.out.starts_with("staging: AN OUTAGE IS OPEN, and no run is under way"), "{}", status.out);
        let runs = bench.run(&["runs", "staging"]).exits(0).out;
        assert!(runs.lines().nth(1).unwrap().contains(" open "), "{runs}");
        let open = bench.run(&["runs", "staging", "--json"]).exits(0).json();
        assert_eq!(open["runs"][0]["outage_open"], true, "{open}");
        assert!(!status.out.contains("switchover unlock"), "{}", status.out);
        if when == "before" {
            bench.run(&["rollback", "staging", "--yes"]).exits(0);
            assert_eq!(instances(&bench), old);
        } else {
            bench.run(&["resume", "staging"]).exits(0);
            assert!(instances(&bench).iter().all(|(_, id)| id != OLD));
        }
    }
}

#[test]
fn a_signal_stops_within_seconds_and_a_kill_loses_nothing() {
    let bench = Bench::openverse();
    for signal in ["INT", "TERM", "KILL"] {
        let verb: &[&str] = if signal == "INT" { &["apply", "staging", "--yes", "--pace", "60x"] } else { &["resume", "staging", "--pace", "60x"] };
        let mut child = bench.command(verb).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(3));
        let sent = std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let code = child.wait().unwrap().code();
        assert_eq!(code, if signal == "KILL" { None } else { Some(8) }, "{signal}");
    }
    bench.run(&["resume", "staging"]).exits(0).says("staging: DONE");
    assert_eq!(instances(&bench).len(), 2);
}

#[test]
fn a_swap_of_names_is_made_and_turned_back() {
    let bench = Bench::gigadb();
    let records = |bench: &Bench| bench.world()["cloudflare"]["zones"].clone();
    let before = records(&bench);
    bench.edit("environments/gigadb.hcl", "live = \"hk\"\n", "live = \"sydney\"\n");
    bench.run(&["apply", "gigadb", "--yes", "--seed", "1"]).exits(0);
    assert_ne!(records(&bench), before);
    bench.run(&["rollback", "gigadb", "--yes"]).exits(0).says("TURNED BACK");
    let contents = |zones: &Value| -> Vec<String> {
        zones
            .as_object()
            .unwrap()
            .values()
            .flat_map(|zone| zone["records"].as_object().unwrap().values().map(|record| record["content"].to_string()))
            .collect()
    };
    assert_eq!(contents(&records(&bench)), contents(&before));
}

#[test]
fn what_commands_need_besides_their_words_is_told_with_them() {
    let bench = Bench::openverse();
    let root = bench.path("").display().to_string();
    std::fs::create_dir(bench.path("elsewhere")).unwrap();
    std::fs::rename(bench.path("world.json"), bench.path("elsewhere/my world.json")).unwrap();
    let flags = ["-C", &root, "--world", "elsewhere/my world.json"];
    let with = |args: &[&str]| bench.run(&[args, &flags[..]].concat());
    let words = format!("The commands named above go with -C {root} and --world 'elsewhere/my world.json', as this one did.\n");
    assert!(with(&["plan", "staging"]).exits(0).err.ends_with(&words));
    assert!(with(&["apply", "staging", "--yes", "--max-runtime", "30m"]).exits(8).err.ends_with(&words));
    assert!(with(&["apply", "staging", "--yes"]).exits(5).err.ends_with(&words), "an error names commands, too");
    with(&["status", "--json"]).exits(0).never_says("named above");
    with(&["resume", "staging", "--quiet"]).exits(0).never_says("named above");
    with(&["plan", "staging"]).exits(0).never_says("named above");
    std::fs::rename(bench.path("elsewhere/my world.json"), bench.path("world.json")).unwrap();
    bench.run(&["status", "staging"]).exits(0).never_says("named above");
    bench.run(&["apply", "staging", "--journal", "local"]).exits(1).never_says("named above");
    let plan = bench.run(&["plan", "staging", "--refresh", "database.dev-openverse-db", "--journal", "local"]).exits(0);
    assert!(
        plan.err.ends_with("The commands named above go with the same --journal, as this one did.\n"),
        "an address may hold a password: {}",
        plan.err
    );
}

#[test]
fn the_folder_of_a_saved_plan_is_made_and_no_more_than_that() {
    let bench = Bench::openverse();
    bench.run(&["plan", "staging", "--out", "made/plan.json"]).exits(0);
    bench.run(&["show", "made/plan.json"]).exits(0).says("17 steps");
    bench.run(&["plan", "staging", "--out", "mistyped/deep/plan.json"]).exits(1).says("cannot write the plan");
    assert!(!bench.path("mistyped").exists());
}
