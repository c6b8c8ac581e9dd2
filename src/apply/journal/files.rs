//! Folders and files of the local store: made for their owner alone, and never reached through a link.
//!
//! Who can put files into a repository can put links there. A lock or a journal that is a link would have something else overwritten, and a folder
//! that is one would have runs journaled where nobody looks for them. The folder that holds `.switchover/` may be reached however people like.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::local::cannot;
use crate::model::{Error, Exit, Result};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// What group and others may do.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;

/// Makes a folder below `root` with all that lead to it, `root` included; those that are there are closed to others.
pub fn make_folder(root: &Path, folder: &Path) -> Result<()> {
    for path in steps(root, folder) {
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => close(&path, &meta, FOLDER_MODE)?,
            Ok(_) => return Err(foreign(&path)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = DirBuilder::new().mode(FOLDER_MODE).create(&path);
                // Another process may have been quicker.
                made.or_else(|error| if error.kind() == ErrorKind::AlreadyExists { Ok(()) } else { Err(cannot("make", &path, &error)) })?;
            }
            Err(error) => return Err(cannot("read", &path, &error)),
        }
    }
    Ok(())
}

/// Whether every folder from `root` to `folder` is there, and none is a link.
pub fn is_folder(root: &Path, folder: &Path) -> Result<bool> {
    for path in steps(root, folder) {
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => return Err(foreign(&path)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(cannot("read", &path, &error)),
        }
    }
    Ok(true)
}

/// Opens a file below `root` for reading and writing, and makes it when it is not there. Nothing in it is changed.
pub fn open(root: &Path, path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        make_folder(root, folder)?;
    }
    match OpenOptions::new().create_new(true).read(true).write(true).mode(FILE_MODE).open(path) {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let (file, meta) = plain(path, OpenOptions::new().read(true).write(true))?;
            close(path, &meta, FILE_MODE)?;
            Ok(file)
        }
        Err(error) => Err(cannot("write", path, &error)),
    }
}

/// Opens a new file below `root`; one of this name that an earlier process left is removed first.
pub fn replace(path: &Path) -> std::io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().create_new(true).write(true).mode(FILE_MODE).open(path)
}

/// Which file this is: device and inode of a plain file; none when it is not there, or is anything else. Its folder is the caller's to look at.
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().filter(Metadata::is_file).map(|meta| (meta.dev(), meta.ino()))
}

/// A whole file below `root`, of at most `bytes_max` bytes; none when it is not there.
pub fn read(root: &Path, path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>> {
    if !path.parent().map_or(Ok(true), |folder| is_folder(root, folder))? {
        return Ok(None);
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let opened = plain(path, OpenOptions::new().read(true));
    let (file, meta) = match opened {
        Ok(opened) => opened,
        // Gone since: as if it had never been there.
        Err(_) if fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    // What says of itself that it is too large is not read at all.
    if meta.len() <= bytes_max {
        file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| cannot("read", path, &error))?;
    }
    if meta.len().max(bytes.len() as u64) > bytes_max {
        let help = "nothing was done; look at what it is, and move it aside";
        return Err(Error::new(Exit::Error, format!("{} is larger than any file of ours", path.display()), help));
    }
    Ok(Some(bytes))
}

/// The folders from `root` to `folder`, outermost first.
fn steps(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = folder.ancestors().take_while(|path| path.starts_with(root)).map(Path::to_path_buf).collect();
    paths.reverse();
    paths
}

/// Opens a plain file that is there. It is looked at before, since opening alone can wait for ever (a pipe) or act (a device), and after, since what
/// was opened must be what was looked at.
fn plain(path: &Path, options: &OpenOptions) -> Result<(File, Metadata)> {
    let before = fs::symlink_metadata(path).map_err(|error| cannot("read", path, &error))?;
    if !before.is_file() {
        return Err(foreign(path));
    }
    let file = options.open(path).map_err(|error| cannot("open", path, &error))?;
    let after = file.metadata().map_err(|error| cannot("read", path, &error))?;
    if (before.dev(), before.ino()) == (after.dev(), after.ino()) { Ok((file, after)) } else { Err(foreign(path)) }
}

/// Takes from others what they may do. Where that is not ours to take, only reading is left to them.
fn close(path: &Path, meta: &Metadata, mode: u32) -> Result<()> {
    if meta.permissions().mode() & OTHERS == 0 {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(mode)) {
        Err(error) if meta.permissions().mode() & OTHERS_WRITE != 0 => Err(Error::new(
            Exit::Error,
            format!("others may write to {}, and that cannot be changed", path.display()),
            "nothing was done; remove it, or have its owner run `chmod go-rwx` on it: who can write there can say what a run has done",
        )
        .because_text(error.to_string())),
        _ => Ok(()),
    }
}

fn foreign(path: &Path) -> Error {
    Error::new(
        Exit::Error,
        format!("{} is a link, or something else that the journal does not make", path.display()),
        "nothing was done; look at what it is, and remove it: journals and locks are plain files in folders of their own",
    )
}
