//! `validate`: all mistakes of all files at once.

use super::Session;
use crate::declare::{self, Reading};
use crate::model::{Exit, Problem, Result, Severity};
use crate::review::escape;

pub fn run(session: &Session, environments: &[String]) -> Result<Exit> {
    let now = session.now()?;
    let locations = session.locate_all(environments)?;
    let mut problems: Vec<Problem> = Vec::new();
    for location in &locations {
        let Reading { problems: found, .. } = session.with_inputs(now, |inputs| declare::read(location, inputs))?;
        problems.extend(found);
    }
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    if session.globals.json {
        session.say(&escape::json(&format!("{:#}", declare::to_json(&problems))));
    } else {
        if !problems.is_empty() {
            session.note(&declare::render(&problems, session.err_style().color));
        }
        let names: Vec<&str> = locations.iter().map(|location| location.environment.as_str()).collect();
        if errors == 0 {
            session.say(&format!("{} valid: {}", if names.len() == 1 { "1 environment is" } else { "environments are" }, names.join(", ")));
        }
    }
    Ok(if errors == 0 { Exit::Done } else { Exit::Error })
}
