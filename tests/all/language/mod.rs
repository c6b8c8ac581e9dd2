//! The whole language in one file: every attribute of every table can be written and arrives, and a value of a wrong type is an error
//! in its own line, whatever the attribute.

use std::collections::BTreeSet;
use std::path::Path;

use switchover::declare::{self, BlockSpec, Desired, Inputs, KindSchema, Node, Provider, Reading, VariableSources};
use switchover::kinds;
use switchover::model::Severity;

const EVERYTHING: &str = include_str!("everything.hcl");

/// Reads a text as the environment `everything`.
fn read(text: &str) -> Reading {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("environments");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("everything.hcl"), text).unwrap();
    std::fs::write(folder.join("everything-ca.pem"), "").unwrap();
    read_at(root.path(), "everything")
}

fn read_at(root: &Path, environment: &str) -> Reading {
    let schemas: Vec<&dyn KindSchema> = kinds::ALL.iter().map(|kind| *kind as &dyn KindSchema).collect();
    let env = |_: &str| None;
    let inputs = Inputs {
        kinds: &schemas,
        variables: VariableSources { flags: Vec::new(), files: Vec::new() },
        env: &env,
        now: "2026-11-05T09:00:00Z".parse().unwrap(),
    };
    declare::read(&declare::locate(root, environment).unwrap(), &inputs).unwrap()
}

/// Errors as `line: summary`.
fn errors(reading: &Reading) -> Vec<(usize, String)> {
    let errors = reading.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let line = |place: &switchover::model::Span| place.file.position(place.range.start).0;
    errors.map(|problem| (problem.span.as_ref().map_or(0, line), problem.summary.clone())).collect()
}

fn good() -> Desired {
    let reading = read(EVERYTHING);
    assert_eq!(errors(&reading), []);
    reading.desired.unwrap()
}

/// `database.refresh.schedule` for all that a table describes.
fn described(within: &str, spec: &BlockSpec, names: &mut BTreeSet<String>) {
    let place = format!("{within}{}", spec.name);
    names.extend(spec.attributes.iter().map(|attribute| format!("{place}.{}", attribute.name)));
    for inner in spec.blocks {
        described(&format!("{place}."), inner, names);
    }
}

/// The same for all that was read.
fn found(within: &str, node: &Node, names: &mut BTreeSet<String>) {
    let place = format!("{within}{}", node.spec.name);
    names.extend(node.attributes.names().map(|name| format!("{place}.{name}")));
    for inner in &node.blocks {
        found(&format!("{place}."), inner, names);
    }
}

#[test]
fn every_attribute_and_timeout_of_every_kind_arrives() {
    let desired = good();
    for kind in kinds::ALL {
        let (mut all, mut read) = (BTreeSet::new(), BTreeSet::new());
        described("", kind.block(), &mut all);
        all.extend(kind.timeouts().iter().map(|timeout| format!("timeouts.{}", timeout.name)));
        for declared in desired.resources.iter().filter(|declared| declared.address.kind == kind.block().name) {
            found("", &declared.body, &mut read);
            read.extend(declared.common.timeouts.keys().map(|name| format!("timeouts.{name}")));
        }
        let missing: Vec<&String> = all.difference(&read).collect();
        assert!(missing.is_empty(), "everything.hcl does not hold, or reading loses: {missing:?}");
    }
}

#[test]
fn what_every_resource_and_environment_has_arrives() {
    let desired = good();
    assert_eq!(desired.description.as_deref(), Some("All there is"));
    assert!(desired.protect.is_empty());
    assert_eq!(desired.notify[0].name, "slack.maintainers");
    let [one, two, zone] = desired.resources.as_slice() else { panic!("{} resources", desired.resources.len()) };
    assert_eq!(one.common.depends_on, std::slice::from_ref(&zone.address));
    let hold = one.common.hold.as_ref().unwrap();
    assert_eq!((hold.reason.as_deref(), hold.by.as_deref()), (Some("load test"), Some("operations")));
    assert!(hold.until.is_some() && one.common.prevent_destroy);
    assert!(two.common.hold.is_none() && !two.common.prevent_destroy);
    assert_eq!(one.common.timeouts["rename"].as_secs(), 2_400);
}

#[test]
fn every_provider_arrives() {
    let desired = good();
    let aws = desired.aws("aws").unwrap();
    assert_eq!((aws.region.as_str(), aws.profile.as_deref(), aws.account_id.as_deref()), ("us-east-1", Some("staging"), Some("123456789012")));
    assert_eq!((aws.endpoint_url.as_deref(), aws.poll.as_secs()), (Some("http://127.0.0.1:5000"), 20));
    let cloudflare = desired.cloudflare("cloudflare").unwrap();
    assert_eq!((cloudflare.base_url.as_deref(), cloudflare.max_batch), (Some("https://api.example.org/client/v4"), 3_500));
    assert!(cloudflare.api_token.is_some());
    assert_eq!(desired.cloudflare("cloudflare.small").unwrap().max_batch, 100);
    for name in ["postgres.api", "elasticsearch", "elasticsearch.old", "github", "gitlab"] {
        assert_eq!(desired.providers[name], Provider::Other { name: name.to_owned() });
    }
}

/// The lines of the file that set an attribute: number from 1, name.
fn settings() -> Vec<(usize, &'static str)> {
    let set = |(at, line): (usize, &'static str)| {
        let (name, _) = line.trim().split_once('=')?;
        let name = name.trim_end();
        let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        // A local and a variable's default may be of any type.
        (is_name && !["default", "subnet_group"].contains(&name)).then_some((at + 1, name))
    };
    EVERYTHING.lines().enumerate().filter_map(set).collect()
}

/// The file with another value in one line.
fn with_value(line: usize, value: &str) -> String {
    let mut lines: Vec<String> = EVERYTHING.lines().map(str::to_owned).collect();
    let (name, _) = lines[line - 1].split_once('=').unwrap();
    lines[line - 1] = format!("{name}= {value}");
    lines.join("\n")
}

#[test]
fn a_value_of_a_wrong_type_is_an_error_in_its_line_whatever_the_attribute() {
    let settings = settings();
    assert!(settings.len() > 100, "this test finds only {} attributes", settings.len());
    let mut accepted = Vec::new();
    for (line, name) in settings {
        let reading = read(&with_value(line, "{ wrong = [[true]] }"));
        if reading.desired.is_some() || !errors(&reading).iter().any(|(at, _)| *at == line) {
            accepted.push(format!("line {line}: {name} gives {:?}", errors(&reading)));
        }
    }
    assert!(accepted.is_empty(), "accepted, or not said where:\n{}", accepted.join("\n"));
}

#[test]
fn a_misspelt_attribute_is_an_error_in_its_line_and_the_right_name_is_offered() {
    let mut poor = Vec::new();
    for (line, name) in settings() {
        let text = EVERYTHING.lines().enumerate().map(
            |(at, text)| {
                if at + 1 == line { text.replacen(name, &format!("{name}x"), 1) } else { text.to_owned() }
            },
        );
        let reading = read(&text.collect::<Vec<_>>().join("\n"));
        let offered = |problem: &switchover::model::Problem| problem.help.contains(&format!("`{name}`")) || problem.help.contains(name);
        let placed = errors(&reading).iter().any(|(at, _)| *at == line);
        if !placed || !reading.problems.iter().any(offered) {
            poor.push(format!("line {line}: {name}x gives {:?}", errors(&reading)));
        }
    }
    assert!(poor.is_empty(), "not said where, or the right name is not offered:\n{}", poor.join("\n"));
}

#[test]
fn every_environment_of_the_repository_is_good() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = std::fs::read_dir(project.join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for root in examples.chain([project.to_owned()]).filter(|root| root.join("environments").is_dir()) {
        for location in declare::all_environments(&root).unwrap() {
            let reading = read_at(&root, &location.environment);
            let said: Vec<String> = reading.problems.iter().map(|problem| problem.summary.clone()).collect();
            assert!(reading.desired.is_some() && said.is_empty(), "{} of {}: {said:?}", location.environment, root.display());
            seen += 1;
        }
    }
    assert!(seen >= 3, "this test finds only {seen} environments");
}
