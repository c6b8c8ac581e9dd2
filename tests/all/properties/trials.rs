//! Many cases of one property, each from a seed of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many cases are tried, when it is not the default.
const CASES: &str = "SWITCHOVER_PROPERTY_CASES";
/// The seed of the first case, when it is not 0.
const SEED: &str = "SWITCHOVER_PROPERTY_SEED";

/// Random choices.
pub struct Dice {
    rng: fastrand::Rng,
}

impl Dice {
    /// The same choices for the same seed.
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds must not begin alike.
        Dice { rng: fastrand::Rng::with_seed(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)) }
    }

    /// Whether something happens that has this many chances in a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    /// From `least` to `most`, both possible.
    pub fn number(&mut self, least: u64, most: u64) -> u64 {
        self.rng.u64(least..=most)
    }

    /// A place in something of this length.
    pub fn index(&mut self, length: usize) -> usize {
        self.rng.usize(..length)
    }

    /// One of these.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// Some of these, in their order; each with this many chances in a hundred.
    pub fn some<T: Clone>(&mut self, of: &[T], percent: u32) -> Vec<T> {
        of.iter().filter(|_| self.chance(percent)).cloned().collect()
    }

    /// Something, with this many chances in a hundred.
    pub fn maybe<T>(&mut self, percent: u32, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance(percent) { Some(make(self)) } else { None }
    }

    /// Puts these into another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        self.rng.shuffle(items);
    }
}

/// How the cases of one property ended.
#[derive(Default)]
pub struct Tally {
    counts: BTreeMap<String, u64>,
}

impl Tally {
    /// Cases with this end.
    pub fn of(&self, end: &str) -> u64 {
        self.counts.get(end).copied().unwrap_or_default()
    }

    /// All cases.
    pub fn all(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Insists that at most this share of all cases ended so.
    pub fn at_most(&self, percent: u64, end: &str) {
        assert!(self.of(end) * 100 <= self.all() * percent, "more than {percent}% ended as {end:?}: {self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.counts.iter().map(|(end, count)| format!("{count} {end}")).collect();
        write!(f, "{} cases: {}", self.all(), parts.join(", "))
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// How many cases to try: the default, unless the variable or a seed to be replayed says otherwise.
pub fn cases(default: u64) -> u64 {
    number(CASES).unwrap_or(if number(SEED).is_some() { 1 } else { default })
}

/// The seed of the first case.
pub fn first() -> u64 {
    number(SEED).unwrap_or(0)
}

/// Cases that fail before no more are tried.
const FAILURES_MAX: usize = 10;

/// Tries `default` cases (or as many as the variables say) of the property `test`, its path below the test binary. Each gets a seed of its own and
/// says how it ended.
pub fn try_all(test: &str, default: u64, mut case: impl FnMut(&mut Dice) -> &'static str) -> Tally {
    let first = first();
    let (mut tally, mut failed) = (Tally::default(), Vec::new());
    for seed in (first..).take(usize::try_from(cases(default)).unwrap_or(usize::MAX)) {
        match catch_unwind(AssertUnwindSafe(|| case(&mut Dice::new(seed)))) {
            Ok(end) => *tally.counts.entry(end.to_owned()).or_default() += 1,
            Err(_) if failed.len() < FAILURES_MAX => failed.push(seed),
            Err(_) => break,
        }
    }
    println!("{test}: seeds from {first}, {tally}");
    for seed in &failed {
        println!("replay: {SEED}={seed} {CASES}=1 cargo test --no-default-features --test all {test} -- --exact --nocapture");
    }
    assert!(failed.is_empty(), "{test}: {} cases failed, of seeds {failed:?}", failed.len());
    tally
}

/// The same with cases that wait for something.
pub fn try_all_async(test: &str, default: u64, case: impl AsyncFn(&mut Dice) -> &'static str) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    try_all(test, default, |dice| runtime.block_on(case(dice)))
}
