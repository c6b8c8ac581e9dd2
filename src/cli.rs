//! The command line: commands and flags, no logic.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Declarative switchovers for environments: observe, plan, review, apply, resume, roll back.
#[derive(Debug, Parser)]
#[command(name = "switchover", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Args)]
pub struct Globals {
    /// The root: environments/, plans/ and .switchover/ are below it
    #[arg(short = 'C', value_name = "DIR", global = true, default_value = ".", hide_default_value = true)]
    pub root: PathBuf,
    /// A simulated world instead of the live one
    #[arg(long, value_name = "FILE", global = true, env = "SWITCHOVER_WORLD")]
    pub world: Option<PathBuf>,
    /// Slow a simulated world down: 60x is sixty simulated seconds a real one
    #[arg(long, value_name = "N", global = true)]
    pub pace: Option<String>,
    /// Fix everything random in a simulated world
    #[arg(long, value_name = "N", global = true)]
    pub seed: Option<u64>,
    /// Where runs are journaled, instead of what the environment says
    #[arg(long, value_name = "URL", global = true, env = "SWITCHOVER_JOURNAL", hide_env_values = true)]
    pub journal: Option<String>,
    /// Set a variable
    #[arg(long = "var", value_name = "NAME=VALUE", global = true)]
    pub var: Vec<String>,
    /// Set the variables of a file
    #[arg(long = "var-file", value_name = "FILE", global = true)]
    pub var_file: Vec<PathBuf>,
    /// Data on standard output: one document, or one event a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask
    #[arg(long, global = true)]
    pub yes: bool,
    /// When to colour
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", hide_default_value = true)]
    pub color: Color,
    /// Only results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Variables by their names alone, and no address of a journal: both may hold secrets.
impl fmt::Debug for Globals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.var.iter().map(|pair| pair.split_once('=').map_or("…", |(name, _)| name)).collect();
        f.debug_struct("Globals").field("root", &self.root).field("world", &self.world).field("var", &names).finish_non_exhaustive()
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Terminal,
    /// For a comment.
    Markdown,
    /// For programs; also the form in which plans are saved.
    Json,
}

/// How a graph is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz: `dot -Tsvg`.
    Dot,
    /// For comments: GitHub and GitLab draw it.
    Mermaid,
}

/// How the language is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaFormat {
    /// A JSON schema.
    Json,
    /// The reference for people.
    Markdown,
}

/// How a plan is run.
#[derive(Debug, Clone, Args)]
pub struct RunFlags {
    /// Leave everything as it is when a step fails
    #[arg(long)]
    pub keep_on_failure: bool,
    /// Steps under way at once, at most
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    pub parallelism: usize,
    /// Stop safely after this long (exit code 8); resume goes on
    #[arg(long, value_name = "DURATION")]
    pub max_runtime: Option<String>,
    /// Take a lock whose lease has expired
    #[arg(long)]
    pub takeover: bool,
    /// How long the run's lock lasts unless renewed
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub lease: String,
}

/// What a plan is made of.
#[derive(Debug, Clone, Default, Args)]
pub struct PlanFlags {
    /// Plan only this resource and what it depends on (repeatable)
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,
    /// Count this resource as due now (repeatable)
    #[arg(long, value_name = "ADDRESS")]
    pub refresh: Vec<String>,
    /// Plan the removal of what removed blocks have made
    #[arg(long)]
    pub prune: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check environment files; no network, no credentials
    Validate {
        /// Names or paths; all below the root when none is given
        environments: Vec<String>,
    },
    /// Observe, and show what would be done
    Plan {
        /// Name or path
        environment: String,
        /// Save the plan
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Exit with 2 when there are changes
        #[arg(long)]
        detailed_exitcode: bool,
        /// How to show it
        #[arg(long, default_value = "terminal")]
        format: Format,
        /// What it is made of
        #[command(flatten)]
        flags: PlanFlags,
    },
    /// Show a saved plan, offline
    Show {
        /// A file that `plan --out` wrote
        plan: PathBuf,
        /// How to show it
        #[arg(long, default_value = "terminal")]
        format: Format,
    },
    /// Apply a saved plan as it is, or plan an environment, ask, and apply
    Apply {
        /// A saved plan, or an environment's name or path
        what: String,
        /// Ask before a saved plan too
        #[arg(long)]
        ask: bool,
        /// How to run it
        #[command(flatten)]
        run: RunFlags,
        /// What it is made of, for an environment
        #[command(flatten)]
        flags: PlanFlags,
    },
    /// Go on with an environment's unfinished run
    Resume {
        /// Name or path
        environment: String,
        /// How to run it
        #[command(flatten)]
        run: RunFlags,
    },
    /// Undo the unfinished or the last run, as its plan said
    Rollback {
        /// Name or path
        environment: String,
        /// The run
        id: Option<String>,
        /// How to run it
        #[command(flatten)]
        run: RunFlags,
    },
    /// Unfinished runs, locks, holds, freshness, left-overs
    Status {
        /// Names or paths; all below the root when none is given
        environments: Vec<String>,
        /// Read the journal alone, not the world
        #[arg(long)]
        offline: bool,
    },
    /// An environment's history, or one run's events
    Runs {
        /// Name or path
        environment: String,
        /// The run
        id: Option<String>,
    },
    /// Remove an environment's lock after showing whose it is
    Unlock {
        /// Name or path
        environment: String,
        /// Give an unfinished run up as it stands, instead: for one that can go neither on nor back
        #[arg(long)]
        abandon: bool,
    },
    /// Format environment files: in place, unless --check is given
    Fmt {
        /// Files, or folders with .hcl files in them; environments/ when none is given
        paths: Vec<PathBuf>,
        /// Change nothing; exit with 3 when a file is not formatted
        #[arg(long)]
        check: bool,
        /// Show what changes
        #[arg(long)]
        diff: bool,
    },
    /// Describe the language from the tables that the parser reads by
    Schema {
        /// How to describe it
        #[arg(long, default_value = "json")]
        format: SchemaFormat,
    },
    /// Print what a shell needs to complete command lines
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: String,
    },
    /// Write the manual pages
    Man {
        /// Where to; made when it is not there
        folder: PathBuf,
    },
    /// Why a resource is in the plan, or not: lines, reasons, facts, when it is next due
    Explain {
        /// Name or path
        environment: String,
        /// The resource's address, as a plan shows it
        address: String,
        /// What the plan is made of
        #[command(flatten)]
        flags: PlanFlags,
    },
    /// Draw the steps that a plan would have
    Graph {
        /// Name or path
        environment: String,
        /// How to write it
        #[arg(long, default_value = "dot")]
        format: GraphFormat,
        /// What the plan is made of
        #[command(flatten)]
        flags: PlanFlags,
    },
}
