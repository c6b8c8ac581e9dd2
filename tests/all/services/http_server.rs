//! The smallest HTTP/1.1 server that can also misbehave on purpose.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// One request as it came in.
#[derive(Debug, Clone, Default)]
pub struct Incoming {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What happens to it.
pub enum Reply {
    /// A whole answer.
    Full { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// Half of an answer, then the connection is closed.
    Cut(Vec<u8>),
    /// Nothing for so long, then the connection is closed.
    Silence(Duration),
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Reply::Full { status, headers: vec![("content-type", "application/json".into())], body: body.to_string().into_bytes() }
    }

    pub fn with_header(self, name: &'static str, value: &str) -> Self {
        match self {
            Reply::Full { status, mut headers, body } => {
                headers.push((name, value.to_owned()));
                Reply::Full { status, headers, body }
            }
            other => other,
        }
    }
}

/// A server whose threads end with the process.
pub struct HttpServer {
    pub port: u16,
    requests: Arc<Mutex<Vec<Incoming>>>,
}

impl HttpServer {
    pub fn start(handler: impl Fn(&Incoming) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (handler, seen) = (Arc::new(handler), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, seen) = (Arc::clone(&handler), Arc::clone(&seen));
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    seen.lock().unwrap().push(request.clone());
                    drop(write(&stream, handler(&request)));
                });
            }
        });
        HttpServer { port, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What has come in so far.
    pub fn requests(&self) -> Vec<Incoming> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Incoming> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let body = if headers.get("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        read_chunks(&mut reader)?
    } else {
        let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        body
    };
    let url = url::Url::parse(&format!("http://localhost{target}")).ok()?;
    Some(Incoming { method, path: url.path().to_owned(), query: url.query_pairs().into_owned().collect(), headers, body })
}

fn read_chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..length]);
    }
}

fn write(mut stream: &TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Full { status, headers, body } => {
            let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
            write!(stream, "HTTP/1.1 {status} Told\r\n{lines}content-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
            stream.write_all(&body)
        }
        Reply::Cut(body) => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
            write!(stream, "{head}content-length: {}\r\n\r\n", body.len())?;
            stream.write_all(&body[..body.len() / 2])
        }
        Reply::Silence(long) => {
            std::thread::sleep(long);
            Ok(())
        }
    }
}
