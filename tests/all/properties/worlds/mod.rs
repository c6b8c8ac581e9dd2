//! Random declarations, each with a world that fits it: what people write, and what there is before they do.

pub mod answers;
pub mod databases;
pub mod hcl;
pub mod zones;

use serde_json::{Value as Json, json};

use super::trials::Dice;
use crate::support::Scene;

/// The environment's name everywhere.
pub const ENVIRONMENT: &str = "trial";

/// A world, and what is declared in it: first one text, then another.
pub struct Case {
    /// The world before anything is declared.
    pub world: Json,
    /// What is declared first.
    pub first: String,
    /// What is declared then, of the same things.
    pub second: String,
}

impl Case {
    /// Puts a text in the place of the one that is declared.
    pub fn declare(scene: &Scene, text: &str) {
        scene.file(&format!("environments/{ENVIRONMENT}.hcl"), text);
    }
}

/// A case of zones, of databases, or of both together.
pub fn any(dice: &mut Dice) -> Case {
    match dice.number(0, 9) {
        0..=3 => zones::case(dice),
        4..=7 => databases::case(dice),
        _ => both(dice),
    }
}

fn both(dice: &mut Dice) -> Case {
    let (zones, databases) = (zones::case(dice), databases::case(dice));
    let mut world = databases.world;
    world["cloudflare"] = zones.world["cloudflare"].clone();
    world["dns"] = zones.world["dns"].clone();
    let regions = world["aws"]["accounts"][ACCOUNT]["regions"].as_object_mut().unwrap();
    for (name, region) in zones.world["aws"]["accounts"][ACCOUNT]["regions"].as_object().unwrap() {
        let into = regions.entry(name.clone()).or_insert_with(|| json!({}));
        into["elastic_ips"] = region["elastic_ips"].clone();
    }
    // The `environment` and `provider "aws"` blocks stand in both texts, before this line.
    let resources = |text: &str| text.split_once(RESOURCES).unwrap().1.to_owned();
    let join = |zones: &str, databases: &str| format!("{zones}\n{}", resources(databases));
    Case { world, first: join(&zones.first, &databases.first), second: join(&zones.second, &databases.second) }
}

/// The account of every world.
pub const ACCOUNT: &str = "111122223333";
/// The region of every world.
pub const REGION: &str = "eu-west-1";
/// Divides what every text begins with from its resources.
const RESOURCES: &str = "# resources\n";

/// What every text begins with.
fn head(dice: &mut Dice) -> String {
    let max_batch = dice.maybe(20, |dice| format!("  max_batch = {}\n", dice.number(1, 6))).unwrap_or_default();
    format!(
        "environment \"{ENVIRONMENT}\" {{}}\nprovider \"aws\" {{\n  region = \"{REGION}\"\n}}\nprovider \"cloudflare\" {{\n  api_token = env(\"TOKEN\")\n{max_batch}}}\n{RESOURCES}"
    )
}

/// An empty world.
fn empty_world() -> Json {
    json!({
        "format_version": 1,
        "id": "a random world",
        "now": "2026-11-05T09:00:00Z",
        "aws": {"accounts": {ACCOUNT: {"regions": {REGION: {}}}}},
    })
}
