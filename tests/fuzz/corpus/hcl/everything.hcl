# Every block, attribute and timeout that an environment file may hold, each at least once: tests/all/language/mod.rs holds the tables to it.

environment "everything" {
  description     = "All there is"
  protect         = []
  allow_protected = true
  notify          = [slack.maintainers]
  journal         = "local"
}

variable "region" {
  type        = string
  default     = "us-east-1"
  description = "Where the databases are."
  sensitive   = false
}

locals {
  subnet_group = "default"
}

provider "aws" {
  region       = var.region
  profile      = "staging"
  account_id   = "123456789012"
  endpoint_url = "http://127.0.0.1:5000"
  poll         = "20s"
}

provider "cloudflare" {
  api_token = env("CLOUDFLARE_API_TOKEN")
  base_url  = "https://api.example.org/client/v4"
  plan      = "pro"
}

provider "cloudflare" "small" {
  api_token = env("CLOUDFLARE_API_TOKEN")
  max_batch = 100
}

provider "postgres" "api" {
  url = env("API_DATABASE_URL")
}

provider "slack" "maintainers" {
  webhook_url = env("SLACK_WEBHOOK_URL")
}

provider "elasticsearch" {
  url     = "https://search.example.org"
  api_key = env("SEARCH_KEY")
}

provider "elasticsearch" "old" {
  url      = "https://old.example.org"
  username = "switchover"
  password = env("SEARCH_PASSWORD")
}

provider "github" {
  token    = env("GITHUB_TOKEN")
  base_url = "https://github.example.org/api/v3"
}

provider "gitlab" {
  token    = env("GITLAB_TOKEN")
  base_url = "https://gitlab.example.org/api/v4"
}

database "dev-one" {
  provider                              = aws
  depends_on                            = [dns_zone["example.org"]]
  instance_class                        = "db.m5.xlarge"
  allocated_storage                     = 3000
  max_allocated_storage                 = 4000
  storage_type                          = "gp3"
  iops                                  = 12000
  storage_throughput                    = 500
  multi_az                              = false
  availability_zone                     = "us-east-1b"
  db_subnet_group_name                  = local.subnet_group
  publicly_accessible                   = false
  port                                  = 5432
  network_type                          = "IPV4"
  parameter_group_name                  = "one-postgres13"
  option_group_name                     = "default:postgres-13"
  backup_retention_period               = 7
  backup_window                         = "00:00-00:30"
  maintenance_window                    = "sun:06:00-sun:06:30"
  deletion_protection                   = true
  copy_tags_to_snapshot                 = true
  auto_minor_version_upgrade            = true
  monitoring_interval                   = 60
  monitoring_role_arn                   = "arn:aws:iam::123456789012:role/monitoring"
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = "alias/insights"
  performance_insights_retention_period = 31
  iam_database_authentication_enabled   = true
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  ca_cert_identifier                    = "rds-ca-rsa2048-g1"
  license_model                         = "postgresql-license"
  dedicated_log_volume                  = false
  vpc_security_groups                   = ["default"]
  tags                                  = { Environment = "staging" }

  refresh {
    snapshot_of              = "live-one"
    snapshot_type            = "any"
    schedule                 = "monthly"
    timezone                 = "Europe/Berlin"
    first_backup             = "after_switch"
    keep_old                 = "2d"
    next_name                = "dev-one-coming"
    old_name                 = "dev-one-going"
    final_snapshot           = "dev-one-last"
    delete_automated_backups = false
  }

  connect {
    host     = "{identifier}.tunnel.example.org"
    port     = 6432
    sslmode  = "require"
    ca_file  = "everything-ca.pem"
    user     = "deploy"
    password = env("STAGING_DB_PASSWORD")
    database = "openledger"
  }

  scrub {
    truncate = ["oauth2_provider_accesstoken"]
    sql      = ["UPDATE account SET email = ''"]
  }

  check "nobody can log in" {
    sql    = "SELECT count(*) FROM oauth2_provider_accesstoken"
    equals = 0
  }

  check "images came along" {
    sql      = "SELECT count(*) FROM image"
    at_least = 1000000
    at_most  = 9000000000
  }

  timeouts {
    snapshot = "4h"
    restore  = "5h"
    backup   = "25h"
    modify   = "3h"
    reboot   = "20m"
    rename   = "40m"
    scrub    = "2h"
    check    = "10m"
    delete   = "90m"
  }

  lifecycle {
    prevent_destroy = true
  }

  hold {
    reason = "load test"
    by     = "operations"
    until  = "2031-12-01"
  }
}

database "dev-two" {
  hold                = false
  vpc_security_groups = ["default"]

  refresh {
    snapshot_of = "live-two"
    max_age     = "31d"
  }
}

dns_zone "example.org" {
  provider = cloudflare
  aws      = aws
  ttl      = 300
  proxied  = false
  answers  = "declared"

  record "A" "example.org" {
    elastic_ip = "eip-live"
    aws        = aws
    proxied    = true
  }

  record "MX" "example.org" {
    values  = ["10 mail.example.org"]
    ttl     = 3600
    comment = "mail"
    tags    = ["owner:mail"]
  }

  record "CNAME" "www.example.org" {
    value = "example.org"
  }

  confirm {
    name_servers = ["192.0.2.53:53"]
    timeout      = "6m"
  }

  safety {
    max_deletes = "20%"
    max_updates = "40%"
    from        = 5
  }

  timeouts {
    lookup    = "1m"
    verify    = "1m"
    batch     = "3m"
    read_back = "1m"
  }
}
