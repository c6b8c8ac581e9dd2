//! Every class of mistake that `validate` finds: its place, its excerpt, a help line; all of them at once, and as data.

use super::bench::{Bench, Said};

/// Stands before every case, in six lines.
const BEFORE: &str = "\
environment \"e\" {}
provider \"aws\" { region = \"us-east-1\" }
provider \"cloudflare\" { api_token = env(\"TOKEN\") }

# the case begins below

";

fn validate(case: &str) -> Said {
    Bench::new("e", &format!("{BEFORE}{case}\n"), "").run(&["validate", "e"])
}

/// The mistake must be said at LINE:COLUMN (of the case, its lines counted from 1), with these words, its line as excerpt, and a help line.
#[track_caller]
fn mistake(case: &str, place: &str, words: &str) {
    let (line, column) = place.split_once(':').unwrap();
    let line: usize = line.parse().unwrap();
    let said = validate(case).exits(1);
    let at = format!("environments/e.hcl:{}:{column}\n", line + 6);
    let excerpt = case.lines().nth(line - 1).unwrap().trim();
    for wanted in [words, &at, excerpt, "help: "] {
        assert!(said.err.contains(wanted), "no {wanted:?} for:\n{case}\n{}", said.err);
    }
    assert_eq!(said.err.matches("error: ").count(), 1, "one mistake, one error:\n{}", said.err);
}

fn record(line: &str) -> String {
    format!("dns_zone \"example.org\" {{\n{line}\n}}")
}

fn database(lines: &str) -> String {
    format!("database \"dev-db\" {{\n{lines}\n}}")
}

#[test]
fn unknown_blocks_and_attributes_with_the_nearest_name() {
    mistake("databse \"x\" {}", "1:1", "did you mean `database`?");
    mistake(&database("  instnace_class = \"db.m5.large\""), "2:3", "did you mean `instance_class`?");
    mistake(&database("  refersh {\n  }"), "2:3", "did you mean `refresh`?");
    mistake("provider \"cloudfare\" {}", "1:10", "did you mean `cloudflare`?");
}

#[test]
fn wrong_types_and_missing_things() {
    mistake(&database("  allocated_storage = \"much\""), "2:23", "wrong type for `allocated_storage`");
    mistake(&database("  multi_az = [true]"), "2:14", "wrong type for `multi_az`");
    mistake("provider \"aws\" \"hk\" {}", "1:1", "`region` is missing");
    mistake(&database("  refresh {\n    schedule = \"daily\"\n  }"), "2:3", "`snapshot_of` is missing");
    mistake("database {}", "1:1", "a label is missing");
}

#[test]
fn duplicates() {
    mistake("database \"a-db\" {}\ndatabase \"a-db\" {}", "2:10", "duplicate resource `database.a-db`");
    let twice = "  record \"A\" \"www.example.org\" { value = \"192.0.2.1\" }\n  record \"A\" \"WWW.example.org.\" { value = \"192.0.2.2\" }";
    mistake(&record(twice), "3:14", "duplicate record A www.example.org");
    let broken = validate(&record(&twice.replace("192.0.2.1", "192.0.2.256"))).exits(1);
    broken.says("is not an IPv4 address").says("duplicate record A www.example.org");
}

#[test]
fn records_that_cannot_be() {
    let one = |line: &str, column: usize, words: &str| mistake(&record(line), &format!("2:{column}"), words);
    one("  record \"A\" \"www.example.com\" { value = \"192.0.2.1\" }", 14, "lies outside of its zone");
    one("  record \"A\" \"badexample.org\" { value = \"192.0.2.1\" }", 14, "lies outside of its zone");
    one("  record \"A\" \"a.example.org\" { value = \"192.0.2.256\" }", 40, "is not an IPv4 address");
    one("  record \"A\" \"a.example.org\" { value = \"2001:db8::1\" }", 40, "use AAAA");
    one("  record \"AAAA\" \"a.example.org\" { value = \"192.0.2.1\" }", 43, "use A");
    one("  record \"TXT\" \"a.example.org\" { ttl = 60 }", 3, "has no answers");
    one("  record \"SPF\" \"a.example.org\" { value = \"x\" }", 10, "is not a record type");
    let beside = "  record \"TXT\" \"a.example.org\" { value = \"x\" }\n  record \"CNAME\" \"a.example.org\" { value = \"b.example.org\" }";
    mistake(&record(beside), "2:10", "beside a CNAME");
    let proxied = "  record \"MX\" \"a.example.org\" {\n    value   = \"10 mail.example.org\"\n    proxied = true\n  }";
    mistake(&record(proxied), "4:15", "cannot be proxied");
    for (ttl, column) in [("0", 11), ("59", 11), ("86401", 11), ("-1", 11)] {
        let case = format!("  record \"A\" \"a.example.org\" {{\n    value = \"192.0.2.1\"\n    ttl   = {ttl}\n  }}");
        mistake(&record(&case), &format!("4:{}", column + 2), "must be 1 (automatic), or 60 to 86,400");
    }
}

#[test]
fn bad_durations_and_schedules() {
    let refresh = |line: &str| database(&format!("  refresh {{\n    snapshot_of = \"main-db\"\n    {line}\n  }}"));
    mistake(&refresh("max_age = \"31 days\""), "4:15", "is not a duration");
    mistake(&refresh("schedule = \"fortnightly\""), "4:16", "is not a schedule");
    mistake(&refresh("schedule = \"0 25 * * *\""), "4:16", "is not a schedule");
    mistake(&refresh("schedule = \"daily\"\n    max_age = \"31d\""), "5:5", "both `schedule` and `max_age`");
    mistake(&refresh("schedule = \"daily\"\n    timezone = \"Mars/Olympus\""), "5:16", "is not a time zone");
    mistake(&database("  timeouts { restore = \"soon\" }"), "2:24", "is not a duration");
}

#[test]
fn references_to_nothing_and_circles() {
    mistake(&database("  depends_on = [database.other]"), "2:17", "reference to `database.other`, which is not declared");
    mistake(&database("  provider = aws.sydney"), "2:14", "reference to `aws.sydney`, which is not declared");
    let circle = "database \"a-db\" { depends_on = [database.b-db] }\ndatabase \"b-db\" { depends_on = [database.a-db] }";
    mistake(circle, "1:1", "database.a-db → database.b-db → database.a-db");
    mistake("locals {\n  a = local.b\n  b = local.a\n}", "2:3", "local.a → local.b → local.a");
}

#[test]
fn what_the_environment_protects() {
    mistake("database \"prod-db\" {}", "1:10", "the environment protects `prod`");
    mistake("database \"my-pr0d-db\" {}", "1:10", "the environment protects `prod`");
    let refresh = "  refresh {\n    snapshot_of = \"prod-db\"\n    schedule = \"daily\"\n    old_name = \"x-prod\"\n  }";
    mistake(&database(refresh), "5:16", "the environment protects `prod`");
    let bench = Bench::new("e", "environment \"e\" {\n  protect = []\n}\n", "");
    bench.run(&["validate"]).exits(1).says("environments/e.hcl:2:13").says("allow_protected = true");
    bench.write("environments/e.hcl", "environment \"e\" {\n  protect = []\n  allow_protected = true\n}\n");
    bench.run(&["validate"]).exits(0);
}

#[test]
fn holds_that_have_expired_judged_by_the_worlds_clock() {
    let bench = Bench::openverse();
    bench.edit("environments/staging.hcl", "  provider = aws\n", "  provider = aws\n  hold {\n    until = \"2026-11-04\"\n  }\n");
    bench.run(&["validate"]).exits(1).says("environments/staging.hcl:22:13").says("the hold has expired (2026-11-04").says("help: ");
    bench.run(&["plan", "staging"]).exits(1).says("the hold has expired");
    bench.edit("environments/staging.hcl", "2026-11-04", "2026-11-05");
    bench.run(&["validate"]).exits(0);
}

#[test]
fn variables_environment_variables_and_files() {
    mistake("variable \"size\" { type = string }", "1:10", "variable `size` is not set");
    mistake(&database("  instance_class = var.size"), "2:20", "unknown variable `size`");
    mistake(&database("  instance_class = env(\"SIZE\")"), "2:24", "environment variable `SIZE` is not set");
    mistake(&database("  instance_class = file(\"../../etc/passwd\")"), "2:20", "leaves the environment's folder tree");
    mistake(&database("  instance_class = file(\"/etc/passwd\")"), "2:20", "leaves the environment's folder tree");
    mistake(&database("  instance_class = file(\"none.txt\")"), "2:20", "cannot read `none.txt`");
    let bench = Bench::new("e", &format!("{BEFORE}locals {{ x = templatefile(\"a.tpl\", {{}}) }}\n"), "");
    bench.write("environments/a.tpl", "${templatefile(\"a.tpl\", {})}");
    bench.run(&["validate"]).exits(1).says("environments/a.tpl:1:3").says("calls itself");
}

#[test]
fn all_mistakes_are_said_at_once_with_those_of_other_files() {
    let bench = Bench::new("e", &format!("{BEFORE}database \"prod-db\" {{\n  multy_az = 1\n  port = \"x\"\n}}\n"), "");
    bench.write("environments/f/main.hcl", "environment \"f\" {\n  protekt = 1\n}\n");
    bench.write("environments/f/more.hcl", "database \"x\" { depends_on = [database.y] }\n");
    let said = bench.run(&["validate"]).exits(1);
    for place in ["e.hcl:7:10", "e.hcl:8:3", "e.hcl:9:10", "f/main.hcl:2:3", "f/more.hcl:1:30"] {
        assert!(said.err.contains(&format!("environments/{place}\n")), "no {place} in:\n{}", said.err);
    }
}

#[test]
fn as_data_in_the_shape_of_terraform() {
    let bench = Bench::new("e", &format!("{BEFORE}database \"dev-db\" {{\n  prot = 1\n}}\n"), "");
    let json = bench.run(&["validate", "e", "--json"]).exits(1).json();
    assert_eq!((&json["valid"], &json["error_count"], &json["warning_count"]), (&false.into(), &1.into(), &0.into()));
    let one = &json["diagnostics"][0];
    assert_eq!((one["severity"].as_str(), one["detail"].as_str()), (Some("error"), Some("did you mean `port`?")));
    assert_eq!(one["range"]["filename"], "environments/e.hcl");
    assert_eq!((&one["range"]["start"]["line"], &one["range"]["start"]["column"]), (&8.into(), &3.into()));
    assert_eq!(one["snippet"]["code"], "  prot = 1");
    bench.edit("environments/e.hcl", "prot = 1", "port = 5432");
    let json = bench.run(&["validate", "e", "--json"]).exits(0).json();
    assert_eq!((&json["valid"], json["diagnostics"].as_array().map(Vec::len)), (&true.into(), Some(0)));
}

#[test]
fn syntax_errors_say_what_was_probably_meant() {
    for (case, help) in [
        ("locals {\n  a = \"open\n}", "a quote is not closed"),
        ("locals {\n  a = \"%{ if true }x\"\n}", "a template directive is not closed"),
        ("locals {\n  a = 'x'\n}", "text stands in double quotes"),
        ("locals {\n  a = 1\n  a = 2\n}", "the attribute stands twice"),
        ("locals {", "ends too early"),
        ("locals {\n  a = <<EOT\n  x\n}", "alone on a line"),
        ("database \"x\" { port = 1, multi_az = true }", "put each on a line of its own"),
    ] {
        validate(case).exits(1).says("syntax error").says(help).says("environments/e.hcl:");
    }
}
