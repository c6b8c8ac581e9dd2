environment "staging" {}

provider "cloudflare" {
  api_token = env("CLOUDFLARE_API_TOKEN")
}

dns_zone "example.org" {
  ttl = 300

  # Two runs of plain blocks, with one between them that is none.
  record "A" "example.org" { value = "192.0.2.1" }
  record "A" "www.example.org" {
    values  = ["192.0.2.1", "192.0.2.2"]
    proxied = true
  }

  record "TXT" "example.org" { value = "v=spf1 \u002dall" }
	record  "MX"  "example.org"	{	value = "10 mail.example.org"	}
  record "CNAME" "*.example.org" {
    value   = "example.org"

    ttl     = 60
    comment = "everything else"
    tags    = ["owner:dns"]
  }
  record "A" "gone.example.org" { values = [] }
}
