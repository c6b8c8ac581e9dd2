//! The table that a proof prints: strikes, by where they fell and what came next, and where the trials ended.

use std::collections::BTreeMap;
use std::fmt;

use super::Told;

pub struct Matrix {
    name: String,
    trials: u64,
    cells: BTreeMap<(String, String, &'static str), u64>,
}

impl Matrix {
    pub fn new(name: &str) -> Self {
        Matrix { name: name.to_owned(), trials: 0, cells: BTreeMap::new() }
    }

    pub fn add(&mut self, told: &Told) {
        self.trials += 1;
        for (row, next) in &told.rows {
            *self.cells.entry((row.clone(), next.clone(), told.outcome)).or_default() += 1;
        }
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strikes: u64 = self.cells.values().sum();
        writeln!(f, "{}: {} trials, {strikes} strikes", self.name, self.trials)?;
        writeln!(f, "  {:<52} {:<30} {:<34} {:>5}", "where it fell", "what came next", "where the trial ended", "times")?;
        for ((row, next, outcome), count) in &self.cells {
            writeln!(f, "  {row:<52} {next:<30} {outcome:<34} {count:>5}")?;
        }
        Ok(())
    }
}
