//! Runs, ways back and locks that meet: what one process leaves, and what the next one makes of it.

use serde_json::{Value, json};

use super::bench::Bench;

fn fault(call: &str, nth: u64, fault: &Value) -> Value {
    json!([{ "call": call, "nth": nth, "times": 1, "fault": fault }])
}

fn broken(faults: Value) -> Bench {
    let bench = Bench::openverse();
    bench.change_world(|world| world["faults"] = faults);
    bench
}

#[test]
fn a_way_back_that_was_stopped_is_gone_on_with_as_what_it_is() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "30m"]).exits(8);
    bench.run(&["rollback", "staging", "--yes", "--max-runtime", "1m"]).exits(8);
    bench.run(&["resume", "staging"]).exits(0).says("TURNED BACK");
    bench.run(&["resume", "staging"]).exits(0).says("Nothing to resume");
}

#[test]
fn a_way_back_that_died_in_its_outage_goes_on_back() {
    // The third rename is the first one of the way back.
    let bench = broken(fault("rds:ModifyDBInstance", 4, &json!({ "kind": "crash", "when": "after" })));
    bench.edit("environments/staging.hcl", "keep_old      = \"0s\"", "keep_old      = \"7d\"");
    let before: Vec<String> = names(&bench);
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    assert_eq!(bench.run(&["rollback", "staging", "--yes"]).code, -1);
    bench.run(&["status"]).exits(0).says("is in its outage since");
    bench.run(&["resume", "staging"]).exits(0).says("TURNED BACK").says("outage dev-openverse-db");
    assert_eq!(names(&bench), before);
}

fn names(bench: &Bench) -> Vec<String> {
    let world = bench.world();
    let instances = world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]["instances"].as_object().unwrap();
    let mut names: Vec<String> = instances.values().map(|one| one["identifier"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn an_outage_that_an_earlier_process_began_is_told_to_its_end() {
    let bench = broken(fault("rds:ModifyDBInstance", 2, &json!({ "kind": "crash", "when": "after" })));
    assert_eq!(bench.run(&["apply", "staging", "--yes"]).code, -1);
    bench.run(&["resume", "staging"]).exits(0);
    let texts = bench.world()["slack"]["messages"].to_string();
    assert!(texts.contains("the outage of dev-openverse-db has ended"), "{texts}");
}

#[test]
fn a_plan_that_wrote_nothing_waits_while_another_run_is_unfinished() {
    let bench = Bench::openverse();
    bench.run(&["plan", "staging", "--out", "plan.json"]).exits(0);
    let before = bench.read("world.json");
    bench.change_world(|world| {
        let instances = world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]["instances"].as_object_mut().unwrap();
        let dev = instances.values_mut().find(|one| one["identifier"] == "dev-openverse-db").unwrap();
        dev["settings"]["multi_az"] = json!(true);
    });
    bench.run(&["apply", "plan.json"]).exits(6).says("stale");
    bench.write("world.json", &before);
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "30m"]).exits(8);
    bench.run(&["apply", "plan.json"]).exits(5).says("is unfinished");
    bench.run(&["rollback", "staging", "--yes"]).exits(0);
    bench.run(&["apply", "plan.json"]).exits(0).says("staging: DONE");
}

#[test]
fn a_run_can_be_turned_back_after_later_ones_that_were() {
    let bench = Bench::gigadb();
    bench.edit("environments/gigadb.hcl", "live = \"hk\"\n", "live = \"sydney\"\n");
    bench.run(&["plan", "gigadb", "--out", "plan.json"]).exits(0);
    let run = serde_json::from_str::<Value>(&bench.read("plan.json")).unwrap()["run"].as_str().unwrap().to_owned();
    bench.run(&["apply", "plan.json"]).exits(0);
    bench.edit("environments/gigadb.hcl", "live = \"sydney\"\n", "live = \"hk\"\n");
    bench.run(&["apply", "gigadb", "--yes"]).exits(0);
    bench.run(&["rollback", "gigadb", &run, "--yes"]).exits(1).says("is not the last one");
    bench.run(&["rollback", "gigadb", "--yes"]).exits(0).says("TURNED BACK");
    bench.run(&["rollback", "gigadb", "--yes"]).exits(0).says("Nothing to roll back");
    bench.run(&["rollback", "gigadb", &run, "--yes"]).exits(0).says("TURNED BACK");
}

#[test]
fn a_device_is_no_plan() {
    Bench::openverse().run(&["show", "/dev/zero"]).exits(1).says("is no plan");
}
