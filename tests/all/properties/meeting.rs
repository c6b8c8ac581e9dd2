//! Processes that meet: two applies of one plan or of one environment, two ways on or back, started at once, again and again. Exactly one of
//! them runs; the other is told why it does not; and the world has seen the calls of one run.

use std::process::{Child, Stdio};

use serde_json::{Value as Json, json};

use super::trials::{Dice, try_all};
use crate::cli::bench::{Bench, Said};
use crate::support::journals::Journals;

const HCL: &str = r#"
environment "pair" {}
provider "cloudflare" {
  api_token = "not a secret"
}
dns_zone "example.org" {
  record "A" "www.example.org" { value = "192.0.2.2" }
  record "A" "new.example.org" { value = "192.0.2.3" }
}
"#;

/// With its runs in one of these journals, where they are nobody else's.
fn bench(journals: &Journals) -> Bench {
    let world = json!({
        "format_version": 1, "id": "a pair", "now": "2026-11-05T09:00:00Z",
        "cloudflare": {"zones": {"0": {"name": "example.org", "name_servers": ["amber.ns.example.com"], "records": {
            "1": {"type": "A", "name": "www.example.org", "content": "192.0.2.1"},
        }}}},
    });
    let variables = journals.variables(&format!("pair-{:016x}", fastrand::u64(..)));
    let bench = Bench::new("pair", HCL, &world.to_string());
    let bench = variables.iter().fold(bench, |bench, (name, value)| bench.variable(name, value));
    bench.run(&["plan", "pair", "--out", "one.json"]).exits(0);
    bench.write("two.json", &bench.read("one.json"));
    bench
}

fn begin(bench: &Bench, args: &[&str]) -> Child {
    bench.command(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child) -> Said {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// Both at once; how each ended, the one that ran first.
fn meet(bench: &Bench, one: &[&str], other: &[&str], dice: &mut Dice) -> [Said; 2] {
    let first = begin(bench, one);
    // At once, or while the other one reads, locks, runs or ends.
    std::thread::sleep(std::time::Duration::from_millis(if dice.chance(50) { 0 } else { dice.number(0, 80) }));
    let second = begin(bench, other);
    let mut said = [end(first), end(second)];
    said.sort_by_key(|said| said.code);
    said
}

fn writes(world: &Json) -> u64 {
    world["counters"]["writes"].as_u64().unwrap_or_default()
}

fn is_declared(world: &Json) -> bool {
    let records = world["cloudflare"]["zones"]["0"]["records"].as_object().unwrap();
    records.len() == 2 && records.values().all(|record| record["content"] != "192.0.2.1")
}

/// What the one that did not run may end with: locked by the other, or, once that is over, nothing to do for an environment, applied already or stale
/// for a plan, and an unfinished run of the other for a moment between.
fn trial(dice: &mut Dice, journals: &Journals) -> &'static str {
    let bench = bench(journals);
    // At a pace the run takes about as long as the other process needs to get there.
    let pace = *dice.one(&[&[][..], &["--pace", "60x"][..]]);
    let with = |args: &[&'static str]| [args, pace].concat();
    let (said, after): ([Said; 2], &[i32]) = match dice.number(0, 2) {
        0 => (meet(&bench, &with(&["apply", "one.json"]), &with(&["apply", "one.json"]), dice), &[5, 6, 7]),
        1 => (meet(&bench, &with(&["apply", "one.json"]), &with(&["apply", "two.json"]), dice), &[5, 6, 7]),
        _ => (meet(&bench, &with(&["apply", "pair", "--yes"]), &with(&["apply", "pair", "--yes"]), dice), &[0, 5, 6, 7]),
    };
    let [ran, other] = &said;
    assert_eq!(ran.code, 0, "{said:?}");
    assert!(after.contains(&other.code), "{said:?}");
    let ran = said.iter().filter(|said| said.out.contains("pair: DONE")).count();
    assert_eq!(ran, 1, "{said:?}");
    assert!(other.code != 0 || other.out.contains("No changes") || other.out.contains("pair: DONE"), "{said:?}");
    let world = bench.world();
    assert!(is_declared(&world) && writes(&world) == 1, "{} writes: {world}", writes(&world));
    bench.run(&["plan", "pair", "--detailed-exitcode"]).exits(0);
    match other.code {
        0 => "one ran, the other found nothing to do",
        5 => "one ran, the other found it unfinished",
        6 => "one ran, the other was refused as applied or stale",
        _ => "one ran, the other was refused as locked",
    }
}

#[test]
fn of_two_applies_at_once_exactly_one_runs() {
    let journals = Journals::Local;
    let tally = try_all("properties::meeting::of_two_applies_at_once_exactly_one_runs", 100, |dice| trial(dice, &journals));
    assert!(tally.of("one ran, the other was refused as locked") > 0, "{tally}");
}

/// Fewer by default: each waits for a server.
#[test]
fn of_two_applies_at_once_exactly_one_runs_in_a_shared_journal() {
    for word in ["postgres", "s3"] {
        let Some(journals) = Journals::open(word) else { continue };
        println!("journal {word}:");
        try_all("properties::meeting::of_two_applies_at_once_exactly_one_runs_in_a_shared_journal", 8, |dice| trial(dice, &journals));
    }
}

/// An unfinished run that two processes take up at once.
fn taken_up(dice: &mut Dice, journals: &Journals) -> &'static str {
    let bench = bench(journals);
    bench.change_world(|world| {
        world["faults"] =
            json!([{"call": "cloudflare:batch", "nth": 1, "times": 1, "fault": {"kind": "crash", "when": dice.one(&["before", "after"])}}]);
    });
    assert_eq!(bench.run(&["apply", "one.json"]).code, -1);
    let back = dice.chance(40);
    let second: &[&str] = if back { &["rollback", "pair", "--yes"] } else { &["resume", "pair"] };
    let said = meet(&bench, &["resume", "pair"], second, dice);
    assert!(said[0].code == 0 && matches!(said[1].code, 0 | 5 | 6 | 7), "{said:?}");
    let world = bench.world();
    let turned_back = said.iter().any(|said| said.out.contains("TURNED BACK"));
    assert!(writes(&world) <= if turned_back { 3 } else { 2 }, "{} writes: {said:?}", writes(&world));
    assert_eq!(is_declared(&world), !turned_back, "{said:?}");
    assert!(back || !turned_back, "{said:?}");
    if turned_back { "turned back" } else { "gone on with" }
}

#[test]
fn of_two_who_take_up_a_run_at_once_exactly_one_goes_on() {
    let journals = Journals::Local;
    try_all("properties::meeting::of_two_who_take_up_a_run_at_once_exactly_one_goes_on", 30, |dice| taken_up(dice, &journals));
}

#[test]
fn of_two_who_take_up_a_run_at_once_exactly_one_goes_on_in_a_shared_journal() {
    for word in ["postgres", "s3"] {
        let Some(journals) = Journals::open(word) else { continue };
        println!("journal {word}:");
        try_all("properties::meeting::of_two_who_take_up_a_run_at_once_exactly_one_goes_on_in_a_shared_journal", 4, |dice| taken_up(dice, &journals));
    }
}

#[test]
fn a_plan_is_applied_once_and_where_it_was_made() {
    let bench = bench(&Journals::Local);
    let other_world = bench.read("world.json").replace("a pair", "another pair");
    bench.write("other.json", &other_world);
    bench.run(&["--world", "other.json", "apply", "one.json"]).exits(6).says("another world");
    let white = bench.read("one.json").replace('\n', "\n  ");
    bench.write("white.json", &white);
    bench.run(&["apply", "one.json"]).exits(0);
    for copy in ["one.json", "two.json", "white.json"] {
        bench.run(&["apply", copy]).exits(6).says("applied already");
    }
    bench.write("renamed.json", &white.replacen("\"environment\": \"pair\"", "\"environment\": \"other\"", 1));
    bench.run(&["apply", "renamed.json"]).exits(6).says("was changed since it was made");
    assert_eq!(writes(&bench.world()), 1);
}
