//! Waiting for a journal that cannot be reached. A run in the middle of an outage has nothing better to do: without its journal it may not
//! start anything, and stopping would leave the outage open. As long as nobody has taken the lock its fence holds, however long it took.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::clock::{Clocks, MachineClocks};
use crate::model::{Error, Exit, Result, time};

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
}

impl Default for Patience {
    fn default() -> Self {
        Patience { before: Duration::from_secs(20), holding: Duration::from_mins(30), listener: Arc::new(|_| {}), clocks: Arc::new(MachineClocks) }
    }
}

const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A connection that is there again at once is no news.
const SILENT_TRIES: u32 = 2;
/// Said again after so many more tries: once in a minute or so.
const TRIES_BETWEEN: u32 = 12;

impl Patience {
    /// Tries until it is done, refused, or the limit is over.
    pub async fn keep_trying<'a, T>(&self, place: &str, limit: Duration, mut attempt: impl FnMut() -> BoxFuture<'a, Attempt<T>> + Send) -> Result<T> {
        let last = std::sync::Mutex::new(format!("no answer within {}", time::words(limit)));
        let tries = async {
            let (since, mut pause, mut tries) = (self.clocks.wall(), PAUSE_FIRST, 0_u32);
            loop {
                match attempt().await {
                    Attempt::Done(done) => {
                        if tries >= SILENT_TRIES {
                            (self.listener)(&format!("the journal at {place} is reached again"));
                        }
                        return Ok(done);
                    }
                    Attempt::Refused(error) => return Err(error),
                    Attempt::Lost(why) => {
                        tries += 1;
                        if tries >= SILENT_TRIES && (tries - SILENT_TRIES).is_multiple_of(TRIES_BETWEEN) {
                            let (since, limit) = (time::rfc3339(since), time::words(limit));
                            (self.listener)(&format!(
                                "the journal at {place} cannot be reached ({why}): waiting since {since}, for {limit} at most; nothing is started meanwhile"
                            ));
                        }
                        *last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = why;
                    }
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        };
        if let Ok(ended) = tokio::time::timeout(limit, tries).await {
            return ended;
        }
        let why = last.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Err(unreachable(place, &why))
    }
}

fn unreachable(place: &str, why: &str) -> Error {
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
