//! A plan as a comment on a pull request, through the whole pipeline: what a reviewer reads first, in every kind of plan.

use std::fmt::Write as _;

use serde_json::json;

use super::bench::Bench;

/// GitHub's limit of one comment. Bytes are counted: no measure finds more.
const BUDGET: usize = 65_536;

fn comment(bench: &Bench, environment: &str, exit: i32) -> String {
    let page = bench.run(&["plan", environment, "--seed", "1", "--format", "markdown"]).exits(exit).out;
    assert!(page.len() <= BUDGET && page.encode_utf16().count() <= BUDGET, "{} bytes", page.len());
    assert_eq!(page.matches("<details>").count(), page.matches("</details>").count(), "{page}");
    page
}

/// What is read before anything is unfolded.
fn head(page: &str) -> &str {
    page.split("<details>").next().unwrap()
}

#[test]
fn nothing_to_do() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes", "--seed", "1"]).exits(0);
    insta::assert_snapshot!(comment(&bench, "staging", 0), @"
    ## Switchover: `staging`

    **No changes.** What is declared, and not held, is there.

    Run `20261105-125800-783e45`, digest `sha256:728f9be3ec5b`

    <details><summary>Changes, steps and facts</summary>

    ```diff
    No changes. Everything is as declared.  (environment staging)

    Left as it is

      # database.dev-openverse-db has no changes  (environments/staging.hcl:19:1)
      #    next due: 2026-12-01 00:00 UTC
    ```

    </details>
    ");
}

#[test]
fn one_swap() {
    let bench = Bench::gigadb();
    bench.edit("environments/gigadb.hcl", "live = \"hk\"\n", "live = \"sydney\"\n");
    insta::assert_snapshot!(comment(&bench, "gigadb", 0), @"");
}

#[test]
fn a_refresh_with_an_outage() {
    let bench = Bench::openverse();
    insta::assert_snapshot!(comment(&bench, "staging", 0), @r#"
    ## Switchover: `staging`

    **Plan: 1 to add, 0 to change, 1 to destroy.**

    1 resource to change in 17 steps, about 2h 9m; outage of dev-openverse-db, about 8m; 1 thing cannot be undone.

    - **Outage** of `dev-openverse-db`: about 8m, steps 13 and 14
    - :warning: **Cannot be undone**: dev-openverse-db-old \(db-B5NM6QWERT7YUIOPLKJHGFDSA2\) is deleted without a last snapshot, its automated backups too (step 17)
    - Replace `database.dev-openverse-db`: data is 34 days old; due since 2026-11-01 \(monthly\)

    Run `20261105-090000-01415f`, digest `sha256:8216f343a8d9`

    <details><summary>Changes, steps and facts</summary>

    ```diff
    staging: 1 resource to change in 17 steps, about 2h 9m; outage of dev-openverse-db, about 8m; 1 thing cannot
      be undone
    Plan: 1 to add, 0 to change, 1 to destroy.

      outage     dev-openverse-db: about 8m, steps 13 and 14
      for good   dev-openverse-db-old (db-B5NM6QWERT7YUIOPLKJHGFDSA2) is deleted without a last snapshot, its
                 automated backups too, step 17

    Changes  ~ update in-place   +/- create replacement and then destroy

      # 1. database.dev-openverse-db must be replaced  (environments/staging.hcl:19:1)
      #    because: data is 34 days old; due since 2026-11-01 (monthly)
      #    note: engine version, encryption key and all logins, the master user's too, come with the data of
             prod-openverse-db
    !+/- database "dev-openverse-db" {
    !       snapshot      = "rds:prod-openverse-db-2026-10-02-00-07" -> "rds:prod-openverse-db-2026-11-05-00-07"
    !       snapshot_time = "2026-10-02T00:07:00Z" -> "2026-11-05T00:07:00Z"
        }

    Steps  in this order; those that do not wait for one another run side by side
                                                                                                  about    at most
      prepare  new beside old: nothing that users see changes
        1  tag dev-openverse-db as ours, so that it is known again once it is renamed                1s        15m
           undo: put back the tags there were
        2  the snapshot rds:prod-openverse-db-2026-11-05-00-07 is complete                           0s         4h
        3  restore dev-openverse-db-next from rds:prod-openverse-db-2026-11-05-00-07                45m         4h
           (2026-11-05 00:07 UTC)
           undo: delete dev-openverse-db-next, its protection lifted first
        4  wait for the first backup of dev-openverse-db-next                                        1h        24h
        5  set what the restore could not set of dev-openverse-db-next                               5m        24h
           undo: nothing of its own: dev-openverse-db-next is deleted as a whole
        6  restart dev-openverse-db-next, only if a parameter group waits for that                   0s        30m
           undo: nothing of its own: dev-openverse-db-next is deleted as a whole
        7  wait until dev-openverse-db-next is available for its tests                               0s        24h
        8  tag dev-openverse-db-next: from here on it may be scrubbed                                1s        15m
           undo: nothing of its own: dev-openverse-db-next is deleted as a whole
      verify  proof; if it fails, what was made is removed and nothing has happened
        9  compare every setting and tag of dev-openverse-db-next with what it must be               5s        15m
       10  scrub dev-openverse-db-next in one transaction (2 scripts)                                1m         1h
           undo: nothing of its own: dev-openverse-db-next is deleted as a whole
       11  check: OAuth applications are gone (= 0)                                                  5s        15m
       12  check: images came along (≥ 1000000)                                                      5s        15m
           starts after 10
      switch  the moment that users can notice
     ┏━ outage of dev-openverse-db begins, about 8m
     ┃ 13  rename dev-openverse-db to dev-openverse-db-old                                           4m        30m
     ┃     undo: rename dev-openverse-db-old back to dev-openverse-db
     ┃ 14  rename dev-openverse-db-next to dev-openverse-db                                          4m        30m
     ┃     undo: rename the new dev-openverse-db back to dev-openverse-db-next; what was written to it since is
     ┃     lost
     ┗━ outage of dev-openverse-db ends
      confirm  proof; if it fails, everything is switched back
       15  the new instance has the name dev-openverse-db, and its endpoint too                      0s        30m
       16  dev-openverse-db answers a query                                                          5s        15m
      retire  only when nothing will be turned back any more
       17  delete dev-openverse-db-old without a last snapshot, its automated backups too           10m         2h
           cannot be undone: dev-openverse-db-old (db-B5NM6QWERT7YUIOPLKJHGFDSA2) is deleted without a last
           snapshot, its automated backups too

    Relied on  a step stops when its own have changed
      made in openverse-example, aws 111122223333/us-east-1
      database.dev-openverse-db
        dev-openverse-db: identity, status, settings, tags    resource_id db-B5NM6QWERT7YUIOPLKJHGFDSA2, settings
                                                              allocated_storage 3000, auto_minor_version_upgrade
                                                              true, availabili…
        dev-openverse-db: pending modifications               modifications , reboot false
        newest snapshot of prod-openverse-db:                 created 2026-11-05T00:07:00Z, identifier
        rds:prod-openverse-db-2026-11-05-00-07                rds:prod-openverse-db-2026-11-05-00-07, instance
                                                              prod-openverse-db
        no other instance is called dev-openverse-db-next     true
        no other instance is called dev-openverse-db-old      true

    This plan is not saved. Save it for review, or plan again and apply now:
      switchover plan staging --out plans/staging.json
      switchover apply staging

    Made 2026-11-05 09:00 UTC by switchover 0.1.0; run 20261105-090000-01415f;
      sha256:8216f343a8d91f27af78f3ecb0f5944eab3387219ea9c9efddfbc1539fbafdb0
    ```

    </details>
    "#);
}

#[test]
fn a_refresh_whose_times_are_known() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes", "--seed", "1"]).exits(0);
    let page = bench.run(&["plan", "staging", "--seed", "1", "--format", "markdown", "--refresh", "database.dev-openverse-db"]).exits(0).out;
    insta::assert_snapshot!(head(&page), @r"
    ## Switchover: `staging`

    **Plan: 1 to add, 0 to change, 1 to destroy.**

    1 resource to change in 17 steps, about 3h 58m; outage of dev-openverse-db, about 8m; 1 thing cannot be undone.

    - **Outage** of `dev-openverse-db`: 8m, as in the last run, steps 13 and 14
    - :warning: **Cannot be undone**: dev-openverse-db-old \(db-HENOHPFTKJTVZLVG0C5RUPTIY8\) is deleted without a last snapshot, its automated backups too (step 17)
    - Replace `database.dev-openverse-db`: a refresh was asked for with --refresh

    Run `20261105-125800-f60b6e`, digest `sha256:f42bddf076e2`
    ");
    assert!(page.contains("as in the last run"), "{page}");
}

/// A zone of 320 records of which 300 change, each with a text of some length.
fn many_records(length: usize) -> Bench {
    let mut hcl = "environment \"site\" {}\nprovider \"cloudflare\" {\n  api_token = env(\"CLOUDFLARE_API_TOKEN\")\n  plan = \"pro\"\n}\n".to_owned();
    hcl.push_str("dns_zone \"example.org\" {\n  provider = cloudflare\n  safety { max_updates = \"100%\" }\n");
    let mut records = serde_json::Map::new();
    for number in 0..320 {
        let (before, after) = (format!("{}-old-{number}", "a".repeat(length)), format!("{}-new-{number}", "a".repeat(length)));
        let after = if number < 300 { &after } else { &before };
        let _ = writeln!(hcl, "  record \"TXT\" \"host-{number}.example.org\" {{ value = \"{after}\" }}");
        let id = format!("{number:032x}");
        records.insert(id, json!({ "type": "TXT", "name": format!("host-{number}.example.org"), "content": before, "ttl": 1 }));
    }
    hcl.push_str("}\n");
    let bench = Bench::new("site", &hcl, "");
    let mut world: serde_json::Value = serde_json::from_str(&Bench::gigadb().read("world.json")).unwrap();
    let zones = world["cloudflare"]["zones"].as_object_mut().unwrap();
    let (_, mut zone) = zones.clone().into_iter().next().unwrap();
    zone["name"] = json!("example.org");
    zone["records"] = records.into();
    zones.clear();
    zones.insert("023e105f4ecef8ad9ca31a8372d0c353".to_owned(), zone);
    bench.write("world.json", &world.to_string());
    bench
}

#[test]
fn three_hundred_changes_over_the_budget() {
    let page = comment(&many_records(100), "site", 0);
    insta::assert_snapshot!(head(&page), @"");
    let cut = page.split("more lines").next().unwrap().lines().count();
    let end: Vec<&str> = page.lines().skip(cut - 2).collect();
    insta::assert_snapshot!(end.join("\n"), @"");
    assert!(page.len() > BUDGET - 500, "the room is used: {} bytes", page.len());
}

#[test]
fn three_hundred_changes_that_fit_are_all_there() {
    let page = comment(&many_records(4), "site", 0);
    assert!(page.contains("-new-299") && !page.contains("are cut"), "{}", head(&page));
}

#[test]
fn held() {
    let bench = Bench::openverse();
    let hold = "hold {\n    reason = \"the search team is measuring on it @team #12\"\n    by     = \"Ana\"\n    until  = \"2026-11-20\"\n  }\n\n  refresh {";
    bench.edit("environments/staging.hcl", "refresh {", hold);
    insta::assert_snapshot!(comment(&bench, "staging", 0), @r"
    ## Switchover: `staging`

    **No changes.** What is declared, and not held, is there.

    - `database.dev-openverse-db`: held by Ana, until 2026-11-20 23:59 UTC: the search team is measuring on it \@&#8203;team \#&#8203;12

    Run `20261105-090000-403eec`, digest `sha256:6ef1c7603983`

    <details><summary>Changes, steps and facts</summary>

    ```diff
    No changes. What is not held is as declared.  (environment staging)

    Left as it is

      # database.dev-openverse-db is held  (environments/staging.hcl:19:1)
      #    held by Ana, until 2026-11-20 23:59 UTC: the search team is measuring on it @team #12
      #    note: without the hold it would be replaced: data is 34 days old; due since 2026-11-01 (monthly)
      #    note: engine version, encryption key and all logins, the master user's too, come with the data of
             prod-openverse-db
    ```

    </details>
    ");
}

#[test]
fn blocked_by_a_failed_read() {
    let bench = Bench::openverse();
    let fault = json!({ "kind": "denied", "code": "AccessDenied", "message": "not authorised: <b>ask</b> @admin" });
    bench.change_world(|world| world["faults"] = json!([{ "call": "rds:DescribeDBSnapshots", "nth": 1, "times": 9, "fault": fault }]));
    insta::assert_snapshot!(comment(&bench, "staging", 1), @r"
    ## Switchover: `staging`

    **1 resource could not be planned.** This plan cannot be applied.

    - `database.dev-openverse-db`: cannot read database.dev-openverse-db: cannot read the snapshots of prod-openverse-db: rds:DescribeDBSnapshots was denied \(AccessDenied\): not authorised: &lt;b&gt;ask&lt;/b&gt; \@&#8203;admin<br>help: check that the credentials are set, not expired, and allow this call

    Run `20261105-090000-f87261`, digest `sha256:68b314047ca2`

    <details><summary>Changes, steps and facts</summary>

    ```diff
    staging: 1 resource could not be planned; nothing else is to be done

      blocked    database.dev-openverse-db: cannot read database.dev-openverse-db: cannot read the snapshots of
                 prod-openverse-db: rds:DescribeDBSnapshots was denied (AccessDenied): not authorised:
                 <b>ask</b> @admin
                 help: check that the credentials are set, not expired, and allow this call

    A plan with blocked resources is not saved and cannot be applied. Mend what is named above, then plan again:
      switchover plan staging
    ```

    </details>
    ");
}

#[test]
fn guarded() {
    let bench = Bench::openverse();
    bench.change_world(|world| {
        let instances = world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"]["instances"].as_object_mut().unwrap();
        let staging = instances.values_mut().find(|one| one["identifier"] == "dev-openverse-db").unwrap();
        staging["tags"]["Used-By"] = json!("production reports");
    });
    insta::assert_snapshot!(comment(&bench, "staging", 1), @"");
}
