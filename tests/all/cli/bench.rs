//! A temporary root with an environment and a simulated world, in which the real binary runs with a clean environment.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::copy;

/// What one run of the binary gave.
#[derive(Debug)]
pub struct Said {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// What was asked for.
    pub out: String,
    /// Everything else.
    pub err: String,
}

impl Said {
    /// The data on stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("not JSON ({error}):\n{}\n{}", self.out, self.err))
    }

    /// Insists on an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Said {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Insists on words in what was said, on either stream, wherever its lines are broken.
    #[track_caller]
    pub fn says(self, words: &str) -> Said {
        let holds = |text: &str| text.contains(words) || text.split_whitespace().collect::<Vec<_>>().join(" ").contains(words);
        assert!(holds(&self.out) || holds(&self.err), "no {words:?} in stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Insists that words are in neither stream.
    #[track_caller]
    pub fn never_says(self, words: &str) -> Said {
        assert!(!self.out.contains(words) && !self.err.contains(words), "{words:?} in stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

/// The root: `environments/` and `world.json` are in it, and the binary runs there.
pub struct Bench {
    root: TempDir,
    variables: Vec<(String, String)>,
}

impl Bench {
    /// One environment, `environments/ENV.hcl`, and a world; an empty text is no world.
    pub fn new(environment: &str, hcl: &str, world_json: &str) -> Bench {
        let bench = Bench { root: tempfile::tempdir().unwrap(), variables: Vec::new() };
        bench.write(&format!("environments/{environment}.hcl"), hcl);
        if !world_json.is_empty() {
            bench.write("world.json", world_json);
        }
        bench
    }

    /// A copy of `examples/openverse`; the environment is `staging`.
    pub fn openverse() -> Bench {
        Bench::example("openverse")
    }

    /// A copy of `examples/gigadb`; the environment is `gigadb`.
    pub fn gigadb() -> Bench {
        Bench::example("gigadb")
    }

    fn example(name: &str) -> Bench {
        let bench = Bench { root: tempfile::tempdir().unwrap(), variables: Vec::new() };
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name), bench.root.path());
        bench
    }

    /// The same with an environment variable for every run.
    pub fn variable(mut self, name: &str, value: &str) -> Bench {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where a file of the root is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Runs the binary in the root, on `world.json` when there is one (`--world` still wins).
    pub fn run(&self, args: &[&str]) -> Said {
        self.run_with(args, "")
    }

    /// The same with something on stdin.
    pub fn run_with(&self, args: &[&str], input: &str) -> Said {
        let mut child = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A binary that does not read its input closes the pipe, which is no mistake.
        let _closed = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    /// The binary with these arguments, not yet started: for tests that stop or kill it.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchover"));
        command.args(args).current_dir(self.root.path()).env_clear().env("SWITCHOVER_ACTOR", "tester");
        if self.path("world.json").exists() {
            command.env("SWITCHOVER_WORLD", "world.json");
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Writes a file of the root, with its folders.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file of the root.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Replaces `from`, which must be there, everywhere in a file of the root.
    #[track_caller]
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} does not hold {from:?}");
        self.write(path, &text.replace(from, to));
    }

    /// `world.json` as data.
    pub fn world(&self) -> serde_json::Value {
        serde_json::from_str(&self.read("world.json")).unwrap()
    }

    /// Changes `world.json` as data.
    pub fn change_world(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut world = self.world();
        change(&mut world);
        self.write("world.json", &serde_json::to_string_pretty(&world).unwrap());
    }
}
