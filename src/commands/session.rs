//! What every command works with: the root, the world, the journal's store, where output goes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::again::Again;
use super::journals;
use super::voice::Voice;
use crate::apply::journal::{Holder, Store};
use crate::cli::{Color, Globals};
use crate::declare::{self, Inputs, JournalSetting, KindSchema, Location, Resolver, VariableSources};
use crate::kinds;
use crate::model::time::Timestamp;
use crate::model::{Error, Exit, Json, Result, Secrets, Value};
use crate::review::{Style, escape};
use crate::world::Writers;
use crate::world::live::{LiveOptions, LiveWorld};
use crate::world::sim::{SimOptions, SimWorld};
use crate::world::traced::{Traced, TracedWorld};

/// Gives an environment variable.
pub type Variable = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The process around a command.
pub struct Environment {
    /// An environment variable.
    pub variable: Variable,
    /// Whether somebody can be asked.
    pub stdin_is_terminal: bool,
    /// Whether results go to a terminal.
    pub stdout_is_terminal: bool,
    /// Whether progress goes to a terminal.
    pub stderr_is_terminal: bool,
    /// The terminal's width in columns.
    pub width: Option<usize>,
    /// Its height in rows.
    pub rows: Option<usize>,
}

/// What every command works with.
pub struct Session {
    /// The global flags.
    pub globals: Globals,
    /// The process around it.
    pub environment: Arc<Environment>,
    /// Standard error.
    pub voice: Voice,
    /// What commands that are named need besides.
    pub again: Again,
    unsaid: Unsaid,
}

/// Why something could not be written to standard output, if anything could not.
type Unsaid = Arc<std::sync::Mutex<Option<std::io::Error>>>;

/// Standard output for sinks that do not care what becomes of it: what hinders is remembered.
struct Out(Unsaid);

impl Out {
    fn remember<T>(&self, result: std::io::Result<T>) -> std::io::Result<T> {
        result.inspect_err(|error| {
            // A reader that has gone away is no error.
            if !matches!(error.kind(), std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::Interrupted) {
                let unsaid = std::io::Error::from(error.kind());
                self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(unsaid);
            }
        })
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.remember(std::io::stdout().write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.remember(std::io::stdout().flush())
    }
}

/// An open world.
pub struct OpenWorld {
    /// Its doors.
    pub writers: Arc<dyn Writers>,
    sim: Option<Arc<SimWorld>>,
}

impl OpenWorld {
    /// Lets a simulated clock move: for commands that run a plan.
    pub fn allow_time(&self) {
        if let Some(sim) = &self.sim {
            sim.allow_time(true);
        }
    }

    /// Keeps every move of a simulated clock: for commands that go on with a run which has written.
    pub fn keep_time(&self) {
        if let Some(sim) = &self.sim {
            sim.keep_time();
        }
    }

    /// Writes a simulated world back, if it was written to.
    pub fn close(&self) -> Result<()> {
        self.sim.as_ref().map_or(Ok(()), |sim| sim.close())
    }
}

/// A name longer than this is no name.
const ACTOR_CHARS_MAX: usize = 200;

/// A report fits onto a screen of so many rows, or onto a larger one; the prompt comes below it.
const SCREEN_ROWS: std::ops::RangeInclusive<usize> = 24..=60;

/// Without a terminal's width this is what text is made for.
const WIDTH_DEFAULT: usize = 100;

impl Session {
    /// Checks the global flags.
    pub fn new(globals: Globals, environment: Arc<Environment>, again: Again) -> Result<Self> {
        let session = Session { globals, environment, voice: Voice::default(), again, unsaid: Unsaid::default() };
        session.variables()?;
        session.pace()?;
        Ok(session)
    }

    /// Where an environment is.
    pub fn locate(&self, environment: &str) -> Result<Location> {
        declare::locate(&self.globals.root, environment)
    }

    /// Where an environment's runs are: its file matters for its `journal` alone, so that a run can go on though the file is gone, when the
    /// journal is named or is found at its usual place.
    pub fn locate_runs(&self, environment: &str) -> Result<Location> {
        self.locate(environment).or_else(|error| {
            let root = self.globals.root.clone();
            let plain = !environment.contains('/') && !environment.starts_with('.') && !environment.is_empty();
            let known = self.globals.journal.is_some() || state_folder(&root).join(environment).join("runs").is_dir();
            if plain && known { Ok(Location { root, environment: environment.to_owned(), files: Vec::new() }) } else { Err(error) }
        })
    }

    /// The environments named, or all below the root.
    pub fn locate_all(&self, environments: &[String]) -> Result<Vec<Location>> {
        if environments.is_empty() {
            return declare::all_environments(&self.globals.root);
        }
        environments.iter().map(|environment| self.locate(environment)).collect()
    }

    fn variables(&self) -> Result<VariableSources> {
        let flags = self.globals.var.iter().zip(1..).map(|(pair, number)| {
            let split = pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            // What stands there may be the value alone, and a secret.
            split
                .ok_or_else(|| Error::new(Exit::Error, format!("a --var has no `=` (number {number} on the command line)"), "write --var NAME=VALUE"))
        });
        Ok(VariableSources { flags: flags.collect::<Result<_>>()?, files: self.globals.var_file.clone() })
    }

    /// Runs `read` with everything that reading a declaration needs. `now` is the world's time.
    pub fn with_inputs<T>(&self, now: Timestamp, read: impl FnOnce(&Inputs<'_>) -> Result<T>) -> Result<T> {
        let schemas: Vec<&dyn KindSchema> = kinds::ALL.iter().map(|kind| *kind as &dyn KindSchema).collect();
        let env = |name: &str| (self.environment.variable)(name);
        read(&Inputs { kinds: &schemas, variables: self.variables()?, env: &env, now })
    }

    /// The time that declarations are checked against: the simulated world's, else the machine's.
    pub fn now(&self) -> Result<Timestamp> {
        let Some(file) = &self.globals.world else { return Ok(Timestamp::now()) };
        let sim = SimWorld::open(file, SimOptions { seed: self.globals.seed, pace: None })?;
        Ok(crate::world::Readers::clock(&*sim).now())
    }

    fn pace(&self) -> Result<Option<f64>> {
        let Some(pace) = &self.globals.pace else { return Ok(None) };
        let number = pace.strip_suffix('x').unwrap_or(pace).parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
        number.map(Some).ok_or_else(|| Error::new(Exit::Error, format!("--pace {pace} is not a pace"), "write for example --pace 60x"))
    }

    /// Opens the world. Secrets are resolved when their door is opened, not before.
    pub fn open_world(&self, root: &Path) -> Result<OpenWorld> {
        let secrets: Arc<dyn Secrets> = Arc::new(self.resolver(root)?);
        if let Some(file) = &self.globals.world {
            let sim = SimWorld::open(file, SimOptions { seed: self.globals.seed, pace: self.pace()? })?;
            return Ok(OpenWorld { writers: self.traced(Arc::clone(&sim) as Arc<dyn Writers>, secrets), sim: Some(sim) });
        }
        let live = LiveWorld::new(
            Arc::clone(&secrets),
            LiveOptions { seed: self.globals.seed.unwrap_or_else(|| fastrand::u64(..)), ..LiveOptions::default() },
        );
        Ok(OpenWorld { writers: self.traced(Arc::new(live), secrets), sim: None })
    }

    /// No call's error leaves it with a secret in it. With `-v` calls that write or fail are told of, with `-vv` every call.
    fn traced(&self, writers: Arc<dyn Writers>, secrets: Arc<dyn Secrets>) -> Arc<dyn Writers> {
        let (verbose, voice) = (self.globals.verbose, self.voice.clone());
        let listener = move |call: &Traced<'_>| {
            if verbose > 1 || verbose == 1 && (call.write || call.error.is_some()) {
                voice.say(&escape::terminal(&call_line(call)));
            }
        };
        Arc::new(TracedWorld::new(writers, secrets, Arc::new(listener)))
    }

    fn resolver(&self, root: &Path) -> Result<Resolver> {
        let variables = self.variables()?;
        let environment = Arc::clone(&self.environment);
        Ok(Resolver::new(root.to_owned(), variables.flags, variables.files, Arc::new(move |name: &str| (environment.variable)(name))))
    }

    /// The journal's store for a root and a setting; `--journal` wins.
    pub fn store(&self, root: &Path, setting: &JournalSetting) -> Result<Arc<dyn Store>> {
        let text = match (&self.globals.journal, setting) {
            (None, JournalSetting::Local) => "local".to_owned(),
            (Some(url), _) | (None, JournalSetting::Url(Value::String(url))) => url.clone(),
            (None, JournalSetting::Url(Value::Secret(secret))) => self.resolver(root)?.resolve(secret)?,
            (None, JournalSetting::Url(_)) => return Err(journals::unknown("this value")),
        };
        let (quiet, voice) = (self.globals.quiet, self.voice.clone());
        let listener = move |text: &str| {
            if !quiet {
                voice.say(&escape::terminal(text));
            }
        };
        let variable = &*self.environment.variable;
        journals::open(&text, &journals::Surroundings { root, holder: &self.holder(), variable, listener: Arc::new(listener) })
    }

    /// The store that a saved plan names.
    pub fn store_of_plan(&self, root: &Path, journal: &Json) -> Result<Arc<dyn Store>> {
        let setting = match journal {
            Json::String(text) if text == "local" => JournalSetting::Local,
            Json::String(url) => JournalSetting::Url(Value::String(url.clone())),
            secret => {
                JournalSetting::Url(Value::Secret(serde_json::from_value(secret.clone()).map_err(|_| journals::unknown("what the plan names"))?))
            }
        };
        self.store(root, &setting)
    }

    /// The store of an environment whose declaration is not read otherwise.
    pub fn store_of_environment(&self, location: &Location) -> Result<Arc<dyn Store>> {
        if self.globals.journal.is_some() || location.files.is_empty() {
            return self.store(&location.root, &JournalSetting::Local);
        }
        let now = self.now()?;
        let setting = self.with_inputs(now, |inputs| declare::journal_setting(location, inputs))?;
        self.store(&location.root, &setting)
    }

    /// Who runs this: `SWITCHOVER_ACTOR`, else what the CI system says, else the user.
    #[must_use]
    pub fn actor(&self) -> String {
        let names = ["SWITCHOVER_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "CIRCLE_USERNAME", "BUILDKITE_BUILD_CREATOR", "USER", "LOGNAME"];
        let found = names.iter().find_map(|name| (self.environment.variable)(name).filter(|value| !value.is_empty()));
        let found = found.map(|name| name.chars().filter(|c| !c.is_control()).take(ACTOR_CHARS_MAX).collect());
        found.or_else(Holder::user_of_process).unwrap_or_else(|| "unknown".to_owned())
    }

    /// This process as a holder of locks.
    #[must_use]
    pub fn holder(&self) -> Holder {
        Holder::this_process(&self.actor())
    }

    /// How results are shown.
    #[must_use]
    pub fn out_style(&self) -> Style {
        style(&self.globals, &self.environment, self.environment.stdout_is_terminal)
    }

    /// How progress and errors are shown.
    #[must_use]
    pub fn err_style(&self) -> Style {
        err_style(&self.globals, &self.environment)
    }

    /// Rows of what is to be seen at a glance.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.environment.rows.unwrap_or(*SCREEN_ROWS.start()).clamp(*SCREEN_ROWS.start(), *SCREEN_ROWS.end()) - 1
    }

    /// A result, to standard output. A reader that has gone away is no error; anything else that hinders is told by [`Session::unsaid`].
    pub fn say(&self, text: &str) {
        if !self.globals.json {
            self.again.hear(text);
        }
        let _ = write_line(&mut Out(Arc::clone(&self.unsaid)), &escape::output(text));
    }

    /// A result in words, for commands of which `--json` promises data on standard output: with it the words are news.
    pub fn tell(&self, text: &str) {
        if self.globals.json { self.note(text) } else { self.say(text) }
    }

    /// Standard output for events; what hinders is told by [`Session::unsaid`].
    #[must_use]
    pub fn out(&self) -> Box<dyn Write + Send> {
        Box::new(Out(Arc::clone(&self.unsaid)))
    }

    /// Why a result could not be written to standard output, if one could not: a full disk behind `>`, say.
    pub fn unsaid(&self) -> Option<Error> {
        let error = self.unsaid.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()?;
        let help = "what was asked for is not, or not wholly, there: free space where standard output goes, and run the command again";
        Some(Error::new(Exit::Error, "cannot write to standard output", help).because(error))
    }

    /// News, to standard error; not with `-q`.
    pub fn note(&self, text: &str) {
        if !self.globals.quiet {
            self.again.hear(text);
            self.voice.say(&escape::output(text));
        }
    }
}

/// Something to standard error, as its own line. What hinders that is nobody's business: it must stop nothing, and there is nobody to tell.
pub fn complain(text: &str) {
    let _ = write_line(&mut std::io::stderr().lock(), text);
}

fn write_line(out: &mut dyn Write, text: &str) -> std::io::Result<()> {
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// How progress and errors are shown, before there is a session.
#[must_use]
pub fn err_style(globals: &Globals, environment: &Environment) -> Style {
    style(globals, environment, environment.stderr_is_terminal)
}

fn style(globals: &Globals, environment: &Environment, is_terminal: bool) -> Style {
    let no_color = (environment.variable)("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = match globals.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && !no_color,
    };
    let columns = (environment.variable)("COLUMNS").and_then(|text| text.parse().ok());
    Style { color, width: environment.width.or(columns).unwrap_or(WIDTH_DEFAULT).clamp(40, 240) }
}

/// An error as people see it: the chain in one line, then the next step. What services said in it cannot play with the terminal.
#[must_use]
pub fn render_error(error: &Error, color: bool) -> String {
    let chain = error.chain();
    let (what, help) = (escape::terminal(&chain), escape::terminal(error.help()));
    if color { format!("\u{1b}[1;31merror\u{1b}[0m: {what}\n\u{1b}[1;36mhelp\u{1b}[0m: {help}\n") } else { format!("error: {what}\nhelp: {help}\n") }
}

/// One call for people: when, what, about what, how long, how it ended.
fn call_line(call: &Traced<'_>) -> String {
    let end = call.error.map_or_else(|| "answered".to_owned(), ToString::to_string);
    format!("{}  call {} ({}): {end}, {:.3}s", call.at.strftime("%H:%M:%S"), call.call, call.about, call.took.as_secs_f64())
}

/// `.switchover/` below a root.
#[must_use]
pub fn state_folder(root: &Path) -> PathBuf {
    root.join(".switchover")
}
