//! What an error of the SDK says about the effect of the call.
//!
//! Assumptions: AWS applies nothing of a request that it answers with a 4xx; a connection that was never made has carried
//! nothing; everything else that is not a good answer may have happened. `NotFound` is said only on the service's own code,
//! never on a bare 404, which a wrong endpoint gives as well.

use std::error::Error as StdError;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use hyper_util::client::legacy;

use super::guard::PlainText;
use crate::world::{CallError, Failure, rds};

/// Characters of a service's words that are kept.
const MESSAGE_LIMIT: usize = 300;
/// Nobody waits longer than this on a service's word.
const RETRY_AFTER_LIMIT: Duration = Duration::from_hours(24);
/// Links of a chain of causes that are looked at.
const CHAIN_LIMIT: usize = 16;

const THROTTLING: &[&str] = &[
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
];

const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "Blocked",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClient",
    "UnrecognizedClientException",
];

/// The error of a call whose answer came and cannot be used.
pub(super) fn unreadable(call: &str, why: &str) -> CallError {
    CallError::new(call, Failure::Unknown { retry_after: None }, format!("the answer cannot be used: {why}"))
}

/// The error of a call that was not made, since what it was to carry is no good.
pub(super) fn not_sent(call: &str, why: impl Into<String>) -> CallError {
    CallError::new(call, Failure::Refused, why)
}

/// Translates an error of the SDK.
pub(super) fn from_sdk<E>(call: &str, error: &SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let unknown = Failure::Unknown { retry_after: None };
    if find::<PlainText>(error).is_some() {
        return CallError::new(call, Failure::Refused, PlainText.to_string());
    }
    match error {
        SdkError::ServiceError(service) => {
            let (status, retry_after) = (service.raw().status().as_u16(), retry_after(service.raw()));
            let meta = service.err().meta();
            answered(call, status, retry_after, meta.code(), meta.message())
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let message = format!("the answer (status {status}) was cut or cannot be read: {}", causes(error));
            CallError::new(call, Failure::Unknown { retry_after: retry_after(response.raw()) }, cut(&message))
        }
        SdkError::TimeoutError(_) => CallError::new(call, unknown, "no answer in time"),
        SdkError::DispatchFailure(_) => not_answered(call, error),
        // Construction, and what later versions of the SDK may add before it.
        SdkError::ConstructionFailure(_) => CallError::new(call, Failure::Refused, cut(&format!("the request cannot be built: {}", causes(error)))),
        _ => CallError::new(call, unknown, cut(&causes(error))),
    }
}

/// A failure below HTTP's answers: was anything sent?
fn not_answered(call: &str, error: &(dyn StdError + 'static)) -> CallError {
    let message = cut(&causes(error));
    if let Some(credentials) = find::<CredentialsError>(error) {
        // Temporary ones are fetched over the same network: where that is gone they are not wrong, only not to be had at the moment.
        let not_reached = matches!(credentials, CredentialsError::ProviderTimedOut(..))
            || find::<legacy::Error>(credentials).is_some_and(legacy::Error::is_connect)
            || find::<ConnectorError>(credentials).is_some_and(|error| error.is_io() || error.is_timeout());
        let failure = if not_reached { Failure::Unreachable } else { Failure::Denied };
        return CallError::new(call, failure, cut(&format!("no usable credentials: {}", causes(credentials))));
    }
    if find::<legacy::Error>(error).is_some_and(legacy::Error::is_connect) {
        return CallError::new(call, Failure::Unreachable, message);
    }
    CallError::new(call, Failure::Unknown { retry_after: None }, message)
}

/// An answer with an error status.
fn answered(call: &str, status: u16, retry_after: Option<Duration>, code: Option<&str>, message: Option<&str>) -> CallError {
    let failure = match code {
        Some(code) if THROTTLING.contains(&code) => Failure::Throttled { retry_after },
        _ if status == 429 => Failure::Throttled { retry_after },
        // 408: the service, or something before it, gave up waiting.
        _ if !(400..500).contains(&status) || status == 408 => Failure::Unknown { retry_after },
        Some(code) if DENIED.contains(&code) => Failure::Denied,
        Some(code) if rds::BUSY.contains(&code) => Failure::Busy,
        Some(code) if code.contains("NotFound") => Failure::NotFound,
        None if status == 401 || status == 403 || status == 407 => Failure::Denied,
        _ => Failure::Refused,
    };
    let message = match message.map(first_line) {
        Some(line) if !line.is_empty() => line,
        _ => format!("status {status} without a message"),
    };
    let error = CallError::new(call, failure, message);
    match code {
        Some(code) => error.code(cut(code)),
        None => error.code(status.to_string()),
    }
}

fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let seconds: u64 = response.headers().get("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_LIMIT))
}

/// Only the first line: what follows it in a signature mismatch is the signed request, token and all.
fn first_line(message: &str) -> String {
    cut(message.trim().lines().next().unwrap_or_default())
}

fn cut(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() <= MESSAGE_LIMIT {
        return clean.collect();
    }
    clean.take(MESSAGE_LIMIT - 1).chain(['…']).collect()
}

/// The causes as a person reads them, each once, without the wrappers' empty words.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for link in chain(error) {
        let text = link.to_string();
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |link| {
        let link: &'a (dyn StdError + 'static) = *link;
        link.source()
    })
    .take(CHAIN_LIMIT)
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|link| link.downcast_ref())
}

#[cfg(test)]
mod tests;
