//! What is known after an error of `PostgreSQL`.

use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

use crate::world::Failure;

/// An error before there was a session: nothing can have happened.
#[must_use]
pub fn connecting(error: &Error) -> Failure {
    match error.code() {
        None => Failure::Unreachable,
        Some(code) => match code.code() {
            // Invalid authorization, invalid password.
            "28000" | "28P01" => Failure::Denied,
            // No such database.
            "3D000" => Failure::NotFound,
            // Too many connections, and the like: later there will be room.
            state if state.starts_with("53") => Failure::Throttled { retry_after: None },
            // Starting up, shutting down.
            state if state.starts_with("57P") => Failure::Unreachable,
            _ => Failure::Refused,
        },
    }
}

/// An error of a read.
#[must_use]
pub fn reading(error: &Error) -> Failure {
    match error.code() {
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Failure::Denied,
        Some(code) if *code == SqlState::UNDEFINED_TABLE => Failure::NotFound,
        Some(_) if ended_the_session(error) => Failure::Unknown { retry_after: None },
        None if error.is_closed() || is_io(error) => Failure::Unknown { retry_after: None },
        // A value that we cannot read is as good as a refusal: asking again does not help.
        _ => Failure::Refused,
    }
}

/// An error between BEGIN and COMMIT: the server rolls back, so nothing has happened, whatever the cause.
#[must_use]
pub fn before_commit(error: &Error) -> Failure {
    match error.code() {
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Failure::Denied,
        Some(_) if ended_the_session(error) => Failure::Unreachable,
        None if error.is_closed() || is_io(error) => Failure::Unreachable,
        _ => Failure::Refused,
    }
}

/// An error of COMMIT itself: a plain error is a rollback (a deferred constraint); everything that ended the session leaves it open.
#[must_use]
pub fn committing(error: &Error) -> Failure {
    if error.code().is_some() && !ended_the_session(error) { Failure::Refused } else { Failure::Unknown { retry_after: None } }
}

fn ended_the_session(error: &Error) -> bool {
    error.as_db_error().is_some_and(|db| {
        matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
            || matches!(db.severity(), "FATAL" | "PANIC")
            || db.code().code().starts_with("08")
    })
}

/// Whether the connection itself failed.
#[must_use]
pub fn is_io(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// The server's words with its hint, or ours with their causes.
#[must_use]
pub fn words(error: &Error) -> String {
    if let Some(db) = error.as_db_error() {
        // Not the detail: it quotes values of rows.
        return match db.hint() {
            Some(hint) => format!("{} (hint: {hint})", db.message()),
            None => db.message().to_owned(),
        };
    }
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}
