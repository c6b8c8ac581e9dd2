//! What an object of a lease's log holds: `CHECKSUM HEADER\n`, then the lines of the records as they stand in a journal file.
//!
//! The header names the lease and the number that the object must have, the writer's nonce, the run and how many records follow, so that an object
//! that was changed, cut, moved or doubled is found; the lines are chained through all objects of a run, so that one that is missing is.

use serde::{Deserialize, Serialize};

use crate::apply::journal::record::Entry;
use crate::apply::journal::{Holder, codec};

/// The first line of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of this format.
    pub format: u32,
    /// The lease, as in the object's name.
    pub fence: String,
    /// The number, as in the object's name.
    pub number: u64,
    /// Tells this write from every other, of the same process too.
    pub nonce: String,
    /// What follows.
    pub holds: Holds,
}

/// What an object holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Holds {
    /// Records of one run.
    Records {
        /// The run.
        run: String,
        /// The number of the first one.
        from: u64,
        /// How many there are.
        count: u64,
    },
    /// Nothing: the lease is over, and nothing follows.
    Seal(Seal),
}

/// Why a lease is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case", deny_unknown_fields)]
pub enum Seal {
    /// Its holder gave it back.
    Released,
    /// Somebody removed one of its locks.
    Removed {
        /// Which one.
        lock: String,
    },
    /// Somebody took one of its locks.
    TakenOver {
        /// Which one.
        lock: String,
        /// Who.
        by: Holder,
        /// For which run.
        run: String,
    },
}

/// The version of the format that is written.
pub const FORMAT: u32 = 1;

/// An object of records, and the checksum of its last line.
pub fn write_records(fence: &str, number: u64, run: &str, entries: &[Entry], mut chain: u32) -> Result<(Vec<u8>, u32), String> {
    let from = entries.first().map_or(0, |entry| entry.seq);
    let mut bytes = write_header(fence, number, Holds::Records { run: run.to_owned(), from, count: entries.len() as u64 })?;
    for (entry, expected) in entries.iter().zip(from..) {
        if entry.seq != expected {
            return Err(format!("record {} does not follow record {expected}", entry.seq));
        }
        let (line, sum) = codec::encode(entry, chain)?;
        bytes.extend_from_slice(line.as_bytes());
        chain = sum;
    }
    Ok((bytes, chain))
}

/// A seal.
pub fn write_seal(fence: &str, number: u64, seal: Seal) -> Result<Vec<u8>, String> {
    write_header(fence, number, Holds::Seal(seal))
}

fn write_header(fence: &str, number: u64, holds: Holds) -> Result<Vec<u8>, String> {
    let header = Header { format: FORMAT, fence: fence.to_owned(), number, nonce: nonce(), holds };
    let json = serde_json::to_string(&header).map_err(|error| error.to_string())?;
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())).into_bytes())
}

/// What no other write holds.
#[must_use]
pub fn nonce() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// The header of an object that must be this lease's and have this number, and the lines that follow.
pub fn read<'a>(bytes: &'a [u8], fence: &str, number: u64) -> Result<(Header, &'a [u8]), String> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("its first line has no end")?;
    let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
    let (sum, json) = line.split_at_checked(9).ok_or("its first line is too short")?;
    let sum = std::str::from_utf8(sum).ok().and_then(|sum| sum.strip_suffix(' ')).and_then(|sum| u32::from_str_radix(sum, 16).ok());
    if sum != Some(crc32fast::hash(json)) {
        return Err("the checksum of its first line does not fit".to_owned());
    }
    let header: Header = serde_json::from_slice(json).map_err(|error| format!("its first line is none of ours: {error}"))?;
    if header.format > FORMAT {
        return Err(format!("it was written by a newer version of this tool (format {})", header.format));
    }
    if header.fence != fence || header.number != number {
        return Err(format!("it belongs elsewhere: it is number {} of lease {}", header.number, header.fence));
    }
    if matches!(header.holds, Holds::Seal(_)) && !rest.is_empty() {
        return Err("something follows its end".to_owned());
    }
    Ok((header, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::journal::Record;
    use crate::model::time::Timestamp;

    fn entry(seq: u64) -> Entry {
        Entry { seq, time: Timestamp::UNIX_EPOCH, record: Record::Undone { step: format!("a/{seq}"), assumed: false } }
    }

    #[test]
    fn an_object_of_another_place_is_refused() {
        let (bytes, _) = write_records("f1", 3, "r1", &[entry(0), entry(1)], 0).unwrap();
        let (header, lines) = read(&bytes, "f1", 3).unwrap();
        assert_eq!(header.holds, Holds::Records { run: "r1".to_owned(), from: 0, count: 2 });
        assert_eq!(codec::decode(lines).unwrap().entries, [entry(0), entry(1)]);
        assert!(read(&bytes, "f1", 4).is_err() && read(&bytes, "f2", 3).is_err());
    }

    #[test]
    fn any_changed_byte_of_the_first_line_is_refused() {
        let bytes = write_seal("f1", 0, Seal::Removed { lock: "env:staging".to_owned() }).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(read(&changed, "f1", 0).is_err(), "byte {at}");
            assert!(read(&bytes[..at], "f1", 0).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn two_writes_of_the_same_are_not_the_same() {
        let write = || write_records("f1", 0, "r1", &[entry(0)], 0).unwrap().0;
        assert_ne!(write(), write());
        assert!(write_records("f1", 0, "r1", &[entry(0), entry(2)], 0).is_err());
    }
}
