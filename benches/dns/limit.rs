//! The limit: what any program must do that reads the same zone and the same declaration with the same parsers, and nothing else.
//!
//! The zone is fetched page after page over one plain connection and each record parsed into fields of its own; the file is parsed with hcl-rs
//! and not evaluated. Nothing is compared, checked or printed but two counts.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde::Deserialize;

use crate::zone;

/// Records a page.
const PER_PAGE: usize = 5_000;

#[derive(Deserialize)]
struct Page<T> {
    result: Vec<T>,
}

/// The fields of a record that any comparison needs.
#[derive(Deserialize)]
struct Record {
    id: String,
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    content: String,
    ttl: u32,
    proxied: bool,
    comment: Option<String>,
    tags: Vec<String>,
}

/// Fetches and parses the zone, parses the file.
pub fn run(base: &str, records: usize, file: &Path) -> Result<(), Box<dyn Error>> {
    let body = hcl::parse(&std::fs::read_to_string(file)?)?;
    let (host, path) = base.trim_start_matches("http://").split_once('/').ok_or("no path in the address")?;
    let mut reader = BufReader::with_capacity(64 << 10, TcpStream::connect(host)?);
    get(&mut reader, host, &format!("/{path}/zones?name={}", zone::name(records)))?;
    let mut all: Vec<Record> = Vec::new();
    while all.len() < records {
        let number = all.len() / PER_PAGE + 1;
        let answer = get(&mut reader, host, &format!("/{path}/zones/{}/dns_records?per_page={PER_PAGE}&page={number}", zone::id(records)))?;
        let page: Page<Record> = serde_json::from_slice(&answer)?;
        all.extend(page.result);
    }
    let kept = all.iter().map(|record| {
        let Record { id, name, rtype, content, ttl, proxied, comment, tags } = record;
        id.len() + name.len() + rtype.len() + content.len() + comment.iter().len() + tags.len() + usize::from(*proxied) + usize::from(*ttl > 0)
    });
    println!(
        "{} records of {} bytes, {} blocks",
        all.len(),
        kept.sum::<usize>(),
        body.into_blocks().map(|block| block.body.into_blocks().count()).sum::<usize>()
    );
    Ok(())
}

fn get(reader: &mut BufReader<TcpStream>, host: &str, target: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    write!(reader.get_mut(), "GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n")?;
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}
