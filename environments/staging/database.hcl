database "dev-openverse-db" {
  provider = aws

  refresh {
    snapshot_of = "prod-openverse-db"
    schedule    = "monthly"
    keep_old    = "2d"
  }

  instance_class      = var.instance_class
  vpc_security_groups = ["default", "openverse-vpc-db-access", "staging-dev-rds-sg"]
  tags                = { Environment = "staging" }

  connect {
    user     = "deploy"
    password = env("STAGING_DB_PASSWORD")
    database = "openledger"
  }

  scrub {
    truncate = ["api_throttledapplication", "api_oauth2registration"]
  }

  check "OAuth applications are gone" {
    sql    = "SELECT count(*) FROM api_throttledapplication"
    equals = 0
  }

  lifecycle {
    prevent_destroy = false
  }

  timeouts {
    restore = "6h"
  }
}
