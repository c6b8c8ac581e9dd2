//! Planted secrets, the forms in which they could come out again, and the search for them in everything that was written.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use crate::cli::bench::{Bench, Said};

/// Secrets that stand nowhere else. They hold what URLs, JSON, HTML and shells give a meaning to.
pub const TOKEN: &str = "cnry-token-J4kQ/x+w=Zt8&Vb2\"nM6";
/// The password of a database.
pub const PASSWORD: &str = "cnry-pw:G7h@L9%p/R3\\s<5>Yd'1K";
/// The path of a webhook.
pub const HOOK: &str = "cnry-hook-T8uN5cX2mB7vA4qE";
/// A variable's value.
pub const WORD: &str = "cnry-word-F6rD1wS9zK3jH8gP";

/// All of them.
pub const ALL: [&str; 4] = [TOKEN, PASSWORD, HOOK, WORD];

/// A part of this many characters gives a secret away: the name that each begins with is shorter.
const PART: usize = 14;

/// The forms of one secret, made here in other ways than the program makes them.
pub fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut forms = vec![secret.to_owned(), json[1..json.len() - 1].to_owned(), url.replace('+', "%20"), url.to_lowercase(), format!("{secret:?}")];
    forms.extend(["", "u:", "me:"].map(|before| middle(&base64(format!("{before}{secret}").as_bytes()), before.len())));
    forms.push(secret.bytes().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect());
    forms.push(secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;"));
    forms
}

/// An answer of a service that gives a secret back in every form.
pub fn echo(secret: &str) -> String {
    format!("bad credential {}", forms(secret).join(" , "))
}

/// Of what was encoded with something before it the part that comes of the secret alone.
fn middle(encoded: &str, before: usize) -> String {
    let end = encoded.trim_end_matches('=').len();
    encoded[(before * 8).div_ceil(6)..end - 1].to_owned()
}

pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_usize, |group, byte| group << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            text.push(if at <= chunk.len() { char::from(ALPHABET[group >> (18 - 6 * at) & 63]) } else { '=' });
        }
    }
    text
}

/// Every part of every form that would give a secret away, and the beginnings of all of them.
struct Parts {
    parts: HashSet<Vec<u8>>,
    beginnings: Vec<bool>,
}

static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let all: HashSet<Vec<u8>> =
        ALL.iter().flat_map(|secret| forms(secret)).flat_map(|form| form.as_bytes().windows(PART).map(<[u8]>::to_vec).collect::<Vec<_>>()).collect();
    let mut beginnings = vec![false; 1 << 16];
    for part in &all {
        beginnings[beginning(part)] = true;
    }
    Parts { parts: all, beginnings }
});

fn beginning(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// Insists that a text holds no secret, no form of one and no long part of one.
#[track_caller]
pub fn none_in(place: &str, text: &str) {
    for part in text.as_bytes().windows(PART) {
        if PARTS.beginnings[beginning(part)] {
            assert!(!PARTS.parts.contains(part), "{place} holds {:?}:\n{text}", String::from_utf8_lossy(part));
        }
    }
}

/// The same of what a command said.
#[track_caller]
pub fn none_said(args: &[&str], said: &Said) {
    none_in(&format!("stdout of {args:?}"), &said.out);
    none_in(&format!("stderr of {args:?}"), &said.err);
}

/// The same of every file below the root, names included. What was planted there by hand is left out: files of these names, and the faults of a world.
#[track_caller]
pub fn none_on_disk(bench: &Bench, planted: &[&str]) -> usize {
    let root = bench.path("");
    let mut looked_at = 0;
    walk(&root, &mut |path| {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        none_in("a file's name", &name);
        if planted.contains(&name.as_str()) {
            return;
        }
        let bytes = fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        none_in(&name, &if name == "world.json" { without_faults(&text) } else { text });
        looked_at += 1;
    });
    looked_at
}

fn without_faults(world: &str) -> String {
    let mut world: serde_json::Value = serde_json::from_str(world).unwrap();
    world["faults"] = serde_json::Value::Null;
    format!("{world:#}")
}

pub fn walk(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, each) } else { each(&path) }
    }
}

#[test]
fn the_search_finds_what_it_should() {
    for secret in ALL {
        assert!(base64(b"Man").starts_with("TWFu") && base64(b"M") == "TQ==");
        for form in forms(secret) {
            assert!(std::panic::catch_unwind(|| none_in("x", &format!("<{form}>"))).is_err(), "{form}");
        }
        let half: String = secret.chars().take(PART).collect();
        assert!(std::panic::catch_unwind(|| none_in("x", &half)).is_err());
    }
    none_in("x", "cnry-token- cnry-pw: cnry-hook cnry-word");
}
