//! The HTTP client below `object_store`: one request, one whole answer within a limit, and refusals as what they are.
//!
//! `object_store` turns every refusal into text, tells 409 and 412 apart nowhere, and reads answers of any length; so what it must know (found,
//! not found, was there already) passes through, and everything else becomes a [`Trouble`] that is found again behind its error. Its own retries
//! are off: who retries must know what was asked.

use async_trait::async_trait;
use futures_util::StreamExt;
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector};

use super::trouble::Trouble;
use crate::model::time::Timestamp;

/// No list page and no word of an error is longer.
const WORDS_BYTES_MAX: u64 = 16 << 20;
/// No object of ours is longer.
pub const OBJECT_BYTES_MAX: u64 = 1 << 30;
/// So much of what a server says about a refusal is shown.
const MESSAGE_CHARS_MAX: usize = 300;

/// What the server's clock said when it answered.
#[derive(Debug, Clone, Copy)]
pub struct ServerTime(pub Timestamp);

/// Makes doors.
#[derive(Debug, Default)]
pub struct Connector {
    inner: ReqwestConnector,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Door { inner: self.inner.connect(options)? }))
    }
}

#[derive(Debug)]
struct Door {
    inner: HttpClient,
}

#[async_trait]
impl HttpService for Door {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // Only the reading of one object has an answer as long as an object.
        let of_object = request.method().as_str() == "GET" && request.uri().query().is_none();
        let limit = if of_object { OBJECT_BYTES_MAX } else { WORDS_BYTES_MAX };
        let token = request.headers().get("x-amz-security-token").and_then(|token| token.to_str().ok()).map(str::to_owned);
        let answer = self.inner.execute(request).await.map_err(|error| unanswered(&error))?;
        let (mut parts, body) = answer.into_parts();
        let status = parts.status.as_u16();
        let date = parts.headers.get("date").and_then(|date| date.to_str().ok()).and_then(read_date);
        if let Some(date) = date {
            parts.extensions.insert(ServerTime(date));
        }
        let good = parts.status.is_success();
        let mut whole: Vec<u8> = Vec::new();
        let mut pieces = body.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| unanswered(&error))?;
            let limit = if good { limit } else { WORDS_BYTES_MAX };
            if (whole.len() + piece.len()) as u64 > limit {
                return Err(failed(Trouble::TooLong(limit)));
            }
            whole.extend_from_slice(&piece);
        }
        // Found or not, and there already or not, are answers; a missing bucket is none.
        if good || status == 412 {
            return Ok(HttpResponse::from_parts(parts, whole.into()));
        }
        match refusal(status, &whole, token.as_deref()) {
            Trouble::Refused { status: 404, code, .. } if code != "NoSuchBucket" => Ok(HttpResponse::from_parts(parts, whole.into())),
            refused => Err(failed(refused)),
        }
    }
}

/// What a refusal says, without the token should the server say that back: it is the one thing we send that is as good as a secret.
fn refusal(status: u16, body: &[u8], token: Option<&str>) -> Trouble {
    let text = String::from_utf8_lossy(body);
    let text = token.filter(|token| !token.is_empty()).map_or_else(|| text.to_string(), |token| text.replace(token, "(the token)"));
    Trouble::Refused { status, code: word(&text, "Code"), message: word(&text, "Message") }
}

fn failed(trouble: Trouble) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, trouble)
}

/// The whole chain of a client's error, each sentence once.
fn unanswered(error: &HttpError) -> HttpError {
    let mut words: Vec<String> = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if !words.iter().any(|known| known.contains(&text)) {
            words.push(text);
        }
        next = cause.source();
    }
    failed(Trouble::Unanswered(words.join(": ")))
}

/// The text of an element of an error's XML; empty where there is none.
fn word(text: &str, element: &str) -> String {
    let after = text.split_once(&format!("<{element}>")).map_or("", |(_, after)| after);
    let word = after.split_once('<').map_or("", |(word, _)| word);
    word.chars().take(MESSAGE_CHARS_MAX).collect()
}

fn read_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_clock_is_read() {
        let read = read_date("Sat, 21 Nov 2026 16:11:48 GMT").unwrap();
        assert_eq!(read.to_string(), "2026-11-21T16:11:48Z");
        assert!(read_date("yesterday").is_none());
    }

    #[test]
    fn words_of_an_error_are_found_and_bounded() {
        let body = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Please &lt;b&gt;</Message></Error>";
        assert_eq!((word(body, "Code").as_str(), word(body, "Message").as_str()), ("SlowDown", "Please &lt;b&gt;"));
        assert_eq!(word("<Code>never ends", "Code"), "");
        assert_eq!(word(&format!("<Code>{}</Code>", "x".repeat(9_000)), "Code").len(), MESSAGE_CHARS_MAX);
    }
    #[test]
    fn a_token_that_is_said_back_is_not_shown() {
        let token = "planted/token+".repeat(100);
        let body = format!("<Error><Code>InvalidToken</Code><Message>no such token: {token}</Message></Error>");
        let shown = refusal(400, body.as_bytes(), Some(&token)).to_string();
        assert!(shown.contains("InvalidToken") && !shown.contains("planted"), "{shown}");
    }
}
