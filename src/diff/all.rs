//! Comparing everything that could be read, and what holds keep as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Action, Change, DiffCx, Differ};
use crate::declare::{Declared, Desired, Hold};
use crate::model::{Address, Error, Exit, time};
use crate::observe::Observed;

/// Finds the differ of a kind by the kind's name.
pub type Differs = fn(&str) -> Option<&'static dyn Differ>;

/// What differs, or why that cannot be said, per resource.
pub type Diffed = IndexMap<Address, Result<Change, Error>>;

/// Compares these resources.
#[must_use]
pub fn diff(desired: &Desired, resources: &[&Declared], observed: &Observed, differs: Differs, refresh: &BTreeSet<Address>) -> Diffed {
    let cx = DiffCx { now: observed.at, desired, refresh };
    resources.iter().map(|declared| (declared.address.clone(), one(declared, observed, differs, &cx))).collect()
}

fn one(declared: &Declared, observed: &Observed, differs: Differs, cx: &DiffCx<'_>) -> Result<Change, Error> {
    let address = &declared.address;
    let unknown = || Error::new(Exit::Error, format!("there is no kind `{}`", address.kind), "check the block's type");
    let differ = differs(&address.kind).ok_or_else(unknown)?;
    match observed.resources.get(address).ok_or_else(unknown)? {
        Err(error) => Err(error.clone()),
        Ok(observation) => {
            let change = differ.diff(declared, observation, cx).map_err(|error| error.within(format!("cannot plan {address}")))?;
            Ok(hold(change, declared))
        }
    }
}

/// Leaves a held resource as it is: what would have been done becomes a note.
fn hold(mut change: Change, declared: &Declared) -> Change {
    let Some(hold) = &declared.common.hold else { return change };
    if change.action != Action::NoOp {
        let would = format!("without the hold it would be {}", done_to(change.action));
        change.notes.insert(0, if change.reasons.is_empty() { would } else { format!("{would}: {}", change.reasons.join("; ")) });
    }
    change.held = Some(sentence(hold));
    change.action = Action::NoOp;
    change.attributes = Arc::default();
    change.reasons.clear();
    change.exchange = super::Exchange::default();
    change.detail = None;
    change
}

fn done_to(action: Action) -> &'static str {
    match action {
        Action::NoOp => "left alone",
        Action::Create => "created",
        Action::Update => "updated",
        Action::Delete => "deleted",
        Action::Replace => "replaced",
    }
}

/// Who, why, until when: the sentence of a hold.
#[must_use]
pub fn sentence(hold: &Hold) -> String {
    let by = hold.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let why = hold.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let until = hold.until.map(|until| format!(", until {}", time::minute(until))).unwrap_or_default();
    format!("held{by}{until}{why}")
}
