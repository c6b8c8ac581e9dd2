//! What a reviewer must not miss, before anything else: blocked resources, outages, what cannot be undone, warnings.

use crate::plan::{Experience, Plan};
use crate::review::layout::{Cell, Line, Page};
use crate::review::style::Ink;
use crate::review::summary::{self, Numbers};

const LABEL: usize = 9;

pub(super) fn write(page: &mut Page, plan: &Plan, experience: &Experience) {
    blocked(page, plan);
    let numbers = Numbers::of(plan);
    if plan.outage.is_empty() && plan.irreversible.is_empty() && plan.warnings.is_empty() {
        return;
    }
    page.gap();
    for window in &plan.outage {
        let steps = numbers.of_window(window);
        let steps = if steps.is_empty() { steps } else { format!(", {steps}") };
        let line = Line::plain(&window.name).and(Ink::Plain, &format!(": {}{steps}", summary::expected(experience.outage(window))));
        item(page, Ink::Watch, "outage", line);
    }
    for words in &plan.irreversible {
        let line = Line::plain(words);
        let line = match numbers.of_irreversible(plan, words) {
            Some(number) => line.and(Ink::Plain, &format!(", step {number}")),
            None => line,
        };
        item(page, Ink::Danger, "for good", line);
    }
    for warning in &plan.warnings {
        item(page, Ink::Watch, "warning", Line::plain(warning));
    }
}

/// Resources that could not be planned, by name, with what to do.
fn blocked(page: &mut Page, plan: &Plan) {
    page.gap();
    for error in &plan.errors {
        item(page, Ink::Danger, "blocked", Line::of(Ink::Strong, &error.address.to_string()).and(Ink::Plain, &format!(": {}", error.error)));
        let help = Line::of(Ink::Faint, "help: ").and(Ink::Plain, &error.help);
        let width = page.columns().saturating_sub(LABEL + 6);
        page.row(&Line::plain("  "), &[Cell::left(Line::default(), LABEL), Cell::left(help, width)]);
    }
}

fn item(page: &mut Page, ink: Ink, label: &str, line: Line) {
    let width = page.columns().saturating_sub(LABEL + 6);
    page.row(&Line::plain("  "), &[Cell::left(Line::of(ink, label), LABEL), Cell::left(line, width)]);
}
