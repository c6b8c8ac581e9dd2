//! How long things took in earlier runs: what a person expects is a median where there is one, and a guess where there is none.

use std::collections::BTreeMap;
use std::time::Duration;

use super::order;
use super::{OutageWindow, Plan, Step};
use crate::model::time;

/// A median is taken over the newest of them, at most this many: a database grows, and what it took two years ago is no news.
const NEWEST: usize = 5;

/// A duration that is expected, and what that rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// How long.
    pub duration: Duration,
    /// Over how many runs it is the median; 0 for a guess.
    pub runs: usize,
}

impl Estimate {
    /// A guess: what the plan says.
    #[must_use]
    pub fn guess(duration: Duration) -> Self {
        Estimate { duration, runs: 0 }
    }

    /// `14m` of earlier runs, `about 20m` for a guess.
    #[must_use]
    pub fn short(&self) -> String {
        let words = time::words(self.duration);
        if self.runs == 0 { format!("about {words}") } else { words }
    }

    /// `median of 3 runs`, `as in the last run`, `a guess`.
    #[must_use]
    pub fn basis(&self) -> String {
        match self.runs {
            0 => "a guess".to_owned(),
            1 => "as in the last run".to_owned(),
            runs => format!("median of {runs} runs"),
        }
    }
}

/// What is expected of a run from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// How long, if nothing waits for a person and nothing is tried again.
    pub duration: Duration,
    /// Steps that are left and take time.
    pub steps: usize,
    /// Of how many of these earlier runs tell; the others are guesses.
    pub known: usize,
}

impl Left {
    /// `as earlier runs took`, `partly a guess`, `a guess`.
    #[must_use]
    pub fn basis(&self) -> &'static str {
        match self.known {
            0 => "a guess",
            known if known < self.steps => "partly a guess",
            _ => "as earlier runs took",
        }
    }
}

/// What earlier runs of an environment took, step by step and outage by outage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Experience {
    steps: BTreeMap<String, Vec<Duration>>,
    outages: BTreeMap<String, Vec<Duration>>,
}

impl Experience {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.outages.is_empty()
    }

    /// Adds what a step of an earlier run took; the newest runs first.
    pub fn add_step(&mut self, step: &Step, took: Duration) {
        push(self.steps.entry(key(step)).or_default(), took);
    }

    /// Adds what an outage of an earlier run took; the newest runs first.
    pub fn add_outage(&mut self, outage: &str, took: Duration) {
        push(self.outages.entry(outage.to_owned()).or_default(), took);
    }

    /// What to expect of a step: the same kind of step, of the same resource.
    #[must_use]
    pub fn step(&self, step: &Step) -> Estimate {
        median(self.steps.get(&key(step))).unwrap_or_else(|| Estimate::guess(step.limits.expected))
    }

    /// What to expect of an outage.
    #[must_use]
    pub fn outage(&self, window: &OutageWindow) -> Estimate {
        median(self.outages.get(&window.name)).unwrap_or_else(|| Estimate::guess(window.expected))
    }

    /// What to expect of all steps for which `is_left` holds, side by side as the plan has them.
    #[must_use]
    pub fn run(&self, plan: &Plan, is_left: impl Fn(&Step) -> bool) -> Duration {
        order::longest_by(&plan.steps, |step| if is_left(step) { self.step(step).duration } else { Duration::ZERO })
    }

    /// What to expect of what is left: `under_way` says of a step that is left for how long it is under way already, and nothing of one that is over.
    #[must_use]
    pub fn left(&self, plan: &Plan, under_way: impl Fn(&Step) -> Option<Duration>) -> Left {
        let mut left = Left { duration: Duration::ZERO, steps: 0, known: 0 };
        let mut durations = BTreeMap::new();
        for step in &plan.steps {
            let (Some(elapsed), estimate) = (under_way(step), self.step(step)) else { continue };
            left.steps += usize::from(!estimate.duration.is_zero());
            left.known += usize::from(!estimate.duration.is_zero() && estimate.runs > 0);
            durations.insert(step.id.as_str(), estimate.duration.saturating_sub(elapsed));
        }
        left.duration = order::longest_by(&plan.steps, |step| durations.get(step.id.as_str()).copied().unwrap_or_default());
        left
    }

    /// The plan with these expectations in place of its own, and how many of its steps that take time are known from earlier runs. For showing: what
    /// is saved, digested and journaled stays as it was planned.
    #[must_use]
    pub fn informed(&self, plan: &Plan) -> (Plan, usize) {
        let (mut informed, mut known) = (plan.clone(), 0);
        for step in &mut informed.steps {
            let estimate = self.step(step);
            step.limits.expected = estimate.duration;
            known += usize::from(estimate.runs > 0);
        }
        informed.outage.iter_mut().for_each(|window| window.expected = self.outage(window).duration);
        informed.expected = order::longest(&informed.steps);
        (informed, known)
    }
}

/// The same kind of step of the same resource.
fn key(step: &Step) -> String {
    format!("{} {}", step.id, step.operation.word("type").unwrap_or_default())
}

fn push(known: &mut Vec<Duration>, took: Duration) {
    if known.len() < NEWEST {
        known.push(took);
    }
}

/// The middle one; of an even number the longer of the two in the middle: who waits would rather be early.
fn median(known: Option<&Vec<Duration>>) -> Option<Estimate> {
    let mut sorted = known?.clone();
    sorted.sort_unstable();
    Some(Estimate { duration: *sorted.get(sorted.len() / 2)?, runs: sorted.len() })
}
