//! What can be wrong with an answer, whether it passes by itself, and what a person can do.

use std::fmt;

use crate::model::{Error, Exit};

/// Why a request did not go well.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// No answer came, or half of one: what was asked may have happened.
    Unanswered(String),
    /// The server said no.
    Refused {
        /// The status of HTTP.
        status: u16,
        /// S3's word for it; empty where the server has none.
        code: String,
        /// S3's sentence.
        message: String,
    },
    /// The answer is longer than anything of ours.
    TooLong(u64),
    /// There are no credentials to ask with.
    Keys(Error),
    /// Everything else, in the client's words.
    Other(String),
}

impl Trouble {
    /// What `object_store` says, as what our own door had told it.
    #[must_use]
    pub fn of(error: &object_store::Error) -> Self {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut last = String::new();
        while let Some(cause) = next {
            if let Some(trouble) = cause.downcast_ref::<Trouble>() {
                return trouble.clone();
            }
            last = cause.to_string();
            next = cause.source();
        }
        Trouble::Other(last)
    }

    /// Whether the same request may go well a little later without anybody doing anything.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Trouble::Unanswered(_) => true,
            // 409: another conditional write, or the removal of the object, was under way. 400 `RequestTimeout`: the server waited too long for
            // the body.
            Trouble::Refused { status, code, .. } => matches!(status, 408 | 409 | 429 | 500 | 502 | 503 | 504) || code == "RequestTimeout",
            Trouble::TooLong(_) | Trouble::Keys(_) | Trouble::Other(_) => false,
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Trouble::Unanswered(_) => "check the network, and the address of the server where it is not Amazon's",
            Trouble::Refused { status, code, .. } => match (*status, code.as_str()) {
                (_, "RequestTimeTooSkewed") => "set the clock of this machine: S3 refuses requests that are more than 15 minutes off its own",
                (_, "ExpiredToken" | "TokenRefreshRequired" | "InvalidToken") => {
                    "the credentials have expired: get new ones and run the same command again, or `switchover resume ENV` for a run that has begun"
                }
                (_, "NoSuchBucket") => "make the bucket, or correct the name in the journal's URL: the tool makes none",
                (301 | 307, _) | (400, "AuthorizationHeaderMalformed") => "name the bucket's region: ?region=… in the journal's URL, or AWS_REGION",
                (401 | 403, _) => {
                    "check the credentials and what they may do there: s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject; then run the \
                     same command again, or `switchover resume ENV` for a run that has begun"
                }
                (501, _) | (_, "NotImplemented") => {
                    "keep the journal in a store with conditional writes (Amazon S3 has them), in postgres://, or in `local`"
                }
                (507, _) | (_, "QuotaExceeded") => {
                    "the store is full: make room in the store; then `switchover resume ENV` goes on with a run that has begun"
                }
                (status, _) if status >= 500 => "the store is at fault: see how it is, and try again",
                _ => "check the URL of the journal",
            },
            Trouble::TooLong(_) => "make sure that nothing but this tool writes below the journal's URL",
            Trouble::Keys(_) | Trouble::Other(_) => "check the URL of the journal and the credentials",
        }
    }

    /// The same for people: `what` was to be done.
    #[must_use]
    pub fn into_error(self, what: String) -> Error {
        match self {
            Trouble::Keys(error) => error.within(what),
            other => Error::new(Exit::Error, what, other.help()).because_text(other.to_string()),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Unanswered(why) | Trouble::Other(why) => f.write_str(why),
            Trouble::Refused { status, code, message } => {
                write!(f, "the server answered {status}")?;
                let words = [code, message].into_iter().filter(|words| !words.is_empty());
                words.enumerate().try_for_each(|(at, words)| write!(f, "{}{words}", if at == 0 { " " } else { ": " }))
            }
            Trouble::TooLong(limit) => write!(f, "the answer is longer than {limit} bytes"),
            Trouble::Keys(error) => f.write_str(&error.chain()),
        }
    }
}

impl std::error::Error for Trouble {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str) -> Trouble {
        Trouble::Refused { status, code: code.to_owned(), message: String::new() }
    }

    #[test]
    fn what_passes_is_waited_for_and_what_does_not_has_a_next_step() {
        for passing in [refused(503, "SlowDown"), refused(409, "ConditionalRequestConflict"), refused(400, "RequestTimeout")] {
            assert!(passing.passes(), "{passing}");
        }
        let standing =
            [(403, "RequestTimeTooSkewed", "clock"), (400, "ExpiredToken", "expired"), (404, "NoSuchBucket", "bucket"), (403, "", "PutObject")];
        for (status, code, word) in standing {
            let trouble = refused(status, code);
            assert!(!trouble.passes() && trouble.clone().into_error("x".to_owned()).help().contains(word), "{trouble}");
        }
    }
}
