use insta::assert_snapshot;

use crate::diff::Action;
use crate::plan::Plan;
use crate::review::layout::width;
use crate::review::{Style, sample, terminal};

fn show(plan: &Plan, columns: usize) -> String {
    terminal(plan, &Style::plain(columns), Some("plans/staging.json"))
}

#[test]
fn a_database_refresh() {
    assert_snapshot!(show(&sample::database(), 100), @"");
}

#[test]
fn a_database_refresh_on_a_narrow_terminal() {
    assert_snapshot!(show(&sample::database(), 60), @"");
}

#[test]
fn a_swap_of_two_zones() {
    assert_snapshot!(show(&sample::dns_swap(), 130), @"");
}

#[test]
fn nothing_to_do() {
    assert_snapshot!(show(&sample::nothing(), 80), @"");
}

#[test]
fn held() {
    assert_snapshot!(show(&sample::held(), 80), @"");
}

#[test]
fn blocked_by_a_failed_read() {
    assert_snapshot!(show(&sample::blocked(), 80), @"");
}

#[test]
fn hostile_names_are_shown_and_do_nothing() {
    let text = show(&sample::hostile(), 100);
    assert_eq!(text.lines().filter(|line| line.starts_with("Plan: ")).count(), 1);
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}' || c == '\u{200b}'));
    assert_snapshot!(text, @"");
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
