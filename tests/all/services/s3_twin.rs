//! A small S3 that can misbehave on purpose: ignore conditions, lose requests and replies, refuse, be full, tell another time, hold a request back.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use switchover::model::time::Timestamp;

use super::http_server::{HttpServer, Incoming, Reply};

/// So many names are told at once, as in S3.
const PAGE: usize = 1_000;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with this status and word.
    Refused(u16, &'static str),
    /// It has no effect and no reply.
    Lost,
    /// It has its effect and no reply.
    ReplyLost,
}

/// A fault for the requests of this method whose object's name holds this text.
struct Rule {
    method: &'static str,
    part: String,
    fault: Fault,
    times: usize,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, (Vec<u8>, Timestamp)>,
    rules: Vec<Rule>,
    ignores_conditions: bool,
    read_only: bool,
    full: bool,
    clock_seconds: i64,
    /// How many names are told at once, where it is not as in S3.
    page: Option<usize>,
    /// Conditional writes of objects whose name holds this text wait.
    held: Option<String>,
    waiting: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The server, with one bucket that takes any name.
pub struct S3Twin {
    server: HttpServer,
    shared: Arc<Shared>,
}

impl S3Twin {
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        S3Twin { server: HttpServer::start(move |request| serving.answer(request)), shared }
    }

    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// What was asked so far: method and object or folder.
    pub fn requests(&self) -> Vec<String> {
        let told = |request: &Incoming| {
            let key = request.query.get("prefix").cloned().unwrap_or_else(|| key_of(request));
            let method = if request.query.contains_key("list-type") { "LIST" } else { &request.method };
            format!("{method} {key}")
        };
        self.server.requests().iter().map(told).collect()
    }

    /// All names.
    pub fn keys(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    pub fn fault(&self, method: &'static str, part: &str, fault: Fault, times: usize) {
        self.state().rules.push(Rule { method, part: part.to_owned(), fault, times });
    }

    /// No fault strikes any more.
    pub fn forget_faults(&self) {
        self.state().rules.clear();
    }

    /// How many faults have not struck yet.
    pub fn faults_left(&self) -> usize {
        self.state().rules.iter().map(|rule| rule.times).sum()
    }

    pub fn ignore_conditions(&self) {
        self.state().ignores_conditions = true;
    }

    pub fn read_only(&self, on: bool) {
        self.state().read_only = on;
    }

    pub fn full(&self, on: bool) {
        self.state().full = on;
    }

    pub fn clock(&self, seconds: i64) {
        self.state().clock_seconds = seconds;
    }

    /// Tells so many names at once, so that a short list has several pages.
    pub fn page(&self, names: usize) {
        self.state().page = Some(names);
    }

    /// Puts an object there, whatever was.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        let now = self.state().now();
        self.state().objects.insert(key.to_owned(), (bytes.to_vec(), now));
    }

    pub fn get(&self, key: &str) -> Vec<u8> {
        self.state().objects[key].0.clone()
    }

    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key).expect("it is there");
    }

    /// Holds back the writes of objects whose name holds this text, before they have any effect.
    pub fn hold(&self, part: &str) {
        self.state().held = Some(part.to_owned());
    }

    /// Waits until one is held back.
    pub fn wait_for_held(&self) {
        let mut state = self.state();
        while state.waiting == 0 {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// No other write is held back; those that are go on waiting.
    pub fn hold_no_more(&self) {
        self.state().held = Some("\0".to_owned());
    }

    /// Lets them go.
    pub fn let_go(&self) {
        self.state().held = None;
        self.shared.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl State {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(Timestamp::now().as_second() + self.clock_seconds).expect("a time")
    }

    fn fault(&mut self, method: &str, key: &str) -> Option<Fault> {
        let rule = self.rules.iter_mut().find(|rule| rule.times > 0 && rule.method == method && key.contains(&rule.part))?;
        rule.times -= 1;
        Some(rule.fault)
    }

    fn act(&mut self, request: &Incoming, key: &str) -> Reply {
        let headers = || vec![("date", http_date(self.now()))];
        match request.method.as_str() {
            "GET" if request.query.contains_key("list-type") => list(&self.objects, request, self.page.unwrap_or(PAGE)),
            "GET" => match self.objects.get(key) {
                None => error(404, "NoSuchKey"),
                Some((bytes, written)) => {
                    let mut headers = headers();
                    headers.extend([("last-modified", http_date(*written)), ("etag", etag(bytes))]);
                    Reply::Full { status: 200, headers, body: bytes.clone() }
                }
            },
            "PUT" | "DELETE" if self.read_only => error(403, "AccessDenied"),
            "PUT" if self.full => error(507, "XMinioStorageFull"),
            "PUT" => {
                let conditional = request.headers.get("if-none-match").is_some_and(|value| value == "*");
                if conditional && !self.ignores_conditions && self.objects.contains_key(key) {
                    return error(412, "PreconditionFailed");
                }
                self.objects.insert(key.to_owned(), (request.body.clone(), self.now()));
                Reply::Full { status: 200, headers: vec![("etag", etag(&request.body))], body: Vec::new() }
            }
            "DELETE" => {
                self.objects.remove(key);
                Reply::Full { status: 204, headers: Vec::new(), body: Vec::new() }
            }
            _ => error(405, "MethodNotAllowed"),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Incoming) -> Reply {
        let key = key_of(request);
        let mut state = self.lock();
        if request.method == "PUT" && state.held.as_ref().is_some_and(|part| key.contains(part)) {
            state.waiting += 1;
            self.changed.notify_all();
            while state.held.is_some() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.waiting -= 1;
        }
        match state.fault(&request.method, &key) {
            Some(Fault::Refused(status, code)) => error(status, code),
            Some(Fault::Lost) => Reply::Silence(std::time::Duration::ZERO),
            Some(Fault::ReplyLost) => {
                drop(state.act(request, &key));
                Reply::Silence(std::time::Duration::ZERO)
            }
            None => state.act(request, &key),
        }
    }
}

/// `/BUCKET/KEY`
fn key_of(request: &Incoming) -> String {
    request.path.trim_start_matches('/').split_once('/').map_or_else(String::new, |(_, key)| key.to_owned())
}

fn list(objects: &BTreeMap<String, (Vec<u8>, Timestamp)>, request: &Incoming, page: usize) -> Reply {
    let word = |name: &str| request.query.get(name).cloned().unwrap_or_default();
    let (prefix, delimiter) = (word("prefix"), word("delimiter"));
    let after = word("continuation-token").max(word("start-after"));
    let mut body = String::from("<?xml version=\"1.0\"?><ListBucketResult>");
    let (mut count, mut last, mut folders, mut more) = (0, String::new(), Vec::new(), false);
    for (key, (bytes, written)) in objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after) {
        let folder = key[prefix.len()..].split_once('/').filter(|_| !delimiter.is_empty()).map(|(folder, _)| format!("{prefix}{folder}/"));
        // All that is in a folder that was told is told.
        if folder.as_ref().is_some_and(|folder| folders.contains(folder) || after.starts_with(folder.as_str())) {
            last.clone_from(key);
            continue;
        }
        if count == page {
            more = true;
            break;
        }
        count += 1;
        last.clone_from(key);
        if let Some(folder) = folder {
            write!(body, "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>").expect("text");
            folders.push(folder);
        } else {
            let (size, etag, written) = (bytes.len(), etag(bytes), written.strftime("%Y-%m-%dT%H:%M:%S.000Z"));
            write!(body, "<Contents><Key>{key}</Key><Size>{size}</Size><ETag>{etag}</ETag><LastModified>{written}</LastModified></Contents>")
                .expect("text");
        }
    }
    if more {
        write!(body, "<NextContinuationToken>{last}</NextContinuationToken>").expect("text");
    }
    write!(body, "<KeyCount>{count}</KeyCount><IsTruncated>{more}</IsTruncated></ListBucketResult>").expect("text");
    Reply::Full { status: 200, headers: vec![("content-type", "application/xml".to_owned())], body: body.into_bytes() }
}

fn error(status: u16, code: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>told so</Message></Error>");
    Reply::Full { status, headers: vec![("content-type", "application/xml".to_owned())], body: body.into_bytes() }
}

/// A hash of the content, as S3 has it.
fn etag(bytes: &[u8]) -> String {
    format!("\"{:08x}\"", crc32fast::hash(bytes))
}

fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
