//! The steps of a database, out of what is to be done with it. Pure.

mod builder;
mod in_place;
mod left_over;
mod prune;
mod refresh;
mod retire;

use super::intent::Intent;
use super::observe::Seen;
use crate::plan::{Part, PlanCx};

use builder::Builder;
pub use prune::prune;

/// The whole part of one database. What cannot be done is an error of the diff already.
#[must_use]
pub fn plan(intent: &Intent, seen: &Seen, cx: &PlanCx<'_>) -> Part {
    let mut builder = Builder::new(intent, cx);
    left_over::recover(&mut builder);
    left_over::remove(&mut builder);
    retire::settled(&mut builder);
    if let Some(refreshing) = &intent.refresh {
        retire::finish(&mut builder);
        refresh::facts(&mut builder, refreshing);
        refresh::steps(&mut builder, refreshing);
    } else {
        // What is retired comes after all that could still be turned back.
        in_place::steps(&mut builder);
        retire::finish(&mut builder);
    }
    let mut part = builder.into_part();
    let wanted = &intent.wanted;
    let place = format!("{}/{}", seen.account, seen.region);
    part.locks = [&wanted.name, &wanted.next, &wanted.old].into_iter().map(|name| format!("rds:{place}/{name}")).collect();
    part.world.insert(wanted.provider.clone(), place);
    part.providers.insert(wanted.provider.clone());
    part
}

#[cfg(test)]
mod tests;
