//! Ctrl-C as it is typed: a byte that a terminal takes, shows as `^C`, and makes a signal for all who work on it.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::shell::{self, instances, is_declared};
use crate::cli::bench::Bench;

/// The key.
const CTRL_C: u8 = 3;
/// Of so many columns the line that says what Ctrl-C does takes all but one.
const COLUMNS: usize = 74;

/// The binary on a terminal of its own, as `script` makes one; somebody types.
struct Typed {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    sent: Vec<u8>,
}

impl Typed {
    fn start(bench: &Bench, args: &str) -> Typed {
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

    /// Presses Ctrl-C as soon as these words are there.
    fn press_at(&mut self, words: &str) {
        let from = self.sent.len();
        while !self.text()[from..].contains(words) {
            assert!(self.read(), "never came: {words:?} in {}", self.text());
        }
        self.keys.write_all(&[CTRL_C]).unwrap();
    }

    /// The exit code, and what stands on the terminal in the end.
    fn end(mut self) -> (i32, Vec<String>) {
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

/// Nothing of the live view is left, and the shell's prompt begins at the edge.
#[track_caller]
fn is_tidy(screen: &[String]) {
    let screen_text = screen.join("\n");
    for part in ["Ctrl-C: ", "STOPPING", "[prepare ", "[switch ", "outage to come", "OUTAGE dev"] {
        assert!(!screen.iter().any(|line| line.starts_with(part)), "{part:?} is left:\n{screen_text}");
    }
    assert!(!screen.iter().any(|line| line.starts_with("apply of staging:")), "a head is left:\n{screen_text}");
    assert_eq!(screen.last().map(String::as_str), Some(""), "{screen_text}");
}

/// Words on the screen, wherever it breaks its lines.
fn has(screen: &[String], words: &str) -> bool {
    let unbroken = |text: &str| text.split_whitespace().collect::<String>();
    unbroken(&screen.concat()).contains(&unbroken(words))
}

#[test]
fn once_stops_at_the_next_safe_point_and_leaves_the_terminal_tidy() {
    let Some(()) = shell::needs("script").and_then(|()| shell::needs("stty")) else { return };
    let bench = shell::quick();
    let before = instances(&bench);
    let mut run = Typed::start(&bench, "apply staging --yes --seed 1 --pace 4x");
    run.press_at("restore  creating");
    let (code, screen) = run.end();
    assert_eq!(code, 8, "{screen:#?}");
    for words in
        ["stopping at the next safe point; Ctrl-C or SIGTERM once more stops now", "staging: STOPPED, at a safe point", "switchover resume staging"]
    {
        assert!(has(&screen, words), "{words}: {screen:#?}");
    }
    is_tidy(&screen);
    bench.run(&["resume", "staging"]).exits(0);
    is_declared(&bench, &before);
}

#[test]
fn twice_stops_now_and_says_that_the_outage_lasts() {
    let Some(()) = shell::needs("script").and_then(|()| shell::needs("stty")) else { return };
    let bench = shell::quick();
    let before = instances(&bench);
    let mut run = Typed::start(&bench, "apply staging --yes --seed 1 --pace 1x");
    run.press_at("Ctrl-C: stops when the outage has ended");
    run.press_at("STOPPING when the outage has ended");
    let (code, screen) = run.end();
    assert_eq!(code, 5, "{screen:#?}");
    for words in ["once more stops now", "stopping now", "staging: A PERSON IS NEEDED", "the outage of dev-openverse-db lasts until then"] {
        assert!(has(&screen, words), "{words}: {screen:#?}");
    }
    is_tidy(&screen);
    bench.run(&["status"]).exits(0).says("is in its outage since");
    bench.run(&["resume", "staging"]).exits(0);
    is_declared(&bench, &before);
}

#[test]
fn at_the_question_nothing_is_done() {
    let Some(()) = shell::needs("script").and_then(|()| shell::needs("stty")) else { return };
    let bench = shell::quick();
    let before = bench.read("world.json");
    let mut run = Typed::start(&bench, "apply staging --seed 1");
    run.press_at("Only `yes` is accepted: ");
    let (code, screen) = run.end();
    assert_eq!(code, 130, "{screen:#?}");
    assert_eq!(bench.read("world.json"), before);
    bench.run(&["apply", "staging", "--yes", "--seed", "1"]).exits(0);
}
