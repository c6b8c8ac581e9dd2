//! What the way back would need, and is gone: told before anything is turned back, since a name that is taken from the new thing can then be given to
//! nobody.

use super::program::Program;
use super::summary;
use crate::apply::journal::{RunState, Stage};
use crate::apply::operation::{Cx, Look};
use crate::plan::Step;
use crate::world::Readers;

/// Which steps that are done could not be undone, each with what is gone. What cannot be read, and what a call that is under way may hide, is not
/// among them: the way back finds these by itself.
pub async fn gone(program: &Program, state: &RunState, readers: &dyn Readers, of: impl Fn(&Step) -> bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for id in summary::to_undo(state) {
        let Some(at) = state.plan.place(&id) else { continue };
        let step = program.step(at);
        if state.at(at).stage != Stage::Done || !of(step) || is_moving(state, &step.address) {
            continue;
        }
        let Some(operation) = program.steps[at].undo.first().filter(|operation| !operation.missing_is_done()) else { continue };
        let cx = before_any_call(state, readers, &id);
        if let Ok(Look::Missing(what)) = operation.look(&cx).await {
            found.push((id, what));
        }
    }
    found
}

/// What a look gets that is made before anything is called.
#[must_use]
pub fn before_any_call<'a>(state: &'a RunState, readers: &'a dyn Readers, step: &'a str) -> Cx<'a> {
    let plan = &state.plan;
    Cx { readers, providers: &plan.providers, environment: &plan.environment, run: &plan.run, step, outputs: &state.outputs, started: None }
}

/// Whether a call of this resource may be at work.
fn is_moving(state: &RunState, address: &crate::model::Address) -> bool {
    let of_it = state.each().filter(|(step, _)| step.address == *address);
    of_it.map(|(_, folded)| folded).any(|step| match (&step.stage, &step.undo) {
        (_, Some(_)) => step.stage != Stage::Undone,
        (Stage::Called(call), None) => !call.had_no_effect(),
        _ => false,
    })
}
