//! Saved plans: what is read back, what is refused, and as what. The plan in `plans/` is the fixture: it must load for ever, or be refused by name.

use std::path::Path;

use proptest::prelude::*;
use switchover::model::{Exit, data};
use switchover::plan::{Plan, file};
use switchover::review::{self, Style};

fn text() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/staging.json")).unwrap()
}

fn parse(text: &str) -> Result<Plan, (Exit, String)> {
    file::parse(text, Path::new("plan.json")).map_err(|error| (error.exit(), error.chain()))
}

#[test]
fn the_plan_of_the_repository_loads_and_is_shown() {
    let plan = parse(&text()).unwrap();
    assert_eq!(plan.environment, "staging");
    assert_eq!(file::text(&plan), text(), "it is written as it was saved");
    let shown = review::terminal(&plan, &Style::plain(100), Some("plans/staging.json"));
    assert!(shown.contains("Plan: 1 to add, 0 to change, 1 to destroy.") && shown.contains("switchover apply plans/staging.json"), "{shown}");
}

#[test]
fn a_plan_saved_and_loaded_is_the_same_and_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    let plan = parse(&text()).unwrap();
    file::save(&plan, &path).unwrap();
    file::save(&plan, &path).unwrap();
    assert_eq!(file::load(&path).unwrap(), plan);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn white_space_between_tokens_may_change_and_nothing_else() {
    let text = text();
    let compact = data::without_white_space(&text);
    assert!(parse(&compact).is_ok());
    assert!(parse(&text.replace('\n', "\r\n")).is_ok());
    let changed = [
        text.replace("\"db.m5.xlarge\"", "\"db.m5.4xlarge\""),
        text.replace("\"timeout_seconds\": 21600", "\"timeout_seconds\": 21601"),
        text.replacen("\"environment\": \"staging\"", "\"environment\": \"staging\", \"environment\": \"staging\"", 1),
        text.replacen('{', "{\"unknown\": 1,", 1),
        text.replacen("staging", "st\\u0061ging", 1),
        // The same moment in other words.
        text.replacen('T', "t", 1),
        text.replacen("\"plan\"", "\"plan\" ", 1).replace("\"switchover_version\": \"", "\"switchover_version\": \" "),
    ];
    for (number, changed) in changed.iter().enumerate() {
        assert_ne!(*changed, text, "change {number} changes nothing");
        assert_eq!(parse(changed).unwrap_err().0, Exit::Stale, "change {number}");
    }
}

#[test]
fn what_is_no_plan_is_an_error_and_not_a_changed_plan() {
    for garbage in ["", "{", "[]", "null", "{}", "{\"format_version\": 1}", "environment \"x\" {}", &text()[..1000]] {
        let (exit, chain) = parse(garbage).unwrap_err();
        assert_eq!(exit, Exit::Error, "{garbage:.40}: {chain}");
        assert!(chain.contains("plan.json"), "{chain}");
    }
    let (exit, chain) = parse(&text().replace("\"format_version\": \"1.0\"", "\"format_version\": \"2.0\"")).unwrap_err();
    assert!(exit == Exit::Error && chain.contains("format 2.0"), "{chain}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_changed_byte_is_refused(at in any::<prop::sample::Index>(), byte in 0x20_u8..0x7f) {
        let text = text();
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let changed = String::from_utf8_lossy(&bytes).into_owned();
        // A blank for a line feed between two tokens is white space for white space.
        prop_assume!(data::without_white_space(&changed) != data::without_white_space(&text));
        prop_assert!(parse(&changed).is_err());
    }
}
