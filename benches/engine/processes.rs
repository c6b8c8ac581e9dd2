//! Whole processes of `switchover`, from start to end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Wanted;
use crate::figures::{Bar, Table, median};
use crate::limits;
use crate::scenes::{ENVIRONMENT, Scene};

/// Runs `switchover` as people do, with a clean environment.
pub fn switchover(program: &Path, root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root).env_clear().envs([("SWITCHOVER_ACTOR", "bench"), ("CLOUDFLARE_API_TOKEN", "none")]);
    command
}

/// Runs it to its end; gives milliseconds.
pub fn time(mut command: Command) -> f64 {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let output = command.output().expect("it can be started");
    let took = began.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    took.as_secs_f64() * 1e3
}

/// Ours and the limit by turns; gives the medians.
fn beside(runs: usize, ours: impl Fn() -> Command, limit: impl Fn() -> Command) -> (f64, f64) {
    time(ours());
    time(limit());
    let both: Vec<(f64, f64)> = (0..runs).map(|_| (time(ours()), time(limit()))).collect();
    let (ours, limit) = both.into_iter().unzip();
    (median(ours), median(limit))
}

/// Saves the plan of a scene.
pub fn plan(program: &Path, scene: &Scene) -> PathBuf {
    let plan = scene.root.join("plan.json");
    let command = switchover(program, &scene.root, &["--world", "world.json", "plan", ENVIRONMENT, "--out", "plan.json"]);
    let took = time(command);
    eprintln!("planned in {took:.0} ms");
    plan
}

pub fn show(table: &mut Table, wanted: &Wanted, plan: &Path) {
    let root = plan.parent().expect("a folder");
    let shown = root.join("shown.txt");
    let output = switchover(&wanted.switchover, root, &["show", "plan.json"]).output().expect("it can be started");
    std::fs::write(&shown, output.stdout).expect("a file");
    let ours = || switchover(&wanted.switchover, root, &["show", "plan.json"]);
    let (ours, limit) = beside(wanted.runs, ours, || limits::command(limits::PLAN, &[plan, &shown]));
    let size = std::fs::metadata(plan).map_or(0, |data| data.len()) >> 20;
    let what = format!("show of {} steps ({size} MiB); limit: parse, hash, print", wanted.steps);
    table.row(&what, ours, limit, &Bar::Milliseconds(200.0));
}

pub fn validate(table: &mut Table, wanted: &Wanted, scene: &Scene, resources: usize, bar_ms: f64) {
    let (ours, file) = (|| switchover(&wanted.switchover, &scene.root, &["validate"]), scene.file());
    let (ours, limit) = beside(wanted.runs, ours, || limits::command(limits::HCL, &[&file]));
    table.row(&format!("validate of {resources} resources; limit: parse the file"), ours, limit, &Bar::Milliseconds(bar_ms));
}

pub fn start(table: &mut Table, wanted: &Wanted) {
    let here = Path::new(".");
    let ours = || switchover(&wanted.switchover, here, &["--version"]);
    let (ours, limit) = beside(wanted.runs.max(20), ours, || limits::command(limits::NOTHING, &[]));
    table.row("--version; limit: a process that ends at once", ours, limit, &Bar::Milliseconds(10.0));
    if let Ok(data) = std::fs::metadata(&wanted.switchover) {
        let size = data.len();
        table.note(format!("{} has {size} bytes", wanted.switchover.display()));
    }
}
