//! What can have happened after what happened before. An engine writes nothing else, so whatever does not fit was not written by one.

use super::fold::{RunState, Stage, Standing};
use crate::apply::event::Summary;
use crate::plan::Undo;

impl RunState {
    /// Whether a step may be looked at, called or done: the run goes forward, and what it waits for is done.
    pub(super) fn may_go_forward(&self, step: &str) -> Result<(), String> {
        let planned = self.plan.step(step).ok_or_else(|| format!("{step} is not a step of the plan"))?;
        if self.turned_back.is_some() {
            return Err(format!("{step} goes on in a run that is turned back"));
        }
        match planned.after.iter().find(|before| self.step(before).stage != Stage::Done) {
            Some(before) => Err(format!("{step} comes before {before}, which it waits for")),
            None => Ok(()),
        }
    }

    /// Whether an operation of a step's way back may be called: the run goes back, the step was called, and no other call is under way.
    pub(super) fn may_go_back(&self, step: &str, index: usize) -> Result<(), String> {
        let planned = self.plan.step(step).ok_or_else(|| format!("{step} is not a step of the plan"))?;
        if self.turned_back.is_none() {
            return Err(format!("{step} is undone in a run that was not turned back"));
        }
        let known = matches!(&planned.undo, Undo::Operations { operations, .. } if index < operations.len());
        let state = self.step(step);
        if !known || !state.called || state.stage == Stage::Undone || self.is_called_now() {
            return Err(format!("{step} is undone out of turn"));
        }
        Ok(())
    }

    /// Whether a step, or its way back, can have failed.
    pub(super) fn may_fail(&self, step: &str, undo: bool, unseen: bool) -> Result<(), String> {
        let state = self.step(step);
        let awaited = match (&state.undo, &state.stage) {
            (Some((_, call)), _) | (None, Stage::Called(call)) => Some(call),
            _ => None,
        };
        if unseen && !awaited.is_some_and(|call| call.taken) {
            return Err(format!("{step} fails for an effect that does not show, of a call that was not taken"));
        }
        if state.is_called_now() {
            return Err(format!("{step} fails while an answer for it is awaited"));
        }
        if !undo {
            self.may_go_forward(step)?;
            return if state.stage == Stage::Done { Err(format!("{step} fails after it was done")) } else { Ok(()) };
        }
        if self.turned_back.is_none() || !state.called || state.stage == Stage::Undone {
            return Err(format!("the way back of {step} fails out of turn"));
        }
        Ok(())
    }

    /// The run goes back from here on.
    pub(super) fn turn_back(&mut self, why: &str) -> Result<(), String> {
        if self.turned_back.is_some() || self.is_called_now() {
            return Err("the run is turned back twice, or while answers are awaited".to_owned());
        }
        self.turned_back = Some(why.to_owned());
        Ok(())
    }

    /// A summary tells what became of the steps, and nothing else.
    pub(super) fn must_tell(&self, summary: &Summary) -> Result<(), String> {
        let lists = [
            (Standing::Done, &summary.done),
            (Standing::Undone, &summary.undone),
            (Standing::InFlight, &summary.in_flight),
            (Standing::NotStarted, &summary.not_started),
        ];
        for (standing, told) in lists {
            let steps = self.each().filter(|(_, state)| state.standing() == standing);
            if !steps.map(|(step, _)| &step.id).eq(told) {
                return Err("its last word tells something else than what happened".to_owned());
            }
        }
        Ok(())
    }
}
