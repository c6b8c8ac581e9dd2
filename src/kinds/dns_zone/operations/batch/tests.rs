use serde_json::json;

use super::super::super::testing::{Bench, contents, desired, list, planned, record, row, s, world_with, zone};
use super::*;
use crate::declare::{Declared, Desired};
use crate::model::{Data, Json};
use crate::plan::Undo;
use crate::world::sim::SimWorld;

/// A batch that deletes, patches and posts, in a world with these faults at its first `cloudflare:batch`.
struct Case {
    world: std::sync::Arc<SimWorld>,
    declared: Declared,
    desired: Desired,
}

impl Case {
    fn new(faults: &Json) -> Case {
        let present =
            [row("A", "a.example.org", "192.0.2.1", 300), row("TXT", "b.example.org", "old", 300), row("A", "c.example.org", "192.0.2.3", 300)];
        let declared = zone(
            "example.org",
            &[],
            vec![
                record(2, "A", "a.example.org", &[("value", s("192.0.2.7"))]),
                record(3, "TXT", "b.example.org", &[("values", list(&[]))]),
                record(4, "A", "d.example.org", &[("value", s("192.0.2.4"))]),
            ],
        );
        Case { world: world_with(&present, faults), desired: desired(vec![declared.clone()], 200), declared }
    }

    fn bench(&self) -> Bench<'_> {
        Bench { world: &self.world, desired: &self.desired }
    }

    /// The batch and its undo.
    fn operations(&self) -> (Data, Data) {
        let part = planned(&self.world, &self.declared, &self.desired).expect("a plan").part;
        let step = part.steps.into_iter().find(|step| step.id.ends_with("/batch")).expect("a batch");
        let Undo::Operations { operations, .. } = step.undo else { panic!("an undo") };
        (step.operation, operations[0].clone())
    }

    fn batches_with_effect(&self) -> usize {
        self.world.calls().iter().filter(|called| called.info.call == "cloudflare:batch" && called.effect).count()
    }
}

fn at_first_batch(fault: &Json) -> Json {
    json!([{ "call": "cloudflare:batch", "nth": 1, "fault": fault }])
}

#[test]
fn a_batch_is_pending_then_done_and_its_undo_the_other_way_round() {
    let case = Case::new(&json!([]));
    let (forward, back) = case.operations();
    let original = contents(&case.world).0;
    assert_eq!(case.bench().look(&forward).unwrap(), Look::Pending);
    assert_eq!(case.bench().look(&back).unwrap(), Look::done());
    case.bench().start(&forward).unwrap();
    assert_eq!(case.bench().look(&forward).unwrap(), Look::done());
    assert_eq!(case.bench().look(&back).unwrap(), Look::Pending);
    case.bench().start(&back).unwrap();
    assert_eq!(case.bench().look(&back).unwrap(), Look::done());
    assert_eq!(contents(&case.world).0, original);
}

#[test]
fn a_lost_reply_is_resolved_by_looking() {
    let case = Case::new(&at_first_batch(&json!({ "kind": "reply_lost" })));
    let (forward, _) = case.operations();
    let error = case.bench().start(&forward).unwrap_err();
    assert!(!error.nothing_happened());
    assert_eq!(case.bench().look(&forward).unwrap(), Look::done());
}

#[test]
fn a_repeated_call_is_no_error_and_no_second_change() {
    let case = Case::new(&at_first_batch(&json!({ "kind": "reply_lost" })));
    let (forward, _) = case.operations();
    assert!(case.bench().start(&forward).is_err());
    let once = contents(&case.world);
    case.bench().start(&forward).expect("done already");
    assert_eq!(contents(&case.world), once);
    assert_eq!(case.batches_with_effect(), 1);
}

#[test]
fn a_repetition_is_known_by_its_code_whether_it_comes_as_refused_or_as_not_found() {
    let error = |failure: Failure, code: &str| CallError::new("cloudflare:batch", failure, "no").code(code);
    for code in REPEATED {
        assert!(is_repetition(&error(Failure::Refused, code)) && is_repetition(&error(Failure::NotFound, code)), "{code}");
    }
    assert!(!is_repetition(&error(Failure::NotFound, "7003")), "the zone itself is not there");
    assert!(!is_repetition(&error(Failure::Refused, "9005")), "a mistake in a record");
    assert!(
        !is_repetition(&error(Failure::Throttled { retry_after: None }, "81057"))
            && !is_repetition(&CallError::new("cloudflare:batch", Failure::Refused, "no"))
    );
}

#[test]
fn a_record_that_is_gone_already_is_looked_for_and_the_rest_is_sent() {
    let gone = json!({ "kind": "refusal", "code": "81044", "message": "record does not exist" });
    let case = Case::new(&at_first_batch(&gone));
    let (forward, _) = case.operations();
    let mut deletion = forward.json();
    deletion["changes"]["patches"] = json!([]);
    deletion["changes"]["posts"] = json!([]);
    // The first batch is refused and repeated after a look that finds nothing done: for all it knows an earlier call is on its way.
    case.bench().start(&deletion.clone().into()).expect("nothing to send");
    assert_eq!(case.batches_with_effect(), 0);
    case.bench().start(&deletion.into()).unwrap();
    case.bench().start(&forward).expect("one is gone, the rest is sent");
    assert_eq!(case.batches_with_effect(), 2);
    assert_eq!(case.bench().look(&forward).unwrap(), Look::done());
}

#[test]
fn an_effect_that_is_seen_late_is_waited_for_and_not_sent_again() {
    let case = Case::new(&at_first_batch(&json!({ "kind": "late_visibility", "seconds": 30 })));
    let (forward, _) = case.operations();
    case.bench().start(&forward).unwrap();
    assert_eq!(case.bench().look(&forward).unwrap(), Look::Pending);
    case.bench().start(&forward).expect("the service has it already");
    assert_eq!(case.batches_with_effect(), 1);
    case.world.advance(std::time::Duration::from_secs(31));
    assert_eq!(case.bench().look(&forward).unwrap(), Look::done());
}

#[test]
fn what_somebody_else_did_already_is_left_out() {
    let case = Case::new(&json!([]));
    let (forward, back) = case.operations();
    let mut part: Json = forward.json();
    part["changes"]["patches"] = json!([]);
    part["changes"]["posts"] = json!([]);
    case.bench().start(&part.into()).unwrap();
    assert_eq!(case.bench().look(&forward).unwrap(), Look::Pending);
    case.bench().start(&forward).unwrap();
    assert_eq!(case.bench().look(&forward).unwrap(), Look::done());
    case.bench().start(&back).unwrap();
    assert_eq!(case.bench().look(&back).unwrap(), Look::done());
}

#[test]
fn a_record_that_somebody_else_changed_is_a_conflict_and_stale() {
    let case = Case::new(&json!([]));
    let part = planned(&case.world, &case.declared, &case.desired).expect("a plan").part;
    let (forward, _) = case.operations();
    let mut other = forward.json();
    other["changes"] = json!({ "deletes": [], "posts": [], "patches": other["changes"]["patches"] });
    other["changes"]["patches"][0]["to"]["content"] = json!("192.0.2.99");
    case.bench().start(&other.into()).unwrap();
    let Look::Conflict(why) = case.bench().look(&forward).unwrap() else { panic!("a conflict") };
    assert!(why.contains("A a.example.org 192.0.2.1 has become A a.example.org 192.0.2.99"), "{why}");
    let fact = part.facts.iter().find(|fact| fact.id.ends_with("/records")).expect("a fact");
    assert_ne!(case.bench().fact(&fact.read).unwrap(), fact.value);
    let verify = part.steps.iter().find(|step| step.id.ends_with("/verify")).expect("a step");
    assert!(matches!(case.bench().look(&verify.operation).unwrap(), Look::Conflict(_)));
}

#[test]
fn a_name_that_is_taken_meanwhile_is_stale_and_a_conflict() {
    let case = Case::new(&json!([]));
    let part = planned(&case.world, &case.declared, &case.desired).expect("a plan").part;
    let (forward, _) = case.operations();
    let mut other = forward.json();
    let posts = json!([{ "name": "d.example.org", "type": "A", "content": "192.0.2.50", "ttl": 300, "proxied": false }]);
    other["changes"] = json!({ "deletes": [], "patches": [], "posts": posts });
    case.bench().start(&other.into()).unwrap();
    let fact = part.facts.iter().find(|fact| fact.id.ends_with("/free")).expect("a fact");
    assert_eq!(case.bench().fact(&fact.read).unwrap(), json!({ "A d.example.org": ["A d.example.org 192.0.2.50"] }));
    let verify = part.steps.iter().find(|step| step.id.ends_with("/verify")).expect("a step");
    let Look::Conflict(why) = case.bench().look(&verify.operation).unwrap() else { panic!("a conflict") };
    assert!(why.contains("in the way of A d.example.org"), "{why}");
}

#[test]
fn data_that_is_no_operation_is_refused() {
    let (forward, _) = Case::new(&json!([])).operations();
    let mut unknown_field = forward.json();
    unknown_field["colour"] = json!("red");
    for bad in [json!(null), json!({ "type": "rename" }), json!({ "type": "batch" }), unknown_field] {
        assert!(super::super::decode(&bad.clone().into()).is_err(), "{bad}");
    }
    assert!(super::super::decode(&forward).is_ok());
}
