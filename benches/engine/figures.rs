//! The table that is printed at the end.

use std::fmt::Write as _;

/// Rows of it, as they come.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

struct Row {
    what: String,
    ours: String,
    limit: String,
    ratio: f64,
    bar: String,
    passes: bool,
}

/// What a figure must not exceed.
pub enum Bar {
    /// Milliseconds.
    Milliseconds(f64),
    /// Times the limit.
    Ratio(f64),
    /// Told, and held to nothing.
    None,
}

impl Table {
    /// Adds one row: medians of ours and of the limit, in milliseconds.
    pub fn row(&mut self, what: &str, ours_ms: f64, limit_ms: f64, bar: &Bar) {
        let ratio = ours_ms / limit_ms;
        let (bar, passes) = match bar {
            Bar::Milliseconds(most) => (format!("{most} ms"), ours_ms <= *most),
            Bar::Ratio(most) => (format!("{most} x"), ratio <= *most),
            Bar::None => ("-".to_owned(), true),
        };
        self.rows.push(Row { what: what.to_owned(), ours: format!("{ours_ms:.1} ms"), limit: format!("{limit_ms:.1} ms"), ratio, bar, passes });
    }

    /// Adds a line below the table.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub fn all_pass(&self) -> bool {
        self.rows.iter().all(|row| row.passes)
    }

    pub fn text(&self) -> String {
        let mut text = format!("{:<62} {:>11} {:>11} {:>7} {:>8}\n", "", "ours", "limit", "ratio", "bar");
        for row in &self.rows {
            let verdict = match (row.bar.as_str(), row.passes) {
                ("-", _) => "",
                (_, true) => "pass",
                (_, false) => "FAIL",
            };
            let _ = writeln!(text, "{:<62} {:>11} {:>11} {:>7.2} {:>8}  {verdict}", row.what, row.ours, row.limit, row.ratio, row.bar);
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        text
    }
}

/// The one in the middle.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
