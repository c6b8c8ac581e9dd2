//! What expressions are worth, and how the bad ones end.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::model::SourceFile;

/// A handful of names.
struct Fixed;

impl Names for Fixed {
    fn variable(&self, _: &Evaluator<'_>, name: &str, at: &Span) -> Eval<Shared> {
        match name {
            "secret" => Ok(Rc::new(secret())),
            "name" => Ok(Rc::new(Value::String("ann".into()))),
            _ => fault(at, "unknown variable", "none"),
        }
    }

    fn local(&self, evaluator: &Evaluator<'_>, path: &[String], at: &Span) -> Eval<(Shared, usize)> {
        let source = Arc::new(SourceFile { path: "l".into(), text: String::new() });
        let text = match path[0].as_str() {
            "list" => "[{ a = 1 }, { a = 2 }]",
            "map" => "{ b = 2, a = 1 }",
            "deep" => "{ s = var.secret, p = 1 }",
            _ => return fault(at, "unknown local", "none"),
        };
        Ok((Rc::new(evaluator.eval(&hcl_edit::parser::parse_expr(text).unwrap(), &Scope::of(&source))?), 1))
    }

    fn is_reference(&self, root: &str) -> bool {
        root == "aws" || root == "dns_zone"
    }

    fn references(&self) -> Vec<&'static str> {
        vec!["aws", "dns_zone"]
    }

    fn env(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/home".to_owned())
    }

    fn root(&self) -> &Path {
        Path::new("/nonexistent")
    }
}

fn eval(text: &str) -> Result<Value, String> {
    let source = Arc::new(SourceFile { path: "x".into(), text: text.to_owned() });
    let expr = hcl_edit::parser::parse_expr(text).map_err(|error| error.to_string())?;
    Evaluator::new(&Fixed).eval(&expr, &Scope::of(&source)).map_err(|fault| match fault {
        Fault::Problem(problem) => {
            assert!(!problem.help.is_empty(), "{text}");
            format!("{} {}", problem.span.unwrap().place(), problem.summary)
        }
        Fault::Reported => "reported".to_owned(),
    })
}

fn json(text: &str) -> String {
    eval(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_json().to_string()
}

#[test]
fn arithmetic_and_logic() {
    for (text, value) in [
        ("1 + 2 * 3", "7"),
        ("\"1\" + 1", "2"),
        ("7 / 2", "3.5"),
        ("8 / 2", "4"),
        ("-7 % 3", "-1"),
        ("!false && 1 < 2", "true"),
        ("true || nope.x", "true"),
        ("false && nope.x", "false"),
        ("true ? 1 : nope.x", "1"),
        ("1 == 1.0", "true"),
        ("1 == \"1\"", "false"),
        ("[1, 2] == [1, 2]", "true"),
        ("{a = 1} != {a = 2}", "true"),
        ("0.1 + 0.2 > 0.3", "true"),
    ] {
        assert_eq!(json(text), value, "{text}");
    }
    for text in [
        "1 / 0",
        "1 % 0",
        "9223372036854775807 + 1",
        "-9223372036854775807 - 2",
        "1e308 * 10",
        "12345678901234567890",
        "\"a\" + 1",
        "[] < 1",
        "null ? 1 : 2",
        "!5",
    ] {
        assert!(eval(text).is_err(), "{text}");
    }
}

#[test]
fn templates() {
    for (text, value) in [
        ("\"a${1}b${true}\"", "\"a1btrue\""),
        ("\"${[1]}\"", "[1]"),
        ("\"$${x} %%{y}\"", "\"${x} %{y}\""),
        ("\"${~ 1 ~} x\"", "\"1x\""),
        ("\"%{ if var.name == \"ann\" }yes%{ else }no%{ endif }\"", "\"yes\""),
        ("\"%{ for k, v in local.map }${k}=${v};%{ endfor }\"", "\"a=1;b=2;\""),
        ("\"a %{~ for x in [1, 2] ~} ${x} %{~ endfor ~} b\"", "\"a12b\""),
        ("<<EOT\nhi ${var.name}\nEOT\n", "\"hi ann\\n\""),
        ("<<-EOT\n    a\n      b\n    EOT\n", "\"a\\n  b\\n\""),
    ] {
        assert_eq!(json(text.trim_end()), value, "{text}");
    }
    assert!(eval("\"a${[1]}\"").unwrap_err().contains("a list"));
    assert!(eval("\"a${null}\"").is_err());
}

#[test]
fn names_and_what_follows_them() {
    for (text, value) in [
        ("var.name", "\"ann\""),
        ("local.list[1].a", "2"),
        ("local.list[*].a", "[1,2]"),
        ("local.list.*.a", "[1,2]"),
        ("local.list.0.a", "1"),
        ("local.map[\"a\"]", "1"),
        ("local.map[*].a", "[1]"),
        ("null[*]", "[]"),
        ("[for x in local.list : x.a if x.a > 1]", "[2]"),
        ("[for i, x in [\"a\"] : \"${i}${x}\"]", "[\"0a\"]"),
        ("{for k, v in local.map : v => k}", "{\"1\":\"a\",\"2\":\"b\"}"),
        ("{for x in [\"a\", \"b\", \"aa\"] : substr(x, 0, 1) => x...}", "{\"a\":[\"a\",\"aa\"],\"b\":[\"b\"]}"),
        ("aws.hk", "\"aws.hk\""),
        ("aws", "\"aws\""),
        ("dns_zone[\"gigadb.org\"]", "\"dns_zone[\\\"gigadb.org\\\"]\""),
        ("aws[\"hk\"]", "\"aws.hk\""),
        ("[for aws in [1] : aws]", "[1]"),
        ("{(var.name) = 1, \"b c\" = 2}", "{\"ann\":1,\"b c\":2}"),
    ] {
        assert_eq!(json(text), value, "{text}");
    }
    assert!(eval("local.map.c").unwrap_err().contains("no `c`"));
    assert!(eval("local.list[9]").unwrap_err().contains("no element 9"));
    assert!(eval("local.list.a").is_err());
    assert!(eval("aws.hk.region").unwrap_err().contains("not a value"));
    assert!(eval("1 + aqs.hk").unwrap_err().starts_with("x:1:5"));
    assert!(eval("{for x in [1, 1] : \"k\" => x}").unwrap_err().contains("twice"));
}

#[test]
fn functions_are_called() {
    for (text, value) in [
        ("upper(\"a\")", "\"A\""),
        ("max([1, 2]...)", "2"),
        ("env(\"HOME\")", "\"/home\""),
        ("env(\"NOPE\", null)", "null"),
        ("try(local.map.c, 5)", "5"),
        ("can(local.map.c)", "false"),
    ] {
        assert_eq!(json(text), value, "{text}");
    }
    assert!(eval("env(\"NOPE\")").unwrap_err().contains("not set"));
    assert!(eval("uper(\"a\")").unwrap_err().contains("unknown function"));
    assert!(eval("upper()").unwrap_err().contains("takes 1 argument"));
    assert!(eval("upper([])").unwrap_err().starts_with("x:1:7"));
    assert!(eval("file(\"/etc/passwd\")").is_err());
}

#[test]
fn whatever_is_made_of_a_secret_is_one() {
    for text in [
        "var.secret",
        "\"x${var.secret}\"",
        "upper(var.secret)",
        "var.secret == 1",
        "var.secret ? 1 : 2",
        "sensitive(1)",
        "local.deep.s",
        "jsonencode(local.deep)",
        "var.secret.a[0]",
        "[for x in var.secret : x]",
    ] {
        assert_eq!(eval(text).unwrap(), secret(), "{text}");
    }
    assert_eq!(json("local.deep.p"), "1");
    assert_eq!(json("length(local.deep)"), "2");
    assert_eq!(eval("merge(local.deep, {})").unwrap(), eval("local.deep").unwrap());
}

#[test]
fn work_and_size_are_limited() {
    let nested = "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]";
    assert!(eval(nested).unwrap_err().contains("more than 250000 elements"));
    let wasteful = "length([for a in range(9000) : length([for b in range(9000) : b])])";
    assert!(eval(wasteful).unwrap_err().contains("too much work"));
    let long = format!("join(\"\", [for a in range(10000) : \"{}\"])", "x".repeat(1_000));
    assert!(eval(&long).unwrap_err().contains("larger than 8 MiB"));
    let twice = "replace(replace(replace(join(\"\", range(5000)), \"1\", join(\"\", range(5000))), \"2\", \"x\"), \"3\", \"y\")";
    assert!(eval(twice).unwrap_err().contains("too large"));
    for open in ["(", "[", "-(", "[for x in [1] : ", "{ a = "] {
        let close = match open {
            "(" | "-(" => ")",
            "{ a = " => " }",
            _ => "]",
        };
        let _ = eval(&format!("{}1{}", open.repeat(58), close.repeat(58)));
    }
    assert_eq!(json(&["1"; 128].join(" + ")), "128");
    let deep = (0..60).fold("1".to_owned(), |inner, _| format!("[{inner}]"));
    assert!(eval(&deep).is_ok());
}
