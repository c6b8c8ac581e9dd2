//! All records of a zone: one big page, and when there are more, the others side by side.
//!
//! When a record goes and another one comes between two pages, the count stays and one record moves over the edge of a page that was read already. So the
//! edges are looked at again when all pages are there, a few records each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;

use super::envelope::{self, Page, PageInfo};
use super::{Cloudflare, RECORDS, fields};
use crate::model::Json;
use crate::model::record::canonical_name;
use crate::world::dns::Record;
use crate::world::{CallResult, Failure};

/// Records a page: few round trips, and answers of some megabytes at most.
const PER_PAGE: u64 = 5_000;
/// Pages under way at a time.
const AT_A_TIME: usize = 6;
/// Pages of a zone; more is not a zone that can be read one record at a time.
const PAGES_MAX: u64 = 1_000;
/// How often a zone that changes while it is read is read again.
const READS: usize = 3;
/// Records around the edge of a page, at least so many.
const PROBE_MIN: u64 = 5;

#[derive(Deserialize)]
struct ApiRecord<'a> {
    id: String,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    rtype: Cow<'a, str>,
    content: Option<String>,
    priority: Option<f64>,
    data: Option<Json>,
    ttl: f64,
    #[serde(default)]
    proxied: bool,
    comment: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// Reads every page and makes sure that they are of one state: as many different records as the service says there are.
///
/// # Errors
/// The first failed page fails the whole: part of a zone is worth nothing.
pub async fn all_records(door: &Cloudflare, zone_id: &str) -> CallResult<Vec<Record>> {
    for _ in 0..READS {
        if let Some(records) = one_reading(door, zone_id).await? {
            return Ok(records);
        }
    }
    let why = format!("the zone changed while it was read, {READS} times: try again when nobody else changes its records");
    Err(door.http.error(RECORDS, Failure::Unknown { retry_after: None }, &why))
}

/// `None`: records came or went between two pages.
async fn one_reading(door: &Cloudflare, zone_id: &str) -> CallResult<Option<Vec<Record>>> {
    let (mut records, info) = page(door, zone_id, PER_PAGE, 1).await?;
    let mut edges = BTreeMap::from([(1, Edges::of(&records))]);
    let mut total = info.total_count;
    let count = match pages_after(info, records.len()) {
        Ok(count) => count,
        Err(why) => return Err(door.http.error(RECORDS, Failure::Refused, &why)),
    };
    if let Some(pages) = count {
        let numbered = |number| async move { page(door, zone_id, PER_PAGE, number).await.map(|page| (number, page)) };
        let mut rest = stream::iter((2..=pages).map(numbered)).buffer_unordered(AT_A_TIME);
        while let Some((number, (next, info))) = rest.try_next().await? {
            total = if info.total_count == total { total } else { None };
            edges.insert(number, Edges::of(&next));
            records.extend(next);
        }
        if total.is_none() {
            return Ok(None);
        }
    }
    records.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    records.dedup_by(|a, b| a.id == b.id);
    let whole = total.is_none_or(|total| usize::try_from(total).is_ok_and(|total| total == records.len()));
    Ok((whole && edges_stand(door, zone_id, &edges, &records).await?).then_some(records))
}

/// Where a page begins and ends.
struct Edges {
    first: Option<String>,
    last: Option<String>,
    records: u64,
}

impl Edges {
    fn of(page: &[Record]) -> Edges {
        let name = |record: Option<&Record>| record.map(|record| record.name.clone());
        Edges { first: name(page.first()), last: name(page.last()), records: page.len() as u64 }
    }
}

/// Whether the same names stand around the edge between each two pages as when these were read, and no record that was not read (`read` is in the order of
/// ids). Names, since the service does not promise an order among records of one name; where one name stands on both sides, the count must do.
async fn edges_stand(door: &Cloudflare, zone_id: &str, edges: &BTreeMap<u64, Edges>, read: &[Record]) -> CallResult<bool> {
    let mut before = 0;
    let mut around = Vec::new();
    for (page, next) in edges.values().zip(edges.values().skip(1)) {
        before += page.records;
        if page.last != next.first {
            around.push((before, [page.last.clone(), next.first.clone()]));
        }
    }
    let looks = around.into_iter().map(|(before, names)| edge_stands(door, zone_id, before, names, read));
    stream::iter(looks).buffer_unordered(AT_A_TIME).try_fold(true, |all, one| async move { Ok(all && one) }).await
}

async fn edge_stands(door: &Cloudflare, zone_id: &str, before: u64, names: [Option<String>; 2], read: &[Record]) -> CallResult<bool> {
    let (size, number, at) = probe(before);
    let (records, info) = page(door, zone_id, size, number).await?;
    if info.per_page.is_some_and(|given| given != size) {
        // A service that gives other pages than asked for cannot be asked this; the count must do.
        return Ok(true);
    }
    let known = |record: &Record| read.binary_search_by(|known| known.id.cmp(&record.id)).is_ok();
    Ok(records.iter().all(known) && names.iter().zip(at - 1..).all(|(name, at)| name.as_ref() == records.get(at).map(|record| &record.name)))
}

/// The size and number of a small page that has both the last of `before` records and the one after it, and the place of that one on it.
fn probe(before: u64) -> (u64, u64, usize) {
    let size = (PROBE_MIN..PER_PAGE).find(|size| !before.is_multiple_of(*size)).unwrap_or(PER_PAGE);
    (size, before / size + 1, usize::try_from(before % size).unwrap_or_default().max(1))
}

/// The number of the last page; `None` when the first was all. The service may give smaller pages than asked for.
fn pages_after(info: PageInfo, first: usize) -> Result<Option<u64>, String> {
    let first = first as u64;
    let Some(total) = info.total_count else {
        // Without a count a page that is not full is the last; a full one leaves it open, and that is not an answer.
        return if first < PER_PAGE { Ok(None) } else { Err("the answer does not say how many records the zone has".to_owned()) };
    };
    if total <= first {
        return Ok(None);
    }
    let size = info.per_page.unwrap_or(PER_PAGE).min(first);
    match total.checked_div(size).map(|full| full + u64::from(total % size > 0)) {
        Some(pages) if pages <= PAGES_MAX => Ok(Some(pages)),
        Some(pages) => Err(format!("the zone has {total} records in {pages} pages, more than the {PAGES_MAX} that are read")),
        None => Err(format!("the service says that there are {total} records and gives none")),
    }
}

async fn page(door: &Cloudflare, zone_id: &str, size: u64, number: u64) -> CallResult<(Vec<Record>, PageInfo)> {
    let (size, number) = (size.to_string(), number.to_string());
    // An order of its own keeps pages apart that are asked for at the same time.
    let query = [("per_page", size.as_str()), ("page", number.as_str()), ("order", "name"), ("direction", "asc")];
    let answer = door.get(RECORDS, &["zones", zone_id, "dns_records"], &query).await?;
    let Page { result, result_info, .. } = envelope::page::<ApiRecord<'_>>(&door.http, RECORDS, &answer)?;
    Ok((result.into_iter().map(record_of).collect(), result_info.unwrap_or_default()))
}

/// In canonical form, as far as it can be: foreign records may hold what we cannot declare, and must not hinder reading.
fn record_of(record: ApiRecord<'_>) -> Record {
    let ApiRecord { id, name, rtype, content, priority, data, ttl, proxied, comment, tags } = record;
    let name = canonical_name(&name).unwrap_or_else(|_| name.trim_end_matches('.').to_lowercase());
    let content = fields::to_content(&rtype, content.as_deref().unwrap_or_default(), priority, data.as_ref());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates; a TTL is a small whole number")]
    let ttl = ttl as u32;
    Record {
        id,
        name,
        rtype: rtype.into_owned(),
        content,
        ttl,
        proxied,
        comment: comment.filter(|text| !text.is_empty()),
        tags: tags.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_by_the_size_that_the_service_gives() {
        let pages = |total_count, per_page, first| pages_after(PageInfo { total_count, per_page }, first);
        assert_eq!(pages(Some(3), Some(5_000), 3), Ok(None));
        assert_eq!(pages(Some(12_000), Some(5_000), 5_000), Ok(Some(3)));
        assert_eq!(pages(Some(250), Some(100), 100), Ok(Some(3)), "smaller pages than asked for");
        assert_eq!(pages(Some(250), None, 100), Ok(Some(3)));
        assert_eq!(pages(None, None, 7), Ok(None));
        assert!(pages(None, None, 5_000).is_err());
        assert!(pages(Some(10), None, 0).is_err());
        assert!(pages(Some(9_000_000), Some(5_000), 5_000).is_err());
    }

    #[test]
    fn a_probe_has_both_sides_of_an_edge() {
        for before in (1..2_000).chain((1..1_000).map(|pages| pages * PER_PAGE)) {
            let (size, number, at) = probe(before);
            assert!(size < 20, "{before}: {size}");
            assert_eq!((number - 1) * size + at as u64, before, "the record after the edge");
            assert!(at >= 1 && (at as u64) < size, "{before}: {at} of {size}");
        }
    }

    #[test]
    fn a_foreign_record_of_any_shape_can_be_read() {
        let read = |json: Json| record_of(serde_json::from_str(&json.to_string()).unwrap());
        let loc = read(serde_json::json!({ "id": "1", "name": "X.Example.org.", "type": "LOC", "content": "IN LOC 37", "ttl": 1, "tags": null }));
        assert_eq!((loc.name.as_str(), loc.content.as_str()), ("x.example.org", "IN LOC 37"));
    }
}
