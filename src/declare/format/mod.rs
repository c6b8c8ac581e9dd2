//! The canonical form of environment files: what `fmt` writes.
//!
//! # Rules
//! Two blanks a level; one blank between tokens; the `=` of neighbouring attributes in one column, and so the comments behind neighbouring lines;
//! one empty line at most between two others; comments with `#`. What stands inside quotes and heredocs, and the order of everything, is
//! left as it is. Those who know `terraform fmt` find the same form.
//!
//! # Guarantees
//! The result means the same: it is parsed again and compared with the original, its comments too, and anything else is an error instead of
//! a file. Formatting the result again changes nothing.

mod lexer;
mod lines;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use hcl_edit::structure::Body;

use self::lexer::Kind;
use super::mask::{self, Names};
use super::parse::{self, Syntax};
use super::source;
use super::spec::KindSchema;
use crate::model::{Problem, Result, SourceFile};

/// One file and its canonical form.
pub struct Formatted {
    /// The file as people know it.
    pub path: String,
    /// What it becomes; none when it is that already, or could not be formatted.
    pub text: Option<String>,
    /// Before and after with secrets blanked, for showing the difference.
    pub shown: (String, String),
    /// Why it could not be formatted.
    pub problem: Option<Problem>,
}

/// Formats the file at `path`; nothing is written.
///
/// # Errors
/// When the file cannot be read.
pub fn format(root: &Path, path: &Path, kinds: &[&dyn KindSchema]) -> Result<Formatted> {
    // One file does not tell which of its values others use as secrets.
    let names = Names { all_read: false, ..Names::of(kinds) };
    let text = source::whole(path)?;
    let shown = source::shown(root, path);
    let masked = |text: &str| match parse::body(text) {
        Ok(body) => mask::blank(text, &mask::ranges(&[&body], &names).0.pop().unwrap_or_default()),
        Err(_) => mask::blank_unparsed(text, &names.secret),
    };
    let before = masked(&text);
    Ok(match canonical(&text) {
        Ok(formatted) => {
            let after = masked(&formatted);
            Formatted { path: shown, text: (formatted != text).then_some(formatted), shown: (before, after), problem: None }
        }
        Err(syntax) => {
            let file = Arc::new(SourceFile { path: shown.clone(), text: before.clone() });
            let problem = Some(syntax.problem(&file));
            Formatted { path: shown, text: None, shown: (before.clone(), before), problem }
        }
    })
}

/// The canonical form of a text.
///
/// # Errors
/// What is wrong with it when it does not parse; a mistake of ours when it could not be formatted without changing its meaning.
pub fn canonical(text: &str) -> std::result::Result<String, Syntax> {
    let body = parse::body(text)?;
    let formatted = lexer::tokens(text).map(|tokens| lines::lay_out(&tokens));
    let same = |again: &String| meaning(again).is_some_and(|again| again == hcl::Body::from(body)) && comments(text) == comments(again);
    formatted.filter(same).ok_or_else(|| {
        Syntax::new(0, "this file cannot be formatted without changing what it says", "it is left as it is; please report this with the file")
    })
}

fn meaning(text: &str) -> Option<hcl::Body> {
    parse::body(text).ok().map(|body: Body| hcl::Body::from(body))
}

/// All comments without their marks, in order.
fn comments(text: &str) -> Option<Vec<String>> {
    let plain = |text: &str| text.trim_start_matches("//").trim_start_matches('#').trim_end().to_owned();
    let tokens = lexer::tokens(text)?;
    Some(tokens.iter().filter(|token| token.kind == Kind::Comment).map(|token| plain(token.text)).collect())
}
