//! What the functions give, and that none of them can be made to fall over.

use super::*;
use crate::model::Number;

fn n(n: i64) -> Value {
    Value::Number(Number::Int(n))
}

fn s(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn l(items: &[Value]) -> Value {
    Value::List(items.to_vec())
}

fn call(name: &str, args: &[Value]) -> Outcome {
    (find(name).unwrap().run)(args)
}

#[test]
fn texts() {
    assert_eq!(call("title", &[s("hello big world")]), Ok(s("Hello Big World")));
    assert_eq!(call("replace", &[s("a-b-c"), s("-"), s("+")]), Ok(s("a+b+c")));
    assert!(call("replace", &[s("abc"), s("/b/"), s("x")]).is_err());
    assert_eq!(call("split", &[s(","), s("a,b")]), Ok(l(&[s("a"), s("b")])));
    assert_eq!(call("join", &[s("-"), l(&[s("a"), n(1)])]), Ok(s("a-1")));
    assert_eq!(call("substr", &[s("hällo"), n(1), n(3)]), Ok(s("äll")));
    assert_eq!(call("substr", &[s("hello"), n(-3), n(-1)]), Ok(s("llo")));
    assert_eq!(call("substr", &[s("hello"), n(9), n(i64::MAX)]), Ok(s("")));
    assert_eq!(call("trimprefix", &[s("eip-x"), s("eip-")]), Ok(s("x")));
    assert_eq!(call("indent", &[n(2), s("a\nb")]), Ok(s("a\n  b")));
    assert_eq!(call("dirname", &[s("a/b/c")]), Ok(s("a/b")));
}

#[test]
fn formats() {
    assert_eq!(
        call("format", &[s("%s-%03d %q %5.1f|%-4s| %t %%"), s("a"), n(7), s("x"), n(2), s("b"), Value::Bool(true)]),
        Ok(s("a-007 \"x\"   2.0|b   | true %"))
    );
    assert_eq!(call("format", &[s("%[2]s %[1]s"), s("a"), s("b")]), Ok(s("b a")));
    assert_eq!(call("format", &[s("%v"), l(&[n(1)])]), Ok(s("[1]")));
    assert_eq!(call("formatlist", &[s("%s.x"), l(&[s("a"), s("b")])]), Ok(l(&[s("a.x"), s("b.x")])));
    for bad in ["%", "%z", "%[", "%[0]s", "%99999s", "%d"] {
        assert!(call("format", &[s(bad), s("x")]).is_err(), "{bad}");
    }
    assert!(call("format", &[s("no verbs"), s("x")]).is_err());
}

#[test]
fn collections() {
    let map = |pairs: &[(&str, Value)]| Value::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect());
    assert_eq!(call("merge", &[map(&[("a", n(1))]), Value::Null, map(&[("a", n(2))])]), Ok(map(&[("a", n(2))])));
    assert_eq!(call("keys", &[map(&[("b", n(1)), ("a", n(2))])]), Ok(l(&[s("a"), s("b")])));
    assert_eq!(call("values", &[map(&[("b", n(1)), ("a", n(2))])]), Ok(l(&[n(2), n(1)])));
    assert_eq!(call("lookup", &[map(&[]), s("a"), n(3)]), Ok(n(3)));
    assert!(call("lookup", &[map(&[]), s("a")]).is_err());
    assert_eq!(call("flatten", &[l(&[n(1), l(&[n(2), l(&[n(3)])])])]), Ok(l(&[n(1), n(2), n(3)])));
    assert_eq!(call("range", &[n(1), n(7), n(3)]), Ok(l(&[n(1), n(4)])));
    assert_eq!(call("range", &[n(2), n(0)]), Ok(l(&[n(2), n(1)])));
    assert!(call("range", &[n(1_000_000)]).is_err());
    assert_eq!(call("element", &[l(&[n(1), n(2)]), n(-1)]), Ok(n(2)));
    assert_eq!(call("coalesce", &[Value::Null, s(""), s("x")]), Ok(s("x")));
    assert_eq!(call("zipmap", &[l(&[s("a")]), l(&[n(1)])]), Ok(map(&[("a", n(1))])));
    assert_eq!(call("contains", &[l(&[n(1)]), n(1)]), Ok(Value::Bool(true)));
    assert_eq!(call("setsubtract", &[l(&[s("a"), s("b")]), l(&[s("a")])]), Ok(l(&[s("b")])));
    assert_eq!(call("distinct", &[l(&[s("b"), s("a"), s("b")])]), Ok(l(&[s("b"), s("a")])));
    assert_eq!(call("sum", &[l(&[n(1), s("2")])]), Ok(n(3)));
}

#[test]
fn numbers() {
    assert_eq!(call("max", &[n(1), n(3), n(2)]), Ok(n(3)));
    assert_eq!(call("min", &[l(&[n(4), n(2)])]), Ok(n(2)));
    assert_eq!(call("ceil", &[Value::Number(Number::Float(1.2))]), Ok(n(2)));
    assert_eq!(call("tonumber", &[s("12")]), Ok(n(12)));
    assert_eq!(call("parseint", &[s("ff"), n(16)]), Ok(n(255)));
    assert!(call("abs", &[n(i64::MIN)]).is_err());
    assert!(call("pow", &[n(10), n(400)]).is_err());
    assert!(call("tonumber", &[s("inf")]).is_err());
}

#[test]
fn documents() {
    assert_eq!(call("jsondecode", &[s("{\"a\":[1,true,null]}")]).unwrap().to_json().to_string(), "{\"a\":[1,true,null]}");
    assert_eq!(call("yamldecode", &[s("a:\n  - 1\n  - x\n")]).unwrap().to_json().to_string(), "{\"a\":[1,\"x\"]}");
    assert!(call("jsondecode", &[s("{")]).unwrap_err().what.contains("line 1"));
    assert!(call("yamldecode", &[s("a: [")]).is_err());
    assert!(call("jsondecode", &[s(&"[".repeat(100_000))]).is_err());
    assert!(call("yamldecode", &[s(&"[".repeat(100_000))]).is_err());
}

#[test]
fn ranges_of_addresses() {
    assert_eq!(call("cidrhost", &[s("10.12.127.0/20"), n(16)]), Ok(s("10.12.112.16")));
    assert_eq!(call("cidrhost", &[s("10.0.0.0/24"), n(-1)]), Ok(s("10.0.0.255")));
    assert_eq!(call("cidrhost", &[s("fd00::/64"), n(2)]), Ok(s("fd00::2")));
    assert_eq!(call("cidrsubnet", &[s("10.0.0.0/8"), n(8), n(2)]), Ok(s("10.2.0.0/16")));
    assert_eq!(call("cidrnetmask", &[s("172.16.0.0/12")]), Ok(s("255.240.0.0")));
    for (range, number) in [("10.0.0.0/24", 256), ("10.0.0.0/33", 0), ("x", 0), ("10.0.0.0/24", -257), ("::/0", i64::MIN)] {
        let result = call("cidrhost", &[s(range), n(number)]);
        assert!(range == "::/0" || result.is_err(), "{range} {number}");
    }
}

#[test]
fn every_function_bears_any_arguments() {
    let samples =
        [Value::Null, n(-1), n(i64::MIN), s(""), s("%s"), s("10.0.0.0/8"), l(&[]), l(&[n(1), s("x"), Value::Null]), Value::Map(IndexMap::new())];
    for function in all() {
        assert!(!function.doc.is_empty() && function.form.starts_with('('), "{}", function.name);
        for a in &samples {
            for b in &samples {
                for c in &samples {
                    let args = [a.clone(), b.clone(), c.clone()];
                    let count = function.most.unwrap_or(3).min(3);
                    let _ = (function.run)(&args[..count]);
                }
            }
        }
    }
}
