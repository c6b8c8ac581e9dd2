//! Servers on this machine that give the same answer to every question, until they are given another.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};

/// Over HTTP: one status and one body. Connections stay open.
pub struct Http {
    address: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Http {
    /// Serves until the process ends.
    pub fn start() -> Http {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let http = Http { address: listener.local_addr().unwrap(), answer: Arc::default() };
        let answer = Arc::clone(&http.answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                std::thread::spawn(move || serve(stream, &answer));
            }
        });
        http
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it says from now on.
    pub fn answer(&self, status: u16, body: &[u8]) {
        let mut answer = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
        answer.extend_from_slice(body);
        *self.answer.lock().unwrap() = answer;
    }
}

/// Answers each request of a connection; the requests of the doors end their heads with an empty line and say how long their bodies are.
fn serve(mut stream: TcpStream, answer: &Mutex<Vec<u8>>) {
    let (mut head, mut chunk) = (Vec::new(), [0_u8; 4_096]);
    while let Ok(length @ 1..) = stream.read(&mut chunk) {
        head.extend_from_slice(&chunk[..length]);
        while let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&head[..end]).to_lowercase();
            let body = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
            if head.len() < end + 4 + body {
                break;
            }
            head.drain(..end + 4 + body);
            let answer = answer.lock().unwrap().clone();
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    }
}

/// Over UDP: one message, then a plain refusal, so that whoever skips the message need not wait.
pub struct Udp {
    address: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Udp {
    /// Serves until the process ends. Whoever comes over TCP to the same port is sent away.
    pub fn start() -> Udp {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let udp = Udp { address: socket.local_addr().unwrap(), answer: Arc::default() };
        let answer = Arc::clone(&udp.answer);
        std::thread::spawn(move || {
            let mut question = [0_u8; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                let id = &question[..length.min(2)];
                let answer = answer.lock().unwrap().clone();
                // The identifier is the question's, whatever the answer's first two bytes are.
                let first = [id, answer.get(2..).unwrap_or_default()].concat();
                let refusal = [id, &[0x80, 0x05, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
                let _lost = socket.send_to(&first, from).and_then(|_| socket.send_to(&refusal, from));
            }
        });
        udp
    }

    /// As the doors want it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What it says from now on.
    pub fn answer(&self, message: &[u8]) {
        // Larger than any datagram that passes: it would not be sent at all.
        *self.answer.lock().unwrap() = message[..message.len().min(4_000)].to_vec();
    }
}
