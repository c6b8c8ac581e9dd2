use std::sync::Arc;

use super::super::{fixture, schema};
use super::*;
use crate::declare::{Attr, BlockSpec, Common, Typed};
use crate::model::{Address, Number, Severity, SourceFile};

fn span() -> Span {
    Span { file: Arc::new(SourceFile { path: "environments/staging.hcl".to_owned(), text: String::new() }), range: 0..0 }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn node(spec: &'static BlockSpec, label: Option<&str>, attributes: &[(&'static str, Value)], blocks: Vec<Node>) -> Node {
    let attributes = attributes.iter().map(|(name, value)| (*name, Attr { value: value.clone(), key: span(), span: span() })).collect();
    Node { spec, labels: label.map(|label| (label.to_owned(), span())).into_iter().collect(), span: span(), attributes, blocks }
}

fn inner(name: &str) -> &'static BlockSpec {
    schema::BLOCK.blocks.iter().find(|block| block.name == name).unwrap()
}

fn refresh(attributes: &[(&'static str, Value)]) -> Node {
    let mut all = vec![("snapshot_of", text("prod-openverse-db"))];
    all.extend(attributes.iter().cloned());
    node(inner("refresh"), None, &all, Vec::new())
}

fn connect(attributes: &[(&'static str, Value)]) -> Node {
    node(inner("connect"), None, attributes, Vec::new())
}

/// The summaries for a database of that name.
fn problems(name: &str, attributes: &[(&'static str, Value)], blocks: Vec<Node>) -> Vec<(Severity, String)> {
    let declared = Declared {
        address: Address::new("database", name),
        common: Common::default(),
        body: node(&schema::BLOCK, Some(name), attributes, blocks),
        typed: Typed::default(),
    };
    let found = check(&declared, &fixture::desired());
    assert!(found.iter().all(|problem| !problem.help.is_empty()), "every problem says what to do");
    found.into_iter().map(|problem| (problem.severity, problem.summary)).collect()
}

/// The only error's summary.
fn error(name: &str, attributes: &[(&'static str, Value)], blocks: Vec<Node>) -> String {
    let errors: Vec<String> =
        problems(name, attributes, blocks).into_iter().filter(|(severity, _)| *severity == Severity::Error).map(|(_, text)| text).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().unwrap()
}

#[test]
fn an_ordinary_block_has_no_problems() {
    let scrub = node(inner("scrub"), None, &[("truncate", Value::List(vec![text("api_token")]))], Vec::new());
    let count = node(inner("check"), Some("gone"), &[("sql", text("SELECT 1")), ("equals", Value::Number(Number::Int(1)))], Vec::new());
    let blocks = vec![refresh(&[("schedule", text("monthly"))]), connect(&[]), scrub, count];
    assert_eq!(problems("dev-openverse-db", &[], blocks), []);
}

#[test]
fn names_are_valid_distinct_and_not_protected() {
    let monthly = || refresh(&[("schedule", text("monthly"))]);
    assert!(error("Dev_db", &[], vec![monthly()]).contains("cannot be an RDS instance"));
    let long = "d".repeat(60);
    let summaries = problems(&long, &[], vec![monthly()]);
    assert!(summaries.len() == 2 && summaries.iter().any(|(_, text)| text.contains("the default of next_name")), "{summaries:?}");
    let same = refresh(&[("schedule", text("monthly")), ("next_name", text("dev-old"))]);
    assert!(error("dev", &[], vec![same]).contains("old_name is `dev-old`, which is taken"));
    let own = refresh(&[("schedule", text("monthly")), ("old_name", text("prod-openverse-db-old"))]);
    assert!(error("dev", &[], vec![own]).contains("protects `prod`"));
    assert_eq!(problems("my-prod", &[], vec![]).len(), 1);
    let itself = node(inner("refresh"), None, &[("snapshot_of", text("dev")), ("schedule", text("daily"))], Vec::new());
    assert!(error("dev", &[], vec![itself]).contains("its own snapshots"));
}

#[test]
fn one_rule_says_when_it_is_due() {
    assert!(error("dev", &[], vec![refresh(&[("schedule", text("monthly")), ("max_age", text("31d"))])]).contains("both `schedule` and `max_age`"));
    assert!(error("dev", &[], vec![refresh(&[("schedule", text("61 * * * *"))])]).contains("not a schedule"));
    assert!(error("dev", &[], vec![refresh(&[("schedule", text("daily")), ("timezone", text("Mars/Olympus"))])]).contains("time zone"));
    assert_eq!(problems("dev", &[], vec![refresh(&[])])[0].0, Severity::Warning);
}

#[test]
fn a_host_must_follow_the_name_or_be_a_tunnel() {
    let monthly = || refresh(&[("schedule", text("monthly"))]);
    assert!(error("dev", &[], vec![monthly(), connect(&[("host", text("db.example.org"))])]).contains("wrong instance"));
    assert_eq!(problems("dev", &[], vec![monthly(), connect(&[("host", text("{identifier}.example.org"))])]), []);
    let tunnel = problems("dev", &[], vec![monthly(), connect(&[("host", text("127.0.0.1"))])]);
    assert!(tunnel.len() == 1 && tunnel[0].0 == Severity::Warning, "{tunnel:?}");
}

#[test]
fn sql_needs_a_way_in_and_must_fit_one_transaction() {
    let monthly = || refresh(&[("schedule", text("monthly"))]);
    let scrub = |value: Value| node(inner("scrub"), None, &[("sql", value)], Vec::new());
    assert!(error("dev", &[], vec![monthly(), scrub(text("DELETE FROM a"))]).contains("needs a `connect` block"));
    let bad = scrub(Value::List(vec![text("DELETE FROM a"), text("DELETE FROM b; COMMIT")]));
    assert!(error("dev", &[], vec![monthly(), connect(&[]), bad]).contains("`COMMIT` is transaction control"));
    let secret =
        scrub(Value::Secret(crate::model::SecretRef::Expression { expression: "env(\"X\")".to_owned(), refers_to: vec!["env.X".to_owned()] }));
    assert!(error("dev", &[], vec![monthly(), connect(&[]), secret]).contains("secrets"));
}

#[test]
fn a_check_has_one_expectation_or_two_bounds() {
    let blocks = |names: &[&'static str]| {
        let mut attributes = vec![("sql", text("SELECT 1"))];
        attributes.extend(names.iter().map(|name| (*name, Value::Number(Number::Int(1)))));
        vec![refresh(&[("schedule", text("monthly"))]), connect(&[]), node(inner("check"), Some("c"), &attributes, Vec::new())]
    };
    assert!(error("dev", &[], blocks(&[])).contains("one expectation"));
    assert!(error("dev", &[], blocks(&["equals", "at_least"])).contains("one expectation"));
    assert_eq!(problems("dev", &[], blocks(&["at_least", "at_most"])), []);
}

#[test]
fn settings_that_exclude_each_other_are_said() {
    let int = |n| Value::Number(Number::Int(n));
    assert!(error("dev", &[("allocated_storage", int(100)), ("max_allocated_storage", int(100))], vec![]).contains("not above"));
    assert!(error("dev", &[("multi_az", Value::Bool(true)), ("availability_zone", text("us-east-1a"))], vec![]).contains("multi_az"));
}

#[test]
fn provisioned_storage_without_iops_is_warned_about() {
    let warned = |attributes: &[(&'static str, Value)]| {
        let found = problems("dev", attributes, Vec::new());
        found.contains(&(Severity::Warning, "storage_type io2 without iops".to_owned()))
    };
    assert!(warned(&[("storage_type", text("io2"))]));
    assert!(!warned(&[("storage_type", text("io2")), ("iops", Value::Number(Number::Int(5_000)))]));
    assert!(!warned(&[("storage_type", text("gp3"))]));
}
