use insta::assert_snapshot;

use crate::diff::Action;
use crate::plan::Plan;
use crate::review::layout::width;
use crate::review::{Style, sample, terminal};

fn show(plan: &Plan, columns: usize) -> String {
    terminal(plan, &Style::plain(columns), Some("plans/staging.json"))
}

/// The parts of a plan: risk and changes, steps, what it relied on and how to go on. Each whole, and each readable in one look.
fn parts(text: &str) -> [&str; 3] {
    let (changes, rest) = text.split_once("\nSteps  ").unwrap();
    let (steps, relied) = rest.split_once("\nRelied on  ").unwrap();
    [changes, steps, relied]
}

#[test]
fn a_database_refresh_says_its_risk_first_then_what_changes() {
    assert_snapshot!(parts(&show(&sample::database(), 100))[0], @r#"
    staging: 1 resource to change in 13 steps, about 1h 28m; outage of dev-openverse-db, about 8m; 1
      thing cannot be undone
    Plan: 1 to add, 0 to change, 1 to destroy.

      outage     dev-openverse-db: about 8m, steps 8 and 9
      for good   dev-openverse-db-old and its automated backups are deleted, step 13
      warning    the newest snapshot is still being made (62 %): the run waits for it before it
                 restores

    Changes  ~ update in-place   +/- create replacement and then destroy

      # 1. database.dev-openverse-db must be replaced  (environments/staging.hcl:21:1)
      #    because: data is 35 days old; due since 2026-11-01 00:00 UTC (monthly)
      #    note: backup_window: a restore cannot carry it; it is set before the switch
      #    next due: 2026-12-01 00:00 UTC
    +/- database "dev-openverse-db" {
          ~ snapshot            =
              "rds:prod-openverse-db-2026-10-01-00-07" -> "rds:prod-openverse-db-2026-11-05-00-07"
          ~ instance_class      = "db.m5.large" -> "db.m5.xlarge"
          ~ allocated_storage   = 2500          -> 3000
            deletion_protection = true  # later: set on the new one in retire
          ~ vpc_security_groups = [
              - "staging-dev-rds-sg"
              + "staging-rds-sg"
              # (2 unchanged items hidden)
            ]
          ~ tags                = {
              + "Cost Centre" = "42"
              - Owner         = "data"
              # (2 unchanged entries hidden)
            }
          ~ scrub.sql           = <<-EOT
              - UPDATE users SET email = 'x';
              + UPDATE users SET email = id || '@example.org';
                DELETE FROM tokens;
            EOT
        }
    "#);
}

#[test]
fn a_database_refresh_lists_its_steps_with_times_limits_and_ways_back() {
    assert_snapshot!(parts(&show(&sample::database(), 100))[1], @r#"
    in this order; those that do not wait for one another run side by side
                                                                                        about    at most
      prepare  new beside old: nothing that users see changes
        1  tag dev-openverse-db as the one that is replaced                                5s        10m
           undo: put its tags back
        2  wait until rds:prod-openverse-db-2026-11-05-00-07 is available                 20m         4h
        3  restore dev-openverse-db-next from                                             45m         4h
           rds:prod-openverse-db-2026-11-05-00-07
           undo: delete dev-openverse-db-next
        4  set backup_window, monitoring_interval and ca_cert_identifier of                4m         1h
           dev-openverse-db-next
           stays when turned back: it goes with dev-openverse-db-next
      verify  proof; if it fails, what was made is removed and nothing has happened
        5  compare 31 settings of dev-openverse-db-next with those wanted                  2s         5m
        6  scrub dev-openverse-db-next: truncate 3 tables and run 1 SQL text in           30s        15m
           one transaction
           stays when turned back: it goes with dev-openverse-db-next
        7  check "OAuth applications are gone"                                             2s         5m
      switch  the moment that users can notice
     ┏━ outage of dev-openverse-db begins, about 8m
     ┃  8  rename dev-openverse-db to dev-openverse-db-old                                 4m        30m
     ┃     undo: rename it back to dev-openverse-db
     ┃  9  rename dev-openverse-db-next to dev-openverse-db                                4m        30m
     ┃     undo: rename it back to dev-openverse-db-next
     ┗━ outage of dev-openverse-db ends
      confirm  proof; if it fails, everything is switched back
       10  ask dev-openverse-db a query under its name                                     5s        10m
      retire  only when nothing will be turned back any more
       11  set deletion_protection of dev-openverse-db                                    30s        10m
           stays when turned back: only what protects is set
       12  lift deletion_protection of dev-openverse-db-old                               30s        10m
           undo: set it again
       13  delete dev-openverse-db-old with its automated backups, without a final        10m         1h
           snapshot
           cannot be undone: dev-openverse-db-old and its automated backups are deleted
    "#);
}

#[test]
fn a_database_refresh_names_what_it_relied_on_and_how_to_apply_it() {
    assert_snapshot!(parts(&show(&sample::database(), 100))[2], @"
    a step stops when its own have changed
      made in live, aws 123456789012/us-east-1
      database.dev-openverse-db
        the instance that is replaced         id db-ZQ7XWVUTSRQPONMLKJIHGFEDCB, status available
        newest snapshot of prod-openverse-db  rds:prod-openverse-db-2026-11-05-00-07
        instance dev-openverse-db-next        absent
        instance dev-openverse-db-old         absent

    Apply exactly this, once it has been reviewed:
      switchover apply plans/staging.json

    Made 2026-11-05 09:12 UTC by switchover 0.1.0; run staging-20261105-0912-k3v9;
      sha256:5f2c8a0d41b7e6933c1f4be07a9d25e8b6c4f0137d8e92aa65b3c0d1e4f79a02
    ");
}

#[test]
fn a_narrow_terminal_gets_values_one_under_the_other() {
    assert_snapshot!(parts(&show(&sample::database(), 60))[0], @r#"
    staging: 1 resource to change in 13 steps, about 1h 28m;
      outage of dev-openverse-db, about 8m; 1 thing cannot be
      undone
    Plan: 1 to add, 0 to change, 1 to destroy.

      outage     dev-openverse-db: about 8m, steps 8 and 9
      for good   dev-openverse-db-old and its automated
                 backups are deleted, step 13
      warning    the newest snapshot is still being made (62
                 %): the run waits for it before it restores

    Changes  ~ update in-place   +/- create replacement and then
      destroy

      # 1. database.dev-openverse-db must be replaced
           (environments/staging.hcl:21:1)
      #    because: data is 35 days old; due since 2026-11-01
             00:00 UTC (monthly)
      #    note: backup_window: a restore cannot carry it; it is
             set before the switch
      #    next due: 2026-12-01 00:00 UTC
    +/- database "dev-openverse-db" {
          ~ snapshot            =
                 "rds:prod-openverse-db-2026-10-01-00-07"
              -> "rds:prod-openverse-db-2026-11-05-00-07"
          ~ instance_class      =
              "db.m5.large" -> "db.m5.xlarge"
          ~ allocated_storage   = 2500          -> 3000
            deletion_protection = true
              # later: set on the new one in retire
          ~ vpc_security_groups = [
              - "staging-dev-rds-sg"
              + "staging-rds-sg"
              # (2 unchanged items hidden)
            ]
          ~ tags                = {
              + "Cost Centre" = "42"
              - Owner         = "data"
              # (2 unchanged entries hidden)
            }
          ~ scrub.sql           = <<-EOT
              - UPDATE users SET email = 'x';
              + UPDATE users SET email = id || '@example.org';
                DELETE FROM tokens;
            EOT
        }
    "#);
}

#[test]
fn a_narrow_terminal_gets_times_under_the_steps() {
    assert_snapshot!(parts(&show(&sample::database(), 60))[1], @r#"
    in this order; those that do not wait for one another
      run side by side
      prepare  new beside old: nothing that users see changes
        1  tag dev-openverse-db as the one that is replaced
           about 5s, at most 10m
           undo: put its tags back
        2  wait until rds:prod-openverse-db-2026-11-05-00-07 is
           available
           about 20m, at most 4h
        3  restore dev-openverse-db-next from
           rds:prod-openverse-db-2026-11-05-00-07
           about 45m, at most 4h
           undo: delete dev-openverse-db-next
        4  set backup_window, monitoring_interval and
           ca_cert_identifier of dev-openverse-db-next
           about 4m, at most 1h
           stays when turned back: it goes with
           dev-openverse-db-next
      verify  proof; if it fails, what was made is removed and
          nothing has happened
        5  compare 31 settings of dev-openverse-db-next with
           those wanted
           about 2s, at most 5m
        6  scrub dev-openverse-db-next: truncate 3 tables and
           run 1 SQL text in one transaction
           about 30s, at most 15m
           stays when turned back: it goes with
           dev-openverse-db-next
        7  check "OAuth applications are gone"
           about 2s, at most 5m
      switch  the moment that users can notice
     ┏━ outage of dev-openverse-db begins, about 8m
     ┃  8  rename dev-openverse-db to dev-openverse-db-old
     ┃     about 4m, at most 30m
     ┃     undo: rename it back to dev-openverse-db
     ┃  9  rename dev-openverse-db-next to dev-openverse-db
     ┃     about 4m, at most 30m
     ┃     undo: rename it back to dev-openverse-db-next
     ┗━ outage of dev-openverse-db ends
      confirm  proof; if it fails, everything is switched back
       10  ask dev-openverse-db a query under its name
           about 5s, at most 10m
      retire  only when nothing will be turned back any more
       11  set deletion_protection of dev-openverse-db
           about 30s, at most 10m
           stays when turned back: only what protects is set
       12  lift deletion_protection of dev-openverse-db-old
           about 30s, at most 10m
           undo: set it again
       13  delete dev-openverse-db-old with its automated
           backups, without a final snapshot
           about 10m, at most 1h
           cannot be undone: dev-openverse-db-old and its
           automated backups are deleted
    "#);
}

#[test]
fn a_wide_terminal_gets_the_ways_back_beside_the_steps() {
    assert_snapshot!(parts(&show(&sample::database(), 160))[1], @r#"
    in this order; those that do not wait for one another run side by side
                                                                                 about    at most  way back
      prepare  new beside old: nothing that users see changes
        1  tag dev-openverse-db as the one that is replaced                         5s        10m  undo: put its tags back
        2  wait until rds:prod-openverse-db-2026-11-05-00-07 is available          20m         4h
        3  restore dev-openverse-db-next from                                      45m         4h  undo: delete dev-openverse-db-next
           rds:prod-openverse-db-2026-11-05-00-07
        4  set backup_window, monitoring_interval and ca_cert_identifier of         4m         1h  stays when turned back: it goes with dev-openverse-db-next
           dev-openverse-db-next
      verify  proof; if it fails, what was made is removed and nothing has happened
        5  compare 31 settings of dev-openverse-db-next with those wanted           2s         5m
        6  scrub dev-openverse-db-next: truncate 3 tables and run 1 SQL            30s        15m  stays when turned back: it goes with dev-openverse-db-next
           text in one transaction
        7  check "OAuth applications are gone"                                      2s         5m
      switch  the moment that users can notice
     ┏━ outage of dev-openverse-db begins, about 8m
     ┃  8  rename dev-openverse-db to dev-openverse-db-old                          4m        30m  undo: rename it back to dev-openverse-db
     ┃  9  rename dev-openverse-db-next to dev-openverse-db                         4m        30m  undo: rename it back to dev-openverse-db-next
     ┗━ outage of dev-openverse-db ends
      confirm  proof; if it fails, everything is switched back
       10  ask dev-openverse-db a query under its name                              5s        10m
      retire  only when nothing will be turned back any more
       11  set deletion_protection of dev-openverse-db                             30s        10m  stays when turned back: only what protects is set
       12  lift deletion_protection of dev-openverse-db-old                        30s        10m  undo: set it again
       13  delete dev-openverse-db-old with its automated backups, without         10m         1h  cannot be undone: dev-openverse-db-old and its automated backups
           a final snapshot                                                                        are deleted
    "#);
}

#[test]
fn a_swap_of_two_zones() {
    assert_snapshot!(show(&sample::dns_swap(), 130), @r#"
    gigadb: 2 resources to change in 8 steps, about 26s; no outage; everything can be undone
    Plan: 0 to add, 2 to change, 0 to destroy.

      warning    gigadb.org and gigadb.host are two transactions: for up to 5m (TTL 300) resolvers mix old and new answers

    Changes  ~ update in-place

      # 1. dns_zone["gigadb.org"] will be updated in-place  (environments/gigadb/zones.hcl:8:1)
      #    because: 2 of 2 changed answers only change hands between gigadb.org and gigadb.host: a swap
      ~ dns_zone "gigadb.org" {
          ~ record["A", "gigadb.org"].content       = "18.166.7.31" -> "13.54.88.2"   # Elastic IP eip-gigadb-live-alt
          ~ record["A", "files.gigadb.org"].content = "18.166.7.40" -> "13.54.88.19"  # Elastic IP eip-gigadb-files-live-alt
        }

      # 2. dns_zone["gigadb.host"] will be updated in-place  (environments/gigadb/zones.hcl:40:1)
      #    because: 2 of 2 changed answers only change hands between gigadb.org and gigadb.host: a swap
      ~ dns_zone "gigadb.host" {
          ~ record["A", "alt-live.gigadb.host"].content       = "13.54.88.2"  -> "18.166.7.31"
              # Elastic IP eip-gigadb-live-gigadb
          ~ record["A", "files.alt-live.gigadb.host"].content = "13.54.88.19" -> "18.166.7.40"
              # Elastic IP eip-gigadb-files-live-gigadb
        }

    Steps  in this order; those that do not wait for one another run side by side
                                                                  about    at most  way back
      prepare  new beside old: nothing that users see changes
        1  look up the Elastic IPs of gigadb.org                     2s         5m
        2  look up the Elastic IPs of gigadb.host                    2s         5m  starts at once
      verify  proof; if it fails, what was made is removed and nothing has happened
        3  read all records of gigadb.org                            2s         5m  starts after 1
        4  read all records of gigadb.host                           2s         5m
      switch  the moment that users can notice
        5  send 2 changes in one batch to gigadb.org                 1s         1m  undo: send the inverse batch
        6  send 2 changes in one batch to gigadb.host                1s         1m  undo: send the inverse batch
      confirm  proof; if it fails, everything is switched back
        7  ask every name server of gigadb.org                      20s         5m
        8  ask every name server of gigadb.host                     20s         5m  starts after 6

    Relied on  a step stops when its own have changed
      made in live, aws 123456789012/us-east-1, zone gigadb.host 9a7806061c88ada191ed06f989cc3dac, zone gigadb.org
               023e105f4ecef8ad9ca31a8372d0c353
      dns_zone["gigadb.org"]
        A gigadb.org        content 18.166.7.31, id 372e67954025e0ba6aaa6d586b9e0b59
        A files.gigadb.org  content 18.166.7.40, id 372e67954025e0ba6aaa6d586b9e0b59
      dns_zone["gigadb.host"]
        A alt-live.gigadb.host        content 13.54.88.2, id 372e67954025e0ba6aaa6d586b9e0b59
        A files.alt-live.gigadb.host  content 13.54.88.19, id 372e67954025e0ba6aaa6d586b9e0b59

    Apply exactly this, once it has been reviewed:
      switchover apply plans/staging.json

    Made 2026-11-05 09:12 UTC by switchover 0.1.0; run gigadb-20261105-0912-k3v9;
      sha256:5f2c8a0d41b7e6933c1f4be07a9d25e8b6c4f0137d8e92aa65b3c0d1e4f79a02
    "#);
}

#[test]
fn nothing_to_do() {
    assert_snapshot!(show(&sample::nothing(), 80), @"
    No changes. Everything is as declared.  (environment staging)

    Left as it is

      # database.dev-openverse-db has no changes  (environments/staging.hcl:21:1)
      #    next due: 2026-12-01 00:00 UTC
    ");
}

#[test]
fn held() {
    assert_snapshot!(show(&sample::held(), 80), @"
    No changes. What is not held is as declared.  (environment staging)

    Left as it is

      # database.dev-openverse-db is held  (environments/staging.hcl:21:1)
      #    held by Ana, until 2026-11-20 23:59 UTC: the search team is measuring on
             it
      #    note: a refresh has been due since 2026-11-01 00:00 UTC (monthly)
      #    next due: 2026-12-01 00:00 UTC
    ");
}

#[test]
fn blocked_by_a_failed_read() {
    assert_snapshot!(show(&sample::blocked(), 80), @r#"
    gigadb: 1 resource could not be planned; nothing else is to be done

      blocked    dns_zone["gigadb.org"]: cannot read its records: cloudflare:GET
                 dns_records was denied (10000): Authentication error
                 help: check that CLOUDFLARE_API_TOKEN is set, not expired, and
                 may read this zone

    A plan with blocked resources is not saved and cannot be applied. Mend what is
    named above, then plan again:
      switchover plan gigadb
    "#);
}

#[test]
fn hostile_names_are_shown_and_do_nothing() {
    let text = show(&sample::hostile(), 100);
    assert_eq!(text.lines().filter(|line| line.starts_with("Plan: ")).count(), 1);
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}' || c == '\u{200b}'));
    assert_snapshot!(text, @r#"
    stag\u001b[2Jing: 1 resource to change in 1 step, about 1s; no outage; everything can be undone
    Plan: 0 to add, 1 to change, 0 to destroy.

      warning    www.evil.example says ~~nothing~~ \u200b

    Changes  ~ update in-place

      # 1. dns_zone["evil\u202egro.bdagig\n# Approved by @everyone"] will be updated in-place
           (environments/x.hcl:1:1)
      #    because: **no reason** @everyone\n\n# Forged
      ~ dns_zone "evil\u202egro.bdagig\n# Approved by @everyone" {
          ~ record["TXT", "a|b"].content = <<-EOT  # from\u009b31m here
              - old\u001b]0;title\u0007\r
              - Plan: 0 to add, 0 to change, 0 to destroy.
              + ```
              + </details><h1>LGTM</h1> [x](https://evil.example) `@everyone` #1
            EOT
        }

    Steps  in this order; those that do not wait for one another run side by side
                                                                                        about    at most
      switch  the moment that users can notice
        1  send <b>1</b> change\n# Forged @everyone                                        1s         1m
           undo: send `it` back

    Apply exactly this, once it has been reviewed:
      switchover apply plans/staging.json

    Made 2026-11-05 09:12 UTC by switchover 0.1.0; run stag\u001b[2Jing-20261105-0912-k3v9;
      sha256:5f2c8a0d41b7e6933c1f4be07a9d25e8b6c4f0137d8e92aa65b3c0d1e4f79a02
    "#);
}

#[test]
fn what_is_blocked_is_said_beside_what_is_planned() {
    let mut plan = sample::dns_swap();
    plan.errors = sample::blocked().errors;
    let text = show(&plan, 100);
    assert!(text.lines().next().unwrap().contains("could not be planned") || text.lines().nth(1).unwrap().contains("could not be planned"), "{text}");
    assert!(text.contains("Plan: 0 to add, 2 to change, 0 to destroy.") && text.contains("help: check that CLOUDFLARE_API_TOKEN"));
    assert!(!text.contains("switchover apply"), "a plan with errors cannot be applied:\n{text}");
}

#[test]
fn lines_fit_wherever_their_words_do() {
    for plan in [sample::database(), sample::dns_swap(), sample::held(), sample::blocked(), sample::hostile()] {
        for columns in [60, 80, 100, 160] {
            for line in show(&plan, columns).lines() {
                let longest = line.split_whitespace().map(width).max().unwrap_or(0);
                assert!(width(line) <= columns || longest + 20 > columns, "{columns}: {line}");
            }
        }
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    for plan in [sample::database(), sample::hostile()] {
        let coloured = terminal(&plan, &Style { color: true, width: 100 }, None);
        let plain = terminal(&plan, &Style::plain(100), None);
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31m") || plan.irreversible.is_empty());
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }
}

#[test]
fn the_legend_names_only_what_is_used() {
    let address = crate::model::Address::new("dns_zone", "gigadb.org");
    let mut plan = sample::empty("x");
    plan.resource_changes.push(sample::change(
        &address,
        Action::Delete,
        vec![sample::attribute("a", 1.into(), serde_json::Value::Null, "")],
        "x.hcl:1:1",
    ));
    let text = show(&plan, 100);
    assert!(text.contains("Changes  - destroy\n"), "{text}");
    assert!(text.contains("Plan: 0 to add, 0 to change, 1 to destroy."));
}

#[test]
fn commands_are_safe_to_copy() {
    let text = terminal(&sample::database(), &Style::plain(60), Some("my plans/$(reboot) it's.json"));
    assert!(text.contains(r"switchover apply 'my plans/$(reboot) it'\''s.json'"), "{text}");
}

#[test]
fn a_long_list_of_facts_is_counted() {
    let mut plan = sample::dns_swap();
    let fact = plan.facts[0].clone();
    plan.facts = vec![fact; 3_500];
    assert!(show(&plan, 100).contains("3488 facts more"), "{}", show(&plan, 100));
}
