//! Files that environment files name: relative to the file that names them, and never outside of the root.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::model::{SourceFile, input};

/// The largest file that `file()` and `templatefile()` read, in bytes.
pub const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// A file as it was found.
#[derive(Debug)]
pub struct Found {
    /// Relative to the root, with `/`.
    pub shown: String,
    /// The real path.
    pub path: PathBuf,
}

/// What is wrong (a fragment) and what to do about it.
pub type Refused = (String, &'static str);

/// Finds the file that `path` means in `from`, links resolved.
pub fn find(root: &Path, from: &SourceFile, path: &str) -> Result<Found, Refused> {
    const HELP: &str = "paths are relative to the file that names them, and stay below the folder that holds environments/";
    let base = root.join(&from.path).parent().map_or_else(|| root.to_path_buf(), Path::to_path_buf);
    let root = fs::canonicalize(root).map_err(|error| (format!("cannot read {}: {error}", root.display()), HELP))?;
    let base = fs::canonicalize(&base).unwrap_or(base);
    let wanted = flatten(&base.join(path));
    if !wanted.starts_with(&root) {
        return Err((format!("`{path}` leaves the environment's folder tree"), HELP));
    }
    let real = fs::canonicalize(&wanted).map_err(|error| (format!("cannot read `{path}`: {error}"), HELP))?;
    let Ok(inside) = real.strip_prefix(&root) else {
        return Err((format!("`{path}` is a link that leaves the environment's folder tree"), HELP));
    };
    Ok(Found { shown: inside.to_string_lossy().replace('\\', "/"), path: real })
}

/// Reads it as text.
pub fn read(found: &Found) -> Result<String, Refused> {
    let bytes = input::read(&found.path, MAX_BYTES).map_err(|error| {
        let help = match error.kind() {
            ErrorKind::InvalidInput => "name a file",
            ErrorKind::FileTooLarge => "split the file",
            _ => "check that the file may be read",
        };
        (format!("cannot read `{}`: {error}", found.shown), help)
    })?;
    String::from_utf8(bytes).map_err(|_| (format!("`{}` is not UTF-8 text", found.shown), "only text can be read into an environment"))
}

/// Resolves `.` and `..` by the text alone, so that a path that leaves is refused whether or not it exists.
fn flatten(path: &Path) -> PathBuf {
    let mut flat = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                flat.pop();
            }
            other => flat.push(other),
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("environments/sql")).unwrap();
        fs::write(root.join("environments/sql/a.sql"), "SELECT 1").unwrap();
        fs::write(dir.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), root.join("environments/link")).unwrap();
        let from = SourceFile { path: "environments/staging.hcl".into(), text: String::new() };
        let found = find(&root, &from, "sql/a.sql").unwrap();
        assert_eq!((found.shown.as_str(), read(&found).unwrap().as_str()), ("environments/sql/a.sql", "SELECT 1"));
        assert!(find(&root, &from, "../environments/./sql/a.sql").is_ok());
        for (path, what) in [
            ("../../secret", "leaves"),
            ("../../../../../../etc/passwd", "leaves"),
            ("/etc/passwd", "leaves"),
            ("link", "link that leaves"),
            ("../../nothing-here", "leaves"),
            ("sql/none.sql", "cannot read"),
        ] {
            let refused = find(&root, &from, path).unwrap_err();
            assert!(refused.0.contains(what), "{path}: {}", refused.0);
        }
        assert!(read(&find(&root, &from, "sql").unwrap()).unwrap_err().0.contains("not a file"));
        fs::write(root.join("environments/bytes"), [0xff, 0xfe]).unwrap();
        assert!(read(&find(&root, &from, "bytes").unwrap()).unwrap_err().0.contains("UTF-8"));
    }
}
