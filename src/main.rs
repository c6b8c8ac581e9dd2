//! The `switchover` program: reads the command line, runs one command, ends with its exit code.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use switchover::cli::Cli;
use switchover::commands::{self, Environment};
use switchover::model::Exit;
use switchover::review::escape;

fn main() -> ExitCode {
    if std::env::var_os(commands::completions::VARIABLE).is_some() {
        let words: Vec<_> = std::env::args_os().collect();
        match commands::completions::answer(&words, std::env::current_dir().ok().as_deref()) {
            Ok(false) => {}
            Ok(true) => return ExitCode::SUCCESS,
            Err(error) => {
                let _ = error.print();
                return ExitCode::from(Exit::Error.code());
            }
        }
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is bad input: 1, since 2 means that changes are pending.
            print_usage(&error);
            return ExitCode::from(if error.use_stderr() { Exit::Error.code() } else { Exit::Done.code() });
        }
    };
    // One provider of TLS for everything; a second installation can only find the first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}\nhelp: check the limits on processes and open files");
            return ExitCode::from(Exit::Error.code());
        }
    };
    let size = terminal_size::terminal_size();
    let environment = Environment {
        variable: Box::new(|name| std::env::var(name).ok()),
        stdin_is_terminal: std::io::stdin().is_terminal(),
        stdout_is_terminal: std::io::stdout().is_terminal(),
        stderr_is_terminal: std::io::stderr().is_terminal(),
        width: size.map(|(width, _)| usize::from(width.0)),
        rows: size.map(|(_, height)| usize::from(height.0)),
    };
    let exit = runtime.block_on(commands::main(cli, environment));
    // Nothing that is still under way after a command is worth waiting for.
    runtime.shutdown_background();
    ExitCode::from(exit.code())
}

/// What is wrong with the command line, or help. Arguments that it quotes may come from anywhere, too.
fn print_usage(error: &clap::Error) {
    let plain = error.render().to_string();
    let safe = escape::output(&plain);
    if safe == plain {
        // A reader that has gone away is no error.
        let _ = error.print();
    } else if error.use_stderr() {
        eprint!("{safe}");
    } else {
        print!("{safe}");
    }
}
