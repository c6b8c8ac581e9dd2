//! The world file and its log.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::support::{self, aws, seconds};
use crate::model::Json;
use crate::world::rds::{Modify, Restore};
use crate::world::sim::{SimOptions, SimWorld};
use crate::world::{Readers, Writers};

fn put(json: &Json) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    // The bytes are not in the form that the tool writes, so that any writing shows.
    fs::write(&path, json.to_string()).unwrap();
    (folder, path)
}

fn log_of(path: &Path) -> PathBuf {
    path.with_file_name("world.json.log")
}

fn open(path: &Path) -> std::sync::Arc<SimWorld> {
    let world = SimWorld::open(path, SimOptions { seed: Some(1), pace: None }).unwrap();
    world.allow_time(true);
    world
}

async fn restore(world: &SimWorld, name: &str) {
    let settings = BTreeMap::from([("backup_retention_period".to_owned(), json!(0))]);
    let restore = Restore { identifier: name.to_owned(), snapshot: "rds:prod-db-2026-11-05-00-07".to_owned(), settings, tags: BTreeMap::new() };
    world.rds_writer(&aws()).await.unwrap().restore(&restore).await.unwrap();
}

#[tokio::test]
async fn a_session_without_a_write_leaves_the_file_as_it_is() {
    let (_folder, path) = put(&support::base());
    let before = fs::read(&path).unwrap();
    let world = open(&path);
    world.rds(&aws()).await.unwrap().instance("dev-db").await.unwrap().unwrap();
    world.clock().sleep(seconds(3_600)).await;
    world.close().unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(!log_of(&path).exists());
}

#[tokio::test]
async fn an_effect_outlives_a_kill_and_is_folded_by_the_next_writer() {
    let (_folder, path) = put(&support::base());
    let before = fs::read(&path).unwrap();
    let world = open(&path);
    restore(&world, "dev-db-next").await;
    world.clock().sleep(seconds(100)).await;
    restore(&world, "other-db").await;
    let killed = world.snapshot();
    drop(world);
    assert_eq!(fs::read(&path).unwrap(), before, "the file itself is written at the end only");

    let reader = SimWorld::open(&path, SimOptions { seed: Some(1), pace: None }).unwrap();
    assert_eq!(reader.snapshot(), killed);
    reader.close().unwrap();
    assert_eq!(fs::read(&path).unwrap(), before, "a reader folds in memory only");

    let writer = open(&path);
    writer.rds_writer(&aws()).await.unwrap().reboot("dev-db").await.unwrap();
    let last = writer.snapshot();
    writer.close().unwrap();
    assert!(!log_of(&path).exists());
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{last:#}\n"));
    assert_eq!(open(&path).snapshot(), last);
}

#[tokio::test]
async fn time_that_has_passed_after_a_write_outlives_a_kill() {
    let (_folder, path) = put(&support::base());
    let world = open(&path);
    restore(&world, "dev-db-next").await;
    world.clock().sleep(seconds(7_200)).await;
    let seen = world.rds(&aws()).await.unwrap().instance("dev-db-next").await.unwrap().unwrap();
    assert_eq!(seen.status, "available");
    drop(world);
    let next = open(&path);
    assert_eq!(next.rds(&aws()).await.unwrap().instance("dev-db-next").await.unwrap().unwrap(), seen, "what was seen is still so");
    // Who goes on with a run has written nothing yet, and yet what it sees is seen.
    let before = next.clock().now();
    next.keep_time();
    next.clock().sleep(seconds(60)).await;
    drop(next);
    let after = open(&path);
    assert_eq!(after.clock().now(), before + seconds(60));
    after.close().unwrap();
    assert!(!log_of(&path).exists(), "and is folded like any other change");
}

#[tokio::test]
async fn a_torn_last_line_does_not_count_and_is_written_over() {
    let (_folder, path) = put(&support::base());
    let world = open(&path);
    restore(&world, "dev-db-next").await;
    let good = world.snapshot();
    restore(&world, "other-db").await;
    drop(world);
    let log = fs::read(log_of(&path)).unwrap();
    fs::write(log_of(&path), &log[..log.len() - 20]).unwrap();
    let world = open(&path);
    assert_eq!(world.snapshot()["aws"], good["aws"]);
    restore(&world, "third-db").await;
    let then = world.snapshot();
    drop(world);
    assert_eq!(open(&path).snapshot(), then);
}

#[tokio::test]
async fn a_log_that_is_broken_inside_is_refused_with_its_line() {
    let (_folder, path) = put(&support::base());
    fs::write(log_of(&path), "{\"now\": 3}\n").unwrap();
    let error = SimWorld::open(&path, SimOptions::default()).err().unwrap();
    assert!(error.chain().contains("world.json.log:1"), "{error:?}");
}

#[tokio::test]
async fn garbage_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    for garbage in [&b""[..], b"\xff\xfe", b"{", b"[1]", b"{\"format_version\": 1, \"id\": \"x\", \"now\": \"yesterday\"}"] {
        fs::write(&path, garbage).unwrap();
        let error = SimWorld::open(&path, SimOptions::default()).err().unwrap();
        assert!(error.chain().contains("world.json:1"), "{error:?}");
        assert!(!error.help().is_empty());
        assert_eq!(fs::read(&path).unwrap(), garbage);
    }
    assert!(SimWorld::open(&folder.path().join("none"), SimOptions::default()).is_err());
    assert!(SimWorld::open(folder.path(), SimOptions::default()).is_err());
}

#[tokio::test]
async fn now_may_be_edited_while_a_log_lies_beside_the_file() {
    let (_folder, path) = put(&support::base());
    let world = open(&path);
    restore(&world, "dev-db-next").await;
    drop(world);
    let mut edited = support::base();
    edited["now"] = json!("2026-12-24T00:00:00Z");
    fs::write(&path, edited.to_string()).unwrap();
    let world = open(&path);
    assert_eq!(world.snapshot()["now"], "2026-12-24T00:00:00Z");
    let next = world.rds(&aws()).await.unwrap().instance("dev-db-next").await.unwrap().unwrap();
    assert_eq!(next.status, "available");
}

#[tokio::test]
async fn sessions_that_share_a_world_see_each_other() {
    let (_folder, path) = put(&support::base());
    let (old, new) = (open(&path), open(&path));
    restore(&old, "dev-db-next").await;
    assert!(new.rds(&aws()).await.unwrap().instance("dev-db-next").await.unwrap().is_some());
    restore(&new, "other-db").await;
    new.close().unwrap();
    restore(&old, "third-db").await;
    old.close().unwrap();
    let end = open(&path);
    for name in ["dev-db", "dev-db-next", "other-db", "third-db"] {
        assert!(end.rds(&aws()).await.unwrap().instance(name).await.unwrap().is_some(), "{name}");
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes() {
    let mut files = Vec::new();
    for seed in [5, 5, 6] {
        let (_folder, path) = put(&support::base());
        let world = SimWorld::open(&path, SimOptions { seed: Some(seed), pace: None }).unwrap();
        world.allow_time(true);
        restore(&world, "dev-db-next").await;
        world.clock().sleep(seconds(5_000)).await;
        let rename = Modify { identifier: "dev-db".to_owned(), new_identifier: Some("dev-db-old".to_owned()), ..Modify::default() };
        world.rds_writer(&aws()).await.unwrap().modify(&rename).await.unwrap();
        world.close().unwrap();
        files.push(fs::read(&path).unwrap());
    }
    assert_eq!(files[0], files[1]);
    assert_ne!(files[0], files[2]);
}

#[test]
fn the_examples_are_worlds_in_the_form_that_the_tool_writes() {
    for name in ["openverse", "gigadb"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("world.json");
        let world = SimWorld::open(&path, SimOptions::default()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{:#}\n", world.snapshot()), "{name}");
    }
}
