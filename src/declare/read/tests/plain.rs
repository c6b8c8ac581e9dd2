//! Plain blocks read without the parser are what the parser makes of them: the same declaration, the same mistakes at the same places.

use proptest::prelude::*;

use super::*;

/// Lines of a box: plain blocks and much that is nearly one, or stands where none may.
const LINES: &[&str] = &[
    "  record \"A\" \"a\" { value = \"1\" }\n",
    "  record \"A\" \"a\" { value = \"1\" }\r\n",
    "  record \"A\" \"b\" {\n    value = \"2\"\n  }\n",
    "  record \"A\" \"b\" {\n\n    value   =   \"2\"\n\n  }\n\n",
    "\trecord\t\"\"\t\"b\"\t{\tvalue\t=\t\"\"\t}\t\n",
    "record\"A\"\"b\"{value=\"2\"}\n",
    "  record \"A\" \"a\" { value = true }\n",
    "  record \"A\" \"a\" { value = 12 }\n",
    "  record \"A\" \"a\" { value = 007 }\n",
    "  record \"A\" \"a\" { value = 1e3 }\n",
    "  record \"A\" \"a\" { value = 123456789012 }\n",
    "  record \"A\" \"a\" { value = -1 }\n",
    "  record \"A\" \"a\" { value = null }\n",
    "  record \"A\" \"a\" { value = [\"1\", \"2\"] }\n",
    "  record \"A\" \"a\" { value = [] }\n",
    "  record \"A\" \"a\" { value = \"${1}\" }\n",
    "  record \"A\" \"a\" { value = \"$${1} %%{2}\" }\n",
    "  record \"A\" \"a\" { value = \"a\\\\b\" }\n",
    "  record \"A\" \"a\" { value = \"é\" }\n",
    "  record \"A\" \"a\" { value = local.a }\n",
    "  record \"A\" \"a\" { vlaue = \"1\" }\n",
    "  record \"A\" \"a\" { password = \"1\" }\n",
    "  record \"A\" \"a\" { value = \"1\" value = \"2\" }\n",
    "  record \"A\" \"a\" {\n    value = \"1\"\n    value = \"2\"\n  }\n",
    "  record \"A\" \"a\" { value = \"1\"\n  }\n",
    "  record \"A\" \"a\" {\n    value = \"1\" }\n",
    "  record \"A\" \"a\" {}\n",
    "  record \"A\" \"a\" {\n  }\n",
    "  record \"A\" { value = \"1\" }\n",
    "  check \"t\" { sql = \"1\" }\n",
    "}\nchest \"d\" {\n",
    "  record \"A\" \"a\" \"b\" { value = \"1\" }\n",
    "  record A b { value = \"1\" }\n",
    "  record {}\n",
    "  record = \"1\"\n",
    "  records \"A\" \"a\" { value = \"1\" }\n",
    "  record \"A\" \"a\" { value = \"1\" } # why\n",
    "  record \"A\" \"a\" { value = \"1\" } }\n",
    "  record \"A\" \"a\" { value = \"1\" } record \"A\" \"a\" { value = \"1\" }\n",
    "  /* a */ record \"A\" \"a\" { value = \"1\" }\n",
    "  # record \"A\" \"a\" { value = \"1\" }\n",
    "  /*\n  record \"A\" \"a\" { value = \"1\" }\n",
    "  */\n",
    "  size = 1 +\n",
    "  size = 3\n",
    "  + 2\n",
    "  size = \n",
    "  names = [\n",
    "  ]\n",
    "  tags = {\n",
    "  tags = { a = <<EOT\n",
    "EOT\n",
    "  names = \"${\n",
    "  }\"\n",
    "  connect {\n    user = \"u\"\n    password = \"p\" # p\n",
    "  }\n",
    "}\n",
    "}\nbox \"b\" {\n  provider = aws\n",
    "}\nlocals {\n  a = 1\n",
    "}\nenvironment \"staging\" {\n",
    "}\nbax \"c\" {\n",
    "\n",
    " \r ",
    "\u{b}",
    "\u{0}\n",
    "é\n",
    "\"\n",
    "(\n",
    "record",
];

/// Another kind with plain blocks of its own.
static CHEST: BlockSpec = BlockSpec {
    name: "chest",
    labels: &["name"],
    presence: Presence::Repeated,
    doc: "Another thing for tests.",
    attributes: &[],
    blocks: &[BlockSpec {
        name: "check",
        labels: &["what"],
        presence: Presence::Repeated,
        doc: "A question.",
        attributes: &[AttrSpec::new("sql", AttrType::String, "It.")],
        blocks: &[],
    }],
};

struct ChestKind;

impl KindSchema for ChestKind {
    fn block(&self) -> &'static BlockSpec {
        &CHEST
    }

    fn timeouts(&self) -> &'static [TimeoutSpec] {
        &[]
    }

    fn check(&self, _: &Declared, _: &Desired) -> Vec<Problem> {
        Vec::new()
    }
}

fn same(case: &Case) {
    case.with(|location, inputs| {
        let inputs = Inputs { kinds: &[&BoxKind, &ChestKind], variables: VariableSources::default(), env: inputs.env, now: inputs.now };
        let (cut, whole) = (read(location, &inputs).unwrap(), read_by_the_parser(location, &inputs).unwrap());
        assert_eq!(format!("{cut:#?}"), format!("{whole:#?}"));
    });
}

fn environment(lines: &[&str]) -> String {
    format!("{HEAD}box \"a\" {{\n  provider = aws\n{}}}\n", lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_lines(lines in proptest::collection::vec(proptest::sample::select(LINES), 0..6)) {
        same(&Case::new(&environment(&lines)));
    }

    #[test]
    fn plain_lines_with_one_change(
        lines in proptest::collection::vec(proptest::sample::select(&LINES[..8]), 1..4),
        at in 0_usize..150,
        cut in 0_usize..3,
        piece in "[ -~\t\r\n]{0,2}",
    ) {
        let mut text = environment(&lines);
        let start = at.min(text.len());
        let end = (start + cut).min(text.len());
        text.replace_range(start..end, &piece);
        same(&Case::new(&text));
    }
}

#[test]
fn every_line_between_plain_ones() {
    for line in LINES {
        for around in [LINES[0], LINES[2], "\n"] {
            same(&Case::new(&environment(&[around, line, around])));
            same(&Case::new(&environment(&[line, line])));
            same(&Case::new(&environment(&[around, line, around, around])));
        }
    }
}
