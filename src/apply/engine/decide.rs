//! What to do after a look: a plain function over data, the same for first runs, retries, resumes and undoing.

use std::time::Duration;

use crate::apply::journal::Answer;
use crate::apply::journal::fold::Call;
use crate::apply::operation::{Look, Outputs, Progress};
use crate::model::time::{self, Timestamp};
use crate::plan::Limits;

/// Calls of one operation by one process, at most: after that a person should look.
pub const ATTEMPTS_MAX: u32 = 12;

/// Where an operation stands besides what its look said.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any of them goes with any other")]
pub struct Situation<'a> {
    /// The world's time.
    pub now: Timestamp,
    /// When this process took the operation up.
    pub began: Timestamp,
    /// How far its call came.
    pub call: Option<&'a Call>,
    /// Its limits.
    pub limits: &'a Limits,
    /// Whether it has anything to start.
    pub starts: bool,
    /// Whether a look has shown, after a refusal, that the thing was busy with something else: then it may be asked again.
    pub explained: bool,
    /// Whether all that is waited for is the effect of the call that is to be undone, which the service has taken.
    pub awaited: bool,
    /// Since when what it works on is seen nowhere, look after look.
    pub missing_since: Option<Timestamp>,
    /// Whether nothing is left to do where what it works on is gone.
    pub missing_is_done: bool,
    /// Whether the service itself refuses, or does not notice, a second call.
    pub repeat_is_safe: bool,
    /// What a person can do about a conflict.
    pub on_conflict: &'static str,
}

/// What to do.
#[derive(Debug, PartialEq)]
pub enum Decision {
    /// Its effect is there.
    Finish(Outputs, String),
    /// Look again later.
    Wait(Progress),
    /// Make the call.
    Start,
    /// Give up: why, and what a person can do.
    Fail(String, String),
    /// Give up for good: what it works on is gone. What that is.
    Gone(String),
    /// Give up as well: what the service has taken does not show.
    Unseen(String, String),
}

/// Decides.
#[must_use]
pub fn decide(look: Look, situation: &Situation<'_>) -> Decision {
    let late = time::between(situation.began, situation.now) > situation.limits.timeout;
    let timeout = |what: &str| {
        Decision::Fail(
            format!("{what} after {}, the step's limit", time::words(situation.limits.timeout)),
            "see in the service what holds it up; a longer limit can be declared in the resource's `timeouts`".to_owned(),
        )
    };
    match look {
        Look::Done { outputs, detail } => Decision::Finish(outputs, detail),
        Look::Missing(what) => missing(what, situation),
        Look::Conflict(why) => Decision::Fail(why, situation.on_conflict.to_owned()),
        Look::Settling(_) if late && situation.awaited => unseen(situation.limits.timeout),
        Look::Settling(progress) if late => timeout(&format!("still {}", progress.status)),
        Look::Settling(progress) => Decision::Wait(progress),
        Look::Pending if !situation.starts && late => timeout("not there"),
        Look::Pending if !situation.starts => Decision::Wait(Progress::status("waiting")),
        Look::Pending => pending(situation, late).unwrap_or_else(|| match situation.call.and_then(|call| call.answer.as_ref()) {
            // What held it up is known: a person must hear of that, not of the limit alone.
            Some(Answer::Nothing { error, .. } | Answer::Unknown { error }) => Decision::Fail(
                format!("not done after {}, the step's limit; the last call: {error}", time::words(situation.limits.timeout)),
                NOT_TAKEN.to_owned(),
            ),
            Some(Answer::Good) => unseen(situation.limits.timeout),
            None => timeout("not done"),
        }),
    }
}

/// An RDS rename hides its instance for eight minutes at most, by all that is known.
const HIDDEN_MAX: Duration = Duration::from_mins(10);

const NOT_TAKEN: &str = "the service does not take the call: wait some minutes";

/// What a person does where nothing is seen of a call.
pub const NOT_SHOWN: &str = "wait until the service shows it, or see there that nothing came of it";

/// What is seen nowhere is gone when it has not shown for longer than any service hides it.
fn missing(what: String, situation: &Situation<'_>) -> Decision {
    let given_up = situation.missing_since.is_some_and(|since| time::between(since, situation.now) > HIDDEN_MAX);
    match (given_up, situation.missing_is_done) {
        (false, _) => Decision::Wait(Progress::status("not visible under any name")),
        (true, true) => Decision::Finish(Outputs::new(), format!("{what} is gone, and with it what was to be done")),
        (true, false) => Decision::Gone(what),
    }
}

/// A call was taken, and nothing came of it for so long.
fn unseen(within: Duration) -> Decision {
    Decision::Unseen(format!("the service took the call, and its effect did not show within {}", time::words(within)), NOT_SHOWN.to_owned())
}

/// The effect is not seen. None: the step's time is over.
fn pending(situation: &Situation<'_>, late: bool) -> Option<Decision> {
    let Some(call) = situation.call else { return Some(Decision::Start) };
    let seen_late = time::between(call.last, situation.now) > situation.limits.visibility;
    let again = |why: &str| {
        if call.attempts.saturating_sub(call.earlier) >= ATTEMPTS_MAX {
            Decision::Fail(format!("given up after {} calls; the last one {why}", call.attempts), NOT_TAKEN.to_owned())
        } else {
            Decision::Start
        }
    };
    match &call.answer {
        Some(Answer::Nothing { passing, .. }) if call.doubt && !seen_late && !(*passing && situation.repeat_is_safe) => {
            Some(Decision::Wait(Progress::status("refused; an earlier call may be at work, looking")))
        }
        Some(Answer::Nothing { error, passing: false }) if !situation.explained => {
            Some(Decision::Fail(error.clone(), "read the service's words above; mend what they name".to_owned()))
        }
        _ if late => None,
        Some(Answer::Nothing { error, .. }) => Some(again(error)),
        // Who was told and goes on all the same has looked into the service, and found that nothing came of it.
        Some(Answer::Good) if seen_late && call.told => Some(again("was taken, and nothing came of it")),
        Some(Answer::Good) if seen_late => Some(unseen(situation.limits.visibility)),
        Some(Answer::Good) => Some(Decision::Wait(Progress::status("not visible yet"))),
        Some(Answer::Unknown { error }) if situation.repeat_is_safe || seen_late => Some(again(error)),
        None if situation.repeat_is_safe || seen_late => Some(again("was not answered before the process ended")),
        Some(Answer::Unknown { .. }) | None => Some(Decision::Wait(Progress::status("outcome unknown, looking"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            timeout: Duration::from_mins(10),
            visibility: Duration::from_mins(1),
            poll: Duration::from_secs(15),
            expected: Duration::from_secs(10),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn call(answer: Option<Answer>, attempts: u32) -> Call {
        Call { first: at(0), last: at(0), attempts, earlier: 0, doubt: false, taken: false, told: false, may_repeat: false, answer, out: false }
    }

    fn pending_at(second: i64, call: Option<&Call>, repeat_is_safe: bool) -> Decision {
        let limits = limits();
        decide(
            Look::Pending,
            &Situation {
                now: at(second),
                began: at(0),
                call,
                limits: &limits,
                starts: true,
                explained: false,
                awaited: false,
                missing_since: None,
                missing_is_done: false,
                repeat_is_safe,
                on_conflict: "see",
            },
        )
    }

    #[test]
    fn a_call_goes_out_once_and_its_effect_is_waited_for() {
        let good = call(Some(Answer::Good), 1);
        assert_eq!(pending_at(0, None, false), Decision::Start);
        assert!(matches!(pending_at(30, Some(&good), true), Decision::Wait(_)), "never again after a good answer");
        assert!(matches!(pending_at(61, Some(&good), true), Decision::Unseen(..)));
        assert!(matches!(pending_at(601, Some(&good), true), Decision::Unseen(..)));
        let told = Call { told: true, ..good };
        assert!(matches!(pending_at(30, Some(&told), true), Decision::Wait(_)), "whoever goes on waits for it as well");
        assert_eq!(pending_at(61, Some(&told), true), Decision::Start, "a person has looked, and nothing came of it");
    }

    #[test]
    fn an_unknown_outcome_is_repeated_only_where_a_second_call_does_no_harm_or_late() {
        for lost in [None, Some(Answer::Unknown { error: "cut".to_owned() })] {
            let lost = call(lost, 1);
            assert_eq!(pending_at(1, Some(&lost), true), Decision::Start);
            assert!(matches!(pending_at(1, Some(&lost), false), Decision::Wait(_)));
            assert_eq!(pending_at(61, Some(&lost), false), Decision::Start);
            assert!(matches!(pending_at(601, Some(&lost), false), Decision::Fail(..)));
        }
    }

    #[test]
    fn a_refusal_is_final_and_a_throttled_call_is_tried_again_a_bounded_number_of_times() {
        let refused = call(Some(Answer::Nothing { error: "InvalidParameterValue".to_owned(), passing: false }), 1);
        assert!(matches!(pending_at(1, Some(&refused), true), Decision::Fail(why, _) if why == "InvalidParameterValue"));
        let throttled = |attempts| call(Some(Answer::Nothing { error: "Throttling".to_owned(), passing: true }), attempts);
        assert_eq!(pending_at(1, Some(&throttled(1)), true), Decision::Start);
        assert!(matches!(pending_at(1, Some(&throttled(ATTEMPTS_MAX)), true), Decision::Fail(..)));
        let resumed = Call { earlier: ATTEMPTS_MAX, ..throttled(ATTEMPTS_MAX) };
        assert_eq!(pending_at(1, Some(&resumed), true), Decision::Start, "who goes on may try again");
    }

    #[test]
    fn a_refusal_after_an_unknown_outcome_may_mean_that_the_first_call_is_at_work() {
        let refused = Call { doubt: true, ..call(Some(Answer::Nothing { error: "InvalidDBInstanceState".to_owned(), passing: false }), 2) };
        assert!(matches!(pending_at(30, Some(&refused), true), Decision::Wait(_)));
        assert!(matches!(pending_at(61, Some(&refused), true), Decision::Fail(..)));
        // Busy perhaps with that very call: it is not made a second time while its effect may show, unless that does no harm.
        let busy = Call { doubt: true, ..call(Some(Answer::Nothing { error: "not now".to_owned(), passing: true }), 2) };
        assert!(matches!(pending_at(30, Some(&busy), false), Decision::Wait(_)));
        assert_eq!(pending_at(61, Some(&busy), false), Decision::Start);
        assert_eq!(pending_at(30, Some(&busy), true), Decision::Start);
    }

    #[test]
    fn a_person_hears_what_held_a_step_up_until_its_limit() {
        let throttled = call(Some(Answer::Nothing { error: "x:Y was throttled".to_owned(), passing: true }), 3);
        let Decision::Fail(why, _) = pending_at(601, Some(&throttled), true) else { panic!("it goes on") };
        assert!(why.contains("x:Y was throttled"), "{why}");
    }

    #[test]
    fn what_nobody_sees_is_hidden_for_minutes_and_then_gone() {
        let limits = Limits { timeout: Duration::from_mins(30), ..limits() };
        let missing = |second, missing_is_done| {
            let situation = Situation {
                missing_since: Some(at(5_000)),
                now: at(second),
                began: at(0),
                call: None,
                limits: &limits,
                starts: true,
                explained: false,
                awaited: false,
                missing_is_done,
                repeat_is_safe: true,
                on_conflict: "see",
            };
            decide(Look::Missing("the instance db-X".to_owned()), &situation)
        };
        assert!(matches!(missing(5_600, false), Decision::Wait(_)), "a rename may hide it");
        assert_eq!(missing(5_601, false), Decision::Gone("the instance db-X".to_owned()));
        assert!(matches!(missing(5_601, true), Decision::Finish(_, detail) if detail.contains("db-X is gone")));
    }

    #[test]
    fn what_is_done_is_done_however_late_and_however_it_came_about() {
        let refused = call(Some(Answer::Nothing { error: "AlreadyExists".to_owned(), passing: false }), 2);
        let limits = limits();
        let situation = Situation {
            now: at(9_999),
            began: at(0),
            call: Some(&refused),
            limits: &limits,
            starts: true,
            explained: false,
            awaited: false,
            missing_since: None,
            missing_is_done: false,
            repeat_is_safe: false,
            on_conflict: "see",
        };
        assert_eq!(decide(Look::done(), &situation), Decision::Finish(Outputs::new(), String::new()));
        assert!(matches!(decide(Look::Settling(Progress::status("creating")), &situation), Decision::Fail(why, _) if why.contains("still creating")));
    }
}
