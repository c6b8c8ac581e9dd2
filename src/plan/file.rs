//! Saved plans: pretty-printed JSON with sorted keys, 0600, refused when anything but white space was changed.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::digest;
use super::document::{FORMAT_VERSION, Plan};
use crate::model::text::json as escape_json;
use crate::model::{Error, Exit, Json, Result, input};

/// A plan file larger than this is neither written nor read. Ten thousand new records take a sixth of it.
pub const PLAN_BYTES_MAX: u64 = 64 << 20;
/// Names beside a plan that are tried for what is being written.
const BESIDE_TRIES: u32 = 8;

/// The document as it is saved.
#[must_use]
pub fn text(plan: &Plan) -> String {
    // Through `Value`, whose maps are sorted.
    let json = serde_json::to_value(plan).unwrap_or(Json::Null);
    let mut text = serde_json::to_string_pretty(&json).unwrap_or_default();
    text.push('\n');
    // A saved plan is reviewed as a diff: what could deceive its reader is written as an escape.
    escape_json(&text)
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
    input::check_json(text)
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
    let json: Json = serde_json::from_str(text).map_err(|error| not_a_plan(path, &error.to_string()))?;
    let Some(version) = json.get("format_version").and_then(Json::as_str) else { return Err(not_a_plan(path, "it has no format_version")) };
    if version != FORMAT_VERSION {
        let help = format!("this version of switchover reads format {FORMAT_VERSION}; make the plan again, or use the version that made it");
        return Err(Error::new(Exit::Error, format!("{} is a plan of format {version}", path.display()), help));
    }
    // Repeated keys, other spellings of a number or a string, another order of keys: none of them survives this.
    let as_saved = digest::without_white_space(text) == escape_json(&digest::canonical(&json));
    let of_text = digest::of_json(&json);
    let plan: Plan = match serde_json::from_value(json) {
        Ok(plan) => plan,
        Err(_) if !as_saved => return Err(changed(path)),
        Err(error) => return Err(changed(path).because_text(error.to_string())),
    };
    // The digest is the plan's as it is understood, which has nothing that is not known, and the text's, which may say the same in other words: a time
    // with a small t.
    if !as_saved || digest::of(&plan) != plan.digest || of_text != plan.digest {
        return Err(changed(path));
    }
    Ok(plan)
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
