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

/// Name and bytes of each file, in the order of their names.
pub fn entries(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let Ok(files) = fs::read_dir(&folder) else { return Vec::new() };
    let mut entries: Vec<(String, Vec<u8>)> = files
        .map(|file| file.unwrap().path())
        .map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    entries.sort();
    entries
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
