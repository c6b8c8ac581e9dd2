//! Saved plans: pretty-printed JSON with sorted keys, 0600, refused when anything but white space was changed.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::digest;
use super::document::{FORMAT_VERSION, Plan};
use crate::model::text::json as escape_json;
use crate::model::{Error, Exit, Result, canonical, input, json};

/// A plan file larger than this is neither written nor read. A hundred thousand records that all change take a third of it.
pub const PLAN_BYTES_MAX: u64 = 512 << 20;
/// Names beside a plan that are tried for what is being written.
const BESIDE_TRIES: u32 = 8;

/// The document as it is saved.
#[must_use]
pub fn text(plan: &Plan) -> String {
    let mut text = canonical::pretty(&digest::text(plan));
    text.push('\n');
    // A saved plan is reviewed as a diff: what could deceive its reader is written as an escape.
    match escape_json(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(safe) => safe,
    }
}

/// Writes the plan whole or not at all. A plan that is there is replaced, whatever its mode was; anything else there (a link, a device, a folder) is
/// refused: putting a file in its place would be a surprise, and writing through it a worse one.
pub fn save(plan: &Plan, path: &Path) -> Result<()> {
    let cannot = |error: std::io::Error| {
        Error::new(Exit::Error, format!("cannot write the plan {}", path.display()), "check that the folder is there and yours to write")
            .because_text(error.to_string())
    };
    if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) || path.file_name().is_none() {
        let what = format!("cannot write the plan {}: a link, a folder or a device is there", path.display());
        return Err(Error::new(Exit::Error, what, "nothing was written; name a new file, or a plain file to be replaced"));
    }
    let text = text(plan);
    readable(&text).map_err(|why| {
        Error::new(Exit::Error, "the plan is too large to be saved", "plan fewer resources at a time with --target, or split the environment")
            .because_text(why)
    })?;
    // `plans/` is there once somebody has saved one; only the folder that the file is in, for a mistyped path must not become a tree.
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        fs::create_dir(folder).map_err(cannot)?;
    }
    let (mut file, beside) = make_beside(path).map_err(cannot)?;
    let mut write = || -> std::io::Result<()> {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&beside);
        cannot(error)
    })
}

/// A new file beside another one. A name that somebody else has is left alone.
fn make_beside(path: &Path) -> std::io::Result<(fs::File, PathBuf)> {
    let mut last = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
    for number in 0..BESIDE_TRIES {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}-{number}.new", std::process::id()));
        let beside = path.with_file_name(name);
        match OpenOptions::new().create_new(true).write(true).mode(0o600).open(&beside) {
            Ok(file) => return Ok((file, beside)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Whether [`load`] would read a text of this size.
fn readable(text: &str) -> std::result::Result<(), String> {
    if text.len() as u64 > PLAN_BYTES_MAX {
        return Err(format!("it has {} MiB, and at most {} are read", text.len() >> 20, PLAN_BYTES_MAX >> 20));
    }
    input::check_long_json(text)
}

/// Reads a saved plan and proves that it is as it was saved.
///
/// # Errors
/// Not a plan, or of another format version: exit code 1. Changed by hand: exit code 6.
pub fn load(path: &Path) -> Result<Plan> {
    let shown = path.display();
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::FileTooLarge | ErrorKind::InvalidInput => not_a_plan(path, &error.to_string()),
        _ => Error::new(Exit::Error, format!("cannot read the plan {shown}"), "check the path").because_text(error.to_string()),
    };
    let text = input::read_or_receive(path, PLAN_BYTES_MAX).map_err(cannot)?;
    let text = String::from_utf8(text).map_err(|_| not_a_plan(path, "it is not text"))?;
    parse(&text, path)
}

/// As [`load`], of a text.
pub fn parse(text: &str, path: &Path) -> Result<Plan> {
    readable(text).map_err(|why| not_a_plan(path, &why))?;
    let Head(version) = serde_json::from_str(text).map_err(|error| not_a_plan(path, &error.to_string()))?;
    let Some(version) = version else { return Err(not_a_plan(path, "it has no format_version")) };
    if version != FORMAT_VERSION {
        let help = format!("this version of switchover reads format {FORMAT_VERSION}; make the plan again, or use the version that made it");
        return Err(Error::new(Exit::Error, format!("{} is a plan of format {version}", path.display()), help));
    }
    let plan: Plan = serde_json::from_str(text).map_err(|error| changed(path).because_text(error.to_string()))?;
    let compact = digest::text(&plan);
    // Repeated keys, other spellings of a number or a string, another order of keys: none of them survives this.
    if !canonical::same_tokens(text, &escape_json(&compact)) || digest::of_text(&compact, &plan.digest) != plan.digest {
        return Err(changed(path));
    }
    Ok(plan)
}

/// What a document says of its format, before the rest of it is understood.
struct Head(Option<String>);

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Head;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a plan, which is an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Head, A::Error> {
                let mut found = None;
                while let Some(key) = members.next_key::<String>()? {
                    if key == "format_version" {
                        found = members.next_value::<json::Any>()?.0.as_str().map(str::to_owned);
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Head(found))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn not_a_plan(path: &Path, why: &str) -> Error {
    Error::new(Exit::Error, format!("{} is no plan", path.display()), "give a file that `switchover plan --out FILE` wrote").because_text(why)
}

fn changed(path: &Path) -> Error {
    Error::new(
        Exit::Stale,
        format!("{} was changed since it was made: its digest does not fit", path.display()),
        "nothing was done; make a new plan and have it reviewed",
    )
}
