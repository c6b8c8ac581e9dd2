//! The live view of a run on a terminal: lines at the bottom that are drawn anew as it goes, and what stays to be read above them.
//!
//! Events go into [`state`], [`view`] makes lines of it (pure), [`screen`] puts them onto the terminal. A thread of its own draws, some ten times a
//! second at most: telling an event is no more than taking it down, so that a slow terminal, or one that was stopped, never stops the run.

mod screen;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use self::screen::Screen;
pub use self::screen::Surface;
use self::state::State;
pub use self::state::{SoFar, Stopping};
use super::wording::Wording;
use crate::apply::{Event, Sink};
use crate::model::time::Timestamp;
use crate::plan::{Experience, Plan};
use crate::review::Style;

/// The pause between two drawings.
const FRAME: Duration = Duration::from_millis(100);
/// Text that a terminal has not taken yet, at most; what is more is left out and counted.
const PENDING_BYTES_MAX: usize = 256 * 1024;
/// A terminal that takes nothing any more is waited for this long at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The world's time, for clocks that go on between events.
pub type Now = Box<dyn Fn() -> Timestamp + Send>;

/// What a live view is made of.
pub struct Setup {
    /// The terminal.
    pub surface: Box<dyn Surface>,
    /// Whether it is to be coloured, and its width at first.
    pub style: Style,
    /// What is run.
    pub plan: Arc<Plan>,
    /// What earlier runs took.
    pub experience: Arc<Experience>,
    /// Where the run stands when it is taken up.
    pub so_far: SoFar,
    /// The world's time.
    pub now: Now,
}

/// A live view: tells of events and of what others say meanwhile. Copies speak for the same view.
#[derive(Clone)]
pub struct Live {
    shared: Arc<Shared>,
    done: Arc<Mutex<Option<Receiver<()>>>>,
}

struct Shared {
    told: Mutex<Told>,
    news: Condvar,
}

/// Everything that the drawing thread needs.
struct Told {
    state: State,
    wording: Wording,
    pending: String,
    left_out: usize,
    is_over: bool,
}

impl Live {
    /// Begins to draw.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(setup: Setup) -> std::io::Result<Live> {
        let Setup { surface, style, plan, experience, so_far, now } = setup;
        let state = State::new(Arc::clone(&plan), Arc::clone(&experience), so_far, now());
        let wording = Wording::new(style, plan, experience);
        let told = Told { state, wording, pending: String::new(), left_out: 0, is_over: false };
        let shared = Arc::new(Shared { told: Mutex::new(told), news: Condvar::new() });
        let (sender, receiver) = channel();
        let drawing = Arc::clone(&shared);
        thread::Builder::new().name("live view".to_owned()).spawn(move || draw(&drawing, surface, style, &now, &sender))?;
        Ok(Live { shared, done: Arc::new(Mutex::new(Some(receiver))) })
    }

    /// Puts lines above the view. What is said must be harmless already.
    pub fn say(&self, text: &str) {
        self.shared.lock().add(text);
    }

    /// Somebody asked the run to stop.
    pub fn stopping(&self, how: Stopping) {
        self.shared.lock().state.stopping = how;
    }

    /// Takes the view away and leaves what is to be read. Returns when that is written, or when the terminal has had its time.
    pub fn finish(&self) {
        self.shared.lock().is_over = true;
        self.shared.news.notify_all();
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(done) = done {
            let _ = done.recv_timeout(LAST_WORDS);
        }
    }
}

impl Sink for Live {
    fn event(&mut self, event: &Event) {
        let mut told = self.shared.lock();
        told.state.event(event);
        let text = told.wording.lasting(event);
        told.add(&text);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Told> {
        // Whatever panicked with it in hand has at worst left out a line.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next frame's time, or for the end.
    fn next(&self) -> MutexGuard<'_, Told> {
        let told = self.lock();
        if told.is_over {
            return told;
        }
        self.news.wait_timeout_while(told, FRAME, |told| !told.is_over).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Told {
    fn add(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.pending.len() + text.len() > PENDING_BYTES_MAX {
            self.left_out += text.lines().count();
            return;
        }
        self.pending.push_str(text);
        if !text.ends_with('\n') {
            self.pending.push('\n');
        }
    }

    fn take(&mut self) -> String {
        let mut text = std::mem::take(&mut self.pending);
        if self.left_out > 0 {
            text.push_str(&view::left_out(&self.state, self.left_out));
            self.left_out = 0;
        }
        text
    }
}

/// The drawing thread. Nothing is held while the terminal is written to.
fn draw(shared: &Shared, surface: Box<dyn Surface>, style: Style, now: &Now, done: &Sender<()>) {
    let screen = Screen::new(surface);
    let bar = screen.bar();
    loop {
        let (columns, rows) = screen.size();
        let at = now();
        let mut told = shared.next();
        told.wording.style.width = columns;
        let text = told.take();
        let is_over = told.is_over;
        let lines = if is_over { Vec::new() } else { view::lines(&told.state, at, rows, &Style { width: columns, ..style }) };
        drop(told);
        if screen.show(&bar, &text, &lines).is_err() || is_over {
            break;
        }
    }
    // Whoever waits for the end may have gone on.
    let _ = done.send(());
}
