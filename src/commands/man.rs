//! `man`: one page a command, made of the command line itself.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;

use super::Session;
use crate::cli::Cli;
use crate::model::{Error, Exit, Result};

pub fn run(session: &Session, folder: &Path) -> Result<Exit> {
    let folder = session.globals.root.join(folder);
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        clap_mangen::generate_to(Cli::command(), &folder)
    };
    write().map_err(|error| {
        Error::new(Exit::Error, format!("cannot write man pages into {}", folder.display()), "name a folder that you may write to")
            .because_text(error.to_string())
    })?;
    session.note(&format!(
        "wrote the pages; `man -M {0} switchover` shows them when {0} has a folder man1, `man {0}/switchover.1` in any case",
        folder.display()
    ));
    Ok(Exit::Done)
}
