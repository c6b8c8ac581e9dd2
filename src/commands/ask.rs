//! Asking before something is done.

use std::io::{BufRead, Write};

use super::Session;
use crate::model::{Error, Exit, Result};
use crate::review::escape;

/// An answer longer than this is no answer.
const ANSWER_BYTES_MAX: u64 = 1024;

/// Asks; only `yes` is a yes. With `--yes` nobody is asked; without a terminal and without `--yes` it is refused.
pub fn ask(session: &Session, question: &str) -> Result<bool> {
    if session.globals.yes {
        return Ok(true);
    }
    possible(session)?;
    let mut err = std::io::stderr();
    // Who cannot read the question will hardly answer it.
    let _ = write!(err, "{} Only `yes` is accepted: ", escape::terminal(question)).and_then(|()| err.flush());
    let mut answer = String::new();
    let read = std::io::Read::take(std::io::stdin().lock(), ANSWER_BYTES_MAX).read_line(&mut answer);
    if !answer.ends_with('\n') {
        // Ctrl-D leaves the cursor behind the question.
        let _ = writeln!(err);
    }
    Ok(read.is_ok() && answer.trim() == "yes")
}

/// Refuses at once where nobody could be asked.
pub fn possible(session: &Session) -> Result<()> {
    if session.globals.yes || session.environment.stdin_is_terminal {
        return Ok(());
    }
    Err(Error::new(Exit::Error, "nobody can be asked: standard input is no terminal", "give --yes if it is to be done without a question"))
}
