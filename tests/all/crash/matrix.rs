//! The table that the harness prints: cells tried, by where the process died and what came after, and where they ended.

use std::collections::BTreeMap;
use std::fmt;

use super::{Outcome, Then};

pub struct Matrix {
    name: &'static str,
    calls: u64,
    writes: u64,
    cells: BTreeMap<(&'static str, String, Outcome), u64>,
}

impl Matrix {
    pub fn new(name: &'static str, calls: u64, writes: u64) -> Self {
        Matrix { name, calls, writes, cells: BTreeMap::new() }
    }

    pub fn add(&mut self, row: &'static str, then: Then, outcome: Outcome) {
        let then = match then {
            Then::Resume => "resume",
            Then::RollBack => "roll back",
            Then::LoseJournal => "journal lost, plan again",
        };
        *self.cells.entry((row, then.to_owned(), outcome)).or_default() += 1;
    }

    pub fn add_alone(&mut self, row: &'static str, outcome: Outcome) {
        *self.cells.entry((row, "goes on by itself".to_owned(), outcome)).or_default() += 1;
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.cells.values().sum();
        writeln!(f, "{}: {} calls, {} journal writes, {total} cells", self.name, self.calls, self.writes)?;
        for ((row, then, outcome), count) in &self.cells {
            let outcome = match outcome {
                Outcome::Declared => "the declared world",
                Outcome::Original => "the original world",
                Outcome::RefusedGone => "refused by name: gone",
            };
            writeln!(f, "  {row:<22} {then:<26} {outcome:<24} {count:>5}")?;
        }
        Ok(())
    }
}
