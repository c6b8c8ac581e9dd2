//! Variables and their precedence, expressions, secrets, and environments of several files.

use super::bench::Bench;

const PROVIDERS: &str = "provider \"aws\" { region = \"us-east-1\" }\nprovider \"cloudflare\" { api_token = env(\"CLOUDFLARE_API_TOKEN\") }\n";

/// The example, not due, with its class from a variable.
fn with_variable() -> Bench {
    let bench = Bench::openverse();
    bench.edit("world.json", "2026-10-02T00:40:00Z", "2026-11-03T00:00:00Z");
    bench.edit("environments/staging.hcl", "instance_class       = \"db.m5.xlarge\"", "instance_class = var.class");
    let hcl = bench.read("environments/staging.hcl");
    bench.write("environments/staging.hcl", &format!("variable \"class\" {{\n  type    = string\n  default = \"db.default\"\n}}\n{hcl}"));
    bench
}

#[track_caller]
fn class(bench: &Bench, args: &[&str]) -> String {
    let plan = bench.run(&[&["plan", "staging", "--json"], args].concat()).exits(0).json();
    plan["resource_changes"][0]["change"]["after"]["instance_class"].as_str().unwrap().to_owned()
}

#[test]
fn a_flag_is_stronger_than_a_file_a_file_than_the_environment_and_that_than_the_default() {
    let bench = with_variable();
    assert_eq!(class(&bench, &[]), "db.default");
    let bench = bench.variable("SWITCHOVER_VAR_class", "db.environment");
    assert_eq!(class(&bench, &[]), "db.environment");
    bench.write("vars.hcl", "class = \"db.file\"\n");
    bench.write("vars.json", "{ \"class\": \"db.json\" }");
    assert_eq!(class(&bench, &["--var-file", "vars.hcl"]), "db.file");
    assert_eq!(class(&bench, &["--var-file", "vars.hcl", "--var-file", "vars.json"]), "db.json");
    assert_eq!(class(&bench, &["--var", "class=db.flag", "--var-file", "vars.hcl"]), "db.flag");
    bench.run(&["plan", "staging", "--var", "klass=x"]).exits(1).says("there is no variable `klass`").says("did you mean `class`?");
}

#[test]
fn values_of_variables_have_their_types() {
    let hcl = format!("environment \"e\" {{}}\n{PROVIDERS}variable \"port\" {{ type = number }}\ndatabase \"dev-db\" {{ port = var.port }}\n");
    let bench = Bench::new("e", &hcl, "");
    bench.run(&["validate", "--var", "port=5432"]).exits(0);
    bench.run(&["validate", "--var", "port=many"]).exits(1).says("`many` is not a number").says("help: ");
    bench.run(&["validate"]).exits(1).says("variable `port` is not set").says("SWITCHOVER_VAR_port");
}

#[test]
fn references_may_be_chosen_by_a_condition_and_both_branches_must_be_there() {
    let bench = Bench::gigadb();
    bench.edit("environments/gigadb.hcl", "aws.hk : aws.sydney", "aws.hk : aws.sidney");
    bench.run(&["validate"]).exits(1).says("reference to `aws.sidney`, which is not declared").says("did you mean `aws.sydney`?");
    let sets = format!(
        "environment \"e\" {{}}\n{PROVIDERS}variable \"names\" {{\n  type    = set(string)\n  default = [\"b\", \"a\", \"b\"]\n}}\ndatabase \"dev-db\" {{\n  instance_class = join(\"-\", [for name in var.names : upper(name)])\n  depends_on = [aws]\n}}\n"
    );
    Bench::new("e", &sets, "").run(&["validate"]).exits(1).says("`aws` is a provider, not a resource");
}

#[test]
fn files_stay_within_the_folder_and_templates_get_what_they_are_given() {
    let hcl = format!(
        "environment \"e\" {{}}\n{PROVIDERS}dns_zone \"example.org\" {{\n  record \"TXT\" \"a.example.org\" {{ value = templatefile(\"t.tpl\", {{ names = [\"x\", \"y\"] }}) }}\n}}\n"
    );
    let bench = Bench::new("e", &hcl, "");
    bench.write("environments/t.tpl", "%{ for name in names ~}${name};%{ endfor ~}");
    bench.run(&["validate"]).exits(0);
    bench.write("environments/t.tpl", "${var.secret}");
    bench.run(&["validate"]).exits(1).says("environments/t.tpl:1:").says("templatefile's second argument");
}

#[test]
fn a_folder_is_one_environment_and_a_place_names_its_file() {
    let bench = Bench::new("other", "environment \"other\" {}\n", "");
    bench.write("environments/e/a.hcl", "environment \"e\" {}\nlocals { class = \"db.m5.large\" }\n");
    bench.write("environments/e/b.hcl", &format!("{PROVIDERS}database \"dev-db\" {{ instance_class = local.class }}\n"));
    bench.write("environments/e/ignored.txt", "not HCL {");
    bench.run(&["validate"]).exits(0).says("e").says("other");
    bench.write("environments/e/b.hcl", &format!("{PROVIDERS}database \"dev-db\" {{ instance_class = local.clas }}\n"));
    bench.run(&["validate", "e"]).exits(1).says("environments/e/b.hcl:3:38").says("did you mean `class`?");
}

#[test]
fn secrets_need_not_be_set_to_plan_and_never_appear() {
    let bench = Bench::openverse();
    bench.edit("environments/staging.hcl", "env(\"SLACK_WEBHOOK_URL\")", "\"https://hooks.example.org/planted-hook\"");
    bench.edit("environments/staging.hcl", "env(\"STAGING_DB_PASSWORD\")", "\"${var.prefix}-${env(\"STAGING_DB_PASSWORD\")}\"");
    let hcl = bench.read("environments/staging.hcl");
    let variable = "variable \"prefix\" {\n  sensitive = true\n  default   = \"planted-default\"\n}\n";
    bench.write("environments/staging.hcl", &format!("{hcl}{variable}"));
    let bench = bench.variable("STAGING_DB_PASSWORD", "planted-password");
    bench.run(&["validate"]).exits(0).says("a literal secret").says("a sensitive variable with its value in the file").never_says("planted");
    bench.run(&["plan", "staging", "--out", "plan.json"]).exits(0).never_says("planted");
    let plan = bench.read("plan.json");
    assert!(!plan.contains("planted"), "{plan}");
    for reference in ["env.STAGING_DB_PASSWORD", "var.prefix", "provider.slack.maintainers.webhook_url"] {
        assert!(plan.contains(reference), "no {reference} in the plan");
    }
    for args in [&["show", "plan.json"][..], &["show", "plan.json", "--format", "markdown"], &["plan", "staging", "--json"]] {
        bench.run(args).exits(0).never_says("planted");
    }
}

#[test]
fn no_excerpt_shows_the_value_of_a_secret_attribute() {
    let hcl = "environment \"e\" {}\nprovider \"cloudflare\" {\n  api_token = \"planted-${nonsense}\"\n}\nprovider \"github\" { token = [\"planted\"] }\nprovider \"postgres\" \"p\" { url = \"postgres://u:planted@h/${var.none}\" }\n";
    let bench = Bench::new("e", hcl, "");
    bench.run(&["validate"]).exits(1).never_says("planted");
    bench.run(&["validate", "--json"]).exits(1).never_says("planted");
}

#[test]
fn a_secret_in_what_a_plan_shows_is_refused() {
    let hcl = format!("environment \"e\" {{}}\n{PROVIDERS}database \"dev-db\" {{ instance_class = sensitive(\"planted\") }}\n");
    Bench::new("e", &hcl, "").run(&["validate"]).exits(1).says("cannot be made of a secret").never_says("planted");
}

#[test]
fn depth_and_size_have_limits_and_many_records_pass() {
    let deep = format!("environment \"e\" {{}}\nlocals {{\n  x = {}{}\n}}\n", "[".repeat(50_000), "]".repeat(50_000));
    Bench::new("e", &deep, "").run(&["validate"]).exits(1).says("nested more than").says("environments/e.hcl:3:");
    let doubling: Vec<String> = (1..40).map(|n| format!("  a{n} = \"${{local.a{}}}${{local.a{}}}\"\n", n - 1, n - 1)).collect();
    let large = format!("environment \"e\" {{}}\nlocals {{\n  a0 = \"xxxxxxxx\"\n{}}}\n", doubling.concat());
    Bench::new("e", &large, "").run(&["validate"]).exits(1).says("is larger than");
    let records: Vec<String> =
        (0..5_000).map(|n| format!("  record \"A\" \"h{n}.example.org\" {{ value = \"10.0.{}.{}\" }}\n", n / 256, n % 256)).collect();
    let many = format!("environment \"e\" {{}}\n{PROVIDERS}dns_zone \"example.org\" {{\n{}}}\n", records.concat());
    Bench::new("e", &many, "").run(&["validate"]).exits(0);
}

#[test]
fn log_exports_are_added_and_taken_away() {
    let bench = Bench::openverse();
    bench.edit("world.json", "2026-10-02T00:40:00Z", "2026-11-03T00:00:00Z");
    let exports = |bench: &Bench| {
        let world = bench.world();
        let instances = world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]["instances"].as_object().unwrap();
        let dev = instances.values().find(|one| one["identifier"] == "dev-openverse-db").unwrap();
        dev["settings"]["enabled_cloudwatch_logs_exports"].clone()
    };
    let mut before = "  multi_az             = false".to_owned();
    for logs in [&["postgresql", "upgrade"][..], &["upgrade"]] {
        let after = format!("  multi_az             = false\n  enabled_cloudwatch_logs_exports = {logs:?}");
        bench.edit("environments/staging.hcl", &before, &after);
        bench.run(&["apply", "staging", "--yes"]).exits(0);
        assert_eq!(exports(&bench), serde_json::json!(logs));
        bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0);
        before = after;
    }
}

#[test]
fn a_value_that_does_not_fit_is_answered_with_one_that_does() {
    let bench = with_variable();
    let hcl = bench.read("environments/staging.hcl");
    let types = "variable \"ports\" {\n  type    = list(number)\n  default = [1]\n}\nvariable \"who\" {\n  type    = object({ name = string, age = optional(number) })\n  default = { name = \"a\" }\n}\n";
    bench.write("environments/staging.hcl", &format!("{types}{hcl}"));
    bench.run(&["validate", "--var", "ports=x"]).exits(1).says("such as ports='[3]'");
    bench.run(&["validate", "--var", "ports=[3]"]).exits(0);
    bench.run(&["validate", "--var", "who=3"]).exits(1).says("such as who='{ name = \"text\" }'");
    bench.run(&["validate", "--var", "who={ name = \"text\" }"]).exits(0);
    bench.write("vars.hcl", "ports = 3\n");
    bench.run(&["validate", "--var-file", "vars.hcl"]).exits(1).says("such as ports = [3]");
    let with_flags = bench.run(&["plan", "staging", "--var-file", "vars.json", "--var", "class=db.hidden"]);
    with_flags.exits(1).never_says("named above");
    bench.write("vars.hcl", "ports = [3]\n");
    bench.run(&["plan", "staging", "--var-file", "vars.hcl", "--var", "class=db.x"]).exits(0).says("go with --var-file vars.hcl and the same --var,");
}
