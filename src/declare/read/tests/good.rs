//! Good environments.

use super::*;

/// Something of everything.
const WHOLE: &str = r#"
environment "staging" {
  description = "For ${upper("tests")}"
  protect     = ["prod", "live"]
  notify      = [slack.ops]
  journal     = "s3://bucket/prefix"
}
provider "aws" "hk" {
  region       = "ap-east-1"
  account_id   = "123456789012"
  endpoint_url = env("AWS_ENDPOINT_URL", null)
}
provider "aws" { region = var.region }
provider "cloudflare" {
  api_token = env("CLOUDFLARE_API_TOKEN")
  plan      = "pro"
}
provider "slack" "ops" { webhook_url = env("SLACK_WEBHOOK_URL") }
provider "postgres" "api" { url = env("API_DATABASE_URL") }
variable "region" { default = "eu-west-1" }
locals {
  sizes = { a = 1, b = 2 }
}
box "first" {
  provider   = aws.hk
  size       = local.sizes.b * 2
  tags       = { for k, v in local.sizes : k => "${v}" }
  names      = "one"
  depends_on = [box["se.cond"]]
  lifecycle { prevent_destroy = true }
  timeouts { restore = "4h" }
  connect {
    user     = "deploy"
    password = env("DB_PASSWORD")
  }
}
box "se.cond" {
  provider = aws
  hold {
    reason = "load test"
    by     = "ops"
    until  = "2026-12-01"
  }
  record "A" "x" { value = "192.0.2.1" }
}
"#;

#[test]
fn a_whole_environment_is_read() {
    let desired = Case::new(WHOLE).desired();
    assert_eq!(desired.description.as_deref(), Some("For TESTS"));
    assert_eq!(desired.protect, ["prod", "live"]);
    assert_eq!(desired.notify[0].name, "slack.ops");
    assert_eq!(desired.journal, JournalSetting::Url(Value::String("s3://bucket/prefix".into())));
    let aws = desired.aws("aws.hk").unwrap();
    assert_eq!(
        (aws.region.as_str(), aws.account_id.as_deref(), aws.endpoint_url.as_deref(), aws.poll.as_secs()),
        ("ap-east-1", Some("123456789012"), None, 15)
    );
    assert_eq!(desired.aws("aws").unwrap().region, "eu-west-1");
    let cloudflare = desired.cloudflare("cloudflare").unwrap();
    assert_eq!(cloudflare.max_batch, 3_500);
    let token = SecretRef::Expression { expression: "env(\"CLOUDFLARE_API_TOKEN\")".into(), refers_to: vec!["env.CLOUDFLARE_API_TOKEN".into()] };
    assert_eq!(cloudflare.api_token, Some(token));
    assert_eq!(desired.providers["postgres.api"], Provider::Other { name: "postgres.api".into() });

    let [first, second] = desired.resources.as_slice() else { panic!("two resources") };
    assert_eq!(first.address.to_string(), "box.first");
    assert_eq!(first.body.int("size"), Some(4));
    assert_eq!(first.body.text_map("tags").unwrap().len(), 2);
    assert_eq!(first.body.texts("names").unwrap(), ["one"]);
    assert_eq!(first.body.text("provider"), Some("aws.hk"));
    assert_eq!(first.common.depends_on, [Address::new("box", "se.cond")]);
    assert!(first.common.prevent_destroy);
    assert_eq!(first.common.timeouts["restore"].as_secs(), 14_400);
    assert!(matches!(first.body.block("connect").unwrap().secret("password"), Some(SecretRef::Expression { .. })));
    let hold = second.common.hold.as_ref().unwrap();
    assert_eq!((hold.reason.as_deref(), hold.until.unwrap().to_string().as_str()), (Some("load test"), "2026-12-01T23:59:59Z"));
    assert_eq!(second.body.block("record").unwrap().labels[1].0, "x");
}

#[test]
fn a_folder_is_read_as_one() {
    let case = Case::new("")
        .file("environments/whole/a.hcl", b"environment \"whole\" {}\nprovider \"aws\" { region = local.r }\n")
        .file("environments/whole/b.hcl", b"locals { r = \"x\" }\n");
    let desired = case.with(|_, inputs| read(&locate(case.dir.path(), "whole").unwrap(), inputs)).unwrap().desired.unwrap();
    assert_eq!(desired.aws("aws").unwrap().region, "x");
}

#[test]
fn variables_come_from_the_strongest_source() {
    let text = format!(
        "{HEAD}variable \"n\" {{\n  type    = number\n  default = 1\n}}\nbox \"a\" {{\n  provider = aws\n  size     = var.n\n  connect {{ user = \"u\" }}\n}}\n"
    );
    let size = |case: &Case| case.desired().resources[0].body.int("size");
    assert_eq!(size(&Case::new(&text)), Some(1));
    let env = Case::new(&text).env("SWITCHOVER_VAR_n", "2");
    assert_eq!(size(&env), Some(2));
    let mut file = env.file("v.hcl", b"n = 1 + 2\nother = \"x\"\n");
    file.variables.files.push(file.dir.path().join("v.hcl"));
    assert_eq!(size(&file), Some(3));
    assert_eq!(file.read().problems.len(), 1, "an unknown name in a variable file is a warning");
    let mut json = file.file("v.json", b"{\"n\": 4}");
    json.variables.files.push(json.dir.path().join("v.json"));
    assert_eq!(size(&json), Some(4));
    assert_eq!(size(&json.var("n", "5")), Some(5));
    let list = Case::new(&format!(
        "{HEAD}variable \"l\" {{ type = list(string) }}\nbox \"a\" {{\n  provider = aws\n  names = var.l\n  connect {{ user = \"u\" }}\n}}\n"
    ))
    .var("l", "[\"x\", \"y\"]");
    assert_eq!(list.desired().resources[0].body.texts("names").unwrap(), ["x", "y"]);
}

#[test]
fn files_are_read_relative_to_the_file_that_names_them() {
    let text = format!(
        "{HEAD}box \"a\" {{\n  provider = aws\n  names = [file(\"sql/a.sql\"), templatefile(\"sql/t.tpl\", {{ who = \"ann\" }})]\n  connect {{ user = \"u\" }}\n}}\n"
    );
    let case = Case::new(&text).file("environments/sql/a.sql", b"SELECT 1").file("environments/sql/t.tpl", b"%{ for c in [who] }hi ${c}%{ endfor }");
    assert_eq!(case.desired().resources[0].body.texts("names").unwrap(), ["SELECT 1", "hi ann"]);
}

#[test]
fn what_only_secrets_need_may_be_unset() {
    let text = format!(
        "{HEAD}variable \"token\" {{}}\nlocals {{\n  t  = env(\"UNSET\")\n  db = {{ user = \"u\", password = env(\"ALSO_UNSET\") }}\n}}\nprovider \"cloudflare\" {{ api_token = var.token }}\nprovider \"slack\" \"a\" {{ webhook_url = local.t }}\nbox \"a\" {{\n  provider = aws\n  connect {{\n    user     = local.db.user\n    password = local.db.password\n  }}\n}}\n"
    );
    let desired = Case::new(&text).desired();
    let connect = desired.resources[0].body.block("connect").unwrap();
    assert_eq!(connect.text("user"), Some("u"));
    let expected = SecretRef::Expression { expression: "env(\"ALSO_UNSET\")".into(), refers_to: vec!["env.ALSO_UNSET".into()] };
    assert_eq!(connect.secret("password"), Some(&expected));
}

#[test]
fn the_journal_can_be_read_by_itself() {
    let setting = |case: &Case| case.with(journal_setting);
    assert_eq!(setting(&Case::new(HEAD)).unwrap(), JournalSetting::Local);
    let broken_elsewhere = Case::new("environment \"staging\" { journal = \"s3://b/p\" }\nbox \"a\" { nope = var.nope }\n");
    assert_eq!(setting(&broken_elsewhere).unwrap(), JournalSetting::Url(Value::String("s3://b/p".into())));
    let secret = Case::new("environment \"staging\" { journal = \"postgres://u:${env(\"P\")}@h/d\" }\n");
    assert!(matches!(setting(&secret).unwrap(), JournalSetting::Url(Value::Secret(SecretRef::Expression { .. }))));
    assert!(setting(&Case::new("environment \"staging\" { journal = \"ftp://x\" }\n")).is_err());
    assert!(setting(&Case::new("environment \"staging\" {\n")).is_err());
}

#[test]
fn a_hundred_thousand_records_are_read() {
    let records: String = (0..100_000).map(|n| format!("  record \"A\" \"n{n}\" {{ value = \"192.0.2.1\" }}\n")).collect::<Vec<_>>().concat();
    let text = format!("{HEAD}box \"a\" {{\n  provider = aws\n{records}}}\n");
    assert_eq!(Case::new(&text).desired().resources[0].body.blocks.len(), 100_000);
}
