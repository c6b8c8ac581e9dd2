//! A colleague who helps by hand in the middle of a run: renames, deletes, changes or tags an instance, deletes the snapshot, makes an instance of
//! the name that we want, changes a record, releases an address. Wherever that falls, the run ends declared, as it was, or with words that can be
//! followed; following them, and planning again, ends declared; and what the colleague made is never harmed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value as Json, json};
use switchover::world::sim::Fault;

use super::scenes::{self, Example};
use super::shell;
use super::stage::{Ran, Stage, Straight, Way, every, straight};

const DEV: &str = "dev-openverse-db";
const SNAPSHOT: &str = "rds:prod-openverse-db-2026-11-05-00-07";
const FOREIGN: &str = "db-FOREIGNFOREIGNFOREIGNFORE";

/// What somebody does, and how it is put right when the report asks for it.
struct Hand {
    name: &'static str,
    example: fn() -> Example,
    /// Does it; false where there is nothing to do it to.
    does: fn(&mut Json) -> bool,
    /// Puts it right, as far as that can be.
    mends: fn(&mut Json),
    /// What must still be there, untouched, whatever the run did.
    keeps: fn(&Json) -> bool,
}

fn region(world: &mut Json) -> &mut Json {
    &mut world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]
}

fn all(world: &mut Json) -> &mut serde_json::Map<String, Json> {
    region(world)["instances"].as_object_mut().unwrap()
}

/// The instance of this name that is at rest: what is being changed already is nobody's to change.
fn called<'a>(world: &'a mut Json, name: &str) -> Option<&'a mut Json> {
    all(world).values_mut().find(|one| one["identifier"] == name && one.get("phases").is_none())
}

fn id_of(world: &mut Json, name: &str) -> Option<String> {
    all(world).iter().find(|(_, one)| one["identifier"] == name).map(|(id, _)| id.clone())
}

fn rename(world: &mut Json, from: &str, to: &str) -> bool {
    called(world, from).map(|one| one["identifier"] = json!(to)).is_some()
}

/// A foreign instance like production's, under another name.
fn make(world: &mut Json, name: &str) -> bool {
    if id_of(world, name).is_some() || all(world).contains_key(FOREIGN) {
        return false;
    }
    let mut foreign = all(world).values().find(|one| one["identifier"] == "prod-openverse-db").unwrap().clone();
    foreign["identifier"] = json!(name);
    foreign["tags"] = json!({ "Name": "mine" });
    foreign.as_object_mut().unwrap().remove("snapshot_schedule");
    all(world).insert(FOREIGN.to_owned(), foreign);
    true
}

fn foreign_is_whole(world: &Json) -> bool {
    let mut world = world.clone();
    all(&mut world).get(FOREIGN).is_some_and(|one| one["tags"] == json!({ "Name": "mine" }) && one.get("phases").is_none())
}

fn anything(_: &Json) -> bool {
    true
}

fn nothing(_: &mut Json) {}

fn zone<'a>(world: &'a mut Json, name: &str) -> &'a mut serde_json::Map<String, Json> {
    let zones = world["cloudflare"]["zones"].as_object_mut().unwrap();
    zones.values_mut().find(|zone| zone["name"] == name).unwrap()["records"].as_object_mut().unwrap()
}

fn record<'a>(world: &'a mut Json, name: &str) -> Option<&'a mut Json> {
    zone(world, "gigadb.org").values_mut().find(|record| record["name"] == name && record["type"] == "A")
}

fn database_hands() -> Vec<Hand> {
    let hand = |name, does, mends, keeps| Hand { name, example: scenes::refresh, does, mends, keeps };
    vec![
        hand(
            "the newest snapshot is deleted",
            |world| {
                let snapshots = region(world)["snapshots"].as_object_mut().unwrap();
                snapshots.remove(SNAPSHOT).is_some()
            },
            nothing,
            anything,
        ),
        hand("the staging instance is renamed", |world| rename(world, DEV, "dev-by-hand"), |world| _ = rename(world, "dev-by-hand", DEV), anything),
        hand("the staging instance is deleted", |world| id_of(world, DEV).is_some_and(|id| all(world).remove(&id).is_some()), nothing, anything),
        hand(
            "the staging instance is modified",
            |world| called(world, DEV).map(|one| one["settings"]["multi_az"] = json!(true)).is_some(),
            |world| _ = called(world, DEV).map(|one| one["settings"]["multi_az"] = json!(false)),
            anything,
        ),
        hand(
            "the staging instance is tagged",
            |world| called(world, DEV).map(|one| one["tags"]["Team"] = json!("ours")).is_some(),
            nothing,
            anything,
        ),
        hand("an instance of the next name is made", |world| make(world, "dev-openverse-db-next"), move_away, foreign_is_whole),
        hand("an instance of the old name is made", |world| make(world, "dev-openverse-db-old"), move_away, foreign_is_whole),
        hand(
            "the new instance is deleted",
            |world| id_of(world, "dev-openverse-db-next").is_some_and(|id| all(world).remove(&id).is_some()),
            nothing,
            anything,
        ),
        hand(
            "the new instance is renamed",
            |world| rename(world, "dev-openverse-db-next", "next-by-hand"),
            |world| _ = rename(world, "next-by-hand", "dev-openverse-db-next"),
            anything,
        ),
        hand(
            "the old instance is deleted",
            |world| id_of(world, "dev-openverse-db-old").is_some_and(|id| all(world).remove(&id).is_some()),
            nothing,
            anything,
        ),
        hand(
            "the old instance is renamed away",
            |world| rename(world, "dev-openverse-db-old", "old-by-hand"),
            |world| _ = rename(world, "old-by-hand", "dev-openverse-db-old"),
            anything,
        ),
    ]
}

fn move_away(world: &mut Json) {
    if let Some(one) = all(world).get_mut(FOREIGN) {
        one["identifier"] = json!("mine");
    }
}

fn zone_hands() -> Vec<Hand> {
    let hand = |name, does, mends| Hand { name, example: scenes::swap, does, mends, keeps: anything };
    vec![
        hand(
            "a record is changed",
            |world| record(world, "gigadb.org").map(|record| record["content"] = json!("192.0.2.99")).is_some(),
            |world| {
                if let Some(record) = record(world, "gigadb.org").filter(|record| record["content"] == "192.0.2.99") {
                    record["content"] = json!("203.0.113.10");
                }
            },
        ),
        hand(
            "a record is deleted",
            |world| {
                let records = zone(world, "gigadb.org");
                let id = records.iter().find(|(_, record)| record["name"] == "files.gigadb.org").map(|(id, _)| id.clone());
                id.is_some_and(|id| records.remove(&id).is_some())
            },
            |world| {
                if record(world, "files.gigadb.org").is_none() {
                    let mut again = record(world, "bastion.gigadb.org").unwrap().clone();
                    (again["name"], again["content"]) = (json!("files.gigadb.org"), json!("203.0.113.12"));
                    zone(world, "gigadb.org").insert("e".repeat(32), again);
                }
            },
        ),
        hand(
            "a second record of a name is made",
            |world| {
                let Some(mut second) = record(world, "bastion.gigadb.org").cloned() else { return false };
                second["content"] = json!("192.0.2.98");
                zone(world, "gigadb.org").insert("f".repeat(32), second).is_none()
            },
            |world| {
                zone(world, "gigadb.org").remove(&"f".repeat(32));
            },
        ),
        hand(
            "an address is released",
            |world| {
                let regions = world["aws"]["accounts"]["444455556666"]["regions"]["ap-southeast-2"]["elastic_ips"].as_object_mut().unwrap();
                regions.remove("eipalloc-18e399738e5e1491c").is_some()
            },
            |world| {
                let regions = world["aws"]["accounts"]["444455556666"]["regions"]["ap-southeast-2"]["elastic_ips"].as_object_mut().unwrap();
                let address = json!({ "name": "eip-gigadb-live-gigadbalt", "public_ip": "198.51.100.10" });
                regions.insert("eipalloc-18e399738e5e1491c".to_owned(), address);
            },
        ),
    ]
}

/// The hand comes just before the first call from this one on at which there is anything for it to do.
async fn helped_at(hand: &Hand, at: u64) -> (Stage, Ran, bool) {
    let stage = Stage::new((hand.example)()).await;
    let (first, does) = (stage.calls() + at, hand.does);
    let (world, done) = (Arc::downgrade(&stage.world), Arc::new(AtomicBool::new(false)));
    let told = Arc::clone(&done);
    stage.world.set_hook(Box::new(move |info| {
        if info.number >= first && !done.load(Ordering::SeqCst) {
            world.upgrade()?.edit(|json| done.store(does(json), Ordering::SeqCst)).unwrap();
        }
        None
    }));
    let ran = stage.run(Way::New).await;
    stage.world.clear_hook();
    let helped = told.load(Ordering::SeqCst);
    (stage, ran, helped)
}

/// The run halts at this call, since its credentials have expired; then comes the hand, and then the run goes on.
async fn helped_between(hand: &Hand, at: u64) -> Option<(Stage, Ran, bool)> {
    let stage = Stage::new((hand.example)()).await;
    let first = stage.calls() + at;
    let expired = || Fault::Denied { code: "ExpiredToken".to_owned(), message: String::new() };
    stage.world.set_hook(Box::new(move |info| (info.number >= first && info.call != "dns:query").then(expired)));
    stage.run(Way::New).await;
    stage.world.clear_hook();
    if !stage.is_journaled().await {
        return None;
    }
    let mut helped = false;
    stage.world.edit(|json| helped = (hand.does)(json)).unwrap();
    let ran = stage.run(Way::On).await;
    Some((stage, ran, helped))
}

/// Does what the report says, and nothing else.
async fn obey(stage: &Stage, hand: &Hand, ran: &Ran, cell: &str) {
    let needs = ran.needs();
    assert!(!needs.is_empty(), "{cell}: a person is needed and is not told for what: {:?}", ran.summary);
    stage.world.edit(hand.mends).unwrap();
    let way = if needs.contains("`switchover resume") { Some(Way::On) } else { needs.contains("`switchover rollback").then_some(Way::Back) };
    if let Some(way) = way {
        let again = stage.run(way).await;
        assert!([0, 4, 5, 6].contains(&again.code()), "{cell}: {needs}\n{:?}", again.summary);
    }
}

/// What became of one hand at all its moments.
#[derive(Default)]
struct Ends {
    tried: u64,
    codes: BTreeMap<u8, u64>,
    told: BTreeSet<String>,
}

impl Ends {
    async fn add(&mut self, hand: &Hand, stage: &Stage, ran: &Ran, moment: &str) {
        let cell = format!("{}, {moment}: exit {}", hand.name, ran.code());
        self.tried += 1;
        *self.codes.entry(ran.code()).or_default() += 1;
        let keeps = |when: &str| assert!((hand.keeps)(&stage.world.snapshot()), "{cell}: what somebody made by hand is harmed {when}");
        keeps("by the run");
        assert!([0, 1, 4, 5, 6].contains(&ran.code()), "{cell}: {:?}", ran.summary);
        if ran.code() == 5 {
            self.told.insert(ran.needs());
            obey(stage, hand, ran, &cell).await;
        }
        keeps("by going on");
        // What is left in the way of planning is the colleague's; planning tells it by name, and it is put right here.
        stage.world.edit(hand.mends).unwrap();
        stage.converge(&cell).await;
        keeps("by the next run");
    }
}

async fn prove(hands: Vec<Hand>) {
    for hand in hands {
        let Straight { calls, .. } = straight((hand.example)()).await;
        let mut ends = Ends::default();
        for at in (1..=calls).step_by(every(5)) {
            let (stage, ran, helped) = helped_at(&hand, at).await;
            if helped {
                ends.add(&hand, &stage, &ran, &format!("at call {at} of {calls}")).await;
            }
            if let Some((stage, ran, true)) = helped_between(&hand, at).await {
                ends.add(&hand, &stage, &ran, &format!("between a halt at call {at} of {calls} and its resumption")).await;
            }
        }
        println!("{}: {} moments, ends by exit code {:?}", hand.name, ends.tried, ends.codes);
        for needs in &ends.told {
            println!("    a person is told: {needs}");
        }
        assert!(ends.tried > 0, "{}: it never came to that", hand.name);
    }
}

#[tokio::test]
async fn a_refresh_bears_a_helping_hand_at_any_moment() {
    prove(database_hands()).await;
}

#[tokio::test]
async fn a_swap_bears_a_helping_hand_at_any_moment() {
    prove(zone_hands()).await;
}

#[test]
fn a_snapshot_that_is_gone_when_the_plan_is_applied_makes_it_stale() {
    let bench = shell::quick();
    bench.run(&["plan", "staging", "--out", "plan.json"]).exits(0);
    bench.change_world(|world| {
        let snapshots = region(world)["snapshots"].as_object_mut().unwrap();
        assert!(snapshots.remove(SNAPSHOT).is_some());
    });
    let before = bench.read("world.json");
    bench.run(&["apply", "plan.json"]).exits(6).says(SNAPSHOT).says("switchover plan staging");
    assert_eq!(bench.read("world.json"), before);
    // The next newest is as good.
    let instances = shell::instances(&bench);
    bench.run(&["apply", "staging", "--yes"]).exits(0);
    shell::is_declared(&bench, &instances);
}
