//! How a call to a service can fail, in terms of what is known afterwards.

use std::fmt;
use std::time::Duration;

use crate::model::{Error, Exit};

/// Shorthand for results of doors.
pub type CallResult<T> = Result<T, CallError>;

/// What is known about the effect of a call that was not answered well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The service said no; nothing happened.
    Refused,
    /// The service said no, since the thing is busy with something else at the moment; nothing happened.
    Busy,
    /// The service asks to come later; nothing happened.
    Throttled {
        /// How long it wants us to wait (`retry-after`).
        retry_after: Option<Duration>,
    },
    /// The thing asked for is not there; nothing happened.
    NotFound,
    /// Our credentials are missing, wrong or expired; nothing happened.
    Denied,
    /// The service could not be reached: the request never went out; nothing happened.
    Unreachable,
    /// It may have happened: timeout, cut or lost answer, 5xx, an answer that cannot be read. For a read it is just a failed read.
    Unknown {
        /// How long the service wants us to wait, if it said.
        retry_after: Option<Duration>,
    },
}

/// A call that failed.
#[derive(Debug, Clone)]
pub struct CallError {
    /// The operation in the service's own words: `rds:ModifyDBInstance`, `cloudflare:batch`.
    pub call: String,
    /// What is known.
    pub failure: Failure,
    /// The service's own code, if it gave one: `InvalidDBInstanceState`, `81058`, `503`.
    pub code: Option<String>,
    /// The service's words, without secrets, at most some hundred characters.
    pub message: String,
}

impl CallError {
    /// A failure of `call`.
    pub fn new(call: impl Into<String>, failure: Failure, message: impl Into<String>) -> Self {
        CallError { call: call.into(), failure, code: None, message: message.into() }
    }

    /// The same with the service's code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Nothing happened, for certain.
    #[must_use]
    pub fn nothing_happened(&self) -> bool {
        !matches!(self.failure, Failure::Unknown { .. })
    }

    /// The same call may go well a little later without anybody doing anything.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self.failure, Failure::Busy | Failure::Throttled { .. } | Failure::Unreachable | Failure::Unknown { .. })
    }

    /// How long the service wants us to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.failure {
            Failure::Throttled { retry_after } | Failure::Unknown { retry_after } => retry_after,
            _ => None,
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn mend(&self) -> &'static str {
        match self.failure {
            Failure::Refused => "read the service's words above; mend what they name",
            Failure::Busy => "wait some minutes, until it is busy no more",
            Failure::Throttled { .. } => "the service limits the rate of calls: wait some minutes",
            Failure::NotFound => "check the name, the region and the account",
            Failure::Denied => "check that the credentials are set, not expired, and allow this call",
            Failure::Unreachable => "check the network, the endpoint and the region",
            Failure::Unknown { .. } => "the service did not answer properly: wait some minutes",
        }
    }

    /// As an error of the program, with the help that fits.
    #[must_use]
    pub fn into_error(self, exit: Exit) -> Error {
        let help = match self.failure {
            Failure::Refused => format!("{}, then plan again", self.mend()),
            Failure::Busy | Failure::Throttled { .. } | Failure::Unknown { .. } => format!("{}, then try again", self.mend()),
            Failure::NotFound | Failure::Denied | Failure::Unreachable => self.mend().to_owned(),
        };
        Error::new(exit, self.to_string(), help)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.failure {
            Failure::Refused => "was refused",
            Failure::Busy => "was refused for now",
            Failure::Throttled { .. } => "was throttled",
            Failure::NotFound => "found nothing",
            Failure::Denied => "was denied",
            Failure::Unreachable => "could not be sent",
            Failure::Unknown { .. } => "was not answered properly",
        };
        write!(f, "{} {verb}", self.call)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

impl std::error::Error for CallError {}
