//! One cell: a trial, the faults that hit it, perhaps a death, and how its person chooses.

use std::fmt;

use super::trials::Case;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    ReplyLost,
    Throttled,
    ErrorBefore,
    ErrorAfter,
    Refused,
    Busy,
    Denied,
    Slow,
    NeverAnswered,
    NeverAnsweredAfter,
    LateSecond,
    LateMinute,
    LateHour,
    Garbage,
}

/// How many calls of that name it hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Times {
    Once,
    Five,
    /// Until a person lifts it.
    ForGood,
}

/// One fault and its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// The call that it hits first, from 1, over all processes of the run.
    pub at: u64,
    pub what: What,
    pub times: Times,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Which trial.
    pub case: usize,
    pub faults: Vec<Planned>,
    /// The call before or after which the first process dies.
    pub death: Option<(u64, bool)>,
    /// What the person's choices are drawn from.
    pub choices: u64,
}

/// All words, with how often they may hit.
const SINGLES: &[(What, Times)] = &[
    (What::ReplyLost, Times::Once),
    (What::Throttled, Times::Once),
    (What::Throttled, Times::Five),
    (What::Throttled, Times::ForGood),
    (What::ErrorBefore, Times::Once),
    (What::ErrorBefore, Times::ForGood),
    (What::ErrorAfter, Times::Once),
    (What::Refused, Times::Once),
    (What::Refused, Times::ForGood),
    (What::Busy, Times::Five),
    (What::Denied, Times::ForGood),
    (What::Slow, Times::Once),
    (What::Slow, Times::Five),
    (What::NeverAnswered, Times::Once),
    (What::NeverAnsweredAfter, Times::Once),
    (What::LateSecond, Times::Once),
    (What::LateMinute, Times::Once),
    (What::LateHour, Times::Once),
    (What::Garbage, Times::Once),
    (What::Garbage, Times::ForGood),
];

impl What {
    /// Whether it means anything for a call that only reads.
    fn hits_reads(self) -> bool {
        !matches!(self, What::ErrorAfter | What::NeverAnsweredAfter | What::LateSecond | What::LateMinute | What::LateHour | What::Busy)
    }

    /// Whether it may go on for ever without the world being lost: what happens all the same and is never told makes no sense to repeat.
    fn lasts(self) -> bool {
        matches!(self, What::Throttled | What::ErrorBefore | What::Refused | What::Denied | What::Garbage)
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", words(self.what, self.times))
    }
}

/// The row of the table.
pub fn words(what: What, times: Times) -> String {
    let what = match what {
        What::ReplyLost => "reply lost",
        What::Throttled => "throttled",
        What::ErrorBefore => "500 before the effect",
        What::ErrorAfter => "500 after the effect",
        What::Refused => "refused",
        What::Busy => "refused as busy",
        What::Denied => "credentials expired",
        What::Slow => "slow beyond the limit",
        What::NeverAnswered => "never answered, no effect",
        What::NeverAnsweredAfter => "never answered, effect",
        What::LateSecond => "seen 1 s late",
        What::LateMinute => "seen 4 min late",
        What::LateHour => "seen 1 h late",
        What::Garbage => "garbage",
    };
    let times = match times {
        Times::Once => "",
        Times::Five => ", 5 times",
        Times::ForGood => ", for good",
    };
    format!("{what}{times}")
}

/// Every fault at every call that a run without faults makes.
pub fn singles(case: usize, of: &Case) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (at, write) in (1..).zip(&of.calls) {
        for (what, times) in SINGLES.iter().filter(|(what, _)| *write || what.hits_reads()) {
            let fault = Planned { at, what: *what, times: *times };
            cells.push(Cell { case, faults: vec![fault], death: None, choices: at });
        }
    }
    cells
}

/// Two faults, and sometimes a death, drawn from a seed.
pub fn pair(seed: u64, cases: &[Case]) -> Cell {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5157);
    let case = rng.usize(..cases.len());
    let calls = cases[case].calls.len() as u64;
    // Half of the time the write is hit, of which there are few among all those reads.
    let writes: Vec<u64> = (1..).zip(&cases[case].calls).filter(|(_, write)| **write).map(|(at, _)| at).collect();
    let first = if rng.bool() { writes[rng.usize(..writes.len())] } else { rng.u64(1..=calls) };
    // The second one often comes soon after: in what the first one has set off.
    let second = if rng.bool() { first + rng.u64(1..=25) } else { rng.u64(1..=calls + calls / 4) };
    let mut fault = |at| {
        let (what, times) = SINGLES[rng.usize(..SINGLES.len())];
        let times = if what.lasts() && rng.u8(..4) == 0 { Times::ForGood } else { times };
        Planned { at, what, times }
    };
    let faults = vec![fault(first), fault(second)];
    let death = (rng.u8(..4) == 0).then(|| (first + rng.u64(0..=20), rng.bool()));
    Cell { case, faults, death, choices: rng.u64(..) }
}
