//! Progress as plain lines that the log of a CI job can bear.

use std::io::Write;
use std::sync::Arc;

use super::final_report::{Outcome, final_report};
use super::story::Story;
use super::wording::Wording;
use crate::apply::{Event, EventKind, Sink};
use crate::plan::{Experience, Plan};
use crate::review::Style;

/// Writes progress lines, and at the end of a run one that counts; the final report only when asked to.
pub struct Progress {
    out: Box<dyn Write + Send>,
    style: Style,
    plan: Arc<Plan>,
    wording: Wording,
    story: Story,
    with_report: bool,
}

impl Progress {
    /// Writes to `out`, as a rule stderr. What cannot be written is lost.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, style: Style, plan: Arc<Plan>) -> Self {
        Self::knowing(out, style, plan, Arc::default())
    }

    /// The same, with what earlier runs took.
    #[must_use]
    pub fn knowing(out: Box<dyn Write + Send>, style: Style, plan: Arc<Plan>, experience: Arc<Experience>) -> Self {
        let wording = Wording::new(style, Arc::clone(&plan), experience);
        Progress { out, style, plan, wording, story: Story::default(), with_report: false }
    }

    /// Writes the final report, too, when the run has ended: for replaying a run, where nobody else does.
    #[must_use]
    pub fn with_report(mut self) -> Self {
        self.with_report = true;
        self
    }

    fn report(&self) -> String {
        let Some((summary, elapsed_seconds)) = self.story.end.as_ref().filter(|_| self.with_report) else { return String::new() };
        let outcome = Outcome { plan: &self.plan, story: &self.story, summary, elapsed_seconds: *elapsed_seconds };
        format!("\n{}", final_report(&outcome, &self.style, None))
    }
}

impl Sink for Progress {
    fn event(&mut self, event: &Event) {
        self.story.event(event);
        let mut text = self.wording.text(event);
        if matches!(event.kind, EventKind::RunFinished { .. }) {
            text.push_str(&self.report());
        }
        if !text.is_empty() {
            // A terminal that went away must not stop the run.
            let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        }
    }
}
