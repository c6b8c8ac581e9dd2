//! Faults at every call: each call of both kinds is hit by each fault, alone and then in pairs at random, with deaths in between. Whatever happens, the end is
//! the declared world, the original one, or a stop whose report names what a person must do; a [`person`] who does just that, and nothing else, gets there too.
//!
//! A cell that ends elsewhere prints the one command that replays it. `SWITCHOVER_FAULT_PAIRS` is how many pairs are tried,
//! `SWITCHOVER_FAULT_STRIDE=1` tries every cell with one fault, and `SWITCHOVER_FAULT_FROM` is the first.

mod cell;
mod judge;
mod matrix;
mod person;
mod script;
mod story;
mod trials;
mod twice;
mod workers;

use cell::Cell;
use trials::Case;

/// Pairs tried when nobody says how many.
const PAIRS: u64 = 10_000;
/// Of the cells with one fault, every so many-th is tried when nobody says otherwise. It has no factor in common with the number of faults, so that each comes at every
/// kind of call.
const STRIDE: u64 = 7;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The first cell that is tried: for going on where an earlier proof ended.
fn first() -> u64 {
    number("SWITCHOVER_FAULT_FROM").unwrap_or(0)
}

/// All cells of one fault.
fn singles(cases: &[Case]) -> Vec<Cell> {
    (0..cases.len()).flat_map(|case| cell::singles(case, &cases[case])).collect()
}

#[test]
fn every_fault_at_every_call() {
    let cases = trials::all();
    let cells = singles(&cases);
    let stride = number("SWITCHOVER_FAULT_STRIDE").unwrap_or(STRIDE).max(1);
    let tried = (first()..cells.len() as u64).step_by(usize::try_from(stride).unwrap());
    let matrix = workers::prove(&cases, tried, "SWITCHOVER_FAULT_CELL", |index| cells[usize::try_from(index).unwrap()].clone());
    println!("{matrix}");
}

#[test]
fn pairs_of_faults_at_random() {
    let cases = trials::all();
    let pairs = number("SWITCHOVER_FAULT_PAIRS").unwrap_or(PAIRS);
    let matrix = workers::prove(&cases, (first()..first() + pairs).step_by(1), "SWITCHOVER_FAULT_SEED", |seed| cell::pair(seed, &cases));
    println!("{matrix}");
}

/// Tells the story of one cell. Without one the first pair is told twice, and must be the same story.
#[test]
fn replay() {
    let cases = trials::all();
    let cell = match (number("SWITCHOVER_FAULT_SEED"), number("SWITCHOVER_FAULT_CELL")) {
        (Some(seed), _) => cell::pair(seed, &cases),
        (None, Some(index)) => singles(&cases).swap_remove(usize::try_from(index).unwrap()),
        (None, None) => {
            let cell = cell::pair(1, &cases);
            let told = || workers::block_on(judge::judge(&cases[cell.case], &cell, true)).1.to_string();
            assert_eq!(told(), told(), "the same seed tells another story");
            return;
        }
    };
    let (verdict, story) = workers::block_on(judge::judge(&cases[cell.case], &cell, true));
    println!("{story}\n{cell:?}\n{verdict:?}");
    verdict.unwrap();
}
