//! The one way an HTTP request goes out: time limits, a size limit, the rate budget, and an exact word on what is known when it
//! was not answered well. Nothing is ever sent twice here.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};

use super::limiter::Limiter;
use crate::model::time::{self, Timestamp};
use crate::model::{Redactor, is_loopback};
use crate::world::{CallError, CallResult, Clock, Failure};

/// Longer waits are not believed: a service that asks for more than a day means something else.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);
/// A wait for our own rate budget that is not worth telling anybody.
const SILENT_WAIT: Duration = Duration::from_secs(2);
/// Characters of a service's words that reach a message.
const MESSAGE_MAX: usize = 300;
/// What is said of an address without TLS; the same for every service.
pub const PLAIN_REFUSED: &str = "the address is http://, which would send secrets in the clear: use https://, or allow_plain_http = true in its provider block where the network is trusted";
/// Bytes of an answer that are looked at for an excerpt.
const EXCERPT_OF_BYTES: usize = 16 << 10;

/// What a request may take.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the first byte out to the last byte in.
    pub total: Duration,
    /// Bytes of an answer, unpacked.
    pub answer_bytes: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits { connect: Duration::from_secs(10), total: Duration::from_mins(1), answer_bytes: 64 << 20 }
    }
}

/// One request.
pub struct Request<'a> {
    /// The call word for errors: `cloudflare:batch`.
    pub call: &'a str,
    /// GET, POST …
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// A JSON body.
    pub body: Option<Vec<u8>>,
    /// Calls of the rate budget that this one leaves alone: reads keep some for writes.
    pub reserve: usize,
}

/// One answer, whatever its status.
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// `retry-after`, if it could be read.
    pub retry_after: Option<Duration>,
    /// The unpacked body.
    pub body: Vec<u8>,
}

/// Without the body: services put into it what they were sent.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// What its status says about the effect; none when all is well.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let retry_after = self.retry_after;
        match self.status.as_u16() {
            200..=299 => None,
            401 | 403 => Some(Failure::Denied),
            404 => Some(Failure::NotFound),
            429 => Some(Failure::Throttled { retry_after }),
            // 408 comes from servers and middle boxes that gave up waiting, maybe in the middle of the work.
            408 | 500..=599 => Some(Failure::Unknown { retry_after }),
            _ => Some(Failure::Refused),
        }
    }
}

/// One account at one service.
pub struct HttpDoor {
    client: reqwest::Client,
    limits: HttpLimits,
    clock: Arc<dyn Clock>,
    limiter: Option<Arc<Limiter>>,
    bearer: Option<HeaderValue>,
    secrets: Vec<String>,
}

impl HttpDoor {
    /// A door to `base`. `secrets` never stand in a message; the first is the bearer token if `bearer`. Plain HTTP wants `plain`
    /// unless the host is this machine.
    ///
    /// # Errors
    /// `Refused` when the URL, or the machine's store of root certificates, does not allow any request.
    pub fn open(
        call: &str,
        base: &Url,
        secrets: Vec<String>,
        (bearer, plain): (bool, bool),
        limits: HttpLimits,
        clock: Arc<dyn Clock>,
    ) -> CallResult<Self> {
        let refused = |why: String| CallError::new(call, Failure::Refused, why);
        let local = is_loopback(base);
        match base.scheme() {
            "https" => {}
            "http" if local || plain => {}
            "http" => return Err(refused(PLAIN_REFUSED.to_owned())),
            _ => return Err(refused("the URL does not begin with https:".to_owned())),
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("switchover/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            // A redirect of a write would be a second, different write; and the client's own retries send writes twice.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if base.scheme() == "http" {
            // No roots needed: a machine without any can still talk to its own loopback.
            builder = builder.tls_certs_only([]);
        }
        if local {
            builder = builder.no_proxy();
        }
        let client =
            builder.build().map_err(|error| refused(format!("cannot set up TLS: {}; is the package ca-certificates installed?", chain(error))))?;
        let bearer = match secrets.first() {
            Some(token) if bearer => Some(bearer_header(call, token)?),
            _ => None,
        };
        Ok(HttpDoor { client, limits, clock, limiter: None, bearer, secrets })
    }

    /// The same with a rate budget.
    #[must_use]
    pub fn limited(mut self, limiter: Arc<Limiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// Sends one request once and reads the whole answer.
    ///
    /// # Errors
    /// `Unreachable` when no connection came about, `Throttled` when our own budget is spent, else `Unknown`: the request may have
    /// been taken in. An answer of any status is not an error here.
    pub async fn send(&self, request: Request<'_>) -> CallResult<Answer> {
        self.wait_for_budget(request.call, request.reserve).await?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(bearer) = &self.bearer {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        let mut builder = self.client.request(request.method, request.url);
        if let Some(body) = request.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            builder = builder.body(body);
        }
        let mut response = builder.headers(headers).send().await.map_err(|error| self.failed(request.call, error, "it did not answer"))?;
        let (status, retry_after) = (response.status(), retry_after(response.headers(), self.clock.now()));
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = Vec::with_capacity(announced.min(self.limits.answer_bytes));
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(request.call, error, "its answer broke off"))? {
            if body.len() + chunk.len() > self.limits.answer_bytes {
                let why = format!("its answer is longer than {} bytes", self.limits.answer_bytes);
                return Err(self.error(request.call, Failure::Unknown { retry_after }, &why));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after, body })
    }

    /// The beginning of a body for a message, when nothing better is known: its text in one line, tags left out. Secrets are hidden before
    /// anything is cut, since half of one would not be found.
    #[must_use]
    pub fn excerpt(&self, answer: &Answer) -> String {
        let body = &answer.body[..answer.body.len().min(EXCERPT_OF_BYTES)];
        let text = Redactor::new(self.secrets.iter().cloned()).hide(&String::from_utf8_lossy(body));
        let short: String = without_tags(&text).chars().take(120).collect();
        if short.is_empty() { "an empty answer".to_owned() } else { format!("it answered \"{short}\"") }
    }

    /// An error of this door, without any secret and not too long.
    #[must_use]
    pub fn error(&self, call: &str, failure: Failure, message: &str) -> CallError {
        CallError::new(call, failure, clean(message, &self.secrets))
    }

    async fn wait_for_budget(&self, call: &str, reserve: usize) -> CallResult<()> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        while let Err(wait) = limiter.take(reserve) {
            if wait > SILENT_WAIT {
                let why = "our own budget of calls to this account is spent; nothing was sent";
                return Err(self.error(call, Failure::Throttled { retry_after: Some(wait) }, why));
            }
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    /// What is known after a request without a whole answer.
    fn failed(&self, call: &str, error: reqwest::Error, what: &str) -> CallError {
        if error.is_connect() {
            return self.error(call, Failure::Unreachable, &chain(error));
        }
        if error.is_builder() {
            return self.error(call, Failure::Refused, &format!("the request cannot be made: {}", chain(error)));
        }
        let why = if error.is_timeout() { format!("{what} within {}", time::words(self.limits.total)) } else { format!("{what}: {}", chain(error)) };
        self.error(call, Failure::Unknown { retry_after: None }, &why)
    }
}

fn bearer_header(call: &str, token: &str) -> CallResult<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| CallError::new(call, Failure::Denied, "the token holds characters that no token has: is there a line break in it?"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Text in one line, without what stands in angle brackets.
fn without_tags(text: &str) -> String {
    let mut plain = String::new();
    let mut inside_tag = false;
    for c in text.chars() {
        match c {
            '<' => {
                inside_tag = true;
                plain.push(' ');
            }
            '>' => inside_tag = false,
            _ if !inside_tag => plain.push(c),
            _ => {}
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error and its causes in one line, without the URL, which may be a secret.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}

/// One line without secrets, in whatever form they came back, and without control characters, at most some hundred characters long.
#[must_use]
pub fn clean(message: &str, secrets: &[String]) -> String {
    let text = Redactor::new(secrets.iter().cloned()).hide(message);
    let mut line: String = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(MESSAGE_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// `retry-after` in seconds or as a date, from the service's own `date` where it gives one: clocks differ.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let theirs = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?)).unwrap_or(now);
        time::between(theirs, http_date(text)?)
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (reqwest::header::HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_absurd() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let wait = |pairs: &[(&'static str, &'static str)]| retry_after(&headers(pairs), now).map(|wait| wait.as_secs());
        assert_eq!(wait(&[("retry-after", "17")]), Some(17));
        assert_eq!(wait(&[("retry-after", "99999999999")]), Some(86_400));
        assert_eq!(wait(&[("retry-after", "Sat, 21 Nov 2026 12:01:30 GMT")]), Some(90));
        assert_eq!(wait(&[("retry-after", "Sat, 21 Nov 2026 12:01:30 GMT"), ("date", "Sat, 21 Nov 2026 12:01:00 GMT")]), Some(30));
        assert_eq!(wait(&[("retry-after", "Sat, 21 Nov 2020 12:01:30 GMT")]), Some(0));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn every_status_has_one_meaning() {
        let failure = |status: u16| {
            Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: Some(Duration::from_secs(3)), body: Vec::new() }.failure()
        };
        let retry_after = Some(Duration::from_secs(3));
        assert_eq!(failure(200), None);
        for (status, expected) in [
            (301, Failure::Refused),
            (400, Failure::Refused),
            (401, Failure::Denied),
            (403, Failure::Denied),
            (404, Failure::NotFound),
            (408, Failure::Unknown { retry_after }),
            (422, Failure::Refused),
            (429, Failure::Throttled { retry_after }),
            (500, Failure::Unknown { retry_after }),
            (522, Failure::Unknown { retry_after }),
        ] {
            assert_eq!(failure(status), Some(expected), "{status}");
        }
    }

    #[test]
    fn messages_hold_no_secret_and_no_control_characters() {
        let secrets = vec!["s3cr3t".to_owned(), String::new()];
        assert_eq!(clean("token\n\u{1b}[31m s3cr3t is\tbad", &secrets), "token [31m (secret) is bad");
        assert_eq!(clean(&"x".repeat(1_000), &[]).chars().count(), MESSAGE_MAX + 1);
    }

    #[test]
    fn plain_http_stays_on_the_machine_unless_asked_for() {
        let clock = || Arc::new(super::super::clock::MachineClock::new());
        let open = |url: &str, plain| {
            HttpDoor::open("x:y", &url.parse().unwrap(), vec!["t".into()], (true, plain), HttpLimits::default(), clock()).map(|_| ())
        };
        assert!(open("http://127.0.0.1:8080/v4", false).is_ok());
        assert!(open("http://[::1]:8080/v4", false).is_ok());
        assert!(open("http://api.example.org/v4", true).is_ok());
        assert_eq!(open("http://api.example.org/v4", false).unwrap_err().failure, Failure::Refused);
        assert_eq!(open("ftp://api.example.org/v4", true).unwrap_err().failure, Failure::Refused);
    }

    #[test]
    fn an_html_answer_is_told_in_one_line_and_no_secret_is_cut_before_it_is_hidden() {
        let url: Url = "https://api.example.org".parse().unwrap();
        let clock = Arc::new(super::super::clock::MachineClock::new());
        let door = HttpDoor::open("x:y", &url, vec!["0123456789abcdef-token".into()], (true, false), HttpLimits::default(), clock).unwrap();
        let excerpt = |body: &str| door.excerpt(&Answer { status: StatusCode::BAD_GATEWAY, retry_after: None, body: body.as_bytes().to_vec() });
        assert_eq!(excerpt("<html><title>502 Bad\n Gateway</title></html>"), "it answered \"502 Bad Gateway\"");
        for before in 100..120 {
            let shown = excerpt(&format!("{}0123456789abcdef-token", "x ".repeat(before / 2)));
            assert!(!shown.contains('0'), "{shown}");
        }
    }
}
