//! The history of an environment's runs, newest first. Filled by the command, shown here.

use std::time::Duration;

use serde::Serialize;

use crate::model::time::{self, Timestamp};
use crate::review::layout::{Cell, Line, Page, width};
use crate::review::{Ink, Style, escape};

/// The runs of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunsDoc {
    /// Its name.
    pub environment: String,
    /// Newest first.
    pub runs: Vec<RunRow>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRow {
    /// Its id.
    pub run: String,
    /// When it began.
    pub started: Timestamp,
    /// How long it took, or has taken so far, in seconds.
    pub elapsed_seconds: u64,
    /// Who began it.
    pub actor: String,
    /// `apply`, `resume`, `rollback` or `given up`: what was last done with it.
    pub mode: String,
    /// How it ended; none while it has not.
    pub exit_code: Option<u8>,
    /// Steps of its plan.
    pub steps: usize,
    /// How many are done.
    pub done: usize,
    /// How many are undone.
    pub undone: usize,
    /// Seconds that people noticed.
    pub outage_seconds: u64,
    /// Whether an outage has begun and not ended.
    pub outage_open: bool,
}

/// The mode of a run that a person has given up as it stood.
pub const GIVEN_UP: &str = "given up";

impl RunRow {
    /// How it ended, in a word or two.
    #[must_use]
    pub fn ended(&self) -> &'static str {
        match self.exit_code {
            None => "unfinished",
            Some(_) if self.mode == GIVEN_UP => GIVEN_UP,
            Some(0) if self.mode == "rollback" => "turned back",
            Some(0) => "done",
            Some(3) => "at a gate",
            Some(4) => "failed, turned back",
            Some(5) => "needs a person",
            Some(6) => "stale",
            Some(7) => "locked",
            Some(8) => "stopped",
            Some(_) => "failed",
        }
    }
}

/// A table, one run a line; a sentence when there is none.
#[must_use]
pub fn text(doc: &RunsDoc, style: &Style) -> String {
    let mut page = Page::new(style);
    if doc.runs.is_empty() {
        page.put(0, 0, &Line::plain(&format!("No runs of {} are in the journal.", doc.environment)));
        return page.finish();
    }
    let heads = ["run", "began", "took", "how it ended", "steps", "outage", "by"];
    let rows: Vec<[String; 7]> = doc.runs.iter().map(cells).collect();
    let mut widths = heads.map(width);
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(&escape::terminal(cell)));
        }
    }
    // What is too wide for the terminal is wrapped in the last column, where names of people and CI systems are.
    let before: usize = widths[..6].iter().map(|width| width + 2).sum();
    widths[6] = widths[6].min(page.columns().saturating_sub(before).max(12));
    let line = |page: &mut Page, texts: [&str; 7], ink: fn(usize) -> Ink| {
        let cell = |(column, (text, width)): (usize, (&str, usize))| {
            let line = Line::of(ink(column), text);
            if matches!(column, 2 | 4 | 5) { Cell::right(line, width) } else { Cell::left(line, width) }
        };
        let cells: Vec<Cell> = texts.into_iter().zip(widths).enumerate().map(cell).collect();
        page.row(&Line::default(), &cells);
    };
    line(&mut page, heads, |_| Ink::Faint);
    for (row, run) in rows.iter().zip(&doc.runs) {
        let ink: fn(usize) -> Ink = match run.exit_code {
            Some(0) => |column| if column == 3 { Ink::Good } else { Ink::Plain },
            None | Some(3 | 8) => |column| if column == 3 { Ink::Watch } else { Ink::Plain },
            Some(_) => |column| if column == 3 { Ink::Danger } else { Ink::Plain },
        };
        line(&mut page, row.each_ref().map(String::as_str), ink);
    }
    page.finish()
}

/// As JSON, pretty-printed, with a line end.
#[must_use]
pub fn json(doc: &RunsDoc) -> String {
    let mut text = serde_json::to_string_pretty(doc).unwrap_or_default();
    text.push('\n');
    escape::json(&text)
}

fn cells(run: &RunRow) -> [String; 7] {
    let undone = if run.undone == 0 { String::new() } else { format!(" (-{})", run.undone) };
    [
        run.run.clone(),
        time::minute(run.started),
        time::words(Duration::from_secs(run.elapsed_seconds)),
        run.ended().to_owned(),
        format!("{}/{}{undone}", run.done, run.steps),
        match (run.outage_open, run.outage_seconds) {
            (true, _) => "open".to_owned(),
            (false, 0) => "-".to_owned(),
            (false, seconds) => time::to_the_second(Duration::from_secs(seconds)),
        },
        run.actor.clone(),
    ]
}
