//! The kinds' trials: the example environments, in worlds whose waits are short enough to die in every one of them.

use serde_json::{Value as Json, json};

use super::Trial;
use crate::support::Scene;

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

pub fn openverse_world() -> Json {
    let mut world: Json = serde_json::from_str(&read("examples/openverse/world.json")).unwrap();
    world["timings"] = short_timings();
    world
}

fn openverse(edit: impl FnOnce(String) -> String) -> Scene {
    let scene = Scene::new("staging", &edit(read("examples/openverse/environments/staging.hcl")));
    scene.file("sql/anonymise.sql", &read("examples/openverse/sql/anonymise.sql"));
    scene
}

fn gigadb(edit: impl FnOnce(String) -> String) -> Scene {
    Scene::new("gigadb", &edit(read("examples/gigadb/environments/gigadb.hcl")))
}

/// Every instance by its name, without what a run writes on it to be found again.
pub fn instances(world: &Json) -> Json {
    let mut found = serde_json::Map::new();
    for account in world["aws"]["accounts"].as_object().unwrap().values() {
        for region in account["regions"].as_object().unwrap().values() {
            for instance in region["instances"].as_object().into_iter().flat_map(|instances| instances.values()) {
                let mut tags = instance["tags"].as_object().cloned().unwrap_or_default();
                if let Some(until) = tags.get_mut("switchover:keep-until") {
                    *until = json!("some day");
                }
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

/// A refresh, all of it.
pub fn refresh() -> Trial {
    Trial { name: "database refresh", scene: openverse(|hcl| hcl), world: openverse_world(), essence: instances }
}

/// A refresh whose backups begin after the switch.
pub fn late_backups() -> Trial {
    let scene = openverse(|hcl| hcl.replace("\"before_switch\"", "\"after_switch\""));
    Trial { name: "database refresh, first backup after the switch", scene, world: openverse_world(), essence: instances }
}

/// A refresh that keeps the old instance.
pub fn kept_old() -> Trial {
    let scene = openverse(|hcl| hcl.replace("keep_old      = \"0s\"", "keep_old      = \"7d\""));
    Trial { name: "database refresh, old one kept", scene, world: openverse_world(), essence: instances }
}

/// A modification in place.
pub fn modification() -> Trial {
    let mut world = openverse_world();
    // Before the tick of November nothing is due; only the class differs.
    world["now"] = json!("2026-10-20T09:00:00Z");
    let scene = openverse(|hcl| hcl.replace("db.m5.xlarge", "db.m5.2xlarge"));
    Trial { name: "database modification", scene, world, essence: instances }
}

/// Two zones at once.
pub fn two_zones() -> Trial {
    let world: Json = serde_json::from_str(&read("examples/gigadb/world.json")).unwrap();
    let scene = gigadb(|hcl| hcl.replace("live = \"hk\"\n", "live = \"sydney\"\n"));
    Trial { name: "dns swap, two zones", scene, world, essence: records }
}

/// Records made, changed and removed in one zone.
pub fn records_of_all_sorts() -> Trial {
    let world: Json = serde_json::from_str(&read("examples/gigadb/world.json")).unwrap();
    let records_block = r#"
  record "TXT" "gigadb.org"        { values = ["v=spf1 -all", "a second one"] }
  record "CNAME" "www.gigadb.org"  { value = "gigadb.org" }
  record "A" "files.gigadb.org"    { values = [] }
"#;
    let scene = gigadb(|hcl| {
        let line = hcl.lines().find(|line| line.contains("\"files.gigadb.org\"")).unwrap().to_owned();
        hcl.replace(&line, records_block)
    });
    Trial { name: "dns records created, changed, removed", scene, world, essence: records }
}

#[tokio::test]
async fn a_database_refresh_survives_dying_anywhere() {
    refresh().prove().await;
}

#[tokio::test]
async fn a_database_refresh_with_late_backups_survives_dying_anywhere() {
    late_backups().prove().await;
}

#[tokio::test]
async fn a_database_refresh_that_keeps_the_old_one_survives_dying_anywhere() {
    kept_old().prove().await;
}

#[tokio::test]
async fn the_way_back_of_a_finished_refresh_survives_dying_anywhere() {
    Trial { name: "database refresh, turned back", ..kept_old() }.prove_back().await;
}

#[tokio::test]
async fn a_database_modification_survives_dying_anywhere() {
    modification().prove().await;
}

#[tokio::test]
async fn a_swap_of_two_zones_survives_dying_anywhere() {
    two_zones().prove().await;
}

#[tokio::test]
async fn creating_changing_and_removing_records_survives_dying_anywhere() {
    records_of_all_sorts().prove().await;
}
