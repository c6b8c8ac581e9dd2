//! The heart of the simulated world: its state under a lock, its clock, and the one way in which every call goes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;

use super::faults::{CallInfo, Called, Fault, Outcome, When};
use super::rds::settle;
use super::state::State;
use super::store::Store;
use super::touched::{Dirty, Touched};
use crate::model::time::{self, Timestamp};
use crate::world::{CallError, CallResult, Clock, Failure, rds};

/// Calls kept for [`super::SimWorld::calls`]; the oldest go first.
const MAX_CALLS: usize = 1_000_000;

/// Decides about a call before it is answered.
pub type Hook = Box<dyn Fn(&CallInfo) -> Option<Fault> + Send + Sync>;

/// What the doors share.
pub(super) struct Core {
    inner: Mutex<Inner>,
    pub(super) hook: RwLock<Option<Arc<Hook>>>,
    numbers: AtomicU64,
    time_allowed: AtomicBool,
    time_kept: AtomicBool,
    frozen: AtomicBool,
    pace: Option<f64>,
    random: Mutex<fastrand::Rng>,
}

/// What the lock guards.
pub(super) struct Inner {
    pub(super) state: State,
    pub(super) dirty: Dirty,
    pub(super) store: Option<Store>,
    pub(super) wrote: bool,
    /// The seed of this session: the given one, else the world's.
    seed: u64,
    pub(super) calls: std::collections::VecDeque<Called>,
    /// Transactions between their first statement and their end.
    pub(super) open_transactions: std::collections::BTreeSet<u64>,
    next_due: Option<Timestamp>,
}

/// What a service gets to answer a call.
pub(super) struct Work<'a> {
    /// The world.
    pub(super) state: &'a mut State,
    /// What was changed must be named here.
    pub(super) dirty: &'a mut Dirty,
    /// Readers see the effect so much later.
    pub(super) late: Option<Duration>,
    /// The call, for errors.
    pub(super) call: &'static str,
    seed: u64,
    /// Transactions between their first statement and their end.
    pub(super) open_transactions: &'a mut std::collections::BTreeSet<u64>,
}

impl Work<'_> {
    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        self.state.now
    }

    /// A refusal by the service.
    pub(super) fn refuse(&self, code: &str, message: impl Into<String>) -> CallError {
        refusal(self.call, code, message)
    }

    /// The service does not know the thing.
    pub(super) fn not_found(&self, code: &str, message: impl Into<String>) -> CallError {
        CallError::new(self.call, Failure::NotFound, message).code(code)
    }

    /// Random numbers for one new thing: the same for the same seed and the same history.
    pub(super) fn fresh(&mut self) -> fastrand::Rng {
        self.state.counters.objects = self.state.counters.objects.saturating_add(1);
        self.dirty.insert(Touched::Counters);
        seeded(self.seed, 1, self.state.counters.objects)
    }
}

/// A call that has begun.
pub(super) struct Begun {
    pub(super) info: CallInfo,
    pub(super) fault: Option<Fault>,
}

impl Begun {
    /// The same, answered as it comes.
    pub(super) fn without_fault(mut self) -> Begun {
        self.fault = None;
        self
    }
}

/// What the caller gets.
pub(super) enum Reply<T> {
    /// An answer.
    Now(CallResult<T>),
    /// None, ever.
    Never,
}

impl<T> Reply<T> {
    /// Gives the answer, or waits for ever.
    pub(super) async fn wait(self) -> CallResult<T> {
        match self {
            Reply::Now(result) => result,
            Reply::Never => std::future::pending().await,
        }
    }
}

/// Random numbers for the `number`th thing of its sort.
pub(super) fn seeded(seed: u64, sort: u64, number: u64) -> fastrand::Rng {
    let mut rng = fastrand::Rng::with_seed(seed ^ sort.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mixed = rng.u64(..) ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03);
    fastrand::Rng::with_seed(mixed)
}

impl Core {
    pub(super) fn new(state: State, store: Option<Store>, seed: Option<u64>, pace: Option<f64>) -> Core {
        let random = match seed {
            Some(seed) => seeded(seed, 2, state.counters.writes),
            None => fastrand::Rng::new(),
        };
        let mut inner = Inner {
            seed: seed.unwrap_or(state.seed),
            state,
            dirty: Dirty::new(),
            store,
            wrote: false,
            calls: std::collections::VecDeque::new(),
            open_transactions: std::collections::BTreeSet::new(),
            next_due: Some(Timestamp::MIN),
        };
        inner.settle();
        Core {
            inner: Mutex::new(inner),
            hook: RwLock::new(None),
            numbers: AtomicU64::new(0),
            time_allowed: AtomicBool::new(false),
            time_kept: AtomicBool::new(false),
            frozen: AtomicBool::new(false),
            pace,
            random: Mutex::new(random),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves whole objects behind: every change is made of values that were checked before.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn allow_time(&self, allowed: bool) {
        self.time_allowed.store(allowed, Ordering::SeqCst);
    }

    pub(super) fn time_is_allowed(&self) -> bool {
        self.time_allowed.load(Ordering::SeqCst)
    }

    pub(super) fn keep_time(&self) {
        self.time_kept.store(true, Ordering::SeqCst);
    }

    /// Lets time pass. What somebody saw at a moment must not be undone by a kill, so that once there was a write, in this session or in the run
    /// that it goes on with, every move of the clock is in the log before anybody hears of it.
    fn pass_to(&self, inner: &mut Inner, instant: Timestamp) {
        let before = inner.state.now;
        inner.move_to(instant);
        if inner.state.now > before && (inner.wrote || self.time_kept.load(Ordering::SeqCst)) {
            inner.log_time();
        }
    }

    pub(super) fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::SeqCst);
    }

    /// The same state with a history of its own, in memory alone.
    pub(super) fn copy(&self) -> Core {
        let inner = self.lock();
        Core::new(inner.state.clone(), None, Some(inner.seed), self.pace)
    }

    pub(super) fn random(&self) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).u64(..)
    }

    /// One call from its beginning to its reply.
    pub(super) async fn call<T: Send>(
        &self,
        call: &'static str,
        target: String,
        write: bool,
        work: impl FnOnce(&mut Work<'_>) -> CallResult<T> + Send,
    ) -> CallResult<T> {
        let reply = match self.begin(call, target, write) {
            Ok(begun) => self.answer(begun, work),
            Err(reply) => reply,
        };
        reply.wait().await
    }

    /// Counts the call and lets happen what happens before its effect. `Err` when there is none.
    pub(super) fn begin<T>(&self, call: &'static str, target: String, write: bool) -> Result<Begun, Reply<T>> {
        let info = CallInfo { number: self.numbers.fetch_add(1, Ordering::SeqCst) + 1, call, target, write };
        // The hook may ask the world for its calls, so it is called without the lock.
        let hook = self.hook.read().unwrap_or_else(PoisonError::into_inner).clone();
        let hooked = hook.and_then(|hook| hook(&info));
        let mut inner = self.lock();
        if let Err(error) = inner.refresh() {
            return Err(Reply::Now(Err(CallError::new(call, Failure::Unreachable, error.chain()))));
        }
        let fault = inner.fault(&info, hooked);
        let refused = match &fault {
            Some(Fault::Throttle { retry_after_seconds }) => {
                let failure = Failure::Throttled { retry_after: retry_after_seconds.map(Duration::from_secs) };
                CallError::new(call, failure, "rate exceeded").code(if call.starts_with("rds") { "Throttling" } else { "429" })
            }
            Some(Fault::ServerError { status, after_effect: false, retry_after_seconds }) => server_error(call, *status, false, *retry_after_seconds),
            Some(Fault::Refusal { code, message }) => refusal(call, code, message.as_str()),
            Some(Fault::Denied { code, message }) => CallError::new(call, Failure::Denied, message.as_str()).code(code.as_str()),
            Some(Fault::Unreachable {}) => CallError::new(call, Failure::Unreachable, "network is unreachable"),
            Some(Fault::Crash { when: When::Before }) => {
                inner.log();
                std::process::abort();
            }
            Some(Fault::Hang { after_effect: false }) => {
                inner.remember(info, Outcome::Hung, false);
                return Err(Reply::Never);
            }
            Some(Fault::Slow { seconds }) if self.time_is_allowed() => {
                let taken = (*seconds).min(inner.state.timings.call_limit);
                let then = time::after(inner.state.now, Duration::from_secs(taken));
                self.pass_to(&mut inner, then);
                return Ok(Begun { info, fault });
            }
            _ => return Ok(Begun { info, fault }),
        };
        if write {
            inner.log();
        }
        inner.remember(info, Outcome::Failed(refused.to_string()), false);
        Err(Reply::Now(Err(refused)))
    }

    /// A part of a call that comes before its effect; what it changes is in the log when it returns.
    pub(super) fn prepare<T>(&self, call: &'static str, work: impl FnOnce(&mut Work<'_>) -> CallResult<T>) -> CallResult<T> {
        self.lock().write(call, false, None, work)
    }

    /// The effect, and what happens after it.
    pub(super) fn answer<T>(&self, begun: Begun, work: impl FnOnce(&mut Work<'_>) -> CallResult<T>) -> Reply<T> {
        let Begun { info, fault } = begun;
        let call = info.call;
        let late = if let Some(Fault::LateVisibility { seconds }) = &fault { Some(Duration::from_secs(*seconds)) } else { None };
        let mut guard = self.lock();
        let inner = &mut *guard;
        let done = if info.write { inner.write(call, true, late, work) } else { inner.work(call, late, work) };
        let effect = done.is_ok();
        let lost = match fault {
            Some(Fault::ReplyLost {}) => {
                CallError::new(call, Failure::Unknown { retry_after: None }, "the connection was closed before the reply came")
            }
            Some(Fault::ServerError { status, after_effect: true, retry_after_seconds }) => server_error(call, status, true, retry_after_seconds),
            Some(Fault::Garbage {}) => CallError::new(call, Failure::Unknown { retry_after: None }, "the answer cannot be understood"),
            Some(Fault::Slow { seconds }) if seconds > inner.state.timings.call_limit => {
                CallError::new(call, Failure::Unknown { retry_after: None }, format!("no reply within {}s", inner.state.timings.call_limit))
            }
            Some(Fault::Crash { when: When::After }) => {
                inner.log();
                std::process::abort();
            }
            Some(Fault::Hang { after_effect: true }) => {
                inner.remember(info, Outcome::Hung, effect);
                return Reply::Never;
            }
            _ => {
                let outcome = done.as_ref().err().map_or(Outcome::Answered, |error| Outcome::Failed(error.to_string()));
                inner.remember(info, outcome, effect);
                return Reply::Now(done);
            }
        };
        inner.remember(info, Outcome::Failed(lost.to_string()), effect);
        Reply::Now(Err(lost))
    }
}

/// The service says no: for now or as such.
fn refusal(call: &str, code: &str, message: impl Into<String>) -> CallError {
    let failure = if rds::BUSY.contains(&code) { Failure::Busy } else { Failure::Refused };
    CallError::new(call, failure, message).code(code)
}

/// A 5xx. A database session has none: what comes nearest is that no connection is to be had, or that it is cut during COMMIT.
fn server_error(call: &str, status: Option<u16>, effect: bool, retry_after_seconds: Option<u64>) -> CallError {
    if call.starts_with("postgres:") {
        let failure = if effect { Failure::Unknown { retry_after: None } } else { Failure::Unreachable };
        return CallError::new(call, failure, "the server closed the connection");
    }
    let status = status.unwrap_or(503);
    CallError::new(call, Failure::Unknown { retry_after: retry_after_seconds.map(Duration::from_secs) }, "the service failed")
        .code(status.to_string())
}

impl Inner {
    fn remember(&mut self, info: CallInfo, outcome: Outcome, effect: bool) {
        if self.calls.len() >= MAX_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(Called { info, outcome, effect });
    }

    /// The fault of a call: the hook's, else the script's, else one by chance.
    fn fault(&mut self, info: &CallInfo, hooked: Option<Fault>) -> Option<Fault> {
        let counters = &mut self.state.counters;
        counters.calls = counters.calls.saturating_add(1);
        counters.writes = counters.writes.saturating_add(u64::from(info.write));
        self.dirty.insert(Touched::Counters);
        let mut scripted = None;
        for (index, fault) in self.state.faults.iter_mut().enumerate() {
            if let Some(hit) = fault.count(info) {
                self.dirty.insert(Touched::Fault(index));
                if hit && scripted.is_none() {
                    scripted = Some(fault.fault.clone());
                }
            }
        }
        hooked.or(scripted).or_else(|| {
            let chaos = self.state.chaos.as_ref()?;
            chaos.draw(&mut seeded(self.seed, 3, self.state.counters.calls), info.write)
        })
    }

    /// Takes over what another process has written.
    pub(super) fn refresh(&mut self) -> crate::model::Result<()> {
        let Some(store) = self.store.as_mut().filter(|store| store.changed()) else { return Ok(()) };
        let now = self.state.now;
        self.state = store.read()?;
        self.dirty.clear();
        self.state.now = self.state.now.max(now);
        self.next_due = Some(Timestamp::MIN);
        self.settle();
        Ok(())
    }

    fn work<T>(&mut self, call: &'static str, late: Option<Duration>, work: impl FnOnce(&mut Work<'_>) -> CallResult<T>) -> CallResult<T> {
        work(&mut Work {
            state: &mut self.state,
            dirty: &mut self.dirty,
            late,
            call,
            seed: self.seed,
            open_transactions: &mut self.open_transactions,
        })
    }

    /// Works under the lock of the log, and puts what changed there before anybody hears of it. `effect`: whether this is the call's, if it goes well.
    fn write<T>(
        &mut self,
        call: &'static str,
        effect: bool,
        late: Option<Duration>,
        work: impl FnOnce(&mut Work<'_>) -> CallResult<T>,
    ) -> CallResult<T> {
        let unreachable = |text: String| CallError::new(call, Failure::Unreachable, text);
        let log = match self.store.as_ref().map(Store::lock).transpose() {
            Ok(log) => log,
            Err(error) => return Err(unreachable(format!("the world's log cannot be written: {error}"))),
        };
        // The counters of this call are lost when somebody else wrote in between; they only feed chance.
        self.refresh().map_err(|error| unreachable(error.chain()))?;
        let done = self.work(call, late, work);
        self.next_due = Some(Timestamp::MIN);
        self.settle();
        self.wrote = true;
        if let (Some(store), Some(log)) = (self.store.as_mut(), log)
            && let Err(error) = store.append(&log, &self.state, &self.dirty, effect.then_some(call).filter(|_| done.is_ok()))
        {
            self.forget_unwritten();
            return Err(unreachable(format!("nothing happened, the world's log cannot be written: {error}")));
        }
        self.dirty.clear();
        done
    }

    /// The world as it is on disk again: what is not there has not happened, and nobody may read it as if it had. Half a line does not count, so
    /// that this is certain. A file that cannot even be read leaves the state as it is; every later call fails by the same reading.
    fn forget_unwritten(&mut self) {
        let (now, store) = (self.state.now, self.store.as_mut());
        let Some(Ok(state)) = store.map(Store::read) else { return };
        self.replace(state);
        self.state.now = self.state.now.max(now);
    }

    /// Puts what changed into the log, without any effect. Only counters of faults can be in question, so a failure is no matter: they stay
    /// for the next line.
    fn log(&mut self) {
        self.wrote = true;
        let appended = self.store.as_mut().map(|store| {
            let log = store.lock()?;
            if store.changed() { Err(std::io::Error::other("another process wrote")) } else { store.append(&log, &self.state, &self.dirty, None) }
        });
        if matches!(appended, None | Some(Ok(()))) {
            self.dirty.clear();
        }
    }

    /// Puts the time into the log, with what has happened by itself. Where that fails the next write fails too, and says so.
    fn log_time(&mut self) {
        let Ok(Some(log)) = self.store.as_ref().map(Store::lock).transpose() else { return };
        if self.refresh().is_ok()
            && let Some(store) = self.store.as_mut()
            && store.append(&log, &self.state, &self.dirty, None).is_ok()
        {
            self.dirty.clear();
        }
    }

    /// Another state from now on.
    pub(super) fn replace(&mut self, state: State) {
        self.state = state;
        self.dirty.clear();
        self.next_due = Some(Timestamp::MIN);
        self.settle();
    }

    /// Moves the clock, and with it everything that happens by itself. Never backwards.
    pub(super) fn move_to(&mut self, instant: Timestamp) {
        self.state.now = self.state.now.max(instant);
        self.settle();
    }

    fn settle(&mut self) {
        if self.next_due.is_some_and(|due| due <= self.state.now) {
            self.next_due = settle::settle(&mut self.state, &mut self.dirty);
        }
    }
}

#[async_trait]
impl Clock for Core {
    fn now(&self) -> Timestamp {
        self.lock().state.now
    }

    async fn sleep_until(&self, instant: Timestamp) {
        if self.frozen.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        if !self.time_is_allowed() {
            return;
        }
        if let Some(pace) = self.pace {
            tokio::time::sleep(time::between(self.now(), instant).div_f64(pace)).await;
        }
        self.pass_to(&mut self.lock(), instant);
    }
}
