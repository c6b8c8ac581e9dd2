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

    **No changes.** Everything is as declared.

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
    let page = comment(&bench, "gigadb", 0);
    insta::assert_snapshot!(head(&page), @r#"
    ## Switchover: `gigadb`

    **Plan: 0 to add, 2 to change, 0 to destroy.**

    2 resources to change in 10 steps, about 25s; no outage; everything can be undone.

    - **Warning**: gigadb.org and gigadb.host are switched one after the other, not in one transaction: between the two, and in caches for up to 5m afterwards, some names answer anew while others still answer as before
    - **Warning**: mixed between gigadb.org and gigadb.host until the second is switched, and for 5m in caches: both answer 198.51.100.10, 198.51.100.11, 198.51.100.12, 198.51.100.13, 198.51.100.15; neither answers 203.0.113.10, 203.0.113.11, 203.0.113.12, 203.0.113.13, 203.0.113.15
    - Update `dns_zone["gigadb.org"]`: of 11 records in gigadb.org: 7 changed
    - Update `dns_zone["gigadb.host"]`: of 10 records in gigadb.host: 9 changed

    Run `20261105-090000-8007cc`, digest `sha256:5b8d0d398dfc`
    "#);
    assert!(page.contains("\n!       A gigadb.org                   = \"203.0.113.10\" -> \"198.51.100.10\"\n"), "{page}");
    assert!(!page.contains("not saved"), "whoever reads it did not make it: {page}");
}

#[test]
fn a_refresh_with_an_outage() {
    let bench = Bench::openverse();
    let page = comment(&bench, "staging", 0);
    insta::assert_snapshot!(head(&page), @r#"
    ## Switchover: `staging`

    **Plan: 1 to add, 0 to change, 1 to destroy.**

    1 resource to change in 17 steps, about 2h 9m; outage of dev-openverse-db, about 8m; 1 thing cannot be undone.

    - **Outage** of `dev-openverse-db`: about 8m, steps 13 and 14
    - :warning: **Cannot be undone**: dev-openverse-db-old \(db-B5NM6QWERT7YUIOPLKJHGFDSA2\) is deleted without a last snapshot, its automated backups too (step 17)
    - Replace `database.dev-openverse-db`: data is 34 days old; due since 2026-11-01 \(monthly\)

    Run `20261105-090000-d5bc86`, digest `sha256:48a16b2c3bd0`
    "#);
    assert!(page.contains("\n ┏━ outage of dev-openverse-db begins, about 8m\n") && page.contains("Relied on"), "{page}");
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

    Run `20261105-125800-768961`, digest `sha256:e096120be315`
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
    insta::assert_snapshot!(head(&page), @r#"
    ## Switchover: `site`

    **Plan: 0 to add, 1 to change, 0 to destroy.**

    1 resource to change in 4 steps, about 21s; no outage; everything can be undone.

    - Update `dns_zone["example.org"]`: of 320 records in example.org: 300 changed

    Run `20261105-090000-e39d99`, digest `sha256:ebc4c6e0fe03`
    "#);
    let cut = page.split("more lines").next().unwrap().lines().count();
    let end: Vec<&str> = page.lines().skip(cut - 2).collect();
    insta::assert_snapshot!(end.join("\n"), @"
              ->
      … and 342 more lines

    Steps  in this order; those that do not wait for one another run side by side
                                                                                                  about    at most
      verify  proof; if it fails, what was made is removed and nothing has happened
        1  check that example.org is as it was planned with                                          2s         2m
      switch  the moment that users can notice
        2  change example.org in one batch: 300 changed                                              2s         5m
           undo: put the 300 records of example.org back as they were
      confirm  proof; if it fails, everything is switched back
        3  read example.org back: 300 sets as declared                                               2s         2m
        4  ask amber.ns.cloudflare.com, cedar.ns.cloudflare.com until they answer as                15s         5m
           declared (300 questions each)
    ```

    </details>

    **The details are cut**: they do not fit into one comment. `switchover show PLAN` has all of them.
    ");
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

    **No changes.** What is not held is as declared.

    - **Held**: `database.dev-openverse-db`: held by Ana, until 2026-11-20 23:59 UTC: the search team is measuring on it \@&#8203;team \#&#8203;12

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

    <details><summary>Changes, steps and facts</summary>

    ```diff
    staging: 1 resource could not be planned; nothing else is to be done

      blocked    database.dev-openverse-db: cannot read database.dev-openverse-db: cannot read the snapshots of
                 prod-openverse-db: rds:DescribeDBSnapshots was denied (AccessDenied): not authorised:
                 <b>ask</b> @admin
                 help: check that the credentials are set, not expired, and allow this call
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
    insta::assert_snapshot!(comment(&bench, "staging", 1), @r"
    ## Switchover: `staging`

    **1 resource could not be planned.** This plan cannot be applied.

    - `database.dev-openverse-db`: database.dev-openverse-db/mark-old would write \`production reports\`, and the environment protects everything that holds \`prod\`<br>help: name something else, or change \`protect\` in the environment block

    <details><summary>Changes, steps and facts</summary>

    ```diff
    staging: 1 resource could not be planned; nothing else is to be done

      blocked    database.dev-openverse-db: database.dev-openverse-db/mark-old would write `production reports`,
                 and the environment protects everything that holds `prod`
                 help: name something else, or change `protect` in the environment block
    ```

    </details>
    ");
}
