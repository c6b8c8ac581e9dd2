//! What is there: the zone, all its records, and the Elastic IPs that its records name.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::{join, try_join_all};

use super::addresses::{AddressBook, Books, resolve};
use super::desired::{Answers, ZoneSpec, typed};
use crate::declare::Declared;
use crate::model::{Error, Exit, Result};
use crate::observe::ObserveCx;
use crate::world::CallError;
use crate::world::dns::{Record, Zone};

/// Names of Elastic IPs that one message shows.
const SHOWN_MAX: usize = 10;

/// Everything that the diff of a zone needs.
#[derive(Debug, Clone)]
pub struct ZoneObservation {
    /// What was declared, typed: so that a large file is read once for all phases.
    pub spec: Arc<ZoneSpec>,
    /// The zone.
    pub zone: Zone,
    /// All its records.
    pub records: Vec<Arc<Record>>,
    /// Elastic IPs by provider.
    pub books: Books,
}

/// Reads the zone and, beside it, each AWS provider's addresses once.
pub(super) async fn observe(declared: &Declared, cx: &ObserveCx<'_>) -> Result<ZoneObservation> {
    let spec = typed(declared, cx.desired)?;
    let (zone, books) = join(zone(&spec, cx), books(&spec, cx)).await;
    let ((zone, records), books) = (zone?, books?);
    addresses_are_there(&spec, &books)?;
    Ok(ZoneObservation { spec, zone, records, books })
}

async fn zone(spec: &ZoneSpec, cx: &ObserveCx<'_>) -> Result<(Zone, Vec<Arc<Record>>)> {
    let failed = |error: CallError| error.into_error(Exit::Error).within(format!("cannot read the zone {}", spec.name));
    let provider = cx.desired.cloudflare(&spec.provider).ok_or_else(|| {
        Error::new(Exit::Error, format!("no provider {} is declared", spec.provider), "declare it, or name another one with `provider`")
    })?;
    let door = cx.readers.dns(provider).await.map_err(failed)?;
    let zone = door.zone(&spec.name).await.map_err(failed)?.ok_or_else(|| {
        let help = "check the zone's name, that it is in the account of this token, and that the token has Zone:Read and DNS:Edit for it";
        Error::new(Exit::Error, format!("the token of {} sees no zone {}", spec.provider, spec.name), help)
    })?;
    let records = door.records(&zone.id).await.map_err(failed)?;
    Ok((zone, records.into_iter().map(Arc::new).collect()))
}

async fn books(spec: &ZoneSpec, cx: &ObserveCx<'_>) -> Result<Books> {
    let provider = |answers: &Answers| if let Answers::ElasticIps { aws, .. } = answers { Some(aws.clone()) } else { None };
    let providers: BTreeSet<String> = spec.sets.iter().filter_map(|set| provider(&set.answers)).collect();
    let reads = providers.into_iter().map(|name| async move {
        let missing = || Error::new(Exit::Error, format!("no provider {name} is declared"), "declare it, or name another one with `aws`");
        let provider = cx.desired.aws(&name).ok_or_else(missing)?;
        let book = AddressBook::read(cx.readers, provider)
            .await
            .map_err(|error| error.into_error(Exit::Error).within(format!("cannot read the Elastic IPs of {name} ({})", provider.region)))?;
        Ok::<_, Error>((name, book))
    });
    Ok(try_join_all(reads).await?.into_iter().collect())
}

/// Every named Elastic IP is exactly one; else all that are not are shown at once.
fn addresses_are_there(spec: &ZoneSpec, books: &Books) -> Result<()> {
    let mut mistakes = BTreeSet::new();
    for set in &spec.sets {
        if let Answers::ElasticIps { aws, names } = &set.answers {
            mistakes.extend(names.iter().filter_map(|name| resolve(books, aws, name).err()));
        }
    }
    if mistakes.is_empty() {
        return Ok(());
    }
    let count = mistakes.len();
    let mut shown: Vec<String> = mistakes.into_iter().take(SHOWN_MAX).collect();
    if count > SHOWN_MAX {
        shown.push(format!("and {} more", count - SHOWN_MAX));
    }
    let help = "each name must be the `Name` tag of exactly one Elastic IP in that account and region: mend the name, the tag, or `aws`";
    let what = if count == 1 { "an Elastic IP is not exactly one address" } else { "some Elastic IPs are not exactly one address each" };
    Err(Error::new(Exit::Error, what, help).because_text(shown.join("; ")))
}
