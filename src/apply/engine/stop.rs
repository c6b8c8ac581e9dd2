//! How people stop a run: once for the next safe point, twice for now.

use tokio::sync::watch;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopRequest {
    /// Nothing.
    None,
    /// At the next safe point.
    Safe,
    /// At once, leaving what is in flight to `resume`.
    Now,
}

/// The engine's end of it.
#[derive(Debug, Clone)]
pub struct Stop {
    receiver: watch::Receiver<StopRequest>,
    // Keeps the channel open when nobody will ever ask.
    _sender: Option<watch::Sender<StopRequest>>,
}

impl Stop {
    /// Somebody may ask through the sender.
    #[must_use]
    pub fn channel() -> (watch::Sender<StopRequest>, Stop) {
        let (sender, receiver) = watch::channel(StopRequest::None);
        (sender, Stop { receiver, _sender: None })
    }

    /// Nobody asks.
    #[must_use]
    pub fn never() -> Stop {
        let (sender, receiver) = watch::channel(StopRequest::None);
        Stop { receiver, _sender: Some(sender) }
    }

    /// What was asked so far.
    #[must_use]
    pub fn request(&self) -> StopRequest {
        *self.receiver.borrow()
    }

    /// Resolves when something new is asked.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Resolves when it is to stop, be it at the next safe point or at once.
    pub async fn safe(&mut self) {
        self.at_least(StopRequest::Safe).await;
    }

    /// Resolves when it is to stop at once.
    pub async fn now(&mut self) {
        self.at_least(StopRequest::Now).await;
    }

    async fn at_least(&mut self, wanted: StopRequest) {
        while self.request() < wanted {
            self.changed().await;
        }
    }
}
