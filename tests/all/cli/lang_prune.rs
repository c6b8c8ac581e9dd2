//! `--prune`: what a removed block made is removed only when it is asked for, visibly, and nothing else with it.

use serde_json::{Value, json};

use super::bench::Bench;

/// An environment that declares nothing any more.
const EMPTY: &str = "environment \"staging\" {}\nprovider \"aws\" { region = \"us-east-1\" }\n";

/// The example's world, in which dev-openverse-db was made by a run of this environment.
fn bench() -> Bench {
    let bench = Bench::openverse();
    bench.write("environments/staging.hcl", EMPTY);
    change(&bench, |instance| {
        instance["tags"]["switchover:environment"] = json!("staging");
        instance["tags"]["switchover:resource"] = json!("database.dev-openverse-db");
        instance["tags"]["switchover:run"] = json!("earlier");
        instance["tags"]["switchover:snapshot"] = json!("rds:prod-openverse-db-2026-10-02-00-07");
    });
    bench
}

fn change(bench: &Bench, change: impl FnOnce(&mut Value)) {
    bench.change_world(|world| {
        let instances = world.pointer_mut("/aws/accounts/111122223333/regions/us-east-1/instances").unwrap().as_object_mut().unwrap();
        change(instances.values_mut().find(|instance| instance["identifier"] == "dev-openverse-db").unwrap());
    });
}

fn there(bench: &Bench) -> bool {
    bench.read("world.json").contains("\"identifier\": \"dev-openverse-db\"")
}

#[test]
fn without_the_flag_a_removed_block_leaves_everything() {
    let bench = bench();
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).never_says("dev-openverse-db");
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    assert!(there(&bench));
}

#[test]
fn with_the_flag_protection_is_lifted_first_and_the_deletion_is_told_as_irreversible() {
    let bench = bench();
    change(&bench, |instance| instance["settings"]["deletion_protection"] = json!(true));
    let plan = bench.run(&["plan", "staging", "--prune", "--detailed-exitcode", "--json"]).exits(2).json();
    let ids: Vec<&str> = plan["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["database.dev-openverse-db/unprotect-dev-openverse-db", "database.dev-openverse-db/delete-dev-openverse-db"]);
    assert_eq!(plan["resource_changes"][0]["change"]["actions"], json!(["delete"]));
    assert!(plan["irreversible"][0].as_str().unwrap().contains("dev-openverse-db"));
    assert!(plan["steps"].as_array().unwrap().iter().all(|step| step["phase"] == "retire"));
    bench.run(&["apply", "staging", "--prune", "--yes"]).exits(0);
    assert!(!there(&bench));
    bench.run(&["plan", "staging", "--prune", "--detailed-exitcode"]).exits(0);
}

#[test]
fn what_no_run_of_ours_made_is_left_alone_and_so_is_what_is_kept_or_of_others() {
    let marked = bench();
    change(&marked, |instance| drop(instance["tags"].as_object_mut().unwrap().remove("switchover:snapshot")));
    marked.run(&["plan", "staging", "--prune", "--detailed-exitcode"]).exits(0).says("no run of ours made it");
    let kept = bench();
    change(&kept, |instance| instance["tags"]["switchover:keep-until"] = json!("2026-12-24T00:00:00Z"));
    kept.run(&["plan", "staging", "--prune", "--detailed-exitcode"]).exits(0).says("kept until 2026-12-24");
    let others = bench();
    change(&others, |instance| instance["tags"]["switchover:environment"] = json!("other"));
    others.run(&["plan", "staging", "--prune", "--detailed-exitcode"]).exits(0).never_says("dev-openverse-db");
}

#[test]
fn of_two_that_bear_the_tags_of_one_step_neither_is_taken_for_ours() {
    let bench = bench();
    change(&bench, |instance| instance["tags"]["switchover:step"] = json!("database.dev-openverse-db/restore"));
    bench.run(&["plan", "staging", "--prune", "--detailed-exitcode"]).exits(2).says("dev-openverse-db");
    bench.change_world(|world| {
        let instances = world.pointer_mut("/aws/accounts/111122223333/regions/us-east-1/instances").unwrap().as_object_mut().unwrap();
        // A colleague restored a snapshot of it, and RDS handed its tags on.
        let mut twin = instances.values().find(|instance| instance["identifier"] == "dev-openverse-db").unwrap().clone();
        twin["identifier"] = json!("colleagues-copy");
        instances.insert("db-COLLEAGUE".to_owned(), twin);
    });
    let plan = bench.run(&["plan", "staging", "--prune", "--detailed-exitcode"]).exits(0);
    for name in ["colleagues-copy", "dev-openverse-db"] {
        assert!(plan.out.contains(&format!("{name} bears the tags of another instance")), "{}", plan.out);
    }
    bench.run(&["apply", "staging", "--prune", "--yes"]).exits(0);
    assert!(there(&bench));
}

#[test]
fn what_the_environment_protects_is_not_pruned() {
    let bench = bench();
    change(&bench, |instance| instance["tags"]["Team"] = json!("Рrоduction"));
    bench.run(&["plan", "staging", "--prune"]).exits(1).says("protects");
    bench.run(&["apply", "staging", "--prune", "--yes"]).exits(1);
    assert!(there(&bench));
}

#[test]
fn a_declared_database_is_not_pruned_and_a_removed_one_can_be_the_target() {
    let bench = bench();
    bench.run(&["plan", "staging", "--prune", "--target", "database.dev-openverse-db", "--detailed-exitcode"]).exits(2);
    bench.run(&["plan", "staging", "--target", "database.dev-openverse-db"]).exits(1).says("is not declared");
    let declared = format!("{EMPTY}database \"dev-openverse-db\" {{}}\n");
    bench.write("environments/staging.hcl", &declared);
    bench.run(&["plan", "staging", "--prune", "--detailed-exitcode"]).exits(0);
}

#[test]
fn instances_that_cannot_be_listed_are_an_error_by_name() {
    let bench = bench();
    bench.change_world(|world| {
        world["faults"] =
            json!([{ "call": "rds:DescribeDBInstances", "target": "us-east-1", "fault": { "kind": "refusal", "code": "AccessDenied" } }]);
    });
    bench.run(&["plan", "staging", "--prune"]).exits(1).says("cannot list the instances of aws");
}
