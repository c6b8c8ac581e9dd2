//! A fake Cloudflare that lists its zones and their records, at full speed: each page is written out once and then sent as it is.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::zone;

/// Answers by path and query.
struct Pages {
    sizes: Vec<usize>,
    written: Mutex<HashMap<String, Arc<Vec<u8>>>>,
}

/// Serves until it is stopped.
pub fn serve(sizes: &[usize]) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/client/v4", listener.local_addr()?);
    std::io::stdout().flush()?;
    let pages = Arc::new(Pages { sizes: sizes.to_vec(), written: Mutex::default() });
    for stream in listener.incoming() {
        let (stream, pages) = (stream?, Arc::clone(&pages));
        // A client that has gone away ends its own connection alone.
        std::thread::spawn(move || drop(connection(&stream, &pages)));
    }
    Ok(())
}

fn connection(stream: &TcpStream, pages: &Pages) -> Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut line) = (BufReader::new(stream), String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 || line == "\r\n" {
                break;
            }
            if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let mut to = stream;
        to.write_all(&pages.answer(&target))?;
    }
}

impl Pages {
    fn answer(&self, target: &str) -> Arc<Vec<u8>> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = written.entry(target.to_owned()).or_insert_with(|| {
            let (status, body) = self.body(target);
            let mut whole = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
            whole.extend_from_slice(body.as_bytes());
            Arc::new(whole)
        });
        Arc::clone(answer)
    }

    fn body(&self, target: &str) -> (&'static str, String) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let value = |name: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value);
        let number = |name: &str, default: usize| value(name).and_then(|text| text.parse().ok()).unwrap_or(default).max(1);
        let segments: Vec<&str> = path.trim_start_matches("/client/v4").split('/').filter(|part| !part.is_empty()).collect();
        match segments.as_slice() {
            ["zones"] => {
                let found: Vec<String> = self
                    .sizes
                    .iter()
                    .filter(|records| value("name").is_none_or(|wanted| wanted == zone::name(**records)))
                    .map(|records| {
                        let (id, name) = (zone::id(*records), zone::name(*records));
                        format!(r#"{{"id":"{id}","name":"{name}","status":"active","plan":{{"legacy_id":"enterprise"}},"name_servers":["ns1.example","ns2.example"]}}"#)
                    })
                    .collect();
                ("200 OK", page(&found, number("page", 1), number("per_page", 20), found.len()))
            }
            ["zones", id, "dns_records"] => match self.sizes.iter().find(|records| zone::id(**records) == *id) {
                Some(records) => {
                    let (at, size) = (number("page", 1), number("per_page", 100).min(5_000_000));
                    let first = (at - 1).saturating_mul(size).min(*records);
                    let shown: Vec<String> = (first..(first + size).min(*records)).map(|number| zone::listed(*records, number)).collect();
                    ("200 OK", page(&shown, at, size, *records))
                }
                None => missing(),
            },
            _ => missing(),
        }
    }
}

fn page(shown: &[String], at: usize, size: usize, total: usize) -> String {
    let info = format!(r#"{{"page":{at},"per_page":{size},"count":{},"total_count":{total},"total_pages":{}}}"#, shown.len(), total.div_ceil(size));
    format!(r#"{{"result":[{}],"success":true,"errors":[],"messages":[],"result_info":{info}}}"#, shown.join(","))
}

fn missing() -> (&'static str, String) {
    ("404 Not Found", r#"{"result":null,"success":false,"errors":[{"code":7003,"message":"no route"}],"messages":[]}"#.to_owned())
}
