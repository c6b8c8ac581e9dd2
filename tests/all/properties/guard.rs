//! The guard: no plan and no run writes a name that holds a protected word, however it is spelt, wherever it stands, and whoever edited
//! the plan; and names that hold none are not in its way.

mod edited;
mod spelling;

use serde_json::{Value as Json, json};
use switchover::model::guard;
use switchover::world::Writers;

use self::spelling::{WORDS, spelt, surrounded};
use super::stage::plan_of;
use super::trials::{Dice, try_all, try_all_async};
use crate::support::{Scene, pipeline};

/// The world of these cases: one zone, one instance.
fn world(more_tags: &Json) -> Json {
    json!({
        "format_version": 1, "id": "guarded", "now": "2026-11-05T09:00:00Z",
        "aws": {"accounts": {"111122223333": {"regions": {"eu-west-1": {
            "elastic_ips": {"eipalloc-1": {"name": "eip-prod-master-live-gold", "public_ip": "198.51.100.1"}},
            "instances": {"db-A": {
                "identifier": "copy", "created": "2026-09-01T00:00:00Z", "engine": "postgres", "engine_version": "13.13", "tags": more_tags,
                "settings": {"instance_class": "db.m5.large", "allocated_storage": 20, "db_subnet_group_name": "default"},
            }},
            "subnet_groups": {"default": {"vpc_id": "vpc-1"}},
        }}}}},
        "cloudflare": {"zones": {"0": {"name": "example.org", "name_servers": [], "records": {}}}},
    })
}

/// A declaration under protection of one word.
fn text(word: &str, resource: &str) -> String {
    let word = super::worlds::hcl::string(word);
    format!(
        "environment \"trial\" {{\n  protect = [{word}]\n}}\nprovider \"aws\" {{\n  region = \"eu-west-1\"\n}}\nprovider \"cloudflare\" {{\n  api_token = env(\"TOKEN\")\n}}\n{resource}"
    )
}

/// Where a name stands that would be written.
fn resource(dice: &mut Dice, name: &str) -> (Json, String) {
    use super::worlds::hcl::string;
    let record = |label: &str, more: &str| format!("dns_zone \"example.org\" {{\n  record \"TXT\" {label} {{\n    value = \"x\"\n{more}  }}\n}}\n");
    match dice.number(0, 4) {
        0 | 1 => (json!({}), record(&string(&format!("{name}.example.org")), "")),
        2 => (json!({}), record("\"www.example.org\"", &format!("    tags = [{}]\n", string(&format!("owner:{name}"))))),
        3 => (json!({}), format!("database \"copy\" {{\n  tags = {{ Name = {} }}\n}}\n", string(name))),
        _ => (json!({"Environment": name}), "database \"copy\" {\n  instance_class = \"db.m5.xlarge\"\n}\n".to_owned()),
    }
}

async fn never_planned(dice: &mut Dice) -> &'static str {
    let word = *dice.one(&WORDS);
    let protected = spelt(dice, word);
    let name = surrounded(dice, &protected);
    let (tags, resource) = resource(dice, &name);
    let (world, scene) = (pipeline::world(&world(&tags)), Scene::new("trial", &text(word, &resource)));
    let Ok(desired) = scene.try_desired(&*world as &dyn Writers) else { return "cannot even be declared" };
    let plan = plan_of(desired, &world, false).await;
    assert!(plan.steps.is_empty(), "{name:?} is written though {word} is protected: {:?}", plan.steps);
    assert!(plan.errors.iter().any(|error| error.error.contains("protects everything")), "{name:?}: {:?}", plan.errors);
    "refused by the plan"
}

#[test]
fn no_plan_writes_a_protected_name() {
    let tally = try_all_async("properties::guard::no_plan_writes_a_protected_name", 1_000, never_planned);
    tally.at_most(60, "cannot even be declared");
}

/// Names of ordinary things are planned.
async fn planned_all_the_same(dice: &mut Dice) -> &'static str {
    let name = spelling::ordinary(dice);
    let word = *dice.one(&WORDS);
    // What is only read or referred to may be protected: where an address comes from, and what an answer leads to.
    let read = [
        format!("  record \"A\" \"{name}-a.example.org\" {{\n    elastic_ip = \"eip-prod-master-live-gold\"\n  }}\n"),
        format!("  record \"CNAME\" \"{name}-b.example.org\" {{\n    value = \"{word}.example.net\"\n  }}\n"),
    ];
    let zone = format!("dns_zone \"example.org\" {{\n{}}}\n", dice.one(&read));
    let database = format!("database \"copy\" {{\n  tags = {{ Name = \"{name}\" }}\n}}\n");
    let (world, scene) = (pipeline::world(&world(&json!({}))), Scene::new("trial", &text(word, if dice.chance(50) { &zone } else { &database })));
    let plan = plan_of(scene.desired(&*world as &dyn Writers), &world, false).await;
    assert!(!plan.steps.is_empty() && plan.errors.is_empty(), "{name:?} is not planned: {:?}", plan.errors);
    "planned"
}

#[test]
fn names_without_a_protected_word_are_planned() {
    try_all_async("properties::guard::names_without_a_protected_word_are_planned", 500, planned_all_the_same);
}

/// The function alone, against what the letters say by themselves.
fn found_or_not(dice: &mut Dice) -> &'static str {
    let word = *dice.one(&WORDS);
    let words = vec!["unused-".to_owned(), word.to_owned()];
    if dice.chance(60) {
        let protected = spelt(dice, word);
        let name = surrounded(dice, &protected);
        assert_eq!(guard::protected(&words, &name), Some(word), "{name:?}");
        return "found";
    }
    let name = spelling::anything(dice);
    let plain: String = name.to_ascii_lowercase().replace('0', "o");
    // For plain letters and hyphens a simple search is the whole truth.
    let held = plain.contains(word);
    assert_eq!(guard::protected(&words, &name).is_some(), held, "{name:?}");
    "as the letters say"
}

#[test]
fn every_spelling_is_found_and_nothing_else() {
    try_all("properties::guard::every_spelling_is_found_and_nothing_else", 10_000, found_or_not);
}

#[test]
fn what_the_rules_of_domain_names_make_of_a_character_is_what_the_guard_makes_of_it() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for c in (0x80..=0x10_FFFF).filter_map(char::from_u32) {
        let (mapped, result) = idna::domain_to_unicode(&format!("a{c}b"));
        let inner = mapped.strip_prefix('a').and_then(|rest| rest.strip_suffix('b')).unwrap_or_default();
        if result.is_err() || inner.is_empty() || !inner.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            continue;
        }
        let folded = guard::fold(&c.to_string());
        let fits = folded == inner || (folded == "|" && matches!(inner, "i" | "l"));
        if !fits {
            wrong.push(format!("{inner} {:X} {folded}", u32::from(c)));
        }
        compared += 1;
    }
    assert!(wrong.is_empty(), "what is a letter in a domain name is something else for the guard: {wrong:?}");
    assert!(compared > 1_000, "only {compared} characters were compared");
}

/// The rules of domain names make one character of a letter and a mark over it, in small letters: what was found before must be found then.
#[test]
fn a_mark_over_a_look_alike_hides_nothing_from_the_guard() {
    let mapped = |text: &str| {
        let (mapped, result) = idna::domain_to_unicode(&format!("a{text}b"));
        result.ok()?;
        mapped.strip_prefix('a').and_then(|rest| rest.strip_suffix('b')).map(str::to_owned)
    };
    let (mut compared, mut wrong) = (0, Vec::new());
    for c in (0x80..=0xFFFF).filter_map(char::from_u32) {
        let Some(bare) = mapped(&c.to_string()).map(|bare| guard::fold(&bare)).filter(|bare| !bare.is_empty() && bare.is_ascii()) else { continue };
        for mark in ['\u{300}', '\u{301}', '\u{308}', '\u{342}', '\u{313}'] {
            let Some(composed) = mapped(&format!("{c}{mark}")) else { continue };
            let folded = guard::fold(&composed);
            if folded != bare {
                wrong.push(format!("{composed} {:X} is {folded}, without its mark {bare}", u32::from(c)));
            }
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared > 1_000, "only {compared} were compared");
}
