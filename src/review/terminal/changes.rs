//! What changes, resource by resource, in Terraform's manner; then what does not and has something to say.

use super::attributes;
use crate::declare::desired::NO_LONGER_DECLARED;
use crate::diff::Action;
use crate::model::time::{self, Timestamp};
use crate::plan::{Plan, ResourceChange};
use crate::review::escape;
use crate::review::layout::{Line, Page};
use crate::review::style::Ink;
use crate::review::summary;

pub(super) fn write(page: &mut Page, plan: &Plan) {
    if summary::changed(plan).next().is_some() {
        page.heading("Changes", &legend(plan));
        for (change, number) in summary::changed(plan).zip(1..) {
            block(page, change, number, plan.created_at);
        }
    }
    let unchanged = plan.resource_changes.iter().filter(|change| change.action == Action::NoOp);
    let mut first = true;
    for change in unchanged {
        if std::mem::take(&mut first) {
            page.heading("Left as it is", "");
        }
        let words = if change.held.is_some() { "is held" } else { "has no changes" };
        title(page, change, None, words);
        remarks(page, change, plan.created_at);
    }
}

/// Only the symbols that are used, in Terraform's order and words.
fn legend(plan: &Plan) -> String {
    let used = |action| summary::changed(plan).any(|change| change.action == action);
    let inner = |symbol| summary::changed(plan).any(|change| attributes::uses(change, symbol));
    let entries = [
        (used(Action::Create) || inner('+'), "+ create"),
        (used(Action::Update) || inner('~'), "~ update in-place"),
        (used(Action::Delete) || inner('-'), "- destroy"),
        (used(Action::Replace), "+/- create replacement and then destroy"),
    ];
    entries.iter().filter(|(used, _)| *used).map(|(_, words)| *words).collect::<Vec<_>>().join("   ")
}

fn block(page: &mut Page, change: &ResourceChange, number: usize, made: Timestamp) {
    let (symbol, ink, words) = match change.action {
        Action::NoOp => ("   ", Ink::Plain, "has no changes"),
        Action::Create => ("  +", Ink::Good, "will be created"),
        Action::Update => ("  ~", Ink::Watch, "will be updated in-place"),
        Action::Delete if change.declared_at == NO_LONGER_DECLARED => ("  -", Ink::Gone, "will be destroyed"),
        Action::Delete => ("  -", Ink::Gone, "stays, and loses what is shown here"),
        Action::Replace => ("+/-", Ink::Watch, "must be replaced"),
    };
    title(page, change, Some(number), words);
    remarks(page, change, made);
    let header = Line::of(ink, symbol).and(Ink::Plain, &format!(" {} {} {{", change.kind, escape::quoted(&change.name)));
    page.put(0, 4, &header);
    attributes::write(page, &change.attributes);
    page.put(4, 0, &Line::plain("}"));
}

/// `# 1. database.x must be replaced`, with where it is declared.
fn title(page: &mut Page, change: &ResourceChange, number: Option<usize>, words: &str) {
    page.gap();
    let number = number.map_or_else(String::new, |number| format!("{number}. "));
    let line = Line::plain("# ").and(Ink::Plain, &number).and(Ink::Strong, &change.address.to_string()).and(Ink::Plain, &format!(" {words}"));
    page.put(2, 5, &line.and(Ink::Faint, &format!("  ({})", change.declared_at)));
}

/// Why, who holds it, what is shown and not done, when it is next due.
fn remarks(page: &mut Page, change: &ResourceChange, made: Timestamp) {
    for reason in &change.reasons {
        remark(page, "because", reason);
    }
    if let Some(hold) = &change.held {
        page.put(2, 7, &Line::plain("#    ").and(Ink::Watch, hold));
    }
    for note in &change.notes {
        remark(page, "note", note);
    }
    if let Some(due) = change.next_due {
        remark(page, if due <= made { "due since" } else { "next due" }, &time::minute(due));
    }
}

fn remark(page: &mut Page, label: &str, text: &str) {
    page.put(2, 7, &Line::plain("#    ").and(Ink::Plain, label).and(Ink::Plain, ": ").and(Ink::Plain, text));
}
