//! A terminal that goes away, readers that have had enough, streams that were never there.

use std::process::Command;

use serde_json::{Value as Json, json};

use super::shell::{self, Watched, instances, is, is_declared};
use super::typed::{Typed, has};

/// Events on standard output; nobody answers on standard error.
fn paced(bench: &crate::cli::bench::Bench, pace: &str) -> Command {
    shell::command(bench, r#"exec "$SWITCHOVER" apply staging --yes --json --seed 1 --pace "$1""#, &[pace])
}

/// The outages that were told to begin and to end.
fn outages(events: &[serde_json::Value]) -> (usize, usize) {
    let count = |kind: &str| events.iter().filter(|event| is(event, kind)).count();
    (count("outage_started"), count("outage_ended"))
}

#[test]
fn a_terminal_that_goes_away_stops_a_run_safely() {
    let bench = shell::quick();
    let before = instances(&bench);
    let mut run = Watched::start(paced(&bench, "4x"));
    assert!(run.until(|event| is(event, "step_progress") && event["operation"] == "rds:RestoreDBInstanceFromDBSnapshot"));
    run.signal("HUP");
    let (code, events, told) = run.end();
    assert_eq!((code, outages(&events)), (8, (0, 0)), "{told}");
    assert!(told.contains("stopping at the next safe point"), "{told}");
    bench.run(&["resume", "staging"]).exits(0);
    is_declared(&bench, &before);
}

#[test]
fn in_an_outage_it_is_brought_to_its_end_first_however_often_the_terminal_goes_away() {
    let bench = shell::quick();
    let before = instances(&bench);
    let mut run = Watched::start(paced(&bench, "4x"));
    assert!(run.until(|event| is(event, "outage_started")));
    // The kernel tells the foreground, and the shell tells its jobs: twice is usual, and must not mean "now".
    run.signal("HUP");
    std::thread::sleep(std::time::Duration::from_millis(200));
    run.signal("HUP");
    let (code, events, told) = run.end();
    assert_eq!(outages(&events), (1, 1), "{told}");
    assert!(code == 8 || code == 0, "exit {code}: {told}");
    bench.run(&["resume", "staging"]).exits(0);
    is_declared(&bench, &before);
}

#[test]
fn who_asked_for_no_hangups_gets_none() {
    let bench = shell::quick();
    let before = instances(&bench);
    let script = r#"trap '' HUP; exec "$SWITCHOVER" apply staging --yes --json --seed 1 --pace 20x"#;
    let mut run = Watched::start(shell::command(&bench, script, &[]));
    assert!(run.until(|event| is(event, "step_progress")));
    run.signal("HUP");
    let (code, _, told) = run.end();
    assert_eq!(code, 0, "{told}");
    is_declared(&bench, &before);
}

#[test]
fn readers_that_have_had_enough_stop_no_run() {
    for flags in ["", "--json", "--json -vv", "-q"] {
        for redirect in ["", "2>&1"] {
            let bench = shell::quick();
            let before = instances(&bench);
            let script = format!("{{ \"$SWITCHOVER\" apply staging --yes --seed 1 {flags} {redirect}; echo $? >code; }} | head -n 1");
            let said = shell::run(&bench, &script, &[]);
            assert_eq!(bench.read("code").trim(), "0", "{flags} {redirect}: {said:?}");
            assert!(!said.err.contains("panicked"), "{said:?}");
            is_declared(&bench, &before);
        }
    }
}

#[test]
fn readers_that_have_had_enough_do_not_change_what_a_command_says_it_did() {
    let bench = shell::quick();
    for (command, code) in
        [("plan staging --detailed-exitcode", "2"), ("validate", "0"), ("status", "0"), ("apply nothing --yes", "1"), ("--help", "0")]
    {
        for redirect in ["", "2>&1"] {
            let script = format!("{{ sleep 0.3; \"$SWITCHOVER\" {command} {redirect}; echo $? >code; }} | true");
            let said = shell::run(&bench, &script, &[]);
            assert_eq!(bench.read("code").trim(), code, "{command} {redirect}: {said:?}");
            assert!(!said.err.contains("panicked"), "{said:?}");
        }
    }
}

#[test]
fn a_signal_is_heard_though_nobody_reads_that_it_is() {
    for verbose in ["-q", "-vv"] {
        let bench = shell::quick();
        let before = instances(&bench);
        let mut command = paced(&bench, "4x");
        command.arg(verbose);
        let mut run = Watched::start(command);
        drop(run.child.stderr.take());
        assert!(run.until(|event| is(event, "step_progress")));
        run.signal("TERM");
        let (code, _, _) = run.end();
        assert_eq!(code, 8, "{verbose}");
        bench.run(&["resume", "staging"]).exits(0);
        is_declared(&bench, &before);
    }
}

#[test]
fn streams_that_are_closed_are_never_mistaken_for_files() {
    for closed in [">&-", "2>&-", "<&-", "<&- >&- 2>&-"] {
        let bench = shell::quick();
        let before = instances(&bench);
        shell::run(&bench, &format!("exec \"$SWITCHOVER\" apply staging --yes --seed 1 --json {closed}"), &[]).exits(0);
        // The journal reads as it should: nothing of what was said went into it.
        bench.run(&["runs", "staging"]).exits(0).says("done");
        is_declared(&bench, &before);
    }
}

#[test]
fn a_question_that_nobody_answers_is_no_yes() {
    let Some(()) = shell::needs("script") else { return };
    let bench = shell::quick();
    let before = bench.read("world.json");
    // `script` gives a terminal and ends its input; the second one is hung up on while it asks.
    for typed in ["", "no", "y", "yes please"] {
        let ask = format!("printf '{typed}\\n' | script -qec '\"$SWITCHOVER\" apply staging' /dev/null");
        shell::run(&bench, &ask, &[]).exits(1).says("not confirmed; nothing was done");
    }
    let hangup = r#"script -qec '"$SWITCHOVER" apply staging & sleep 1; kill -HUP $!; wait $!' /dev/null </dev/null"#;
    assert_ne!(shell::run(&bench, hangup, &[]).code, 0);
    assert_eq!(bench.read("world.json"), before);
    assert!(!bench.path(".switchover/staging/lock.json").exists());
}

#[test]
fn a_lock_that_changes_hands_while_it_is_asked_about_stays() {
    let Some(()) = shell::needs("script").and_then(|()| shell::needs("stty")) else { return };
    let bench = shell::quick();
    bench.change_world(|world| {
        world["faults"] = json!([{ "call": "rds:ModifyDBInstance", "nth": 1, "times": 1, "fault": { "kind": "crash", "when": "before" } }]);
    });
    assert_eq!(bench.run(&["apply", "staging", "--yes", "--seed", "1"]).code, -1);
    let lock = ".switchover/staging/lock.json";
    let mut run = Typed::start(&bench, "unlock staging");
    run.wait_for("Only `yes` is accepted: ");
    let mut held: Json = serde_json::from_str(&bench.read(lock)).unwrap();
    held["fence"] = json!("another-holding");
    bench.write(lock, &held.to_string());
    run.types("yes\n");
    let (code, screen) = run.end();
    assert_eq!(code, 1, "{screen:#?}");
    assert!(has(&screen, "env:staging has changed hands since it was shown"), "{screen:#?}");
    assert!(has(&screen, "see with `switchover status staging` who holds it now"), "{screen:#?}");
    assert_eq!(bench.read(lock), held.to_string(), "it stays as it is");
    // Nobody else meanwhile: it is removed.
    let mut run = Typed::start(&bench, "unlock staging");
    run.types_at("Only `yes` is accepted: ", "yes\n");
    let (code, screen) = run.end();
    assert_eq!((code, has(&screen, "staging is unlocked.")), (0, true), "{screen:#?}");
    assert!(!bench.path(lock).exists());
}
