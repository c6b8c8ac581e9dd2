//! The real binary with little memory and little time: what it does with an input is over soon, or the system ends it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What the process may take for itself, in KiB: 256 MiB.
const MEMORY_KIB: u64 = 256 << 10;
/// Seconds of a processor: far more than any input needs, far less than for ever.
const CPU_SECONDS: u64 = 120;
/// Seconds until it is ended, whatever it waits for: only a process that waits for ever gets there.
const GIVE_UP_SECONDS: u64 = 300;

/// A root in which the binary runs, with one environment `x` and a world.
pub struct Small {
    root: TempDir,
}

/// How one run ended.
#[derive(Debug)]
pub struct Ended {
    /// 124: it did not end by itself; above 128: the system ended it.
    pub code: i32,
    /// Both streams, the end of them.
    pub said: String,
}

impl Small {
    /// An environment in which nothing is declared.
    pub fn new() -> Small {
        let small = Small { root: tempfile::tempdir().unwrap() };
        small.write("environments/x.hcl", b"environment \"x\" {}\n");
        let world = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gigadb/world.json");
        fs::copy(world, small.path("world.json")).unwrap();
        small
    }

    /// A path in the root.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Makes room for a file: its folders are there, itself is not.
    pub fn clear(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _was_not_there = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
        path
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.clear(name), bytes).unwrap();
    }

    /// Runs the binary.
    pub fn run(&self, args: &[&str]) -> Ended {
        let script = format!("ulimit -d {MEMORY_KIB}; ulimit -t {CPU_SECONDS}; exec timeout {GIVE_UP_SECONDS} \"$0\" \"$@\"");
        let said = File::create(self.path("said")).unwrap();
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_switchover")).args(args).current_dir(self.root.path()).env_clear();
        command.env("PATH", std::env::var("PATH").unwrap_or_default()).env("SWITCHOVER_ACTOR", "tester");
        let status = command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said).status().unwrap();
        let said = fs::read(self.path("said")).unwrap();
        let end = said.len().saturating_sub(2_000);
        Ended { code: status.code().unwrap_or(-1), said: String::from_utf8_lossy(&said[end..]).into_owned() }
    }

    /// Insists that a run ends as bad input does: exit code 1 and a next step, within the limits.
    #[track_caller]
    pub fn refuses(&self, what: &str, args: &[&str]) {
        let ended = self.run(args);
        assert!(ended.code == 1 && ended.said.contains("help"), "{what}: {args:?}: {ended:?}");
    }
}
