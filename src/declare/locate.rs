//! Where environments are: a name below `environments/`, or a path of a file or folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::suggest::nearest;
use crate::model::{Error, Exit, Result};

/// The most `*.hcl` files of one environment, and the most environments of one root.
const MAX_FILES: usize = 1_000;

/// One environment's place on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// `environments/`, `plans/` and `.switchover/` are below it, and `file()` may not leave it.
    pub root: PathBuf,
    /// The environment's name: the file's stem or the folder's name.
    pub environment: String,
    /// The files that are read as one, sorted by name.
    pub files: Vec<PathBuf>,
}

/// Finds an environment: a name below `DIR/environments/`, or a path (relative to `dir`) of a `.hcl` file or of a folder.
///
/// # Errors
/// When it is not there, is there twice, or cannot be read; the help names what there is.
pub fn locate(dir: &Path, env: &str) -> Result<Location> {
    let is_hcl = Path::new(env).extension().is_some_and(|extension| extension == "hcl");
    let is_path = env.contains('/') || env.starts_with('.') || is_hcl;
    if !is_path {
        check_name(env)?;
        let base = dir.join("environments");
        let (file, folder) = (base.join(format!("{env}.hcl")), base.join(env));
        return match (file.is_file(), folder.is_dir()) {
            (true, true) => {
                Err(bad(format!("environment {env} is there twice"), format!("keep environments/{env}.hcl or environments/{env}/, not both")))
            }
            (true, false) => Ok(Location { root: dir.to_path_buf(), environment: env.to_owned(), files: vec![file] }),
            (false, true) => Ok(Location { root: dir.to_path_buf(), environment: env.to_owned(), files: folder_files(&folder)? }),
            (false, false) => Err(unknown(dir, env)),
        };
    }
    let path = dir.join(env);
    let (name, files) = if path.is_dir() {
        let whole = fs::canonicalize(&path).map_err(|error| bad(format!("cannot read {env}"), "check the path").because(error))?;
        (whole.file_name().map(|name| name.to_string_lossy().into_owned()), folder_files(&path)?)
    } else if path.is_file() {
        if !is_hcl {
            return Err(bad(format!("{env} is not an environment file"), "give a file whose name ends in .hcl, or a folder of such files"));
        }
        (path.file_stem().map(|stem| stem.to_string_lossy().into_owned()), vec![path.clone()])
    } else {
        return Err(bad(format!("there is no {env}"), "check the path; a plain name is looked up below environments/"));
    };
    let name = name.unwrap_or_default();
    check_name(&name)?;
    Ok(Location { root: root_of(&path), environment: name, files })
}

/// All environments below `root/environments/`, sorted by name.
///
/// # Errors
/// When there is no such folder or it cannot be read.
pub fn all_environments(root: &Path) -> Result<Vec<Location>> {
    names(root)?.iter().map(|name| locate(root, name)).collect()
}

/// The names below `environments/`, sorted.
fn names(root: &Path) -> Result<Vec<String>> {
    let base = root.join("environments");
    let help = "run this in the folder that holds environments/, or name that folder with -C";
    let entries = fs::read_dir(&base).map_err(|error| bad(format!("cannot read {}", base.display()), help).because(error))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| bad(format!("cannot read {}", base.display()), help).because(error))?.path();
        let Some(file_name) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else { continue };
        if path.is_dir() && folder_files(&path).is_ok() {
            names.push(file_name.to_owned());
        } else if let Some(stem) = file_name.strip_suffix(".hcl").filter(|_| path.is_file()) {
            names.push(stem.to_owned());
        }
        if names.len() > MAX_FILES {
            return Err(bad(format!("more than {MAX_FILES} environments in {}", base.display()), "split them over several folders"));
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The `*.hcl` files of a folder, sorted.
fn folder_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| bad(format!("cannot read {}", folder.display()), "check that the folder may be read").because(error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "hcl") && path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(bad(format!("{} holds no .hcl file", folder.display()), "put the environment's files there"));
    }
    if files.len() > MAX_FILES {
        return Err(bad(format!("{} holds more than {MAX_FILES} files", folder.display()), "split the environment"));
    }
    files.sort();
    Ok(files)
}

/// The folder that holds the `environments/` which holds `path`, else the folder of the files themselves.
fn root_of(path: &Path) -> PathBuf {
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let parent = whole.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    if parent.file_name().is_some_and(|name| name == "environments") {
        return parent.parent().map_or(parent.clone(), Path::to_path_buf);
    }
    if whole.is_dir() { whole } else { parent }
}

/// A name stands in paths and lock names, so it is kept plain.
fn check_name(name: &str) -> Result<()> {
    let plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if name.is_empty() || name.starts_with('.') || name.len() > 100 || !plain {
        return Err(bad(format!("`{name}` cannot be an environment's name"), "use letters, digits, `-`, `_` and `.`"));
    }
    Ok(())
}

fn unknown(dir: &Path, env: &str) -> Error {
    let known = names(dir).unwrap_or_default();
    let help = match nearest(env, known.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => {
            format!("there is no environment below {}: write environments/{env}.hcl, or name the folder with -C", dir.display())
        }
        None => format!("there are: {}", known.iter().take(20).cloned().collect::<Vec<_>>().join(", ")),
    };
    bad(format!("there is no environment `{env}`"), help)
}

fn bad(what: impl Into<String>, help: impl Into<String>) -> Error {
    Error::new(Exit::Error, what, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        fs::create_dir_all(at("environments/live")).unwrap();
        fs::create_dir_all(at("environments/empty")).unwrap();
        fs::create_dir_all(at("elsewhere")).unwrap();
        for file in ["environments/staging.hcl", "environments/live/b.hcl", "environments/live/a.hcl", "elsewhere/one.hcl", "environments/notes.txt"]
        {
            fs::write(at(file), "").unwrap();
        }
        dir
    }

    #[test]
    fn a_name_is_a_file_or_a_folder_below_environments() {
        let dir = tree();
        let staging = locate(dir.path(), "staging").unwrap();
        assert_eq!((staging.environment.as_str(), staging.root.as_path()), ("staging", dir.path()));
        let live = locate(dir.path(), "live").unwrap();
        let names: Vec<_> = live.files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.hcl", "b.hcl"]);
        let all: Vec<_> = all_environments(dir.path()).unwrap().into_iter().map(|location| location.environment).collect();
        assert_eq!(all, ["live", "staging"]);
    }

    #[test]
    fn a_path_knows_its_root() {
        let dir = tree();
        let whole = fs::canonicalize(dir.path()).unwrap();
        assert_eq!(locate(dir.path(), "environments/staging.hcl").unwrap().root, whole);
        assert_eq!(locate(dir.path(), "environments/live/").unwrap().root, whole);
        let one = locate(dir.path(), "elsewhere/one.hcl").unwrap();
        assert_eq!((one.root, one.environment.as_str()), (whole.join("elsewhere"), "one"));
        assert_eq!(locate(dir.path(), "elsewhere/").unwrap().root, whole.join("elsewhere"));
    }

    #[test]
    fn what_is_not_there_is_said_with_the_nearest_name() {
        let dir = tree();
        assert_eq!(locate(dir.path(), "stagging").unwrap_err().help(), "did you mean `staging`?");
        assert!(locate(dir.path(), "zzzzzzzz").unwrap_err().help().contains("live, staging"));
        for env in ["", "..", "a b", "environments/none.hcl", "environments/notes.txt", "empty"] {
            let error = locate(dir.path(), env).unwrap_err();
            assert!(!error.help().is_empty(), "{env}");
        }
        assert!(all_environments(&dir.path().join("elsewhere")).is_err());
        fs::write(dir.path().join("environments/live.hcl"), "").unwrap();
        assert!(locate(dir.path(), "live").unwrap_err().chain().contains("twice"));
    }
}
