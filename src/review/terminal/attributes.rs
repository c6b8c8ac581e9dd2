//! Attributes before -> after, aligned; inner maps, lists and texts of several lines show only what differs in them.

use similar::{ChangeTag, TextDiff};

use crate::diff::AttributeChange;
use crate::model::Json;
use crate::plan::ResourceChange;
use crate::review::escape;
use crate::review::layout::{Line, Page, width};
use crate::review::style::Ink;
use crate::review::value;

/// Values are aligned up to these columns, names up to half of the page; longer ones stand out.
const ALIGNED: usize = 36;
/// Larger texts are named by their size: the saved plan holds them in full.
const TEXT_BYTES: usize = 64 * 1024;
const INDENT: usize = 6;

/// Whether a resource's attributes show that symbol.
pub(super) fn uses(change: &ResourceChange, symbol: char) -> bool {
    change.attributes.iter().any(|attribute| self::symbol(attribute).0 == symbol)
}

/// All of them, in their order.
pub(super) fn write(page: &mut Page, attributes: &[AttributeChange]) {
    let columns = Columns::of(page, attributes);
    for attribute in attributes {
        let (symbol, ink) = symbol(attribute);
        let start = Line::of(ink, symbol.encode_utf8(&mut [0; 4])).and(Ink::Plain, " ").and(Ink::Plain, &attribute.name);
        let start = start.padded(columns.name + 2).and(Ink::Plain, " = ");
        if inside(attribute) {
            nested(page, start, attribute);
        } else {
            plain(page, &start, attribute, &columns);
        }
    }
}

/// How the attributes of one resource are aligned, in columns of the terminal.
struct Columns {
    name: usize,
    before: usize,
    after: usize,
    /// Whether every note finds room behind its value; else all of them stand below, so that the eye finds them in one place.
    notes_beside: bool,
}

impl Columns {
    fn of(page: &Page, attributes: &[AttributeChange]) -> Self {
        let most = |widths: &mut dyn Iterator<Item = usize>, limit: usize| widths.filter(|width| *width <= limit).max().unwrap_or(0);
        let flat: Vec<&AttributeChange> = attributes.iter().filter(|attribute| !inside(attribute)).collect();
        let name = most(&mut attributes.iter().map(|attribute| width(&attribute.name)), page.columns() / 2);
        let changed = || flat.iter().filter(|attribute| symbol(attribute).0 == '~');
        let before = most(&mut changed().map(|attribute| value::inline_width(&attribute.before)), ALIGNED);
        let noted = || changed().filter(|attribute| attribute.note.is_some());
        let after = most(&mut noted().map(|attribute| value::inline_width(&attribute.after)), ALIGNED);
        let mut columns = Columns { name, before, after, notes_beside: true };
        let room = page.columns().saturating_sub(INDENT);
        columns.notes_beside = flat.iter().all(|attribute| {
            let note = attribute.note.as_ref().map_or(0, |note| width(&escape::terminal(note)) + 4);
            note == 0 || columns.name + 5 + columns.whole(attribute).width() + note <= room
        });
        columns
    }

    /// Both sides of an attribute on one line.
    fn whole(&self, attribute: &AttributeChange) -> Line {
        match sides(attribute) {
            (first, None) => Line::plain(&first),
            (first, Some(second)) => {
                let line = Line::plain(&first).padded(self.before).and(Ink::Faint, " -> ");
                let noted = attribute.note.is_some() && self.notes_beside;
                line.join(Line::plain(&second).padded(if noted { self.after } else { 0 }))
            }
        }
    }
}

/// What there is to show of an attribute: only a change has two sides.
fn sides(attribute: &AttributeChange) -> (String, Option<String>) {
    match symbol(attribute).0 {
        '~' => (value::inline(&attribute.before), Some(value::inline(&attribute.after))),
        '-' => (value::inline(&attribute.before), None),
        _ => (value::inline(&attribute.after), None),
    }
}

fn symbol(attribute: &AttributeChange) -> (char, Ink) {
    match (&attribute.before, &attribute.after) {
        (before, after) if before == after => (' ', Ink::Plain),
        (Json::Null, _) => ('+', Ink::Good),
        (_, Json::Null) => ('-', Ink::Gone),
        _ => ('~', Ink::Watch),
    }
}

/// Whether the difference is shown inside the value.
fn inside(attribute: &AttributeChange) -> bool {
    let (before, after) = (&attribute.before, &attribute.after);
    let several_lines = |value: &Json| value.as_str().is_some_and(|text| text.trim_end().contains('\n'));
    let open_map = |value: &Json| value.as_object().is_some_and(|map| !map.is_empty()) && value::secret(value).is_none();
    let long_list = |value: &Json| value.as_array().is_some_and(|items| items.len() > 2);
    let fits = |value: &Json| value.is_null() || value.is_object();
    before != after
        && (several_lines(before)
            || several_lines(after)
            || ((open_map(before) || open_map(after)) && fits(before) && fits(after))
            || ((long_list(before) || long_list(after)) && (before.is_array() || before.is_null()) && (after.is_array() || after.is_null())))
}

/// On one line where that fits, else each value on its own.
fn plain(page: &mut Page, start: &Line, attribute: &AttributeChange, columns: &Columns) {
    let whole = start.clone().join(columns.whole(attribute));
    let note = attribute.note.as_ref().map(|note| Line::of(Ink::Faint, &format!("# {note}")));
    if whole.width() + INDENT > page.columns() {
        let (first, second) = sides(attribute);
        apart(page, start, &first, second.as_deref());
    } else if let Some(note) = note.as_ref().filter(|_| columns.notes_beside) {
        page.raw(INDENT, &whole.and(Ink::Plain, "  ").join(note.clone()));
        return;
    } else {
        page.raw(INDENT, &whole);
    }
    if let Some(note) = note {
        page.put(INDENT + 4, 2, &note);
    }
}

/// The name on a line of its own, then both values: beside one another where that fits, else one under the other for the eye to compare.
fn apart(page: &mut Page, start: &Line, first: &str, second: Option<&str>) {
    page.put(INDENT, 4, start);
    let Some(second) = second else {
        page.put(INDENT + 4, 2, &Line::plain(first));
        return;
    };
    let beside = Line::plain(first).and(Ink::Faint, " -> ").and(Ink::Plain, second);
    if beside.width() + INDENT + 4 <= page.columns() {
        page.raw(INDENT + 4, &beside);
    } else {
        page.put(INDENT + 7, 2, &Line::plain(first));
        page.put(INDENT + 4, 5, &Line::of(Ink::Faint, "-> ").and(Ink::Plain, second));
    }
}

/// Only what differs inside a map, a list or a long text.
fn nested(page: &mut Page, start: Line, attribute: &AttributeChange) {
    let note = attribute.note.as_ref().map_or_else(String::new, |note| format!("  # {note}"));
    let (before, after) = (&attribute.before, &attribute.after);
    let (open, close) = match (before, after) {
        (Json::Object(_), _) | (_, Json::Object(_)) => ("{", "}"),
        (Json::Array(_), _) | (_, Json::Array(_)) => ("[", "]"),
        _ => ("<<-EOT", "EOT"),
    };
    page.put(INDENT, 4, &start.and(Ink::Plain, open).and(Ink::Faint, &note));
    match open {
        "{" => map(page, before, after),
        "[" => list(page, before, after),
        _ => text(page, before, after),
    }
    page.put(INDENT + 2, 0, &Line::plain(close));
}

fn map(page: &mut Page, before: &Json, after: &Json) {
    let empty = serde_json::Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let mut unchanged = 0;
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let names = keys.iter().map(|key| width(&value::key_text(key))).filter(|name| *name <= page.columns() / 2).max().unwrap_or(0);
    for key in keys {
        let change = AttributeChange {
            name: value::key_text(key),
            before: before.get(key).cloned().unwrap_or(Json::Null),
            after: after.get(key).cloned().unwrap_or(Json::Null),
            note: None,
        };
        let (symbol, ink) = symbol(&change);
        if symbol == ' ' {
            unchanged += 1;
            continue;
        }
        let line = Line::of(ink, &symbol.to_string()).and(Ink::Plain, " ").and(Ink::Plain, &change.name).padded(names + 2).and(Ink::Plain, " = ");
        let line = match symbol {
            '~' => line.and(Ink::Plain, &value::inline(&change.before)).and(Ink::Faint, " -> ").and(Ink::Plain, &value::inline(&change.after)),
            '-' => line.and(Ink::Plain, &value::inline(&change.before)),
            _ => line.and(Ink::Plain, &value::inline(&change.after)),
        };
        page.put(INDENT + 4, 4, &line);
    }
    hidden(page, unchanged, "entry", "entries");
}

/// Items that go, items that come; order alone is no difference worth showing.
fn list(page: &mut Page, before: &Json, after: &Json) {
    let items = |value: &Json| value.as_array().cloned().unwrap_or_default();
    let (before, mut added) = (items(before), items(after));
    let mut unchanged = 0;
    for item in before {
        if let Some(index) = added.iter().position(|other| *other == item) {
            added.remove(index);
            unchanged += 1;
        } else {
            page.put(INDENT + 4, 4, &Line::of(Ink::Gone, "- ").and(Ink::Plain, &value::inline(&item)));
        }
    }
    for item in added {
        page.put(INDENT + 4, 4, &Line::of(Ink::Good, "+ ").and(Ink::Plain, &value::inline(&item)));
    }
    hidden(page, unchanged, "item", "items");
}

/// Lines of a text with two lines around each difference.
fn text(page: &mut Page, before: &Json, after: &Json) {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let (before, after) = (text(before), text(after));
    if before.len() > TEXT_BYTES || after.len() > TEXT_BYTES {
        let sizes = format!("# {} bytes -> {} bytes; --format json has both", before.len(), after.len());
        page.put(INDENT + 4, 4, &Line::of(Ink::Faint, &sizes));
        return;
    }
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    for (number, group) in diff.grouped_ops(2).iter().enumerate() {
        if number > 0 {
            page.put(INDENT + 4, 0, &Line::of(Ink::Faint, "..."));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (mark, ink) = match change.tag() {
                ChangeTag::Delete => ("- ", Ink::Gone),
                ChangeTag::Insert => ("+ ", Ink::Good),
                ChangeTag::Equal => ("  ", Ink::Plain),
            };
            let line = change.value().trim_end_matches('\n');
            page.put(INDENT + 4, 4, &Line::of(ink, mark).and(Ink::Plain, line));
        }
    }
}

fn hidden(page: &mut Page, count: usize, one: &str, several: &str) {
    if count > 0 {
        let noun = if count == 1 { one } else { several };
        page.put(INDENT + 4, 0, &Line::of(Ink::Faint, &format!("# ({count} unchanged {noun} hidden)")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::review::Style;
    use crate::review::sample::attribute;

    fn show(attributes: &[AttributeChange]) -> String {
        let mut page = Page::new(&Style::plain(80));
        write(&mut page, attributes);
        page.finish()
    }

    #[test]
    fn what_comes_and_goes_has_one_side_and_secrets_have_none() {
        let secret = json!({"secret": "expression", "expression": "env(\"DB_PASSWORD\")", "refers_to": ["env.DB_PASSWORD"]});
        let text = show(&[
            attribute("new", json!(null), json!(["a", "b"]), ""),
            attribute("gone", json!({"a": 1}), json!(null), ""),
            attribute("kind", json!("text"), json!({"a": 1}), "now a map"),
            attribute("password", json!(null), secret, ""),
        ]);
        insta::assert_snapshot!(text, @r#"
    + new      = ["a", "b"]
    - gone     = {
        - a = 1
      }
    ~ kind     = "text" -> { a = 1 }  # now a map
    + password = (sensitive: env("DB_PASSWORD"))
    "#);
    }

    #[test]
    fn only_what_differs_in_a_long_text_is_shown() {
        let lines = |changed: &str| (0..30).map(|n| if n == 15 { format!("{changed}\n") } else { format!("line {n}\n") }).collect::<String>();
        let text = show(&[attribute("sql", json!(lines("old\r")), json!(lines("new\u{1b}[0m")), "")]);
        insta::assert_snapshot!(text, @r"
    ~ sql = <<-EOT
          line 13
          line 14
        - old\r
        + new\u001b[0m
          line 16
          line 17
      EOT
    ");
        let huge = show(&[attribute("sql", json!("x\n".repeat(100_000)), json!("y\n"), "")]);
        assert!(huge.contains("# 200000 bytes -> 2 bytes; --format json has both"), "{huge}");
    }
}
