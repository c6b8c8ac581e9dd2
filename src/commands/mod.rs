//! One file a command, each a short script over the phases.

mod abandon;
mod again;
mod apply;
mod ask;
pub mod completions;
mod explain;
mod fmt;
mod graph;
mod history;
mod journals;
mod man;
mod plan;
mod planning;
mod resume;
mod rollback;
mod running;
mod runs;
mod schema;
mod session;
mod show;
mod signals;
mod status;
mod unlock;
mod validate;
mod voice;

use std::sync::Arc;

pub use session::{Environment, Session};

use crate::cli::{Cli, Command};
use crate::model::{Error, Exit, Result};
use crate::review::{Style, escape};
use again::Again;

/// Runs one command to its end: what went wrong is printed here, the whole chain once, with what to do next.
pub async fn main(cli: Cli, environment: Environment) -> Exit {
    signals::let_file_limits_be_errors();
    let environment = Arc::new(environment);
    let style = session::err_style(&cli.globals, &environment);
    let again = Again::new(&cli.globals, &environment);
    let is_quiet = cli.globals.quiet;
    let (exit, again) = match Session::new(cli.globals, environment, again) {
        Err(error) => (complain(&error, &style), None),
        Ok(session) => {
            let exit = run(&session, cli.command).await.unwrap_or_else(|error| {
                session.again.hear(&error.chain());
                session.again.hear(error.help());
                complain(&error, &style)
            });
            (exit, session.again.words())
        }
    };
    if let Some(words) = again.filter(|_| !is_quiet) {
        session::complain(&escape::terminal(&words));
    }
    exit
}

fn complain(error: &Error, style: &Style) -> Exit {
    session::complain(&session::render_error(error, style.color));
    error.exit()
}

async fn run(session: &Session, command: Command) -> Result<Exit> {
    // What a run did counts, not whether its report could be written; everywhere else what is said is all there is.
    let only_tells = !matches!(command, Command::Apply { .. } | Command::Resume { .. } | Command::Rollback { .. });
    let exit = self::command(session, command).await?;
    match session.unsaid() {
        Some(error) if only_tells => Err(error),
        Some(error) => {
            session::complain(&format!("warning: {}", error.chain()));
            Ok(exit)
        }
        None => Ok(exit),
    }
}

async fn command(session: &Session, command: Command) -> Result<Exit> {
    match command {
        Command::Validate { environments } => validate::run(session, &environments),
        Command::Plan { environment, out, detailed_exitcode, format, flags } => {
            plan::run(session, &environment, out.as_deref(), detailed_exitcode, format, &flags).await
        }
        Command::Show { plan, format } => show::run(session, &plan, format).await,
        Command::Apply { what, ask, run, flags } => apply::run(session, &what, ask, &run, &flags).await,
        Command::Resume { environment, run } => resume::run(session, &environment, &run).await,
        Command::Rollback { environment, id, run } => rollback::run(session, &environment, id.as_deref(), &run).await,
        Command::Status { environments, offline } => status::run(session, &environments, offline).await,
        Command::Runs { environment, id } => runs::run(session, &environment, id.as_deref()).await,
        Command::Unlock { environment, abandon: true } => abandon::run(session, &environment).await,
        Command::Unlock { environment, abandon: false } => unlock::run(session, &environment).await,
        Command::Fmt { paths, check, diff } => fmt::run(session, &paths, check, diff),
        Command::Schema { format } => Ok(schema::run(session, format)),
        Command::Completions { shell } => completions::run(session, &shell),
        Command::Man { folder } => man::run(session, &folder),
        Command::Explain { environment, address, flags } => explain::run(session, &environment, &address, &flags).await,
        Command::Graph { environment, format, flags } => graph::run(session, &environment, format, &flags).await,
    }
}
