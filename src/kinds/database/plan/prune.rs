//! Removing the instances of a block that is gone.

use super::super::facts::{self, Read};
use super::super::intent::Intent;
use super::super::operations::{Delete, Modify, Op};
use super::super::prune::Remnant;
use super::builder::{Builder, Draft, by_id, names, undo};
use super::in_place::is_on;
use super::left_over::protection;
use crate::model::Phase;
use crate::plan::{Part, PlanCx, Undo};
use crate::world::rds::Settings;

/// The whole part: for each instance its protection is lifted, if it has one, and then it is deleted. Nobody knows any more what the block
/// said about last snapshots, so there is none, and the plan says so.
#[must_use]
pub fn prune(intent: &Intent, cx: &PlanCx<'_>) -> Part {
    let mut builder = Builder::new(intent, cx);
    for remnant in &intent.prune {
        remove(&mut builder, remnant);
    }
    let mut part = builder.into_part();
    for Remnant { provider, place, instance } in &intent.prune {
        part.locks.push(format!("rds:{place}/{}", instance.identifier));
        part.world.insert(provider.clone(), place.clone());
        part.providers.insert(provider.clone());
    }
    part
}

fn remove(builder: &mut Builder<'_>, Remnant { provider, instance, .. }: &Remnant) {
    let name = &instance.identifier;
    let guarded = names(&[name], &instance.tags);
    let fact = format!("instance-{name}");
    let read = Read::Instance { provider: provider.clone(), resource_id: instance.resource_id.clone() };
    builder.fact(&fact, format!("{name}: identity, status, settings, tags"), &read, facts::instance_value(Some(instance)));
    let facts = builder.facts(&[&fact]);
    let is_protected = is_on(instance, "deletion_protection");
    if is_protected {
        let make = |on| {
            let instance = by_id(&instance.resource_id);
            Op::Modify(Modify {
                provider: provider.clone(),
                instance,
                settings: protection(on),
                removal: !on,
                undoes: Settings::new(),
                names: guarded.clone(),
            })
        };
        let step = builder.push(Draft {
            slug: format!("unprotect-{name}"),
            phase: Phase::Retire,
            title: format!("lift the deletion protection of {name}"),
            op: make(false),
            undo: undo("protect it again", &[make(true)]),
            timeout: "modify",
        });
        step.facts.clone_from(&facts);
    }
    let words = "without a last snapshot, its automated backups too";
    let op = Op::Delete(Delete {
        provider: provider.clone(),
        instance: by_id(&instance.resource_id),
        name: name.clone(),
        owner: builder.intent.wanted.owner.clone(),
        final_snapshot: None,
        delete_automated_backups: true,
        names: guarded,
    });
    let undo = Undo::Impossible(format!("the data of {name} is gone"));
    let title = format!("delete {name} {words}: it is no longer declared");
    let step = builder.push(Draft { slug: format!("delete-{name}"), phase: Phase::Retire, title, op, undo, timeout: "delete" });
    step.irreversible = Some(format!("{name} ({}) is deleted {words}", instance.resource_id));
    // Once we have lifted its protection it is not as it was any more; its mark and its name are looked at in any case.
    if !is_protected {
        step.facts = facts;
    }
}
