//! Plans, journals, worlds and locks that are not what they should be; secrets that must not show.

use serde_json::json;

use super::bench::Bench;

#[test]
fn a_plan_that_is_none_is_an_error_and_one_that_was_changed_is_stale() {
    let bench = Bench::openverse();
    bench.run(&["plan", "staging", "--out", "plan.json"]).exits(0);
    let (good, before) = (bench.read("plan.json"), bench.read("world.json"));
    for garbage in ["", "{}", "[]", "null", "plan", &good[..good.len() / 2]] {
        bench.write("plan.json", garbage);
        bench.run(&["apply", "plan.json"]).exits(1).says("plan.json").says("help: ");
        bench.run(&["show", "plan.json"]).exits(1).says("help: ");
    }
    bench.write("plan.json", &good.replacen("\"title\": \"", "\"title\": \"x", 1));
    bench.run(&["apply", "plan.json"]).exits(6).says("changed").says("nothing was done");
    bench.write("plan.json", &good.replacen("\"format_version\": \"1.0\"", "\"format_version\": \"0.9\"", 1));
    bench.run(&["apply", "plan.json"]).exits(1).says("format 0.9");
    bench.write("plan.json", &good);
    bench.edit("world.json", "openverse-example", "another-world");
    bench.run(&["apply", "plan.json"]).exits(6).says("another world");
    bench.write("world.json", &before);
    // What the plan relied on has moved: refused before anything, and the world is untouched, notices included.
    bench.change_world(|world| {
        let instances = world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]["instances"].as_object_mut().unwrap();
        let dev = instances.values_mut().find(|one| one["identifier"] == "dev-openverse-db").unwrap();
        dev["settings"]["multi_az"] = json!(true);
    });
    let moved = bench.read("world.json");
    bench.run(&["apply", "plan.json"]).exits(6).says("stale").says("settings");
    assert_eq!(bench.read("world.json"), moved);
}

#[test]
fn a_world_that_is_none_is_an_error_that_names_the_place() {
    let bench = Bench::openverse();
    for garbage in ["", "{}", "null", "[1]", "{\"format_version\": 1, \"id\": \"x\", \"now\": \"yesterday\", \"seed\": 1}"] {
        bench.write("bad.json", garbage);
        bench.run(&["plan", "staging", "--world", "bad.json"]).exits(1).says("bad.json").says("help: ");
        assert_eq!(bench.read("bad.json"), garbage);
    }
    bench.run(&["plan", "staging", "--world", "none.json"]).exits(1).says("none.json");
}

#[test]
fn a_damaged_journal_and_a_damaged_lock_are_named_and_hide_nothing_else() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes", "--seed", "1", "--max-runtime", "30m"]).exits(8);
    let journal = std::fs::read_dir(bench.path(".switchover/staging/runs")).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&journal).unwrap();
    let before = bench.read("world.json");
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&journal, &damaged).unwrap();
    for args in [&["resume", "staging"][..], &["apply", "staging", "--yes"], &["rollback", "staging", "--yes"], &["runs", "staging"]] {
        bench.run(args).exits(1).says("is damaged").says("help: ");
    }
    // Status shows what it can all the same.
    bench.run(&["status"]).exits(1).says("freshness").says("is damaged");
    assert_eq!(std::fs::read(&journal).unwrap(), damaged);
    assert_eq!(bench.read("world.json"), before);
    std::fs::write(&journal, &good[..good.len() - 3]).unwrap();
    bench.write(".switchover/staging/lock.json", "garbage");
    bench.run(&["resume", "staging"]).exits(1).says("the lock").says("is damaged");
    std::fs::remove_file(bench.path(".switchover/staging/lock.json")).unwrap();
    bench.run(&["resume", "staging"]).exits(0).says("staging: DONE");
}

#[test]
fn files_of_runs_and_plans_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::openverse();
    bench.run(&["plan", "staging", "--out", "plan.json"]).exits(0);
    bench.run(&["apply", "plan.json"]).exits(0);
    let mode = |path: &str| std::fs::metadata(bench.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("plan.json"), mode(".switchover"), mode(".switchover/staging")), (0o600, 0o700, 0o700));
}

#[test]
fn flags_are_checked_before_anything_else() {
    let bench = Bench::openverse();
    for flags in [["--parallelism", "0"], ["--parallelism", "x"], ["--max-runtime", "soon"], ["--lease", "soon"], ["--pace", "fast"], ["--seed", "x"]]
    {
        bench.run(&["apply", "staging", "--yes", flags[0], flags[1]]).exits(1).says(flags[0]);
    }
    bench.run(&["nonsense"]).exits(1);
    assert!(!bench.path(".switchover").exists());
}

#[test]
fn planted_secrets_show_nowhere() {
    const SECRET: &str = "xyzzy-planted-secret";
    let bench =
        Bench::openverse().variable("SLACK_WEBHOOK_URL", &format!("https://hooks.example.org/{SECRET}")).variable("STAGING_DB_PASSWORD", SECRET);
    let bench = bench.variable("SWITCHOVER_VAR_word", SECRET);
    bench.edit("environments/staging.hcl", "provider \"aws\" {", "variable \"word\" {\n  sensitive = true\n}\n\nprovider \"aws\" {");
    bench.edit("environments/staging.hcl", "password = env(\"STAGING_DB_PASSWORD\")", "password = \"${var.word}-${env(\"STAGING_DB_PASSWORD\")}\"");
    bench.edit(
        "environments/staging.hcl",
        "provider \"slack\" \"maintainers\" {",
        &format!(
            "provider \"postgres\" \"api\" {{\n  url = \"postgres://deploy:{SECRET}@db.example.org/api\"\n}}\n\nprovider \"slack\" \"maintainers\" {{"
        ),
    );
    let mut said = Vec::new();
    for args in [
        &["validate"][..],
        &["plan", "staging", "--out", "plan.json", "-vv"],
        &["plan", "staging", "--json"],
        &["show", "plan.json", "--format", "markdown"],
        &["apply", "plan.json", "-vv", "--max-runtime", "30m"],
        &["status"],
        &["resume", "staging", "-vv", "--json"],
        &["runs", "staging", "--json"],
    ] {
        said.push(bench.run(args));
    }
    assert_eq!(said.iter().map(|said| said.code).collect::<Vec<_>>(), [0, 0, 0, 0, 8, 0, 0, 0], "{said:#?}");
    for said in &said {
        assert!(!said.out.contains(SECRET) && !said.err.contains(SECRET), "{}\n{}", said.out, said.err);
    }
    for file in ["plan.json", "world.json"] {
        assert!(!bench.read(file).contains(SECRET), "{file}");
    }
    for journal in std::fs::read_dir(bench.path(".switchover/staging/runs")).unwrap() {
        let text = std::fs::read_to_string(journal.unwrap().path()).unwrap();
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn colour_is_for_those_who_ask_and_calls_for_those_who_want_them() {
    let bench = Bench::openverse();
    assert!(!bench.run(&["plan", "staging"]).exits(0).out.contains('\u{1b}'));
    assert!(bench.run(&["plan", "staging", "--color", "always"]).exits(0).out.contains('\u{1b}'));
    assert!(!bench.run(&["plan", "staging", "--color", "never"]).exits(0).out.contains('\u{1b}'));
    assert!(bench.run(&["plan", "staging"]).exits(0).err.is_empty());
    bench.run(&["plan", "staging", "-vv"]).exits(0).says("call rds:DescribeDBInstances (dev-openverse-db): answered");
    assert!(bench.run(&["plan", "staging", "-v"]).exits(0).err.is_empty(), "nothing is written and nothing fails");
    let quiet = bench.run(&["apply", "staging", "--yes", "-q"]).exits(0);
    assert_eq!(quiet.err, "");
}
