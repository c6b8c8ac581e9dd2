//! Where what stands in the bucket.
//!
//! ```text
//! PREFIX/locks/NAME/0000000042                          one generation of a lock; the highest number counts
//! PREFIX/environments/ENV/runs/RUN/FENCE                a lease that wrote to the run
//! PREFIX/environments/ENV/runs/RUN/ended.3              the run had ended when three leases had written to it
//! PREFIX/environments/ENV/leases/FENCE/0000000007       one append, or the seal behind which nothing follows
//! PREFIX/probes/NONCE                                   written and removed before a first write
//! ```

/// S3 takes no longer names.
pub const KEY_BYTES_MAX: usize = 1024;

/// How many digits a number has in a name, so that names sort as numbers do.
const DIGITS: usize = 10;

/// What stands before the count in the name of the mark of a run's end. No fence begins like it.
const ENDED: &str = "ended.";

/// Names of objects below a prefix.
#[derive(Debug, Clone)]
pub struct Layout {
    prefix: String,
}

impl Layout {
    /// Below `prefix`, which neither begins nor ends with a slash and may be empty.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Layout { prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") } }
    }

    /// The folder of a lock's generations.
    #[must_use]
    pub fn lock(&self, name: &str) -> String {
        format!("{}locks/{}", self.prefix, escape(name))
    }

    /// The folder of an environment's runs.
    #[must_use]
    pub fn runs(&self, environment: &str) -> String {
        format!("{}environments/{}/runs", self.prefix, escape(environment))
    }

    /// The folder that says which leases wrote to a run.
    #[must_use]
    pub fn run(&self, environment: &str, run: &str) -> String {
        format!("{}/{}", self.runs(environment), escape(run))
    }

    /// The mark that a run had ended when `leases` leases had written to it.
    #[must_use]
    pub fn ended(&self, environment: &str, run: &str, leases: usize) -> String {
        format!("{}/{ENDED}{leases}", self.run(environment, run))
    }

    /// The folder of what was appended under a lease.
    #[must_use]
    pub fn lease(&self, environment: &str, fence: &str) -> String {
        format!("{}environments/{}/leases/{fence}", self.prefix, escape(environment))
    }

    /// A probe.
    #[must_use]
    pub fn probe(&self, nonce: &str) -> String {
        format!("{}probes/{nonce}", self.prefix)
    }
}

/// The numbered object of a folder.
#[must_use]
pub fn numbered(folder: &str, number: u64) -> String {
    format!("{folder}/{number:0DIGITS$}")
}

/// The number in the name of an object of a folder; none for what we did not put there.
#[must_use]
pub fn number(key: &str) -> Option<u64> {
    let name = last(key);
    (name.len() >= DIGITS && name.bytes().all(|byte| byte.is_ascii_digit())).then(|| name.parse().ok()).flatten()
}

/// What a name in a run's folder says.
#[derive(Debug, PartialEq, Eq)]
pub enum Mark {
    /// A lease wrote to it.
    Lease(String),
    /// It had ended when so many leases had written to it.
    Ended(usize),
}

/// Reads a name in a run's folder; none for what we did not put there.
#[must_use]
pub fn mark(key: &str) -> Option<Mark> {
    let name = last(key);
    match name.strip_prefix(ENDED) {
        Some(count) => count.parse().ok().map(Mark::Ended),
        None => is_fence(name).then(|| Mark::Lease(name.to_owned())),
    }
}

/// Whether a text can be the fence of a lease: it becomes part of names.
#[must_use]
pub fn is_fence(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The last part of a name.
#[must_use]
pub fn last(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// A name of ours as one part of an object's name: letters, digits, `-` and inner dots stay, everything else becomes `_XX`, which needs no
/// escape of S3, of a URL, or of a shell.
#[must_use]
pub fn escape(name: &str) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || (byte == b'.' && at > 0) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "_{byte:02X}");
        }
    }
    text
}

/// The name that was escaped; none when this is no such text.
#[must_use]
pub fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'_' {
            let (digits, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|name| escape(name) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_whatever_is_in_them() {
        for name in ["staging", "rds:1/eu-west-1/db.a", "..", ".hidden", "a_b", "100%", "søk/ß", "_5F", "line\nfeed", "ended.3"] {
            let escaped = escape(name);
            assert!(escaped.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)), "{escaped}");
            assert!(!escaped.starts_with('.'), "{escaped}");
            assert_eq!(unescape(&escaped).as_deref(), Some(name));
        }
        for strange in ["_", "_4", "_ZZ", "_41", "a/b", ".x", "_FF"] {
            assert_eq!(unescape(strange), None, "{strange}");
        }
    }

    #[test]
    fn numbers_sort_as_names_and_strangers_have_none() {
        let keys: Vec<String> = [0, 9, 10, 999, 123_456].map(|count| numbered("locks/x", count)).into();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().map(|key| number(key)).collect::<Vec<_>>(), [0, 9, 10, 999, 123_456].map(Some));
        for stranger in ["locks/x/README", "locks/x/7", "locks/x/00000000-1", "locks/x/"] {
            assert_eq!(number(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn a_run_tells_its_leases_and_its_end() {
        let layout = Layout::new("team/journal");
        assert_eq!(mark(&layout.ended("staging", "r1", 3)), Some(Mark::Ended(3)));
        assert_eq!(mark("x/runs/r1/0000000001-ab"), Some(Mark::Lease("0000000001-ab".to_owned())));
        assert_eq!(mark("x/runs/r1/note.txt"), None);
        assert_eq!(Layout::new("").lock("env:a"), "locks/env_3Aa");
    }
}
