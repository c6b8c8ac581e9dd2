//! One stream of events to several listeners.

use crate::apply::{Event, Sink};

/// Tells each of its sinks, in order.
#[derive(Default)]
pub struct Tee {
    sinks: Vec<Box<dyn Sink>>,
}

impl Tee {
    /// Tells these.
    #[must_use]
    pub fn new(sinks: Vec<Box<dyn Sink>>) -> Self {
        Tee { sinks }
    }
}

impl Sink for Tee {
    fn event(&mut self, event: &Event) {
        for sink in &mut self.sinks {
            sink.event(event);
        }
    }
}
