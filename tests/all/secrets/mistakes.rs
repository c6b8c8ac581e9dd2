//! Mistakes beside secrets: whatever is wrong with a file, with a variable or with the command line, what is said of it holds no secret.

use switchover::declare::{self, Inputs, KindSchema, VariableSources};
use switchover::kinds;

use super::canary::{TOKEN, WORD, none_in, none_said};
use crate::cli::bench::Bench;

/// A file in which every literal secret stands in another manner.
fn text() -> String {
    format!(
        r#"environment "staging" {{
  journal = "postgres://u:{WORD}@h/d"
}}
variable "a" {{
  default   = "{WORD}"
  sensitive = true
}}
variable "b" {{ default = "{WORD}" }}
locals {{
  pw   = "{WORD}"
  list = ["{WORD}", sensitive("{WORD}")]
  map  = {{ token = "{WORD}", other = 1 }}
}}
provider "cloudflare" {{ api_token = "{WORD}" }}
provider "cloudflare" "b" {{
  api_token = var.b
  base_url  = "https://u:{WORD}@api.example.org/v4"
}}
provider "aws" {{
  region       = "us-east-1"
  endpoint_url = "http://u:{WORD}@127.0.0.1/"
}}
provider "elasticsearch" {{
  url      = "https://h/?token={WORD}"
  username = "u"
  password = "${{local.pw}}-${{local.map.token}}-${{local.list[0]}}"
}}
provider "slack" "s" {{
  webhook_url = <<-EOT
    https://hooks.example.org/{WORD}
  EOT
}}
provider "gitlab" {{ token = join("", ["{WORD}", env("X")]) }}
"#
    )
}

/// What reading a text as an environment says, as text and as data.
fn said(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("environments")).unwrap();
    std::fs::write(folder.path().join("environments/staging.hcl"), text).unwrap();
    let schemas: Vec<&dyn KindSchema> = kinds::ALL.iter().map(|kind| *kind as &dyn KindSchema).collect();
    let env = |_: &str| None;
    let inputs = Inputs { kinds: &schemas, variables: VariableSources::default(), env: &env, now: "2026-11-21T12:00:00Z".parse().unwrap() };
    let location = declare::locate(folder.path(), "staging").unwrap();
    match declare::read(&location, &inputs) {
        Ok(reading) => format!("{}{}{:?}", declare::render(&reading.problems, false), declare::to_json(&reading.problems), inputs.variables),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn a_mistake_anywhere_in_a_file_of_secrets_shows_none() {
    let good = text();
    assert!(said(&good).contains("a literal secret"), "{}", said(&good));
    let places: Vec<usize> = good.char_indices().map(|(at, _)| at).collect();
    // A place inside of a secret would only make another text of it.
    let inside = |at: usize| good.match_indices(WORD).any(|(start, _)| (start..=start + WORD.len()).contains(&at));
    let mut tried = 0;
    for at in places.into_iter().filter(|at| !inside(*at)) {
        for put in ["", "\"", "{", "\n", "= \"", "\u{7f}"] {
            // Without the character that stands there, and with something before it.
            let cut = usize::from(put.is_empty());
            let broken = format!("{}{put}{}", &good[..at], &good[at + cut..]);
            // Two places in three are tried with one kind of mistake only, so that all of it takes seconds.
            if at % 3 != 0 && put.len() != at % 3 {
                continue;
            }
            let words = said(&broken);
            none_in(&format!("what is said of a mistake at byte {at} ({put:?})"), &words);
            tried += 1;
        }
    }
    println!("{tried} files with one mistake each");
    assert!(tried > 1_000, "{tried}");
}

/// Secrets whose quotes were forgotten: the word itself is then what is wrong.
#[test]
fn a_secret_without_quotes_is_not_said() {
    let good = text();
    for (at, _) in good.match_indices(&format!("\"{WORD}\"")) {
        let bare = format!("{}{WORD}{}", &good[..at], &good[at + WORD.len() + 2..]);
        none_in(&format!("what is said of a bare word at byte {at}"), &said(&bare));
    }
}

#[test]
fn values_of_variables_are_not_quoted() {
    let bench = Bench::openverse().variable("SWITCHOVER_VAR_number", TOKEN).variable("SWITCHOVER_VAR_flag", TOKEN);
    let declared = "variable \"number\" { type = number }\nvariable \"flag\" { type = bool }\nvariable \"list\" { type = list(number) }\n\
                    locals { all = [var.number, var.flag, var.list] }\nprovider \"gitlab\" { token = \"${var.number}${var.flag}${jsonencode(var.list)}\" }\n";
    bench.edit("environments/staging.hcl", "provider \"aws\" {", &format!("{declared}\nprovider \"aws\" {{"));
    bench.write("broken.hcl", &format!("list = [\"{WORD}\"\nx = \"{WORD}"));
    bench.write("broken.json", &format!("{{\"list\": \"{WORD}\" \"{WORD}\""));
    bench.write("typed.json", &format!("{{\"list\": [\"{WORD}\"]}}"));
    let list = format!("list=[\"{WORD}\"]");
    let unknown = format!("nothing={WORD}");
    for args in [
        &["validate"][..],
        &["validate", "--var", &list],
        &["validate", "--var", WORD],
        &["validate", "--var", &unknown],
        &["validate", "--var-file", "broken.hcl"],
        &["validate", "--var-file", "broken.json"],
        &["validate", "--var-file", "typed.json", "--json"],
        &["plan", "staging", "--var", &list, "-vv"],
    ] {
        let said = bench.run(args).exits(1);
        none_said(args, &said);
    }
}

#[test]
fn an_address_with_a_password_does_not_become_a_plan() {
    let bench = Bench::gigadb().variable("CLOUDFLARE_BASE_URL", &format!("https://user:{WORD}@api.example.org/client/v4"));
    bench.edit(
        "environments/gigadb.hcl",
        "api_token = env(\"CLOUDFLARE_API_TOKEN\")",
        "api_token = env(\"CLOUDFLARE_API_TOKEN\")\n  base_url  = env(\"CLOUDFLARE_BASE_URL\")",
    );
    for args in [&["validate"][..], &["validate", "--json"], &["plan", "gigadb", "--out", "plan.json"]] {
        let said = bench.run(args).exits(1).says("holds a password");
        none_said(args, &said);
    }
    assert!(!bench.path("plan.json").exists());
}
