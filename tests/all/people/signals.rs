//! Ctrl-C, SIGTERM and SIGQUIT in every phase, and kills that take the shell along.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use super::shell::{self, Watched, instances, is, is_declared};
use crate::cli::bench::Bench;

fn paced(bench: &Bench, pace: &str) -> Watched {
    Watched::start(shell::command(bench, r#"exec "$SWITCHOVER" apply staging --yes --json --seed 1 --pace "$1""#, &[pace]))
}

/// A moment of a run, by the event that tells of it.
struct Moment {
    name: &'static str,
    comes: fn(&Json) -> bool,
}

fn step(event: &Json, kind: &str, name: &str) -> bool {
    is(event, kind) && event["step"].as_str().is_some_and(|step| step.ends_with(name))
}

const MOMENTS: [Moment; 8] = [
    Moment { name: "at its start", comes: |event| is(event, "run_started") },
    Moment { name: "prepare, while it is restored", comes: |event| step(event, "step_progress", "/restore") },
    Moment { name: "verify, at the scrub", comes: |event| step(event, "step_started", "/scrub") },
    Moment { name: "switch, when the outage begins", comes: |event| is(event, "outage_started") },
    Moment { name: "switch, between the renames", comes: |event| step(event, "step_done", "/rename-old") },
    Moment { name: "switch, while the new one is renamed", comes: |event| step(event, "step_progress", "/rename-next") },
    Moment { name: "confirm", comes: |event| is(event, "outage_ended") },
    Moment { name: "retire", comes: |event| step(event, "step_started", "/delete-old") },
];

#[test]
fn one_signal_in_any_phase_leaves_no_outage_behind() {
    // They wait for most of their time, and so can all wait at once.
    std::thread::scope(|scope| {
        for (moment, signal) in MOMENTS.iter().zip(["TERM", "INT"].into_iter().cycle()) {
            scope.spawn(move || one_signal(moment, signal));
        }
    });
}

fn one_signal(moment: &Moment, signal: &str) {
    let name = moment.name;
    let bench = shell::quick();
    let before = instances(&bench);
    let mut run = paced(&bench, "8x");
    assert!(run.until(moment.comes), "{name}: never came");
    run.signal(signal);
    let (code, events, told) = run.end();
    assert!(code == 8 || (code == 0 && name == "retire"), "{name}: exit {code}: {told}");
    let count = |kind: &str| events.iter().filter(|event| is(event, kind)).count();
    assert_eq!(count("outage_started"), count("outage_ended"), "{name}: {told}");
    bench.run(&["resume", "staging"]).exits(0);
    is_declared(&bench, &before);
    assert_eq!(shell::restores(&bench), 1, "{name}");
}

#[test]
fn twice_or_sigquit_stops_now_and_says_that_the_outage_goes_on() {
    for signals in [&["INT", "TERM"][..], &["HUP", "INT"], &["QUIT"]] {
        let bench = shell::quick();
        let before = instances(&bench);
        let mut run = paced(&bench, "1x");
        assert!(run.until(|event| is(event, "outage_started")));
        for signal in signals {
            run.signal(signal);
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        let (code, events, told) = run.end();
        assert_eq!(code, 5, "{signals:?}: {told}");
        let end = events.last().unwrap();
        let needs = end["needs"].to_string();
        assert!(is(end, "run_finished") && needs.contains("the outage of dev-openverse-db lasts until then"), "{signals:?}: {end}");
        assert_eq!(needs.matches("lasts until then").count(), 1, "said twice: {needs}");
        assert!(needs.contains("`switchover resume staging`") && needs.contains("`switchover rollback staging`"), "{needs}");
        bench.run(&["status"]).exits(0).says("is in its outage since");
        bench.run(&["resume", "staging"]).exits(0);
        is_declared(&bench, &before);
    }
}

#[test]
fn a_kill_of_the_whole_group_leaves_a_run_that_goes_on_at_once() {
    let bench = shell::quick();
    let before = instances(&bench);
    let mut script = shell::command(&bench, r#""$SWITCHOVER" apply staging --yes --json --seed 1 --pace 2x; echo "$?" >code; true"#, &[]);
    script.process_group(0);
    let mut run = Watched::start(script);
    assert!(run.until(|event| is(event, "outage_started")));
    let group = format!("-{}", run.child.id());
    assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
    let (code, _, _) = run.end();
    assert_eq!(code, -1);
    assert!(!bench.path("code").exists(), "the shell is gone, too");
    bench.run(&["resume", "staging"]).exits(0);
    is_declared(&bench, &before);
}

#[test]
fn a_run_outlives_the_shell_that_was_killed_and_keeps_its_lock() {
    let bench = shell::quick();
    let before = instances(&bench);
    let script = r#""$SWITCHOVER" apply staging --yes --json --seed 1 --pace 4x; echo "$?" >code; true"#;
    let mut run = Watched::start(shell::command(&bench, script, &[]));
    assert!(run.until(|event| is(event, "step_progress")));
    // Only the shell; the process that it started reads no news of that.
    run.signal("KILL");
    for command in [&["apply", "staging", "--yes"][..], &["resume", "staging"], &["rollback", "staging", "--yes"]] {
        bench.run(command).exits(7).says("is locked by tester");
    }
    run.until(|_| false);
    assert!(run.events.last().is_some_and(|event| is(event, "run_finished") && event["exit_code"] == 0), "{:?}", run.events.last());
    run.end();
    // The last event comes before the lock is given back and the world is written.
    for _ in 0..100 {
        if !bench.path(".switchover/staging/lock.json").exists() && !bench.path("world.json.log").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    is_declared(&bench, &before);
}

#[test]
fn signals_before_a_run_change_nothing() {
    let bench = shell::quick();
    let before = bench.read("world.json");
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        // Killed as early as it can be: wherever that is, there is a plan, or nothing, and the world is as it was.
        let mut child = bench.command(&["plan", "staging", "--out", "plan.json"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
        child.wait().unwrap();
        assert_eq!(bench.read("world.json"), before, "{signal}");
    }
    bench.run(&["plan", "staging", "--out", "plan.json"]).exits(0);
    bench.run(&["apply", "plan.json"]).exits(0);
}
