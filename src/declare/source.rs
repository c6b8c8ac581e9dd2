//! The files of an environment: read, parsed, and their secrets blanked in what excerpts are cut from.

use std::collections::HashSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hcl_edit::structure::Body;

use super::locate::Location;
use super::mask::{self, Names};
use super::parse::{self, Syntax};
use super::spec::{BlockSpec, KindSchema};
use super::{common, plain, scan, tables};
use crate::model::{Error, Exit, Problem, Result, SourceFile, Span, input};

/// One file.
pub struct Source {
    /// Its path and its text, secrets blanked.
    pub file: Arc<SourceFile>,
    /// Its tree; none when it is no HCL.
    pub body: Option<Body>,
    /// Where plain blocks stand that are one block in the tree.
    pub runs: Vec<Range<usize>>,
}

/// All files of an environment.
pub struct Sources {
    /// The files.
    pub files: Vec<Source>,
    /// Syntax errors.
    pub problems: Vec<Problem>,
    /// Names that go into secrets: `var.x`, `local.y`.
    pub into_secrets: HashSet<String>,
}

/// What the parser reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parser {
    /// All but plain blocks.
    WithoutPlain,
    /// Everything: for comparing.
    #[cfg(test)]
    Alone,
}

/// Reads and parses all files of an environment; syntax errors are problems, one a file.
///
/// # Errors
/// When a file cannot be read.
pub fn read(location: &Location, kinds: &[&dyn KindSchema], parser: Parser) -> Result<Sources> {
    let names = Names::of(kinds);
    let plain = match parser {
        Parser::WithoutPlain => plain::inner(kinds, &names.secret),
        #[cfg(test)]
        Parser::Alone => Vec::new(),
    };
    let mut texts = Vec::new();
    for path in &location.files {
        texts.push((shown(&location.root, path), text(path)?));
    }
    let parsed: Vec<std::result::Result<_, Syntax>> = texts.iter().map(|(_, (text, _))| parse::without_plain(text, &plain)).collect();
    let bodies: Vec<&Body> = parsed.iter().filter_map(|parsed| parsed.as_ref().ok()).map(|(body, _)| body).collect();
    let names = Names { all_read: bodies.len() == parsed.len(), ..names };
    let (ranges, into_secrets) = mask::ranges(&bodies, &names);
    let mut ranges = ranges.into_iter();
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    for ((path, (text, invalid)), parsed) in texts.into_iter().zip(parsed) {
        let masked = match &parsed {
            Ok(_) => mask::blank(&text, &ranges.next().unwrap_or_default()),
            Err(_) => mask::blank_unparsed(&text, &names.secret),
        };
        let file = Arc::new(SourceFile { path, text: masked });
        let (body, runs) = match (invalid, parsed) {
            (Some(offset), _) => {
                let place = Span { file: Arc::clone(&file), range: offset..offset };
                problems.push(Problem::error(&place, "the file is not UTF-8 text", "save it as UTF-8"));
                (None, Vec::new())
            }
            (None, Err(syntax)) => {
                problems.push(syntax.problem(&file));
                (None, Vec::new())
            }
            (None, Ok((body, runs))) => (Some(body), runs),
        };
        sources.push(Source { file, body, runs });
    }
    Ok(Sources { files: sources, problems, into_secrets })
}

/// A file's text, and where it stops being UTF-8.
fn text(path: &Path) -> Result<(String, Option<usize>)> {
    let failed = |why: String| {
        Error::new(Exit::Error, format!("cannot read {}", path.display()), "check that the file is there, may be read, and is of a sensible size")
            .because_text(why)
    };
    let bytes = bytes(path).map_err(failed)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(valid))
        }
    })
}

fn bytes(path: &Path) -> std::result::Result<Vec<u8>, String> {
    input::read(path, scan::MAX_FILE_BYTES).map_err(|error| error.to_string())
}

/// A whole file as text.
///
/// # Errors
/// When it cannot be read, is too large or is no text.
pub fn whole(path: &Path) -> Result<String> {
    match text(path)? {
        (text, None) => Ok(text),
        (_, Some(offset)) => {
            let what = format!("{} is not UTF-8 text: see byte {offset}", path.display());
            Err(Error::new(Exit::Error, what, "save it as UTF-8"))
        }
    }
}

/// A whole file as text, bounded; the error is a fragment.
pub fn bounded(path: &Path) -> std::result::Result<String, String> {
    String::from_utf8(bytes(path)?).map_err(|_| "it is not UTF-8 text".to_owned())
}

/// The `.hcl` files beside a file that belong to the same environment: all of its folder, unless that is `environments` itself.
#[must_use]
pub fn siblings(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| folder.file_name().is_none_or(|name| name != "environments"));
    let Some(entries) = folder.and_then(|folder| fs::read_dir(folder).ok()) else { return vec![path.to_path_buf()] };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|file| file.extension().is_some_and(|e| e == "hcl")).collect();
    files.sort();
    files
}

/// A path as people know it: relative to the root where it is below it.
#[must_use]
pub fn shown(root: &Path, path: &Path) -> String {
    if let Ok(inside) = path.strip_prefix(root) {
        return inside.to_string_lossy().into_owned();
    }
    let whole = (fs::canonicalize(root), fs::canonicalize(path));
    if let (Ok(root), Ok(whole)) = &whole
        && let Ok(inside) = whole.strip_prefix(root)
    {
        return inside.to_string_lossy().into_owned();
    }
    path.to_string_lossy().into_owned()
}

impl Names {
    /// Those of all tables.
    pub fn of(kinds: &[&dyn KindSchema]) -> Names {
        fn collect(spec: &'static BlockSpec, names: &mut Names) {
            names.blocks.insert(spec.name);
            names.attributes.extend(spec.attributes.iter().map(|attribute| attribute.name));
            names.secret.extend(spec.attributes.iter().filter(|attribute| attribute.secret).map(|attribute| attribute.name));
            spec.blocks.iter().for_each(|block| collect(block, names));
        }
        let mut names = Names { all_read: true, ..Names::default() };
        names.blocks.insert("provider");
        names.attributes.extend(common::ATTRIBUTES.iter().map(|attribute| attribute.name));
        for spec in [&tables::ENVIRONMENT, &tables::VARIABLE, &tables::LOCALS].into_iter().chain(tables::PROVIDERS).chain(common::BLOCKS) {
            collect(spec, &mut names);
        }
        for kind in kinds {
            collect(kind.block(), &mut names);
        }
        names
    }
}
