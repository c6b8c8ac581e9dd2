//! Ctrl-C and SIGTERM: once for the next safe point, twice for now.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::apply::engine::{Stop, StopRequest};

/// Listens from now on; says what a signal does when it comes.
pub fn listen(say: impl Fn(&str) + Send + 'static) -> Stop {
    let (sender, stop) = Stop::channel();
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            keep(&sender).await;
            return;
        };
        for request in [StopRequest::Safe, StopRequest::Now] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            say(if request == StopRequest::Safe {
                "stopping at the next safe point; once more stops now and leaves what is in flight to `switchover resume`"
            } else {
                "stopping now"
            });
            let _ = sender.send(request);
        }
        keep(&sender).await;
    });
    stop
}

/// Keeps the channel open: a closed one would look like news.
async fn keep(sender: &watch::Sender<StopRequest>) {
    sender.closed().await;
}
