use super::super::testing::{block, desired, list, n, record, s, zone};
use super::*;
use crate::model::{SecretRef, Severity};

/// All problems of a zone `example.org` with these records.
fn problems(records: Vec<Node>) -> Vec<Problem> {
    let declared = zone("example.org", &[], records);
    check(&declared, &desired(vec![declared.clone()], 200))
}

/// The only problem of one record at line 7; it must be an error at that line, with help.
fn mistake(rtype: &str, name: &str, attributes: &[(&'static str, Value)]) -> String {
    let found = problems(vec![record(7, rtype, name, attributes)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].severity, Severity::Error);
    assert!(!found[0].help.is_empty());
    assert_eq!(found[0].span.as_ref().map(crate::model::Span::place).as_deref(), Some("environments/live.hcl:7:1"));
    found[0].summary.clone()
}

fn says(rtype: &str, name: &str, attributes: &[(&'static str, Value)], words: &str) {
    let summary = mistake(rtype, name, attributes);
    assert!(summary.contains(words), "{words} in {summary}");
}

#[test]
fn a_good_zone_has_no_problems() {
    let found = problems(vec![
        record(2, "A", "example.org", &[("value", s("192.0.2.1")), ("proxied", Value::Bool(true))]),
        record(3, "a", "*.Example.org.", &[("elastic_ip", s("eip-live")), ("aws", Value::Reference("aws.hk".to_owned()))]),
        record(4, "TXT", "example.org", &[("values", list(&["v=spf1 -all", "a \"quoted\" word"]))]),
        record(5, "CNAME", "www.example.org", &[("value", s("example.org"))]),
        record(6, "MX", "www.example.org", &[("values", list(&[]))]),
        record(7, "NS", "sub.example.org", &[("value", s("ns.example.net"))]),
        record(8, "A", "bücher.example.org", &[("value", s("192.0.2.1"))]),
        block("confirm", &[("name_servers", list(&["192.0.2.53:53"]))]),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn labels_are_checked() {
    let value = [("value", s("192.0.2.1"))];
    says("SOA", "example.org", &value, "SOA");
    says("AAA", "example.org", &value, "`AAA` is not a record type");
    says("A", "www.example.com", &value, "outside of its zone");
    says("A", "notexample.org", &value, "outside of its zone");
    says("A", "a b.example.org", &value, "not a domain name");
    says("A", "a.*.example.org", &value, "`*`");
    says("NS", "example.org", &[("value", s("ns.example.net"))], "never touched");
}

#[test]
fn a_mistyped_type_has_its_neighbour_in_the_help() {
    let found = problems(vec![record(7, "CNAM", "www.example.org", &[("value", s("example.org"))])]);
    assert!(found[0].help.contains("did you mean \"CNAME\""), "{}", found[0].help);
}

#[test]
fn answers_come_from_exactly_one_attribute() {
    says("A", "example.org", &[], "has no answers");
    says("A", "example.org", &[("value", s("192.0.2.1")), ("values", list(&["192.0.2.1"]))], "`value` and `values`");
    says("A", "example.org", &[("value", s("192.0.2.1")), ("elastic_ip", s("eip"))], "`value` and `elastic_ip`");
}

#[test]
fn answers_are_checked_by_type() {
    says("A", "example.org", &[("value", s("192.0.2.999"))], "not an IPv4 address");
    says("A", "example.org", &[("value", s("2001:db8::1"))], "use AAAA");
    says("AAAA", "example.org", &[("value", s("192.0.2.1"))], "use A");
    says("MX", "example.org", &[("value", s("mail.example.org"))], "PREFERENCE NAME");
    says("TXT", "example.org", &[("value", s(""))], "empty");
    says("CNAME", "www.example.org", &[("values", list(&["a.org", "b.org"]))], "more than one target");
    says("CNAME", "www.example.org", &[("value", s("WWW.example.org."))], "points at itself");
    let secret = Value::Secret(SecretRef::Expression { expression: "var.x".to_owned(), refers_to: vec!["var.x".to_owned()] });
    says("TXT", "example.org", &[("value", secret)], "secret");
}

#[test]
fn elastic_ips_are_for_a_records_of_a_declared_provider() {
    let hk = ("aws", Value::Reference("aws.hk".to_owned()));
    says("AAAA", "example.org", &[("elastic_ip", s("eip")), hk.clone()], "cannot take an Elastic IP");
    says("A", "example.org", &[("elastic_ip", s("eip"))], "no provider \"aws\"");
    says("A", "example.org", &[("elastic_ip", list(&["eip", " "])), hk], "empty");
}

#[test]
fn only_address_records_are_proxied() {
    says("MX", "example.org", &[("value", s("10 mail.example.org")), ("proxied", Value::Bool(true))], "cannot be proxied");
    let declared = zone("example.org", &[("proxied", Value::Bool(true))], vec![record(7, "MX", "example.org", &[("value", s("10 m.example.org"))])]);
    assert!(check(&declared, &desired(vec![declared.clone()], 200)).is_empty());
}

#[test]
fn a_ttl_beside_the_proxy_is_warned_about() {
    let attributes = [("value", s("192.0.2.1")), ("proxied", Value::Bool(true)), ("ttl", n(300))];
    let found = problems(vec![record(7, "A", "example.org", &attributes)]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Warning);
}

#[test]
fn quotes_around_txt_are_warned_about() {
    let found = problems(vec![record(7, "TXT", "example.org", &[("value", s("\"v=spf1 -all\""))])]);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
}

#[test]
fn a_duplicate_points_at_both() {
    let value = [("value", s("192.0.2.1"))];
    let found = problems(vec![record(2, "A", "www.example.org", &value), record(9, "A", "WWW.example.org.", &value)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].summary, "duplicate record A www.example.org");
    assert_eq!(found[0].span.as_ref().unwrap().place(), "environments/live.hcl:9:1");
    assert!(found[0].help.contains("environments/live.hcl:2:1"), "{}", found[0].help);
}

#[test]
fn a_cname_stands_alone_except_for_sets_that_are_removed() {
    let (cname, txt) = ([("value", s("example.org"))], [("value", s("x"))]);
    let found = problems(vec![record(2, "TXT", "www.example.org", &txt), record(3, "CNAME", "www.example.org", &cname)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].summary.contains("beside a CNAME") && found[0].help.contains(":3:1"));
    let removed = [("values", list(&[]))];
    assert!(problems(vec![record(2, "TXT", "www.example.org", &removed), record(3, "CNAME", "www.example.org", &cname)]).is_empty());
}

#[test]
fn at_the_apex_only_addresses_are_in_the_way_of_a_cname() {
    let cname = || record(2, "CNAME", "example.org", &[("value", s("example.net"))]);
    assert!(problems(vec![cname(), record(3, "MX", "example.org", &[("value", s("10 m.example.net"))])]).is_empty());
    assert_eq!(problems(vec![cname(), record(3, "A", "example.org", &[("value", s("192.0.2.1"))])]).len(), 1);
}

#[test]
fn one_zone_is_declared_once() {
    let (first, second) = (zone("example.org", &[], vec![]), zone("EXAMPLE.org.", &[("answers", s("all"))], vec![]));
    let second = Declared { body: Node { span: record(5, "A", "x", &[]).span, labels: Vec::new(), ..second.body }, ..second };
    let desired = desired(vec![first.clone(), second.clone()], 200);
    assert!(check(&first, &desired).is_empty() && check(&second, &desired).is_empty());
    let found = check_together(&desired);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].summary.contains("declared twice") && found[0].span.as_ref().is_some_and(|span| span.place().contains(":5:")), "{found:?}");
}

#[test]
fn the_provider_must_be_declared() {
    let declared = zone("example.org", &[("provider", Value::Reference("cloudflare.other".to_owned()))], vec![]);
    let found = check(&declared, &desired(vec![declared.clone()], 200));
    assert!(found[0].summary.contains("cloudflare.other"), "{found:?}");
    let declared = zone("*.example.org", &[], vec![]);
    assert!(check(&declared, &desired(vec![declared.clone()], 200))[0].summary.contains("not the name of a zone"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let found = problems(vec![
        record(2, "A", "example.org", &[("values", list(&["x", "y", "192.0.2.1"]))]),
        record(3, "SOA", "www.example.com", &[]),
        record(4, "A", "a.example.org", &[("value", s("192.0.2.1"))]),
        record(5, "A", "a.example.org", &[("value", s("192.0.2.2"))]),
    ]);
    assert_eq!(found.len(), 5, "{found:?}");
}

proptest::proptest! {
    #[test]
    fn no_text_in_a_record_panics(rtype in "(A|AAAA|MX|TXT|CAA|HTTPS|.{0,6})", name in ".{0,30}", value in ".{0,40}", ttl in proptest::prelude::any::<i64>()) {
        let attributes = [("values", list(&[&value, "192.0.2.1"])), ("ttl", n(ttl))];
        for problem in problems(vec![record(7, &rtype, &name, &attributes)]) {
            proptest::prop_assert!(!problem.summary.is_empty() && !problem.help.is_empty());
        }
    }
}
