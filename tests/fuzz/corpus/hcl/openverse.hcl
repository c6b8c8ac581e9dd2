# Openverse's staging database, made anew every month from production's newest snapshot.
#
#   switchover -C examples/openverse --world world.json plan staging

environment "staging" {
  description = "Openverse staging"
  protect     = ["prod"]
  notify      = [slack.maintainers]
}

provider "aws" {
  region = "us-east-1"
}

provider "slack" "maintainers" {
  webhook_url = env("SLACK_WEBHOOK_URL")
}

database "dev-openverse-db" {
  provider = aws

  refresh {
    snapshot_of   = "prod-openverse-db"
    snapshot_type = "automated"
    schedule      = "monthly"
    first_backup  = "before_switch"
    keep_old      = "0s"
  }

  # What is not named here stays as the instance that is being replaced has it.
  instance_class       = "db.m5.xlarge"
  allocated_storage    = 3000
  storage_type         = "gp2"
  multi_az             = false
  publicly_accessible  = false
  db_subnet_group_name = "default"
  vpc_security_groups  = ["default", "openverse-vpc-db-access", "staging-dev-rds-sg"]
  tags                 = { Environment = "staging" }

  connect {
    user     = "deploy"
    password = env("STAGING_DB_PASSWORD")
    database = "openledger"
  }

  # Production's applications and tokens must not work in staging, not for a moment: this runs before the new instance takes the name.
  scrub {
    truncate = [
      "api_throttledapplication",
      "api_oauth2registration",
      "api_oauth2verification",
      "oauth2_provider_accesstoken",
      "oauth2_provider_grant",
      "oauth2_provider_idtoken",
      "oauth2_provider_refreshtoken",
    ]
    sql = ["UPDATE a SET b = 1"]
  }

  check "OAuth applications are gone" {
    sql    = "SELECT count(*) FROM api_throttledapplication"
    equals = 0
  }
  check "images came along" {
    sql      = "SELECT count(*) FROM image"
    at_least = 1000000
  }
}
