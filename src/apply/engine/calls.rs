//! Looks, starts and facts as futures, and what their answers do.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use super::credentials;
use super::decide::{ATTEMPTS_MAX, Decision, Situation, decide};
use super::forward::Cause;
use super::outstanding::{limit, no_answer};
use super::track::Key;
use super::{Engine, Halt};
use crate::apply::event::EventKind;
use crate::apply::journal::fold::Call;
use crate::apply::journal::{Answer, Record, Stage};
use crate::apply::operation::{Cx, Look, Notes, Operation, Outputs, Progress, StartCx};
use crate::model::time::{self, Timestamp};
use crate::model::{Exit, Result};
use crate::plan::{Outage, Undo};
use crate::world::gated::Gate;
use crate::world::{CallError, CallResult, Failure, Readers};

/// Looks that fail in other ways than for the moment, before the step fails.
const FAILED_LOOKS_MAX: u32 = 3;
/// The longest pause before a busy thing is asked again while people notice an outage, or are told of one.
const BUSY_IN_OUTAGE: std::time::Duration = std::time::Duration::from_secs(10);

/// A time in which nothing could be seen is told of when it is over, unless it was shorter.
const WORTH_TELLING: std::time::Duration = std::time::Duration::from_secs(30);

/// A pause of this length that a service asks for is told of each time, with its end.
const LONG_PAUSE: std::time::Duration = std::time::Duration::from_secs(10);

/// What came back.
pub struct Answered {
    pub key: Key,
    pub what: Came,
}

/// From which kind of call.
pub enum Came {
    /// Second: whether it waits for nothing but the effect of the call that is to be undone.
    Look(CallResult<(Look, bool)>),
    Facts(CallResult<Option<String>>),
    Start(CallResult<()>),
}

/// A start wants something on disk before it goes on.
pub struct NoteRequest {
    step: String,
    name: String,
    value: String,
    reply: oneshot::Sender<Result<(), String>>,
}

struct NoteChannel {
    step: String,
    sender: mpsc::Sender<NoteRequest>,
}

#[async_trait]
impl Notes for NoteChannel {
    async fn keep(&self, name: &str, value: &str) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let request = NoteRequest { step: self.step.clone(), name: name.to_owned(), value: value.to_owned(), reply };
        self.sender.send(request).await.map_err(|_| "the run is over".to_owned())?;
        answer.await.map_err(|_| "the run is over".to_owned())?
    }
}

/// What a look needs, owned, so that it can outlive the borrow of the engine.
struct Scene {
    program: Arc<super::Program>,
    writers: Arc<dyn crate::world::Writers>,
    outputs: BTreeMap<String, Outputs>,
    step: String,
    started: Option<Timestamp>,
}

impl Scene {
    fn cx(&self) -> Cx<'_> {
        let readers: &dyn Readers = &*self.writers;
        Cx {
            readers,
            providers: &self.program.plan.providers,
            environment: &self.program.plan.environment,
            run: &self.program.plan.run,
            step: &self.step,
            outputs: &self.outputs,
            started: self.started,
        }
    }
}

/// Looks; what is to be undone and was taken by the service must have shown before "there is nothing to undo" is an answer.
async fn look(operation: &dyn Operation, scene: &Scene, taken: Option<(Arc<dyn Operation>, Scene)>) -> CallResult<(Look, bool)> {
    let found = operation.look(&scene.cx()).await?;
    if let (Look::Done { .. }, Some((forward, before))) = (&found, taken)
        && matches!(forward.look(&before.cx()).await?, Look::Pending)
    {
        return Ok((Look::Settling(Progress::status("waiting for the effect of a call that the service has taken")), true));
    }
    Ok((found, false))
}

impl Engine {
    fn scene(&self, key: Key) -> Scene {
        let step = self.program.step(key.step);
        // A look sees the outputs of its own resource alone: nothing passes between resources but order.
        let prefix = format!("{}/", step.address);
        let outputs = self.journal.state.outputs.range(prefix.clone()..).take_while(|(id, _)| id.starts_with(&prefix));
        Scene {
            program: Arc::clone(&self.program),
            writers: Arc::clone(&self.writers),
            outputs: outputs.map(|(id, outputs)| (id.clone(), outputs.clone())).collect(),
            step: step.id.clone(),
            // A call that was refused is none.
            started: self.call(key).filter(|call| !call.had_no_effect()).map(|call| call.first),
        }
    }

    /// How far an operation's call came.
    pub(super) fn call(&self, key: Key) -> Option<&Call> {
        let state = self.journal.state.at(key.step);
        match (key.undo, &state.stage, &state.undo) {
            (None, Stage::Called(call), _) => Some(call),
            (Some(index), _, Some((at, call))) if *at == index => Some(call),
            _ => None,
        }
    }

    pub(super) fn push_look(&mut self, key: Key) {
        let Some(track) = self.tracks.get_mut(&key) else { return };
        track.busy = true;
        let operation = Arc::clone(&track.operation);
        let scene = self.scene(key);
        let (limit, name) = (limit(&self.program, key, operation.lasts()), operation.name());
        let late = move || Came::Look(Err(no_answer(name, limit)));
        let taken = self.taken_and_undone(key);
        self.send(key, limit, late, async move { Came::Look(look(&*operation, &scene, taken).await) });
    }

    pub(super) fn push_facts(&mut self, key: Key) {
        let Some(track) = self.tracks.get_mut(&key) else { return };
        track.busy = true;
        let scene = self.scene(key);
        let facts = self.program.step(key.step).facts.clone();
        let limit = limit(&self.program, key, false);
        let late = move || Came::Facts(Err(no_answer("reading what the step relies on", limit)));
        self.send(key, limit, late, async move { Came::Facts(super::facts::first_changed(&scene.program, &facts, &scene.cx()).await) });
    }

    pub(super) fn push_start(&mut self, key: Key) {
        let Some(track) = self.tracks.get_mut(&key) else { return };
        track.busy = true;
        track.explained = false;
        let operation = Arc::clone(&track.operation);
        let scene = self.scene(key);
        let notes = NoteChannel { step: scene.step.clone(), sender: self.note_sender.clone() };
        let hold = Arc::clone(&self.hold);
        let (limit, name) = (limit(&self.program, key, operation.lasts()), operation.name());
        let late = move || Came::Start(Err(no_answer(name, limit)));
        self.send(key, limit, late, async move {
            // The intent is on disk, and however long ago that was: who has lost the lock since makes no call. The doors ask once more.
            if let Err(kept_back) = hold.pass(name).await {
                return Came::Start(Err(kept_back));
            }
            let cx = scene.cx();
            Came::Start(operation.start(&StartCx { cx: &cx, writers: &*scene.writers, notes: &notes, protect: &scene.program.plan.protect }).await)
        });
    }

    pub(super) async fn keep_note(&mut self, request: NoteRequest) -> Result<()> {
        let kept = self.record(vec![Record::Noted { step: request.step, name: request.name, value: request.value }]).await;
        // Whoever waits for it may be gone; then it harms nobody that the note is there.
        let _ = request.reply.send(kept.as_ref().copied().map_err(crate::model::Error::chain));
        kept
    }

    /// Keeps what an answer says about a call, and nothing else: for a loop that is ending.
    pub(super) fn keep_answer(&mut self, answered: &Answered) -> Result<()> {
        let Came::Start(result) = &answered.what else { return Ok(()) };
        let step = self.program.step(answered.key.step).id.clone();
        let answer = match result {
            Ok(()) => Answer::Good,
            Err(error) if error.nothing_happened() => Answer::Nothing { error: error.to_string(), passing: error.may_pass() },
            Err(error) => Answer::Unknown { error: error.to_string() },
        };
        self.defer(&[Record::Answered { step, undo: answered.key.undo, answer }])
    }

    pub(super) async fn answered(&mut self, answered: Answered) -> Result<()> {
        let key = answered.key;
        self.outstanding.answered(key);
        self.keep_answer(&answered)?;
        if let Some(error) = self.hold.over() {
            return Err(error);
        }
        if let Some(track) = self.tracks.get_mut(&key) {
            track.busy = false;
        }
        match answered.what {
            Came::Look(Ok((look, awaited))) => self.looked(key, look, awaited).await,
            Came::Look(Err(error)) | Came::Facts(Err(error)) => self.could_not_read(key, &error).await,
            Came::Facts(Ok(None)) => {
                if let Some(track) = self.tracks.get_mut(&key) {
                    track.facts_hold = true;
                }
                if self.tracks.get(&key).is_some_and(|track| track.operation.starts()) {
                    return self.start(key).await;
                }
                self.wake(key);
                Ok(())
            }
            Came::Facts(Ok(Some(changed))) => self.fail(key, changed, "make a new plan and have it reviewed".to_owned(), Cause::Stale).await,
            Came::Start(Ok(())) => {
                self.wake(key);
                Ok(())
            }
            Came::Start(Err(error)) => {
                self.start_failed(key, &error);
                Ok(())
            }
        }
    }

    fn wake(&mut self, key: Key) {
        let now = self.now();
        if let Some(track) = self.tracks.get_mut(&key) {
            track.wake(now);
        }
    }

    async fn looked(&mut self, key: Key, look: Look, awaited: bool) -> Result<()> {
        let (now, step) = (self.now(), self.program.step(key.step));
        let (limits, id) = (step.limits.clone(), step.id.clone());
        let refused = self.call(key).is_some_and(Call::had_no_effect);
        let Some(track) = self.tracks.get_mut(&key) else { return Ok(()) };
        track.failed_looks = 0;
        track.explained |= refused && matches!(look, Look::Settling(_) | Look::Missing(_));
        let explained = track.explained;
        track.missing_since = matches!(look, Look::Missing(_)).then(|| track.missing_since.unwrap_or(now));
        let missing_since = track.missing_since;
        let lost = track.sees(now);
        let (began, starts, repeat_is_safe) = (track.counted_from(now), track.operation.starts(), track.operation.repeat_is_safe());
        let on_conflict = track.operation.on_conflict();
        let (stales, missing_is_done) = (track.operation.conflict_is_stale(), track.operation.missing_is_done());
        if let Some(lost) = lost.filter(|lost| *lost >= WORTH_TELLING) {
            self.tell_about(Some(&id), EventKind::Notice { message: format!("can be seen again, after {}", time::words(lost)) });
        }
        let look = if self.may_come_late(key, &look) { Look::Settling(Progress::status("making sure that no late effect comes")) } else { look };
        // Something foreign is in the way, and no call was made: the plan was right when it was made, and is not now.
        let in_the_way = matches!(look, Look::Conflict(_)) && stales && key.undo.is_none() && self.call(key).is_none();
        let situation = Situation {
            now,
            began,
            call: self.call(key),
            limits: &limits,
            starts,
            explained,
            awaited,
            missing_since,
            missing_is_done,
            repeat_is_safe,
            on_conflict,
        };
        match decide(look, &situation) {
            Decision::Finish(outputs, detail) => self.finished(key, outputs, detail).await,
            Decision::Fail(error, help) => self.fail(key, error, help, if in_the_way { Cause::Stale } else { Cause::Trouble }).await,
            Decision::Gone(what) => self.gone(key, &what).await,
            Decision::Unseen(error, help) => self.fail(key, error, help, Cause::Unseen).await,
            Decision::Wait(progress) => {
                let since = self.journal.state.at(key.step).began.filter(|_| key.undo.is_none()).unwrap_or(began);
                let elapsed_seconds = time::between(since, now).as_secs();
                let kind = EventKind::StepProgress {
                    status: progress.status,
                    percent: progress.percent,
                    elapsed_seconds,
                    expected_seconds: if key.undo.is_none() { limits.expected.as_secs() } else { 0 },
                };
                self.tell_about(Some(&id), kind);
                self.rest(key, limits.poll);
                Ok(())
            }
            Decision::Start => {
                let nothing_yet = self.call(key).is_none_or(Call::had_no_effect);
                let unchecked = key.undo.is_none() && nothing_yet && !self.program.step(key.step).facts.is_empty();
                if unchecked && !self.tracks.get(&key).is_some_and(|track| track.facts_hold) && self.may_start(key) {
                    self.push_facts(key);
                    return Ok(());
                }
                self.start(key).await
            }
        }
    }

    /// "Nothing to undo" is believed only once a call whose effect was never seen cannot show any more.
    fn may_come_late(&self, key: Key, look: &Look) -> bool {
        let (Some(_), Look::Done { .. }) = (key.undo, look) else { return false };
        let step = self.program.step(key.step);
        let state = self.journal.state.at(key.step);
        let (Stage::Called(call), None) = (&state.stage, &state.undo) else { return false };
        !call.had_no_effect() && time::between(call.last, self.now()) <= step.limits.visibility
    }

    /// What a service has taken comes, however late: that there is nothing to undo is not believed before its effect has shown. That nothing came of it is
    /// believed of a person alone, who was told and goes on all the same when the step's time is over. Gives the step's own operation, by which that is seen.
    fn taken_and_undone(&self, key: Key) -> Option<(Arc<dyn Operation>, Scene)> {
        key.undo?;
        let step = self.program.step(key.step);
        let state = self.journal.state.at(key.step);
        let (Stage::Called(call), None) = (&state.stage, &state.undo) else { return None };
        let given_up = call.told && time::between(call.last, self.now()) > step.limits.timeout;
        let forward = Key { undo: None, ..key };
        (call.taken && !given_up).then(|| (Arc::clone(&self.program.steps[key.step].operation), self.scene(forward)))
    }

    fn rest(&mut self, key: Key, poll: std::time::Duration) {
        let (now, in_outage) = (self.now(), self.in_outage(key));
        if let Some(track) = self.tracks.get_mut(&key) {
            track.rest(now, poll, in_outage);
        }
    }

    /// Whether this operation is part of an outage that is open.
    pub(super) fn in_outage(&self, key: Key) -> bool {
        let outage = self.program.step(key.step).outage.as_ref();
        outage.is_some_and(|outage| self.journal.state.outages.contains_key(outage.name()))
    }

    /// The guard, the intent on disk, then the call. What may not start any more is let go: going on, or back, finds it by looking.
    async fn start(&mut self, key: Key) -> Result<()> {
        if !self.may_start(key) {
            self.tracks.remove(&key);
            return Ok(());
        }
        self.program.guard(key.step)?;
        // Renewed here where it must be, so that no call waits for the journal's store while the world's clock runs for its answer.
        self.hold.ensure().await?;
        let step = self.program.step(key.step);
        let attempt = self.call(key).map_or(1, |call| call.attempts + 1);
        let mut records = Vec::new();
        // The way back of a switch that was complete is an outage again, whichever of its steps goes back first.
        let begins = step.outage.as_ref().filter(|outage| key.undo.is_some() || matches!(outage, Outage::Starts(_) | Outage::Whole(_)));
        if let Some(outage) = begins.map(Outage::name).filter(|outage| !self.journal.state.outages.contains_key(*outage)) {
            records.push(Record::OutageStarted { outage: outage.to_owned() });
            self.ready_changed = true;
        }
        records.push(Record::Intent { step: step.id.clone(), undo: key.undo, attempt });
        if key.undo.is_none() && step.outage.is_none() {
            // On disk with those of all others that are ready; nothing of it is looked at before its call has been answered.
            self.to_start.push(key);
            self.defer(&records)?;
            if let Some(track) = self.tracks.get_mut(&key) {
                track.busy = true;
            }
            return Ok(());
        }
        self.record(records).await?;
        self.push_start(key);
        Ok(())
    }

    fn start_failed(&mut self, key: Key, error: &CallError) {
        let (now, id) = (self.now(), self.program.step(key.step).id.clone());
        if error.failure == Failure::Denied {
            self.halt_denied(key, error);
            return;
        }
        let attempts = self.call(key).map_or(1, |call| call.attempts.saturating_sub(call.earlier));
        let backoff = std::time::Duration::from_secs(1 << attempts.min(6));
        let timeout = self.program.step(key.step).limits.timeout;
        let pause = match (&error.failure, error.retry_after()) {
            // After the last one nothing is won by waiting; and in an outage, begun or told, what is busy is soon asked again, and soon given up.
            (Failure::Busy, _) if attempts >= ATTEMPTS_MAX => std::time::Duration::ZERO,
            (Failure::Busy, _) if self.in_outage(key) => backoff.min(BUSY_IN_OUTAGE),
            // A look may go out at once; only the next call must wait. A throttled or unreachable service is left alone altogether.
            _ if !error.may_pass() => std::time::Duration::ZERO,
            (Failure::Unknown { .. }, None) => std::time::Duration::from_secs(1),
            (_, asked) => asked.unwrap_or(backoff).max(std::time::Duration::from_secs(1)),
        };
        let Some(track) = self.tracks.get_mut(&key) else { return };
        track.wake(time::after(now, pause).min(track.limit(timeout, now)));
        track.facts_hold = false;
        let until = track.next;
        self.tell_pause(&id, error, until, time::between(now, until));
    }

    fn tell_pause(&mut self, id: &str, error: &CallError, until: Timestamp, pause: std::time::Duration) {
        let next = if pause.is_zero() { "looking".to_owned() } else { format!("looking again at {}", time::rfc3339(until)) };
        self.tell_about(Some(id), EventKind::Notice { message: format!("{error}; {next}") });
    }

    async fn could_not_read(&mut self, key: Key, error: &CallError) -> Result<()> {
        let (now, step) = (self.now(), self.program.step(key.step));
        let (id, limits) = (step.id.clone(), step.limits.clone());
        if error.failure == Failure::Denied {
            self.halt_denied(key, error);
            return Ok(());
        }
        let in_outage = self.in_outage(key);
        let Some(track) = self.tracks.get_mut(&key) else { return Ok(()) };
        track.failed_looks += 1;
        // Who does not answer at all says nothing about the step; who asks to come later does.
        let unseen = matches!(error.failure, Failure::Unreachable | Failure::Unknown { retry_after: None });
        let unseen_for = unseen.then(|| time::between(track.is_blind(now), now)).filter(|lasted| !lasted.is_zero());
        let is_long = error.retry_after().is_some_and(|asked| asked >= LONG_PAUSE);
        let worth_a_word = track.is_worth_a_word(now) || is_long;
        let late = time::between(track.counted_from(now), now) > limits.timeout;
        if late || (!error.may_pass() && track.failed_looks >= FAILED_LOOKS_MAX) {
            return self.fail(key, error.to_string(), error.mend().to_owned(), Cause::Trouble).await;
        }
        track.rest(now, limits.poll, in_outage && error.retry_after().is_none());
        if let Some(asked) = error.retry_after() {
            track.next = track.next.max(time::after(now, asked).min(track.limit(limits.timeout, now)));
        }
        let until = track.next;
        match unseen_for {
            _ if !worth_a_word => {}
            None => self.tell_pause(&id, error, until, time::between(now, until)),
            Some(lasted) => {
                let message = format!("{error}; for {} now, looking again and again", time::words(lasted));
                self.tell_about(Some(&id), EventKind::Notice { message });
            }
        }
        Ok(())
    }

    fn halt_denied(&mut self, key: Key, error: &CallError) {
        let (plan, step) = (&self.program.plan, self.program.step(key.step));
        let operation = match (key.undo, &step.undo) {
            (Some(index), Undo::Operations { operations, .. }) => operations.get(index).unwrap_or(&step.operation),
            _ => &step.operation,
        };
        let id = &step.id;
        let credentials = credentials::behind(plan, &operation.json(), &error.call);
        let then = if self.journal.state.wrote { self.journal.state.ways_on() } else { "apply again".to_owned() };
        let needs = vec![format!("renew {credentials}, or let them do what {id} needs ({error}); then {then}")];
        self.halt.get_or_insert_with(|| Halt { exit: Exit::Person, why: format!("{id}: {error}"), needs });
    }
}
