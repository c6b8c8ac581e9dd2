//! A whole life over the simulated world with secrets planted at every place that takes one: all commands, all forms of output, all verbosity, runs
//! that go well, fail, are turned back, stop and go on. Services give the secrets back in every form when they fail.

use serde_json::{Value, json};

use super::canary::{HOOK, PASSWORD, TOKEN, WORD, echo, none_on_disk, none_said};
use crate::cli::bench::{Bench, Said};

const FILE: &str = "environments/staging.hcl";
/// What was written by hand and holds secrets.
const PLANTED: [&str; 3] = [FILE, "words.hcl", "words.json"];

/// The staging database and a zone, with a secret in every attribute that takes one, by way of environment, flag, both kinds of variable file,
/// defaults, locals, literals and files.
fn planted() -> Bench {
    let bench = Bench::openverse()
        .variable("SLACK_WEBHOOK_URL", &format!("https://hooks.example.org/services/T0/B0/{HOOK}?key={HOOK}"))
        .variable("STAGING_DB_PASSWORD", PASSWORD)
        .variable("SWITCHOVER_VAR_from_environment", TOKEN)
        .variable("AWS_SECRET_ACCESS_KEY", TOKEN)
        .variable("AWS_SESSION_TOKEN", TOKEN);
    let zones = Bench::gigadb().world()["cloudflare"].clone();
    bench.change_world(|world| world["cloudflare"] = zones);
    let literal = TOKEN.replace('"', "\\\"");
    let more = format!(
        r#"
variable "from_environment" {{ sensitive = true }}
variable "from_flag" {{}}
variable "from_hcl_file" {{}}
variable "from_json_file" {{ sensitive = true }}
variable "with_default" {{
  default   = "{WORD}"
  sensitive = true
}}
locals {{
  joined = "${{var.with_default}}${{var.from_flag}}"
  map    = {{ token = "{literal}" }}
}}
provider "cloudflare" {{ api_token = var.from_environment }}
provider "cloudflare" "literal" {{ api_token = "{literal}" }}
provider "cloudflare" "local" {{ api_token = local.map.token }}
provider "postgres" "api" {{ url = "postgres://api:{WORD}@db.example.org/api?sslpassword={WORD}" }}
provider "elasticsearch" "es" {{
  url      = "https://es:{WORD}@es.example.org"
  username = "es"
  password = local.joined
}}
provider "elasticsearch" "key" {{
  url     = "https://es.example.org"
  api_key = sensitive("{WORD}")
}}
provider "github" {{ token = var.from_hcl_file }}
provider "gitlab" {{ token = trimspace(file("token.txt")) }}
dns_zone "gigadb.org" {{
  provider = cloudflare
  depends_on = [database.dev-openverse-db]
  record "A" "gigadb.org" {{ value = "192.0.2.1" }}
}}
"#
    );
    bench.edit(FILE, "provider \"aws\" {", &format!("{more}\nprovider \"aws\" {{"));
    bench.edit(FILE, "password = env(\"STAGING_DB_PASSWORD\")", "password = \"${env(\"STAGING_DB_PASSWORD\")}\"");
    bench.write("environments/token.txt", "");
    bench.write("words.hcl", &format!("from_hcl_file = \"{WORD}\"\n"));
    bench.write("words.json", &json!({ "from_json_file": WORD }).to_string());
    bench
}

fn run(bench: &Bench, args: &[&str]) -> Said {
    let flag = format!("from_flag={WORD}");
    let all = [args, &["--var", &flag, "--var-file", "words.hcl", "--var-file", "words.json"]].concat();
    let said = bench.run(&all);
    none_said(args, &said);
    none_on_disk(bench, &PLANTED);
    said
}

/// A refusal of one call of a sort, whose words hold the secrets that it was sent.
fn refusal(call: &str, nth: u64, secret: &str) -> Value {
    json!({ "call": call, "nth": nth, "times": 9, "fault": { "kind": "refusal", "code": format!("E{secret}"), "message": echo(secret) } })
}

fn every_view(bench: &Bench) {
    let runs = run(bench, &["runs", "staging", "--json"]).json();
    for args in [
        &["validate", "-vv"][..],
        &["validate", "--json"],
        &["status", "-vv"],
        &["status", "--json"],
        &["status", "--offline"],
        &["runs", "staging", "-vv"],
        &["unlock", "staging", "--yes", "-vv"],
    ] {
        run(bench, args);
    }
    for one in runs["runs"].as_array().unwrap() {
        let id = one["run"].as_str().unwrap();
        run(bench, &["runs", "staging", id, "-vv"]).exits(0);
        run(bench, &["runs", "staging", id, "--json"]).exits(0);
    }
}

#[test]
fn a_life_without_trouble_shows_no_secret() {
    let bench = planted();
    for args in [
        &["validate"][..],
        &["plan", "staging", "-vv"],
        &["plan", "staging", "--format", "markdown"],
        &["plan", "staging", "--json"],
        &["plan", "staging", "--out", "plan.json", "--seed", "1"],
        &["show", "plan.json"],
        &["show", "plan.json", "--format", "markdown"],
        &["show", "plan.json", "--json"],
    ] {
        run(&bench, args).exits(0);
    }
    run(&bench, &["apply", "plan.json", "-vv", "--max-runtime", "30m"]).exits(8);
    every_view(&bench);
    run(&bench, &["resume", "staging", "-vv", "--json"]).exits(0);
    every_view(&bench);
    assert!(none_on_disk(&bench, &PLANTED) >= 5, "environments, SQL, plan, world, journal");
}

#[test]
fn services_that_give_secrets_back_are_told_of_without_them() {
    for (faults, code) in [
        (vec![refusal("cloudflare:zones", 1, TOKEN)], 1),
        (vec![refusal("cloudflare:records", 2, TOKEN)], 1),
        (vec![refusal("cloudflare:batch", 1, TOKEN), refusal("slack:post", 1, HOOK)], 4),
        (vec![refusal("postgres:transaction", 1, PASSWORD), refusal("slack:post", 2, HOOK)], 4),
        (vec![refusal("postgres:query", 1, PASSWORD)], 4),
    ] {
        let bench = planted();
        let what = faults[0]["call"].clone();
        bench.change_world(|world| world["faults"] = Value::Array(faults));
        let failed = run(&bench, &["apply", "staging", "--yes", "-vv", "--seed", "1"]);
        assert_eq!(failed.code, code, "{what}: {}\n{}", failed.out, failed.err);
        assert!(failed.err.contains("(secret)"), "the words of {what} were told:\n{}", failed.err);
        every_view(&bench);
        run(&bench, &["rollback", "staging", "--yes", "-vv", "--json"]);
        run(&bench, &["resume", "staging", "-vv"]);
        every_view(&bench);
    }
}

#[test]
fn addresses_of_journals_are_never_shown_whole() {
    let bench = planted();
    // None of them can be used, for reasons that are found out before anything is asked.
    for url in [
        format!("postgres://journal:{WORD}@127.0.0.1:1/db?sslmode={WORD}"),
        format!("postgresql://journal:{WORD}@127.0.0.1:port/db"),
        format!("postgres://:{WORD}@127.0.0.1:1/db?password={WORD}"),
        format!("s3://journal:{WORD}@bucket/prefix"),
        format!("s3://bucket/prefix?secret_access_key={WORD}"),
        format!("ftp://journal:{WORD}@example.org/"),
        WORD.to_owned(),
    ] {
        for args in [&["status"][..], &["runs", "staging"], &["apply", "staging", "--yes", "-vv"], &["unlock", "staging", "--yes"]] {
            let by_flag = bench.run(&[args, &["--journal", &url]].concat());
            none_said(args, &by_flag);
            assert_ne!(by_flag.code, 0, "{args:?}: {}", by_flag.out);
        }
    }
    none_on_disk(&bench, &PLANTED);
}
