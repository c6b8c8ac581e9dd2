//! The table: trial × fault → where the cells ended.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Where a cell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// By itself, in the declared world.
    Declared,
    /// By itself, in the original one.
    Original,
    /// After a stop, and a person: in the declared world.
    StoppedDeclared,
    /// After a stop, and a person: in the original one.
    StoppedOriginal,
    /// In another one, by an effect that nobody answered for and that showed after the visibility limit; the run told of it, and the next plan mends it.
    BeyondSight,
}

const OUTCOMES: [Outcome; 5] = [Outcome::Declared, Outcome::Original, Outcome::StoppedDeclared, Outcome::StoppedOriginal, Outcome::BeyondSight];

#[derive(Debug, Default)]
pub struct Matrix {
    cells: BTreeMap<(&'static str, String, Outcome), u64>,
    pub tried: u64,
    pub took: Duration,
}

impl Matrix {
    pub fn add(&mut self, trial: &'static str, fault: String, outcome: Outcome) {
        *self.cells.entry((trial, fault, outcome)).or_default() += 1;
    }

    pub fn merge(&mut self, other: Matrix) {
        self.tried += other.tried;
        for (cell, count) in other.cells {
            *self.cells.entry(cell).or_default() += count;
        }
    }

    fn count(&self, of: impl Fn(&str, &str) -> bool, outcome: Outcome) -> u64 {
        self.cells.iter().filter(|((trial, fault, at), _)| *at == outcome && of(trial, fault)).map(|(_, count)| count).sum()
    }

    fn row(&self, f: &mut fmt::Formatter<'_>, name: &str, of: impl Fn(&str, &str) -> bool) -> fmt::Result {
        write!(f, "  {name:<34}")?;
        for outcome in OUTCOMES {
            write!(f, "{:>10}", self.count(&of, outcome))?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cells in {:?}; ended by themselves, and after a stop and what its report asked for; beyond sight:", self.tried, self.took)?;
        let mut trials: Vec<&str> = self.cells.keys().map(|(trial, _, _)| *trial).collect();
        trials.dedup();
        for trial in trials {
            writeln!(f, "{trial:<36}{:>10}{:>10}{:>10}{:>10}{:>10}", "declared", "original", "declared", "original", "beyond")?;
            let mut faults: Vec<&str> = self.cells.keys().filter(|(at, _, _)| *at == trial).map(|(_, fault, _)| fault.as_str()).collect();
            faults.dedup();
            for fault in faults {
                self.row(f, fault, |at, name| at == trial && name == fault)?;
            }
        }
        self.row(f, "all", |_, _| true)
    }
}
