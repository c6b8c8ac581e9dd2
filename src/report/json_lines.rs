//! Events for programs: one JSON object a line.

use std::io::Write;

use crate::apply::{Event, Sink};
use crate::model::Json;
use crate::model::time;
use crate::review::escape;

/// Writes each event as one line of JSON and flushes it.
pub struct JsonLines {
    out: Box<dyn Write + Send>,
}

impl JsonLines {
    /// Writes to `out`, as a rule stdout. What cannot be written is lost.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        JsonLines { out }
    }
}

/// One event as one line without its end; `time` is RFC 3339 in UTC with whole seconds, and what acts on a terminal is written as an escape: event
/// lines end up in the logs of CI jobs.
#[must_use]
pub fn line(event: &Event) -> String {
    let mut value = serde_json::to_value(event).unwrap_or(Json::Null);
    if let Some(map) = value.as_object_mut() {
        map.insert("time".to_owned(), Json::from(time::rfc3339(event.time)));
    }
    escape::json(&value.to_string())
}

impl Sink for JsonLines {
    fn event(&mut self, event: &Event) {
        // A reader that went away must not stop the run.
        let _ = writeln!(self.out, "{}", line(event)).and_then(|()| self.out.flush());
    }
}
