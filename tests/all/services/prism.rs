//! Prism between us and a twin: what breaks the vendor's own description, in a request or in an answer, becomes an error.

use std::path::PathBuf;
use std::time::Duration;

use super::process::{self, Server};

/// A running `prism proxy --errors`.
pub struct Prism {
    pub port: u16,
    _server: Server,
}

impl Prism {
    /// In front of `upstream`, held to the description `spec` (a file name).
    pub fn proxy(spec: &str, upstream: &str) -> Option<Self> {
        let Some(spec) = find_spec(spec) else { return process::skipped(&format!("the description {spec} ($SWITCHOVER_SPECS, ../shared/specs)")) };
        let Some(program) = find_prism() else { return process::skipped("prism (scripts/services-node)") };
        let (folder, port) = (process::folder("prism"), process::free_port());
        let (program, spec, number) = (program.display().to_string(), spec.display().to_string(), port.to_string());
        let command = ["node", &program, "proxy", "--errors", "-h", "127.0.0.1", "-p", &number, &spec, upstream];
        let server = Server::start(&command, &folder, None, "TERM");
        process::wait_for_port(port, &folder.join("log"), Duration::from_mins(1));
        Some(Prism { port, _server: server })
    }
}

fn find_prism() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/switchover/node"));
    let root = std::env::var_os("SWITCHOVER_NODE").map(PathBuf::from).or(home)?;
    Some(root.join("node_modules/.bin/prism")).filter(|program| program.exists())
}

/// `$SWITCHOVER_SPECS`, else `../shared/specs` seen from the repository, or from the checkout that a worktree belongs to.
fn find_spec(name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("SWITCHOVER_SPECS").map(PathBuf::from);
    let near = root.ancestors().skip(1).take(2).map(|folder| folder.join("shared/specs"));
    named.into_iter().chain(near).map(|folder| folder.join(name)).find(|file| file.is_file())
}
