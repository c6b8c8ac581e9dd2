//! Every attribute that nothing else in the tests needs, declared once: the tables take what the language promises.

use serde_json::json;

use crate::support::{Scene, pipeline::world};

const EVERYTHING: &str = r#"
environment "all" {}

provider "aws" {
  region  = "us-east-1"
  profile = "Upstream"
  poll    = "30s"
}
provider "cloudflare" {
  api_token = env("CLOUDFLARE_API_TOKEN")
  base_url  = "https://api.cloudflare.com/client/v4"
}
provider "elasticsearch" "main" {
  url     = "https://search.example.org:9200"
  api_key = env("SEARCH_API_KEY")
}
provider "github" "main" {
  token    = env("GITHUB_TOKEN")
  base_url = "https://api.github.com"
}
provider "gitlab" "main" {
  token    = env("GITLAB_TOKEN")
  base_url = "https://gitlab.com/api/v4"
}

database "db" {
  refresh {
    snapshot_of              = "prod-db"
    schedule                 = "monthly"
    first_backup             = "after_switch"
    delete_automated_backups = false
  }
  network_type                    = "DUAL"
  monitoring_interval             = 60
  monitoring_role_arn             = "arn:aws:iam::111122223333:role/monitoring"
  performance_insights_enabled    = true
  performance_insights_kms_key_id = "arn:aws:kms:us-east-1:111122223333:key/1"
  ca_cert_identifier              = "rds-ca-rsa2048-g1"
  connect {
    user     = "deploy"
    password = env("DB_PASSWORD")
    database = "app"
    sslmode  = "verify-full"
    ca_file  = "roots.pem"
  }
  check "it answers" {
    sql = "SELECT 1"
    equals = 1
  }
}

dns_zone "example.org" {
  record "A" "www.example.org" { value = "192.0.2.1" }
  timeouts {
    read_back = "2m"
  }
}
"#;

#[test]
fn a_file_with_every_attribute_is_read() {
    let scene = Scene::new("all", EVERYTHING);
    scene.file("environments/roots.pem", "");
    let world = world(&json!({"format_version": 1, "id": "w", "now": "2026-11-05T09:00:00Z"}));
    let desired = scene.desired(&*world);
    assert_eq!(desired.resources.len(), 2);
    assert_eq!(desired.aws("aws").map(|aws| aws.poll.as_secs()), Some(30));
    assert_eq!(desired.resources[1].common.timeouts["read_back"].as_secs(), 120);
    let database = &desired.resources[0].body;
    assert_eq!(database.text("network_type"), Some("DUAL"));
    assert_eq!(database.block("refresh").and_then(|refresh| refresh.text("first_backup")), Some("after_switch"));
}
