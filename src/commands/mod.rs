//! One file a command, each a short script over the phases.

mod abandon;
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
use crate::model::{Exit, Result};

/// Runs one command to its end: what went wrong is printed here, the whole chain once, with what to do next.
pub async fn main(cli: Cli, environment: Environment) -> Exit {
    signals::let_file_limits_be_errors();
    let environment = Arc::new(environment);
    let style = session::err_style(&cli.globals, &environment);
    match run(cli, environment).await {
        Ok(exit) => exit,
        Err(error) => {
            session::complain(&session::render_error(&error, style.color));
            error.exit()
        }
    }
}

async fn run(cli: Cli, environment: Arc<Environment>) -> Result<Exit> {
    let session = Session::new(cli.globals, environment)?;
    // What a run did counts, not whether its report could be written; everywhere else what is said is all there is.
    let only_tells = !matches!(cli.command, Command::Apply { .. } | Command::Resume { .. } | Command::Rollback { .. });
    let exit = command(&session, cli.command).await?;
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
