//! What stands in plans for secrets, and that their values are found again.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::declare::{Inputs, JournalSetting, Provider, VariableSources, locate, read};
use crate::model::{Json, Secrets, Severity};

struct Case {
    dir: tempfile::TempDir,
    flags: Vec<(String, String)>,
    env: Vec<(String, String)>,
}

impl Case {
    /// An environment with one Slack provider whose webhook is `expr`, and whatever else.
    fn new(expr: &str, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("environments")).unwrap();
        let case = Case { dir, flags: Vec::new(), env: Vec::new() };
        case.write(expr, more);
        case
    }

    fn write(&self, expr: &str, more: &str) {
        let text = format!("environment \"staging\" {{}}\n{more}\nprovider \"slack\" \"a\" {{\n  webhook_url = {expr}\n}}\n");
        fs::write(self.dir.path().join("environments/staging.hcl"), text).unwrap();
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    fn reading(&self) -> crate::declare::Reading {
        let env = |name: &str| self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let inputs = Inputs {
            kinds: &[],
            variables: VariableSources { flags: self.flags.clone(), files: Vec::new() },
            env: &env,
            now: "2026-11-21T12:00:00Z".parse().unwrap(),
        };
        read(&locate(self.dir.path(), "staging").unwrap(), &inputs).unwrap()
    }

    fn reference(&self) -> SecretRef {
        let reading = self.reading();
        let shown = crate::declare::render(&reading.problems, false);
        let desired = reading.desired.unwrap_or_else(|| panic!("{shown}"));
        let Provider::Slack(slack) = &desired.providers["slack.a"] else { panic!("not Slack") };
        slack.webhook_url.clone().unwrap()
    }

    fn resolver(&self) -> Resolver {
        let env = self.env.clone();
        Resolver::new(
            self.dir.path(),
            self.flags.clone(),
            Vec::<PathBuf>::new(),
            Arc::new(move |name: &str| env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())),
        )
    }

    fn text(&self) -> String {
        match self.reference() {
            SecretRef::Expression { expression, .. } => expression,
            literal @ SecretRef::Literal { .. } => panic!("{literal:?}"),
        }
    }

    fn value(&self) -> crate::model::Result<String> {
        self.resolver().resolve(&self.reference())
    }
}

fn literal(attribute: &str) -> SecretRef {
    SecretRef::Literal { file: "environments/staging.hcl".into(), attribute: attribute.into() }
}

#[test]
fn expressions_stand_as_they_are_with_locals_expanded() {
    for (expr, more, text, value) in [
        ("env( \"X\" ) # why", "", "env(\"X\")", "xx"),
        ("\"https://h/${env(\"X\")}?a\"", "", "\"https://h/${env(\"X\")}?a\"", "https://h/xx?a"),
        ("local.a", "locals { a = env(\"X\") }", "env(\"X\")", "xx"),
        (
            "\"${local.a}-${local.b.c}\"",
            "locals {\n a = trimspace(env(\"X\"))\n b = { c = env(\"Y\", null) }\n}",
            "\"${(trimspace(env(\"X\")))}-${(env(\"Y\", null))}\"",
            "xx-yy",
        ),
        ("var.t", "variable \"t\" { sensitive = true }", "var.t", "tt"),
        ("var.t == \"tt\" ? env(\"X\") : env(\"Y\")", "variable \"t\" {}", "var.t == \"tt\" ? env(\"X\") : env(\"Y\")", "xx"),
        ("join(\"/\", [env(\"X\"), \"a\"])", "", "join(\"/\", [env(\"X\"), \"a\"])", "xx/a"),
        ("sensitive(env(\"X\"))", "", "env(\"X\")", "xx"),
        ("<<-EOT\n  a ${~ env(\"X\")}\n  EOT", "", "\"a ${~env(\"X\")}\\n\"", "axx\n"),
        ("\"%{ if true }${env(\"X\")}%{ else }$${x}%{ endif ~} \"", "", "\"%{ if true}${env(\"X\")}%{ else }$${x}%{ endif ~} \"", "xx"),
        ("[for k in [env(\"X\")] : upper(k)][0]", "", "[for k in [env(\"X\")] : upper(k)][0]", "XX"),
        ("jsondecode(env(\"J\")).a[0]", "", "jsondecode(env(\"J\")).a[0]", "jj"),
        ("lookup({ a = env(\"X\") }, \"a\")", "", "lookup({ a = env(\"X\") }, \"a\")", "xx"),
        ("env(local.n)", "locals { n = \"X\" }", "env(\"X\")", "xx"),
    ] {
        let case = Case::new(expr, more).env("X", "xx").env("Y", "yy").env("J", "{\"a\":[\"jj\"]}").env("SWITCHOVER_VAR_t", "tt");
        assert_eq!(case.text(), text, "{expr}");
        assert_eq!(case.value().unwrap(), value, "{expr}");
    }
}

#[test]
fn names_are_listed_sorted() {
    let case = Case::new("\"${var.b}${env(\"Z\")}${env(\"A\")}\"", "variable \"b\" {}");
    let SecretRef::Expression { refers_to, .. } = case.reference() else { panic!("an expression") };
    assert_eq!(refers_to, ["env.A", "env.Z", "var.b"]);
}

#[test]
fn literals_stand_as_their_place_and_are_read_again() {
    for (expr, more, place) in [
        ("\"hunter2\"", "", "provider.slack.a.webhook_url"),
        ("local.a", "locals { a = \"hunter2\" }", "locals.a"),
        ("local.a.b", "locals { a = { b = \"hunter2\" } }", "locals.a.b"),
        ("var.v", "variable \"v\" { default = \"hunter2\" }", "variable.v.default"),
        ("sensitive(\"hunter2\")", "", "provider.slack.a.webhook_url"),
        ("env(\"UNSET\", \"hunter2\")", "", "provider.slack.a.webhook_url"),
        ("true ? \"hunter2\" : env(\"X\")", "", "provider.slack.a.webhook_url"),
        ("{ a = \"hunter2\" }[\"a\"]", "", "provider.slack.a.webhook_url"),
        ("<<EOT\nhunter2${\"\"}\nEOT", "", "provider.slack.a.webhook_url"),
    ] {
        let case = Case::new(expr, more);
        assert_eq!(case.reference(), literal(place), "{expr}");
        assert_eq!(case.value().unwrap().trim(), "hunter2", "{expr}");
        let problems = case.reading().problems;
        assert!(problems.iter().any(|problem| problem.severity == Severity::Warning), "{expr}");
        let shown = crate::declare::render(&problems, false) + &crate::declare::to_json(&problems).to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_literal_is_read_as_it_is_then_and_must_be_there() {
    let case = Case::new("\"before\"", "");
    let reference = case.reference();
    case.write("\"after\"", "");
    assert_eq!(case.resolver().resolve(&reference).unwrap(), "after");
    fs::write(case.dir.path().join("environments/staging.hcl"), "environment \"staging\" {}\n").unwrap();
    let error = case.resolver().resolve(&reference).unwrap_err();
    assert!(error.chain().contains("any more") && !error.help().is_empty(), "{error:?}");
    fs::write(case.dir.path().join("environments/staging.hcl"), "{{{").unwrap();
    assert!(case.resolver().resolve(&reference).is_err());
}

#[test]
fn a_default_within_an_expression_stands_as_its_place() {
    let case = Case::new("\"${var.v}/${env(\"X\")}\"", "variable \"v\" { default = \"hunter2\" }").env("X", "xx");
    let text = case.text();
    assert_eq!(text, "\"${try(var.v, declared(\"environments/staging.hcl\", \"variable.v.default\"))}/${env(\"X\")}\"");
    assert_eq!(case.value().unwrap(), "hunter2/xx");
    let reference = case.reference();
    let given = case.env("SWITCHOVER_VAR_v", "given");
    assert_eq!(given.resolver().resolve(&reference).unwrap(), "given/xx");
}

#[test]
fn what_is_unset_is_named_at_the_door_alone() {
    let case = Case::new("env(\"NOT_SET\")", "");
    let error = case.value().unwrap_err();
    assert!(error.chain().contains("NOT_SET") && error.help().contains("NOT_SET"), "{error:?}");
    let null = Case::new("env(\"NOT_SET\", null)", "").value().unwrap_err();
    assert!(null.chain().contains("env.NOT_SET"), "{null:?}");
    let variable = Case::new("var.t", "variable \"t\" {}").value().unwrap_err();
    assert!(variable.help().contains("--var t"), "{variable:?}");
    let list = Case::new("split(\",\", env(\"X\"))", "").env("X", "a,b").value().unwrap_err();
    assert!(!list.chain().contains("a,b"));
}

#[test]
fn only_the_password_of_a_url_is_secret() {
    let journal = |expr: &str| {
        let case = Case::new("env(\"X\")", "");
        fs::write(
            case.dir.path().join("environments/staging.hcl"),
            format!("environment \"staging\" {{ journal = {expr} }}\nvariable \"bucket\" {{ default = \"b\" }}\n"),
        )
        .unwrap();
        case.reading().desired.unwrap().journal
    };
    assert_eq!(journal("\"s3://${var.bucket}/p\""), JournalSetting::Url(Value::String("s3://b/p".into())));
    assert_eq!(journal("\"postgres://user@h/d\""), JournalSetting::Url(Value::String("postgres://user@h/d".into())));
    for secret in [
        "\"postgres://u:hunter2@h/d\"",
        "\"postgres://u:hunter2@${env(\"H\")}/d\"",
        "env(\"J\", \"postgres://u:hunter2@h/d\")",
        "format(\"postgres://u:hunter2@%s/d\", env(\"H\"))",
        "\"postgres://h/d?password=hunter2\"",
    ] {
        let JournalSetting::Url(value @ Value::Secret(SecretRef::Literal { .. })) = journal(secret) else { panic!("{secret}") };
        assert!(!value.to_json().to_string().contains("hunter2"));
    }
    let JournalSetting::Url(value) = journal("\"postgres://u:${env(\"P\")}@h/d\"") else { panic!("a URL") };
    assert_eq!(value.to_json()["refers_to"], Json::from(vec!["env.P"]));
}

#[test]
fn files_keep_their_path_from_the_root() {
    let case = Case::new("trimspace(file(\"token.txt\"))", "");
    fs::write(case.dir.path().join("environments/token.txt"), "hunter2\n").unwrap();
    assert_eq!(case.text(), "trimspace(file(\"environments/token.txt\"))");
    assert_eq!(case.value().unwrap(), "hunter2");
}

#[test]
fn a_plan_changed_by_hand_cannot_make_the_resolver_fall_over() {
    let resolver = Case::new("env(\"X\")", "").resolver();
    for expression in [
        "",
        "((",
        "file(\"/etc/passwd\")",
        "declared(\"../x\", \"a\")",
        "declared(\"environments/staging.hcl\", \"[\")",
        "local.x",
        "nope()",
        "[for a in range(99999) : range(99999)]",
        "aws.x",
    ] {
        let reference = SecretRef::Expression { expression: expression.into(), refers_to: Vec::new() };
        assert!(!resolver.resolve(&reference).unwrap_err().help().is_empty(), "{expression}");
    }
}

#[test]
fn a_plan_cannot_have_files_read_that_are_not_below_the_root() {
    let case = Case::new("env(\"X\")", "");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("a.hcl"), "token = \"hunter2\"\n").unwrap();
    let deep = "../".repeat(40) + outside.path().join("a.hcl").to_str().unwrap().trim_start_matches('/');
    for file in [outside.path().join("a.hcl").display().to_string(), deep] {
        let error = case.resolver().resolve(&SecretRef::Literal { file, attribute: "token".into() }).unwrap_err();
        assert!(error.chain().contains("not below the root"), "{error:?}");
    }
}

#[test]
fn what_goes_wrong_with_a_secret_is_said_without_it() {
    for expression in [
        "tonumber(env(\"X\"))",
        "-env(\"X\")",
        "env(\"X\") + 1",
        "!env(\"X\")",
        "env(\"X\") ? \"a\" : \"b\"",
        "cidrhost(env(\"X\"), 1)",
        "jsondecode(env(\"X\"))",
        "yamldecode(\": ${env(\"X\")}\")",
        "lookup({ a = \"b\" }, env(\"X\"))",
        "{ a = \"b\" }[env(\"X\")]",
        "[1][env(\"X\")]",
        "format(\"%d\", env(\"X\"))",
        "var.list",
    ] {
        for value in ["hunter2hunter2", "hunter2`hunter2`hunter2", "hunter2\n\u{1b}[31m: [", "11.72hunter2"] {
            let case = Case::new("env(\"X\")", "").env("X", value);
            let reference = SecretRef::Expression { expression: expression.into(), refers_to: vec!["env.X".into()] };
            let Err(error) = case.resolver().resolve(&reference) else { continue };
            assert!(!format!("{error:?}").contains("hunter2"), "{expression}: {error:?}");
        }
    }
    let numeric = Case::new("env(\"X\")", "").env("X", "4711.5");
    let reference = SecretRef::Expression { expression: "[1][env(\"X\")]".into(), refers_to: vec!["env.X".into()] };
    assert!(!format!("{:?}", numeric.resolver().resolve(&reference).unwrap_err()).contains("4711"));
}
