# An environment may be one file or, as here, a folder whose files are read as one.

environment "staging" {
  description = "Openverse staging"
  notify      = [slack.maintainers]
}

variable "instance_class" {
  description = "Staging is small as a rule; a load test may ask for more."
  type        = string
  default     = "db.m5.xlarge"
}

provider "aws" {
  region = "us-east-1"
}

provider "slack" "maintainers" {
  webhook_url = env("SLACK_WEBHOOK_URL")
}
