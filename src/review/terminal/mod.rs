//! The plan as the reviewer sees it on a terminal: in the order in which it will happen, risk first.

mod attributes;
mod changes;
mod facts;
mod risk;
mod steps;
#[cfg(test)]
mod tests;

use super::escape;
use super::layout::{Line, Page};
use super::style::{Ink, Style};
use super::summary;
use crate::model::text::many;
use crate::model::time;
use crate::plan::{Experience, Plan};

/// What whoever reads a plan does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    /// Have it reviewed, and apply it from this file.
    Apply(&'a str),
    /// Save it, or apply the environment.
    Save,
    /// Answer the question below, which the last lines repeat the weight of.
    Answer,
}

/// Renders a plan. `saved_as` is the file that holds it, for the command that applies it.
#[must_use]
pub fn terminal(plan: &Plan, style: &Style, saved_as: Option<&str>) -> String {
    terminal_knowing(plan, style, saved_as.map_or(Next::Save, Next::Apply), &Experience::default())
}

/// The same with what earlier runs took in place of guesses, and a word where it is so.
#[must_use]
pub fn terminal_knowing(plan: &Plan, style: &Style, then: Next<'_>, experience: &Experience) -> String {
    let mut page = Page::new(style);
    with_informed(plan, experience, |plan, known| {
        body(&mut page, plan, experience, known);
        next(&mut page, plan, then);
    });
    page.finish()
}

/// The same for a comment on a pull request: what to type next is not said there, since whoever reads it did not make the plan.
#[must_use]
pub(super) fn for_comment(plan: &Plan, style: &Style, experience: &Experience) -> String {
    let mut page = Page::new(style);
    with_informed(plan, experience, |plan, known| {
        body(&mut page, plan, experience, known);
        if !plan.steps.is_empty() {
            made(&mut page, plan);
        }
    });
    page.finish()
}

/// All that a plan says, whoever reads it.
fn body(page: &mut Page, plan: &Plan, experience: &Experience, known: usize) {
    headline(page, plan);
    risk::write(page, plan, experience);
    changes::write(page, plan);
    steps::write(page, plan, experience, known);
    facts::write(page, plan);
}

/// What stands between the risks and the end of a plan, part by part: where not all of it fits.
pub(super) struct Parts {
    pub changes: String,
    pub steps: String,
    pub facts: String,
}

/// The parts of a plan.
pub(super) fn parts(plan: &Plan, style: &Style, experience: &Experience) -> Parts {
    let part = |write: &dyn Fn(&mut Page, &Plan, usize)| {
        let mut page = Page::new(style);
        with_informed(plan, experience, |plan, known| write(&mut page, plan, known));
        page.finish()
    };
    Parts {
        changes: part(&|page, plan, _| changes::write(page, plan)),
        steps: part(&|page, plan, known| steps::write(page, plan, experience, known)),
        facts: part(&|page, plan, _| facts::write(page, plan)),
    }
}

/// The plan with what is known in place of guesses, and of how many steps it is.
fn with_informed(plan: &Plan, experience: &Experience, mut write: impl FnMut(&Plan, usize)) {
    if experience.is_empty() {
        return write(plan, 0);
    }
    let (informed, known) = experience.informed(plan);
    write(&informed, known);
}

/// One line that says it all, and the line that other programs look for.
fn headline(page: &mut Page, plan: &Plan) {
    let name = Line::of(Ink::Strong, &plan.environment);
    if summary::nothing_to_do(plan) {
        let words = if plan.resource_changes.iter().any(|change| change.held.is_some()) {
            "No changes. What is not held is as declared."
        } else {
            "No changes. Everything is as declared."
        };
        page.put(0, 0, &Line::of(Ink::Strong, words).and(Ink::Faint, &format!("  (environment {})", plan.environment)));
        return;
    }
    if plan.steps.is_empty() && !plan.errors.is_empty() {
        let blocked = format!(": {} could not be planned; nothing else is to be done", many(plan.errors.len(), "resource"));
        page.put(0, 2, &name.and(Ink::Danger, &blocked));
        return;
    }
    let mut line = weight(plan);
    if !plan.errors.is_empty() {
        line = line.and(Ink::Danger, &format!("; {} could not be planned", many(plan.errors.len(), "resource")));
    }
    page.put(0, 2, &line);
    page.raw(0, &Line::of(Ink::Strong, &summary::count_line(plan)));
}

/// How much is done, how long it takes, which outage it brings, and what of it is for good.
fn weight(plan: &Plan) -> Line {
    let (outage, way_back) = (summary::outages(plan), summary::no_way_back(plan));
    let line = Line::of(Ink::Strong, &plan.environment).and(Ink::Plain, ": ").and(Ink::Plain, &summary::size(plan)).and(Ink::Plain, "; ");
    let line = line.and(if plan.outage.is_empty() { Ink::Plain } else { Ink::Watch }, &outage).and(Ink::Plain, "; ");
    line.and(if plan.irreversible.is_empty() { Ink::Plain } else { Ink::Danger }, &way_back)
}

/// How to go on from here, and which plan this is.
fn next(page: &mut Page, plan: &Plan, then: Next<'_>) {
    page.gap();
    let environment = escape::shell(&plan.environment);
    if !plan.errors.is_empty() {
        page.put(0, 0, &Line::plain("A plan with blocked resources is not saved and cannot be applied. Mend what is named above, then plan again:"));
        page.raw(2, &Line::of(Ink::Strong, &format!("switchover plan {environment}")));
        return;
    }
    if plan.steps.is_empty() {
        return;
    }
    match then {
        Next::Apply(file) => {
            page.put(0, 0, &Line::plain("Apply exactly this, once it has been reviewed:"));
            page.raw(2, &Line::of(Ink::Strong, &format!("switchover apply {}", escape::shell(file))));
        }
        Next::Save => {
            page.put(0, 0, &Line::plain("This plan is not saved. Save it for review, or plan again and apply now:"));
            let file = escape::shell(&format!("plans/{}.json", plan.environment));
            page.raw(2, &Line::of(Ink::Strong, &format!("switchover plan {environment} --out {file}")));
            page.raw(2, &Line::of(Ink::Strong, &format!("switchover apply {environment}")));
        }
        // The top may have left the screen.
        Next::Answer => page.put(0, 2, &weight(plan)),
    }
    made(page, plan);
}

/// Which plan this is.
fn made(page: &mut Page, plan: &Plan) {
    let made = format!("Made {} by switchover {}; run {}", time::minute(plan.created_at), plan.switchover_version, plan.run);
    // What nobody can apply has none.
    let made = if plan.digest.is_empty() { made } else { format!("{made}; {}", plan.digest) };
    page.gap();
    page.put(0, 2, &Line::of(Ink::Faint, &made));
}
