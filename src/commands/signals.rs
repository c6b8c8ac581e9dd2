//! Signals. Ctrl-C and SIGTERM: once for the next safe point, twice for now. A terminal that goes away (SIGHUP) asks for the next safe point,
//! however often it is told: the kernel and the shell may both tell it. SIGQUIT stops now, and leaves no core behind in which secrets stand.

use std::fs;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::apply::engine::{Stop, StopRequest};

/// "File size limit exceeded", by its number on every system this runs on but MIPS.
const SIGXFSZ: i32 = 25;
/// SIGHUP's bit in the masks of `/proc/self/status`.
const HANGUP_BIT: u64 = 1;

/// From now on a write beyond `RLIMIT_FSIZE` is an error like a full disk's, and no sudden death.
pub fn let_file_limits_be_errors() {
    // Once it is listened to, the signal does nothing else any more, whether or not anybody reads what comes. Where that cannot be, it kills, and
    // the next command finds what a kill leaves.
    drop(signal(SignalKind::from_raw(SIGXFSZ)));
}

/// Who asks, in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Ctrl-C, SIGTERM.
    Politely,
    /// SIGHUP.
    HungUp,
    /// SIGQUIT.
    AtOnce,
}

/// The signals that stop a run.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    /// None where whoever started us had it ignored (`nohup`): the run is to outlive its terminal.
    hangup: Option<Signal>,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        let hangup = if hangup_is_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup,
        })
    }

    async fn next(&mut self) -> Asked {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Politely,
            _ = self.terminate.recv() => Asked::Politely,
            _ = self.quit.recv() => Asked::AtOnce,
            _ = hangup => Asked::HungUp,
        }
    }
}

/// Listens from now on; says what a signal does when it comes.
pub fn listen(say: impl Fn(StopRequest, &str) + Send + 'static) -> Stop {
    let (sender, stop) = Stop::channel();
    // Before the first step begins, so that no signal finds nobody at home.
    let signals = Signals::listen();
    tokio::spawn(async move {
        if let Ok(mut signals) = signals {
            let mut request = StopRequest::None;
            while request < StopRequest::Now {
                let wanted = escalate(request, signals.next().await);
                if wanted > request {
                    request = wanted;
                    // First what counts: nobody may be there to read the words.
                    let _ = sender.send(request);
                    say(request, words(request));
                }
            }
        }
        keep(&sender).await;
    });
    stop
}

/// What a signal makes of what was asked so far.
fn escalate(so_far: StopRequest, asked: Asked) -> StopRequest {
    match (so_far, asked) {
        (StopRequest::None, Asked::Politely | Asked::HungUp) => StopRequest::Safe,
        (_, Asked::HungUp) => so_far,
        (_, Asked::Politely | Asked::AtOnce) => StopRequest::Now,
    }
}

fn words(request: StopRequest) -> &'static str {
    match request {
        StopRequest::None | StopRequest::Safe => {
            "stopping at the next safe point; Ctrl-C or SIGTERM once more stops now and leaves what is in flight to `switchover resume`; an outage is brought to \
             its end first"
        }
        StopRequest::Now => "stopping now",
    }
}

/// Whether SIGHUP was ignored when this process began. Only Linux says so; elsewhere it is taken for no.
fn hangup_is_ignored() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, HANGUP_BIT))
}

fn ignores(status: &str, bit: u64) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    mask.is_some_and(|mask| mask & bit != 0)
}

/// Keeps the channel open: a closed one would look like news.
async fn keep(sender: &watch::Sender<StopRequest>) {
    sender.closed().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_goes_away_twice_still_asks_for_a_safe_point() {
        let once = escalate(StopRequest::None, Asked::HungUp);
        assert_eq!(once, StopRequest::Safe);
        assert_eq!(escalate(once, Asked::HungUp), StopRequest::Safe);
        assert_eq!(escalate(once, Asked::Politely), StopRequest::Now);
        assert_eq!(escalate(StopRequest::None, Asked::AtOnce), StopRequest::Now);
        assert_eq!(escalate(StopRequest::Now, Asked::HungUp), StopRequest::Now);
    }

    #[test]
    fn an_ignored_hangup_is_seen_in_the_mask() {
        assert!(ignores("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n", HANGUP_BIT));
        assert!(!ignores("Name:\tx\nSigIgn:\t0000000000001000\n", HANGUP_BIT));
        assert!(!ignores("", HANGUP_BIT));
    }
}
