//! The binary on a terminal of its own, with somebody who types.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::shell;
use crate::cli::bench::Bench;

/// The key.
pub const CTRL_C: &str = "\u{3}";
/// Of so many columns the line that says what Ctrl-C does takes all but one.
const COLUMNS: usize = 74;

/// The binary on a terminal of its own, as `script` makes one; somebody types.
pub struct Typed {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    sent: Vec<u8>,
}

impl Typed {
    /// Starts it with these arguments.
    pub fn start(bench: &Bench, args: &str) -> Typed {
        let inside = format!("stty cols {COLUMNS} rows 24; TERM=xterm NO_COLOR=1 exec \"$SWITCHOVER\" {args}");
        // Should a key not be heard, the test fails after some minutes instead of waiting for ever.
        let mut command = shell::command(bench, r#"exec timeout --foreground 300 script -qec "$1" /dev/null"#, &[&inside]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Typed { child, keys, screen, sent: Vec::new() }
    }

    /// Reads what is sent; false when nothing more comes.
    fn read(&mut self) -> bool {
        let mut some = [0; 4_096];
        let count = self.screen.read(&mut some).unwrap_or(0);
        self.sent.extend(&some[..count]);
        count > 0
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.sent).into_owned()
    }

    /// Waits until these words are there, which were not before.
    pub fn wait_for(&mut self, words: &str) {
        let from = self.sent.len();
        while !self.text()[from..].contains(words) {
            assert!(self.read(), "never came: {words:?} in {}", self.text());
        }
    }

    /// Types.
    pub fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Types as soon as these words are there.
    pub fn types_at(&mut self, words: &str, keys: &str) {
        self.wait_for(words);
        self.types(keys);
    }

    /// The exit code, and what stands on the terminal in the end.
    pub fn end(mut self) -> (i32, Vec<String>) {
        while self.read() {}
        (self.child.wait().unwrap().code().unwrap_or(-1), shown(&self.text(), COLUMNS))
    }
}

/// What a terminal of so many columns shows of what was sent to it, row by row, the one with the cursor last. It knows what the live view needs
/// and no more: nothing hides a cursor or is left switched on.
fn shown(sent: &str, columns: usize) -> Vec<String> {
    let mut rows: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0, 0);
    let mut chars = sent.chars();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                assert_eq!(chars.next(), Some('['), "an escape that nobody needs in {sent:?}");
                let mut code = String::new();
                while !code.ends_with(|c: char| c.is_ascii_alphabetic()) {
                    code.push(chars.next().unwrap());
                }
                if code == "J" {
                    rows.truncate(row + 1);
                    rows[row].truncate(column);
                } else {
                    let up = code.strip_suffix('A').and_then(|rows| rows.parse::<usize>().ok());
                    row -= up.unwrap_or_else(|| panic!("{code:?} is an escape that nobody needs in {sent:?}"));
                }
            }
            _ => {
                if column == columns {
                    (row, column) = (row + 1, 0);
                }
                rows.resize(rows.len().max(row + 1), Vec::new());
                let length = rows[row].len().max(column + 1);
                rows[row].resize(length, ' ');
                rows[row][column] = c;
                column += 1;
            }
        }
        rows.resize(rows.len().max(row + 1), Vec::new());
    }
    assert_eq!(row + 1, rows.len(), "the cursor is not at the end: {sent:?}");
    rows.iter().map(|row| row.iter().collect()).collect()
}

/// Words on the screen, wherever it breaks its lines.
pub fn has(screen: &[String], words: &str) -> bool {
    let unbroken = |text: &str| text.split_whitespace().collect::<String>();
    unbroken(&screen.concat()).contains(&unbroken(words))
}
