# GigaDB's two sides: all sixteen names of both zones, and the twelve Elastic IPs that they point to.
#
#   switchover -C examples/gigadb --world world.json plan gigadb

environment "gigadb" {
  description = "GigaDB, blue/green over two regions"
}

provider "aws" "hk" {
  region  = "ap-east-1"
  profile = "Upstream"
}

provider "aws" "sydney" {
  region  = "ap-southeast-2"
  profile = "UpstreamAlt"
}

provider "cloudflare" {
  api_token = env("CLOUDFLARE_API_TOKEN")
}

locals {
  # The one line that a pull request changes: which side is live, "hk" or "sydney".
  live = "hk"

  live_aws    = local.live == "hk" ? aws.hk : aws.sydney
  standby_aws = local.live == "hk" ? aws.sydney : aws.hk

  live_owner    = local.live == "hk" ? "gigadb" : "gigadbalt"
  standby_owner = local.live == "hk" ? "gigadbalt" : "gigadb"
}

dns_zone "gigadb.org" {
  provider = cloudflare
  aws      = local.live_aws
  ttl      = 300

  record "A" "gigadb.org"                   { elastic_ip = "eip-gigadb-live-${local.live_owner}" }
  record "A" "portainer.gigadb.org"         { elastic_ip = "eip-gigadb-live-${local.live_owner}" }
  record "A" "bastion.gigadb.org"           { elastic_ip = "eip-gigadb-bastion-live-${local.live_owner}" }
  record "A" "files.gigadb.org"             { elastic_ip = "eip-gigadb-files-live-${local.live_owner}" }
  record "A" "staging.gigadb.org"           { elastic_ip = "eip-gigadb-staging-${local.live_owner}" }
  record "A" "portainer.staging.gigadb.org" { elastic_ip = "eip-gigadb-staging-${local.live_owner}" }
  record "A" "files.staging.gigadb.org"     { elastic_ip = "eip-gigadb-files-staging-${local.live_owner}" }
}

dns_zone "gigadb.host" {
  provider = cloudflare
  aws      = local.standby_aws
  ttl      = 300

  # This name of the production side lives in the other zone.
  record "A" "bastion-stg.gigadb.host" {
    elastic_ip = "eip-gigadb-bastion-staging-${local.live_owner}"
    aws        = local.live_aws
  }

  record "A" "alt-live.gigadb.host"              { elastic_ip = "eip-gigadb-live-${local.standby_owner}" }
  record "A" "portainer.alt-live.gigadb.host"    { elastic_ip = "eip-gigadb-live-${local.standby_owner}" }
  record "A" "bastion.alt-live.gigadb.host"      { elastic_ip = "eip-gigadb-bastion-live-${local.standby_owner}" }
  record "A" "files.alt-live.gigadb.host"        { elastic_ip = "eip-gigadb-files-live-${local.standby_owner}" }
  record "A" "alt-staging.gigadb.host"           { elastic_ip = "eip-gigadb-staging-${local.standby_owner}" }
  record "A" "portainer.alt-staging.gigadb.host" { elastic_ip = "eip-gigadb-staging-${local.standby_owner}" }
  record "A" "bastion.alt-staging.gigadb.host"   { elastic_ip = "eip-gigadb-bastion-staging-${local.standby_owner}" }
  record "A" "files.alt-staging.gigadb.host"     { elastic_ip = "eip-gigadb-files-staging-${local.standby_owner}" }
}
