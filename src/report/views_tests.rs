//! The views of what is stored: status and runs.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::runs::{self, RunRow, RunsDoc};
use super::status::{self, Expected, Freshness, HoldStatus, LeftOver, LockStatus, StatusDoc, UnfinishedRun};
use crate::model::Phase;
use crate::review::{Style, sample::at};

fn quiet() -> StatusDoc {
    StatusDoc {
        environment: "gigadb".to_owned(),
        now: at("2026-11-05T13:04:05Z"),
        offline: false,
        unfinished: Vec::new(),
        lock: None,
        holds: Vec::new(),
        freshness: Vec::new(),
        left_overs: Vec::new(),
        errors: Vec::new(),
    }
}

fn busy() -> StatusDoc {
    StatusDoc {
        environment: "staging".to_owned(),
        unfinished: vec![UnfinishedRun {
            run: "staging-20261105-0912-k3v9".to_owned(),
            started: at("2026-11-05T12:20:00Z"),
            actor: "github:ana".to_owned(),
            phase: Some(Phase::Prepare),
            steps: 13,
            done: 2,
            undone: 0,
            in_flight: vec!["database.dev-openverse-db/restore".to_owned()],
            outages: BTreeMap::new(),
            outages_expected_seconds: BTreeMap::new(),
            expected: Some(Expected { seconds: 4_020, basis: "partly a guess".to_owned() }),
            turning_back: false,
            next: "it waits for dev-openverse-db-next to become available".to_owned(),
        }],
        lock: Some(LockStatus {
            name: "env:staging".to_owned(),
            run: "staging-20261105-0912-k3v9".to_owned(),
            holder: "github:ana".to_owned(),
            host: "runner-7".to_owned(),
            started: at("2026-11-05T12:20:00Z"),
            heartbeat: at("2026-11-05T12:41:10Z"),
            expires: at("2026-11-05T12:42:10Z"),
            expired: true,
            gone: false,
        }),
        holds: vec![HoldStatus {
            address: "dns_zone[\"openverse.org\"]".to_owned(),
            reason: "the mail servers are being moved (Ben), until 2026-11-20 23:59 UTC".to_owned(),
            until: Some(at("2026-11-20T23:59:59Z")),
        }],
        freshness: vec![
            Freshness {
                address: "database.dev-openverse-db".to_owned(),
                data_from: Some(at("2026-10-01T00:07:00Z")),
                age_seconds: Some(35 * 86_400 + 46_000),
                due: Some(at("2026-11-01T00:00:00Z")),
                overdue: true,
                note: Some("from rds:prod-openverse-db-2026-10-01-00-07".to_owned()),
            },
            Freshness {
                address: "database.other".to_owned(),
                data_from: Some(at("2026-11-05T00:07:00Z")),
                age_seconds: Some(46_000),
                due: Some(at("2026-12-01T00:00:00Z")),
                overdue: false,
                note: None,
            },
        ],
        left_overs: vec![LeftOver {
            name: "instance dev-openverse-db-next".to_owned(),
            run: Some("staging-20261001-0000-aaaa".to_owned()),
            kept_until: None,
            kept: false,
            help: "the next plan adopts it or removes it, visibly".to_owned(),
        }],
        errors: vec!["cannot read dns_zone[\"x\u{1b}[2J\"]: it was throttled".to_owned()],
        ..quiet()
    }
}

#[test]
fn status_of_a_busy_and_a_quiet_environment() {
    assert_snapshot!(status::text(&[busy(), quiet()], &Style::plain(100)), @r#"
    staging: needs a look; 1 resource due for a refresh
      unfinished  staging-20261105-0912-k3v9: in prepare; 2 of 13 steps done, 0 undone, 1 in flight;
                  begun 44m 5s ago by github:ana
                  in flight: database.dev-openverse-db/restore
                  about 1h 7m once it goes on, partly a guess
                  next: it waits for dev-openverse-db-next to become available
                  switchover resume staging
                  switchover rollback staging
      locked      env:staging by github:ana on runner-7 for run staging-20261105-0912-k3v9, since
                  2026-11-05 12:20 UTC, last heard 2026-11-05T12:41:10Z; its lease ended 2026-11-05
                  12:42 UTC
      held        dns_zone["openverse.org"]: the mail servers are being moved (Ben), until 2026-11-20
                  23:59 UTC
      freshness   database.dev-openverse-db: data is 35 days old; due since 2026-11-01 00:00 UTC (from
                  rds:prod-openverse-db-2026-10-01-00-07)
      freshness   database.other: data is 12h 46m old; next due 2026-12-01 00:00 UTC, in 25 days
      left over   instance dev-openverse-db-next of run staging-20261001-0000-aaaa: the next plan
                  adopts it or removes it, visibly
      unknown     cannot read dns_zone["x\u001b[2J"]: it was throttled

    gigadb: quiet: no unfinished run, no lock
    "#);
}

/// At the time of the lock's last word, and in its outage.
fn under_way(seconds: u64) -> StatusDoc {
    let mut doc = StatusDoc { freshness: Vec::new(), left_overs: Vec::new(), holds: Vec::new(), errors: Vec::new(), ..busy() };
    doc.now = at("2026-11-05T12:41:40Z");
    doc.lock.as_mut().unwrap().expired = false;
    let run = &mut doc.unfinished[0];
    run.phase = Some(Phase::Switch);
    run.done = 7;
    run.in_flight = vec!["database.dev-openverse-db/rename-old".to_owned()];
    run.outages.insert("dev-openverse-db".to_owned(), at("2026-11-05T12:40:00Z"));
    run.outages_expected_seconds.insert("dev-openverse-db".to_owned(), 480);
    run.expected = Some(Expected { seconds, basis: "as earlier runs took".to_owned() });
    doc
}

#[test]
fn a_run_under_way_tells_how_long_it_is_expected_to_take() {
    assert_snapshot!(status::text(&[under_way(1_500)], &Style::plain(100)), @"
    staging: a run is under way, in an outage
      running     staging-20261105-0912-k3v9: in switch; 7 of 13 steps done, 0 undone, 1 in flight;
                  begun 21m 40s ago by github:ana
                  in flight: database.dev-openverse-db/rename-old
                  dev-openverse-db is in its outage since 2026-11-05 12:40 UTC, 1m 40s of about 8m
                  about 25m left, as earlier runs took
      locked      env:staging by github:ana on runner-7 for run staging-20261105-0912-k3v9, since
                  2026-11-05 12:20 UTC, last heard 2026-11-05T12:41:10Z; its lease lasts until
                  2026-11-05T12:42:10Z
    ");
    let late = status::text(&[under_way(0)], &Style::plain(100));
    assert!(late.contains("\n              takes longer than expected\n"), "{late}");
}

#[test]
fn status_as_data() {
    let text = status::json(&[busy()]);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value[0]["unfinished"][0]["phase"], "prepare");
    assert_eq!(value[0]["lock"]["expired"], true);
    assert_eq!(value[0]["freshness"][0]["due"], "2026-11-01T00:00:00Z");
    assert!(text.ends_with("]\n") && !text.contains('\u{1b}'));
}

fn row(run: &str, mode: &str, exit_code: Option<u8>, outage_seconds: u64) -> RunRow {
    RunRow {
        outage_open: false,
        run: run.to_owned(),
        started: at("2026-11-05T12:20:00Z"),
        elapsed_seconds: 3_979,
        actor: "github:ana".to_owned(),
        mode: mode.to_owned(),
        exit_code,
        steps: 13,
        done: 13,
        undone: if exit_code == Some(4) { 6 } else { 0 },
        outage_seconds,
    }
}

#[test]
fn history_is_a_table_or_a_sentence() {
    let runs = vec![
        row("staging-20261105-0912-k3v9", "resume", None, 0),
        row("staging-20261001-0912-p2m4", "apply", Some(0), 432),
        row("staging-20260901-0912-q8x1", "apply", Some(4), 391),
        row("staging-20260801-0912-c5c5", "rollback", Some(0), 0),
    ];
    assert_snapshot!(runs::text(&RunsDoc { environment: "staging".to_owned(), runs: runs.clone() }, &Style::plain(120)), @"
    run                         began                  took  how it ended              steps  outage  by
    staging-20261105-0912-k3v9  2026-11-05 12:20 UTC  1h 6m  unfinished                13/13       -  github:ana
    staging-20261001-0912-p2m4  2026-11-05 12:20 UTC  1h 6m  done                      13/13  7m 12s  github:ana
    staging-20260901-0912-q8x1  2026-11-05 12:20 UTC  1h 6m  failed, turned back  13/13 (-6)  6m 31s  github:ana
    staging-20260801-0912-c5c5  2026-11-05 12:20 UTC  1h 6m  turned back               13/13       -  github:ana
    ");
    assert_snapshot!(runs::text(&RunsDoc { environment: "staging".to_owned(), runs: Vec::new() }, &Style::plain(120)), @"No runs of staging are in the journal.");
    let value: serde_json::Value = serde_json::from_str(&runs::json(&RunsDoc { environment: "staging".to_owned(), runs })).unwrap();
    assert_eq!(value["runs"][1]["exit_code"], 0);
}
