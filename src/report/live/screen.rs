//! The terminal's end of the live view: puts lines at its bottom and text above them, each time in one write.
//!
//! `indicatif` keeps the lines; how they come onto the terminal is decided here, because it fills lines with blanks up to the edge, which a terminal
//! that is made narrower breaks in two, and because it counts rows by the width that was, not by the one that is.

use std::fmt::{self, Write};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::review::layout;

/// Where the view is drawn.
pub trait Surface: Send {
    /// Its columns and rows at this moment.
    fn size(&self) -> (usize, usize);
    /// Writes, all of it.
    ///
    /// # Errors
    /// Nobody is there any more.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// Frames a second that `indicatif` lets through: all, since the thread that draws keeps its own pace.
const HZ: u8 = 250;
/// `indicatif` cannot count by fewer columns.
const COLUMNS_MIN: usize = 20;

/// A terminal with lines at its bottom.
#[derive(Clone)]
pub(super) struct Screen(Arc<Mutex<Inner>>);

struct Inner {
    surface: Box<dyn Surface>,
    /// Columns of each line that stands at the bottom now; the cursor is at the end of the last one.
    standing: Vec<usize>,
    /// The frame that is being made, line by line.
    frame: Vec<String>,
    /// Whether the next piece only fills its line up to the edge.
    fills: bool,
    /// How many lines at the end of the frame are to stay at the bottom.
    stays: usize,
    /// How many frames there were.
    frames: u64,
    /// What is to be written next.
    out: String,
    /// What was last shown, and in how many columns.
    shown: (Vec<String>, usize),
}

impl Screen {
    pub fn new(surface: Box<dyn Surface>) -> Screen {
        Screen(Arc::new(Mutex::new(Inner {
            surface,
            standing: Vec::new(),
            frame: Vec::new(),
            fills: false,
            stays: 0,
            frames: 0,
            out: String::new(),
            shown: (Vec::new(), 0),
        })))
    }

    /// A bar whose message is what is shown.
    pub fn bar(&self) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like_with_hz(Box::new(self.clone()), HZ));
        // The template is a constant; with the standard one the lines would still be there.
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        bar
    }

    /// Its columns and rows at this moment.
    pub fn size(&self) -> (usize, usize) {
        let (columns, rows) = self.lock().surface.size();
        (columns.max(COLUMNS_MIN), rows)
    }

    /// Shows `lines` at the bottom and leaves `text` above them, in one write.
    ///
    /// # Errors
    /// Nobody is there any more.
    pub fn show(&self, bar: &ProgressBar, text: &str, lines: &[String]) -> io::Result<()> {
        let columns = self.size().0;
        let is_shown = |inner: &Inner| inner.shown.1 == columns && inner.shown.0 == lines;
        if text.is_empty() && is_shown(&self.lock()) {
            return Ok(());
        }
        if !text.is_empty() {
            bar.println(text.trim_end_matches('\n'));
        }
        self.lock().stays = lines.len();
        // Never finished: a finished bar shows nothing more, and there may be nothing to show before the first event.
        let before = self.lock().frames;
        bar.set_message(lines.join("\n"));
        // As a rule a new message draws itself.
        if self.lock().frames == before {
            bar.force_draw();
        }
        let mut inner = self.lock();
        inner.shown = (lines.to_vec(), columns);
        let out = std::mem::take(&mut inner.out);
        if out.is_empty() { Ok(()) } else { inner.surface.write(out.as_bytes()) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Puts the frame in the place of what stands there. A terminal that was made narrower has broken its lines: they are counted as they are now.
    fn put(&mut self) {
        let columns = self.surface.size().0.max(1);
        let rows: usize = self.standing.iter().map(|width| width.div_ceil(columns).max(1)).sum();
        if rows > 0 {
            self.out.push('\r');
            if rows > 1 {
                // Writing to a string cannot fail.
                let _ = write!(self.out, "\u{1b}[{}A", rows - 1);
            }
            self.out.push_str("\u{1b}[J");
        }
        let frame = std::mem::take(&mut self.frame);
        let (above, below) = frame.split_at(frame.len() - self.stays.min(frame.len()));
        for line in above {
            self.out.push_str(line);
            self.out.push('\n');
        }
        self.out.push_str(&below.join("\n"));
        self.standing = below.iter().map(|line| columns_of(line)).collect();
        self.fills = false;
        self.frames += 1;
    }
}

/// Columns of a line, its colours aside.
fn columns_of(line: &str) -> usize {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().map_or(0, layout::width);
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, text)| layout::width(text))).sum::<usize>()
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

/// What `indicatif` says on its way from one frame to the next: each line, then blanks up to the edge; where the cursor goes is decided here.
impl TermLike for Screen {
    fn width(&self) -> u16 {
        u16::try_from(self.size().0).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::MAX
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.lock().frame.push(line.to_owned());
        Ok(())
    }

    fn write_str(&self, piece: &str) -> io::Result<()> {
        let mut inner = self.lock();
        if !inner.fills {
            inner.frame.push(piece.to_owned());
        }
        inner.fills = !inner.fills;
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.lock().put();
        Ok(())
    }
}
