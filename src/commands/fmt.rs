//! `fmt`: environment files in their canonical form.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use super::Session;
use crate::declare::format::{self, Formatted};
use crate::declare::{self, KindSchema};
use crate::kinds;
use crate::model::{Error, Exit, Result};
use crate::review::escape;

/// Folders inside folders that are searched.
const DEPTH_MAX: usize = 32;
/// Files that one call formats: more are no environments.
const FILES_MAX: usize = 100_000;
/// Lines around a difference.
const CONTEXT: usize = 3;

pub fn run(session: &Session, paths: &[PathBuf], check: bool, diff: bool) -> Result<Exit> {
    let files = files(session, paths)?;
    let schemas: Vec<&dyn KindSchema> = kinds::ALL.iter().map(|kind| *kind as &dyn KindSchema).collect();
    let (mut problems, mut changed) = (Vec::new(), 0);
    for file in &files {
        let formatted = format::format(&session.globals.root, file, &schemas)?;
        if let Some(text) = &formatted.text {
            changed += 1;
            session.say(&if diff { difference(&formatted) } else { escape::terminal(&formatted.path).into_owned() });
            if !check {
                replace(file, text)?;
            }
        }
        problems.extend(formatted.problem);
    }
    if !problems.is_empty() {
        session.note(&declare::render(&problems, session.err_style().color));
        let what = if problems.len() == 1 { "1 file was not formatted".to_owned() } else { format!("{} files were not formatted", problems.len()) };
        return Err(Error::new(Exit::Error, what, "mend what is shown above and format again"));
    }
    Ok(if check && changed > 0 { Exit::Waiting } else { Exit::Done })
}

/// What is named, folders searched for `*.hcl`; without a name all of `environments/`. Each file once, in order.
fn files(session: &Session, paths: &[PathBuf]) -> Result<BTreeSet<PathBuf>> {
    let environments = session.globals.root.join("environments");
    let all = [environments];
    let roots: Vec<PathBuf> = if paths.is_empty() { all.to_vec() } else { paths.iter().map(|path| session.globals.root.join(path)).collect() };
    let mut files = BTreeSet::new();
    for root in &roots {
        let meta = fs::metadata(root).map_err(|error| cannot("read", root, &error))?;
        if meta.is_dir() {
            search(root, 0, &mut files)?;
        } else {
            files.insert(root.clone());
        }
    }
    Ok(files)
}

fn search(folder: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    if depth > DEPTH_MAX || files.len() > FILES_MAX {
        let what = format!("{} holds more than {DEPTH_MAX} levels of folders or {FILES_MAX} files", folder.display());
        return Err(Error::new(Exit::Error, what, "name the files or a smaller folder"));
    }
    for entry in fs::read_dir(folder).map_err(|error| cannot("list", folder, &error))? {
        let path = entry.map_err(|error| cannot("list", folder, &error))?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        // Links to folders are not followed: they may lead out, or round in a circle.
        let meta = fs::symlink_metadata(&path).map_err(|error| cannot("read", &path, &error))?;
        if meta.is_dir() && !hidden {
            search(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|extension| extension == "hcl") && path.is_file() {
            files.insert(path);
        }
    }
    Ok(())
}

/// Replaces a file whole or not at all; its rights stay, and a link goes on pointing to it.
fn replace(path: &Path, text: &str) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let path = fs::canonicalize(path)?;
        let rights = fs::metadata(&path)?.permissions();
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:08x}.new", fastrand::u32(..)));
        let beside = path.with_file_name(name);
        let written = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.set_permissions(rights)?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        });
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    };
    write().map_err(|error| cannot("write", path, &error))
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    let help = "check that the path is right and that you may read and write it";
    Error::new(Exit::Error, format!("cannot {verb} {}", path.display()), help).because_text(error.to_string())
}

/// A unified difference, as `diff -u` gives it; secrets are blanked, and lines are escaped.
fn difference(formatted: &Formatted) -> String {
    let (before, after) = &formatted.shown;
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    let (old, new) = (format!("a/{}", formatted.path), format!("b/{}", formatted.path));
    let unified = diff.unified_diff().context_radius(CONTEXT).header(&old, &new).to_string();
    let mut safe = String::with_capacity(unified.len());
    for line in unified.lines() {
        safe.push_str(&escape::terminal(line));
        safe.push('\n');
    }
    safe
}
