use proptest::prelude::*;
use serde_json::json;

use super::super::testing::{Bench, Planned, block, contents, desired, list, n, planned, record, row, s, world, zone};
use crate::apply::Look;
use crate::declare::{Declared, Node};
use crate::diff::Action;
use crate::model::{Json, Phase, Value};
use crate::plan::{Part, Undo};
use crate::world::sim::SimWorld;

fn slugs(part: &Part) -> Vec<&str> {
    part.steps.iter().map(|step| step.id.rsplit('/').next().unwrap_or("")).collect()
}

fn ten(content: impl Fn(usize) -> String) -> Vec<Json> {
    (0..10).map(|number| row("A", &format!("n{number}.example.org"), &content(number), 300)).collect()
}

fn answer(number: usize, content: &str) -> Node {
    record(number + 2, "A", &format!("n{number}.example.org"), &[("value", s(content))])
}

fn plan(world: &SimWorld, declared: &Declared, max_batch: u32) -> crate::model::Result<Planned> {
    planned(world, declared, &desired(vec![declared.clone()], max_batch))
}

#[test]
fn one_zone_is_one_batch_between_looks() {
    let world = world(&[row("A", "example.org", "192.0.2.9", 600)]);
    let attributes = [("elastic_ip", s("eip-live")), ("aws", Value::Reference("aws.hk".to_owned()))];
    let declared =
        zone("example.org", &[], vec![record(2, "A", "example.org", &attributes), record(3, "TXT", "t.example.org", &[("value", s("x"))])]);
    let part = plan(&world, &declared, 200).unwrap().part;
    assert_eq!(slugs(&part), ["addresses", "verify", "batch", "read-back", "answers"]);
    let phases: Vec<Phase> = part.steps.iter().map(|step| step.phase).collect();
    assert_eq!(phases, [Phase::Prepare, Phase::Verify, Phase::Switch, Phase::Confirm, Phase::Confirm]);
    for (step, before) in part.steps.iter().skip(1).zip(&part.steps) {
        assert_eq!(step.after, [before.id.as_str()]);
    }
    let facts: Vec<(&str, Json)> = part.facts.iter().map(|fact| (fact.id.rsplit('/').next().unwrap_or(""), fact.value.json())).collect();
    assert_eq!(
        facts,
        [
            ("elastic-ips-aws.hk", json!({ "eip-live": "192.0.2.1" })),
            ("records", json!({ "r0": "A example.org 192.0.2.9" })),
            ("free", json!({ "TXT t.example.org": "free" })),
        ]
    );
    assert_eq!(part.steps[2].facts.len(), 3);
    assert_eq!(part.steps[2].writes, ["example.org", "t.example.org"]);
    assert_eq!(part.locks, ["dns:z1"]);
    assert_eq!(part.world["zone example.org"], "z1");
    assert_eq!(part.world["aws.hk"], "111122223333/ap-east-1");
    assert!(part.notes.iter().any(|note| note.contains("10m")), "{:?}", part.notes);
    assert_eq!(part.steps[4].operation.json()["servers"], json!(["ada.ns.example", "bob.ns.example"]));
    assert!(part.warnings.is_empty());
}

#[test]
fn nothing_to_do_is_no_step() {
    let world = world(&[row("A", "example.org", "192.0.2.1", 600)]);
    let declared = zone("example.org", &[], vec![record(2, "A", "example.org", &[("value", s("192.0.2.1"))])]);
    let planned = plan(&world, &declared, 200).unwrap();
    assert!(planned.part.steps.is_empty() && planned.part.facts.is_empty() && planned.part.locks.is_empty());
}

#[test]
fn a_swap_of_the_whole_zone_is_safe_and_anything_else_is_not() {
    let world = world(&ten(|number| format!("192.0.2.{number}")));
    let swap = (0..10).map(|number| answer(number, &format!("192.0.2.{}", 9 - number))).collect();
    assert_eq!(plan(&world, &zone("example.org", &[], swap), 200).unwrap().change.attributes.len(), 10);
    let typo = (0..10).map(|number| answer(number, &format!("192.0.2.{}", if number == 0 { 77 } else { 9 - number }))).collect();
    let error = plan(&world, &zone("example.org", &[], typo), 200).err().expect("refused");
    for part in ["update 10 of 10 records (100%)", "max_updates is 30%"] {
        assert!(error.chain().contains(part), "{part} in {}", error.chain());
    }
    assert!(error.help().contains("safety"));
}

#[test]
fn shares_count_from_the_declared_number_of_records_and_up_to_the_declared_share() {
    let world = world(&ten(|_| "192.0.2.1".to_owned()));
    let remove = |count: usize| {
        (0..count).map(|number| record(number + 2, "A", &format!("n{number}.example.org"), &[("values", list(&[]))])).collect::<Vec<_>>()
    };
    assert!(plan(&world, &zone("example.org", &[], remove(3)), 200).is_ok());
    let error = plan(&world, &zone("example.org", &[], remove(4)), 200).err().expect("refused");
    assert!(error.chain().contains("delete 4 of 10 records (40%)"), "{}", error.chain());
    for safety in [[("max_deletes", s("40%"))], [("from", n(11))]] {
        let mut records = remove(4);
        records.push(block("safety", &safety));
        assert!(plan(&world, &zone("example.org", &[], records), 200).is_ok());
    }
}

#[test]
fn one_answer_that_moves_does_not_hide_many_deletes() {
    let world = world(&ten(|_| "192.0.2.1".to_owned()));
    let mut records: Vec<Node> = (0..8).map(|number| record(number + 2, "A", &format!("n{number}.example.org"), &[("values", list(&[]))])).collect();
    records.push(record(20, "A", "new.example.org", &[("value", s("192.0.2.1"))]));
    let error = plan(&world, &zone("example.org", &[], records), 200).err().expect("refused");
    assert!(error.chain().contains("delete 7 of 10"), "{}", error.chain());
}

#[test]
fn more_changes_than_a_call_holds_are_several_batches_with_a_warning() {
    let world = world(&ten(|number| format!("192.0.2.{number}")));
    let declared = zone("example.org", &[], (0..10).map(|number| answer(number, &format!("192.0.2.{}", 9 - number))).collect());
    let part = plan(&world, &declared, 4).unwrap().part;
    assert_eq!(slugs(&part), ["verify", "batch-1", "batch-2", "batch-3", "read-back", "answers"]);
    assert!(part.warnings[0].contains("not one transaction"), "{:?}", part.warnings);
    let desired = desired(vec![declared.clone()], 4);
    Bench { world: &world, desired: &desired }.apply(&part);
    assert_eq!(plan(&world, &declared, 4).unwrap().change.action, Action::NoOp);
}

#[test]
fn questions_leave_out_what_others_answer() {
    let cname = row("CNAME", "c.example.org", "example.org", 300);
    let world = world(&[row("A", "*.example.org", "192.0.2.1", 300), row("A", "gone.example.org", "192.0.2.2", 300), cname]);
    let records = vec![
        record(2, "A", "gone.example.org", &[("values", list(&[]))]),
        record(3, "NS", "sub.example.org", &[("value", s("ns.example.net"))]),
        record(4, "CNAME", "c.example.org", &[("value", s("example.net")), ("proxied", Value::Bool(true))]),
        record(5, "A", "new.example.org", &[("values", list(&["192.0.2.4", "192.0.2.3"]))]),
    ];
    let part = plan(&world, &zone("example.org", &[], records), 200).unwrap().part;
    let asked = &part.steps.last().expect("a step").operation.json()["questions"];
    assert_eq!(
        *asked,
        json!([
            { "name": "c.example.org", "type": "A", "contents": null },
            { "name": "new.example.org", "type": "A", "contents": ["192.0.2.3", "192.0.2.4"] },
        ])
    );
    assert!(part.notes.iter().any(|note| note.contains("NS sub.example.org: delegated")), "{:?}", part.notes);
}

#[test]
fn tag_values_are_names_for_the_guard() {
    let present = json!({ "type": "A", "name": "a.example.org", "content": "192.0.2.1", "tags": ["env:prod"] });
    let world = world(&[present]);
    let declared = zone("example.org", &[], vec![record(2, "A", "a.example.org", &[("value", s("192.0.2.2"))])]);
    let part = plan(&world, &declared, 200).unwrap().part;
    assert_eq!(part.steps[1].writes, ["a.example.org", "prod"]);
}

#[test]
fn every_batch_has_its_inverse_and_nothing_else_writes() {
    let world = world(&ten(|number| format!("192.0.2.{number}")));
    let declared = zone("example.org", &[], vec![answer(0, "192.0.2.77"), record(9, "TXT", "x.example.org", &[("value", s("x"))])]);
    for step in plan(&world, &declared, 200).unwrap().part.steps {
        assert_eq!(step.phase == Phase::Switch, matches!(step.undo, Undo::Operations { .. }), "{}", step.id);
        assert_eq!(step.phase == Phase::Switch, !step.writes.is_empty(), "{}", step.id);
        assert!(step.outage.is_none() && step.irreversible.is_none());
    }
}

const NAMES: [&str; 3] = ["example.org", "a.example.org", "*.a.example.org"];

/// A CNAME alone, or any mix of addresses, mail and text.
fn name_sets() -> impl Strategy<Value = Vec<(&'static str, Vec<String>)>> {
    let cname = |target: &str| vec![("CNAME", vec![target.to_owned()])];
    prop_oneof![proptest::sample::select(vec!["x.example.net", "y.example.net"]).prop_map(cname), mixed_sets()]
}

/// Any mix of addresses, mail and text: all that the zone's own name can have beside its NS records.
fn mixed_sets() -> impl Strategy<Value = Vec<(&'static str, Vec<String>)>> {
    let some = |contents: &'static [&'static str]| proptest::sample::subsequence(contents.to_vec(), 0..=contents.len());
    let texts = |contents: Vec<&str>| contents.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mix = (
        some(&["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]),
        some(&["2001:db8::1", "2001:db8::2"]),
        some(&["10 m.example.net", "20 n.example.net"]),
        some(&["one", "two words", "\"three\""]),
    );
    mix.prop_map(move |(a, aaaa, mx, txt)| vec![("A", texts(a)), ("AAAA", texts(aaaa)), ("MX", texts(mx)), ("TXT", texts(txt))])
}

type Sets = Vec<(usize, &'static str, Vec<String>)>;

fn zone_sets() -> impl Strategy<Value = Sets> {
    (mixed_sets(), name_sets(), name_sets()).prop_map(|(first, second, third)| {
        let numbered =
            |number: usize, sets: Vec<(&'static str, Vec<String>)>| sets.into_iter().map(move |(rtype, contents)| (number, rtype, contents));
        numbered(0, first).chain(numbered(1, second)).chain(numbered(2, third)).collect()
    })
}

/// Settings of a record, by a number: TTL, proxying, comment and tags in some combination.
fn present_row((name, rtype, content): (usize, &str, &str), settings: u32) -> Json {
    let proxied = settings & 1 == 1 && matches!(rtype, "A" | "AAAA" | "CNAME");
    let mut row = json!({ "type": rtype, "name": NAMES[name], "content": content, "proxied": proxied });
    row["ttl"] = json!(if proxied { 1 } else { [1, 60, 300, 3_600][(settings >> 1) as usize & 3] });
    if settings & 8 == 8 {
        row["comment"] = json!("by hand");
    }
    if settings & 16 == 16 {
        row["tags"] = json!(["owner:dns", "env:test"]);
    }
    row
}

fn declared_attributes(rtype: &str, contents: &[String], settings: u32) -> Vec<(&'static str, Value)> {
    let texts: Vec<&str> = contents.iter().map(String::as_str).collect();
    let mut attributes = vec![("values", list(&texts))];
    if settings & 1 == 1 {
        attributes.push(("ttl", n([1, 60, 300, 7_200][(settings >> 1) as usize & 3])));
    }
    if settings & 8 == 8 && matches!(rtype, "A" | "AAAA" | "CNAME") {
        attributes.push(("proxied", Value::Bool(settings & 16 == 16)));
    }
    if settings & 32 == 32 {
        attributes.push(("comment", s(if settings & 64 == 64 { "declared" } else { "" })));
    }
    if settings & 128 == 128 {
        attributes.push(("tags", list(&["owner:dns"])));
    }
    attributes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any zone becomes any other one through its batches, planning again yields nothing, and the way back restores every
    /// record exactly.
    #[test]
    fn forward_reaches_the_declaration_and_back_restores_the_zone(
        before in zone_sets(),
        after in zone_sets(),
        settings in proptest::collection::vec(0_u32..256, 64),
        max_batch in 1_u32..12,
        all in any::<bool>(),
    ) {
        let mut dice = settings.iter().copied().cycle();
        let mut present: Vec<Json> = before
            .iter()
            .flat_map(|(name, rtype, contents)| contents.iter().map(move |content| (*name, *rtype, content.as_str())))
            .map(|record| present_row(record, dice.next().unwrap_or(0)))
            .collect();
        present.push(row("A", "foreign.example.org", "192.0.2.1", 60));
        if !all {
            present.push(row("LOC", "place.example.org", "somewhere", 60));
        }
        present.push(row("NS", "example.org", "ada.ns.example", 60));
        let world = world(&present);
        let mut blocks: Vec<Node> = Vec::new();
        for (line, name) in NAMES.iter().enumerate() {
            // Every type is declared, so that a name may turn into anything: what is not wanted is an empty set.
            for rtype in ["A", "AAAA", "CNAME", "MX", "TXT"] {
                let contents = after.iter().find(|(number, of, _)| *number == line && *of == rtype).map_or(&[][..], |(.., contents)| contents);
                blocks.push(record(line + 2, rtype, name, &declared_attributes(rtype, contents, dice.next().unwrap_or(0))));
            }
        }
        blocks.push(block("safety", &[("max_deletes", s("100%")), ("max_updates", s("100%"))]));
        let answers = [("answers", Value::String("all".to_owned()))];
        let declared = zone("example.org", &answers[..usize::from(all)], blocks);
        let desired = desired(vec![declared.clone()], max_batch);
        let (original, ids) = contents(&world);

        let forward = planned(&world, &declared, &desired).expect("a plan");
        let bench = Bench { world: &world, desired: &desired };
        bench.apply(&forward.part);
        let again = planned(&world, &declared, &desired).expect("a plan");
        prop_assert_eq!(again.change.action, Action::NoOp, "{:?}", again.change.attributes);

        bench.undo(&forward.part);
        let (restored, restored_ids) = contents(&world);
        prop_assert_eq!(restored, original);
        // Patched records kept their ids; only removed ones were made again.
        let removed: usize = forward.part.steps.iter().filter_map(|step| step.operation.json()["changes"]["deletes"].as_array().map(Vec::len)).sum();
        prop_assert_eq!(ids.iter().filter(|id| !restored_ids.contains(id)).count(), removed);
    }
}

#[test]
fn an_elastic_ip_that_moved_is_stale_and_a_conflict() {
    let world = world(&[row("A", "example.org", "192.0.2.9", 600)]);
    let attributes = [("elastic_ip", s("eip-live")), ("aws", Value::Reference("aws.hk".to_owned()))];
    let declared = zone("example.org", &[], vec![record(2, "A", "example.org", &attributes)]);
    let part = plan(&world, &declared, 200).unwrap().part;
    let mut moved = world.snapshot();
    moved["aws"]["accounts"]["111122223333"]["regions"]["ap-east-1"]["elastic_ips"]["eipalloc-1"]["public_ip"] = json!("192.0.2.88");
    let moved = SimWorld::from_json(&moved, crate::world::sim::SimOptions::default()).unwrap();
    let desired = desired(vec![declared], 200);
    let bench = Bench { world: &moved, desired: &desired };
    assert_eq!(bench.fact(&part.facts[0].read).unwrap(), json!({ "eip-live": "192.0.2.88" }));
    let Look::Conflict(why) = bench.look(&part.steps[0].operation).unwrap() else { panic!("a conflict") };
    assert!(why.contains("eip-live (aws.hk) was 192.0.2.1 and is 192.0.2.88"), "{why}");
}

#[test]
fn name_servers_are_waited_for_with_words_that_say_which() {
    let world = world(&[row("A", "example.org", "192.0.2.9", 600)]);
    let records = vec![record(2, "A", "example.org", &[("value", s("192.0.2.1"))]), block("confirm", &[("timeout", s("90s"))])];
    let declared = zone("example.org", &[], records);
    let part = plan(&world, &declared, 200).unwrap().part;
    let answers = part.steps.last().expect("a step");
    assert_eq!(answers.limits.timeout, std::time::Duration::from_secs(90));
    let desired = desired(vec![declared], 200);
    let Look::Settling(progress) = (Bench { world: &world, desired: &desired }).look(&answers.operation).unwrap() else { panic!("settling") };
    assert_eq!(progress.percent, Some(0));
    assert_eq!(progress.status, "0 of 2 servers answer as declared (A example.org at ada.ns.example: 192.0.2.9)");
}
