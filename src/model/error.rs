//! The one error type of the whole program.
//!
//! Each level says its own part in a lower-case fragment; its cause is the `source`. The chain is printed once, at the top,
//! followed by the `help:` line. No error can be made without saying what the person should do next.

use std::fmt;
use std::sync::Arc;

use super::Exit;

/// What went wrong, why, how the process ends because of it, and what to do next.
#[derive(Clone)]
pub struct Error {
    what: String,
    help: String,
    exit: Exit,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A new error. `what` is a lower-case fragment ("cannot read plan plans/x.json"), `help` a full next step ("check the path").
    pub fn new(exit: Exit, what: impl Into<String>, help: impl Into<String>) -> Self {
        Error { what: what.into(), help: help.into(), exit, source: None }
    }

    /// Names the cause.
    #[must_use]
    pub fn because(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(cause));
        self
    }

    /// Names the cause by its text alone, for causes whose type must not leave their module.
    #[must_use]
    pub fn because_text(self, cause: impl Into<String>) -> Self {
        self.because(Text(cause.into()))
    }

    /// The same failure one level up: `what` describes the caller's level; help and exit code stay.
    #[must_use]
    pub fn within(self, what: impl Into<String>) -> Self {
        let (help, exit) = (self.help.clone(), self.exit);
        Error { what: what.into(), help, exit, source: Some(Arc::new(self)) }
    }

    /// The same failure with another meaning for the process.
    #[must_use]
    pub fn exit_as(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same failure with a next step that the caller knows better.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// How the process ends because of this.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What the person should do next.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The whole chain in one line, outermost first: `a: b: c`.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.what.clone();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (exit {}; help: {})", self.chain(), self.exit.code(), self.help)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|cause| &**cause as &(dyn std::error::Error + 'static))
    }
}

#[derive(Debug)]
struct Text(String);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Text {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_every_level_once_and_keeps_the_help() {
        let error = Error::new(Exit::Stale, "the snapshot is gone", "plan again")
            .because_text("DBSnapshotNotFound")
            .within("cannot start database.a/restore");
        assert_eq!(error.chain(), "cannot start database.a/restore: the snapshot is gone: DBSnapshotNotFound");
        assert_eq!((error.help(), error.exit()), ("plan again", Exit::Stale));
    }
}
