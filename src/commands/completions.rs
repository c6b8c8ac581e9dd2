//! `completions`: what a shell needs to complete command lines, and its answers. A script asks this program itself at every tab, so that
//! names of environments and runs are those that are there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use futures_util::FutureExt as _;

use super::Session;
use super::session::state_folder;
use crate::apply::journal::{Store as _, local::LocalStore};
use crate::cli::Cli;
use crate::declare;
use crate::model::{Error, Exit, Result};

/// The environment variable by which a shell's script asks for completions.
pub const VARIABLE: &str = "COMPLETE";
/// Runs that are offered: the newest.
const RUNS_SHOWN: usize = 20;

/// Prints a shell's script.
pub(super) fn run(session: &Session, shell: &str) -> Result<Exit> {
    let shells = Shells::builtins();
    let known = shells.completer(shell).ok_or_else(|| {
        let names: Vec<&str> = shells.names().collect();
        Error::new(Exit::Error, format!("{shell} is no shell that is known here"), format!("one of {}", names.join(", ")))
    })?;
    let mut script = Vec::new();
    known
        .write_registration(VARIABLE, "switchover", "switchover", "switchover", &mut script)
        .map_err(|error| Error::new(Exit::Error, "cannot write the completions", "report this").because_text(error.to_string()))?;
    session.say(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}

/// Answers a shell that asks for completions; whether it was one.
///
/// # Errors
/// What clap has to say about a question that is none.
pub fn answer(words: &[OsString], folder: Option<&Path>) -> std::result::Result<bool, clap::Error> {
    let asked = Asked::of(words, folder);
    CompleteEnv::with_factory(move || command(&asked)).var(VARIABLE).try_complete(words.iter().cloned(), folder)
}

/// What the words so far say about where to look.
#[derive(Debug, Clone, Default)]
struct Asked {
    root: PathBuf,
    /// Words that stand by themselves: the command, then its arguments.
    plain: Vec<String>,
}

impl Asked {
    fn of(words: &[OsString], folder: Option<&Path>) -> Asked {
        let mut asked = Asked { root: folder.map(Path::to_path_buf).unwrap_or_default(), plain: Vec::new() };
        // A script puts `--` before the words of the command line, whose first is the program.
        let mut words = words.iter().skip_while(|word| *word != "--").skip(2);
        while let Some(word) = words.next() {
            if word == "-C" {
                asked.root = words.next().map_or(asked.root.clone(), |root| asked.root.join(root));
            } else if let Some(word) = word.to_str().filter(|word| !word.starts_with('-')) {
                asked.plain.push(word.to_owned());
            }
        }
        asked
    }

    fn environments(&self) -> Vec<String> {
        declare::all_environments(&self.root).map(|found| found.into_iter().map(|location| location.environment).collect()).unwrap_or_default()
    }

    /// Runs of the environment that is named, newest first. Only a journal in a folder is asked: a tab connects to nothing.
    fn runs(&self) -> Vec<String> {
        let Some(environment) = self.plain.get(1) else { return Vec::new() };
        let store = LocalStore::new(state_folder(&self.root));
        let runs = store.runs(environment).now_or_never().and_then(Result::ok).unwrap_or_default();
        runs.into_iter().rev().take(RUNS_SHOWN).collect()
    }
}

/// The command line with names to offer.
fn command(asked: &Asked) -> Command {
    let mut command = Cli::command();
    let names: Vec<String> = command.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |subcommand| {
            subcommand.mut_args(|argument| match argument.get_id().as_str() {
                "environment" | "environments" | "what" => argument.add(candidates(asked.clone(), Asked::environments)),
                "id" => argument.add(candidates(asked.clone(), Asked::runs)),
                _ => argument,
            })
        });
    }
    command
}

fn candidates(asked: Asked, names: fn(&Asked) -> Vec<String>) -> ArgValueCandidates {
    ArgValueCandidates::new(move || names(&asked).into_iter().map(CompletionCandidate::new).collect())
}
