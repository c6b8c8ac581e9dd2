//! The world of `examples/gigadb`: both zones in our Cloudflare twin behind the vendor's description, the Elastic IPs of both sides in two regions
//! of moto, and a real name server that serves what the twin holds.
//!
//! Zones, records and names of addresses are those of the example's simulated world. The addresses themselves are the ones that moto gives out.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ec2::types::{DomainType, ResourceType, Tag, TagSpecification};
use serde_json::{Value as Json, json};
use switchover::world::Readers;
use tokio::sync::OnceCell;

use super::project::Project;
use crate::live_world::world;
use crate::services::moto::Moto;
use crate::services::nsd::Nsd;
use crate::services::prism::Prism;
use crate::services::twin::{TOKEN, Twin};
use crate::services::zone_file;

pub const LIVE: &str = "gigadb.org";
pub const STANDBY: &str = "gigadb.host";
pub const FILE: &str = "environments/gigadb.hcl";
/// Where the two sides are: the example's region, and one of moto that no other test uses.
const SIDES: [(&str, &str); 2] = [("ap-east-1", "ca-west-1"), ("ap-southeast-2", "mx-central-1")];

/// The world, and the example that works on it.
pub struct Zones {
    pub project: Project,
    pub twin: Arc<Twin>,
    server: String,
    _prism: Prism,
}

/// How the name server learns of the twin's changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Publishing {
    /// A moment after each of them.
    Always,
    /// Never after the beginning.
    Once,
}

impl Zones {
    /// A world of its own. Only the addresses are shared: nobody changes them.
    pub async fn build(publishing: Publishing) -> Option<Self> {
        let moto = Moto::shared()?;
        let nsd = Nsd::start(&[LIVE, STANDBY])?;
        let twin = Arc::new(Twin::start(&[LIVE, STANDBY]));
        let prism = Prism::proxy("cloudflare-dns.json", &twin.server.url(""))?;
        let server = nsd.address();
        let moved = addresses(moto).await;
        if publishing == Publishing::Once {
            for zone in [LIVE, STANDBY] {
                nsd.publish(zone, &zone_file::of(zone, &seed(zone, moved)));
            }
        }
        // The closure keeps the server for as long as the twin is there.
        twin.on_change(move |zone, records| {
            if publishing == Publishing::Always {
                nsd.publish(zone, &zone_file::of(zone, records));
            }
        });
        for zone in [LIVE, STANDBY] {
            twin.seed(zone, &seed(zone, moved));
        }
        let project = project(moto, &prism, &server);
        Some(Zones { project, twin, server, _prism: prism })
    }

    /// The one line that a pull request changes.
    pub fn edit_to_sydney(&self) {
        self.project.edit(FILE, "live = \"hk\"", "live = \"sydney\"", 1);
    }

    /// All records of both zones.
    pub fn records(&self) -> Vec<Json> {
        [LIVE, STANDBY].iter().flat_map(|zone| self.twin.records(zone)).collect()
    }

    /// The bodies of the batches that have reached the twin, in order.
    pub fn batches(&self) -> Vec<Json> {
        let requests = self.twin.server.requests();
        let batches = requests.iter().filter(|request| request.method == "POST");
        batches.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    /// What the name server answers for every A record of the twin: all of them as the twin has them, or the first that is not.
    pub async fn first_wrong_answer(&self) -> Option<String> {
        let resolver = world(&[]).resolver().await.unwrap();
        for record in self.records().iter().filter(|record| record["type"] == "A") {
            let (name, content) = (record["name"].as_str().unwrap(), record["content"].as_str().unwrap());
            let answer = resolver.ask(&self.server, name, "A").await.unwrap();
            if answer.contents != [content] {
                return Some(format!("{name}: {answer:?} instead of {content}"));
            }
        }
        None
    }

    /// Waits until the name server answers as the twin has it: after a way back nobody has waited for that.
    pub async fn answers_follow(&self) {
        let mut wrong = None;
        for _ in 0..100 {
            wrong = self.first_wrong_answer().await;
            if wrong.is_none() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{wrong:?}");
    }

    /// What every swap that succeeded has come to: the answers have changed hands, everything else of each record is as it was, and the name
    /// server says so too.
    pub async fn is_swapped(&self, before: &[Json]) {
        let after = self.records();
        assert_eq!(after.len(), before.len());
        let ids = |records: &[Json]| records.iter().map(|record| record["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&after), ids(before), "patched, not made anew");
        for (was, is) in before.iter().zip(&after) {
            let same_but_for_content = |record: &Json| {
                let mut rest = record.clone();
                rest["content"] = Json::Null;
                rest
            };
            assert_eq!(same_but_for_content(was), same_but_for_content(is));
            assert_eq!(was["content"] != is["content"], was["type"] == "A", "{is}");
        }
        assert_eq!(self.first_wrong_answer().await, None);
        self.project.nothing_to_do("gigadb");
    }
}

/// The SDK's client for a region of moto.
pub fn ec2(moto: &Moto, region: &'static str) -> aws_sdk_ec2::Client {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(&moto.endpoint);
    aws_sdk_ec2::Client::from_conf(config.build())
}

fn example() -> Json {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gigadb/world.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The example's addresses → those that moto gave out for the same names.
async fn addresses(moto: &'static Moto) -> &'static BTreeMap<String, String> {
    static MADE: OnceCell<BTreeMap<String, String>> = OnceCell::const_new();
    let make = || async {
        let (example, mut moved) = (example(), BTreeMap::new());
        for (region, here) in SIDES {
            let ec2 = ec2(moto, here);
            for account in example["aws"]["accounts"].as_object().unwrap().values() {
                for address in account["regions"][region]["elastic_ips"].as_object().into_iter().flat_map(|all| all.values()) {
                    let name = Tag::builder().key("Name").value(address["name"].as_str().unwrap()).build();
                    let tags = TagSpecification::builder().resource_type(ResourceType::ElasticIp).tags(name).build();
                    let made = ec2.allocate_address().domain(DomainType::Vpc).tag_specifications(tags).send().await.unwrap();
                    moved.insert(address["public_ip"].as_str().unwrap().to_owned(), made.public_ip.unwrap());
                }
            }
        }
        assert_eq!(moved.len(), 12, "all addresses of the example");
        moved
    };
    MADE.get_or_init(make).await
}

/// The example's records of a zone, with the addresses there are here.
fn seed(zone: &str, moved: &BTreeMap<String, String>) -> Vec<Json> {
    let example = example();
    let zones = example["cloudflare"]["zones"].as_object().unwrap();
    let records = zones.values().find(|one| one["name"] == zone).unwrap()["records"].as_object().unwrap();
    let moved = |content: &Json| content.as_str().and_then(|old| moved.get(old)).map_or_else(|| content.clone(), |new| json!(new));
    let mut records: Vec<Json> = records.values().cloned().collect();
    for record in &mut records {
        record["content"] = moved(&record["content"]);
        if record["type"] == "MX" {
            // The service keeps the preference in a field of its own.
            let content = record["content"].as_str().unwrap().to_owned();
            let (preference, host) = content.split_once(' ').unwrap();
            record["priority"] = preference.parse::<u16>().unwrap().into();
            record["content"] = host.into();
        }
    }
    records
}

/// The example, made to point here; nothing else of it is changed.
fn project(moto: &Moto, prism: &Prism, server: &str) -> Project {
    let mut project = Project::example("gigadb");
    for (region, here) in SIDES {
        let endpoint = format!("region = \"{here}\"\n  endpoint_url = env(\"AWS_ENDPOINT_URL\")");
        project.edit(FILE, &format!("region  = \"{region}\""), &endpoint, 1);
    }
    project.edit(FILE, "  profile = \"Upstream\"\n", "", 1);
    project.edit(FILE, "  profile = \"UpstreamAlt\"\n", "", 1);
    let base_url = "api_token = env(\"CLOUDFLARE_API_TOKEN\")\n  base_url = env(\"CLOUDFLARE_BASE_URL\")";
    project.edit(FILE, "api_token = env(\"CLOUDFLARE_API_TOKEN\")", base_url, 1);
    let confirm = format!("ttl      = 300\n  confirm {{\n    name_servers = [\"{server}\"]\n    timeout      = \"60s\"\n  }}");
    project.edit(FILE, "ttl      = 300", &confirm, 2);
    project.set("AWS_ACCESS_KEY_ID", "test");
    project.set("AWS_SECRET_ACCESS_KEY", "test");
    project.set("AWS_ENDPOINT_URL", &moto.endpoint);
    project.set("CLOUDFLARE_API_TOKEN", TOKEN);
    project.set("CLOUDFLARE_BASE_URL", format!("http://127.0.0.1:{}", prism.port));
    project
}
