//! Child processes that cannot outlive the tests, free ports, and the one way to say that something is not there.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the command that follows, and stops it when standard input ends: that is when we drop it, or die. Then removes the folder.
/// Ctrl-C reaches it together with the tests, and must not keep it from this.
const KEEPER: &str = r#"trap '' INT; dir=$1; signal=$2; shift 2; "$@" </dev/null >&2 & pid=$!; echo "$pid"; read -r _; kill -s "$signal" "$pid"; wait "$pid"; rm -rf "$dir""#;

/// A server in the background.
pub struct Server {
    keeper: Child,
    stdin: Option<ChildStdin>,
    /// The server's own process id.
    pub pid: u32,
}

impl Server {
    /// Starts `command` as `user` (if root has to become somebody else), with everything it says in `folder/log`. The folder is
    /// removed after the server has stopped.
    pub fn start(command: &[&str], folder: &Path, user: Option<&str>, signal: &str) -> Self {
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut starter = command_as(user, "sh");
        starter.args(["-c", KEEPER, "sh"]).arg(folder).arg(signal).args(command).current_dir(folder);
        let mut keeper = starter.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdin = keeper.stdin.take();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Server { keeper, stdin, pid: line.trim().parse().unwrap() }
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.pid.to_string()]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.keeper.wait());
    }
}

/// A command that runs as `user`, for root, which some servers refuse to be.
pub fn command_as(user: Option<&str>, program: &str) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--", program]);
    command
}

/// A port of the loopback that is free just now.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until somebody listens on a port, or says what the log holds.
pub fn wait_for_port(port: u16, log: &Path, limit: Duration) {
    let begin = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        assert!(begin.elapsed() < limit, "nothing listens on port {port}: {}", said());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A new folder that every user may enter.
pub fn folder(purpose: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix(&format!("switchover-{purpose}-")).tempdir().unwrap().keep();
    assert!(Command::new("chmod").arg("755").arg(&folder).status().unwrap().success());
    folder
}

/// A program by name, also where only administrators look.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Says that a test cannot run for want of something. With `CI=true` that is a failure.
pub fn skipped<T>(missing: &str) -> Option<T> {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}; with CI=true nothing is skipped");
    eprintln!("skipped: {missing}");
    None
}
