//! How much of a zone one plan may change: judged offline, from the observed records alone.

use std::collections::BTreeSet;

use super::observe::ZoneObservation;
use super::pairing::{Item, NameChange};
use crate::diff::Exchange;
use crate::model::{Error, Exit, Result};

/// Refuses a plan that deletes or updates a larger share of the zone than its `safety` allows.
///
/// When answers only change hands ([`Exchange::is_swap`]), none of that counts. Deletes
/// beyond one for each such answer still do, and so do changes of TTLs, proxying, comments and tags.
pub(super) fn judge(observation: &ZoneObservation, names: &[NameChange], exchange: &Exchange) -> Result<()> {
    let (spec, total) = (&observation.spec, observation.records.len());
    if total < spec.safety.from {
        return Ok(());
    }
    let swap = exchange.is_swap();
    let (mut deletes, mut updates, mut moved) = (0_usize, 0_usize, BTreeSet::new());
    for item in names.iter().flat_map(|name| &name.items) {
        match item {
            Item::Delete(before) if swap && moved.insert(before.content.as_str()) => {}
            Item::Delete(_) => deletes += 1,
            Item::Patch { .. } if swap && item.taken().is_some() => {}
            Item::Patch { .. } => updates += 1,
            Item::Post(_) => {}
        }
    }
    let over = |count: usize, share: u32| count as u128 * 10_000 > u128::from(share) * total as u128;
    let mut refused = Vec::new();
    for (verb, count, share, attribute) in
        [("delete", deletes, spec.safety.max_deletes, "max_deletes"), ("update", updates, spec.safety.max_updates, "max_updates")]
    {
        if over(count, share) {
            let is = percent(u32::try_from(count * 10_000 / total).unwrap_or(u32::MAX));
            refused.push(format!("it would {verb} {count} of {total} records ({is}), and {attribute} is {}", percent(share)));
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let help = format!(
        "check that the declaration is what you mean; if it is, raise the shares in `safety` of dns_zone {:?} for this change, or make it in parts",
        spec.name
    );
    Err(Error::new(Exit::Error, format!("the plan changes more of the zone {} than its safety allows", spec.name), help)
        .because_text(refused.join("; ")))
}

/// Hundredths of a percent as people write them.
fn percent(share: u32) -> String {
    match (share / 100, share % 100) {
        (whole, 0) => format!("{whole}%"),
        (whole, part) if part % 10 == 0 => format!("{whole}.{}%", part / 10),
        (whole, part) => format!("{whole}.{part:02}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_read_as_they_are_written() {
        for (share, text) in [(3_000, "30%"), (1_250, "12.5%"), (25, "0.25%"), (4_166, "41.66%"), (5, "0.05%")] {
            assert_eq!(percent(share), text);
        }
    }
}
