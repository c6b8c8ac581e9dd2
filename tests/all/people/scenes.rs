//! The example environments in worlds whose waits are short, and what makes two of their worlds the same.

use serde_json::{Value as Json, json};

use crate::support::Scene;

/// One example with something to do.
pub struct Example {
    /// For messages.
    pub name: &'static str,
    /// The declaration.
    pub scene: Scene,
    /// The world before.
    pub world: Json,
    /// Only what people would care about.
    pub essence: fn(&Json) -> Json,
}

fn read(path: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Seconds where the example takes minutes and hours.
pub fn short_timings() -> Json {
    json!({
        "restore": 20, "backup": 20, "rename_unseen": 2, "renaming": 2, "rename_blind": 2, "rename_reboot": 2,
        "modify_unseen": 2, "modify": 5, "reboot": 5, "delete": 5, "snapshot": 20,
    })
}

/// A staging database that is due.
pub fn refresh() -> Example {
    let mut world: Json = serde_json::from_str(&read("examples/openverse/world.json")).unwrap();
    world["timings"] = short_timings();
    let scene = Scene::new("staging", &read("examples/openverse/environments/staging.hcl"));
    scene.file("sql/anonymise.sql", &read("examples/openverse/sql/anonymise.sql"));
    Example { name: "refresh", scene, world, essence: instances }
}

/// Two zones whose sides change hands.
pub fn swap() -> Example {
    let world: Json = serde_json::from_str(&read("examples/gigadb/world.json")).unwrap();
    let hcl = read("examples/gigadb/environments/gigadb.hcl").replace("live = \"hk\"\n", "live = \"sydney\"\n");
    Example { name: "swap", scene: Scene::new("gigadb", &hcl), world, essence: records }
}

/// Every instance by its name, without what a run writes on it to be found again.
pub fn instances(world: &Json) -> Json {
    let mut found = serde_json::Map::new();
    for account in world["aws"]["accounts"].as_object().unwrap().values() {
        for region in account["regions"].as_object().unwrap().values() {
            for instance in region["instances"].as_object().into_iter().flat_map(|instances| instances.values()) {
                let mut tags = instance["tags"].as_object().cloned().unwrap_or_default();
                tags.retain(|key, _| !["switchover:run", "switchover:step", "switchover:refreshed-at"].contains(&key.as_str()));
                let about = json!({"settings": instance["settings"], "tags": tags, "databases": instance["databases"]});
                found.insert(instance["identifier"].as_str().unwrap().to_owned(), about);
            }
        }
    }
    Json::Object(found)
}

/// Every record of every zone; ids may change, what they say may not.
pub fn records(world: &Json) -> Json {
    let mut found: Vec<String> = Vec::new();
    for zone in world["cloudflare"]["zones"].as_object().unwrap().values() {
        for record in zone["records"].as_object().unwrap().values() {
            let mut record = record.clone();
            record.as_object_mut().unwrap().remove("modified");
            found.push(record.to_string());
        }
    }
    found.sort();
    json!(found)
}
