//! The faults of a cell as they happen: which call is hit by which, and what a person has lifted.

use std::sync::{Arc, Mutex};

use switchover::world::sim::{CallInfo, Fault, Hook};

use super::cell::{Planned, Times, What};

/// A fault that may still hit.
struct Live {
    planned: Planned,
    /// The name of the calls that it hits, once it has hit one.
    call: Option<&'static str>,
    left: u64,
}

#[derive(Default)]
struct Inner {
    calls: u64,
    live: Vec<Live>,
    hits: Vec<String>,
}

/// The faults of one cell, over all its processes.
#[derive(Clone)]
pub struct Script(Arc<Mutex<Inner>>);

/// What a person mends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    /// Renews credentials.
    Credentials,
    /// Mends what a service refuses.
    Refusal,
    /// Waits some minutes, hours if need be: limits of rates, and services that fail, pass.
    Wait,
    /// Mends the way to a server that could not be reached.
    Network,
}

impl Script {
    pub fn new(faults: &[Planned]) -> Self {
        let left = |times| match times {
            Times::Once => 1,
            Times::Five => 5,
            Times::ForGood => u64::MAX,
        };
        let live = faults.iter().map(|planned| Live { planned: *planned, call: None, left: left(planned.times) }).collect();
        Script(Arc::new(Mutex::new(Inner { live, ..Inner::default() })))
    }

    /// For one process of the run.
    pub fn hook(&self) -> Hook {
        let script = self.clone();
        Box::new(move |info| script.0.lock().unwrap().next(info))
    }

    /// Does what a report asks for, about the calls that it names, and nothing else. Says whether there was anything to mend.
    pub fn mend(&self, mend: Mend, told: &str) -> bool {
        let mut inner = self.0.lock().unwrap();
        let mut found = false;
        for live in &mut inner.live {
            let named = live.call.is_some_and(|call| told.contains(call));
            let same = match live.planned.what {
                What::Denied => mend == Mend::Credentials,
                What::Refused => mend == Mend::Refusal,
                // A database server that fails before anything happens closes the connection.
                What::ErrorBefore if live.call.is_some_and(|call| call.starts_with("postgres:")) => matches!(mend, Mend::Network | Mend::Wait),
                _ => mend == Mend::Wait,
            };
            if named && same {
                live.left = 0;
                found = true;
            }
        }
        found
    }

    /// Everything is well again.
    pub fn lift_all(&self) {
        self.0.lock().unwrap().live.clear();
    }

    /// What was hit, in order.
    pub fn hits(&self) -> Vec<String> {
        self.0.lock().unwrap().hits.clone()
    }
}

impl Inner {
    fn next(&mut self, info: &CallInfo) -> Option<Fault> {
        self.calls += 1;
        let calls = self.calls;
        let live = self.live.iter_mut().find(|live| live.left > 0 && (live.planned.at == calls || live.call == Some(info.call)))?;
        live.call = Some(info.call);
        live.left -= 1;
        if self.hits.len() < 200 {
            self.hits.push(format!("call {calls}, {} {}: {}", info.call, info.target, live.planned));
        }
        Some(fault(live.planned.what))
    }
}

fn fault(what: What) -> Fault {
    let error = |after_effect| Fault::ServerError { status: Some(500), after_effect, retry_after_seconds: None };
    let refusal = |code: &str| Fault::Refusal { code: code.to_owned(), message: "not now".to_owned() };
    match what {
        What::ReplyLost => Fault::ReplyLost {},
        What::Throttled => Fault::Throttle { retry_after_seconds: None },
        What::ErrorBefore => error(false),
        What::ErrorAfter => error(true),
        What::Refused => refusal("InvalidParameterValue"),
        What::Busy => refusal("InvalidDBInstanceState"),
        What::Denied => Fault::Denied { code: "ExpiredToken".to_owned(), message: "the credentials have expired".to_owned() },
        What::Slow => Fault::Slow { seconds: 600 },
        What::NeverAnswered => Fault::Hang { after_effect: false },
        What::NeverAnsweredAfter => Fault::Hang { after_effect: true },
        What::LateSecond => Fault::LateVisibility { seconds: 1 },
        What::LateMinute => Fault::LateVisibility { seconds: 240 },
        What::LateHour => Fault::LateVisibility { seconds: 3_600 },
        What::Garbage => Fault::Garbage {},
    }
}
