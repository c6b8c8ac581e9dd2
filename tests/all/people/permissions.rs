//! Files and folders that may be read and not written, or not even read: as another user than the one they belong to.

use std::process::Command;

use super::shell::{self, instances, is_declared, is_root};
use crate::cli::bench::{Bench, Said};

/// `nobody`.
const OTHER: u32 = 65534;

/// Runs the binary as somebody whom nothing here belongs to. For root, whom no mode of a file stops, that is `nobody`; else it is ourselves, who
/// have given up our own rights before. The binary is entered by its descriptor: the folder that holds it may be closed to others.
fn as_other(bench: &Bench, arguments: &str) -> Option<Said> {
    if !is_root() {
        return Some(shell::run(bench, &format!("exec \"$SWITCHOVER\" {arguments}"), &[]));
    }
    shell::needs("setpriv")?;
    let script =
        format!("exec 9<\"$SWITCHOVER\"; exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs /proc/self/fd/9 {arguments}");
    Some(shell::run(bench, &script, &[]))
}

fn mode(bench: &Bench, mode: &str, path: &str) {
    assert!(Command::new("chmod").args(["-R", mode]).arg(bench.path(path)).status().unwrap().success());
}

/// Everything may be read by everybody; written by nobody but root.
fn readable(bench: &Bench) {
    mode(bench, "a+rX,a-w", "");
}

/// So that the folder can be removed again by those who are not root.
fn give_back(bench: &Bench) {
    mode(bench, "u+rwX", "");
}

#[test]
fn a_folder_that_may_only_be_read_refuses_before_anything_is_done() {
    let bench = shell::quick();
    let world = bench.read("world.json");
    readable(&bench);
    for command in ["plan staging", "validate", "status"] {
        let Some(said) = as_other(&bench, command) else { return };
        said.exits(0);
    }
    let Some(said) = as_other(&bench, "plan staging --out plan.json") else { return };
    said.exits(1).says("cannot write the plan").says("help: ");
    let Some(said) = as_other(&bench, "apply staging --yes") else { return };
    said.exits(1).says(".switchover").says("help: check that the folder is there, is yours to write");
    assert_eq!(bench.read("world.json"), world);
    assert!(!bench.path(".switchover").exists() && !bench.path("plan.json").exists() && !bench.path("world.json.log").exists());
    give_back(&bench);
}

#[test]
fn a_journal_that_belongs_to_somebody_else_is_told_as_that() {
    let bench = shell::quick();
    let before = instances(&bench);
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "5s"]).exits(8);
    let world = bench.read("world.json");
    readable(&bench);
    // First it may be read, then not even that.
    for closed in [false, true] {
        if closed {
            mode(&bench, "a-rwx", ".switchover");
        }
        for (command, reads) in [
            ("status --offline", true),
            ("runs staging", true),
            ("resume staging", false),
            ("rollback staging --yes", false),
            ("apply staging --yes", false),
            ("unlock staging --yes", true),
        ] {
            let Some(said) = as_other(&bench, command) else { return };
            if reads && !closed {
                said.exits(0);
                continue;
            }
            assert!(said.code == 1 || said.code == 5, "{command}: {said:?}");
            let told = said.says("help: ");
            assert!(told.err.contains(".switchover") || told.err.contains("unfinished"), "{command}: {told:?}");
        }
        assert_eq!(bench.read("world.json"), world);
    }
    mode(&bench, "u+rwX", "");
    bench.run(&["resume", "staging"]).exits(0);
    is_declared(&bench, &before);
}

#[test]
fn a_world_that_may_only_be_read_is_changed_by_nothing() {
    let bench = shell::quick();
    let world = bench.read("world.json");
    bench.write("journal/.keep", "");
    readable(&bench);
    std::fs::create_dir_all(bench.path("environments")).unwrap();
    mode(&bench, "a+w", "environments");
    // The root of a path is the folder that holds its `environments/`; the journal may be written there, the world may not.
    std::fs::create_dir(bench.path(".switchover")).unwrap();
    if is_root() {
        std::os::unix::fs::chown(bench.path(".switchover"), Some(OTHER), Some(OTHER)).unwrap();
    }
    mode(&bench, "u+rwX,go-rwx", ".switchover");
    let Some(said) = as_other(&bench, "apply staging --yes") else { return };
    assert!([1, 4].contains(&said.code), "{said:?}");
    said.says("the world's log cannot be written").says("help: ");
    assert_eq!(bench.read("world.json"), world);
    give_back(&bench);
    let Some(()) = shell::needs("rm") else { return };
    std::fs::remove_dir_all(bench.path(".switchover")).unwrap();
    bench.run(&["apply", "staging", "--yes"]).exits(0);
}
