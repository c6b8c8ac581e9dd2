//! What an earlier run may have left, told from names and marks alone. Pure.
//!
//! | NAME | OLD | NEXT | what it was | what is done |
//! |---|---|---|---|---|
//! | there | - | - | nothing, or the tagging of the old one | nothing special |
//! | there | - | ours | a run ended before its switch | NEXT is removed; when the same run had marked NAME, a rename of it is waited for first |
//! | there | ours | - | a run ended while it retired, or keeps the old one | retiring is finished, or the time is waited for |
//! | there | ours | ours | the old one is kept, and a later run ended before its switch | both of the above |
//! | - | ours | any | a run ended in its switch | OLD gets its name back; NEXT is removed |
//! | - | - | ours | a rename hides the old one, or there never was one | it gets its name back, unless it does not show in time; or all begins anew |
//! | any | foreign | any | someone else's | a conflict; never touched |
//! | any | any | foreign | someone else's | a conflict; never touched |

use std::time::Duration;

use super::desired::Wanted;
use super::marks;
use super::observe::Seen;
use super::operations::Rival;
use crate::model::time::{self, Timestamp};
use crate::model::{Error, Exit, Result};
use crate::world::rds::Instance;

/// A rename that was begun is seen no later than this, under the new name and with an endpoint, by all that is known.
const RENAME_ENDS_AFTER: Duration = Duration::from_mins(8);
/// The status says no later than this that one is under way.
const RENAME_SHOWS_AFTER: Duration = Duration::from_mins(2);

/// The name is to be given back.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// To which instance.
    pub resource_id: String,
    /// When another rename may be under way: not before this.
    pub not_before: Option<Timestamp>,
    /// Which may be on its way to the same name.
    pub rival: Option<Rival>,
    /// Seen by nobody until then it is gone for good: somebody has deleted it meanwhile.
    pub gone_by: Option<Timestamp>,
    /// Tags of that instance, for the guard; none when it is hidden.
    pub tags: marks::Tags,
    /// Whether the instance has its name still, and only may lose it.
    pub precaution: bool,
}

/// The instance that was replaced is still there.
#[derive(Debug, Clone, PartialEq)]
pub struct Retiring {
    /// It.
    pub old: Instance,
    /// When it may be deleted. None: the run that replaced it came to no end.
    pub keep_until: Option<Timestamp>,
    /// Not before this, since a rename may be under way.
    pub not_before: Option<Timestamp>,
}

/// The situation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scene {
    /// The instance that has, or shall have again, the name.
    pub base: Option<Instance>,
    /// The name is to be given back first.
    pub recover: Option<Recovery>,
    /// Under `next_name`, ours, to be removed.
    pub leftover: Option<Instance>,
    /// Under `old_name`, ours.
    pub retiring: Option<Retiring>,
}

fn foreign(name: &str, role: &str, instance: &Instance) -> Error {
    let owner = match instance.tags.get(marks::RESOURCE) {
        None => "it has no tags of ours".to_owned(),
        Some(_) if marks::is_copy(instance) => "it is younger than its tags: it was restored from a snapshot, which handed them on".to_owned(),
        Some(other) => format!("its tags say that it belongs to {other}"),
    };
    Error::new(
        Exit::Error,
        format!("an instance {name} is there that is not ours ({owner})"),
        format!("it is never touched: remove or rename it, or set {role} to another name"),
    )
}

/// Tells the situation.
///
/// # Errors
/// When someone else's instance is in the way.
pub fn tell(wanted: &Wanted, seen: &Seen, now: Timestamp) -> Result<Scene> {
    let is_not_ours = |found: &&Instance, is_copy: bool| !wanted.owner.owns(found) || is_copy;
    if let Some(found) = seen.next.as_ref().filter(|found| is_not_ours(found, marks::is_copy_of_restored(found))) {
        return Err(foreign(&wanted.next, "next_name", found));
    }
    if let Some(found) = seen.old.as_ref().filter(|found| is_not_ours(found, marks::is_copy_of_kept(found))) {
        return Err(foreign(&wanted.old, "old_name", found));
    }
    let (shows_by, ends_by) = (time::after(now, RENAME_SHOWS_AFTER), time::after(now, RENAME_ENDS_AFTER));
    let mut scene = Scene { leftover: seen.next.clone(), ..Scene::default() };
    match (&seen.current, &seen.old) {
        (Some(current), None) => {
            let marked_by_same_run = |next: &Instance| {
                let marked = current.tags.get(marks::STEP).is_some_and(|step| step.ends_with("/mark-old"));
                marked && current.tags.get(marks::RUN) == next.tags.get(marks::RUN)
            };
            if seen.next.as_ref().is_some_and(marked_by_same_run) {
                scene.recover = Some(Recovery {
                    resource_id: current.resource_id.clone(),
                    not_before: Some(ends_by),
                    rival: None,
                    gone_by: None,
                    tags: current.tags.clone(),
                    precaution: true,
                });
            }
            scene.base = Some(current.clone());
        }
        (Some(current), Some(old)) => {
            let keep_until = marks::moment(&old.tags, marks::KEEP_UNTIL);
            scene.base = Some(current.clone());
            scene.retiring = Some(Retiring { old: old.clone(), keep_until, not_before: keep_until.is_none().then_some(ends_by) });
        }
        (None, Some(old)) => {
            // A rename of the one or the other may have been begun just now: that of the new one is either visible as such
            // soon, or hides it already.
            let rival = seen.next.as_ref().map(|next| Rival { resource_id: next.resource_id.clone(), shows_by: ends_by });
            scene.recover = Some(Recovery {
                resource_id: old.resource_id.clone(),
                not_before: Some(if rival.is_some() { shows_by } else { ends_by }),
                rival,
                gone_by: None,
                tags: old.tags.clone(),
                precaution: false,
            });
            scene.base = Some(old.clone());
        }
        (None, None) => {
            if let Some(hidden) = seen.next.as_ref().and_then(|next| next.tags.get(marks::REPLACES)) {
                scene.recover = Some(Recovery {
                    resource_id: hidden.clone(),
                    not_before: None,
                    rival: None,
                    gone_by: Some(ends_by),
                    tags: marks::Tags::new(),
                    precaution: false,
                });
            }
        }
    }
    Ok(scene)
}
