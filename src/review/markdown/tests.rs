use serde_json::json;

use super::*;
use crate::review::sample;

/// Everything outside code spans and fences: where a forged mark would act.
fn prose(page: &str) -> String {
    let (mut prose, mut fence) = (String::new(), None::<String>);
    for line in page.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if *open == line => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                prose.extend(line.split('`').step_by(2));
                prose.push('\n');
            }
        }
    }
    assert!(fence.is_none(), "a fence is left open");
    prose
}

#[test]
fn risks_and_counts_come_first() {
    let page = markdown(&sample::database());
    let head = page.split("<details>").next().unwrap();
    insta::assert_snapshot!(head, @r"
    ## Switchover: `staging`

    **Plan: 1 to add, 0 to change, 1 to destroy.**

    1 resource to change in 13 steps, about 1h 28m; outage of dev-openverse-db, about 8m; 1 thing cannot be undone.

    - **Outage** of `dev-openverse-db`: about 8m, steps 8 and 9
    - :warning: **Cannot be undone**: dev-openverse-db-old and its automated backups are deleted (step 13)
    - **Warning**: the newest snapshot is still being made \(62 %\): the run waits for it before it restores
    - Replace `database.dev-openverse-db`: data is 35 days old; due since 2026-11-01 00:00 UTC \(monthly\)

    Run `staging-20261105-0912-k3v9`, digest `sha256:5f2c8a0d41b7`
    ");
}

#[test]
fn details_are_folded_and_coloured_as_a_diff() {
    let page = markdown(&sample::dns_swap());
    assert!(page.contains("<details><summary>"), "{page}");
    assert!(page.contains("\n!       record[\"A\", \"gigadb.org\"].content"), "{page}");
    assert!(page.ends_with("</details>\n"), "{page}");
}

#[test]
fn hostile_names_forge_nothing() {
    let page = markdown(&sample::hostile());
    let prose = prose(&page);
    assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}') && !page.contains('\u{200b}'));
    for forged in ["@everyone", "<h1>", "<b>", "](", "https:/", "www.evil", "\n# ", "#1"] {
        assert!(!prose.contains(forged), "{forged} in\n{prose}");
    }
    assert_eq!(prose.matches("</details>").count(), 1);
    assert_eq!(page.lines().filter(|line| line.starts_with('#')).count(), 1, "{page}");
}

#[test]
fn a_large_plan_fits_into_one_comment_and_says_what_is_missing() {
    let mut plan = sample::dns_swap();
    let attributes = &mut plan.resource_changes[0].attributes;
    for number in 0..3_500 {
        std::sync::Arc::make_mut(attributes).push(sample::attribute(
            &format!("record[\"A\", \"host-{number}.gigadb.org\"].content"),
            json!("192.0.2.1"),
            json!("192.0.2.2"),
            "",
        ));
    }
    let page = markdown(&plan);
    assert!(page.len() <= BUDGET, "{}", page.len());
    assert!(page.contains("Plan: 0 to add, 2 to change, 0 to destroy.") && page.contains("**The details are cut**"));
    assert!(prose(&page).contains("</details>"));
}

#[test]
fn even_the_head_alone_stays_within_the_budget() {
    let mut plan = sample::hostile();
    plan.environment = "e".repeat(100_000);
    plan.warnings = vec!["\u{e0001}".repeat(5_000); 500];
    plan.irreversible = vec!["`@<&".repeat(5_000); 500];
    plan.resource_changes = vec![plan.resource_changes[0].clone(); 500];
    plan.steps = vec![plan.steps[0].clone(); 2_000];
    let page = markdown(&plan);
    assert!(page.len() <= BUDGET, "{}", page.len());
    assert!(page.contains("500 to change"));
}

#[test]
fn no_changes_is_one_sentence() {
    let page = markdown(&sample::nothing());
    assert!(page.contains("**No changes.**") && !page.contains("Plan:"), "{page}");
}

#[test]
fn a_hold_is_said_beside_no_changes() {
    let page = markdown(&sample::held());
    assert!(page.contains("- **Held**: `database.dev-openverse-db`: held by Ana, until 2026-11-20 23:59 UTC: the search team"), "{page}");
}
