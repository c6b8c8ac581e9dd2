//! Ctrl-C as it is typed: a byte that a terminal takes, shows as `^C`, and makes a signal for all who work on it.

use super::shell::{self, instances, is_declared};
use super::typed::{CTRL_C, Typed, has};

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

#[test]
fn once_stops_at_the_next_safe_point_and_leaves_the_terminal_tidy() {
    let Some(()) = shell::needs("script").and_then(|()| shell::needs("stty")) else { return };
    let bench = shell::quick();
    let before = instances(&bench);
    let mut run = Typed::start(&bench, "apply staging --yes --seed 1 --pace 4x");
    run.types_at("restore  creating", CTRL_C);
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
    run.types_at("Ctrl-C: stops when the outage has ended", CTRL_C);
    run.types_at("STOPPING when the outage has ended", CTRL_C);
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
    run.types_at("Only `yes` is accepted: ", CTRL_C);
    let (code, screen) = run.end();
    assert_eq!(code, 130, "{screen:#?}");
    assert_eq!(bench.read("world.json"), before);
    bench.run(&["apply", "staging", "--yes", "--seed", "1"]).exits(0);
}
