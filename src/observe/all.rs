//! Reading everything, a bounded number of resources at a time.

use futures_util::stream::{self, StreamExt};
use indexmap::IndexMap;

use super::patient::Patient;
use super::{ObserveCx, Observed, Observer, Undeclared};
use crate::declare::{Declared, Desired};
use crate::model::{Error, Exit};
use crate::world::Readers;

/// Resources read at once.
const AT_ONCE: usize = 8;

/// Finds the observer of a kind by the kind's name.
pub type Observers = fn(&str) -> Option<&'static dyn Observer>;

/// Observes these resources. Reads that fail for the moment are tried again, patiently and a bounded number of times; what fails for good blocks its own resource
/// alone.
pub async fn observe(desired: &Desired, resources: &[&Declared], observers: Observers, readers: &dyn Readers) -> Observed {
    let at = readers.clock().now();
    let patient = Patient::new(readers);
    let cx = ObserveCx { readers: &patient, desired };
    let found: Vec<_> = stream::iter(resources.iter().copied())
        .map(|declared| {
            let cx = &cx;
            async move {
                let Some(observer) = observers(&declared.address.kind) else {
                    return (
                        declared.address.clone(),
                        Err(Error::new(Exit::Error, format!("there is no kind `{}`", declared.address.kind), "check the block's type")),
                    );
                };
                let found = observer.observe(declared, cx).await;
                (declared.address.clone(), found.map_err(|error| error.within(format!("cannot read {}", declared.address))))
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    Observed { at, resources: found.into_iter().collect::<IndexMap<_, _>>() }
}

/// Looks for what is not declared any more, kind after kind, with the same patience.
pub async fn undeclared(desired: &Desired, observers: impl Iterator<Item = &'static dyn Observer>, readers: &dyn Readers) -> Vec<Undeclared> {
    let patient = Patient::new(readers);
    let cx = ObserveCx { readers: &patient, desired };
    let mut found = Vec::new();
    for observer in observers {
        found.extend(observer.undeclared(&cx).await);
    }
    found
}
