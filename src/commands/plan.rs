//! `plan`: writes nothing outside, and nothing inside but its `--out`.

use std::path::Path;

use super::{Session, history, planning};
use crate::cli::{Format, PlanFlags};
use crate::declare::JournalSetting;
use crate::model::{Exit, Result};
use crate::plan::{Experience, Plan, file};
use crate::review::{self, escape};

pub async fn run(session: &Session, environment: &str, out: Option<&Path>, detailed: bool, format: Format, flags: &PlanFlags) -> Result<Exit> {
    let location = session.locate(environment)?;
    let world = session.open_world(&location.root)?;
    let desired = planning::read(session, &location, &world)?;
    let format = if session.globals.json { Format::Json } else { format };
    let plan = match (out, format) {
        (None, Format::Terminal) => planning::draft(&desired, &world, flags).await?,
        _ => planning::make(&desired, &world, flags).await?,
    };
    let incomplete = planning::incomplete(&plan);
    let saved = match (out, &incomplete) {
        (Some(path), None) => {
            file::save(&plan, path)?;
            Some(path.display().to_string())
        }
        _ => None,
    };
    let is_local = matches!(desired.journal, JournalSetting::Local);
    let experience = history::at_hand(session, &location.root, is_local, &desired.environment).await;
    session.say(&show(session, &plan, format, saved.as_deref(), &experience));
    if let Some(run) = history::unfinished_at_hand(session, &location.root, is_local, &desired.environment).await {
        let environment = escape::shell(&desired.environment);
        session.note(&escape::terminal(&format!(
            "note: run {run} of {environment} is unfinished, and `apply` refuses until it is not: `switchover resume {environment}` goes on with it, \
             `switchover rollback {environment}` turns it back; what this plan calls left over may be its work"
        )));
    }
    if let Some(error) = incomplete {
        return Err(error);
    }
    let exit = if detailed && planning::has_changes(&plan) { Exit::Changes } else { Exit::Done };
    // The process ends here: taking a large plan apart first would be a tenth of its time.
    std::mem::forget((desired, plan));
    Ok(exit)
}

/// A plan in one of its forms; people are told what earlier runs took.
pub fn show(session: &Session, plan: &Plan, format: Format, saved_as: Option<&str>, experience: &Experience) -> String {
    match format {
        Format::Terminal => {
            review::terminal_knowing(plan, &session.out_style(), saved_as.map_or(review::Next::Save, review::Next::Apply), experience)
        }
        Format::Markdown => review::markdown_knowing(plan, experience),
        Format::Json => review::json(plan),
    }
}
