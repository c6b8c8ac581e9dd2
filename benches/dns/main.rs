//! What `scripts/bench-dns` measures with, besides the program itself: the zones, a fake Cloudflare that serves them, and the limit.
//!
//!     dns make FOLDER BASE_URL RECORDS…   environments for us, and the same for octoDNS
//!     dns serve RECORDS…                  serves zones of these sizes; prints its address
//!     dns limit BASE_URL RECORDS FILE     only fetches and parses the pages, and only parses the file

mod limit;
mod server;
mod zone;

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let sizes = |words: &[&str]| words.iter().map(|word| word.parse::<usize>()).collect::<Result<Vec<_>, _>>();
    match words.as_slice() {
        ["make", folder, base, records @ ..] => zone::make(Path::new(folder), base, &sizes(records)?)?,
        ["serve", records @ ..] => server::serve(&sizes(records)?)?,
        ["limit", base, records, file] => limit::run(base, records.parse()?, Path::new(file))?,
        // `cargo bench` gives a flag and no command.
        _ => eprintln!("this is started by scripts/bench-dns"),
    }
    Ok(())
}
