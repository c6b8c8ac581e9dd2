//! The `database` block: what is due, what is carried over, what is refused, and what a plan says of it.

use serde_json::{Value, json};

use super::bench::Bench;

const HCL: &str = "environments/staging.hcl";

/// The example, refreshed so lately that nothing is due.
fn fresh() -> Bench {
    let bench = Bench::openverse();
    instance(&bench, |it| it["tags"]["switchover:refreshed-at"] = json!("2026-11-03T00:00:00Z"));
    bench
}

/// Changes the staging instance of the world.
fn instance(bench: &Bench, change: impl FnOnce(&mut Value)) {
    bench.change_world(|world| {
        let all = instances(world);
        change(all.values_mut().find(|instance| instance["identifier"] == "dev-openverse-db").unwrap());
    });
}

fn instances(world: &mut Value) -> &mut serde_json::Map<String, Value> {
    world.pointer_mut("/aws/accounts/111122223333/regions/us-east-1/instances").unwrap().as_object_mut().unwrap()
}

fn without_instance() -> Bench {
    let bench = Bench::openverse();
    bench.change_world(|world| instances(world).retain(|_, instance| instance["identifier"] != "dev-openverse-db"));
    bench
}

/// Adds a line to the block.
fn line(bench: &Bench, line: &str) {
    bench.edit(HCL, "  provider = aws\n", &format!("  provider = aws\n{line}\n"));
}

fn plan(bench: &Bench) -> Value {
    bench.run(&["plan", "staging", "--json"]).exits(0).json()
}

fn step_ids(plan: &Value) -> Vec<String> {
    plan["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

/// Notes, reasons and warnings of the whole plan in one text.
fn words(plan: &Value) -> String {
    let change = &plan["resource_changes"][0];
    format!("{} {} {} {}", change["reasons"], change["notes"], change["held"], plan["warnings"])
}

#[test]
fn a_schedule_is_due_since_its_first_missed_tick_in_its_time_zone() {
    let bench = Bench::openverse();
    assert!(words(&plan(&bench)).contains("data is 34 days old; due since 2026-11-01 (monthly)"));
    // In Auckland, 13 hours ahead, the month begins on the evening before.
    bench.edit(HCL, "schedule      = \"monthly\"", "schedule = \"monthly\"\n    timezone = \"Pacific/Auckland\"");
    assert!(words(&plan(&bench)).contains("due since 2026-10-31 11:00 UTC"), "{}", words(&plan(&bench)));
}

#[test]
fn max_age_counts_from_the_snapshot_that_the_data_came_from() {
    let bench = fresh();
    bench.edit(HCL, "schedule      = \"monthly\"", "max_age = \"34d\"");
    assert!(words(&plan(&bench)).contains("due since 2026-11-05 00:07 UTC"));
    bench.edit(HCL, "34d", "35d");
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("2026-11-06 00:07 UTC");
}

#[test]
fn without_a_newer_snapshot_nothing_is_planned_and_a_warning_says_why() {
    let bench = Bench::openverse();
    instance(&bench, |it| it["tags"]["switchover:snapshot"] = json!("rds:prod-openverse-db-2026-11-05-00-07"));
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("has no newer").says("34 days old");
    bench.run(&["plan", "staging", "--detailed-exitcode", "--refresh", "database.dev-openverse-db"]).exits(2).says("--refresh");
}

#[test]
fn an_instance_without_our_tags_counts_from_its_creation_and_the_plan_says_so() {
    let bench = Bench::openverse();
    instance(&bench, |it| it["tags"] = json!({ "Name": "dev-openverse-db" }));
    assert!(words(&plan(&bench)).contains("counted from the instance's creation"));
}

#[test]
fn a_held_database_says_who_why_until_when_and_is_left_alone() {
    let bench = Bench::openverse();
    line(&bench, "  hold {\n    reason = \"load test\"\n    by = \"Joan\"\n    until = \"2026-11-30\"\n  }");
    let said = bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("held by Joan").says("load test").says("2026-11-30");
    said.says("without the hold it would be replaced");
    bench.edit(HCL, "reason = \"load test\"", "reason = null");
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0);
    let short = Bench::openverse();
    line(&short, "  hold = true");
    short.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("held");
    short.edit(HCL, "hold = true", "hold = false");
    short.run(&["plan", "staging", "--detailed-exitcode"]).exits(2);
}

#[test]
fn prevent_destroy_refuses_the_end_of_the_replaced_instance_unless_it_is_kept() {
    let bench = Bench::openverse();
    line(&bench, "  lifecycle { prevent_destroy = true }");
    bench.run(&["plan", "staging"]).exits(1).says("prevent_destroy").says("help: ");
    bench.edit(HCL, "keep_old      = \"0s\"", "keep_old = \"7d\"");
    let plan = plan(&bench);
    assert!(step_ids(&plan).contains(&"keep-old".to_owned()), "{:?}", step_ids(&plan));
    assert_eq!(plan["irreversible"], json!([]));
}

#[test]
fn what_rds_modifies_in_place_is_done_now_and_the_rest_waits_for_a_refresh_as_a_note() {
    let bench = fresh();
    bench.edit(HCL, "instance_class       = \"db.m5.xlarge\"", "instance_class = \"db.m5.2xlarge\"\n  availability_zone = \"us-east-1c\"");
    let changed = plan(&bench);
    assert_eq!(changed["resource_changes"][0]["change"]["actions"], json!(["update"]));
    assert_eq!(changed["resource_changes"][0]["change"]["after"], json!({ "instance_class": "db.m5.2xlarge" }));
    assert_eq!(changed["outage"].as_array().unwrap().len(), 1, "a new class restarts the instance");
    assert!(words(&changed).contains("only a restore can change it"));
    bench.edit(HCL, "db.m5.2xlarge", "db.m5.xlarge");
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("only a restore can change it");
    bench.run(&["plan", "staging", "--detailed-exitcode", "--refresh", "database.dev-openverse-db"]).exits(2).says("us-east-1c");
}

#[test]
fn storage_grows_and_never_shrinks() {
    let bench = fresh();
    bench.edit(HCL, "allocated_storage    = 3000", "allocated_storage = 100");
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0);
    bench.edit(HCL, "allocated_storage = 100", "allocated_storage = 3500");
    let plan = plan(&bench);
    assert!(plan["irreversible"][0].as_str().unwrap().contains("from 3000 to 3500 GiB"), "{}", plan["irreversible"]);
}

#[test]
fn declared_tags_are_laid_over_those_there_are() {
    let bench = fresh();
    bench.edit(HCL, "tags                 = { Environment = \"staging\" }", "tags = { Environment = \"dev\", Team = \"search\" }");
    let after = plan(&bench)["resource_changes"][0]["change"]["after"].clone();
    assert_eq!(after, json!({ "tags[\"Environment\"]": "dev", "tags[\"Team\"]": "search" }));
    bench.edit(HCL, "Team = \"search\"", "\"switchover:run\" = \"x\"");
    bench.run(&["validate"]).exits(1).says("cannot be declared");
}

#[test]
fn pending_modifications_are_shown_are_a_fact_and_bring_their_outage_along() {
    let bench = fresh();
    instance(&bench, |it| it["pending"] = json!({ "instance_class": "db.r5.large" }));
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("pending on dev-openverse-db").says("db.r5.large");
    bench.edit(HCL, "multi_az             = false", "multi_az = true");
    let plan = plan(&bench);
    assert_eq!(plan["outage"].as_array().unwrap().len(), 1, "the pending class restarts it");
    assert!(words(&plan).contains("is declared \\\"db.m5.xlarge\\\""), "{}", words(&plan));
    assert!(plan["facts"].as_array().unwrap().iter().any(|fact| fact["value"]["modifications"]["instance_class"] == "db.r5.large"));
}

#[test]
fn what_the_environment_protects_is_found_in_tag_values_too_but_only_in_what_is_written() {
    let bench = Bench::openverse();
    instance(&bench, |it| it["tags"]["Team"] = json!("pre-ＰＲＯＤ"));
    bench.run(&["plan", "staging"]).exits(1).says("protects").says("`prod`");
    // The tags of ours are no names, and the snapshot is only read.
    let ours = Bench::openverse();
    instance(&ours, |it| it["tags"]["switchover:run"] = json!("prod"));
    ours.run(&["plan", "staging", "--detailed-exitcode"]).exits(2);
}

#[test]
fn the_first_one_must_name_what_nothing_can_be_carried_over_from() {
    let bench = without_instance();
    let first = plan(&bench);
    assert_eq!(first["resource_changes"][0]["change"]["actions"], json!(["create"]));
    assert_eq!(first["outage"], json!([]));
    assert!(words(&first).contains("so as in the snapshot"));
    bench.edit(HCL, "  instance_class       = \"db.m5.xlarge\"\n", "");
    bench.edit(HCL, "  db_subnet_group_name = \"default\"\n", "");
    bench.run(&["plan", "staging"]).exits(1).says("instance_class, db_subnet_group_name");
    bench.edit(HCL, "  vpc_security_groups  = [\"default\", \"openverse-vpc-db-access\", \"staging-dev-rds-sg\"]\n", "");
    bench.run(&["plan", "staging"]).exits(1).says("instance_class, db_subnet_group_name, vpc_security_groups");
}

#[test]
fn strangers_under_the_other_names_are_a_conflict_and_left_overs_of_ours_are_removed_visibly() {
    for suffix in ["next", "old"] {
        let bench = Bench::openverse();
        bench.change_world(|world| {
            let mut copy = instances(world).values().find(|it| it["identifier"] == "dev-openverse-db").unwrap().clone();
            copy["identifier"] = json!(format!("dev-openverse-db-{suffix}"));
            copy["tags"] = json!({ "Owner": "someone" });
            instances(world).insert("db-STRANGER".to_owned(), copy);
        });
        bench.run(&["plan", "staging"]).exits(1).says("is not ours").says(&format!("{suffix}_name"));
    }
    let ours = Bench::openverse();
    ours.change_world(|world| {
        let mut copy = instances(world).values().find(|it| it["identifier"] == "dev-openverse-db").unwrap().clone();
        copy["identifier"] = json!("dev-openverse-db-next");
        copy["settings"]["deletion_protection"] = json!(true);
        instances(world).insert("db-LEFTOVER".to_owned(), copy);
    });
    let ids = step_ids(&plan(&ours));
    assert_eq!(&ids[..2], ["unprotect-leftover", "remove-leftover"]);
}

#[test]
fn first_backup_after_the_switch_counts_a_second_outage() {
    let bench = Bench::openverse();
    assert_eq!(plan(&bench)["outage"].as_array().unwrap().len(), 1);
    bench.edit(HCL, "first_backup  = \"before_switch\"", "first_backup = \"after_switch\"");
    let plan = plan(&bench);
    assert_eq!(plan["outage"].as_array().unwrap().len(), 2, "{}", plan["outage"]);
    let ids = step_ids(&plan);
    let at = |id: &str| ids.iter().position(|known| known == id).unwrap_or_else(|| panic!("no {id} in {ids:?}"));
    assert!(at("raise-backups") < at("answers-again") && at("answers-again") < at("delete-old"));
}

#[test]
fn a_host_that_could_lead_a_scrub_astray_is_refused_but_on_loopback() {
    let bench = Bench::openverse();
    bench.edit(HCL, "    user     = \"deploy\"\n", "    user     = \"deploy\"\n    host     = \"db.example.org\"\n");
    bench.run(&["validate"]).exits(1).says("could lead a scrub to the wrong instance").says("{identifier}");
    bench.edit(HCL, "db.example.org", "{identifier}.example.org");
    bench.run(&["validate"]).exits(0);
    bench.edit(HCL, "{identifier}.example.org", "127.0.0.1");
    bench.run(&["plan", "staging"]).exits(0).says("tunnel");
}

#[test]
fn scrubs_that_cannot_be_one_transaction_are_refused() {
    for (sql, word) in [("COMMIT", "COMMIT"), ("vacuum full", "VACUUM"), ("CREATE INDEX CONCURRENTLY i ON t (a)", "CONCURRENTLY")] {
        let bench = Bench::openverse();
        bench.edit(HCL, "[file(\"../sql/anonymise.sql\")]", &format!("[\"DELETE FROM a; {sql};\"]"));
        bench.run(&["validate"]).exits(1).says(word).says("environments/staging.hcl:").says("help: ");
    }
}

#[test]
fn names_that_rds_does_not_take_are_refused() {
    let long = "a".repeat(60);
    let bench = Bench::new(
        "e",
        &format!(
            "environment \"e\" {{}}\nprovider \"aws\" {{ region = \"us-east-1\" }}\ndatabase \"{long}\" {{\n  refresh {{\n    snapshot_of = \"main\"\n    max_age = \"1d\"\n  }}\n}}\n"
        ),
        "",
    );
    bench.run(&["validate"]).exits(1).says("next_name").says("63");
}

#[test]
fn a_replaced_instance_is_kept_until_its_time_has_passed_and_then_its_deletion_is_planned_visibly() {
    let bench = Bench::openverse();
    bench.edit(HCL, "keep_old      = \"0s\"", "keep_old = \"7d\"");
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("dev-openverse-db-old is kept until 2026-11-12");
    bench.change_world(|world| {
        world["now"] = json!("2026-11-13T00:00:00Z");
        let all = instances(world);
        let old = all.values_mut().find(|instance| instance["identifier"] == "dev-openverse-db-old").unwrap();
        old["settings"]["deletion_protection"] = json!(true);
    });
    let plan = plan(&bench);
    assert_eq!(step_ids(&plan), ["settled", "unprotect-old", "delete-old"]);
    assert!(plan["irreversible"][0].as_str().unwrap().contains("dev-openverse-db-old"));
    bench.run(&["plan", "staging"]).exits(0).says("dev-openverse-db stays").never_says("will be destroyed");
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    assert!(!bench.read("world.json").contains("dev-openverse-db-old\""));
    bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0);
}
