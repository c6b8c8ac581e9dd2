//! A server that gives the answers it was told, one a connection, and keeps what it was asked: for answers that no real service gives on
//! demand.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The server. Its thread ends with its last answer.
pub struct Scripted {
    /// `http://127.0.0.1:PORT`
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Answers are whole HTTP responses ([`http`] makes them); an empty one closes the connection without a word.
    pub fn start(answers: Vec<String>) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
                let request = read(&mut stream);
                kept.lock().expect("no panic while held").push(request);
                // A client that went away already is the test's to notice.
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        Scripted { address, requests }
    }

    /// What was asked so far: head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic while held").clone()
    }
}

/// A whole response that closes its connection. `headers` are whole lines.
pub fn http(status: u16, headers: &[&str], body: &str) -> String {
    let lines = [headers, &["connection: close"]].concat().join("\r\n");
    format!("HTTP/1.1 {status} X\r\n{lines}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn read(stream: &mut impl Read) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| body.len() >= length(head));
        if count == 0 || whole {
            return text.into_owned();
        }
    }
}

fn length(head: &str) -> usize {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).find_map(|(_, value)| value.trim().parse().ok());
    found.unwrap_or(0)
}
