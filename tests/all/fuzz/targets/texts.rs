//! Short texts with a grammar of their own: times, schedules, names, URLs, the command line.

use std::cell::RefCell;

use clap::Parser;
use switchover::cli::Cli;
use switchover::declare::{VariableSources, parse_date};
use switchover::model::{Address, Json, guard, record, time};

use crate::fuzz::oracle;
use crate::fuzz::planning::{Room, judge};

thread_local! {
    static ROOM: RefCell<Room> = RefCell::new(Room::new());
}

/// Places of an environment that take a text; each line of the input goes into the next one.
const PLACES: &str = r#"
environment "x" {
  protect = [@0]
  journal = @1
}
provider "aws" {
  region       = "us-east-1"
  endpoint_url = @2
  poll         = @3
}
provider "cloudflare" {
  api_token = "t"
  base_url  = @4
}
provider "postgres" "p" { url = @5 }
database "dev-openverse-db" {
  provider = aws
  hold {
    reason = @6
    until  = @7
  }
  refresh {
    snapshot_of = "prod-openverse-db"
    schedule    = @8
    timezone    = @9
    keep_old    = @10
  }
  timeouts { restore = @11 }
}
dns_zone "gigadb.org" {
  provider = cloudflare
  record "TXT" @12 { values = [@13] }
  record "SRV" "_a._tcp.gigadb.org" { values = [@14] }
  confirm {
    name_servers = [@15]
    timeout      = @16
  }
}
"#;

/// What stands in those places otherwise.
const GOOD: [&str; 17] = [
    "prod",
    "local",
    "http://localhost:5000",
    "15s",
    "https://api.cloudflare.com/client/v4",
    "postgres://u:p@h:5432/d?sslmode=require",
    "by hand",
    "2030-01-01",
    "0 3 * * MON-FRI",
    "Europe/Berlin",
    "3d",
    "4h",
    "gigadb.org",
    "v=spf1 -all",
    "1 2 443 www.gigadb.org.",
    "192.0.2.53:53",
    "5m",
];

/// Each line alone, and all of them in their places.
pub fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.split('\n') {
        if let Ok(duration) = time::parse_duration(line) {
            assert!(!time::words(duration).is_empty());
        }
        let _ = (parse_date(line), guard::fold(line), record::is_within(line, "gigadb.org"));
        if let Ok(name) = record::canonical_name(line) {
            assert_eq!(record::canonical_name(&name).as_ref(), Ok(&name), "a canonical name is its own canonical form");
        }
        if let Ok(address) = line.parse::<Address>() {
            assert_eq!(address.to_string().parse().as_ref(), Ok(&address), "an address is read as it is written");
        }
    }
    let mut hcl = PLACES.to_owned();
    let mut lines = text.split('\n');
    for (at, good) in GOOD.iter().enumerate() {
        let value = lines.next().filter(|line| !line.is_empty()).unwrap_or(good);
        // As HCL quotes: what would begin a template is doubled.
        let quoted = Json::from(value).to_string().replace("${", "$${").replace("%{", "%%{");
        hcl = hcl.replacen(&format!("@{at} "), &format!("{quoted} "), 1).replacen(&format!("@{at}\n"), &format!("{quoted}\n"), 1);
        hcl = hcl.replacen(&format!("@{at}]"), &format!("{quoted}]"), 1);
    }
    ROOM.with_borrow(|room| judge(&room.read(hcl.as_bytes(), VariableSources::default()).expect("the environment's own file is there")));
}

/// The command line, one argument a line.
pub fn cli(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Cli::try_parse_from(std::iter::once("switchover").chain(text.split('\n'))) {
        Ok(cli) => assert!(!format!("{:?}", cli.command).is_empty()),
        Err(error) => assert!(!oracle_text(&error).is_empty(), "a refusal says something"),
    }
}

fn oracle_text(error: &clap::Error) -> String {
    let text = error.to_string();
    // What the arguments hold may stand in it; what the parser itself says does not act on a terminal.
    oracle::is_harmless(&error.kind().to_string());
    text
}
