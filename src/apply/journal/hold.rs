//! A lease as its holder knows it: until when it is surely valid, by a clock that goes on while a process or a machine sleeps.
//!
//! The journal's fence keeps a holder whose lock was taken over from writing another record, and so from intending another call. It does not
//! reach a call whose intent is on disk already: a process that is stopped between the two, for longer than its lease, would make it when it
//! wakes, whoever has the lock by then. So every call that writes asks here last.
//!
//! Flow: the moment before a lease was asked for is kept, and counts; the lease is surely valid for its length from then on, less a margin in
//! which a call that has just gone out can arrive. After that it must be renewed before anything goes out, and a renewal that succeeds proves that nobody
//! took it. One that fails keeps the call back, and the run stops for a person.
//!
//! Caveats: between this check and the socket there is always a moment; and the clocks of a virtual machine which its host stops as a whole
//! stand still with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::store::{Acquire, Lease, Store};
use crate::model::{Error, Exit, Result};
use crate::world::gated::Gate;
use crate::world::{CallError, CallResult, Failure};

/// Gives the time since some fixed moment, by a clock that nobody can set and that goes on in sleep.
pub type SinceBoot = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The part of a lease's length that is left for a call to arrive, and for the clocks of holder and store to differ in pace.
const MARGIN_PART: u32 = 4;

/// Renewals that may come too late one after the other, each because the process slept or the store was slow in the middle of it.
const RENEWALS_MAX: u32 = 3;

/// The machine's time since its boot, which goes on while it sleeps.
#[must_use]
pub fn machine_since_boot() -> SinceBoot {
    #[cfg(target_os = "linux")]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    // Elsewhere this is the one that cannot be set; whether it goes on in sleep is the system's to say.
    #[cfg(not(target_os = "linux"))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    Arc::new(|| {
        let now = rustix::time::clock_gettime(CLOCK);
        Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
    })
}

/// Whether a lease that was asked for at `asked`, and given, is surely still the holder's at `now`, long enough for a call to go out.
#[must_use]
pub fn is_sure(asked: Option<Duration>, now: Duration, length: Duration) -> bool {
    let age = asked.and_then(|asked| now.checked_sub(asked));
    age.is_some_and(|age| age < length.saturating_sub(length / MARGIN_PART))
}

/// A lease in its holder's hands; shared by all that may write, and by what keeps it alive.
pub struct Hold {
    store: Arc<dyn Store>,
    lease: Lease,
    clock: SinceBoot,
    /// When the last request was sent that the store answered with a lease of full length.
    asked: Mutex<Option<Duration>>,
    /// One renewal at a time.
    turn: tokio::sync::Mutex<()>,
    /// Whether somebody else has the lock, or nobody, for certain.
    taken: std::sync::atomic::AtomicBool,
    /// Why nothing may be written any more.
    over: watch::Sender<Option<Error>>,
}

impl Hold {
    /// Takes locks.
    ///
    /// # Errors
    /// As [`Store::acquire`].
    pub async fn acquire(store: Arc<dyn Store>, acquire: &Acquire, clock: SinceBoot) -> Result<Arc<Self>> {
        let asked = clock();
        let lease = store.acquire(acquire).await?;
        let hold = Hold::new(store, lease, clock);
        hold.keep(asked);
        Ok(hold)
    }

    /// A lease that was taken at a time nobody noted: it is renewed before it is relied upon.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, lease: Lease, clock: SinceBoot) -> Arc<Self> {
        let (asked, turn) = (Mutex::new(None), tokio::sync::Mutex::new(()));
        Arc::new(Hold { store, lease, clock, asked, turn, taken: false.into(), over: watch::Sender::new(None) })
    }

    /// The lease itself.
    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Why nothing may be written any more, if so.
    #[must_use]
    pub fn over(&self) -> Option<Error> {
        self.over.borrow().clone()
    }

    /// Resolves when nothing may be written any more; gives why.
    pub async fn until_over(&self) -> Error {
        let mut changes = self.over.subscribe();
        loop {
            if let Some(error) = changes.borrow_and_update().clone() {
                return error;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Makes the lease last its length from now. That it cannot be renewed for the moment ends nothing yet; that it was taken does.
    ///
    /// # Errors
    /// As [`Store::renew`].
    pub async fn renew(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        self.renew_in_turn().await
    }

    /// Makes sure that the lease is valid, by the clock alone as long as that is enough.
    ///
    /// # Errors
    /// It is not, and could not be renewed: from here on nothing may be written.
    pub async fn ensure(&self) -> Result<()> {
        if let Some(error) = self.over() {
            return Err(error);
        }
        if self.is_sure() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        for _ in 0..RENEWALS_MAX {
            if self.is_sure() {
                return Ok(());
            }
            if let Err(error) = self.renew_in_turn().await {
                return Err(self.end(&error));
            }
        }
        if self.is_sure() { Ok(()) } else { Err(self.end(&self.too_slow())) }
    }

    fn is_sure(&self) -> bool {
        is_sure(*self.asked.lock().unwrap_or_else(PoisonError::into_inner), (self.clock)(), self.lease.length)
    }

    fn keep(&self, asked: Duration) {
        let mut kept = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = (*kept).max(Some(asked));
    }

    async fn renew_in_turn(&self) -> Result<()> {
        if let Some(error) = self.over() {
            return Err(error);
        }
        let asked = (self.clock)();
        let renewed = self.store.renew(&self.lease).await;
        match &renewed {
            Ok(()) => self.keep(asked),
            Err(error) if self.is_taken().await => {
                self.taken.store(true, std::sync::atomic::Ordering::SeqCst);
                self.end(error);
            }
            Err(_) => {}
        }
        renewed
    }

    /// Whether a lock is surely not ours any more; a store that does not answer says nothing.
    async fn is_taken(&self) -> bool {
        for name in &self.lease.names {
            let held = self.store.lock(name, &self.lease.environment).await;
            if held.is_ok_and(|held| held.is_none_or(|lock| lock.fence != self.lease.fence)) {
                return true;
            }
        }
        false
    }

    /// From here on nothing is written. The first reason stays.
    fn end(&self, why: &Error) -> Error {
        let mut first = why.clone().within("the run's lock is not surely held any more, so that nothing more is written").exit_as(Exit::Person);
        self.over.send_if_modified(|over| match over {
            Some(before) => {
                first = before.clone();
                false
            }
            None => {
                *over = Some(first.clone());
                true
            }
        });
        first
    }

    fn too_slow(&self) -> Error {
        let what = format!("the lease was renewed {RENEWALS_MAX} times, and was nearly over each time the answer came");
        let help = format!("see what slows {} or this process, or give a longer --lease; then go on with `switchover resume`", self.store.place());
        Error::new(Exit::Person, what, help)
    }
}

#[async_trait]
impl Gate for Hold {
    async fn pass(&self, call: &'static str) -> CallResult<()> {
        self.ensure().await.map_err(|error| CallError::new(call, Failure::Unreachable, error.chain()))
    }

    /// A notice does not wait for the journal, so that it can tell that the journal is gone; whose lock was taken says no more.
    async fn pass_notice(&self, call: &'static str) -> CallResult<()> {
        if self.over().is_none() && !self.is_sure() {
            // What a failure means is kept by the renewal itself.
            let _ = self.renew().await;
        }
        if self.taken.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(CallError::new(call, Failure::Unreachable, "the run's lock was taken over; whoever has it speaks for the run"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(60);

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn a_lease_is_sure_from_the_moment_before_it_was_asked_for_until_a_margin_before_its_end() {
        assert!(is_sure(Some(at(100)), at(100), LENGTH) && is_sure(Some(at(100)), at(144), LENGTH));
        assert!(!is_sure(Some(at(100)), at(145), LENGTH), "what goes out now may arrive when it is over");
        assert!(!is_sure(Some(at(100)), at(1_000_000), LENGTH));
        assert!(!is_sure(None, at(0), LENGTH), "nobody noted when it was taken");
        assert!(!is_sure(Some(at(100)), at(99), LENGTH), "a clock that goes back is none to rely on");
        assert!(!is_sure(Some(at(0)), at(0), Duration::ZERO));
    }

    #[test]
    fn the_machine_has_such_a_clock() {
        let clock = machine_since_boot();
        let first = clock();
        assert!(first > Duration::ZERO && clock() >= first);
    }
}
