//! Whole environments: what is read of good ones, and what is said of bad ones.

mod fuzz;
mod good;
mod mistakes;
mod plain;

use std::fs;

use super::*;
use crate::declare::{AttrSpec, AttrType, BlockSpec, Presence, TimeoutSpec, locate};
use crate::model::SecretRef;

static BOX: BlockSpec = BlockSpec {
    name: "box",
    labels: &["name"],
    presence: Presence::Repeated,
    doc: "A thing for tests.",
    attributes: &[
        AttrSpec::new("provider", AttrType::Reference("aws"), "Where it is: the address of one node, with scheme and port.").required(),
        AttrSpec::new("size", AttrType::Int, "How large.")
            .check(|value| if matches!(value, Value::Number(crate::model::Number::Int(0))) { Err("must not be 0".into()) } else { Ok(()) }),
        AttrSpec::new("tags", AttrType::StringMap, "Tags."),
        AttrSpec::new("names", AttrType::StringOrList, "Names."),
        AttrSpec::new("max_age", AttrType::Duration, "How old."),
        AttrSpec::new("schedule", AttrType::Schedule, "When."),
    ],
    blocks: &[
        BlockSpec {
            name: "connect",
            labels: &[],
            presence: Presence::Optional,
            doc: "How to reach it.",
            attributes: &[
                AttrSpec::new("user", AttrType::String, "Who.").required(),
                AttrSpec::new("password", AttrType::String, "The password.").secret(),
            ],
            blocks: &[],
        },
        BlockSpec {
            name: "record",
            labels: &["type", "name"],
            presence: Presence::Repeated,
            doc: "One record.",
            attributes: &[AttrSpec::new("value", AttrType::String, "Its answer.").required()],
            blocks: &[],
        },
    ],
};

struct BoxKind;

impl KindSchema for BoxKind {
    fn block(&self) -> &'static BlockSpec {
        &BOX
    }

    fn timeouts(&self) -> &'static [TimeoutSpec] {
        static RESTORE: TimeoutSpec = TimeoutSpec {
            name: "restore",
            default: std::time::Duration::from_mins(1),
            expected: std::time::Duration::from_secs(30),
            doc: "The restore.",
        };
        std::slice::from_ref(&RESTORE)
    }

    fn check(&self, declared: &Declared, _: &Desired) -> Vec<Problem> {
        let body = &declared.body;
        let mut problems = Vec::new();
        if body.attr("max_age").is_some() && body.attr("schedule").is_some() {
            problems.push(Problem::error(&body.attr("schedule").unwrap().span, "both `schedule` and `max_age`", "keep one"));
        }
        if body.blocks("record").count() == 0 && body.block("connect").is_none() {
            problems.push(Problem::error(&body.span, "nothing in the box", "add a record"));
        }
        problems
    }
}

/// The smallest head of a good environment.
const HEAD: &str = "environment \"staging\" {}\nprovider \"aws\" {\n  region = \"eu-west-1\"\n}\n";

struct Case {
    dir: tempfile::TempDir,
    env: Vec<(&'static str, &'static str)>,
    variables: VariableSources,
}

impl Case {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let case = Case { dir, env: Vec::new(), variables: VariableSources::default() };
        case.file("environments/staging.hcl", text.as_bytes())
    }

    fn file(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.variables.flags.push((name.into(), value.into()));
        self
    }

    fn with<T>(&self, body: impl FnOnce(&Location, &Inputs<'_>) -> T) -> T {
        let env = |name: &str| self.env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let inputs = Inputs { kinds: &[&BoxKind], variables: self.variables.clone(), env: &env, now: "2026-11-21T12:00:00Z".parse().unwrap() };
        body(&locate(self.dir.path(), "staging").unwrap(), &inputs)
    }

    fn read(&self) -> Reading {
        let reading = self.with(read).unwrap();
        assert!(reading.problems.iter().all(|problem| !problem.help.is_empty()), "{:?}", reading.problems);
        reading
    }

    fn desired(&self) -> Desired {
        let reading = self.read();
        let shown = crate::declare::render(&reading.problems, false);
        reading.desired.unwrap_or_else(|| panic!("{shown}"))
    }

    /// `LINE:COLUMN summary` of every problem.
    fn problems(&self) -> Vec<String> {
        let line = |problem: &Problem| {
            let place = problem.span.as_ref().map_or_else(String::new, Span::place);
            format!("{} {}", place.trim_start_matches("environments/staging.hcl:"), problem.summary)
        };
        self.read().problems.iter().map(line).collect()
    }
}

use crate::model::Span;
