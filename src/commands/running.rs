//! Running a plan: what `apply`, `resume` and `rollback` share. Locks, journal, engine, final report.

use std::sync::Arc;
use std::time::Duration;

use super::session::OpenWorld;
use super::voice::{self, Terminal};
use super::{Session, history, signals};
use crate::apply::engine::{Engine, Options, Program, Setup, Stop, StopRequest, summary};
use crate::apply::event::{Event, EventKind, Sink, Summary};
use crate::apply::journal::{Acquire, Hold, RunState, Stage, Store, Writer, fold, hold, locks};
use crate::apply::operation::Operations;
use crate::cli::RunFlags;
use crate::kinds;
use crate::model::{Error, Exit, Result, time};
use crate::plan::{Experience, Plan};
use crate::report::live::{self, SoFar, Stopping};
use crate::report::{self, JsonLines, Live, Notices, Progress, Story, Tee};
use crate::review::{self, escape};
use crate::world::{Readers, Writers};

/// A shorter lease would end between two renewals of a busy machine.
const LEASE_MIN: Duration = Duration::from_secs(4);

/// A run that is told to stop at once writes one last record, which takes no longer where the journal can be reached.
const STOP_NOW_MAX: Duration = Duration::from_secs(10);

/// How a run begins.
pub enum Begin {
    /// As a new one.
    New,
    /// Where another process left it.
    GoOn(RunState),
    /// Backwards, from where it is.
    Back(RunState),
}

impl Begin {
    fn mode(&self) -> &'static str {
        match self {
            Begin::New => "apply",
            Begin::GoOn(_) => "resume",
            Begin::Back(_) => fold::ROLLBACK,
        }
    }

    fn has_written(&self) -> bool {
        match self {
            Begin::New => false,
            Begin::GoOn(state) | Begin::Back(state) => state.wrote,
        }
    }
}

/// What is run.
pub struct Run<'a> {
    /// The command's surroundings.
    pub session: &'a Session,
    /// The world.
    pub world: &'a OpenWorld,
    /// Where it is journaled.
    pub store: Arc<dyn Store>,
    /// How.
    pub flags: &'a RunFlags,
}

/// Decodes and checks a plan, and that it was made in this world.
pub async fn ready(plan: &Arc<Plan>, world: &OpenWorld) -> Result<Arc<Program>> {
    let program = Program::new(Arc::clone(plan), |kind| kinds::find(kind).map(|kind| kind as &dyn Operations))?;
    let readers: &dyn Readers = &*world.writers;
    let other = |what: &str, was: &str, is: &str| {
        let what = format!("the plan was made in another world: {what} was {was}, is {is}");
        Error::new(Exit::Stale, what, "nothing was done; apply it where it was made, or make a new plan here")
    };
    let (was, is) = (plan.world.get("world").map_or("", String::as_str), readers.identity());
    if was != is {
        return Err(other("the world", was, &is));
    }
    for (name, provider) in &plan.providers {
        let (crate::declare::Provider::Aws(aws), Some(was)) = (provider, plan.world.get(name)) else { continue };
        let door = readers.ec2(aws).await.map_err(|error| error.into_error(Exit::Error).within(format!("cannot open {name}")))?;
        let is = format!("{}/{}", door.account_id(), aws.region);
        if *was != is {
            return Err(other(name, was, &is));
        }
    }
    Ok(Arc::new(program))
}

/// The last run of an environment that has not ended.
pub async fn unfinished(store: &dyn Store, environment: &str) -> Result<Option<RunState>> {
    for run in store.maybe_unfinished(environment).await?.into_iter().rev() {
        if let Some(state) = state_of(store, environment, &run).await?
            && state.finished.is_none()
        {
            return Ok(Some(state));
        }
    }
    Ok(None)
}

/// The run that `resume` goes on with: the unfinished one, else the last one when it ended for a person and something of it is left to do.
pub async fn resumable(store: &dyn Store, environment: &str) -> Result<Option<RunState>> {
    if let Some(state) = unfinished(store, environment).await? {
        return Ok(Some(state));
    }
    let mut last = None;
    for run in store.runs(environment).await?.into_iter().rev() {
        last = state_of(store, environment, &run).await?.filter(|state| state.wrote);
        if last.is_some() {
            break;
        }
    }
    Ok(last.filter(|state| !state.given_up).filter(|state| {
        let for_a_person = state.finished.as_ref().is_some_and(|summary| summary.exit_code == Exit::Person.code());
        let left = if state.turned_back.is_some() {
            !summary::to_undo(state).is_empty()
        } else {
            state.each().any(|(_, folded)| folded.stage != Stage::Done)
        };
        for_a_person && left
    }))
}

/// One run, folded.
pub async fn state_of(store: &dyn Store, environment: &str, run: &str) -> Result<Option<RunState>> {
    const HELP: &str = "nothing was done; move its journal aside and plan again: reality is the state";
    let Some(stored) = store.read(environment, run).await? else { return Ok(None) };
    let state = fold::fold(&stored.entries)
        .map_err(|why| Error::new(Exit::Error, format!("the journal of run {run} tells what cannot have happened"), HELP).because_text(why))?;
    // A journal that was put under another name would have one environment's plan run in the name of another.
    if state.plan.run != run || state.plan.environment != environment {
        let what = format!("the journal of run {run} of {environment} is that of run {} of {}", state.plan.run, state.plan.environment);
        return Err(Error::new(Exit::Error, what, HELP));
    }
    Ok(Some(state))
}

/// Refuses where another process has the environment: before anything is planned for it. The lock itself is taken later.
pub async fn refuse_locked(session: &Session, store: &dyn Store, environment: &str, flags: &RunFlags) -> Result<()> {
    let name = format!("env:{environment}");
    let Some(held) = store.lock(&name, environment).await? else { return Ok(()) };
    locks::may_take(&held, &wanted(session, environment, vec![name], String::new(), flags, flags.takeover)?)
}

fn wanted(session: &Session, environment: &str, names: Vec<String>, run: String, flags: &RunFlags, takeover: bool) -> Result<Acquire> {
    let length = parse_flag("--lease", &flags.lease)?.max(LEASE_MIN);
    Ok(Acquire { environment: environment.to_owned(), names, holder: session.holder(), run, length, takeover })
}

impl Run<'_> {
    /// Takes the locks of a plan; `takeover` as the command allows it.
    pub async fn lock(&self, plan: &Plan, takeover: bool) -> Result<Arc<Hold>> {
        let mut names = vec![format!("env:{}", plan.environment)];
        names.extend(plan.locks.iter().cloned());
        let wanted = wanted(self.session, &plan.environment, names, plan.run.clone(), self.flags, takeover)?;
        Hold::acquire(Arc::clone(&self.store), &wanted, hold::machine_since_boot()).await
    }

    /// Runs under a lease, and gives it back whatever happens.
    pub async fn under(&self, hold: Arc<Hold>, program: Arc<Program>, begin: Begin) -> Result<Exit> {
        let heartbeat = heartbeat(Arc::clone(&hold));
        self.world.allow_time();
        if begin.has_written() {
            self.world.keep_time();
        }
        let result = self.run(&hold, program, begin).await;
        heartbeat.abort();
        // A lock that cannot be given back must not hide how the run ended: it expires.
        let released = self.store.release(hold.lease()).await;
        let closed = self.world.close();
        let exit = result?;
        closed?;
        if let Err(error) = released {
            self.session.note(&escape::terminal(&format!("warning: the lock was not given back: {}", error.chain())));
        }
        Ok(exit)
    }

    async fn run(&self, hold: &Arc<Hold>, program: Arc<Program>, begin: Begin) -> Result<Exit> {
        let (plan, actor) = (Arc::clone(&program.plan), self.session.actor());
        let now = self.world.writers.clock().now();
        let max_runtime = self.flags.max_runtime.as_deref().map(|text| parse_flag("--max-runtime", text)).transpose()?;
        let mode = begin.mode();
        let (store, lease) = (Arc::clone(&self.store), hold.lease().clone());
        let (mut journal, turn_back, check_all_facts) = match begin {
            Begin::New => (Writer::begin(store, lease, &plan, &actor, now).await?, None, true),
            Begin::GoOn(state) => {
                let fresh = !state.wrote;
                (Writer::resume(store, lease, state, mode, &actor, now).await?, None, fresh)
            }
            Begin::Back(state) => (Writer::resume(store, lease, state, mode, &actor, now).await?, Some(format!("asked by {actor}")), false),
        };
        journal.hold = Arc::clone(hold);
        // An outage that an earlier process left open is part of this one's story.
        let so_far = Story { open_outages: journal.state.outages.clone(), ..Story::default() };
        let remembered = Arc::new(std::sync::Mutex::new(so_far));
        let mut notices = Notices::going_on(journal.state.outages.keys().cloned().collect());
        let applied = Arc::clone(&plan);
        let (voice, style) = (self.session.voice.clone(), self.session.err_style());
        let stop = signals::listen(move |request, words| {
            if let Some(live) = voice.live() {
                live.stopping(if request == StopRequest::Now { Stopping::Now } else { Stopping::Safely });
            }
            voice.say(&review::sentence(words, &style));
        });
        let mut stop_now = stop.clone();
        let experience = if self.session.globals.quiet { Arc::default() } else { history::read(&*self.store, &plan.environment, &plan.run).await };
        let sink = self.sink(&plan, &remembered, &journal.state, experience);
        let engine = Engine::new(Setup {
            program,
            writers: Arc::clone(&self.world.writers) as Arc<dyn Writers>,
            journal,
            sink,
            notifier: Box::new(move |event| notices.notice(event, &applied)),
            stop,
            options: Options { parallelism: self.flags.parallelism, max_runtime, keep_on_failure: self.flags.keep_on_failure },
            turn_back,
            check_all_facts,
        });
        let summary = tokio::select! {
            biased;
            summary = engine.run() => summary,
            () = stuck(&mut stop_now) => {
                self.session.voice.end();
                return Err(gave_up(&plan.environment));
            }
        };
        self.session.voice.end();
        Ok(self.report(&plan, &remembered, &summary, now))
    }

    fn sink(&self, plan: &Arc<Plan>, story: &Arc<std::sync::Mutex<Story>>, state: &RunState, experience: Arc<Experience>) -> Box<dyn Sink> {
        let session = self.session;
        let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(Remember(Arc::clone(story)))];
        if session.globals.json {
            sinks.push(Box::new(JsonLines::new(session.out())));
        }
        if let Some(live) = self.live(plan, state, &experience) {
            session.voice.begin(live.clone());
            sinks.push(Box::new(live));
        } else if !session.globals.quiet {
            sinks.push(Box::new(Progress::knowing(Box::new(std::io::stderr()), session.err_style(), Arc::clone(plan), experience)));
        }
        Box::new(Tee::new(sinks))
    }

    /// The live view, where there can be one.
    fn live(&self, plan: &Arc<Plan>, state: &RunState, experience: &Arc<Experience>) -> Option<Live> {
        if !voice::may_be_live(&self.session.globals, &self.session.environment) {
            return None;
        }
        let (style, clock) = (self.session.err_style(), self.world.writers.clock());
        let done = state.each().filter(|(_, folded)| folded.stage == Stage::Done).map(|(step, _)| step.id.clone());
        let setup = live::Setup {
            surface: Box::new(Terminal { columns: style.width }),
            style,
            plan: Arc::clone(plan),
            experience: Arc::clone(experience),
            so_far: SoFar { done: done.collect(), open: state.outages.clone() },
            now: Box::new(move || clock.now()),
        };
        // Without a thread there are lines.
        Live::start(setup).ok()
    }

    fn report(&self, plan: &Plan, story: &Arc<std::sync::Mutex<Story>>, summary: &Summary, began: time::Timestamp) -> Exit {
        let elapsed_seconds = time::between(began, self.world.writers.clock().now()).as_secs();
        let story = story.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let outcome = report::Outcome { plan, story: &story, summary, elapsed_seconds };
        let rows = Some(self.session.rows());
        if self.session.globals.json {
            self.session.note(&report::final_report(&outcome, &self.session.err_style(), rows));
        } else {
            self.session.say(&report::final_report(&outcome, &self.session.out_style(), rows));
        }
        exit_of(summary.exit_code)
    }
}

/// Renews the lease four times in its length. A renewal that fails needs no action here: the hold knows by itself until when it is sure, and
/// ends the run where somebody else has taken the lock.
fn heartbeat(hold: Arc<Hold>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(hold.lease().length / 4).await;
            let _ = hold.renew().await;
        }
    })
}

/// Resolves when a run that was told to stop at once has not: its journal is waited for, which can take long.
async fn stuck(stop: &mut Stop) {
    stop.now().await;
    tokio::time::sleep(STOP_NOW_MAX).await;
}

fn gave_up(environment: &str) -> Error {
    let help = format!("what it has begun stays as it is: once the journal can be reached, `switchover resume {environment}` goes on with the run");
    Error::new(Exit::Person, "stopped at once, while the journal could not be written", help)
}

/// Keeps what the final report tells.
struct Remember(Arc<std::sync::Mutex<Story>>);

impl Sink for Remember {
    fn event(&mut self, event: &Event) {
        if !matches!(event.kind, EventKind::StepProgress { .. }) {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).event(event);
        }
    }
}

fn exit_of(code: u8) -> Exit {
    let all = [Exit::Done, Exit::Error, Exit::Changes, Exit::Waiting, Exit::Restored, Exit::Person, Exit::Stale, Exit::Locked, Exit::Stopped];
    all.into_iter().find(|exit| exit.code() == code).unwrap_or(Exit::Error)
}

/// Checks flags before anything is read: a mistake in one is told however much there is to do.
pub fn check_flags(flags: &RunFlags) -> Result<()> {
    parse_flag("--lease", &flags.lease)?;
    flags.max_runtime.as_deref().map_or(Ok(Duration::ZERO), |text| parse_flag("--max-runtime", text)).map(drop)
}

/// A flag that takes a duration.
pub fn parse_flag(flag: &str, text: &str) -> Result<Duration> {
    time::parse_duration(text).map_err(|why| Error::new(Exit::Error, format!("{flag}: {why}"), format!("write for example {flag} 90s")))
}
