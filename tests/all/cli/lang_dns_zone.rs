//! The `dns_zone` block: sets of answers, what is kept, what is foreign, safety and swaps.

use serde_json::{Value, json};

use super::bench::Bench;

const HCL: &str = "environments/e.hcl";
const ZONE: &str = "/cloudflare/zones/z1/records";

/// One zone, twelve records, and these records declared.
fn zone(declared: &str) -> Bench {
    let mut records = serde_json::Map::new();
    for n in 1..=10 {
        records.insert(format!("a{n}"), json!({ "type": "A", "name": format!("n{n}.example.org"), "content": format!("192.0.2.{n}"), "ttl": 3600 }));
    }
    records.insert("t1".to_owned(), json!({ "type": "TXT", "name": "example.org", "content": "v=spf1 -all", "ttl": 300, "comment": "mail" }));
    records.insert("c1".to_owned(), json!({ "type": "CNAME", "name": "www.example.org", "content": "n1.example.org", "ttl": 1, "proxied": true }));
    let servers = json!(["ns1.example.net", "ns2.example.net"]);
    let zones = json!({ "z1": { "name": "example.org", "name_servers": servers, "plan": "free", "records": records } });
    let world = json!({ "format_version": version(), "id": "lang", "now": "2026-11-05T09:00:00Z", "cloudflare": { "zones": zones } });
    let hcl =
        format!("environment \"e\" {{}}\nprovider \"cloudflare\" {{ api_token = env(\"TOKEN\") }}\ndns_zone \"Example.ORG.\" {{\n{declared}\n}}\n");
    Bench::new("e", &hcl, &serde_json::to_string_pretty(&world).unwrap())
}

/// The format version of the example's world.
fn version() -> Value {
    Bench::gigadb().world()["format_version"].clone()
}

fn apply(bench: &Bench) {
    bench.run(&["apply", "e", "--yes"]).exits(0);
    bench.run(&["plan", "e", "--detailed-exitcode"]).exits(0);
}

fn record(bench: &Bench, id: &str) -> Value {
    bench.world().pointer(ZONE).unwrap()[id].clone()
}

fn contents(bench: &Bench, name: &str) -> Vec<String> {
    let world = bench.world();
    let all = world.pointer(ZONE).unwrap().as_object().unwrap();
    let mut found: Vec<String> = all.values().filter(|it| it["name"] == name).map(|it| it["content"].as_str().unwrap().to_owned()).collect();
    found.sort();
    found
}

#[test]
fn a_changed_answer_keeps_the_records_id_ttl_proxying_and_comment() {
    let bench =
        zone("  record \"TXT\" \"example.org\" { value = \"v=spf1 +all\" }\n  record \"CNAME\" \"www.example.org\" { value = \"N2.Example.org.\" }");
    apply(&bench);
    assert_eq!(record(&bench, "t1")["content"], "v=spf1 +all");
    assert_eq!((&record(&bench, "t1")["ttl"], &record(&bench, "t1")["comment"]), (&json!(300), &json!("mail")));
    assert_eq!((&record(&bench, "c1")["content"], &record(&bench, "c1")["proxied"]), (&json!("n2.example.org"), &json!(true)));
    assert_eq!(record(&bench, "a1")["content"], "192.0.2.1", "foreign records stay");
}

#[test]
fn a_declared_name_and_type_is_owned_as_a_set_and_an_empty_one_removes_it() {
    let bench = zone(
        "  record \"A\" \"n1.example.org\" { values = [\"192.0.2.1\", \"192.0.2.101\", \"192.0.2.101\"] }\n  record \"A\" \"n2.example.org\" { values = [] }",
    );
    apply(&bench);
    assert_eq!(contents(&bench, "n1.example.org"), ["192.0.2.1", "192.0.2.101"]);
    assert!(contents(&bench, "n2.example.org").is_empty());
    bench.edit(HCL, "\"192.0.2.1\", \"192.0.2.101\", \"192.0.2.101\"", "\"192.0.2.101\"");
    apply(&bench);
    assert_eq!(contents(&bench, "n1.example.org"), ["192.0.2.101"]);
}

#[test]
fn removing_a_block_leaves_its_records() {
    let bench = zone("  record \"A\" \"n1.example.org\" { value = \"192.0.2.77\" }");
    apply(&bench);
    bench.edit(HCL, "  record \"A\" \"n1.example.org\" { value = \"192.0.2.77\" }", "");
    bench.run(&["plan", "e", "--prune", "--detailed-exitcode"]).exits(0);
    assert_eq!(contents(&bench, "n1.example.org"), ["192.0.2.77"]);
}

#[test]
fn new_records_get_automatic_ttl_and_no_proxy_and_declared_ones_what_they_say() {
    let bench = zone(
        "  record \"A\" \"new.example.org\" { value = \"192.0.2.50\" }\n  record \"A\" \"n1.example.org\" {\n    value = \"192.0.2.1\"\n    ttl = 60\n  }",
    );
    let after = bench.run(&["plan", "e", "--json"]).exits(0).json()["resource_changes"][0]["change"]["after"].clone();
    assert_eq!(after, json!({ "A n1.example.org ttl": 60, "A new.example.org": "192.0.2.50" }));
    apply(&bench);
    assert_eq!(record(&bench, "a1")["ttl"], 60);
    let world = bench.world();
    let new = world.pointer(ZONE).unwrap().as_object().unwrap().values().find(|it| it["name"] == "new.example.org").unwrap().clone();
    assert_eq!((new["ttl"].as_u64().unwrap_or(1), new["proxied"].as_bool().unwrap_or(false)), (1, false));
}

#[test]
fn unicode_wildcard_and_long_text_arrive_in_the_form_of_the_service() {
    let bench = zone(
        "  record \"A\" \"*.example.org\" { value = \"192.0.2.9\" }\n  record \"A\" \"Bücher.example.org\" { value = \"192.0.2.8\" }\n  record \"TXT\" \"long.example.org\" { value = join(\"\", [for i in range(300) : \"ab\"]) }",
    );
    apply(&bench);
    assert_eq!(contents(&bench, "*.example.org"), ["192.0.2.9"]);
    assert_eq!(contents(&bench, "xn--bcher-kva.example.org"), ["192.0.2.8"]);
    assert!(contents(&bench, "long.example.org")[0].replace(['"', ' '], "").len() == 600);
}

#[test]
fn too_many_changes_are_refused_until_safety_is_raised_and_answers_all_counts_too() {
    let many: Vec<String> = (1..=4).map(|n| format!("  record \"A\" \"n{n}.example.org\" {{ value = \"198.51.100.{n}\" }}\n")).collect();
    let bench = zone(&many.concat());
    bench.run(&["plan", "e"]).exits(1).says("max_updates is 30%").says("4 of 12").says("help: ");
    bench.edit(HCL, "dns_zone \"Example.ORG.\" {\n", "dns_zone \"Example.ORG.\" {\n  safety { max_updates = \"34%\" }\n");
    bench.run(&["plan", "e", "--detailed-exitcode"]).exits(2);
    let few = zone("  safety { from = 13 }\n  answers = \"all\"\n  record \"A\" \"n1.example.org\" { value = \"192.0.2.1\" }");
    apply(&few);
    let world = few.world();
    assert_eq!(world.pointer(ZONE).unwrap().as_object().unwrap().keys().collect::<Vec<_>>(), ["a1"]);
    few.edit(HCL, "from = 13", "from = 10");
    let all = zone("  answers = \"all\"\n  record \"A\" \"n1.example.org\" { value = \"192.0.2.1\" }");
    all.run(&["plan", "e"]).exits(1).says("max_deletes is 30%").says("11 of 12");
}

#[test]
fn foreign_records_in_the_way_of_a_cname_are_shown_and_never_touched() {
    let bench = zone("  record \"CNAME\" \"n1.example.org\" { value = \"n2.example.org\" }");
    bench.run(&["plan", "e"]).exits(1).says("in the way").says("192.0.2.1").says("values = []");
    bench.edit(HCL, "  record \"CNAME\"", "  record \"A\" \"n1.example.org\" { values = [] }\n  record \"CNAME\"");
    apply(&bench);
    assert_eq!(contents(&bench, "n1.example.org"), ["n2.example.org"]);
    assert_eq!(record(&bench, "a1")["type"], "CNAME", "one turns into the other and keeps its id");
}

#[test]
fn a_swap_over_two_zones_does_not_count_and_the_plan_says_which_answers_are_mixed() {
    let bench = Bench::gigadb();
    bench.edit("environments/gigadb.hcl", "live = \"hk\"", "live = \"sydney\"");
    let plan = bench.run(&["plan", "gigadb", "--json"]).exits(0).json();
    let warnings = plan["warnings"].to_string();
    for words in ["mixed between gigadb.org and gigadb.host", "both answer 198.51.100.10", "neither answers 203.0.113.10", "5m"] {
        assert!(warnings.contains(words), "no {words} in {warnings}");
    }
    bench.run(&["apply", "gigadb", "--yes"]).exits(0);
    bench.run(&["plan", "gigadb", "--detailed-exitcode"]).exits(0);
}

#[test]
fn with_depends_on_the_second_zone_waits_for_the_firsts_confirmation() {
    let bench = Bench::gigadb();
    bench.edit("environments/gigadb.hcl", "live = \"hk\"", "live = \"sydney\"");
    bench.edit(
        "environments/gigadb.hcl",
        "  aws      = local.standby_aws\n",
        "  aws      = local.standby_aws\n  depends_on = [dns_zone[\"gigadb.org\"]]\n",
    );
    let plan = bench.run(&["plan", "gigadb", "--json"]).exits(0).json();
    let steps = plan["steps"].as_array().unwrap();
    let at = |id: &str| steps.iter().position(|step| step["id"] == id).unwrap_or_else(|| panic!("no {id} in {steps:#?}"));
    assert!(at("dns_zone[\"gigadb.org\"]/answers") < at("dns_zone[\"gigadb.host\"]/verify"));
}

#[test]
fn an_elastic_ip_that_is_not_exactly_one_shows_what_was_found() {
    let bench = Bench::gigadb();
    bench.edit("environments/gigadb.hcl", "eip-gigadb-bastion-live-${local.live_owner}", "eip-gigadb-bastionlive-${local.live_owner}");
    bench.run(&["plan", "gigadb"]).exits(1).says("not exactly one address").says("eip-gigadb-bastion-live-gigadb").says("ap-east-1");
}
