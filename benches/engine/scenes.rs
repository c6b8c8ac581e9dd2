//! Environments of any size, with the world that they are planned in.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

/// Steps of one zone with one record to be changed: verify, batch, read back, ask the name servers.
pub const STEPS_OF_A_ZONE: usize = 4;
/// The name of every environment here.
pub const ENVIRONMENT: &str = "bench";
const HEAD: &str = "environment \"bench\" {\n}\n\nprovider \"aws\" {\n  region = \"eu-west-1\"\n}\n\nprovider \"cloudflare\" {\n  api_token = env(\"CLOUDFLARE_API_TOKEN\")\n}\n";

/// A folder with `environments/bench.hcl` and `world.json`.
pub struct Scene {
    pub root: PathBuf,
}

impl Scene {
    /// So many zones, each with one record whose address is to be changed.
    pub fn zones(root: &Path, count: usize) -> Scene {
        let mut hcl = HEAD.to_owned();
        let mut zones = Map::new();
        for number in 0..count {
            zone(&mut hcl, number);
            zones.insert(format!("{number:032x}"), zone_before(number));
        }
        Scene::write(root, &hcl, &json!({"zones": zones}))
    }

    /// Zones and databases by turns; for reading alone, so that its world is empty.
    pub fn mixed(root: &Path, count: usize) -> Scene {
        let mut hcl = HEAD.to_owned();
        for number in 0..count {
            if number % 2 == 0 { zone(&mut hcl, number) } else { database(&mut hcl, number) }
        }
        Scene::write(root, &hcl, &json!({}))
    }

    fn write(root: &Path, hcl: &str, cloudflare: &Json) -> Scene {
        let world = json!({"format_version": 1, "id": "bench", "now": "2026-11-05T09:00:00Z", "seed": 1, "cloudflare": cloudflare});
        fs::create_dir_all(root.join("environments")).expect("a folder");
        fs::write(root.join("environments").join(format!("{ENVIRONMENT}.hcl")), hcl).expect("an environment");
        fs::write(root.join("world.json"), world.to_string()).expect("a world");
        Scene { root: root.to_owned() }
    }

    pub fn file(&self) -> PathBuf {
        self.root.join("environments").join(format!("{ENVIRONMENT}.hcl"))
    }

    pub fn world(&self) -> PathBuf {
        self.root.join("world.json")
    }
}

fn zone(hcl: &mut String, number: usize) {
    let host = number % 250 + 1;
    let _ = write!(
        hcl,
        "\ndns_zone \"z{number}.example\" {{\n  ttl = 300\n\n  record \"A\" \"www.z{number}.example\" {{\n    value = \"192.0.2.{host}\"\n  }}\n}}\n"
    );
}

fn zone_before(number: usize) -> Json {
    let record = json!({"type": "A", "name": format!("www.z{number}.example"), "content": "198.51.100.1", "ttl": 300});
    json!({"name": format!("z{number}.example"), "name_servers": ["a.ns.example"], "records": {format!("{:032x}", number + (1 << 40)): record}})
}

fn database(hcl: &mut String, number: usize) {
    let _ = write!(
        hcl,
        "\ndatabase \"staging-{number}\" {{\n  refresh {{\n    snapshot_of = \"master-{number}\"\n    schedule    = \"monthly\"\n    keep_old    = \"7d\"\n  }}\n\n  \
         instance_class    = \"db.m5.large\"\n  allocated_storage = 100\n  multi_az          = false\n  tags              = {{ Environment = \"staging\" }}\n}}\n"
    );
}
