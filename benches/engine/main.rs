//! How fast the engine, `validate`, `show` and the start-up are, beside the limit that the machine sets: `scripts/bench-engine`.
//!
//! Every figure is taken beside its limit in turns, in one go: of runs that wait for the disk the median is told, of what only computes the quickest. The program
//! runs itself again for the limits that are whole processes.

mod apply;
mod clock;
mod figures;
mod limits;
mod processes;
mod scenes;

use std::path::PathBuf;
use std::process::ExitCode;

use figures::Table;
use scenes::Scene;

/// What is measured, and how often.
struct Wanted {
    steps: usize,
    runs: usize,
    switchover: PathBuf,
    folder: Option<PathBuf>,
}

const USAGE: &str =
    "arguments: --steps N (10000), --runs N (5), --switchover FILE (the one built with this program), --folder DIR (where files are written)";

fn wanted(mut words: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted { steps: 10_000, runs: 5, switchover: env!("CARGO_BIN_EXE_switchover").into(), folder: None };
    let number = |word: Option<String>| word.and_then(|word| word.parse().ok()).filter(|number| *number > 0).ok_or(USAGE.to_owned());
    while let Some(word) = words.next() {
        match word.as_str() {
            // What cargo itself adds.
            "--bench" => {}
            "--steps" => wanted.steps = number(words.next())?,
            "--runs" => wanted.runs = number(words.next())?,
            "--switchover" => wanted.switchover = words.next().ok_or(USAGE.to_owned())?.into(),
            "--folder" => wanted.folder = Some(words.next().ok_or(USAGE.to_owned())?.into()),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(wanted)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, limit, rest @ ..] = words.as_slice()
        && first == limits::WORD
    {
        limits::run(limit, rest);
        return ExitCode::SUCCESS;
    }
    let wanted = match wanted(words.into_iter()) {
        Ok(wanted) => wanted,
        Err(usage) => {
            eprintln!("bench-engine: {usage}");
            return ExitCode::FAILURE;
        }
    };
    let folder = wanted.folder.as_ref().map_or_else(tempfile::tempdir, tempfile::tempdir_in).expect("a folder to write into");
    let mut table = Table::default();
    let scene = Scene::zones(&folder.path().join("steps"), wanted.steps / scenes::STEPS_OF_A_ZONE);
    let plan = processes::plan(&wanted.switchover, &scene);
    apply::measure(&mut table, &wanted, &scene, &plan);
    processes::show(&mut table, &wanted, &plan);
    for (resources, bar_ms) in [(1_000, 50.0), (10_000, 500.0)] {
        let scene = Scene::mixed(&folder.path().join(format!("validate-{resources}")), resources);
        processes::validate(&mut table, &wanted, &scene, resources, bar_ms);
    }
    processes::start(&mut table, &wanted);
    print!("{}", table.text());
    if table.all_pass() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
