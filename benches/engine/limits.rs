//! The limits that are whole processes: this program again, which does nothing but what cannot be left out.

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// The first argument of such a process.
pub const WORD: &str = "limit";
/// Ends at once.
pub const NOTHING: &str = "nothing";
/// Reads a file and parses it as HCL.
pub const HCL: &str = "hcl";
/// Reads a file, parses it as JSON, hashes it once, and writes a text.
pub const PLAN: &str = "plan";

/// One of these processes, not yet started.
pub fn command(limit: &str, arguments: &[&Path]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg(WORD).arg(limit).args(arguments);
    command
}

/// Is one of these processes.
pub fn run(limit: &str, arguments: &[String]) {
    let text = |at: usize| fs::read_to_string(&arguments[at]).expect("a file");
    match limit {
        HCL => drop(black_box(hcl_edit::parser::parse_body(&text(0)).expect("HCL"))),
        PLAN => {
            let text = text(0);
            black_box(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"));
            black_box(<sha2::Sha256 as sha2::Digest>::digest(text.as_bytes()));
            let shown = fs::read(&arguments[1]).expect("a file");
            std::io::stdout().write_all(&shown).expect("standard output");
        }
        _ => {}
    }
}
