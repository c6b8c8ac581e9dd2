use serde_json::json;

use super::super::testing::{desired, diff, list, n, record, row, s, world, zone};
use super::*;
use crate::diff::Action;
use crate::model::{Json, Value};
use crate::world::sim::SimWorld;

fn change(world: &SimWorld, attributes: &[(&'static str, Value)], records: Vec<crate::declare::Node>) -> Result<Change> {
    let declared = zone("example.org", attributes, records);
    diff(world, &declared, &desired(vec![declared.clone()], 200)).map(|(_, change)| change)
}

fn items(change: &Change) -> Vec<Item> {
    let detail = change.detail.as_ref().and_then(|detail| detail.downcast_ref::<Arc<ZoneDetail>>()).expect("a change");
    detail.names.iter().flat_map(|name| name.items.clone()).collect()
}

fn rows(change: &Change) -> Vec<(String, Json, Json)> {
    change.attributes.iter().map(|row| (row.name.clone(), row.before.clone(), row.after.clone())).collect()
}

fn elastic_ip(name: &str) -> [(&'static str, Value); 2] {
    [("elastic_ip", s(name)), ("aws", Value::Reference("aws.hk".to_owned()))]
}

#[test]
fn a_zone_as_declared_has_no_change() {
    let world = world(&[row("A", "example.org", "192.0.2.1", 300), row("TXT", "example.org", "foreign", 60)]);
    let change = change(&world, &[], vec![record(2, "A", "example.org", &elastic_ip("eip-live"))]).unwrap();
    assert_eq!(change.action, Action::NoOp);
    assert!(change.detail.is_none() && change.attributes.is_empty());
}

#[test]
fn a_changed_answer_is_a_patch_of_content_alone() {
    let world = world(&[row("A", "example.org", "192.0.2.9", 300)]);
    let change = change(&world, &[], vec![record(2, "A", "example.org", &elastic_ip("eip-live"))]).unwrap();
    let items = items(&change);
    let [Item::Patch { before, patch }] = items.as_slice() else { panic!("one patch") };
    assert_eq!((before.id.as_str(), patch.patch(before).id.as_str(), patch.content.as_str()), ("r0", "r0", "192.0.2.1"));
    assert!(patch.ttl.is_none() && patch.proxied.is_none() && patch.comment.is_none() && patch.tags.is_none());
    assert_eq!(rows(&change), [("A example.org".to_owned(), json!("192.0.2.9"), json!("192.0.2.1"))]);
    assert_eq!(change.attributes[0].note.as_deref(), Some("Elastic IP eip-live (aws.hk, ap-east-1)"));
    assert_eq!(change.exchange.given, BTreeSet::from(["192.0.2.9".to_owned()]));
    assert_eq!(change.exchange.taken, BTreeSet::from(["192.0.2.1".to_owned()]));
}

#[test]
fn a_set_keeps_what_it_can() {
    let present = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|content| row("A", "a.example.org", content, 300));
    let world = world(&present);
    let wanted = [("values", list(&["192.0.2.2", "192.0.2.9"]))];
    let change = change(&world, &[], vec![record(2, "A", "a.example.org", &wanted)]).unwrap();
    let items = items(&change);
    assert_eq!(items.len(), 2, "{items:?}");
    assert!(matches!(&items[0], Item::Delete(before) if before.content == "192.0.2.3"));
    assert!(matches!(&items[1], Item::Patch { before, patch } if before.content == "192.0.2.1" && patch.content == "192.0.2.9"));
    assert_eq!(rows(&change)[0].2, json!(["192.0.2.2", "192.0.2.9"]));
}

#[test]
fn a_name_turns_from_cname_to_addresses_in_its_record() {
    let world = world(&[row("CNAME", "www.example.org", "example.org", 300)]);
    let records = vec![
        record(2, "CNAME", "www.example.org", &[("values", list(&[]))]),
        record(3, "A", "www.example.org", &[("values", list(&["192.0.2.1", "192.0.2.2"]))]),
    ];
    let change = change(&world, &[], records).unwrap();
    let items = items(&change);
    assert!(matches!(&items[0], Item::Patch { before, patch } if before.rtype == "CNAME" && patch.rtype == "A" && before.id == "r0"), "{items:?}");
    assert!(matches!(&items[1], Item::Post(record) if record.content == "192.0.2.2" && record.ttl == 1 && !record.proxied));
    assert_eq!(items.len(), 2);
    assert_eq!(change.attributes[0].note.as_deref(), Some("the record becomes A"));
    assert_eq!(change.attributes[1].note.as_deref(), Some("the record was CNAME"));
}

#[test]
fn what_is_not_declared_is_kept_and_what_is_declared_is_set() {
    let present =
        json!({ "type": "MX", "name": "example.org", "content": "10 m.example.org", "ttl": 600, "comment": "by hand", "tags": ["b:2", "a:1"] });
    let kept = world(std::slice::from_ref(&present));
    let value = ("value", s("10 m.example.org"));
    assert_eq!(change(&kept, &[], vec![record(2, "MX", "example.org", std::slice::from_ref(&value))]).unwrap().action, Action::NoOp);
    let same = [value.clone(), ("ttl", n(600)), ("comment", s("by hand")), ("tags", list(&["a:1", "b:2"]))];
    assert_eq!(change(&kept, &[], vec![record(2, "MX", "example.org", &same)]).unwrap().action, Action::NoOp);
    let other = [value, ("ttl", n(3_600)), ("comment", s("")), ("tags", list(&["c:3"]))];
    let change = change(&kept, &[], vec![record(2, "MX", "example.org", &other)]).unwrap();
    let names: Vec<String> = rows(&change).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["MX example.org ttl", "MX example.org comment", "MX example.org tags"]);
    assert!(change.exchange.given.is_empty() && change.exchange.taken.is_empty());
}

#[test]
fn the_ttl_of_a_proxied_record_is_never_a_difference() {
    let present = json!({ "type": "A", "name": "example.org", "content": "192.0.2.1", "ttl": 1, "proxied": true });
    let world = world(&[present]);
    let change = change(&world, &[("ttl", n(300))], vec![record(2, "A", "example.org", &[("value", s("192.0.2.1"))])]).unwrap();
    assert_eq!(change.action, Action::NoOp);
}

#[test]
fn defaults_of_the_zone_hold_where_a_record_is_silent() {
    let world = world(&[row("A", "a.example.org", "192.0.2.1", 60), row("A", "b.example.org", "192.0.2.1", 60)]);
    let records = vec![
        record(2, "A", "a.example.org", &[("value", s("192.0.2.1"))]),
        record(3, "A", "b.example.org", &[("value", s("192.0.2.1")), ("ttl", n(60))]),
    ];
    let change = change(&world, &[("ttl", n(300))], records).unwrap();
    assert_eq!(rows(&change), [("A a.example.org ttl".to_owned(), json!(60), json!(300))]);
}

#[test]
fn foreign_records_stay_unless_all_answers_are_declared() {
    let present = [
        row("A", "example.org", "192.0.2.1", 300),
        row("A", "old.example.org", "192.0.2.9", 300),
        row("NS", "example.org", "ada.ns.example", 300),
        row("NS", "sub.example.org", "ns.example.net", 300),
    ];
    let world = world(&present);
    let declared = || vec![record(2, "A", "example.org", &elastic_ip("eip-live"))];
    assert_eq!(change(&world, &[], declared()).unwrap().action, Action::NoOp);
    let change = change(&world, &[("answers", s("all"))], declared()).unwrap();
    let gone: Vec<String> =
        items(&change).iter().filter_map(|item| if let Item::Delete(before) = item { Some(before.name.clone()) } else { None }).collect();
    assert_eq!(gone, ["old.example.org", "sub.example.org"]);
}

#[test]
fn a_foreign_cname_in_the_way_is_a_conflict() {
    let world = world(&[row("CNAME", "www.example.org", "example.net", 300)]);
    let declared = || vec![record(2, "A", "www.example.org", &[("value", s("192.0.2.1"))])];
    let error = change(&world, &[], declared()).err().expect("a conflict");
    assert!(error.chain().contains("CNAME www.example.org example.net"), "{}", error.chain());
    let all = change(&world, &[("answers", s("all"))], declared()).unwrap();
    assert!(matches!(items(&all).as_slice(), [Item::Patch { patch, .. }] if patch.rtype == "A"));
}

#[test]
fn foreign_records_with_a_given_up_answer_are_mentioned() {
    let world = world(&[row("A", "example.org", "192.0.2.9", 300), row("A", "forgotten.example.org", "192.0.2.9", 300)]);
    let change = change(&world, &[], vec![record(2, "A", "example.org", &elastic_ip("eip-live"))]).unwrap();
    assert!(change.notes.iter().any(|note| note.contains("A forgotten.example.org 192.0.2.9")), "{:?}", change.notes);
}

#[test]
fn what_cannot_be_read_is_an_error_with_what_was_found() {
    let world = world(&[]);
    let error = change(&world, &[], vec![record(2, "A", "example.org", &elastic_ip("eip-alt"))]).err().expect("an error");
    assert!(error.chain().contains("eip-alt") && error.chain().contains("ap-east-1"), "{}", error.chain());
    let declared = zone("example.net", &[], vec![]);
    let error = diff(&world, &declared, &desired(vec![declared.clone()], 200)).err().expect("no such zone");
    assert!(error.chain().contains("sees no zone example.net") && error.help().contains("Zone:Read"));
}
