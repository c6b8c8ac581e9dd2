//! Many cells on all cores. The failing ones are told with the one command that replays each.

use std::iter::StepBy;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;

use super::cell::Cell;
use super::judge;
use super::matrix::Matrix;
use super::trials::Case;

/// Cells that fail, before the rest is not tried any more.
const FAILURES: usize = 10;

/// Runs on a runtime of its own, in this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// Tries these cells. `variable` is what replays one of them.
pub fn prove(cases: &[Case], tried: StepBy<Range<u64>>, variable: &str, cell: impl Fn(u64) -> Cell + Sync) -> Matrix {
    let (next, failures, all) = (Mutex::new(tried), Mutex::new(Vec::new()), Mutex::new(Matrix::default()));
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(16);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut matrix = Matrix::default();
                while failures.lock().unwrap().len() < FAILURES {
                    let Some(index) = next.lock().unwrap().next() else { break };
                    let cell = cell(index);
                    if let Err(why) = try_one(cases, &cell, &mut matrix) {
                        let command = format!("{variable}={index} cargo test --test all faults::replay -- --exact --nocapture");
                        let told = format!("{cell:?}\n{why}\nreplay: {command}");
                        eprintln!("{told}\n");
                        failures.lock().unwrap().push(told);
                    }
                }
                all.lock().unwrap().merge(matrix);
            });
        }
    });
    let mut matrix = all.into_inner().unwrap();
    matrix.took = began.elapsed();
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{matrix}\n{} cells ended elsewhere:\n\n{}", failures.len(), failures.join("\n\n"));
    matrix
}

fn try_one(cases: &[Case], cell: &Cell, matrix: &mut Matrix) -> Result<(), String> {
    let case = &cases[cell.case];
    let judged = catch_unwind(AssertUnwindSafe(|| block_on(judge::judge(case, cell, false)).0));
    let outcome = judged.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(text.unwrap_or_else(|| "a panic".to_owned()))
    })?;
    matrix.tried += 1;
    for fault in &cell.faults {
        matrix.add(case.name, fault.to_string(), outcome);
    }
    Ok(())
}
