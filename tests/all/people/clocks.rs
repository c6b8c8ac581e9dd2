//! Clocks that are set, machines that were started again, containers that come back with the same numbers.

use std::time::Duration;

use serde_json::{Value as Json, json};
use switchover::model::time::{self, Timestamp};

use super::shell::{self, Watched, instances, is, is_declared};
use crate::cli::bench::Bench;

const LOCK: &str = ".switchover/staging/lock.json";

#[test]
fn a_world_whose_clock_was_set_is_gone_on_with() {
    for (stopped_after, hours) in [("3s", 2_i64), ("15s", 400), ("25s", 24 * 400), ("25s", -3)] {
        for command in [&["resume", "staging"][..], &["rollback", "staging", "--yes"]] {
            let bench = shell::quick();
            let before = instances(&bench);
            bench.run(&["apply", "staging", "--yes", "--max-runtime", stopped_after]).exits(8);
            bench.change_world(|world| {
                let now: Timestamp = world["now"].as_str().unwrap().parse().unwrap();
                world["now"] = json!(moved(now, hours).to_string());
            });
            let said = bench.run(command).exits(0);
            bench.run(&["runs", "staging"]).exits(0);
            bench.run(&["status"]).exits(0);
            if command[0] == "resume" {
                let names = |list: &[(String, String)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
                assert_eq!(names(&instances(&bench)), names(&before), "{stopped_after}, {hours} hours back: {said:?}");
                assert_eq!(shell::restores(&bench), 1, "{stopped_after}, {hours} hours back");
            } else {
                assert_eq!(instances(&bench), before, "{stopped_after}, {hours} hours back: {said:?}");
            }
        }
    }
}

/// So many hours back, or forward when there are less than none.
fn moved(now: Timestamp, hours: i64) -> Timestamp {
    let by = Duration::from_hours(hours.unsigned_abs());
    if hours < 0 { time::after(now, by) } else { now - by }
}

/// A run that was killed, with the lock it left.
fn killed() -> (Bench, Vec<(String, String)>, Json) {
    let bench = shell::quick();
    let before = instances(&bench);
    let mut run = Watched::start(bench.command(&["apply", "staging", "--yes", "--json", "--seed", "1", "--pace", "4x"]));
    assert!(run.until(|event| is(event, "step_progress")));
    run.signal("KILL");
    run.end();
    let lock = serde_json::from_str(&bench.read(LOCK)).unwrap();
    (bench, before, lock)
}

fn put(bench: &Bench, lock: &Json) {
    bench.write(LOCK, &serde_json::to_string_pretty(lock).unwrap());
}

/// The lock as another machine or another boot would have left it, its lease over or not.
fn left_elsewhere(lock: &Json, what: &str, value: &str, is_over: bool) -> Json {
    let mut lock = lock.clone();
    lock["holder"][what] = json!(value);
    lock["expires"] = json!(if is_over { "2020-01-01T00:00:00Z" } else { "2999-01-01T00:00:00Z" });
    lock
}

#[test]
fn who_ran_on_another_boot_or_in_another_container_is_waited_for_until_the_lease_is_over() {
    let (bench, before, lock) = killed();
    for (what, value) in [("boot", "3f8e3f4e-0000-4000-8000-000000000000"), ("pid_namespace", "pid:[1]"), ("host", "another")] {
        put(&bench, &left_elsewhere(&lock, what, value, false));
        bench.run(&["resume", "staging"]).exits(7).says("is locked by tester").says("its lease ends 2999-01-01");
        bench.run(&["status", "--offline"]).exits(0).says("tester");
    }
    // A machine that was started again: the lease has run out meanwhile, and going on with that very run is enough of a word.
    put(&bench, &left_elsewhere(&lock, "boot", "3f8e3f4e-0000-4000-8000-000000000000", true));
    bench.run(&["resume", "staging"]).exits(0);
    is_declared(&bench, &before);
}

#[test]
fn another_process_of_the_same_number_is_not_the_one_that_died() {
    let (bench, before, mut lock) = killed();
    // The number lives again, as this very process: only its start tells them apart.
    lock["holder"]["pid"] = json!(std::process::id());
    lock["expires"] = json!("2999-01-01T00:00:00Z");
    put(&bench, &lock);
    bench.run(&["resume", "staging"]).exits(0);
    is_declared(&bench, &before);
}
