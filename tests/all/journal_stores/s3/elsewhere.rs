//! A run begun on one machine goes on on another, with nothing but the environment's file and the bucket.

use serde_json::{Value, json};

use super::arena::{Bucket, SECRET, moto, twin};
use crate::cli::bench::{Bench, Said};

fn with_keys(bench: Bench, url: &str) -> Bench {
    bench.variable("TEAM_JOURNAL", url).variable("AWS_ACCESS_KEY_ID", "AKIATEST").variable("AWS_SECRET_ACCESS_KEY", SECRET)
}

/// Two machines: on the first a run died in the middle of its outage, the second has the environment's file alone.
struct Machines {
    bucket: Bucket,
    here: Bench,
    there: Bench,
    world: String,
}

impl Machines {
    async fn begun(bucket: Bucket) -> Self {
        let url = bucket.url(bucket.port);
        let here = with_keys(Bench::openverse(), &url);
        here.edit("environments/staging.hcl", "environment \"staging\" {", "environment \"staging\" {\n  journal = env(\"TEAM_JOURNAL\")");
        here.change_world(|world| {
            world["faults"] = json!([{ "call": "rds:ModifyDBInstance", "nth": 2, "times": 1, "fault": { "kind": "crash", "when": "after" } }]);
        });
        here.run(&["plan", "staging", "--out", "plan.json"]).exits(0).never_says(SECRET);
        assert!(bucket.keys("team").await.is_empty(), "planning writes nothing");
        assert_eq!(here.run(&["apply", "plan.json", "-vv"]).never_says(SECRET).code, -1);
        assert!(!here.path(".switchover").exists(), "nothing of the run is left on the machine");
        // As if the process had died on a machine that nobody here can look into.
        bucket
            .change_locks(|held| {
                (held["holder"]["host"], held["holder"]["boot"]) = (json!("runner-7"), json!("another"));
            })
            .await;
        let there = with_keys(Bench::new("staging", &here.read("environments/staging.hcl"), ""), &url);
        let world = here.path("world.json").display().to_string();
        Machines { bucket, here, there, world }
    }

    fn there(&self, args: &[&str]) -> Said {
        self.there.run(&[args, &["--world", &self.world]].concat()).never_says(SECRET)
    }

    async fn resumes(self) {
        self.there(&["status", "staging", "--offline"]).says("is in its outage since").says("runner-7");
        self.there(&["runs", "staging"]).exits(0).says("unfinished").says("tester");
        self.there(&["resume", "staging"]).exits(7).says("is locked by tester on runner-7");
        self.bucket.change_locks(|held| held["length_ms"] = json!(0)).await;
        self.there(&["resume", "staging"]).exits(0).says("staging: DONE").says("outage dev-openverse-db");
        assert!(!self.there.path(".switchover").exists() && !self.there.path("plan.json").exists());
        let run = self.there(&["runs", "staging", "--json"]).exits(0).json()["runs"][0]["run"].as_str().unwrap().to_owned();
        self.there(&["runs", "staging", &run]).exits(0).says("DONE");
        // Where it began everybody sees the same, and the plan is used up.
        self.here.run(&["resume", "staging"]).exits(0).says("Nothing to resume");
        self.here.run(&["apply", "plan.json"]).exits(6);
        self.here.run(&["plan", "staging", "--detailed-exitcode"]).exits(0);
    }
}

impl Bucket {
    /// Changes whose every lock is, in its last generation.
    async fn change_locks(&self, change: impl Fn(&mut Value)) {
        for key in self.keys("team/journal/locks").await {
            let mut lock: Value = serde_json::from_slice(&self.read(&key).await).unwrap();
            if !lock["held"].is_null() {
                change(&mut lock["held"]);
                self.write(&key, lock.to_string().into_bytes()).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_begun_on_one_machine_is_resumed_on_another() {
    Machines::begun(twin().await.unwrap()).await.resumes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_moto_a_run_begun_on_one_machine_is_resumed_on_another() {
    if let Some(bucket) = moto().await {
        Machines::begun(bucket).await.resumes().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_begun_on_one_machine_is_unlocked_and_turned_back_on_another() {
    let machines = Machines::begun(twin().await.unwrap()).await;
    machines.there(&["rollback", "staging", "--yes"]).exits(7);
    machines.there(&["unlock", "staging", "--yes"]).exits(0).says("runner-7").says("staging is unlocked");
    machines.there(&["rollback", "staging", "--yes"]).exits(0).says("TURNED BACK");
    machines.here.run(&["status", "staging", "--offline"]).exits(0);
    machines.here.run(&["plan", "staging", "--detailed-exitcode"]).exits(2);
}

#[test]
fn a_journal_that_cannot_be_used_says_why_and_shows_no_secret() {
    let unsigned = Bench::openverse();
    for (url, word) in [
        ("s3://AKIA:planted@bucket/x", "credentials do not belong"),
        ("s3://bucket/x?endpoint=http://minio.example:9000", "allow_http"),
        ("s3://bucket/x?planted=planted", "the URL of the journal is wrong"),
        // Nobody listens on the discard port.
        ("s3://bucket/x?endpoint=http://127.0.0.1:9&region=eu-west-1&profile=planted", "credentials"),
    ] {
        // Without the SDKs there are no profiles; with them there is none of that name.
        let said = unsigned.run(&["runs", "staging", "--journal", url]).exits(1);
        assert!(!url.contains(":planted@") || !format!("{said:?}").contains("planted"), "{said:?}");
        said.says(word);
    }
}
