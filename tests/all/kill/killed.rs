//! One trial with SIGKILL: up to three processes of a run die, one after the other, and the last one brings it to its end.

use std::time::Duration;

use super::process::{Mortal, Said};
use super::stage::{Baseline, Case, Stage};
use super::{Told, moment, verdict};
use crate::support::journals::Journals;

/// What is started next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Apply,
    Resume,
    RollBack,
}

impl Next {
    fn word(self) -> &'static str {
        match self {
            Next::Apply => "apply",
            Next::Resume => "resume",
            Next::RollBack => "rollback",
        }
    }

    fn start(self, stage: &Stage) -> Mortal {
        match self {
            Next::Apply => stage.start(&["apply", "plan.json", "--json", "-v"]),
            Next::Resume => stage.start(&["resume", stage.case.environment, "--json", "-v"]),
            Next::RollBack => stage.start(&["rollback", stage.case.environment, "--yes", "--json", "-v"]),
        }
    }

    /// After what the journal says: a run that was never begun is applied, one that was can go on or back.
    fn draw(stage: &Stage, rng: &mut fastrand::Rng) -> Next {
        match (stage.entries().is_empty(), rng.bool()) {
            (true, _) => Next::Apply,
            (false, true) => Next::Resume,
            (false, false) => Next::RollBack,
        }
    }
}

/// Lets a process live until a random moment: of its way to the first event, or of the time after one of them.
fn wait_for_moment(mortal: &Mortal, baseline: &Baseline, first: bool, rng: &mut fastrand::Rng) {
    if rng.u8(..8) == 0 {
        std::thread::sleep(baseline.before.mul_f64(rng.f64() * 1.2));
        return;
    }
    // Who goes on with a run has less to tell than who does it all.
    let share = if first { rng.f64() } else { rng.f64() * rng.f64() };
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some tens of events")]
    let wanted = (baseline.events as f64 * share) as u64;
    mortal.until_events(wanted.max(1));
    let gap = baseline.during.checked_div(u32::try_from(baseline.events).unwrap()).unwrap_or(Duration::ZERO);
    std::thread::sleep(gap.mul_f64(rng.f64() * 2.0));
}

pub fn trial(case: &Case, baseline: &Baseline, journal: &Journals, seed: u64) -> Told {
    let mut rng = fastrand::Rng::with_seed(seed);
    let stage = Stage::new(case, journal, &format!("kill-{seed}-{}", fastrand::u32(..)));
    stage.plan();
    let original = stage.essence();
    let (mut rows, mut next) = (Vec::new(), Next::Apply);
    for strike in 0..rng.u8(1..=3) {
        let mortal = next.start(&stage);
        wait_for_moment(&mortal, baseline, strike == 0, &mut rng);
        let killed = next;
        if let Err(said) = mortal.kill() {
            ended_well(&stage, killed, &said);
            rows.push((format!("{} had ended", killed.word()), "nothing".to_owned()));
            break;
        }
        let fell = moment::of(&stage.entries());
        next = Next::draw(&stage, &mut rng);
        rows.push((format!("{}: {fell}", killed.word()), next.word().to_owned()));
    }
    finish(&stage, next);
    let outcome = verdict::check(&stage, &stage.effects(), baseline, &original);
    if outcome == verdict::ORIGINAL && rng.u8(..4) == 0 {
        let again = stage.run(&["apply", case.environment, "--yes", "--json", "-v"]);
        assert_eq!(again.code, Some(0), "{}: after the way back: {again}", stage.place());
        let left = stage.run(&["plan", case.environment, "--detailed-exitcode"]);
        assert_eq!(left.code, Some(0), "{}: after the way back and another run: {left}", stage.place());
    }
    stage.done();
    Told { rows, outcome }
}

/// Brings the run to its end, and insists that going on once more finds nothing to do.
fn finish(stage: &Stage, next: Next) {
    let said = next.start(stage).end();
    ended_well(stage, next, &said);
    if said.code == Some(1) || next == Next::Apply {
        // What is gone cannot be turned back: then the run goes on.
        ended_well(stage, Next::Resume, &Next::Resume.start(stage).end());
    }
    let nothing = Next::Resume.start(stage).end();
    assert_eq!(nothing.code, Some(0), "{}: nothing is left to resume: {nothing}", stage.place());
}

/// A command ends with 0; a rollback is refused where something is gone; a plan that has been applied to its end is not applied again.
fn ended_well(stage: &Stage, what: Next, said: &Said) {
    let entries = stage.entries();
    let over = verdict::state(&entries).is_some_and(|state| state.finished.is_some());
    let fine = match (what, said.code) {
        (_, Some(0)) => true,
        (Next::RollBack, Some(1)) => verdict::is_gone(&entries) && said.err.contains("cannot be rolled back"),
        (Next::Apply, Some(6)) => over,
        _ => false,
    };
    assert!(fine, "{}: {} ended badly: {said}", stage.place(), what.word());
}
