//! First steps: what an earlier run left is put right, visibly.

use super::super::marks;
use super::super::operations::{Delete, Modify, Op, Rename};
use super::builder::{Builder, Draft, by_id, names};
use crate::model::{Json, Phase};
use crate::plan::{Outage, Undo};
use crate::world::rds::Settings;

/// Protection on or off.
pub fn protection(on: bool) -> Settings {
    Settings::from([("deletion_protection".to_owned(), Json::Bool(on))])
}

/// The name is given back.
pub fn recover(builder: &mut Builder<'_>) {
    let intent = builder.intent;
    let Some(recover) = &intent.recover else { return };
    let wanted = &intent.wanted;
    let title = if recover.precaution {
        format!("make sure that {} keeps its name (an earlier run may have begun to rename it)", wanted.name)
    } else {
        format!("rename {} back to {}", wanted.old, wanted.name)
    };
    let op = Op::Rename(Rename {
        provider: builder.provider(),
        instance: by_id(&recover.resource_id),
        from: wanted.old.clone(),
        to: wanted.name.clone(),
        not_before: recover.not_before,
        rival: recover.rival.clone(),
        successor: None,
        gone_by: recover.gone_by,
        frees_name: false,
        names: names(&[], &recover.tags),
    });
    let undo = Undo::Keep(format!("{} has the name that it should have", wanted.name));
    let step = builder.push(Draft { slug: "recover-name".to_owned(), phase: Phase::Switch, title, op, undo, timeout: "rename" });
    if !recover.precaution {
        step.outage = Some(Outage::Whole(format!("{} (name given back)", wanted.name)));
    }
}

/// The left-over under `next_name` is removed.
pub fn remove(builder: &mut Builder<'_>) {
    let intent = builder.intent;
    let Some(leftover) = &intent.leftover else { return };
    let wanted = &intent.wanted;
    let guarded = names(&[&leftover.identifier], &leftover.tags);
    if leftover.settings.get("deletion_protection") == Some(&Json::Bool(true)) {
        builder.push(Draft {
            slug: "unprotect-leftover".to_owned(),
            phase: Phase::Prepare,
            title: format!("lift the deletion protection of the left-over {}", leftover.identifier),
            op: Op::Modify(Modify {
                provider: builder.provider(),
                instance: by_id(&leftover.resource_id),
                settings: protection(false),
                removal: true,
                undoes: Settings::new(),
                names: guarded.clone(),
            }),
            undo: Undo::Keep("it is removed next, now or by the next plan".to_owned()),
            timeout: "modify",
        });
    }
    let run = leftover.tags.get(marks::RUN).map_or("an earlier run", String::as_str);
    let what = format!("{} ({}), a left-over of {run}, is deleted without a last snapshot", leftover.identifier, leftover.resource_id);
    let op = Op::Delete(Delete {
        provider: builder.provider(),
        instance: by_id(&leftover.resource_id),
        name: leftover.identifier.clone(),
        owner: wanted.owner.clone(),
        final_snapshot: None,
        delete_automated_backups: true,
        names: guarded,
    });
    let step = builder.push(Draft {
        slug: "remove-leftover".to_owned(),
        phase: Phase::Prepare,
        title: format!("delete {}, a left-over of {run}", leftover.identifier),
        op,
        undo: Undo::Keep("it was a left-over, and nobody used it".to_owned()),
        timeout: "delete",
    });
    step.irreversible = Some(what);
}
