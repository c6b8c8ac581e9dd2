//! What the plan was based on: the worlds, and the facts that are checked again before a step that needs them.

use indexmap::IndexMap;

use crate::model::Address;
use crate::model::text::many;
use crate::plan::{Fact, Plan};
use crate::review::layout::{Cell, Line, Page, width};
use crate::review::style::Ink;
use crate::review::value;

/// A zone may rely on thousands of records: beyond these the JSON is the place to read them.
const SHOWN_PER_RESOURCE: usize = 12;
/// A value is here to be recognised; steps and changes hold it in full.
const VALUE_CHARACTERS: usize = 120;
/// Below this width there is no room for two columns.
const NARROW: usize = 78;

pub(super) fn write(page: &mut Page, plan: &Plan) {
    if plan.facts.is_empty() {
        return;
    }
    page.heading("Relied on", "a step stops when its own have changed");
    let inside: Vec<String> = plan.world.iter().filter(|(name, _)| *name != "world").map(|(name, id)| format!("{name} {id}")).collect();
    let world: Vec<String> = plan.world.get("world").cloned().into_iter().chain(inside).collect();
    if !world.is_empty() {
        page.put(2, 9, &Line::of(Ink::Faint, "made in ").and(Ink::Plain, &world.join(", ")));
    }
    // Resources in the order of their first fact.
    let mut by_resource: IndexMap<&Address, Vec<&Fact>> = IndexMap::new();
    for fact in &plan.facts {
        by_resource.entry(&fact.address).or_default().push(fact);
    }
    for (address, facts) in by_resource {
        page.put(2, 2, &Line::plain(&address.to_string()));
        let shown = &facts[..facts.len().min(SHOWN_PER_RESOURCE)];
        if page.columns() < NARROW {
            stacked(page, shown);
        } else {
            beside(page, shown);
        }
        if facts.len() > shown.len() {
            let more = format!("{} more: --format json has all of them", many(facts.len() - shown.len(), "fact"));
            page.put(4, 0, &Line::of(Ink::Faint, &more));
        }
    }
}

/// Titles and values in two columns.
fn beside(page: &mut Page, facts: &[&Fact]) {
    let room = page.columns().saturating_sub(6);
    let titles = facts.iter().map(|fact| width(&fact.title)).max().unwrap_or(0).min(room / 2);
    for fact in facts {
        let value = Line::of(Ink::Faint, &value::brief(&fact.value.head(VALUE_CHARACTERS), VALUE_CHARACTERS));
        page.row(&Line::plain("    "), &[Cell::left(Line::plain(&fact.title), titles), Cell::left(value, room - titles)]);
    }
}

/// For narrow terminals: the value behind its title, or under it.
fn stacked(page: &mut Page, facts: &[&Fact]) {
    for fact in facts {
        let value = value::brief(&fact.value.head(VALUE_CHARACTERS), VALUE_CHARACTERS);
        page.put(4, 2, &Line::plain(&fact.title).and(Ink::Plain, ": ").and(Ink::Faint, &value));
    }
}
