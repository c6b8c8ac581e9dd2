//! The plan as a comment on a pull request (GitHub, GitLab): what matters first and always, the rest folded away.

use std::borrow::Cow;

use super::Style;
use super::escape::{self, fenced};
use super::summary::{self, Numbers};
use super::terminal::{self, Parts};
use crate::declare::desired::NO_LONGER_DECLARED;
use crate::diff::Action;
use crate::model::text::many;
use crate::plan::{Experience, Plan, PlanError, ResourceChange};

/// Characters of one comment: GitHub's limit. Bytes are counted, so it holds in either measure.
pub const BUDGET: usize = 65_536;
/// Of the head, which is never left out, at most this many items of each list are named. Six lists of this many items of at most three
/// parts stay well below the budget.
const NAMED: usize = 10;
/// Bytes of one part of the head, escaped; a longer one is cut, and stands in full below or in the saved plan.
const PART_BYTES: usize = 400;
/// Columns of the fenced view: what fits beside a review without scrolling.
const COLUMNS: usize = 110;

/// Renders a plan as Markdown of at most [`BUDGET`] bytes. Counts and risks are always there; what does not fit of the details is
/// left out with a sentence that says so.
#[must_use]
pub fn markdown(plan: &Plan) -> String {
    markdown_knowing(plan, &Experience::default())
}

/// The same with what earlier runs took in place of guesses, and a word where it is so.
#[must_use]
pub fn markdown_knowing(plan: &Plan, experience: &Experience) -> String {
    // A large plan is copied only where something in it changes.
    let informed = if experience.is_empty() { Cow::Borrowed(plan) } else { Cow::Owned(experience.informed(plan).0) };
    let mut page = head(&informed, experience).join("\n\n");
    page.push_str("\n\n");
    let room = BUDGET.saturating_sub(page.len());
    let style = Style::plain(COLUMNS);
    let whole = framed(&git_diff(&terminal::for_comment(plan, &style, experience)), "");
    page.push_str(&if whole.len() <= room { whole } else { cut_details(&terminal::parts(plan, &style, experience), room) });
    page
}

/// The blocks that are never left out.
fn head(plan: &Plan, experience: &Experience) -> Vec<String> {
    let mut blocks = vec![format!("## Switchover: {}", code(&plan.environment))];
    if !plan.errors.is_empty() {
        blocks.push(format!("**{} could not be planned.** This plan cannot be applied.", many(plan.errors.len(), "resource")));
        let error = |error: &PlanError| format!("{}: {}<br>help: {}", code(&error.address.to_string()), text(&error.error), text(&error.help));
        blocks.push(list(plan.errors.iter().map(error)).join("\n"));
    }
    if summary::nothing_to_do(plan) {
        let is_held = plan.resource_changes.iter().any(|change| change.held.is_some());
        let words = if is_held { "What is not held is as declared." } else { "Everything is as declared." };
        blocks.push(format!("**No changes.** {words}"));
    } else if !plan.steps.is_empty() || plan.errors.is_empty() {
        blocks.push(format!("**{}**", summary::count_line(plan)));
        blocks.push(format!("{}; {}; {}.", summary::size(plan), text(&summary::outages(plan)), summary::no_way_back(plan)));
    }
    let mut items = risks(plan, experience);
    items.extend(list(summary::changed(plan).map(changed)));
    items.extend(list(plan.resource_changes.iter().filter_map(|change| {
        let hold = change.held.as_ref()?;
        Some(format!("**Held**: {}: {}", code(&change.address.to_string()), text(hold)))
    })));
    if !items.is_empty() {
        blocks.push(items.join("\n"));
    }
    if plan.errors.is_empty() {
        blocks.push(format!("Run {}, digest {}", code(&plan.run), code(&summary::short_digest(&plan.digest))));
    }
    blocks
}

fn risks(plan: &Plan, experience: &Experience) -> Vec<String> {
    let numbers = Numbers::of(plan);
    let mut items = list(plan.outage.iter().map(|window| {
        let steps = numbers.of_window(window);
        let steps = if steps.is_empty() { steps } else { format!(", {steps}") };
        format!("**Outage** of {}: {}{steps}", code(&window.name), summary::expected(experience.outage(window)))
    }));
    items.extend(list(plan.irreversible.iter().map(|words| {
        let step = numbers.of_irreversible(plan, words).map_or_else(String::new, |number| format!(" (step {number})"));
        format!(":warning: **Cannot be undone**: {}{step}", text(words))
    })));
    items.extend(list(plan.warnings.iter().map(|warning| format!("**Warning**: {}", text(warning)))));
    items
}

fn changed(change: &ResourceChange) -> String {
    let verb = match change.action {
        Action::NoOp => "No change of",
        Action::Create => "Create",
        Action::Update => "Update",
        Action::Delete if change.declared_at == NO_LONGER_DECLARED => "Destroy",
        Action::Delete => "Destroy what earlier runs left of",
        Action::Replace => "Replace",
    };
    let why = change.reasons.first().map_or_else(String::new, |reason| format!(": {}", text(reason)));
    format!("{verb} {}{why}", code(&change.address.to_string()))
}

/// Bullets, of which the first are named and the rest counted.
fn list(items: impl Iterator<Item = String>) -> Vec<String> {
    let (mut bullets, mut more) = (Vec::new(), 0);
    for item in items {
        if bullets.len() < NAMED {
            bullets.push(format!("- {item}"));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        bullets.push(format!("- and {more} more"));
    }
    bullets
}

/// Running text, escaped and cut.
fn text(words: &str) -> String {
    cut(words, escape::markdown)
}

/// A code span, escaped and cut.
fn code(words: &str) -> String {
    cut(words, escape::code_span)
}

/// The longest beginning that fits when it is escaped; a text is never cut in the middle of an escape.
fn cut(words: &str, escape: fn(&str) -> String) -> String {
    let mut kept = words.chars().count().min(PART_BYTES);
    let whole = kept == words.chars().count();
    let all = escape(&words.chars().take(kept).collect::<String>());
    if whole && all.len() <= PART_BYTES {
        return all;
    }
    loop {
        let shown = escape(&words.chars().take(kept).chain(['…']).collect::<String>());
        if shown.len() <= PART_BYTES || kept == 0 {
            return shown;
        }
        kept = kept * 3 / 4;
    }
}

/// A text in a folded block.
fn framed(inner: &str, end: &str) -> String {
    format!("<details><summary>Changes, steps and facts</summary>\n\n{}\n</details>\n{end}", fenced("diff", inner))
}

/// What fits of the parts into `room` bytes: the steps first, up to half of the room, then the changes, then what was relied on. What is left out of
/// each is counted.
fn cut_details(parts: &Parts, room: usize) -> String {
    let note = "\n**The details are cut**: they do not fit into one comment. `switchover show PLAN` has all of them.\n";
    let [changes, steps, facts] = [&parts.changes, &parts.steps, &parts.facts].map(|part| git_diff(part));
    // A fence may have to be longer than usual: no longer than the longest run of back-ticks that there is.
    let ticks = [&changes, &steps, &facts].map(|part| escape::longest_run(part)).into_iter().max().unwrap_or(0);
    let free = room.saturating_sub(framed("", note).len() + 2 * ticks + 16);
    let steps = kept(&steps, free / 2);
    let changes = kept(&changes, free.saturating_sub(steps.len()));
    let facts = kept(&facts, free.saturating_sub(steps.len() + changes.len()));
    let inner: Vec<&str> = [&changes, &steps, &facts].into_iter().map(|part| part.trim_end()).filter(|part| !part.is_empty()).collect();
    let page = framed(&inner.join("\n\n"), note);
    if page.len() <= room { page } else { note.trim_start().to_owned() }
}

/// The lines that fit into `room` bytes, and how many more there are; nothing where not even that can be said.
fn kept(part: &str, room: usize) -> String {
    const SAYING_SO: usize = 64;
    if part.len() + 2 <= room {
        return format!("{part}\n\n");
    }
    let lines = part.lines().count();
    let (mut text, mut count) = (String::new(), 0);
    for line in part.lines() {
        if text.len() + line.len() + 1 + SAYING_SO > room {
            break;
        }
        text.push_str(line);
        text.push('\n');
        count += 1;
    }
    if room < SAYING_SO { String::new() } else { format!("{text}  … and {} more lines\n\n", lines - count) }
}

/// The view with `+ - ~` in the first column, where these sites colour them (`~` has no colour there and becomes `!`).
fn git_diff(view: &str) -> String {
    view.lines().map(git_diff_line).collect::<Vec<_>>().join("\n")
}

fn git_diff_line(line: &str) -> String {
    let bare = line.trim_start();
    let blanks = &line[..line.len() - bare.len()];
    if bare.starts_with("+/- ") {
        return format!("!{blanks}{bare}");
    }
    for (mark, symbol) in [("+ ", '+'), ("- ", '-'), ("~ ", '!')] {
        if let Some(rest) = bare.strip_prefix(mark) {
            return format!("{symbol}{blanks} {rest}");
        }
    }
    // Any other line that begins with a sign of a diff would be coloured, too.
    if line.starts_with(['+', '-', '!', '@']) { format!(" {line}") } else { line.to_owned() }
}

#[cfg(test)]
mod tests;
