//! One resource of a plan, explained: why it is there, from which lines, on what it relies, when it is next due.

use serde::Serialize;

use super::layout::{Cell, Line, Page, width};
use super::style::{Ink, Style};
use super::summary::Numbers;
use super::{escape, value};
use crate::declare::{Declared, Node};
use crate::diff::Action;
use crate::model::time::{self, Timestamp};
use crate::model::{Address, Json, Phase};
use crate::plan::{Plan, ResourceChange};

/// Items of each list that are shown; the JSON has all of them.
const SHOWN: usize = 40;
/// Columns of a value that is here to be recognised.
const VALUE_CHARACTERS: usize = 100;

/// What there is to say about one resource of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Which.
    pub address: Address,
    /// Its environment.
    pub environment: String,
    /// `environments/staging.hcl:12:1`.
    pub declared_at: String,
    /// What happens to it.
    pub action: Action,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// What else there is to know: what waits, and what comes along.
    pub notes: Vec<String>,
    /// The hold's sentence, when held.
    pub held: Option<String>,
    /// Why it could not be planned, and what to do.
    pub error: Option<(String, String)>,
    /// When it is next due, if that is a matter of time.
    pub next_due: Option<Timestamp>,
    /// When the plan was made, by the world's clock.
    pub now: Timestamp,
    /// Every attribute that differs.
    pub attributes: Vec<Attribute>,
    /// What the steps rely on.
    pub facts: Vec<Fact>,
    /// Its steps, with their numbers in the whole plan.
    pub steps: Vec<Step>,
    /// Resources that it names in `depends_on`.
    pub depends_on: Vec<Address>,
    /// Resources whose steps wait for steps of this one.
    pub awaited_by: Vec<Address>,
}

/// An attribute that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Null: was not there.
    pub before: Json,
    /// Null: will not be there.
    pub after: Json,
    /// A few words behind it.
    pub note: Option<String>,
    /// The line that says so; none for what is carried over or follows from something else.
    pub declared_at: Option<String>,
}

/// Something its steps rely on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    /// One line for people.
    pub title: String,
    /// What it was when the plan was made.
    pub value: Json,
    /// Numbers of the steps that stop when it has changed.
    pub steps: Vec<usize>,
}

/// One of its steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Its number in the plan.
    pub number: usize,
    /// What may be noticed, and how it fails.
    pub phase: Phase,
    /// One line for people.
    pub title: String,
    /// Numbers of the steps of other resources that it waits for.
    pub waits_for: Vec<usize>,
}

/// Explains one resource; none when the plan says nothing about it and it is not declared.
#[must_use]
pub fn explanation(plan: &Plan, declared: Option<&Declared>, address: &Address) -> Option<Explanation> {
    let change = plan.resource_changes.iter().find(|change| change.address == *address);
    let error = plan.errors.iter().find(|error| error.address == *address);
    if change.is_none() && declared.is_none() && error.is_none() {
        return None;
    }
    let place = declared.map(|declared| declared.body.span.place());
    Some(Explanation {
        address: address.clone(),
        environment: plan.environment.clone(),
        declared_at: place.or_else(|| change.map(|change| change.declared_at.clone())).unwrap_or_default(),
        action: change.map_or(Action::NoOp, |change| change.action),
        reasons: change.map(|change| change.reasons.clone()).unwrap_or_default(),
        notes: change.map(|change| change.notes.clone()).unwrap_or_default(),
        held: change.and_then(|change| change.held.clone()),
        error: error.map(|error| (error.error.clone(), error.help.clone())),
        next_due: change.and_then(|change| change.next_due),
        now: plan.created_at,
        attributes: change.map(|change| attributes(change, declared)).unwrap_or_default(),
        facts: facts(plan, address),
        steps: steps(plan, address),
        depends_on: declared.map(|declared| declared.common.depends_on.clone()).unwrap_or_default(),
        awaited_by: awaited_by(plan, address),
    })
}

fn attributes(change: &ResourceChange, declared: Option<&Declared>) -> Vec<Attribute> {
    let one = |attribute: &crate::diff::AttributeChange| Attribute {
        name: attribute.name.clone(),
        before: attribute.before.clone(),
        after: attribute.after.clone(),
        note: attribute.note.clone(),
        declared_at: declared.and_then(|declared| place(&declared.body, &attribute.name)),
    };
    change.attributes.iter().map(one).collect()
}

/// Where an attribute is declared: `instance_class` in the block itself; `A gigadb.org` in the inner block with those labels, and `A gigadb.org ttl` by that
/// block's attribute, or else by the one that holds for all inner blocks.
fn place(body: &Node, name: &str) -> Option<String> {
    if let Some(attr) = body.attr(name) {
        return Some(attr.span.place());
    }
    let words: Vec<&str> = name.split(' ').collect();
    let block = body.blocks.iter().filter(|block| !block.labels.is_empty() && block.labels.len() <= words.len()).find(|block| {
        let own = block.labels.iter().map(|(label, _)| label.trim_end_matches('.').to_lowercase());
        own.eq(words[..block.labels.len()].iter().map(|word| word.to_lowercase()))
    })?;
    let attr = words.get(block.labels.len()).and_then(|attribute| block.attr(attribute).or_else(|| body.attr(attribute)));
    Some(attr.map_or_else(|| block.span.place(), |attr| attr.span.place()))
}

fn facts(plan: &Plan, address: &Address) -> Vec<Fact> {
    let numbers = Numbers::of(plan);
    let own = plan.facts.iter().filter(|fact| fact.address == *address);
    let one = |fact: &crate::plan::Fact| Fact {
        title: fact.title.clone(),
        value: fact.value.json(),
        steps: plan.steps.iter().filter(|step| step.facts.contains(&fact.id)).filter_map(|step| numbers.get(&step.id)).collect(),
    };
    own.map(one).collect()
}

fn steps(plan: &Plan, address: &Address) -> Vec<Step> {
    let numbers = Numbers::of(plan);
    let own = |id: &str| plan.steps.iter().any(|step| step.id == id && step.address == *address);
    let one = |step: &crate::plan::Step| {
        let others = step.after.iter().filter(|id| !own(id));
        let (phase, title) = (step.phase, step.title.clone());
        Some(Step { number: numbers.get(&step.id)?, phase, title, waits_for: others.filter_map(|id| numbers.get(id)).collect() })
    };
    plan.steps.iter().filter(|step| step.address == *address).filter_map(one).collect()
}

fn awaited_by(plan: &Plan, address: &Address) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    for step in plan.steps.iter().filter(|step| step.address != *address) {
        let waits = step.after.iter().any(|id| plan.steps.iter().any(|other| other.id == *id && other.address == *address));
        if waits && !found.contains(&step.address) {
            found.push(step.address.clone());
        }
    }
    found
}

/// The explanation as JSON.
#[must_use]
pub fn json(explanation: &Explanation) -> String {
    let text = serde_json::to_string_pretty(explanation).unwrap_or_default();
    escape::json(&text)
}

/// The explanation for people.
#[must_use]
pub fn text(explanation: &Explanation, style: &Style) -> String {
    let mut page = Page::new(style);
    let title = Line::of(Ink::Strong, &explanation.address.to_string()).and(Ink::Plain, ": ").and(Ink::Plain, verdict(explanation));
    page.put(0, 2, &title);
    page.put(2, 2, &Line::of(Ink::Faint, &format!("declared at {}", explanation.declared_at)));
    why(&mut page, explanation);
    attribute_lines(&mut page, &explanation.attributes);
    fact_lines(&mut page, &explanation.facts);
    step_lines(&mut page, explanation);
    due(&mut page, explanation);
    page.finish()
}

fn verdict(explanation: &Explanation) -> &'static str {
    if explanation.error.is_some() {
        return "could not be planned";
    }
    if explanation.held.is_some() {
        return "is held as it is";
    }
    match explanation.action {
        Action::NoOp => "nothing is to be done",
        Action::Create => "will be created",
        Action::Update => "will be updated in-place",
        Action::Delete => "something of it will be removed",
        Action::Replace => "must be replaced",
    }
}

fn why(page: &mut Page, explanation: &Explanation) {
    let Explanation { reasons, notes, held, error, .. } = explanation;
    if reasons.is_empty() && notes.is_empty() && held.is_none() && error.is_none() {
        page.heading("Why", "");
        page.put(2, 2, &Line::plain("what is declared is there"));
        return;
    }
    page.heading("Why", "");
    if let Some((error, help)) = error {
        page.put(2, 4, &Line::of(Ink::Danger, error));
        page.put(2, 4, &Line::plain("help: ").and(Ink::Plain, help));
    }
    if let Some(hold) = held {
        page.put(2, 4, &Line::of(Ink::Watch, hold));
    }
    for reason in reasons {
        page.put(2, 4, &Line::plain(reason));
    }
    for note in notes {
        page.put(2, 4, &Line::of(Ink::Faint, "note: ").and(Ink::Plain, note));
    }
}

fn attribute_lines(page: &mut Page, attributes: &[Attribute]) {
    if attributes.is_empty() {
        return;
    }
    page.heading("What differs", "and the line that says so");
    for attribute in attributes.iter().take(SHOWN) {
        let (before, after) = (value::brief(&attribute.before, VALUE_CHARACTERS), value::brief(&attribute.after, VALUE_CHARACTERS));
        let line = Line::plain(&attribute.name).and(Ink::Plain, " = ").and(Ink::Plain, &before).and(Ink::Faint, " -> ").and(Ink::Plain, &after);
        page.put(2, 4, &line);
        let place = attribute.declared_at.clone().unwrap_or_else(|| "not declared: carried over, or follows from the rest".to_owned());
        let note = attribute.note.as_ref().map_or_else(String::new, |note| format!("; {note}"));
        page.put(6, 2, &Line::of(Ink::Faint, &format!("{place}{note}")));
    }
    more(page, attributes.len());
}

fn fact_lines(page: &mut Page, facts: &[Fact]) {
    if facts.is_empty() {
        return;
    }
    page.heading("Relied on", "a step stops when its own have changed");
    for fact in facts.iter().take(SHOWN) {
        let value = value::brief(&fact.value, VALUE_CHARACTERS);
        let line = Line::plain(&fact.title).and(Ink::Plain, ": ").and(Ink::Plain, &value);
        page.put(2, 4, &line.and(Ink::Faint, &format!("  ({})", numbered(&fact.steps))));
    }
    more(page, facts.len());
}

fn step_lines(page: &mut Page, explanation: &Explanation) {
    if explanation.steps.is_empty() {
        return;
    }
    page.heading("Steps", "numbered as in the whole plan");
    let digits = explanation.steps.iter().map(|step| width(&step.number.to_string())).max().unwrap_or(1);
    let room = page.columns().saturating_sub(digits + 14);
    for step in explanation.steps.iter().take(SHOWN) {
        let waits = if step.waits_for.is_empty() { String::new() } else { format!("  (after {})", numbered(&step.waits_for)) };
        let title = Line::plain(&step.title).and(Ink::Faint, &waits);
        let cells = [
            Cell::right(Line::of(Ink::Faint, &step.number.to_string()), digits),
            Cell::left(Line::plain(step.phase.word()), 8),
            Cell::left(title, room),
        ];
        page.row(&Line::plain("  "), &cells);
    }
    more(page, explanation.steps.len());
}

fn due(page: &mut Page, explanation: &Explanation) {
    let Explanation { next_due, depends_on, awaited_by, .. } = explanation;
    if next_due.is_none() && depends_on.is_empty() && awaited_by.is_empty() {
        return;
    }
    page.gap();
    if let Some(due) = next_due {
        let label = if *due <= explanation.now { "Due since " } else { "Next due " };
        page.put(0, 2, &Line::plain(label).and(Ink::Plain, &time::minute(*due)));
    }
    let names = |addresses: &[Address]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !depends_on.is_empty() {
        page.put(0, 2, &Line::plain("Depends on ").and(Ink::Plain, &names(depends_on)));
    }
    if !awaited_by.is_empty() {
        page.put(0, 2, &Line::plain("Awaited by ").and(Ink::Plain, &names(awaited_by)));
    }
}

fn more(page: &mut Page, all: usize) {
    if all > SHOWN {
        page.put(2, 2, &Line::of(Ink::Faint, &format!("{} more: --json has all of them", all - SHOWN)));
    }
}

/// `step 3`, `steps 3, 5`, `no step`.
fn numbered(numbers: &[usize]) -> String {
    match numbers {
        [] => "no step".to_owned(),
        [one] => format!("step {one}"),
        several => {
            let shown: Vec<String> = several.iter().take(8).map(ToString::to_string).collect();
            let more = if several.len() > shown.len() { " …" } else { "" };
            format!("steps {}{more}", shown.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::sample;

    #[test]
    fn a_refresh_is_explained_from_reason_to_steps() {
        let plan = sample::database();
        let address = plan.steps[0].address.clone();
        let explained = explanation(&plan, None, &address).unwrap();
        assert_eq!(explained.steps.len(), plan.steps.iter().filter(|step| step.address == address).count());
        let text = text(&explained, &Style::plain(100));
        assert!(text.contains("must be replaced") && text.contains("Why") && text.contains("Steps"), "{text}");
        for reason in &explained.reasons {
            assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(reason.as_str()), "{reason} is not in\n{text}");
        }
    }

    #[test]
    fn what_could_not_be_planned_says_why_and_what_next() {
        let plan = sample::blocked();
        let error = &plan.errors[0];
        let text = text(&explanation(&plan, None, &error.address).unwrap(), &Style::plain(200));
        assert!(text.contains("could not be planned") && text.contains(&error.error) && text.contains(&error.help), "{text}");
    }

    #[test]
    fn what_is_nowhere_is_not_explained() {
        assert!(explanation(&sample::nothing(), None, &Address::new("database", "nobody")).is_none());
    }

    #[test]
    fn hostile_names_stay_text() {
        let plan = sample::hostile();
        for change in &plan.resource_changes {
            let explained = explanation(&plan, None, &change.address).unwrap();
            for shown in [text(&explained, &Style::plain(80)), json(&explained)] {
                assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
                assert!(!shown.contains('\u{202e}'), "{shown:?}");
            }
        }
    }
}
