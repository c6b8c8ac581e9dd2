//! `show`: a saved plan, offline.

use std::path::Path;

use super::{Session, history};
use crate::cli::Format;
use crate::model::{Exit, Result};
use crate::plan::file;

pub async fn run(session: &Session, path: &Path, format: Format) -> Result<Exit> {
    let plan = file::load(path)?;
    let format = if session.globals.json { Format::Json } else { format };
    let is_local = plan.journal.as_str() == Some("local");
    let experience = history::at_hand(session, &session.globals.root, is_local, &plan.environment).await;
    session.say(&super::plan::show(session, &plan, format, Some(&path.display().to_string()), &experience));
    // The process ends here: taking a large plan apart first would be a tenth of its time.
    std::mem::forget(plan);
    Ok(Exit::Done)
}
