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
        let style = ink.style();
        format!("{style}{text}{style:#}")
    }
}

impl Ink {
    /// Nobody knows the background: each colour can be read on white and on black.
    fn style(self) -> anstyle::Style {
        match self {
            Ink::Plain => anstyle::Style::new(),
            Ink::Strong => anstyle::Style::new().effects(Effects::BOLD),
            Ink::Faint => anstyle::Style::new().effects(Effects::DIMMED),
            Ink::Good => AnsiColor::Green.on_default(),
            Ink::Watch => AnsiColor::Magenta.on_default(),
            Ink::Gone => AnsiColor::Red.on_default(),
            Ink::Danger => AnsiColor::Red.on_default().effects(Effects::BOLD),
        }
    }
}

#[cfg(test)]
mod tests {
    use anstyle::Color;

    use super::*;

    const INKS: [Ink; 7] = [Ink::Plain, Ink::Strong, Ink::Faint, Ink::Good, Ink::Watch, Ink::Gone, Ink::Danger];
    /// What is below it is lost on its background: yellow on white has 1.7, dark blue on black 1.6.
    const CONTRAST_MIN: f64 = 2.0;
    /// The first eight of the sixteen colours as terminals have them unless somebody chose others: those of xterm, of the Linux console and of Windows.
    const PALETTES: [[u32; 8]; 3] = [
        [0x00_0000, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x00_00ee, 0xcd_00cd, 0x00_cdcd, 0xe5_e5e5],
        [0x00_0000, 0xaa_0000, 0x00_aa00, 0xaa_5500, 0x00_00aa, 0xaa_00aa, 0x00_aaaa, 0xaa_aaaa],
        [0x0c_0c0c, 0xc5_0f1f, 0x13_a10e, 0xc1_9c00, 0x00_37da, 0x88_1798, 0x3a_96dd, 0xcc_cccc],
    ];

    /// The relative luminance of WCAG 2.
    fn luminance(rgb: u32) -> f64 {
        let [_, red, green, blue] = rgb.to_be_bytes();
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// The worst contrast of a colour of these palettes, against white and against black.
    fn contrast(color: AnsiColor) -> f64 {
        let of = |palette: &[u32; 8]| {
            let own = luminance(palette[color as usize]);
            (1.05 / (own + 0.05)).min((own + 0.05) / 0.05)
        };
        PALETTES.iter().map(of).fold(f64::MAX, f64::min)
    }

    #[test]
    fn every_ink_can_be_read_on_white_and_on_black() {
        for ink in INKS {
            let style = ink.style();
            assert!(style.get_bg_color().is_none(), "{ink:?} has a background");
            match style.get_fg_color() {
                None => {}
                Some(Color::Ansi(color)) if !color.is_bright() => assert!(contrast(color) >= CONTRAST_MIN, "{ink:?}: {}", contrast(color)),
                Some(other) => panic!("{ink:?}: {other:?} is not one of the eight that every terminal has"),
            }
        }
        for lost in [AnsiColor::Yellow, AnsiColor::Cyan, AnsiColor::Blue, AnsiColor::White, AnsiColor::Black] {
            assert!(contrast(lost) < CONTRAST_MIN, "{lost:?}: {}", contrast(lost));
        }
    }

    #[test]
    fn without_colour_nothing_is_written_but_the_text() {
        assert!(INKS.iter().all(|ink| Style::plain(80).paint(*ink, "x") == "x"));
    }
}
