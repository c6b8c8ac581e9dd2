//! Waiting for a journal that cannot be reached. A run in the middle of an outage has nothing better to do: without its journal it may not
//! start anything, and stopping would leave the outage open. As long as nobody has taken the lock its fence holds, however long it took.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::clock::{Clocks, MachineClocks};
use crate::model::time::{self, Timestamp};
use crate::model::{Error, Exit, Result};

/// What a single try came to.
pub enum Attempt<T> {
    /// It went well.
    Done(T),
    /// The store was not reached, or its answer was lost: the same is tried again.
    Lost(String),
    /// Trying again would not help.
    Refused(Error),
}

/// Tells people that a journal is waited for.
pub type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// How long a store is waited for, and who is told.
#[derive(Clone)]
pub struct Patience {
    /// For questions and for taking a lock: nothing is under way yet, and people would rather know.
    pub before: Duration,
    /// For records of a run under way. The limit only bounds a process that nobody looks after: what it left is there for `resume`.
    pub holding: Duration,
    /// Who is told.
    pub listener: Listener,
    /// What "since" is said by.
    pub clocks: Arc<dyn Clocks>,
    /// Whether somebody is being told.
    pub told: Arc<AtomicBool>,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            before: Duration::from_secs(20),
            holding: Duration::from_mins(30),
            listener: Arc::new(|_| {}),
            clocks: Arc::new(MachineClocks),
            told: Arc::default(),
        }
    }
}

const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A connection that is there again at once is no news.
const SILENT_TRIES: u32 = 2;
/// Said again after so many more tries: once in a minute or so.
const TRIES_BETWEEN: u32 = 12;

impl Patience {
    /// What people are to hear of a wait that begins.
    pub(super) fn telling<'a>(&'a self, place: &'a str, limit: Duration) -> Telling<'a> {
        Telling { patience: self, place, limit, since: self.clocks.wall(), tries: 0, ours: false }
    }

    /// Tries until it is done or refused; once the limit is over, not again.
    pub async fn keep_trying<'a, T>(&self, place: &str, limit: Duration, mut attempt: impl FnMut() -> BoxFuture<'a, Attempt<T>> + Send) -> Result<T> {
        let mut over = std::pin::pin!(tokio::time::sleep(limit));
        let mut telling = self.telling(place, limit);
        let mut pause = PAUSE_FIRST;
        loop {
            let why = match attempt().await {
                Attempt::Done(done) => {
                    telling.over();
                    return Ok(done);
                }
                Attempt::Refused(error) => return Err(error),
                Attempt::Lost(why) => why,
            };
            telling.again(&why);
            tokio::select! {
                biased;
                () = &mut over => return Err(unreachable(place, &why)),
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
            }
        }
    }
}

/// What people hear of one wait. Of several at once, the first speaks for all.
pub(super) struct Telling<'a> {
    patience: &'a Patience,
    place: &'a str,
    limit: Duration,
    since: Timestamp,
    tries: u32,
    ours: bool,
}

impl Telling<'_> {
    /// One more try was in vain.
    pub(super) fn again(&mut self, why: &str) {
        self.tries += 1;
        if self.tries < SILENT_TRIES || !(self.tries - SILENT_TRIES).is_multiple_of(TRIES_BETWEEN) {
            return;
        }
        self.ours = self.ours || !self.patience.told.swap(true, Ordering::SeqCst);
        if self.ours {
            let (place, since, limit) = (self.place, time::rfc3339(self.since), time::words(self.limit));
            (self.patience.listener)(&format!(
                "the journal at {place} cannot be reached ({why}): waiting since {since}, for {limit} at most; nothing is started meanwhile"
            ));
        }
    }

    /// The wait has ended well.
    pub(super) fn over(&self) {
        if self.ours {
            (self.patience.listener)(&format!("the journal at {} is reached again", self.place));
        }
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.ours {
            self.patience.told.store(false, Ordering::SeqCst);
        }
    }
}

/// The error of a wait that has ended badly.
pub(super) fn unreachable(place: &str, why: &str) -> Error {
    let help = "check that it runs and can be reached from here; what a run has begun is there for `switchover resume`";
    Error::new(Exit::Error, format!("the journal at {place} cannot be reached"), help).because_text(why)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Tries with these results; gives what came of it, and what was said.
    async fn tried(mut results: Vec<Attempt<u8>>) -> (Result<u8>, Vec<String>) {
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let patience = Patience { listener: Arc::new(move |text| heard.lock().unwrap().push(text.to_owned())), ..Patience::default() };
        results.reverse();
        let attempt = || -> BoxFuture<'static, Attempt<u8>> {
            let next = results.pop().unwrap_or(Attempt::Lost("no route".to_owned()));
            Box::pin(async { next })
        };
        let result = patience.keep_trying("there", patience.holding, attempt).await;
        let said = said.lock().unwrap().clone();
        (result, said)
    }

    fn lost() -> Attempt<u8> {
        Attempt::Lost("connection reset".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_back_at_once_is_no_news_and_what_does_not_is_told() {
        let (result, said) = tried(vec![lost(), Attempt::Done(1)]).await;
        assert_eq!((result.unwrap(), said.len()), (1, 0));
        let (result, said) = tried(vec![lost(), lost(), lost(), Attempt::Done(1)]).await;
        assert_eq!((result.unwrap(), said.len()), (1, 2));
        assert!(said[0].contains("connection reset") && said[0].contains("waiting since") && said[1].contains("reached again"), "{said:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_has_an_end_and_a_refusal_is_one_at_once() {
        let (result, said) = tried(Vec::new()).await;
        let error = result.unwrap_err();
        assert!(error.chain().contains("there cannot be reached: no route") && error.help().contains("resume"), "{error:?}");
        assert!((25..40).contains(&said.len()), "about once a minute: {}", said.len());
        let (result, said) = tried(vec![Attempt::Refused(Error::new(Exit::Person, "no", "never"))]).await;
        assert_eq!((result.unwrap_err().chain().as_str(), said.len()), ("no", 0));
    }
}
