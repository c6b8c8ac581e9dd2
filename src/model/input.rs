//! The one way a file from outside is read: bounded, and never waiting for what does not come.
//!
//! What is no file of its own (a folder, a device, a pipe) is refused, or, where people do hand over pipes (`--var-file <(…)`,
//! `show /dev/stdin`), read up to the same size and not for ever. A file that says of itself that it is too large is not read at all;
//! one that says nothing of its size (below `/proc`) is read to the limit and no further.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Result};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// The memory that a JSON document may take once it is read, as [`check_json`] estimates it.
pub const JSON_MEMORY_MAX: usize = 192 << 20;

/// The same for each byte of a plan, whose operations are kept as text: what is large is so because there is much in it, not because of what little
/// becomes. A journaled plan of records comes to ten.
const MEMORY_PER_BYTE_MAX: usize = 16;

/// How long whoever writes into a pipe may take until its end.
const PIPE_WAIT: Duration = Duration::from_secs(10);

/// The bytes of a file with at most `max` of them.
///
/// # Errors
/// What the system says; and what is no file, or too large.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>> {
    // Without waiting: opening a pipe would last until somebody writes into it, and some files below /proc never end.
    let no_wait = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(no_wait).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    if metadata.len() > max {
        return Err(too_large(max));
    }
    to_the_end(file, max)
}

/// As [`read`], and pipes and devices too, for ten seconds.
///
/// # Errors
/// As [`read`]; and when no end comes in time.
pub fn read_or_receive(path: &Path, max: u64) -> Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_fifo() && !kind.is_char_device() && !kind.is_socket() {
        return read(path, max);
    }
    let (sender, receiver) = mpsc::channel();
    let path = path.to_path_buf();
    // It stays behind when nothing comes, and ends with the process.
    std::thread::Builder::new().name("receive".to_owned()).spawn(move || {
        let _nobody_waits_any_more = sender.send(File::open(&path).and_then(|file| to_the_end(file, max)));
    })?;
    let late = || io::Error::new(ErrorKind::TimedOut, format!("it is a pipe or a device that has not ended within {} seconds", PIPE_WAIT.as_secs()));
    receiver.recv_timeout(PIPE_WAIT).unwrap_or_else(|_| Err(late()))
}

/// Refuses a JSON text whose values would take more memory than [`JSON_MEMORY_MAX`]: two bytes of text can become a value of sixty. What
/// is no JSON is the parser's to say.
///
/// # Errors
/// A fragment: that it holds too many values.
pub fn check_json(text: &str) -> std::result::Result<(), String> {
    check_memory(text.as_bytes(), JSON_MEMORY_MAX)
}

/// As [`check_json`], for a plan or a journal, which may be long: a text of more than 12 MiB may take up to sixteen times its size.
///
/// # Errors
/// As [`check_json`].
pub fn check_long_json(text: impl AsRef<[u8]>) -> std::result::Result<(), String> {
    let text = text.as_ref();
    check_memory(text, JSON_MEMORY_MAX.max(text.len().saturating_mul(MEMORY_PER_BYTE_MAX)))
}

fn check_memory(text: &[u8], most: usize) -> std::result::Result<(), String> {
    // No byte can become more than an object does; and where marks inside of texts do no harm, nobody need tell them apart.
    if text.len().saturating_mul(OBJECT) <= most || json_memory_at_most(text) <= most {
        return Ok(());
    }
    let memory = json_memory(text);
    if memory <= most {
        return Ok(());
    }
    Err(format!("it holds so many values that reading it would take {} MiB of memory; at most {} are allowed", memory >> 20, most >> 20))
}

/// Bytes of memory of an element, with the spare room of its array.
const ELEMENT: usize = 64;
/// Bytes of memory of a small object, which is a whole node of a tree.
const OBJECT: usize = 640;

/// What every mark would take if none stood inside of a text: found some ten times as quickly.
fn json_memory_at_most(bytes: &[u8]) -> usize {
    let objects = count(bytes, |byte| byte == b'{');
    let elements = count(bytes, |byte| matches!(byte, b'[' | b',' | b':'));
    objects.saturating_mul(OBJECT).saturating_add(elements.saturating_mul(ELEMENT))
}

/// How many bytes are such ones: as many at once as one byte can count, which the compiler turns into a few instructions.
fn count(bytes: &[u8], is_one: impl Fn(u8) -> bool) -> usize {
    let of_some = |some: &[u8]| some.iter().map(|byte| u8::from(is_one(*byte))).sum::<u8>();
    bytes.chunks(usize::from(u8::MAX)).map(|some| usize::from(of_some(some))).sum()
}

fn json_memory(bytes: &[u8]) -> usize {
    let (mut memory, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' => memory += OBJECT,
            b'[' | b',' | b':' => memory += ELEMENT,
            _ => {}
        }
    }
    memory
}

fn to_the_end(file: File, max: u64) -> Result<Vec<u8>> {
    // Room for all of it at once, as far as the file says how much it is: growing would take twice the memory for a moment.
    let expected = file.metadata().map_or(0, |metadata| metadata.len()).min(max);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(expected).map_or(0, |expected| expected + 1)).map_err(|_| io::Error::from(ErrorKind::OutOfMemory))?;
    match file.take(max.saturating_add(1)).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > max => Err(too_large(max)),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(io::Error::new(ErrorKind::WouldBlock, "it waits for something instead of ending")),
        Err(error) => Err(error),
    }
}

fn too_large(max: u64) -> io::Error {
    let size = if max < 1 << 20 { format!("{} KiB", max >> 10) } else { format!("{} MiB", max >> 20) };
    io::Error::new(ErrorKind::FileTooLarge, format!("it is larger than {size}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        File::create(&path).unwrap().set_len(10 << 30).unwrap();
        assert_eq!(read(&path, 64 << 20).unwrap_err().to_string(), "it is larger than 64 MiB");
        assert_eq!(read(&folder.path().join("none"), 4).unwrap_err().kind(), ErrorKind::NotFound);
        for not_a_file in ["/dev/zero", "/dev/null", "/"] {
            assert_eq!(read(Path::new(not_a_file), 4).unwrap_err().to_string(), "it is not a file", "{not_a_file}");
        }
        assert!(!read(Path::new("/proc/self/stat"), 1 << 20).unwrap().is_empty(), "a file that gives its size as 0");
        assert_eq!(read(Path::new("/proc/self/stat"), 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn json_is_weighed_before_it_is_read() {
        assert!(check_json("{\"a\": [1, 2, {}]}").is_ok());
        assert!(check_json(&format!("\"{}\"", "{[,\\\"".repeat(1 << 20))).is_ok(), "marks inside of a text are text");
        assert!(check_json(&"[0,0],".repeat(2 << 20)).unwrap_err().contains("MiB"));
        assert!(check_json(&"{},".repeat(1 << 19)).is_err());
        let records = format!("{{\"a\":\"{}\"}},", "x".repeat(200)).repeat(1 << 19);
        assert!(check_json(&records).is_err() && check_long_json(&records).is_ok(), "long because there is much in it");
        assert!(check_long_json("{},".repeat(1 << 24)).is_err());
    }

    #[test]
    fn what_is_weighed_quickly_weighs_no_less() {
        let bare = "[{},[],{\"a\":1}],".repeat(1_000);
        assert_eq!(json_memory_at_most(bare.as_bytes()), json_memory(bare.as_bytes()));
        let marks = "{\"a\":\"{[,:\"},".repeat(1_000);
        assert!(json_memory_at_most(marks.as_bytes()) > json_memory(marks.as_bytes()));
        assert_eq!(json_memory_at_most(&[b'{'; 1_000]), 1_000 * OBJECT);
    }

    #[test]
    fn pipes_and_devices_are_received_to_the_limit() {
        assert_eq!(read_or_receive(Path::new("/dev/zero"), 4 << 10).unwrap_err().to_string(), "it is larger than 4 KiB");
        assert_eq!(read_or_receive(Path::new("/dev/null"), 4).unwrap(), b"");
        assert_eq!(read_or_receive(Path::new("/"), 4).unwrap_err().to_string(), "it is not a file");
    }
}
