//! `graph`, `explain`, `schema`, `completions`, `man`: what describes instead of doing.

use std::fs;
use std::path::Path;

use switchover::declare::{BlockSpec, KindSchema};
use switchover::kinds;

use super::bench::Bench;

#[test]
fn a_graph_has_every_step_and_every_order_of_the_plan() {
    for (bench, environment) in [(Bench::openverse(), "staging"), (Bench::gigadb(), "gigadb")] {
        if environment == "gigadb" {
            bench.edit("environments/gigadb.hcl", "live = \"hk\"", "live = \"sydney\"");
        }
        let plan = bench.run(&["plan", environment, "--json"]).exits(0).json();
        let steps = plan["steps"].as_array().unwrap();
        let after: usize = steps.iter().map(|step| step["after"].as_array().unwrap().len()).sum();
        assert!(!steps.is_empty());
        let dot = bench.run(&["graph", environment]).exits(0).out;
        let mermaid = bench.run(&["graph", environment, "--format", "mermaid"]).exits(0).out;
        assert!(dot.starts_with("digraph ") && mermaid.starts_with("flowchart "), "{dot}\n{mermaid}");
        assert_eq!((dot.matches("[label = ").count(), dot.matches(" -> ").count()), (steps.len(), after), "{dot}");
        assert_eq!((mermaid.matches("  style s").count(), mermaid.matches(" --> ").count()), (steps.len(), after), "{mermaid}");
    }
}

#[test]
fn a_graph_of_nothing_is_a_graph() {
    let bench = Bench::gigadb();
    assert_eq!(bench.run(&["graph", "gigadb"]).exits(0).out.matches("label").count(), 0);
    bench.run(&["graph", "nowhere"]).exits(1).says("help:");
}

#[test]
fn a_resource_is_explained_with_its_reason_lines_facts_and_steps() {
    let bench = Bench::openverse();
    let plan = bench.run(&["plan", "staging", "--json"]).exits(0).json();
    let said = bench.run(&["explain", "staging", "database.dev-openverse-db"]).exits(0).says("must be replaced").says("environments/staging.hcl:");
    for reason in plan["resource_changes"][0]["reasons"].as_array().unwrap() {
        said.out.split_whitespace().collect::<Vec<_>>().join(" ").find(reason.as_str().unwrap()).expect("every reason is there");
    }
    let explained = bench.run(&["explain", "staging", "database.dev-openverse-db", "--json"]).exits(0).json();
    assert_eq!(explained["steps"].as_array().unwrap().len(), plan["steps"].as_array().unwrap().len());
    assert_eq!(explained["facts"].as_array().unwrap().len(), plan["facts"].as_array().unwrap().len());
    let relied = explained["facts"].as_array().unwrap().iter().filter(|fact| !fact["steps"].as_array().unwrap().is_empty()).count();
    assert!(relied > 0, "{explained:#}");
}

#[test]
fn what_is_as_declared_says_when_it_is_due_next() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    let explained = bench.run(&["explain", "staging", "database.dev-openverse-db"]).exits(0);
    explained.says("nothing is to be done").says("Next due");
    let bench = Bench::gigadb();
    bench.run(&["explain", "gigadb", "dns_zone[\"gigadb.org\"]"]).exits(0).says("nothing is to be done");
    bench.run(&["explain", "gigadb", "dns_zone[\"nowhere.org\"]"]).exits(1).says("is not declared").says("declared are");
    bench.run(&["explain", "gigadb", "nonsense"]).exits(1).says("address");
}

#[test]
fn a_changed_attribute_is_explained_with_its_line() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    let text = bench.read("environments/staging.hcl");
    let line = text.lines().find(|line| line.trim_start().starts_with("instance_class")).unwrap();
    bench.edit("environments/staging.hcl", line, "  instance_class = \"db.m5.2xlarge\"");
    let explained = bench.run(&["explain", "staging", "database.dev-openverse-db", "--json"]).exits(0).json();
    let attribute = explained["attributes"].as_array().unwrap().iter().find(|attribute| attribute["name"] == "instance_class").cloned();
    let attribute = attribute.unwrap_or_else(|| panic!("{explained:#}"));
    let text = bench.read("environments/staging.hcl");
    let line = text.lines().position(|line| line.contains("db.m5.2xlarge")).unwrap() + 1;
    assert!(attribute["declared_at"].as_str().unwrap().starts_with(&format!("environments/staging.hcl:{line}:")), "{attribute}");
}

#[test]
fn a_changed_record_is_explained_with_its_line() {
    let bench = Bench::gigadb();
    bench.edit("environments/gigadb.hcl", "live = \"hk\"", "live = \"sydney\"");
    let explained = bench.run(&["explain", "gigadb", "dns_zone[\"gigadb.org\"]", "--json"]).exits(0).json();
    let text = bench.read("environments/gigadb.hcl");
    let lines: Vec<&str> = text.lines().collect();
    let attributes = explained["attributes"].as_array().unwrap();
    assert!(!attributes.is_empty());
    for attribute in attributes {
        let place = attribute["declared_at"].as_str().unwrap_or_else(|| panic!("no line says {attribute}"));
        let line: usize = place.strip_prefix("environments/gigadb.hcl:").and_then(|rest| rest.split(':').next()).unwrap().parse().unwrap();
        let name = attribute["name"].as_str().unwrap().split(' ').nth(1).unwrap();
        assert!(lines[line - 1].contains(&format!("\"{name}\"")), "{place}: {}", lines[line - 1]);
    }
}

#[test]
fn the_reference_is_what_the_tables_say() {
    let bench = Bench::gigadb();
    let reference = bench.run(&["schema", "--format", "markdown"]).exits(0).out;
    let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md")).unwrap();
    assert!(reference == kept, "docs/reference.md is not what the tables say: switchover schema --format markdown > docs/reference.md");
}

#[test]
fn the_schema_knows_every_attribute_and_block() {
    fn collect(spec: &'static BlockSpec, names: &mut Vec<&'static str>) {
        names.push(spec.name);
        names.extend(spec.attributes.iter().map(|attribute| attribute.name));
        spec.blocks.iter().for_each(|block| collect(block, names));
    }
    let schema = Bench::gigadb().run(&["schema"]).exits(0);
    let document = schema.json();
    assert_eq!(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let mut all = Vec::new();
    for kind in kinds::ALL {
        collect(KindSchema::block(*kind), &mut all);
    }
    for name in all {
        assert!(schema.out.contains(&format!("\"{name}\": {{")), "{name} is not in the schema");
    }
    assert_eq!(document["properties"]["provider"]["properties"]["cloudflare"]["anyOf"][0]["properties"]["api_token"]["writeOnly"], true);
}

#[test]
fn a_shell_is_offered_environments_and_runs_that_are_there() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    let run = bench.run(&["runs", "staging", "--json"]).exits(0).json()["runs"][0]["run"].as_str().unwrap().to_owned();
    let complete = |words: &[&str]| {
        let mut all = vec!["--", "switchover"];
        all.extend(words);
        let index = words.len().to_string();
        let mut command = bench.command(&all);
        let output = command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_IFS", "\n").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(complete(&["plan", ""]).lines().any(|line| line == "staging"));
    assert!(complete(&["runs", "staging", ""]).lines().any(|line| line == run));
    assert!(complete(&["ro"]).contains("rollback"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(bench.run(&["completions", shell]).exits(0).out.contains("COMPLETE"), "{shell}");
    }
    bench.run(&["completions", "tcsh"]).exits(1).says("one of");
}

#[test]
fn every_command_has_a_manual_page() {
    let bench = Bench::gigadb();
    bench.run(&["man", "pages"]).exits(0);
    for command in ["", "-plan", "-apply", "-resume", "-rollback", "-status", "-runs", "-unlock", "-validate", "-show", "-fmt", "-explain", "-graph"]
    {
        let page = bench.read(&format!("pages/switchover{command}.1"));
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "switchover{command}: {page}");
    }
    bench.write("file", "");
    bench.run(&["man", "file/pages"]).exits(1).says("help:");
}
