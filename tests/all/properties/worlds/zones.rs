//! Zones: records of every type under few names, so that what is there and what is declared often meet.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value as Json, json};
use switchover::model::record::{RecordType, canonical_content};

use super::answers::{answer, spelt};
use super::{ACCOUNT, Case, REGION, empty_world, hcl, head};
use crate::properties::trials::Dice;

/// First labels of names; empty for the zone's own.
const LABELS: [&str; 7] = ["", "www.", "mail.", "*.", "a.b.", "_sip._tcp.", "xn--bcher-kva."];
const TTLS: [u32; 5] = [1, 60, 300, 3_600, 86_400];
const TAGS: [&str; 3] = ["owner:web", "team:Blue Team", "empty:"];
const EIPS: u64 = 4;

/// One declared set.
#[derive(Clone)]
struct Set {
    name: String,
    rtype: RecordType,
    values: Vec<String>,
    eips: Vec<String>,
    more: String,
}

/// Zones, and two declarations of them.
pub fn case(dice: &mut Dice) -> Case {
    let mut world = empty_world();
    let count = dice.number(1, 3);
    let mut eips = serde_json::Map::new();
    for number in 0..EIPS {
        eips.insert(format!("eipalloc-{number}"), json!({"name": format!("eip-{number}"), "public_ip": format!("198.51.100.{number}")}));
    }
    world["aws"]["accounts"][ACCOUNT]["regions"][REGION]["elastic_ips"] = Json::Object(eips);
    world["dns"] = json!({"default_lag_seconds": dice.number(0, 20)});
    let start = head(dice);
    let (mut first, mut second, mut labels) = (start.clone(), start, Vec::new());
    for number in 0..count {
        let name = format!("zone{number}.example.org");
        let records = records(dice, &name);
        let a = declared(dice, &name, &records);
        let mut b = if dice.chance(50) { a.clone() } else { declared(dice, &name, &records) };
        if dice.chance(50) {
            exchange(dice, &mut b);
        }
        let label = spelt(dice, &name);
        first.push_str(&block(dice, &labels, &label, &a));
        second.push_str(&block(dice, &labels, &label, &b));
        labels.push(label);
        world["cloudflare"]["zones"][format!("{number:032x}")] = json!({
            "name": spelt(dice, &name),
            "name_servers": ["amber.ns.example.com", "cedar.ns.example.com"],
            "plan": dice.one(&["free", "pro"]),
            "records": records,
        });
    }
    Case { world, first, second }
}

/// The records of a zone: nothing beside a CNAME, nothing twice.
fn records(dice: &mut Dice, zone: &str) -> Json {
    let mut records = serde_json::Map::new();
    let mut seen = BTreeSet::new();
    for label in LABELS {
        let alone = dice.chance(25);
        let types: Vec<RecordType> = if alone { vec![RecordType::Cname] } else { dice.some(&others(), 12) };
        for rtype in types {
            for _ in 0..if rtype == RecordType::Cname { 1 } else { dice.number(1, 3) } {
                let content = answer(dice, rtype);
                let name = format!("{label}{zone}");
                let at_zone = label.is_empty() && rtype == RecordType::Ns;
                if at_zone || !seen.insert((name.clone(), rtype, canonical_content(rtype, &content).unwrap())) {
                    continue;
                }
                let id = format!("{:032x}", records.len() + zone.len() * 1_000);
                let name = spelt(dice, &name);
                records.insert(id, record(dice, &name, rtype, &content));
            }
        }
    }
    if dice.chance(30) {
        records.insert("f".repeat(32), json!({"type": "LOC", "name": format!("loc.{zone}"), "content": "52 22 23.000 N 4 53 32.000 E -2.00m"}));
        records.insert("e".repeat(32), json!({"type": "NS", "name": zone, "content": "amber.ns.example.com"}));
    }
    Json::Object(records)
}

fn record(dice: &mut Dice, name: &str, rtype: RecordType, content: &str) -> Json {
    let proxied = rtype.can_be_proxied() && dice.chance(30);
    let mut record = json!({"type": rtype.word(), "name": name, "content": content});
    record["ttl"] = json!(if proxied { 1 } else { *dice.one(&TTLS) });
    record["proxied"] = json!(proxied);
    if dice.chance(30) {
        record["comment"] = json!(dice.one(&["written by hand", "  ", "\u{202e}turned"]));
    }
    if dice.chance(30) {
        record["tags"] = json!(dice.some(&TAGS, 60));
    }
    record
}

/// Every type but CNAME.
fn others() -> Vec<RecordType> {
    RecordType::ALL.into_iter().filter(|rtype| *rtype != RecordType::Cname).collect()
}

/// Sets that can stand together, most of them of names and types that are there.
fn declared(dice: &mut Dice, zone: &str, records: &Json) -> Vec<Set> {
    let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in records.as_object().unwrap().values() {
        let name = record["name"].as_str().unwrap().trim_end_matches('.').to_lowercase().replacen("bücher", "xn--bcher-kva", 1);
        there.entry(name).or_default().insert(record["type"].as_str().unwrap().to_owned());
    }
    let mut sets = Vec::new();
    for label in LABELS {
        if dice.chance(35) {
            continue;
        }
        let name = format!("{label}{zone}");
        let here = there.get(&name).cloned().unwrap_or_default();
        let cname = dice.chance(30);
        let mut types: Vec<RecordType> = if cname { vec![RecordType::Cname] } else { dice.some(&others(), 10) };
        types.extend(
            here.iter()
                .filter_map(|word| word.parse().ok())
                .filter(|rtype| !types.contains(rtype) && !cname && *rtype != RecordType::Cname && dice.chance(50))
                .collect::<Vec<RecordType>>(),
        );
        types.retain(|rtype| !(label.is_empty() && *rtype == RecordType::Ns));
        let declared: Vec<RecordType> = types.clone();
        sets.extend(types.into_iter().map(|rtype| set(dice, &name, rtype)));
        // What is in the way is declared to be gone, as a rule.
        let in_the_way = here.iter().filter_map(|word| word.parse::<RecordType>().ok()).filter(|rtype| cname != (*rtype == RecordType::Cname));
        let gone: Vec<RecordType> = in_the_way.filter(|rtype| !(declared.contains(rtype) || label.is_empty() && *rtype == RecordType::Ns)).collect();
        if (cname || here.contains("CNAME")) && dice.chance(95) {
            sets.extend(gone.into_iter().map(|rtype| Set { name: name.clone(), rtype, values: Vec::new(), eips: Vec::new(), more: String::new() }));
        }
    }
    dice.shuffle(&mut sets);
    sets
}

fn set(dice: &mut Dice, name: &str, rtype: RecordType) -> Set {
    let mut more = String::new();
    let least = u64::from(dice.chance(85));
    let count = if rtype == RecordType::Cname { 1 } else { dice.number(least, 3) };
    if let Some(ttl) = dice.maybe(40, |dice| *dice.one(&TTLS)) {
        let _ = writeln!(more, "    ttl = {ttl}");
    }
    if let Some(proxied) = dice.maybe(40, |dice| dice.chance(50)).filter(|_| rtype.can_be_proxied()) {
        let _ = writeln!(more, "    proxied = {proxied}");
    }
    if let Some(comment) = dice.maybe(25, |dice| *dice.one(&["declared", "", "with \"quotes\""])) {
        let _ = writeln!(more, "    comment = {}", hcl::string(comment));
    }
    if let Some(tags) = dice.maybe(25, |dice| dice.some(&TAGS, 50)) {
        let _ = writeln!(more, "    tags = {}", hcl::list(&tags));
    }
    let mut set = Set { name: name.to_owned(), rtype, values: Vec::new(), eips: Vec::new(), more };
    if rtype == RecordType::A && dice.chance(40) {
        set.eips = (0..count).map(|_| format!("eip-{}", dice.number(0, EIPS - 1))).collect();
    } else {
        set.values = (0..count).map(|_| answer(dice, rtype)).collect();
    }
    set
}

/// Lets sets of one type change their answers with one another.
fn exchange(dice: &mut Dice, sets: &mut [Set]) {
    let rtype = *dice.one(&[RecordType::A, RecordType::Mx, RecordType::Txt, RecordType::Cname]);
    let places: Vec<usize> =
        (0..sets.len()).filter(|at| sets[*at].rtype == rtype && !(sets[*at].values.is_empty() && sets[*at].eips.is_empty())).collect();
    for pair in places.chunks_exact(2) {
        let (one, other) = (sets[pair[0]].clone(), sets[pair[1]].clone());
        (sets[pair[0]].values, sets[pair[0]].eips) = (other.values, other.eips);
        (sets[pair[1]].values, sets[pair[1]].eips) = (one.values, one.eips);
    }
}

/// The text of one zone; `before` are the labels of those that it may depend on.
fn block(dice: &mut Dice, before: &[String], label: &str, sets: &[Set]) -> String {
    let mut text = format!("dns_zone {} {{\n", hcl::string(label));
    if let Some(on) = before.last().filter(|_| dice.chance(30)) {
        let _ = writeln!(text, "  depends_on = [dns_zone[{}]]", hcl::string(on));
    }
    for (percent, line) in [(30, "  ttl = 300\n"), (20, "  proxied = false\n"), (20, "  answers = \"all\"\n")] {
        if dice.chance(percent) {
            text.push_str(line);
        }
    }
    for set in sets {
        let _ = writeln!(text, "  record {} {} {{", hcl::string(set.rtype.word()), hcl::string(&spelt(dice, &set.name)));
        text.push_str(&set.more);
        let (what, answers) = if set.eips.is_empty() { ("values", &set.values) } else { ("elastic_ip", &set.eips) };
        let _ = writeln!(text, "    {what} = {}\n  }}", hcl::list(answers));
    }
    if dice.chance(30) {
        text.push_str("  confirm {\n    name_servers = [\"192.0.2.53:53\"]\n    timeout = \"2m\"\n  }\n");
    }
    if dice.chance(90) {
        text.push_str("  safety {\n    max_deletes = \"100%\"\n    max_updates = \"100%\"\n  }\n");
    }
    text.push_str("}\n");
    text
}
