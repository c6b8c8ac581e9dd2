//! The one loop that runs a plan: first run, retry, resume and way back are the same code.
//!
//! Every operation under way is a [`Track`](track::Track): it looks, [`decide`](decide::decide)s, starts, looks again. The loop keeps the journal ahead of every call, knows when each track
//! looks next, and sleeps until then. All that happens concurrently is calls to services; everything that decides or writes the journal happens here, one after the other.
//!
//! Guarantees: a call goes out only after its intent is on disk, its facts hold and the guard has looked at its names; after an answer that is not known nothing
//! is repeated before a look; in a run that is turned back nothing new is started; what cannot be journaled is not done; whoever does not surely hold the
//! run's lock makes no call that writes.
//! Assumption: nobody else writes what the run locks. Where somebody does, looks find a conflict and the run turns back or stops for a person.

mod backward;
mod calls;
mod credentials;
pub mod decide;
mod facts;
mod forward;
pub mod missing;
mod needs;
mod outstanding;
pub mod program;
pub mod stop;
pub mod summary;
pub mod telling;
mod track;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use self::calls::{Answered, NoteRequest};
use self::outstanding::{CALL_LIMIT, Outstanding};
pub use self::program::{Kinds, Program};
pub use self::stop::{Stop, StopRequest};
use self::track::{Key, Track};
use crate::apply::event::{Event, EventKind, Sink, Summary};
use crate::apply::journal::{Hold, Record, Writer};
use crate::model::time::{self, Timestamp};
use crate::model::{Error, Exit, Result};
use crate::world::gated::GatedWorld;
use crate::world::{Clock, Writers};

/// Makes a notice of an event, or none.
pub type Notifier = Box<dyn FnMut(&Event) -> Option<String> + Send>;

/// How a run is to be run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Steps under way at once, at most.
    pub parallelism: usize,
    /// Stop safely after this long, by the world's clock.
    pub max_runtime: Option<Duration>,
    /// Leave everything as it is when a step fails.
    pub keep_on_failure: bool,
}

/// What a run needs.
pub struct Setup {
    /// The plan, ready.
    pub program: Arc<Program>,
    /// The world.
    pub writers: Arc<dyn Writers>,
    /// Its journal, open.
    pub journal: Writer,
    /// Who is told.
    pub sink: Box<dyn Sink>,
    /// Who makes notices.
    pub notifier: Notifier,
    /// How people stop it.
    pub stop: Stop,
    /// How it is to be run.
    pub options: Options,
    /// Whether it is to be turned back, by whose word.
    pub turn_back: Option<String>,
    /// Whether every fact of the plan is checked before the first step: for runs that begin.
    pub check_all_facts: bool,
}

/// Why the loop goes on no further, though steps are left.
#[derive(Debug, Clone)]
struct Halt {
    exit: Exit,
    why: String,
    needs: Vec<String>,
}

/// A run under way.
pub struct Engine {
    program: Arc<Program>,
    writers: Arc<dyn Writers>,
    clock: Arc<dyn Clock>,
    journal: Writer,
    hold: Arc<Hold>,
    sink: Box<dyn Sink>,
    notifier: Notifier,
    stop: Stop,
    options: Options,
    began: Timestamp,
    turning: Option<String>,
    check_all_facts: bool,
    tracks: BTreeMap<Key, Track>,
    ready: VecDeque<usize>,
    /// Whether something may have come to be urgent among what is ready.
    ready_changed: bool,
    waiting: Vec<usize>,
    dependents: Vec<Vec<usize>>,
    /// Places of the steps of each outage.
    of_outage: BTreeMap<String, Vec<usize>>,
    calls: FuturesUnordered<BoxFuture<'static, Answered>>,
    outstanding: Outstanding,
    /// Operations whose intent is folded, and whose call goes out as soon as it is on disk.
    to_start: Vec<Key>,
    /// Records that are folded and not told yet: who is told of a start can rely on its intent being on disk.
    untold: Vec<(Record, Timestamp)>,
    /// Answers taken in since the journal was last written.
    taken_in: usize,
    notices: FuturesUnordered<BoxFuture<'static, Option<String>>>,
    note_sender: mpsc::Sender<NoteRequest>,
    note_requests: mpsc::Receiver<NoteRequest>,
    stopping: Option<String>,
    halt: Option<Halt>,
    needs: Vec<String>,
    /// What a person must do about steps whose way back failed.
    not_undone: Vec<String>,
    /// The last operation of a way back that was finished or is under way: step, operation.
    undo_cursor: Option<(usize, usize)>,
    /// Steps still to be undone, once the run goes back.
    undo_queue: Option<Vec<usize>>,
    /// The first step that failed outside *retire* in this process: id, why, what to do.
    failure: Option<(String, String, String)>,
    /// Whether somebody asked for the way back.
    asked_back: bool,
}

/// What the loop waited for.
enum Happened {
    /// Nothing may be written any more.
    Over(Error),
    /// A call was answered.
    Answered(Answered),
    /// A call wants a note kept.
    Asked(NoteRequest),
    /// A notice was sent, or failed.
    NoticeEnded(Option<String>),
    /// It is time to look, or somebody asks to stop.
    TimePassed,
}

/// Notices under way when a run ends are waited for this long.
const NOTICES_WAIT: Duration = Duration::from_secs(10);
/// Answers that are taken in, at most, before what they say is written.
const TAKEN_IN_MAX: usize = 1_000;
/// Answers that lead to one start, and some more: a look, its facts.
const ANSWERS_A_START: usize = 4;
/// Reading again what the plan relies on takes this long at most, pauses that services order included.
const FACTS_LIMIT: Duration = CALL_LIMIT.saturating_mul(4);

impl Engine {
    /// Makes a run ready.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let clock = setup.writers.clock();
        let (note_sender, note_requests) = mpsc::channel(16);
        let hold = Arc::clone(&setup.journal.hold);
        let mut engine = Engine {
            began: clock.now(),
            clock,
            program: setup.program,
            writers: Arc::new(GatedWorld::new(setup.writers, Arc::clone(&hold) as _)),
            journal: setup.journal,
            hold,
            sink: setup.sink,
            notifier: setup.notifier,
            stop: setup.stop,
            options: setup.options,
            turning: setup.turn_back.clone(),
            check_all_facts: setup.check_all_facts,
            tracks: BTreeMap::new(),
            ready: VecDeque::new(),
            ready_changed: true,
            waiting: Vec::new(),
            dependents: Vec::new(),
            of_outage: BTreeMap::new(),
            calls: FuturesUnordered::new(),
            outstanding: Outstanding::default(),
            to_start: Vec::new(),
            untold: Vec::new(),
            taken_in: 0,
            notices: FuturesUnordered::new(),
            note_sender,
            note_requests,
            stopping: None,
            halt: None,
            needs: Vec::new(),
            not_undone: Vec::new(),
            undo_cursor: None,
            undo_queue: None,
            failure: None,
            asked_back: setup.turn_back.is_some(),
        };
        engine.order();
        engine
    }

    /// Runs until nothing is left, a safe point where it was asked to stop, or a halt.
    ///
    /// # Errors
    /// None that leaves the run in doubt: what goes wrong is in the summary. The journal's last record is written on the way out, and if even
    /// that cannot be, the summary says so.
    pub async fn run(mut self) -> Summary {
        // What is refused before it began is no news for anybody else: notices are writes.
        let checked = self.check_before_it_begins().await;
        if checked.is_err() {
            self.notifier = Box::new(|_| None);
        }
        self.tell_start();
        let result = match checked {
            Ok(()) => self.go().await,
            refused => refused,
        };
        if let Err(error) = result {
            self.halt_for(&error);
            self.drain_calls().await;
        }
        let summary = self.finish().await;
        self.drain_notices().await;
        summary
    }

    /// Reads what the plan relies on, for runs that begin. Who asks to stop need not wait for that; the run then ends without having begun.
    async fn check_before_it_begins(&mut self) -> Result<()> {
        if !self.check_all_facts || self.turning.is_some() {
            return Ok(());
        }
        let (mut stop, clock, limit) = (self.stop.clone(), Arc::clone(&self.clock), time::after(self.now(), FACTS_LIMIT));
        tokio::select! {
            biased;
            () = stop.safe() => Ok(()),
            checked = self.check_all_facts() => checked,
            () = clock.sleep_until(limit) => Err(facts::not_answered(FACTS_LIMIT)),
        }
    }

    async fn go(&mut self) -> Result<()> {
        if let Some(why) = self.turning.take() {
            self.turn_back(why).await?;
        }
        loop {
            self.watch_for_stop();
            self.open_tracks().await?;
            self.dispatch()?;
            if self.calls.is_empty() && self.tracks.is_empty() {
                return Ok(());
            }
            self.wait().await?;
        }
    }

    /// Waits for the first thing to happen: an answer, a note to be kept, a request to stop, or the time of the next look.
    async fn wait(&mut self) -> Result<()> {
        // Another record may have taken the intents to disk: their calls go out all the same.
        if self.journal.owes() || !self.to_start.is_empty() {
            return self.write_together().await;
        }
        let next = self.next_moment();
        let clock = Arc::clone(&self.clock);
        let may_sleep = self.calls.is_empty() || next.is_some();
        // Unconstrained: a channel that has something, and makes the loop come again for fairness' sake, would let a simulated clock, which never
        // waits, go first.
        let happened = tokio::task::unconstrained(async {
            tokio::select! {
                biased;
                error = self.hold.until_over() => Happened::Over(error),
                // Calls first: one that wants a note kept has asked for it by then, and does not see the time pass.
                Some(answered) = self.calls.next(), if !self.calls.is_empty() => Happened::Answered(answered),
                Some(request) = self.note_requests.recv() => Happened::Asked(request),
                Some(failed) = self.notices.next(), if !self.notices.is_empty() => Happened::NoticeEnded(failed),
                () = self.stop.changed() => Happened::TimePassed,
                () = async { if let Some(next) = next { clock.sleep_until(next).await } else { std::future::pending().await } }, if may_sleep => Happened::TimePassed,
            }
        });
        match happened.await {
            Happened::Over(error) => Err(error),
            Happened::Answered(answered) => self.answered(answered).await,
            Happened::Asked(request) => self.keep_note(request).await,
            Happened::NoticeEnded(failed) => {
                self.tell_notice_failure(failed);
                Ok(())
            }
            Happened::TimePassed => Ok(()),
        }
    }

    /// What has been answered already is taken in, so that its records, and the intents of all that is ready to start, are made durable at once. Then the
    /// calls of those intents go out. Whatever else comes waits for no more than some answers.
    async fn write_together(&mut self) -> Result<()> {
        let most = if self.to_start.is_empty() { TAKEN_IN_MAX } else { self.options.parallelism.saturating_mul(ANSWERS_A_START).min(TAKEN_IN_MAX) };
        if self.taken_in < most
            && let Some(Some(answered)) = self.calls.next().now_or_never()
        {
            self.taken_in += 1;
            return self.answered(answered).await;
        }
        self.taken_in = 0;
        self.journal.flush().await?;
        self.tell_untold();
        for key in std::mem::take(&mut self.to_start) {
            // Something may have failed, or somebody asked to stop, since.
            if self.may_start(key) {
                self.push_start(key);
            } else {
                self.keep_back(key)?;
            }
        }
        Ok(())
    }

    /// When the loop has something to do by itself.
    fn next_moment(&self) -> Option<Timestamp> {
        let look = self.tracks.values().filter(|track| !track.busy).map(|track| track.next).min();
        let deadline = match (self.options.max_runtime, &self.stopping) {
            (Some(limit), None) => Some(time::after(self.began, limit)),
            _ => None,
        };
        look.into_iter().chain(deadline).chain(self.outstanding.first()).min()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Journals records, durably, and tells them.
    async fn record(&mut self, records: Vec<Record>) -> Result<()> {
        let now = self.now();
        self.journal.append(now, records.clone()).await?;
        self.tell_untold();
        self.tell_records(&records, now);
        Ok(())
    }

    /// Folds records now and writes them with the next ones: for news that a look would find again.
    fn defer(&mut self, records: &[Record]) -> Result<()> {
        let now = self.now();
        self.journal.defer(now, records.to_vec())?;
        self.untold.extend(records.iter().map(|record| (record.clone(), now)));
        // In the order of the journal: what follows an intent is told after it.
        if self.to_start.is_empty() {
            self.tell_untold();
        }
        Ok(())
    }

    fn tell_untold(&mut self) {
        for (record, at) in std::mem::take(&mut self.untold) {
            self.tell_records(&[record], at);
        }
    }

    fn tell_records(&mut self, records: &[Record], now: Timestamp) {
        for record in records {
            if let Some(event) = telling::event_of(record, now, &self.journal.state) {
                self.tell(event);
            }
        }
    }

    fn tell(&mut self, event: Event) {
        let mut event = event;
        self.program.name_operation(&mut event, &self.journal.state);
        self.sink.event(&event);
        let Some(text) = (self.notifier)(&event) else { return };
        for channel in self.program.plan.notify.clone() {
            let writers = Arc::clone(&self.writers);
            let text = text.clone();
            self.notices.push(Box::pin(async move {
                let sent = async { writers.chat().await?.post(&channel, &text).await };
                sent.await.err().map(|error| format!("the notice to {} could not be sent: {error}", channel.name))
            }));
        }
    }

    fn tell_about(&mut self, step: Option<&str>, kind: EventKind) {
        let event = telling::about(&self.journal.state, step, self.now(), kind);
        self.tell(event);
    }

    fn tell_notice_failure(&mut self, failed: Option<String>) {
        if let Some(message) = failed {
            self.tell_about(None, EventKind::Notice { message });
        }
    }

    /// The first record was written before this engine was made; it is told here.
    fn tell_start(&mut self) {
        let state = &self.journal.state;
        let record = if state.entries == 1 {
            Record::Begun { plan: Arc::clone(&state.plan), actor: state.actor.clone() }
        } else {
            let mode = if self.turning.is_some() { "rollback" } else { "resume" };
            Record::Continued { mode: mode.to_owned(), actor: state.actor.clone() }
        };
        let now = self.now();
        self.tell_records(&[record], now);
    }

    /// Nothing more is started; what the error says is for a person.
    fn halt_for(&mut self, error: &Error) {
        self.halt.get_or_insert_with(|| Halt { exit: error.exit(), why: error.chain(), needs: vec![format!("{}: {}", error.chain(), error.help())] });
    }

    /// Calls that went out are waited for, whatever happened: their answers are worth keeping.
    async fn drain_calls(&mut self) {
        self.keep_back_all();
        while !self.calls.is_empty() {
            let (next, clock) = (self.outstanding.first(), Arc::clone(&self.clock));
            let happened = tokio::task::unconstrained(async {
                tokio::select! {
                    biased;
                    Some(answered) = self.calls.next() => Some(Happened::Answered(answered)),
                    Some(request) = self.note_requests.recv() => Some(Happened::Asked(request)),
                    () = self.stop.now() => None,
                    () = async { if let Some(next) = next { clock.sleep_until(next).await } }, if next.is_some() => Some(Happened::TimePassed),
                }
            });
            match happened.await {
                None => return,
                Some(Happened::Answered(answered)) => drop(self.keep_answer(&answered)),
                Some(Happened::Asked(request)) => drop(self.keep_note(request).await),
                Some(_) => {}
            }
            let now = self.now();
            self.outstanding.give_up(now);
        }
        let _ = self.journal.flush().await;
    }

    async fn drain_notices(&mut self) {
        let mut stop = self.stop.clone();
        let all = async {
            while let Some(failed) = self.notices.next().await {
                if let Some(message) = failed {
                    let event = telling::about(&self.journal.state, None, self.clock.now(), EventKind::Notice { message });
                    self.sink.event(&event);
                }
            }
        };
        tokio::select! {
            biased;
            _ = tokio::time::timeout(NOTICES_WAIT, all) => {}
            () = stop.now() => {}
        }
    }

    /// Writes the last record and gives the summary.
    async fn finish(&mut self) -> Summary {
        let (record, mut summary) = self.last_record();
        let now = self.now();
        let written = self.journal.append(now, vec![record.clone()]).await;
        if let Err(error) = written {
            // The journal cannot take it; people still must hear it, and that the next `apply` finds an unfinished run.
            if self.journal.state.wrote {
                summary.exit_code = Exit::Person.code();
            }
            let need = format!("{}: {}", error.chain(), error.help());
            if !summary.needs.contains(&need) {
                summary.needs.push(need);
            }
            let elapsed_seconds = time::between(self.began, now).as_secs();
            self.tell_about(None, EventKind::RunFinished { summary: summary.clone(), elapsed_seconds });
        } else {
            self.tell_untold();
            self.tell_records(&[record], now);
        }
        summary
    }
}
