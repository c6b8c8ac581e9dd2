//! What every answer of the API is wrapped in: `success`, `errors` with codes, `result`, `result_info`.

use serde::Deserialize;

use crate::world::live::http::{Answer, HttpDoor};
use crate::world::{CallError, CallResult, Failure};

/// Codes that mean a missing, malformed or wrong token whatever the status (a malformed one is answered with 400).
const TOKEN_CODES: [i64; 8] = [6003, 6111, 9103, 9106, 9107, 9109, 9207, 10000];

#[derive(Deserialize)]
struct Head {
    success: bool,
    #[serde(default)]
    errors: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    code: i64,
    #[serde(default, rename = "message")]
    text: String,
    #[serde(default)]
    error_chain: Vec<Message>,
}

/// A page of a list.
#[derive(Deserialize)]
pub struct Page<T> {
    #[serde(default)]
    success: bool,
    /// What was asked for.
    pub result: Vec<T>,
    /// Where in the list it is.
    #[serde(default)]
    pub result_info: Option<PageInfo>,
}

/// `result_info`: every field may be missing.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct PageInfo {
    /// Entries of the whole list.
    pub total_count: Option<u64>,
    /// Entries a page has, as the service understood it.
    pub per_page: Option<u64>,
}

/// Whether a call went well, by status and envelope.
///
/// # Errors
/// By status; with the service's first code and all its words. A good status without an envelope is `Unknown`: nobody can tell
/// who answered.
pub fn check(http: &HttpDoor, call: &str, answer: &Answer) -> CallResult<()> {
    let head: Result<Head, _> = serde_json::from_slice(&answer.body);
    let failure = answer.failure();
    match (failure, head) {
        (None, Ok(Head { success: true, .. })) => Ok(()),
        (None, Ok(head)) => Err(error(http, call, Failure::Refused, answer, &head)),
        (None, Err(why)) => {
            let text = format!("it answered something that is not of this API ({why}): {}", http.excerpt(answer));
            Err(http.error(call, Failure::Unknown { retry_after: answer.retry_after }, &text))
        }
        (Some(failure), Ok(head)) if !head.errors.is_empty() => Err(error(http, call, failure, answer, &head)),
        (Some(failure), _) => Err(http.error(call, failure, &http.excerpt(answer)).code(answer.status.as_str())),
    }
}

fn error(http: &HttpDoor, call: &str, failure: Failure, answer: &Answer, head: &Head) -> CallError {
    let mut words = Vec::new();
    tell(&head.errors, &mut words, 0);
    let first = head.errors.first().map(|message| message.code);
    let token = failure == Failure::Refused && first.is_some_and(|code| TOKEN_CODES.contains(&code));
    let failure = if token { Failure::Denied } else { failure };
    let code = first.filter(|code| *code != 0).map_or_else(|| answer.status.as_str().to_owned(), |code| code.to_string());
    http.error(call, failure, &words.join("; ")).code(code)
}

/// All messages with those inside them: the outer one of a malformed token does not say that it is about the token.
fn tell(messages: &[Message], words: &mut Vec<String>, depth: usize) {
    for message in messages.iter().take(5) {
        let text = if depth > 0 && message.code != 0 { format!("{} ({})", message.text, message.code) } else { message.text.clone() };
        words.push(text);
        if depth < 3 {
            tell(&message.error_chain, words, depth + 1);
        }
    }
}

/// Reads a page of a list, of an answer that has large ones: once, where all is well.
///
/// # Errors
/// As [`check`]; and `Unknown`, with the place of the first thing that is not as it should be.
pub fn page<'a, T: Deserialize<'a>>(http: &HttpDoor, call: &str, answer: &'a Answer) -> CallResult<Page<T>> {
    let read: Result<Page<T>, _> = serde_json::from_slice(&answer.body);
    if let (None, Ok(Page { success: true, .. })) = (answer.failure(), &read) {
        return read.map_err(|why| unreadable(http, call, &why));
    }
    check(http, call, answer)?;
    read.map_err(|why| unreadable(http, call, &why))
}

fn unreadable(http: &HttpDoor, call: &str, why: &serde_json::Error) -> CallError {
    http.error(call, Failure::Unknown { retry_after: None }, &format!("its answer is not what this API gives: {why}"))
}
