//! Plan → text for people (terminal, Markdown) and for programs (JSON). Pure: width and colours come in as [`Style`].
//!
//! Everything that comes from outside (names, values, messages of services) passes through [`escape`] on its way out, so that no
//! record, tag or message can move the cursor, forge a heading or call somebody.

pub mod escape;
pub mod explain;
pub mod graph;
mod json;
pub mod layout;
mod markdown;
#[cfg(test)]
pub(crate) mod sample;
mod style;
pub mod summary;
mod terminal;
mod value;

pub use json::json;
pub use markdown::{markdown, markdown_knowing};
pub use style::{Ink, Style};
pub use terminal::{Next, terminal, terminal_knowing};

/// One sentence, wrapped to the width there is, without the last line end.
#[must_use]
pub fn sentence(words: &str, style: &Style) -> String {
    let mut page = layout::Page::new(style);
    page.put(0, 2, &layout::Line::plain(words));
    page.finish().trim_end().to_owned()
}
