//! `show`: a saved plan, offline.

use std::path::Path;

use super::Session;
use crate::cli::Format;
use crate::model::{Exit, Result};
use crate::plan::file;

pub fn run(session: &Session, path: &Path, format: Format) -> Result<Exit> {
    let plan = file::load(path)?;
    let format = if session.globals.json { Format::Json } else { format };
    session.say(&super::plan::show(session, &plan, format, Some(&path.display().to_string())));
    Ok(Exit::Done)
}
