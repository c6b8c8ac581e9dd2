variable "zone" {
  type    = string
  default = "gigadb.org"
}
environment "x" {
  protect = ["prod"]
  notify  = [slack.maintainers]
  journal = "local"
}
provider "aws" "sydney" {
  region     = "ap-southeast-2"
  profile    = "a"
  account_id = "123456789012"
  poll       = "15s"
}
provider "cloudflare" {
  api_token = sensitive("t")
  plan      = "free"
}
provider "postgres" "api" { url = env("API_DATABASE_URL") }
provider "slack" "maintainers" { webhook_url = env("SLACK_WEBHOOK_URL") }
dns_zone "gigadb.org" {
  provider = cloudflare
  ttl      = 300
  record "A" "gigadb.org" { values = ["192.0.2.1", "192.0.2.2"] }
  record "MX" "gigadb.org" {
    values = ["10 mail.example.org"]
    ttl    = 3600
  }
  record "TXT" "_dmarc.gigadb.org" { value = "v=DMARC1; p=none" }
  record "CAA" "gigadb.org" { value = "0 issue \"letsencrypt.org\"" }
  hold {
    reason = "by hand"
    by     = "somebody"
    until  = "2031-01-01"
  }
  lifecycle { prevent_destroy = true }
  safety { max_deletes = "30%" }
}
