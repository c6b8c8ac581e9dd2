//! Whole processes of `switchover`, from start to end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Wanted;
use crate::figures::{Bar, Table};
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

/// What both took, in milliseconds.
struct Both {
    ours: f64,
    limit: f64,
    /// Processor time that ours took, on average: what a busy machine changes least.
    ours_cpu: f64,
}

/// Ours and the limit by turns: the quickest of each, since whatever else the machine does only adds to it.
fn beside(runs: usize, ours: impl Fn() -> Command, limit: impl Fn() -> Command) -> Both {
    time(ours());
    time(limit());
    let mut both = Both { ours: f64::INFINITY, limit: f64::INFINITY, ours_cpu: 0.0 };
    for _ in 0..runs {
        let before = cpu_of_children();
        both.ours = both.ours.min(time(ours()));
        both.ours_cpu += cpu_of_children() - before;
        both.limit = both.limit.min(time(limit()));
    }
    both.ours_cpu /= f64::from(u32::try_from(runs).unwrap_or(u32::MAX));
    both
}

/// Milliseconds of processor time of all processes that were waited for, in steps of ten (proc(5)).
fn cpu_of_children() -> f64 {
    const STEP_MS: f64 = 10.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // The first of them, a letter, is the third of all: those of the children's user and system time are the 16th and 17th.
    fields.get(12).zip(fields.get(13)).map_or(0.0, |(user, system)| (user + system) * STEP_MS)
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
    let both = beside(wanted.runs, ours, || limits::command(limits::PLAN, &[plan, &shown]));
    let size = std::fs::metadata(plan).map_or(0, |data| data.len()) >> 20;
    let what = format!("show of {} steps ({size} MiB); limit: parse, hash, print", wanted.steps);
    tell(table, &what, &both, 200.0);
}

pub fn validate(table: &mut Table, wanted: &Wanted, scene: &Scene, resources: usize, bar_ms: f64) {
    let (ours, file) = (|| switchover(&wanted.switchover, &scene.root, &["validate"]), scene.file());
    let both = beside(wanted.runs, ours, || limits::command(limits::HCL, &[&file]));
    tell(table, &format!("validate of {resources} resources; limit: parse the file"), &both, bar_ms);
}

pub fn start(table: &mut Table, wanted: &Wanted) {
    let here = Path::new(".");
    let ours = || switchover(&wanted.switchover, here, &["--version"]);
    let both = beside(wanted.runs.max(20), ours, || limits::command(limits::NOTHING, &[]));
    tell(table, "--version; limit: a process that ends at once", &both, 10.0);
    if let Ok(data) = std::fs::metadata(&wanted.switchover) {
        let size = data.len();
        table.note(format!("{} has {size} bytes", wanted.switchover.display()));
    }
}

fn tell(table: &mut Table, what: &str, both: &Both, bar_ms: f64) {
    table.row(what, both.ours, both.limit, &Bar::Milliseconds(bar_ms));
    table.note(format!("{}: {:.0} ms of processor time", what.split(';').next().unwrap_or(what), both.ours_cpu));
}
