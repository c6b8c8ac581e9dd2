//! Who may import whom: the folders of `src/` are the verbs of one line, and imports go along it in one direction.

use super::expect_none;
use super::lexer::{Kind, Token};
use super::sources::{Source, sources};
use super::syntax::{Named, named};

/// The line. A module may name itself and what stands before it.
const ORDER: [&str; 12] = ["model", "world", "declare", "observe", "diff", "plan", "review", "apply", "report", "kinds", "cli", "commands"];

/// Modules that work on data alone: of the world they know only what a provider is.
const PURE: [&str; 3] = ["diff", "plan", "review"];

/// Crates that only these places know, so that what stands behind them can be exchanged there.
const OWNERS: [(&str, &str); 12] = [
    ("aws_config", "src/world/live/aws/"),
    ("aws_sdk_ec2", "src/world/live/aws/"),
    ("aws_sdk_rds", "src/world/live/aws/"),
    ("aws_sdk_sts", "src/world/live/aws/"),
    ("hickory_proto", "src/world/live/resolver/"),
    ("object_store", "src/apply/journal/s3/"),
    ("reqwest", "src/world/live/"),
    ("tokio_postgres", "src/world/postgres/"),
    ("tokio_postgres", "src/world/live/postgres/"),
    ("tokio_postgres", "src/apply/journal/postgres/"),
    ("hcl", "src/declare/"),
    ("hcl_edit", "src/declare/"),
];

/// Code of the library with everything it names.
fn library() -> Vec<(&'static Source, Vec<Named>)> {
    let named_in = |source: &'static Source| {
        let named = source.module.as_ref().map(|module| named(&source.tokens, module)).unwrap_or_default();
        (source, named)
    };
    sources().iter().filter(|source| source.path.starts_with("src/") && source.path != "src/main.rs").map(named_in).collect()
}

fn layer(name: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == name)
}

/// All that is named by some file and breaks a rule, listed by place.
fn offending(broken: impl Fn(&Source, &Named) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (source, named) in library() {
        let broken = named.iter().filter(|named| broken(source, named));
        found.extend(broken.map(|named| format!("{} names {}", source.at(named.line), named.path.join("::"))));
    }
    found
}

fn top(path: &[String]) -> &str {
    path.first().map_or("", String::as_str)
}

#[test]
fn every_module_has_its_place_in_the_line() {
    let all = library();
    let places = all.iter().filter_map(|(source, _)| source.module.as_deref().map(|module| (source, top(module))));
    let unknown = places.filter(|(_, module)| !module.is_empty() && layer(module).is_none()).map(|(source, _)| source.path.clone());
    expect_none("a module at the top of src/ has its place in ORDER", &unknown.collect::<Vec<_>>());
}

#[test]
fn imports_go_one_way() {
    let found = offending(|source, named| {
        let (Some(from), Some(to)) = (source.module.as_deref().and_then(|module| layer(top(module))), layer(top(&named.path))) else { return false };
        to > from
    });
    expect_none(&format!("a module names only what stands before it in {}", ORDER.join(" < ")), &found);
}

#[test]
fn doors_do_not_know_what_stands_behind_them() {
    let found = offending(|source, named| {
        let behind = |module: &str| named.path.first().is_some_and(|top| top == "world") && named.path.get(1).is_some_and(|name| name == module);
        let (sim, live) = (source.path.starts_with("src/world/sim/"), source.path.starts_with("src/world/live/"));
        // Tests of a kind and of the engine play in a simulated world.
        let opens = source.path.starts_with("src/commands/") || source.is_test(named.line);
        (behind("sim") && !sim && !opens) || (behind("live") && !live && !opens)
    });
    expect_none("the simulated and the live world are opened by commands and tests, and known to nobody else, nor to each other", &found);
}

#[test]
fn what_is_pure_knows_of_the_world_what_a_provider_is() {
    let found = offending(|source, named| {
        let pure = source.module.as_deref().is_some_and(|module| PURE.contains(&top(module)));
        pure && top(&named.path) == "world" && named.path.get(1).is_none_or(|name| name != "provider")
    });
    expect_none(&format!("{} work on data alone", PURE.join(", ")), &found);
}

#[test]
fn planning_cannot_write() {
    let writers = ["Writers", "RdsWrite", "DnsWrite", "SqlWrite"];
    let mut found = Vec::new();
    for (source, _) in library() {
        let may = ["src/world/", "src/apply/", "src/commands/"].iter().any(|folder| source.path.starts_with(folder))
            || (source.path.starts_with("src/kinds/") && source.path.contains("/operations"));
        let words = source.tokens.iter().filter(|token| writers.iter().any(|writer| token.is(writer)) && !source.is_test(token.line));
        found.extend(words.filter(|_| !may).map(|token| format!("{} names {}", source.at(token.line), token.text)));
    }
    expect_none("the writing half of the world is for doors, apply and the operations of kinds", &found);
}

#[test]
fn a_kind_is_named_by_the_list_alone() {
    let kinds: Vec<String> = sources()
        .iter()
        .filter_map(|source| source.module.as_deref())
        .filter(|module| module.len() == 2 && module[0] == "kinds")
        .map(|module| module[1].clone())
        .collect();
    assert!(kinds.iter().any(|kind| kind == "dns_zone"), "this test finds no kinds: {kinds:?}");
    let found = offending(|source, named| {
        let names = |kind: &String| top(&named.path) == "kinds" && named.path.get(1) == Some(kind);
        let own = |kind: &String| source.path.starts_with(&format!("src/kinds/{kind}/"));
        source.path != "src/kinds/mod.rs" && kinds.iter().any(|kind| names(kind) && !own(kind))
    });
    expect_none("only the list in kinds/mod.rs knows the folder of a kind", &found);

    let mut words = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/") && !source.path.starts_with("src/kinds/")) {
        let is_kind = |token: &&Token| token.kind == Kind::Text && kinds.contains(&token.text) && !source.is_test(token.line);
        words.extend(source.tokens.iter().filter(is_kind).map(|token| format!("{} decides by \"{}\"", source.at(token.line), token.text)));
    }
    expect_none("what is special to a kind stands in its folder", &words);
}

#[test]
fn only_the_live_world_knows_the_feature_aws() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/") && !source.path.starts_with("src/world/live/")) {
        let feature = |at: &usize| source.tokens[*at].is("feature") && source.tokens.get(at + 2).is_some_and(|token| token.text == "aws");
        found.extend((0..source.tokens.len()).filter(feature).map(|at| source.at(source.tokens[at].line)));
    }
    expect_none("only src/world/live/ knows the feature `aws`", &found);
}

#[test]
fn every_foreign_crate_stays_in_its_place() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        for (at, token) in source.tokens.iter().enumerate() {
            let owners: Vec<&str> = OWNERS.iter().filter(|(name, _)| token.is(name)).map(|(_, owner)| *owner).collect();
            // A path begins here, so it is the crate and not a module or a field of that name.
            let begins = !(at > 0 && (source.tokens[at - 1].is(":") || source.tokens[at - 1].is(".")));
            let path = source.tokens.get(at + 1).is_some_and(|next| next.is(":")) && source.tokens.get(at + 2).is_some_and(|next| next.is(":"));
            if begins && path && !owners.is_empty() && !owners.iter().any(|owner| source.path.starts_with(owner)) {
                found.push(format!("{} names {}, which belongs to {}", source.at(token.line), token.text, owners.join(", ")));
            }
        }
    }
    expect_none("a client of a service is known to the door of that service alone", &found);
}
