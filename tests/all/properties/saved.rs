//! Saved plans: whatever is changed in one, be it a single byte, it is refused; and each is applied once.

use std::path::Path;

use serde_json::Value as Json;
use switchover::model::Exit;
use switchover::plan::{Plan, file};

use super::trials::{Dice, cases, first};
use super::{stage, worlds};
use crate::support::{Scene, pipeline};

/// The smallest plans of each kind that this many random cases have, as they are saved.
fn texts() -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let smallest = |make: fn(&mut Dice) -> worlds::Case| {
        let texts = (0..12).filter_map(|seed| {
            let case = make(&mut Dice::new(seed));
            let (world, scene) = (pipeline::world(&case.world), Scene::new(worlds::ENVIRONMENT, &case.first));
            let plan = runtime.block_on(stage::plan(&scene, &world, false));
            (plan.errors.is_empty() && !plan.steps.is_empty()).then(|| file::text(&plan))
        });
        texts.min_by_key(String::len).unwrap()
    };
    vec![smallest(worlds::zones::case), smallest(worlds::databases::case)]
}

fn parse(bytes: &[u8]) -> Result<Plan, Exit> {
    // What is not text is no plan; `load` says so before it parses.
    let text = std::str::from_utf8(bytes).map_err(|_| Exit::Error)?;
    file::parse(text, Path::new("plan.json")).map_err(|error| error.exit())
}

/// Which bytes stand inside of strings, their quotes included.
fn in_strings(text: &[u8]) -> Vec<bool> {
    let (mut inside, mut escaped) = (false, false);
    let mut mask = Vec::with_capacity(text.len());
    for byte in text {
        let was = inside;
        if escaped {
            escaped = false;
        } else if *byte == b'\\' {
            escaped = inside;
        } else if *byte == b'"' {
            inside = !inside;
        }
        mask.push(was || inside);
    }
    mask
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// One change of one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Replace(u8),
    Insert(u8),
    Delete,
}

impl Change {
    fn made(self, text: &[u8], at: usize) -> Vec<u8> {
        let mut bytes = text.to_vec();
        match self {
            Change::Replace(byte) => bytes[at] = byte,
            Change::Insert(byte) => bytes.insert(at, byte),
            Change::Delete => drop(bytes.remove(at)),
        }
        bytes
    }

    /// Whether it may be a change of white space between tokens and nothing else.
    fn is_white(self, text: &[u8], mask: &[bool], at: usize) -> bool {
        let outside = !mask[at] || (text[at] == b'"' && (at == 0 || !mask[at - 1]));
        match self {
            Change::Replace(byte) => !mask[at] && is_white(text[at]) && is_white(byte),
            Change::Insert(byte) => outside && is_white(byte),
            Change::Delete => !mask[at] && is_white(text[at]),
        }
    }
}

/// Every change of a byte that is tried, those that are likeliest to be taken for something else first: 9 to other bytes, 7 inserted
/// before it, and its end; then all 255 others.
fn changes(byte: u8) -> Vec<Change> {
    let first = [byte ^ 1, byte ^ 0x20, b'0', b'9', b'"', b'}', b' ', b',', 0].map(Change::Replace);
    let inserted = [b'0', b'1', b'"', b'{', b'}', b' ', byte].map(Change::Insert);
    let likely: Vec<Change> = [Change::Delete].into_iter().chain(first).chain(inserted).collect();
    let others = (0..=255).map(Change::Replace).filter(|change| !likely.contains(change));
    likely.iter().copied().chain(others).collect()
}

/// How the changes of a plan ended.
#[derive(Debug, Default)]
struct Counts {
    stale: u64,
    no_plan: u64,
    white: u64,
}

impl Counts {
    /// Tries one change at one place of a plan's text.
    fn try_one(&mut self, plan: &Plan, bytes: &[u8], mask: &[bool], at: usize, change: Change) {
        let changed = change.made(bytes, at);
        if changed == bytes {
            return;
        }
        let told = || format!("{change:?} at byte {at}, in {:?}", String::from_utf8_lossy(&bytes[at.saturating_sub(30)..(at + 30).min(bytes.len())]));
        match parse(&changed) {
            Ok(taken) => {
                assert!(change.is_white(bytes, mask, at), "taken: {}", told());
                assert!(taken == *plan, "taken as another plan: {}", told());
                self.white += 1;
            }
            Err(Exit::Stale) => self.stale += 1,
            Err(exit) => {
                let json: Option<Json> = serde_json::from_slice(&changed).ok();
                let is_plan = json.is_some_and(|json| json.get("format_version").is_some_and(|version| version == "1.0"));
                assert!(exit == Exit::Error && !is_plan, "{}: {exit:?}", told());
                self.no_plan += 1;
            }
        }
    }
}

#[test]
fn every_changed_byte_of_a_saved_plan_is_refused() {
    // One change of every fifth byte by default; with the variables so many changes of every byte from that one on, where 17 are the likely ones and
    // some 260 all.
    let number = |wanted| usize::try_from(wanted).unwrap();
    let (wanted, skipped) = (number(cases(0)), number(first()));
    for text in texts() {
        let (bytes, plan, mut counts) = (text.as_bytes(), parse(text.as_bytes()).unwrap(), Counts::default());
        let mask = in_strings(bytes);
        for at in (0..bytes.len()).step_by(if wanted == 0 { 5 } else { 1 }) {
            let all = changes(bytes[at]);
            let tried = if wanted == 0 { at % 17..at % 17 + 1 } else { skipped..skipped + wanted };
            for change in all.get(tried.start..tried.end.min(all.len())).unwrap_or_default() {
                counts.try_one(&plan, bytes, &mask, at, *change);
            }
        }
        println!("a plan of {} bytes: {counts:?}", text.len());
        // A single kind of change may never come to one of these: a quote more is never a plan.
        assert!(wanted > 0 || (counts.stale > 0 && counts.no_plan > 0 && counts.white > 0));
    }
}

/// Places behind the brace with which each object begins, that is not empty.
fn objects(text: &str) -> Vec<usize> {
    let mask = in_strings(text.as_bytes());
    let bytes = text.as_bytes();
    (0..bytes.len()).filter(|at| bytes[*at] == b'{' && !mask[*at] && bytes[*at + 1] != b'}').map(|at| at + 1).collect()
}

#[test]
fn unknown_and_repeated_keys_are_refused_in_every_object() {
    for text in texts() {
        let objects = objects(&text);
        for at in &objects {
            let rest = text[*at..].trim_start();
            let first = serde_json::Deserializer::from_str(rest).into_iter::<String>().next().unwrap().unwrap();
            let key = Json::from(first);
            let member_value = rest[key.to_string().len()..].trim_start().trim_start_matches(':');
            let value: Json = serde_json::Deserializer::from_str(member_value).into_iter::<Json>().next().unwrap().unwrap();
            for inserted in ["\"unknown\": 1,".to_owned(), "\"aaa\": null,".to_owned(), format!("{key}: {value},"), format!("{key}: null,")] {
                let changed = format!("{}{inserted}{}", &text[..*at], &text[*at..]);
                assert_eq!(parse(changed.as_bytes()).unwrap_err(), Exit::Stale, "{inserted} at {at}");
            }
        }
        println!("{} objects", objects.len());
        assert!(objects.len() > 5);
    }
}
