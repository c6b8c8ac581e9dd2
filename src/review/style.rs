//! Width and colours, as arguments: nothing here looks at the environment or at a terminal.

use anstyle::{AnsiColor, Effects};

/// How text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are written.
    pub color: bool,
    /// Columns of the terminal; 40 to 200 are used, whatever is given.
    pub width: usize,
}

/// What a piece of text means to the reader; colours only repeat what symbols and words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ink {
    /// Ordinary text.
    #[default]
    Plain,
    /// Headings and names that matter.
    Strong,
    /// Background: what a tired reader may skip.
    Faint,
    /// What is made, what went well.
    Good,
    /// What changes, what to watch.
    Watch,
    /// What is removed.
    Gone,
    /// What cannot be undone, what failed.
    Danger,
}

impl Style {
    /// No colours.
    #[must_use]
    pub const fn plain(width: usize) -> Self {
        Style { color: false, width }
    }

    /// The columns that are used: a pipe that claims 0 and a wall-wide terminal both get readable lines.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.width.clamp(40, 200)
    }

    /// `text` in its ink. The text is trusted: escape it first.
    #[must_use]
    pub fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.color || ink == Ink::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = match ink {
            Ink::Plain => anstyle::Style::new(),
            Ink::Strong => anstyle::Style::new().effects(Effects::BOLD),
            Ink::Faint => anstyle::Style::new().effects(Effects::DIMMED),
            Ink::Good => AnsiColor::Green.on_default(),
            Ink::Watch => AnsiColor::Yellow.on_default(),
            Ink::Gone => AnsiColor::Red.on_default(),
            Ink::Danger => AnsiColor::Red.on_default().effects(Effects::BOLD),
        };
        format!("{style}{text}{style:#}")
    }
}
