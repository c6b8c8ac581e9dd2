//! What happened in a cell, for people.

use std::fmt;

use switchover::apply::event::{Event, EventKind};

/// Lines told at most.
const LINES: usize = 5_000;

/// Told only where somebody listens: it takes longer than the run.
#[derive(Debug, Clone, Default)]
pub struct Story {
    pub heard: bool,
    pub lines: Vec<String>,
}

impl Story {
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if self.heard && self.lines.len() < LINES {
            self.lines.push(line());
        }
    }

    /// The events of one process. Of progress only what is new.
    pub fn events(&mut self, events: &[Event]) {
        if !self.heard {
            return;
        }
        let mut last = String::new();
        for event in events {
            let step = event.step.as_deref().unwrap_or("-");
            let what = match &event.kind {
                EventKind::StepProgress { status, .. } => format!("  … {status}"),
                kind => format!("{kind:?}"),
            };
            let line = format!("{step}: {what}");
            if line != last {
                self.say(|| format!("{} {line}", event.time));
            }
            last = line;
        }
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
