//! The steps of a plan as a graph, for those who see order better than they read it: DOT (Graphviz) and Mermaid (what GitHub and
//! GitLab draw in a comment).
//!
//! One box a resource, one node a step with its number in the plan, one arrow for every "after". Steps inside an outage have a thick
//! border, and what cannot be undone is red. Names and titles come from outside and are escaped, so that none of them can close its label.

use std::fmt::Write as _;

use super::escape;
use super::summary::{self, Numbers};
use crate::model::{Address, Phase};
use crate::plan::{Plan, Step};

/// Fill colours by phase, light enough for black letters on them.
const fn fill(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "#eef3fb",
        Phase::Verify => "#f4f4f4",
        Phase::Switch => "#fdebd0",
        Phase::Confirm => "#e8f6ea",
        Phase::Retire => "#f1eaf7",
    }
}

/// The border of a step that cannot be undone.
const NO_WAY_BACK: &str = "#b3261e";

/// Resources in the order of their first steps, with the steps of each.
fn groups(plan: &Plan) -> Vec<(&Address, Vec<&Step>)> {
    let mut groups: Vec<(&Address, Vec<&Step>)> = Vec::new();
    for step in &plan.steps {
        match groups.iter_mut().find(|(address, _)| *address == &step.address) {
            Some((_, steps)) => steps.push(step),
            None => groups.push((&step.address, vec![step])),
        }
    }
    groups
}

/// Every arrow: from the step that must be done to the one that waits for it.
fn arrows<'a>(plan: &'a Plan, numbers: &'a Numbers<'a>) -> impl Iterator<Item = (usize, usize)> + 'a {
    plan.steps.iter().flat_map(move |step| {
        let to = numbers.get(&step.id);
        step.after.iter().filter_map(move |before| Some((numbers.get(before)?, to?)))
    })
}

/// What stands in a node, line by line.
fn lines(step: &Step, number: usize) -> Vec<String> {
    let mut lines = vec![format!("{number}. {}", step.title)];
    let mut second = step.phase.word().to_owned();
    if !step.limits.expected.is_zero() {
        let _ = write!(second, ", {}", summary::about(step.limits.expected));
    }
    if let Some(outage) = &step.outage {
        let _ = write!(second, ", outage of {}", outage.name());
    }
    if step.irreversible.is_some() {
        second.push_str(", cannot be undone");
    }
    lines.push(second);
    lines
}

/// The plan's steps in the DOT language, to be drawn with `dot -Tsvg`.
#[must_use]
pub fn dot(plan: &Plan) -> String {
    let numbers = Numbers::of(plan);
    let mut text = format!("digraph {} {{\n", dot_quoted(std::slice::from_ref(&plan.environment)));
    text.push_str("  rankdir = TB;\n  node [shape = box, style = \"rounded,filled\", fontname = \"sans-serif\"];\n");
    for (at, (address, steps)) in groups(plan).into_iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  subgraph cluster_{at} {{\n    label = {};", dot_quoted(&[address.to_string()]));
        for step in steps {
            let Some(number) = numbers.get(&step.id) else { continue };
            let _ = write!(text, "    s{number} [label = {}, fillcolor = \"{}\"", dot_quoted(&lines(step, number)), fill(step.phase));
            if step.outage.is_some() {
                text.push_str(", penwidth = 3");
            }
            if step.irreversible.is_some() {
                let _ = write!(text, ", color = \"{NO_WAY_BACK}\"");
            }
            text.push_str("];\n");
        }
        text.push_str("  }\n");
    }
    for (from, to) in arrows(plan, &numbers) {
        let _ = writeln!(text, "  s{from} -> s{to};");
    }
    text.push_str("}\n");
    text
}

/// Lines as one quoted text of DOT: a backslash begins an escape there, so each is doubled.
fn dot_quoted(lines: &[String]) -> String {
    let safe = |line: &String| escape::terminal(line).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(safe).collect::<Vec<_>>().join("\\n"))
}

/// The plan's steps as a Mermaid flowchart.
#[must_use]
pub fn mermaid(plan: &Plan) -> String {
    let numbers = Numbers::of(plan);
    let mut text = "flowchart TB\n".to_owned();
    for (at, (address, steps)) in groups(plan).into_iter().enumerate() {
        let _ = writeln!(text, "  subgraph g{at}[{}]", mermaid_quoted(&[address.to_string()]));
        for step in steps {
            let Some(number) = numbers.get(&step.id) else { continue };
            let _ = writeln!(text, "    s{number}[{}]", mermaid_quoted(&lines(step, number)));
        }
        text.push_str("  end\n");
    }
    for (from, to) in arrows(plan, &numbers) {
        let _ = writeln!(text, "  s{from} --> s{to}");
    }
    for step in &plan.steps {
        let Some(number) = numbers.get(&step.id) else { continue };
        let width = if step.outage.is_some() { ",stroke-width:3px" } else { "" };
        let border = if step.irreversible.is_some() { NO_WAY_BACK } else { "#555" };
        let _ = writeln!(text, "  style s{number} fill:{},color:#000,stroke:{border}{width}", fill(step.phase));
    }
    text
}

/// Lines as one quoted text of Mermaid. It reads Markdown, HTML and entity codes inside quotes, so every mark that could begin one is an
/// entity code itself.
fn mermaid_quoted(lines: &[String]) -> String {
    let safe = |line: &String| {
        let line = escape::terminal(line);
        let mut safe = String::with_capacity(line.len());
        for c in line.chars() {
            if c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | '-' | ':' | '/') {
                safe.push(c);
            } else {
                let _ = write!(safe, "#{};", u32::from(c));
            }
        }
        // A number and a dot at the beginning would be an item of a list.
        safe.replacen(". ", "#46; ", 1)
    };
    format!("\"{}\"", lines.iter().map(safe).collect::<Vec<_>>().join("<br>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::sample;

    #[test]
    fn every_step_is_a_node_and_every_after_an_arrow() {
        for plan in [sample::database(), sample::dns_swap()] {
            let (dot, mermaid) = (dot(&plan), mermaid(&plan));
            let afters: usize = plan.steps.iter().map(|step| step.after.len()).sum();
            assert_eq!(dot.matches(" -> ").count(), afters, "{dot}");
            assert_eq!(mermaid.matches(" --> ").count(), afters, "{mermaid}");
            assert_eq!(dot.matches("[label = ").count(), plan.steps.len(), "{dot}");
            assert_eq!(mermaid.matches("  style s").count(), plan.steps.len(), "{mermaid}");
        }
    }

    #[test]
    fn outages_and_what_cannot_be_undone_stand_out() {
        let plan = sample::database();
        let (dot, mermaid) = (dot(&plan), mermaid(&plan));
        assert_eq!(dot.matches("penwidth = 3").count(), plan.steps.iter().filter(|step| step.outage.is_some()).count());
        assert!(dot.contains("penwidth = 3") && dot.contains("cannot be undone") && dot.contains(NO_WAY_BACK), "{dot}");
        assert!(mermaid.contains("stroke-width:3px") && mermaid.contains(&format!("stroke:{NO_WAY_BACK}")), "{mermaid}");
    }

    #[test]
    fn no_title_can_leave_its_label() {
        let mut plan = sample::database();
        plan.steps[0].title = "x\"]; evil [label = \"\\\"\n--> <script>&quot; #quot; `**b**` \u{1b}[2J".to_owned();
        let (dot, mermaid) = (dot(&plan), mermaid(&plan));
        let line = |text: &str, start: &str| text.lines().find(|line| line.trim_start().starts_with(start)).unwrap().to_owned();
        assert!(line(&dot, "s1 [").contains(r#"x\"]; evil [label = \"\\\"\\n--> <script>&quot; #quot; `**b**` \\u001b[2J\nprepare"#), "{dot}");
        let inside = line(&mermaid, "s1[");
        let inside = inside.trim_start().trim_start_matches("s1[\"").trim_end_matches("\"]");
        assert!(inside.replace("<br>", "").chars().all(|c| !matches!(c, '"' | '<' | '>' | '`' | '*' | '&' | '[' | ']')), "{inside}");
    }
}
