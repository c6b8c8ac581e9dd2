//! Mistakes in files: where, what, and what to do.

use std::ops::Range;
use std::sync::Arc;

/// One file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// As people know it: relative to the root where it is below it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// Line and column, both from 1, of a byte offset; columns count characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Byte offsets in its text.
    pub range: Range<usize>,
}

impl Span {
    /// Whether what stands there was blanked because it may be a secret.
    #[must_use]
    pub fn is_blanked(&self) -> bool {
        self.file.text.get(self.range.clone()).is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte == b'*'))
    }

    /// `FILE:LINE:COLUMN` of its start; of a file without text, which has no lines, the path alone.
    #[must_use]
    pub fn place(&self) -> String {
        if self.file.text.is_empty() {
            return self.file.path.clone();
        }
        let (line, column) = self.file.position(self.range.start);
        format!("{}:{line}:{column}", self.file.path)
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is done until it is mended.
    Error,
    /// Shown, and no hindrance.
    Warning,
}

/// One mistake, or one warning, in one place of a file.
#[derive(Debug, Clone)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// One line, lower-case: "unknown attribute `instnace_class`".
    pub summary: String,
    /// What stands at the underlined place; may be empty.
    pub label: String,
    /// The next step; never empty for an error.
    pub help: String,
    /// Where; none only for what is wrong with a file as a whole or with arguments.
    pub span: Option<Span>,
    /// The underlined text is the value of a secret attribute: the excerpt is not shown.
    pub secret: bool,
}

impl Problem {
    /// An error at a place.
    pub fn error(span: &Span, summary: impl Into<String>, help: impl Into<String>) -> Self {
        Problem {
            severity: Severity::Error,
            summary: summary.into(),
            label: String::new(),
            help: help.into(),
            span: Some(span.clone()),
            secret: false,
        }
    }

    /// A warning at a place.
    pub fn warning(span: &Span, summary: impl Into<String>, help: impl Into<String>) -> Self {
        Problem { severity: Severity::Warning, ..Problem::error(span, summary, help) }
    }

    /// The same with a few words at the underlined place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }
}
