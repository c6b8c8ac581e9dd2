//! The live view of the real binary on a terminal of its own, as `script` makes one.

use super::shell::{self, instances, is_declared};
use crate::cli::bench::{Bench, Said};

/// Runs it on a terminal of so many columns, at a pace that people could follow, with these variables and flags.
fn on_a_terminal(bench: &Bench, columns: usize, variables: &str, flags: &str) -> Said {
    let inside = format!("stty cols {columns} rows 24; {variables} \"$SWITCHOVER\" apply staging --yes --seed 1 --pace 20x {flags}");
    shell::run(bench, r#"exec script -qec "$1" /dev/null"#, &[&inside])
}

/// Without its escapes, which are colours and the three that the view is drawn with.
fn bare(sent: &str) -> String {
    let mut parts = sent.split("\u{1b}[");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let at = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or_else(|| panic!("an escape without an end: {part:?}"));
        assert!(matches!(&part[at..=at], "m" | "A" | "J"), "an escape that nobody needs: {part:?}");
        text.push_str(&part[at + 1..]);
    }
    assert!(!text.contains('\u{1b}'), "{text:?}");
    text
}

#[test]
fn a_terminal_shows_the_run_as_it_goes_and_keeps_what_is_to_be_read() {
    let Some(()) = shell::needs("script").and_then(|()| shell::needs("stty")) else { return };
    for (columns, variables) in [(60, "TERM=xterm"), (100, "TERM=xterm NO_COLOR=1")] {
        let bench = shell::quick();
        let before = instances(&bench);
        let said = on_a_terminal(&bench, columns, variables, "").exits(0);
        let text = bare(&said.out);
        for words in ["[prepare 2/8]", "restore  creating", "outage to come dev-openverse-db", "Ctrl-C: stops", "OUTAGE BEGINS", "staging: DONE"] {
            assert!(text.contains(words), "{columns}: no {words:?} in {text}");
        }
        assert!(said.out.contains("\u{1b}[J") && text.contains("done in"), "{text}");
        assert_eq!(said.out.contains("\u{1b}[1m"), !variables.contains("NO_COLOR"), "{text}");
        let drawn = text.lines().filter(|line| line.contains("Ctrl-C:") || line.contains("outage to come") || line.contains("apply of staging:"));
        for line in drawn.flat_map(|line| line.split('\r')) {
            assert!(line.chars().count() < columns, "{columns}: {line:?}");
        }
        let end = text.split("staging: DONE").nth(1).unwrap();
        assert!(!end.contains("Ctrl-C"), "the view is gone: {end}");
        is_declared(&bench, &before);
    }
}

#[test]
fn lines_are_for_everybody_else() {
    let Some(()) = shell::needs("script").and_then(|()| shell::needs("stty")) else { return };
    for (variables, flags) in [("TERM=dumb", ""), ("TERM=xterm CI=true", ""), ("TERM=xterm", "--json"), ("TERM=xterm", "-q")] {
        let bench = shell::quick();
        let before = instances(&bench);
        let said = on_a_terminal(&bench, 100, variables, flags).exits(0);
        assert!(!said.out.contains("\u{1b}[J") && !said.out.contains("Ctrl-C:"), "{variables} {flags}: {said:?}");
        assert_eq!(
            said.out.contains("restore dev-openverse-db-next from"),
            flags != "-q" || said.out.contains("Steps"),
            "{variables} {flags}: {said:?}"
        );
        is_declared(&bench, &before);
    }
}
