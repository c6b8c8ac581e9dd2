//! `unlock --abandon`: the way out of a run that can go neither on nor back.

use super::bench::Bench;

const OLD: &str = "db-B5NM6QWERT7YUIOPLKJHGFDSA2";

fn instances(world: &mut serde_json::Value) -> &mut serde_json::Map<String, serde_json::Value> {
    world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]["instances"].as_object_mut().unwrap()
}

#[test]
fn a_run_that_is_given_up_is_in_nobodys_way_and_the_next_plan_knows_what_it_left() {
    let bench = Bench::openverse();
    bench.run(&["unlock", "staging", "--abandon", "--yes"]).exits(0).says("has no unfinished run");
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "100m"]).exits(8);
    bench.run(&["apply", "staging", "--yes"]).exits(5).says("switchover unlock staging --abandon");
    bench.run(&["unlock", "staging", "--abandon"]).exits(1).says("--yes");
    bench.run(&["status", "--offline"]).exits(0).says("unfinished");
    let given_up = bench.run(&["unlock", "staging", "--abandon", "--yes"]).exits(0);
    insta::assert_snapshot!(given_up.out.replace(&run(&bench), "RUN"), @"
    Run RUN is given up as it stands.
    `switchover plan staging` starts from what is there now, and names what the run has left.
    ");
    assert!(given_up.err.contains("stays as it is: 3 steps done, 0 undone, 0 in flight, 14 not started."), "{}", given_up.err);
    bench.run(&["runs", "staging"]).exits(0).says("given up");
    bench.run(&["resume", "staging"]).exits(0).says("othing");
    bench.run(&["rollback", "staging", "--yes"]).exits(1).says("was given up as it stood").says("switchover plan staging");
    let plan = bench.run(&["plan", "staging"]).exits(0);
    assert!(plan.out.contains("dev-openverse-db-next is a left-over of"), "{}", plan.out);
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0);
}

/// The run's id.
fn run(bench: &Bench) -> String {
    bench.run(&["runs", "staging", "--json"]).exits(0).json()["runs"][0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_way_back_whose_old_instance_somebody_has_deleted_is_refused_before_anything_is_done() {
    let bench = Bench::openverse();
    // Long enough for the switch, too short for the deletion after it.
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "233m"]).exits(8);
    bench.change_world(|world| assert_eq!(instances(world).remove(OLD).unwrap()["identifier"], "dev-openverse-db-old"));
    let before = bench.read("world.json");
    bench.run(&["rollback", "staging", "--yes"]).exits(1).says("rename-old cannot be turned back").says(OLD).says("switchover resume staging");
    assert_eq!(bench.read("world.json"), before, "the new instance keeps the name");
    bench.run(&["resume", "staging"]).exits(0);
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0);
    bench.run(&["rollback", "staging", "--yes"]).exits(1).says("delete-old");
}
