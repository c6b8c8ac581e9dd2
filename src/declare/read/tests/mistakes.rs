//! Mistakes: each with its place and a help line, all in one go.

use super::*;

/// A file with one box whose lines from the sixth on are `body`.
fn boxed(body: &str) -> String {
    format!("{HEAD}box \"a\" {{\n  provider = aws\n  connect {{ user = \"u\" }}\n{body}\n}}\n")
}

#[test]
fn all_mistakes_are_shown_at_once_in_order_of_place() {
    let text = r#"environment "staging" {
  colour  = "red"
  notify  = [slack.nobody]
  protect = []
}
provider "aws" { reigon = "x" }
box "a" {
  provider = aws.nowhere
  size     = "large"
  max_age  = "soon"
  tags     = var.nope
  record "A" { value = "1" }
  timeouts { restor = "4h" }
}
boks "b" {}
box "a" { provider = aws }
"#;
    assert_eq!(
        Case::new(text).problems(),
        [
            "2:3 unknown attribute `colour`",
            "3:14 reference to `slack.nobody`, which is not declared",
            "4:13 `protect = []` protects nothing",
            "6:18 unknown attribute `reigon`",
            "8:14 reference to `aws.nowhere`, which is not declared",
            "9:14 wrong type for `size`: `large` is not a number",
            "10:14 wrong type for `max_age`: `soon` is not a duration such as \"90s\", \"15m\", \"4h\" or \"31d\"",
            "11:14 unknown variable `nope`",
            "12:3 a label is missing on `record`",
            "13:14 unknown timeout `restor`",
            "15:1 unknown block `boks`",
            "16:5 duplicate resource `box.a`",
        ]
    );
    let shown = crate::declare::render(&Case::new(text).read().problems, false);
    assert!(shown.contains("= help: did you mean `region`?"), "{shown}");
    assert_eq!(shown.matches("= help: ").count(), 12, "{shown}");
}

#[test]
fn single_mistakes() {
    for (body, expected) in [
        ("  size = 0", "8:10 bad value for `size`: must not be 0"),
        ("  schedule = \"monthly\"\n  max_age = \"1d\"", "8:14 both `schedule` and `max_age`"),
        ("  hold { until = \"2026-11-20\" }", "8:18 the hold has expired (2026-11-20 23:59 UTC)"),
        ("  hold = true\n  hold {}", "9:3 `hold` is there as a block and as an attribute"),
        ("  depends_on = [box.a]", "5:1 resources depend on one another in a circle: box.a → box.a"),
        ("  depends_on = [box.b]", "8:17 reference to `box.b`, which is not declared"),
        ("  depends_on = box.a", "8:16 wrong type for `depends_on`: one reference where a list of references is needed"),
        ("  size = env(\"NOPE\")", "8:14 environment variable `NOPE` is not set"),
        ("  size = sensitive(1)", "8:10 `size` cannot be made of a secret"),
        ("  size = 1 / 0", "8:10 division by zero"),
        ("  size = aws", "8:10 wrong type for `size`: `aws` is a reference, not a value"),
        ("  names = file(\"../../x\")", "8:11 `../../x` leaves the environment's folder tree"),
        ("  connect = 1", "8:3 `connect` is a block, not an attribute"),
        ("  size {}", "8:3 `size` is an attribute, not a block"),
        ("  connect { user = \"v\" }", "8:3 duplicate block `connect`"),
        ("  record \"A\" \"x\" {}", "8:3 the attribute `value` is missing in `record`"),
        ("  tags = { a = 1 }\n  tags = {}", "9:3 syntax error: invalid attribute; expected unique attribute key; found redefined attribute"),
        ("  timeouts { restore = \"0s\" }", "8:24 the timeout `restore` must be longer than nothing"),
    ] {
        assert_eq!(Case::new(&boxed(body)).problems(), [expected], "{body}");
    }
}

#[test]
fn mistakes_around_the_resources() {
    for (text, expected) in [
        ("", " there is no `environment` block for `staging`"),
        ("environment \"production\" {}\n", "1:13 the environment `production` stands where `staging` is expected"),
        ("environment \"staging\" {}\nenvironment \"staging\" {}\n", "2:1 duplicate block `environment`"),
        ("environment \"staging\" {}\nprovider \"awz\" {}\n", "2:10 unknown provider type `awz`"),
        ("environment \"staging\" {}\nprovider \"aws\" {}\n", "2:1 the attribute `region` is missing in `aws`"),
        ("environment \"staging\" {}\nvariable \"x\" {}\n", "2:10 variable `x` is not set"),
        (
            "environment \"staging\" {}\nlocals {\n  a = local.b\n  b = local.a\n}\n",
            "3:3 locals refer to one another in a circle: local.a → local.b → local.a",
        ),
        ("environment \"staging\" {}\nlocals {\n  a = nope(1)\n}\n", "3:7 unknown function `nope`"),
        ("environment \"staging\" {}\nlocals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n", "6:3 duplicate local `a`"),
        ("environment \"staging\" {}\nvariable \"x\" {\n  type = number\n  default = \"a\"\n}\n", "4:13 `a` is not a number"),
        ("environment \"staging\" {}\nprovider \"cloudflare\" {\n  plan = \"free\"\n  max_batch = 3\n}\n", "4:3 both `plan` and `max_batch`"),
        (
            "environment \"staging\" {}\nprovider \"elasticsearch\" {\n  url = \"http://h\"\n  username = \"u\"\n}\n",
            "4:3 a user without a password, or the other way round",
        ),
        ("environment \"staging\" { protect = [\"\"] }\n", "1:35 bad value for `protect`: an empty word would protect everything"),
        ("x = 1\nenvironment \"staging\" {}\n", "1:1 attribute `x` outside of any block"),
    ] {
        assert_eq!(Case::new(text).problems(), [expected], "{text}");
    }
    assert_eq!(Case::new("environment \"staging\" {\n  protect = []\n  allow_protected = true\n}\n").desired().protect, Vec::<String>::new());
    assert_eq!(Case::new(HEAD).var("nope", "1").problems(), [" --var nope: there is no variable `nope`"]);
}

#[test]
fn templates_cannot_lead_back_to_themselves() {
    let case = Case::new(&boxed("  names = templatefile(\"t.tpl\", {})")).file("environments/t.tpl", b"${templatefile(\"t.tpl\", {})}");
    let problems = case.problems();
    assert!(problems.len() == 1 && problems[0].contains("calls itself through templatefile"), "{problems:?}");
    // Files that lead from one to the next, each near to the deepest that can be parsed.
    let inner = |n: usize| format!("{}templatefile(\"t{}.tpl\", {{}}){}", "[".repeat(50), n + 1, "][0]".repeat(50));
    let mut chain = Case::new(&boxed("  names = templatefile(\"t0.tpl\", {})"));
    for n in 0..12 {
        chain = chain.file(&format!("environments/t{n}.tpl"), format!("${{{}}}", inner(n)).as_bytes());
    }
    assert_eq!(chain.problems().len(), 1);
    let sealed = Case::new(&boxed("  names = templatefile(\"t.tpl\", {})")).file("environments/t.tpl", b"${var.x}");
    assert!(sealed.problems()[0].starts_with("environments/t.tpl:1:3"), "{:?}", sealed.problems());
}

#[test]
fn a_syntax_error_hides_only_what_may_follow_from_it() {
    let case = Case::new("")
        .file("environments/two/a.hcl", b"environment \"two\" {\n")
        .file("environments/two/b.hcl", b"locals {\n  x = var.unknown\n  y = 1 / 0\n}\n");
    let reading = case.with(|_, inputs| read(&locate(case.dir.path(), "two").unwrap(), inputs)).unwrap();
    let summaries: Vec<&str> = reading.problems.iter().map(|problem| problem.summary.as_str()).collect();
    assert_eq!(summaries.len(), 2, "{summaries:?}");
    assert!(summaries[0].starts_with("syntax error") && summaries[1] == "division by zero");
}

#[test]
fn what_follows_from_a_mistake_is_not_said() {
    // The misspelt block leaves the box empty, which the kind would complain about.
    let text = format!("{HEAD}box \"a\" {{\n  provider = aws\n  conect {{ user = \"u\" }}\n}}\n");
    assert_eq!(Case::new(&text).problems(), ["7:3 unknown block `conect`"]);
    let text = format!(
        "{HEAD}locals {{ a = 1 / 0 }}\nbox \"a\" {{\n  provider = aws\n  size = local.a\n  names = \"${{local.a}}\"\n  connect {{ user = \"u\" }}\n}}\n"
    );
    assert_eq!(Case::new(&text).problems(), ["5:14 division by zero"]);
}

#[test]
fn files_that_are_no_text_or_too_deep_have_their_place() {
    let case = Case::new("").file("environments/staging.hcl", b"environment \"staging\" {}\n# \xff\n");
    assert_eq!(case.problems(), ["2:3 the file is not UTF-8 text"]);
    let deep = format!("x = {}", "[".repeat(10_000));
    let problems = Case::new(&deep).problems();
    assert!(problems.len() == 1 && problems[0].contains("nested more than"), "{problems:?}");
}

#[test]
fn a_long_chain_of_locals_takes_no_stack() {
    let chain: String = (0..20_000).map(|n| format!("  l{n} = local.l{}\n", n + 1)).collect::<Vec<_>>().concat();
    let text = format!("environment \"staging\" {{}}\nlocals {{\n{chain}  l20000 = 1 / 0\n}}\n");
    assert_eq!(Case::new(&text).problems().len(), 1);
    let nested: String = (0..300).map(|n| format!("  l{} = [local.l{n}]\n", n + 1)).collect::<Vec<_>>().concat();
    let problems = Case::new(&format!("environment \"staging\" {{}}\nlocals {{\n  l0 = 1\n{nested}}}\n")).problems();
    assert!(problems[0].contains("nested more than 100 levels"), "{problems:?}");
}
