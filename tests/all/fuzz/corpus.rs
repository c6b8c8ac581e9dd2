//! The corpus in the repository, and mutations of it that depend on a number alone.

use std::fs;
use std::path::Path;

/// An input larger than this is cut: what is large is `huge`'s.
const INPUT_BYTES_MAX: usize = 64 << 10;

/// Pieces that mean something to one of the formats.
const PIECES: &[&str] = &[
    "\u{1b}[31m",
    "\u{202e}",
    "\u{0}",
    "\r\n",
    "\"",
    "\\",
    "${",
    "%{",
    "}",
    "{",
    "[",
    "]",
    "(",
    ")",
    ",",
    ":",
    "=",
    "null",
    "true",
    "-1",
    "0",
    "1e309",
    "9223372036854775807",
    "18446744073709551616",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0s",
    "99999999999h",
    "* * * * *",
    "*/0 * * * *",
    "prod",
    "é",
    "xn--",
    "..",
    "/",
    "\u{feff}",
    "\n\n",
    "<<EOT\n",
    "&a *a",
    "env(\"X\")",
    "sensitive(\"x\")",
];

/// What else a target begins with: files that are in the repository for another reason, read where they are.
pub const IN_PLACE: &[(&str, &[&str])] = &[
    ("hcl", &["examples/gigadb/environments/gigadb.hcl", "examples/openverse/environments/staging.hcl", "tests/all/language/everything.hcl"]),
    ("sql", &["examples/openverse/sql/anonymise.sql"]),
];

/// Path, from the root of the repository, and bytes of each file.
pub fn entries(target: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = format!("tests/fuzz/corpus/{target}");
    let own = fs::read_dir(root.join(&folder)).into_iter().flatten();
    let mut paths: Vec<String> = own.map(|file| format!("{folder}/{}", file.unwrap().file_name().to_string_lossy())).collect();
    paths.sort();
    let others = IN_PLACE.iter().filter(|(name, _)| *name == target).flat_map(|(_, paths)| *paths);
    paths.extend(others.map(|path| (*path).to_owned()));
    paths.into_iter().map(|path| (path.clone(), fs::read(root.join(path)).unwrap())).collect()
}

/// One entry, changed in one to six places.
pub fn mutated(entries: &[(String, Vec<u8>)], case: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(case);
    let any = |random: &mut fastrand::Rng| &entries[random.usize(..entries.len())].1;
    let mut bytes = any(&mut random).clone();
    for _ in 0..random.usize(1..=6) {
        let start = random.usize(..=bytes.len());
        let end = bytes.len().min(start + random.usize(..40));
        match random.u8(..6) {
            0 if start < bytes.len() => bytes[start] ^= 1 << random.u8(..8),
            1 => drop(bytes.drain(start..end)),
            2 => bytes.splice(start..start, bytes[start..end].to_vec()).for_each(drop),
            3 => bytes.splice(start..end, PIECES[random.usize(..PIECES.len())].bytes()).for_each(drop),
            4 => {
                let other = any(&mut random);
                let from = random.usize(..=other.len());
                let to = other.len().min(from + random.usize(..200));
                bytes.splice(start..end, other[from..to].iter().copied()).for_each(drop);
            }
            _ => bytes.insert(start, random.u8(..)),
        }
    }
    bytes.truncate(INPUT_BYTES_MAX);
    bytes
}
