//! `plan`: writes nothing outside, and nothing inside but its `--out`.

use std::path::Path;

use super::{Session, planning};
use crate::cli::{Format, PlanFlags};
use crate::model::{Exit, Result};
use crate::plan::{Plan, file};
use crate::review;

pub async fn run(session: &Session, environment: &str, out: Option<&Path>, detailed: bool, format: Format, flags: &PlanFlags) -> Result<Exit> {
    let location = session.locate(environment)?;
    let world = session.open_world(&location.root)?;
    let desired = planning::read(session, &location, &world)?;
    let plan = planning::make(&desired, &world, flags).await?;
    let incomplete = planning::incomplete(&plan);
    let saved = match (out, &incomplete) {
        (Some(path), None) => {
            file::save(&plan, path)?;
            Some(path.display().to_string())
        }
        _ => None,
    };
    let format = if session.globals.json { Format::Json } else { format };
    session.say(&show(session, &plan, format, saved.as_deref()));
    if let Some(error) = incomplete {
        return Err(error);
    }
    Ok(if detailed && planning::has_changes(&plan) { Exit::Changes } else { Exit::Done })
}

/// A plan in one of its forms.
pub fn show(session: &Session, plan: &Plan, format: Format, saved_as: Option<&str>) -> String {
    match format {
        Format::Terminal => review::terminal(plan, &session.out_style(), saved_as),
        Format::Markdown => review::markdown(plan),
        Format::Json => review::json(plan),
    }
}
