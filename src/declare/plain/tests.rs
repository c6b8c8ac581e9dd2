use super::*;
use crate::declare::parse;
use crate::declare::spec::TimeoutSpec;
use crate::declare::{Declared, Desired};
use crate::model::Problem;

static ZONE: BlockSpec = BlockSpec {
    name: "zone",
    labels: &["name"],
    presence: Presence::Repeated,
    doc: "A zone.",
    attributes: &[],
    blocks: &[
        BlockSpec {
            name: "record",
            labels: &["type", "name"],
            presence: Presence::Repeated,
            doc: "A record.",
            attributes: &[
                AttrSpec::new("value", AttrType::String, "One answer."),
                AttrSpec::new("values", AttrType::StringOrList, "Answers."),
                AttrSpec::new("ttl", AttrType::Int, "Seconds."),
                AttrSpec::new("proxied", AttrType::Bool, "Whether."),
                AttrSpec::new("aws", AttrType::Reference("aws"), "Where."),
            ],
            blocks: &[],
        },
        BlockSpec {
            name: "hidden",
            labels: &["name"],
            presence: Presence::Repeated,
            doc: "Has a secret.",
            attributes: &[AttrSpec::new("token", AttrType::String, "A secret.").secret()],
            blocks: &[],
        },
        BlockSpec { name: "confirm", labels: &[], presence: Presence::Optional, doc: "Once.", attributes: &[], blocks: &[] },
    ],
};

struct Zone;

impl KindSchema for Zone {
    fn block(&self) -> &'static BlockSpec {
        &ZONE
    }

    fn timeouts(&self) -> &'static [TimeoutSpec] {
        &[]
    }

    fn check(&self, _: &Declared, _: &Desired) -> Vec<Problem> {
        Vec::new()
    }
}

fn known() -> Vec<Inner> {
    inner(&[&Zone], &HashSet::from(["token"]))
}

/// The texts of all runs of a file.
fn runs(text: &str) -> Vec<&str> {
    let (_, runs) = parse::without_plain(text, &known()).unwrap_or_else(|_| panic!("{text}"));
    runs.into_iter().map(|run| &text[run]).collect()
}

#[test]
fn only_repeated_blocks_without_secrets_can_be_plain() {
    assert_eq!(known().iter().map(|one| (one.parent, one.spec.name)).collect::<Vec<_>>(), [("zone", "record")]);
}

#[test]
fn blocks_in_the_usual_spelling_are_runs() {
    let one = "record \"A\" \"a.b\" { value = \"192.0.2.1\" }";
    let two = "record \"A\" \"*.b\" {\n    values  = [\"x\", \"y\"]\n\n    ttl     = 300\n    proxied = true\n  }";
    assert_eq!(runs(&format!("zone \"b\" {{\n  {one}\n}}\n")), [one]);
    assert_eq!(runs(&format!("zone \"b\" {{\n\n  {one}\n\n\t{two}\n  x = 1\n  {one}\n}}\n")), [format!("{one}\n\n\t{two}"), one.to_owned()]);
    assert_eq!(runs(&format!("zone \"b\" {{\r\n  {one}\r\n  {one}\r\n}}\r\n")), [format!("{one}\r\n  {one}")]);
    assert_eq!(runs(&format!("zone \"b\" {{\n  {one}\n  # and\n  {one}\n}}\nzone \"c\" {{\n  {one}\n}}\n")).len(), 3);
}

#[test]
fn what_is_not_plain_is_left_to_the_parser() {
    for block in [
        "record \"A\" { value = \"1\" }",
        "record \"A\" \"b\" { value = \"${local.a}\" }",
        "record \"A\" \"b\" { value = \"a\\\"b\" }",
        "record \"A\" \"b\" { value = \"é\" }",
        "record \"A\" \"b\" { value = local.a }",
        "record \"A\" \"b\" { ttl = 0300 }",
        "record \"A\" \"b\" { ttl = 1.5 }",
        "record \"A\" \"b\" { ttl = 1234567890 }",
        "record \"A\" \"b\" { ttl = -1 }",
        "record \"A\" \"b\" { ttl = 1 + 1 }",
        "record \"A\" \"b\" { aws = aws }",
        "record \"A\" \"b\" { vlaue = \"1\" }",
        "record \"A\" \"b\" {\n value = \"1\" # why\n }",
        "record \"A\" \"b\" { value = \"1\" } # why",
        "record \"A\" \"b\" {\n values = [\n \"1\"\n ]\n }",
        "records \"A\" \"b\" { value = \"1\" }",
        "record A b { value = \"1\" }",
        "hidden \"b\" { token = \"1\" }",
        "x = <<EOT\n  record \"A\" \"b\" { value = \"1\" }\n  EOT",
        "x = [\n  record \"A\" \"b\" { value = \"1\" }\n  ]",
        "/*\n  record \"A\" \"b\" { value = \"1\" }\n  */",
        "inner {\n  record \"A\" \"b\" { value = \"1\" }\n  }",
    ] {
        let text = format!("zone \"b\" {{\n  {block}\n}}\n");
        if let Ok((_, runs)) = parse::without_plain(&text, &known()) {
            assert!(runs.is_empty(), "{text}");
        }
    }
    assert!(runs("locals {\n  record \"A\" \"b\" { value = \"1\" }\n}\n").is_empty());
    assert!(runs("record \"A\" \"b\" { value = \"1\" }\n").is_empty());
}

#[test]
fn a_file_that_is_wrong_elsewhere_is_wrong_at_the_same_place() {
    let text = "zone \"b\" {\n  record \"A\" \"b\" { value = \"1\" }\n  x = 'y'\n}\n";
    let whole = parse::body(text).map(drop).unwrap_err();
    let cut = parse::without_plain(text, &known()).map(drop).unwrap_err();
    assert_eq!(format!("{whole:?}"), format!("{cut:?}"));
}

#[test]
fn blocks_of_a_run_have_their_places() {
    let text = "zone \"b\" {\n  record \"A\" \"a.b\" { value = \"1\" }\n  record \"A\" \"b\" {\n    ttl = 5\n  }\n}\n";
    let (_, runs) = parse::without_plain(text, &known()).unwrap();
    let blocks: Vec<Plain> = blocks(text, &runs[0], known()[0].spec).collect();
    let place = |range: &Range<usize>| text[range.clone()].to_owned();
    let shown: Vec<_> = blocks.iter().map(|one| (place(&one.header), place(&one.labels[1].1), place(&one.attributes[0].place))).collect();
    assert_eq!(
        shown,
        [
            ("record \"A\" \"a.b\"".to_owned(), "\"a.b\"".to_owned(), "\"1\"".to_owned()),
            ("record \"A\" \"b\"".to_owned(), "\"b\"".to_owned(), "5".to_owned())
        ]
    );
}
