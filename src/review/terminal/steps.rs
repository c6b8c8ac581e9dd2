//! The steps in their order, under their phases, each with its time, its limit and its way back; outages stand beside them as a bar.

use crate::model::text::many;
use crate::model::{Phase, time};
use crate::plan::{Experience, Outage, Plan, Step};
use crate::review::layout::{Cell, Line, Page};
use crate::review::style::Ink;
use crate::review::summary::{self, Numbers, about};

/// From this width on times have columns of their own.
const WIDE: usize = 78;
/// From this width on the way back has one too.
const VERY_WIDE: usize = 130;
const TIME: usize = 9;
/// Stands behind a time that is no guess.
const KNOWN: &str = "*";

/// Of so many steps it is `known` how long they took in earlier runs.
pub(super) fn write(page: &mut Page, plan: &Plan, experience: &Experience, known: usize) {
    if plan.steps.is_empty() {
        return;
    }
    page.heading("Steps", "in this order; those that do not wait for one another run side by side");
    if known > 0 {
        let words = format!(
            "{KNOWN} as in earlier runs of this environment, the median: {} of {}; other times are guesses",
            known,
            many(plan.steps.len(), "step")
        );
        page.put(2, 2, &Line::of(Ink::Faint, &words));
    }
    let frame = Frame::new(page.columns(), plan.steps.len());
    frame.header(page);
    let numbers = Numbers::of(plan);
    let mut phase = None;
    for (index, step) in plan.steps.iter().enumerate() {
        if phase != Some(step.phase) {
            phase = Some(step.phase);
            let (ink, about) = describe(step.phase);
            page.put(2, 4, &Line::of(ink, step.phase.word()).and(Ink::Faint, &format!("  {about}")));
        }
        begins(page, plan, step, experience);
        let mark = if known > 0 && experience.step(step).runs > 0 { KNOWN } else { "" };
        frame.step(page, step, index + 1, mark, &waits(&numbers, step, index));
        ends(page, step);
    }
}

fn describe(phase: Phase) -> (Ink, &'static str) {
    match phase {
        Phase::Prepare => (Ink::Strong, "new beside old: nothing that users see changes"),
        Phase::Verify => (Ink::Strong, "proof; if it fails, what was made is removed and nothing has happened"),
        Phase::Switch => (Ink::Watch, "the moment that users can notice"),
        Phase::Confirm => (Ink::Strong, "proof; if it fails, everything is switched back"),
        Phase::Retire => (Ink::Strong, "only when nothing will be turned back any more"),
    }
}

fn begins(page: &mut Page, plan: &Plan, step: &Step, experience: &Experience) {
    if let Some(Outage::Starts(name) | Outage::Whole(name)) = &step.outage {
        let window = plan.outage.iter().find(|window| window.steps.contains(&step.id));
        let length = window.map_or_else(String::new, |window| format!(", {}", summary::expected(experience.outage(window))));
        page.put(1, 4, &Line::of(Ink::Watch, &format!("┏━ outage of {name} begins{length}")));
    }
}

fn ends(page: &mut Page, step: &Step) {
    if let Some(Outage::Ends(name) | Outage::Whole(name)) = &step.outage {
        page.put(1, 4, &Line::of(Ink::Watch, &format!("┗━ outage of {name} ends")));
    }
}

/// Said only where a step does not simply follow the one above it.
fn waits(numbers: &Numbers<'_>, step: &Step, index: usize) -> String {
    let mut before: Vec<usize> = step.after.iter().filter_map(|id| numbers.get(id)).collect();
    before.sort_unstable();
    if index == 0 || before.contains(&index) {
        return String::new();
    }
    match before.as_slice() {
        [] => "starts at once".to_owned(),
        [one] => format!("starts after {one}"),
        [few @ .., last] if few.len() < 4 => format!("starts after {} and {last}", few.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
        [.., last] => format!("starts after {last} and {} before it", before.len() - 1),
    }
}

/// The columns of the list.
struct Frame {
    number: usize,
    title: usize,
    undo: usize,
    columns: usize,
}

impl Frame {
    fn new(columns: usize, steps: usize) -> Self {
        let number = steps.to_string().len().max(2);
        // Gutter, number, and the blanks between.
        let left = columns - 3 - number - 2;
        let (title, undo) = if columns >= VERY_WIDE {
            let rest = left - 2 * (TIME + 2) - 2;
            (rest / 2, rest - rest / 2)
        } else if columns >= WIDE {
            (left - 2 * (TIME + 2), 0)
        } else {
            (left, 0)
        };
        Frame { number, title, undo, columns }
    }

    fn header(&self, page: &mut Page) {
        if self.columns < WIDE {
            return;
        }
        let faint = |text| Line::of(Ink::Faint, text);
        let mut cells = vec![Cell::left(Line::default(), self.number), Cell::left(Line::default(), self.title)];
        cells.extend([Cell::right(faint("about"), TIME), Cell::right(faint("at most"), TIME)]);
        if self.undo > 0 {
            cells.push(Cell::left(faint("way back"), self.undo));
        }
        page.row(&Line::plain("   "), &cells);
    }

    fn step(&self, page: &mut Page, step: &Step, number: usize, mark: &str, waits: &str) {
        let gutter = if step.outage.is_some() { Line::of(Ink::Watch, " ┃ ") } else { Line::plain("   ") };
        let ink = if step.irreversible.is_some() { Ink::Danger } else { Ink::Plain };
        let mut cells = vec![Cell::right(Line::of(Ink::Faint, &number.to_string()), self.number), Cell::left(Line::of(ink, &step.title), self.title)];
        let (expected, limit) = (format!("{}{mark}", time::words(step.limits.expected)), time::words(step.limits.timeout));
        let mut details = Vec::new();
        if self.columns >= WIDE {
            cells.extend([Cell::right(Line::plain(&expected), TIME), Cell::right(Line::of(Ink::Faint, &limit), TIME)]);
        } else {
            details.push(Line::of(Ink::Faint, &format!("{}{mark}, at most {limit}", about(step.limits.expected))));
        }
        details.extend(ways_back(step));
        if !waits.is_empty() {
            details.push(Line::of(Ink::Faint, waits));
        }
        if self.undo > 0 {
            let mut details = details.into_iter();
            cells.push(Cell::left(details.next().unwrap_or_default(), self.undo));
            page.row(&gutter, &cells);
            let before = self.columns - 3 - self.undo - 2;
            for more in details {
                page.row(&gutter, &[Cell::left(Line::default(), before), Cell::left(more, self.undo)]);
            }
            return;
        }
        page.row(&gutter, &cells);
        for detail in details {
            page.row(&gutter, &[Cell::left(Line::default(), self.number), Cell::left(detail, self.columns - 3 - self.number - 2)]);
        }
    }
}

/// The way back; what cannot be undone is red, and said once.
fn ways_back(step: &Step) -> Vec<Line> {
    if let Some(lost) = &step.irreversible {
        return vec![Line::of(Ink::Danger, &format!("cannot be undone: {lost}"))];
    }
    summary::undo(step).map(|words| Line::of(Ink::Faint, &words)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::OutageWindow;
    use crate::review::{Style, sample};

    #[test]
    fn every_outage_has_its_own_bar_and_length() {
        let mut plan = sample::database();
        plan.steps[10].outage = Some(Outage::Whole("restart of dev-openverse-db".to_owned()));
        let steps = vec![plan.steps[10].id.clone()];
        plan.outage.push(OutageWindow { name: "restart of dev-openverse-db".to_owned(), expected: Duration::from_secs(90), steps });
        let mut page = Page::new(&Style::plain(100));
        write(&mut page, &plan, &Experience::default(), 0);
        let text = page.finish();
        let bars: Vec<&str> = text.lines().filter(|line| line.contains("━")).map(str::trim).collect();
        assert_eq!(
            bars,
            [
                "┏━ outage of dev-openverse-db begins, about 8m",
                "┗━ outage of dev-openverse-db ends",
                "┏━ outage of restart of dev-openverse-db begins, about 1m 30s",
                "┗━ outage of restart of dev-openverse-db ends",
            ]
        );
        assert_eq!(summary::outages(&plan), "2 outages, about 9m 30s together");
    }

    #[test]
    fn waiting_is_said_only_where_it_is_not_the_step_above() {
        let mut plan = sample::database();
        let ids: Vec<String> = plan.steps.iter().map(|step| step.id.clone()).collect();
        plan.steps[3].after.clear();
        plan.steps[5].after = vec![ids[0].clone()];
        plan.steps[7].after = ids[0..3].to_vec();
        plan.steps[9].after = ids[0..8].to_vec();
        let numbers = Numbers::of(&plan);
        let said: Vec<String> =
            plan.steps.iter().enumerate().map(|(index, step)| waits(&numbers, step, index)).filter(|words| !words.is_empty()).collect();
        assert_eq!(said, ["starts at once", "starts after 1", "starts after 1, 2 and 3", "starts after 8 and 7 before it"]);
    }
}
