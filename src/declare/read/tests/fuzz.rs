//! Whatever the bytes, reading ends, says something, and never panics.

use proptest::prelude::*;

use super::*;

/// Pieces that, put together at random, come near to real files.
const PIECES: &[&str] = &[
    "environment \"staging\" {\n",
    "}\n",
    "provider \"aws\" {\n",
    "region = \"x\"\n",
    "box \"a\" {\n",
    "provider = aws\n",
    "size = ",
    "1",
    " + ",
    "local.a",
    "var.b",
    "\"${",
    "}\"",
    "[",
    "]",
    "{",
    "(",
    ")",
    "for x in ",
    " : ",
    "if ",
    "...",
    "env(\"X\")",
    "file(\"../..\")",
    "sensitive(",
    "<<EOT\n",
    "EOT\n",
    "locals {\n",
    "a = ",
    "variable \"b\" {\n",
    "default = ",
    "type = list(",
    "null",
    "?",
    "*",
    ".",
    "password = \"p\"\n",
    "%{ if true }",
    "%{ endif }",
    "~}",
    "\\",
    "\"",
    "#",
    "/*",
    "hold {\n",
    "until = \"2020-01-01\"\n",
    "depends_on = [box.a]\n",
    "é",
    "\u{0}",
    "\r\n",
    "jsondecode(\"[1]\")",
    "range(99999)",
];

fn read_to_the_end(bytes: &[u8]) {
    let case = Case::new("").file("environments/staging.hcl", bytes);
    let reading = case.with(read).unwrap();
    assert!(reading.desired.is_some() || !reading.problems.is_empty());
    let shown = crate::declare::render(&reading.problems, false);
    assert!(shown.matches("help: ").count() >= reading.problems.len().min(200), "{shown}");
    assert_eq!(crate::declare::to_json(&reading.problems)["diagnostics"].as_array().map(Vec::len), Some(reading.problems.len()));
    let _ = case.with(journal_setting);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_to_the_end(&bytes);
    }

    #[test]
    fn arbitrary_pieces(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        read_to_the_end(pieces.concat().as_bytes());
    }

    #[test]
    fn good_files_with_a_piece_cut_out_or_put_in(at in 0_usize..400, cut in 0_usize..20, piece in proptest::sample::select(PIECES)) {
        let text = format!("{HEAD}locals {{\n  a = [for x in [1, 2] : \"n${{x}}\"]\n}}\nbox \"a\" {{\n  provider = aws\n  size = length(local.a)\n  tags = {{ a = \"b\" }}\n  connect {{\n    user = \"u\"\n    password = <<-EOT\n      ${{env(\"X\")}}\n    EOT\n  }}\n}}\n");
        let start = at.min(text.len());
        let end = (start + cut).min(text.len());
        let mut bytes = text.as_bytes()[..start].to_vec();
        bytes.extend(piece.as_bytes());
        bytes.extend(&text.as_bytes()[end..]);
        read_to_the_end(&bytes);
    }
}
