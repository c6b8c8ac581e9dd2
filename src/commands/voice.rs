//! Who says something on standard error while a command is at work: line by line, or through the live view while there is one.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::session::{Environment, complain};
use crate::cli::Globals;
use crate::report::Live;
use crate::report::live::Surface;

/// Rows of a terminal that does not say.
const ROWS_DEFAULT: usize = 24;

/// Standard error, shared by everybody who has something to say. Copies speak with one voice.
#[derive(Clone, Default)]
pub struct Voice(Arc<Mutex<Option<Live>>>);

impl Voice {
    /// Says it, as its own line.
    pub fn say(&self, text: &str) {
        match self.live() {
            Some(live) => live.say(text),
            None => complain(text),
        }
    }

    /// From now on everything goes through this view.
    pub fn begin(&self, live: Live) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(live);
    }

    /// The view goes; lines again.
    pub fn end(&self) {
        let live = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(live) = live {
            live.finish();
        }
    }

    /// The view, while there is one.
    pub fn live(&self) -> Option<Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether a live view can be: a person sits before a terminal that can move its cursor. Events for programs, quiet runs and CI systems, some of which
/// give their jobs a terminal, get lines or nothing.
pub fn may_be_live(globals: &Globals, environment: &Environment) -> bool {
    let set = |name: &str| (environment.variable)(name).filter(|value| !value.is_empty());
    let in_ci = set("CI").is_some_and(|value| value != "false" && value != "0");
    let is_able = set("TERM").is_some_and(|value| value != "dumb");
    environment.stderr_is_terminal && is_able && !in_ci && !globals.json && !globals.quiet
}

/// The terminal behind standard error.
pub struct Terminal {
    /// Columns of one that does not say.
    pub columns: usize,
}

impl Surface for Terminal {
    fn size(&self) -> (usize, usize) {
        let size = terminal_size::terminal_size_of(io::stderr());
        size.map_or((self.columns, ROWS_DEFAULT), |(columns, rows)| (usize::from(columns.0), usize::from(rows.0)))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stderr().lock();
        out.write_all(bytes)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(is_terminal: bool, variables: &'static [(&'static str, &'static str)]) -> Environment {
        let variable = move |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Environment {
            variable: Box::new(variable),
            stdin_is_terminal: is_terminal,
            stdout_is_terminal: is_terminal,
            stderr_is_terminal: is_terminal,
            width: None,
            rows: None,
        }
    }

    fn globals(flags: &[&str]) -> Globals {
        let words = ["switchover", "validate"].iter().chain(flags);
        <crate::cli::Cli as clap::Parser>::try_parse_from(words).unwrap().globals
    }

    #[test]
    fn a_live_view_is_for_people_at_a_terminal() {
        let xterm: &[(&str, &str)] = &[("TERM", "xterm-256color")];
        assert!(may_be_live(&globals(&[]), &environment(true, xterm)));
        assert!(may_be_live(&globals(&[]), &environment(true, &[("TERM", "xterm"), ("CI", "false"), ("NO_COLOR", "1")])));
        for (flags, is_terminal, variables) in [
            (&[][..], false, xterm),
            (&["--json"][..], true, xterm),
            (&["-q"][..], true, xterm),
            (&[][..], true, &[("TERM", "dumb")][..]),
            (&[][..], true, &[][..]),
            (&[][..], true, &[("TERM", "xterm"), ("CI", "true")][..]),
            (&[][..], true, &[("TERM", "xterm"), ("CI", "1")][..]),
        ] {
            assert!(!may_be_live(&globals(flags), &environment(is_terminal, variables)), "{flags:?} {variables:?}");
        }
    }
}
