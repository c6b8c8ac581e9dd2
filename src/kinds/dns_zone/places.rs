//! Where a plan makes records, and what it knows to stand there: found once for all batches, since a zone may be large.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::batch::Chunk;
use super::facts::Places;
use super::rows::line;
use crate::world::dns::Record;

/// What stands, and what is made, under the names of new records.
pub(super) struct Index<'a> {
    zone: &'a str,
    /// Observed records by name.
    present: HashMap<&'a str, Vec<&'a Record>>,
    /// Ids that the plan changes or removes.
    touched: HashSet<&'a str>,
    /// By name: the batch that makes a record, and the record in one line.
    made: HashMap<&'a str, Vec<(usize, String)>>,
}

impl<'a> Index<'a> {
    /// Of all batches of a plan.
    pub(super) fn new(zone: &'a str, chunks: &'a [Chunk], records: &'a [Arc<Record>]) -> Self {
        let mut present: HashMap<&'a str, Vec<&'a Record>> = chunks.iter().flat_map(Chunk::new_sets).map(|(name, _)| (name, Vec::new())).collect();
        if present.is_empty() {
            return Index { zone, present, touched: HashSet::new(), made: HashMap::new() };
        }
        for record in records {
            if let Some(here) = present.get_mut(record.name.as_str()) {
                here.push(record);
            }
        }
        let mut made: HashMap<&'a str, Vec<(usize, String)>> = HashMap::new();
        for (number, chunk) in chunks.iter().enumerate() {
            for post in chunk.posts() {
                made.entry(&post.name).or_default().push((number, line(&post.rtype, &post.name, &post.content)));
            }
        }
        let touched = chunks.iter().flat_map(Chunk::observed).map(|record| record.id.as_str()).collect();
        Index { zone, present, touched, made }
    }

    /// Observed records under a name of new records.
    pub(super) fn present(&self, name: &str) -> &[&'a Record] {
        self.present.get(name).map_or(&[], Vec::as_slice)
    }

    /// Where the batches from `first` to before `end` make records. What is kept there was known when the plan was made, so only records that it
    /// neither keeps nor touches are in the way.
    pub(super) fn places(&self, chunks: &[Chunk], first: usize, end: usize, kept: &BTreeSet<String>) -> Places {
        let mut places = Places { zone: self.zone.to_owned(), ..Places::default() };
        for (name, rtype) in chunks[first..end].iter().flat_map(Chunk::new_sets) {
            places.sets.entry(name.to_owned()).or_default().insert(rtype.to_owned());
        }
        for name in places.sets.keys() {
            let known = self.present(name).iter().filter(|record| self.touched.contains(record.id.as_str()) || kept.contains(&record.id));
            places.known.extend(known.map(|record| record.id.clone()));
            let made = self.made.get(name.as_str()).into_iter().flatten().filter(|(number, _)| *number < first);
            places.made.extend(made.map(|(_, line)| line.clone()));
        }
        places
    }
}
