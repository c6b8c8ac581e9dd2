//! The session with the server: made again when it is lost, with limits on everything, and errors in words that name no password.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio_postgres::{Client, Error as PgError};

use super::url::Place;
use crate::apply::journal::patience::{Attempt, Patience};
use crate::model::{Error, Exit, Redactor, Result, time};
use crate::world::postgres::{NoSession, Sessions, errors};

/// Until a session stands.
const CONNECT_MAX: Duration = Duration::from_secs(15);
/// One statement, as the server counts it; also how long it waits for rows that others hold.
const STATEMENT_MAX_SECONDS: u64 = 60;
/// One exchange, as we count it: a plan of a hundred megabytes has to get there.
const EXCHANGE_MAX: Duration = Duration::from_secs(90);
/// The words of an error.
const WORDS_MAX: usize = 400;

/// One store's session.
pub struct Link {
    sessions: Sessions,
    place: String,
    redactor: Redactor,
    shared: Mutex<Option<Arc<Client>>>,
    patience: Patience,
}

impl Link {
    /// Nothing is sent yet.
    pub fn new(place: &Place, patience: Patience) -> Result<Self> {
        let shown = place.shown();
        let sessions = Sessions::new(&place.target, place.password.as_deref(), CONNECT_MAX).map_err(|why| {
            Error::new(Exit::Error, format!("the journal at {shown} cannot be opened"), "check sslmode and sslrootcert in its URL").because_text(why)
        })?;
        Ok(Link { sessions, place: shown, redactor: Redactor::new(place.password.clone()), shared: Mutex::new(None), patience })
    }

    /// For people: the URL without its password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// How long questions are tried.
    pub fn before(&self) -> Duration {
        self.patience.before
    }

    /// How long records of a run under way are tried.
    pub fn holding(&self) -> Duration {
        self.patience.holding
    }

    /// Works in the shared session, again after it was lost, until the limit is over. Work that is tried again has to find out by itself
    /// what the last try did.
    pub async fn work<'a, T: Send>(
        &'a self,
        limit: Duration,
        work: impl Fn(Arc<Client>) -> BoxFuture<'a, Result<T, PgError>> + Send + Sync,
    ) -> Result<T> {
        let work = &work;
        let one = || -> BoxFuture<'_, Attempt<T>> {
            Box::pin(async move {
                match self.shared().await {
                    Ok(client) => self.judged(work(client)).await,
                    Err(attempt) => attempt,
                }
            })
        };
        self.patience.keep_trying(&self.place, limit, one).await
    }

    /// Works in a session of its own, for transactions of several statements, again after it was lost, until the limit is over.
    pub async fn work_alone<'a, T: Send>(
        &'a self,
        limit: Duration,
        work: impl Fn(Client) -> BoxFuture<'a, Result<T, PgError>> + Send + Sync,
    ) -> Result<T> {
        let work = &work;
        let one = || -> BoxFuture<'_, Attempt<T>> {
            Box::pin(async move {
                match self.open().await {
                    Ok(client) => self.judged(work(client)).await,
                    Err(attempt) => attempt,
                }
            })
        };
        self.patience.keep_trying(&self.place, limit, one).await
    }

    async fn judged<T>(&self, work: BoxFuture<'_, Result<T, PgError>>) -> Attempt<T> {
        let lost = match tokio::time::timeout(EXCHANGE_MAX, work).await {
            Ok(Ok(done)) => return Attempt::Done(done),
            Ok(Err(error)) if passes(&error) => self.words(&error),
            Ok(Err(error)) => return Attempt::Refused(self.refused(&error)),
            Err(_) => format!("no answer within {}", time::words(EXCHANGE_MAX)),
        };
        *self.shared.lock().await = None;
        Attempt::Lost(lost)
    }

    async fn shared<T>(&self) -> Result<Arc<Client>, Attempt<T>> {
        let mut shared = self.shared.lock().await;
        if let Some(client) = shared.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.open().await?);
        *shared = Some(Arc::clone(&client));
        Ok(client)
    }

    async fn open<T>(&self) -> Result<Client, Attempt<T>> {
        let client = self.sessions.open().await.map_err(|why| match why {
            NoSession::Failed(error) if passes(&error) => Attempt::Lost(self.words(&error)),
            NoSession::Failed(error) => Attempt::Refused(self.refused(&error)),
            NoSession::TimedOut(limit) => Attempt::Lost(format!("no session within {}", time::words(limit))),
        })?;
        let limits = format!(
            "SET statement_timeout = '{STATEMENT_MAX_SECONDS}s'; SET lock_timeout = '{STATEMENT_MAX_SECONDS}s'; SET idle_in_transaction_session_timeout \
             = '{STATEMENT_MAX_SECONDS}s'; SET default_transaction_isolation = 'read committed'"
        );
        match self.judged_once(client.batch_execute(&limits)).await {
            Attempt::Done(()) => Ok(client),
            Attempt::Lost(why) => Err(Attempt::Lost(why)),
            Attempt::Refused(error) => Err(Attempt::Refused(error)),
        }
    }

    async fn judged_once(&self, work: impl Future<Output = Result<(), PgError>>) -> Attempt<()> {
        match tokio::time::timeout(CONNECT_MAX, work).await {
            Ok(Ok(())) => Attempt::Done(()),
            Ok(Err(error)) if passes(&error) => Attempt::Lost(self.words(&error)),
            Ok(Err(error)) => Attempt::Refused(self.refused(&error)),
            Err(_) => Attempt::Lost(format!("no answer within {}", time::words(CONNECT_MAX))),
        }
    }

    /// What the server refused, and what a person can do.
    fn refused(&self, error: &PgError) -> Error {
        let state = error.code().map_or("", |code| code.code());
        let help = match state {
            "25006" => "this server takes no writes (a standby, or read-only by its settings): let the journal's URL name the primary",
            "42501" => "give the role the rights that docs/journals.md lists, or let a role that may create tables run the tool once",
            "28000" | "28P01" => "check role and password in the journal's URL",
            "3D000" => "make the database, or name another one in the journal's URL",
            state if state.starts_with("53") => "its disk is full, or another resource of the server: make room; `switchover resume` goes on",
            _ => "see the server's words; what a run has begun is there for `switchover resume`",
        };
        let refused = Error::new(Exit::Error, format!("the journal at {} refuses", self.place), help);
        refused.because_text(if state.is_empty() { self.words(error) } else { format!("{} ({state})", self.words(error)) })
    }

    /// The server's words, on one line, without the password.
    fn words(&self, error: &PgError) -> String {
        let hidden = self.redactor.hide(&errors::words(error));
        let line = hidden.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        line.chars().take(WORDS_MAX).collect()
    }
}

/// Whether the same may go well a little later, or has gone well already and only the answer is lost.
fn passes(error: &PgError) -> bool {
    let Some(code) = error.code() else {
        // What is not the server's word and not the connection's end is a mistake of ours in reading.
        return error.is_closed() || errors::is_io(error);
    };
    match code.code() {
        // Serialization failure, deadlock, a lock or a statement that took too long, too many connections.
        "40001" | "40P01" | "55P03" | "57014" | "53300" => true,
        // Connection failures; shutting down, starting up.
        state => state.starts_with("08") || state.starts_with("57P"),
    }
}
