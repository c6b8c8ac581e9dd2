//! Lines of a journal file: `CHECKSUM JSON\n`. The checksum is a CRC-32 over the previous line's checksum and this line's JSON, so that a
//! line that was changed, dropped, doubled or moved is found.

use std::io::Write as _;

use super::record::Entry;
use crate::model::input;

/// Bytes of a line's checksum, with the blank behind it.
const CHECKSUM: usize = 9;

/// What a journal file holds.
#[derive(Debug)]
pub struct Decoded {
    /// Its entries, in order.
    pub entries: Vec<Entry>,
    /// Length in bytes of the whole lines; what follows is a torn tail, cut off by the next append.
    pub whole: u64,
    /// The last line's checksum, for the next one.
    pub chain: u32,
}

/// One line for `entry`, after a line with checksum `chain`. Gives the line and its checksum.
///
/// # Errors
/// When the entry cannot be written as JSON, which no entry of ours should do.
pub fn encode(entry: &Entry, chain: u32) -> Result<(String, u32), String> {
    let mut line = Vec::new();
    let sum = encode_into(&mut line, entry, chain)?;
    Ok((String::from_utf8(line).map_err(|error| error.to_string())?, sum))
}

/// Adds the line for `entry`, after a line with checksum `chain`, to `lines`, and gives its checksum.
///
/// # Errors
/// As [`encode`]; then `lines` may end in a part of a line.
pub fn encode_into(lines: &mut Vec<u8>, entry: &Entry, chain: u32) -> Result<u32, String> {
    let sum_at = lines.len();
    lines.extend_from_slice(&[b' '; CHECKSUM]);
    let json_at = lines.len();
    serde_json::to_writer(&mut *lines, entry).map_err(|error| error.to_string())?;
    // What could not be read again is not written.
    input::check_long_json(&lines[json_at..])?;
    let sum = checksum(chain, &lines[json_at..]);
    write!(&mut lines[sum_at..json_at], "{sum:08x} ").map_err(|error| error.to_string())?;
    lines.push(b'\n');
    Ok(sum)
}

/// Reads a whole file. A last line without its line feed was being written when the writer died, and is left out; any other damage
/// is an error.
///
/// # Errors
/// Which line is damaged, and how.
pub fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    decode_after(bytes, 0, 0)
}

/// Reads what follows the first `before` records, of which the last one's line has the checksum `chain`: a file that is kept in pieces.
///
/// # Errors
/// As [`decode`].
pub fn decode_after(bytes: &[u8], before: u64, chain: u32) -> Result<Decoded, String> {
    let mut decoded = Decoded { entries: Vec::new(), whole: 0, chain };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let number = decoded.entries.len() + 1;
        let Some(line_text) = line.strip_suffix(b"\n") else { break };
        let (entry, sum) = decode_line(line_text, decoded.chain).map_err(|why| format!("line {number}: {why}"))?;
        let expected = before + decoded.entries.len() as u64;
        if entry.seq != expected {
            return Err(format!("line {number}: its number is {}, not {expected}", entry.seq));
        }
        decoded.entries.push(entry);
        decoded.whole += line.len() as u64;
        decoded.chain = sum;
    }
    Ok(decoded)
}

/// Reads one line without its line feed, after a line with checksum `chain`. Gives its entry and its checksum.
///
/// # Errors
/// How it is damaged.
pub fn decode_line(line: &[u8], chain: u32) -> Result<(Entry, u32), String> {
    let (sum, json) = line.split_at_checked(CHECKSUM).ok_or("it is too short")?;
    let sum = std::str::from_utf8(sum)
        .ok()
        .and_then(|text| text.strip_suffix(' '))
        .and_then(|hex| u32::from_str_radix(hex, 16).ok())
        .ok_or("it has no checksum")?;
    if sum != checksum(chain, json) {
        return Err("its checksum does not fit".to_owned());
    }
    let json = std::str::from_utf8(json).map_err(|_| "it is not text")?;
    input::check_long_json(json)?;
    let entry = serde_json::from_str(json).map_err(|error| format!("it is not a journal record: {error}"))?;
    Ok((entry, sum))
}

fn checksum(chain: u32, json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&chain.to_be_bytes());
    hasher.update(json);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::journal::Record;
    use crate::model::time::Timestamp;

    fn lines(count: u64) -> String {
        let (mut text, mut chain) = (String::new(), 0);
        for seq in 0..count {
            let entry = Entry { seq, time: Timestamp::UNIX_EPOCH, record: Record::Undone { step: format!("a/{seq}"), assumed: false } };
            let (line, sum) = encode(&entry, chain).unwrap();
            text.push_str(&line);
            chain = sum;
        }
        text
    }

    #[test]
    fn a_torn_tail_is_left_out_wherever_it_is_torn() {
        let text = lines(3);
        let two = lines(2).len();
        for cut in two..text.len() {
            let decoded = decode(&text.as_bytes()[..cut]).unwrap();
            assert_eq!((decoded.entries.len(), decoded.whole), (2, two as u64));
        }
        assert_eq!(decode(text.as_bytes()).unwrap().entries.len(), 3);
    }

    #[test]
    fn any_changed_byte_of_a_whole_line_is_refused() {
        let text = lines(3);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 0x01;
            // Only where the last line feed is hurt does the file look torn; then the last line is left out.
            match decode(&bytes) {
                Err(_) => {}
                Ok(decoded) => assert!(at == text.len() - 1 && decoded.entries.len() == 2, "byte {at} was changed unnoticed"),
            }
        }
    }

    #[test]
    fn a_dropped_doubled_or_moved_line_is_refused() {
        let text = lines(4);
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        for order in [vec![0, 2, 3], vec![0, 1, 1, 2], vec![0, 2, 1, 3], vec![1, 2, 3]] {
            let changed: String = order.iter().map(|at| all[*at]).collect();
            assert!(decode(changed.as_bytes()).is_err(), "{order:?}");
        }
    }
}
