//! Files of plans and runs: for their owner alone, whatever the umask was and whatever was there; and reached through no link, whoever put it there.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use super::canary::walk;
use crate::cli::bench::{Bench, Said};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(if path.is_dir() { 0o777 } else { 0o666 })).unwrap();
}

/// Runs the binary under a umask.
fn run_under(bench: &Bench, umask: &str, args: &[&str]) -> Said {
    let binary = bench.command(args);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "umask $0 && exec \"$@\"", umask]).arg(binary.get_program()).args(args).current_dir(bench.path("")).env_clear();
    shell.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.stdin(Stdio::null()).output().unwrap();
    Said { code: output.status.code().unwrap_or(-1), out: String::from_utf8(output.stdout).unwrap(), err: String::from_utf8(output.stderr).unwrap() }
}

/// Insists that everything in `.switchover` is private; gives how many files and folders there are.
fn all_private(bench: &Bench) -> usize {
    let state = bench.path(".switchover");
    let mut seen = vec![state.clone()];
    walk(&state, &mut |path| seen.extend(path.ancestors().take_while(|at| at.starts_with(&state)).map(Path::to_path_buf)));
    seen.sort();
    seen.dedup();
    for path in &seen {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(path), wanted, "{}", path.display());
    }
    seen.len()
}

#[test]
fn plans_and_journals_are_private_under_any_umask() {
    for umask in ["000", "022", "077", "277"] {
        let bench = Bench::openverse();
        run_under(&bench, umask, &["plan", "staging", "--out", "plan.json", "--seed", "1"]).exits(0);
        assert_eq!(mode(&bench.path("plan.json")) & 0o077, 0, "{umask}");
        if umask == "277" {
            // Folders that their own maker cannot write to are nothing to go on with.
            continue;
        }
        assert_eq!(mode(&bench.path("plan.json")), 0o600, "{umask}");
        run_under(&bench, umask, &["apply", "plan.json", "--max-runtime", "30m"]).exits(8);
        assert!(all_private(&bench) >= 5, "{umask}");
    }
}

#[test]
fn what_was_open_is_closed_before_it_is_written_to() {
    let bench = Bench::openverse();
    fs::create_dir(bench.path(".switchover")).unwrap();
    open_to_all(&bench.path(".switchover"));
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "30m"]).exits(8);
    let all = all_private(&bench);
    walk(&bench.path(".switchover"), &mut |path| {
        path.ancestors().take(4).filter(|at| at.starts_with(bench.path(".switchover"))).for_each(open_to_all);
    });
    bench.run(&["status"]).exits(0);
    assert_eq!(mode(&bench.path(".switchover/staging")), 0o777, "looking changes nothing");
    bench.run(&["resume", "staging"]).exits(0);
    assert!(all_private(&bench) + 2 >= all);
    // A plan of an earlier day that others could read is replaced by one that they cannot.
    bench.write("plan.json", "an earlier one");
    open_to_all(&bench.path("plan.json"));
    bench.run(&["plan", "staging", "--out", "plan.json"]).exits(0);
    assert_eq!(mode(&bench.path("plan.json")), 0o600);
}

#[test]
fn a_plan_is_written_to_plain_files_alone() {
    let bench = Bench::openverse();
    bench.write("elsewhere/kept.json", "kept");
    fs::create_dir(bench.path("folder")).unwrap();
    symlink(bench.path("elsewhere/kept.json"), bench.path("link.json")).unwrap();
    symlink(bench.path("elsewhere/made.json"), bench.path("dangling.json")).unwrap();
    symlink("/dev/null", bench.path("null.json")).unwrap();
    assert!(Command::new("mkfifo").arg(bench.path("pipe.json")).status().unwrap().success());
    let full = "x".repeat(300);
    for out in
        ["link.json", "dangling.json", "null.json", "pipe.json", "folder", "folder/", ".", "..", "/dev/null", "no/such/folder/plan.json", &full]
    {
        let said = bench.run(&["plan", "staging", "--out", out]).exits(1).says("cannot write the plan").says("help: ");
        assert!(said.out.is_empty(), "{out}: {}", said.out);
    }
    assert_eq!(bench.read("elsewhere/kept.json"), "kept");
    assert!(!bench.path("elsewhere/made.json").exists());
    assert!(fs::symlink_metadata(bench.path("link.json")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(bench.path("pipe.json")).unwrap().file_type().is_fifo());
    assert!(fs::symlink_metadata("/dev/null").unwrap().file_type().is_char_device());
    let mut left = Vec::new();
    walk(&bench.path(""), &mut |path| left.extend(path.to_str().filter(|path| path.contains(".new")).map(str::to_owned)));
    assert_eq!(left, Vec::<String>::new());
    // A folder that may be reached through a link is people's own choice.
    symlink(bench.path("folder"), bench.path("linked")).unwrap();
    bench.run(&["plan", "staging", "--out", "linked/plan.json"]).exits(0);
    assert_eq!(mode(&bench.path("folder/plan.json")), 0o600);
}

#[test]
fn nothing_of_the_journal_is_reached_through_a_link() {
    let commands: [&[&str]; 6] = [
        &["resume", "staging"],
        &["apply", "staging", "--yes"],
        &["rollback", "staging", "--yes"],
        &["runs", "staging"],
        &["status"],
        &["unlock", "staging", "--yes"],
    ];
    for part in [".switchover", ".switchover/staging", ".switchover/staging/runs", ".switchover/staging/lock.json", "journal", ".switchover/.turn"] {
        let bench = Bench::openverse();
        bench.run(&["apply", "staging", "--yes", "--max-runtime", "30m", "--seed", "1"]).exits(8);
        let journal = fs::read_dir(bench.path(".switchover/staging/runs")).unwrap().next().unwrap().unwrap().path();
        let link = if part == "journal" { journal } else { bench.path(part) };
        let target = bench.path("elsewhere");
        if link.exists() {
            fs::rename(&link, &target).unwrap();
        } else {
            fs::write(&target, "kept").unwrap();
        }
        symlink(&target, &link).unwrap();
        let before = snapshot(&target);
        let world = bench.read("world.json");
        for args in commands {
            let said = bench.run(args);
            // A reader does not need the turn, and a run that is read needs no lock.
            let reads_on = matches!(
                (part, args[0]),
                (".switchover/.turn", "runs" | "status" | "unlock" | "apply")
                    | (".switchover/staging/lock.json", "runs")
                    | (".switchover/staging/runs" | "journal", "unlock")
            );
            assert!(reads_on || said.code == 1 && said.err.contains("is a link"), "{part} {args:?}: {}\n{}\n{}", said.code, said.out, said.err);
            assert!(reads_on || said.err.contains("help: "), "{part} {args:?}: {}", said.err);
        }
        assert_eq!(snapshot(&target), before, "{part}");
        assert_eq!(bench.read("world.json"), world, "{part}");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{part}");
    }
}

/// Names, modes and contents of a file or a folder.
fn snapshot(path: &Path) -> Vec<(String, u32, Vec<u8>)> {
    if path.is_file() {
        return vec![(String::new(), mode(path), fs::read(path).unwrap())];
    }
    let mut all = Vec::new();
    walk(path, &mut |file| all.push((file.display().to_string(), mode(file), fs::read(file).unwrap())));
    all.sort();
    all
}

#[test]
fn a_file_that_is_written_aside_first_is_not_written_through_a_link() {
    let bench = Bench::openverse();
    bench.write("kept", "kept");
    fs::create_dir_all(bench.path(".switchover/staging")).unwrap();
    symlink(bench.path("kept"), bench.path(".switchover/staging/lock.json.new")).unwrap();
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "30m"]).exits(8);
    assert_eq!(bench.read("kept"), "kept");
}

#[test]
fn files_that_never_end_or_never_begin_are_refused() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "30m", "--seed", "1"]).exits(8);
    let journal = fs::read_dir(bench.path(".switchover/staging/runs")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(&journal).unwrap();
    assert!(Command::new("mkfifo").arg(&journal).status().unwrap().success());
    for args in [&["resume", "staging"][..], &["runs", "staging"], &["rollback", "staging", "--yes"]] {
        bench.run(args).exits(1).says("is a link, or something else").says("help: ");
    }
    fs::remove_file(&journal).unwrap();
    let file = fs::File::create(bench.path(".switchover/staging/lock.json")).unwrap();
    file.set_len(1 << 40).unwrap();
    bench.run(&["unlock", "staging", "--yes"]).exits(1).says("larger than any file of ours");
}

#[test]
fn a_journal_under_another_name_is_nobodys() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "30m", "--seed", "1"]).exits(8);
    let journal = fs::read_dir(bench.path(".switchover/staging/runs")).unwrap().next().unwrap().unwrap().path();
    // Of another environment: its run would be gone on with in the wrong name.
    bench.write("environments/other.hcl", "environment \"other\" {}\n");
    fs::create_dir_all(bench.path(".switchover/other/runs")).unwrap();
    fs::copy(&journal, bench.path(".switchover/other/runs").join(journal.file_name().unwrap())).unwrap();
    for args in [&["resume", "other"][..], &["rollback", "other", "--yes"], &["runs", "other"]] {
        bench.run(args).exits(1).says("of other is that of run").says("help: ");
    }
    // Of another run.
    fs::copy(&journal, bench.path(".switchover/staging/runs/20991231-000000-ffffff.journal")).unwrap();
    bench.run(&["resume", "staging"]).exits(1).says("20991231-000000-ffffff").says("is that of run");
}

#[test]
fn names_lead_nowhere() {
    let bench = Bench::openverse();
    bench.run(&["apply", "staging", "--yes", "--max-runtime", "30m", "--seed", "1"]).exits(8);
    let journal = fs::read_dir(bench.path(".switchover/staging/runs")).unwrap().next().unwrap().unwrap().path();
    let good = journal.file_stem().unwrap().to_str().unwrap().to_owned();
    let before = snapshot(&bench.path(""));
    let long = "x".repeat(5_000);
    for run in ["../../staging/runs/x", "..", "/etc/passwd", "", "a/b", "a\u{1b}[31m\nb", &format!("../runs/{good}"), &format!("./{good}"), &long] {
        bench.run(&["runs", "staging", run]).exits(1).says("help: ");
        bench.run(&["rollback", "staging", run, "--yes"]).exits(1).says("help: ");
    }
    for environment in ["..", "../staging", "staging/../staging", "a/../../b", "/etc", "st\u{1b}aging", "-", ".", "", "stag\ning", &long] {
        for command in ["plan", "resume", "runs", "status", "apply", "rollback", "unlock"] {
            let mut args = vec![command, "--yes", "--", environment];
            if matches!(command, "plan" | "runs" | "resume" | "status") {
                args.remove(1);
            }
            let said = bench.run(&args).exits(1);
            assert!(said.err.contains("help: "), "{args:?}: {}", said.err);
        }
    }
    assert_eq!(snapshot(&bench.path("")), before);
    // Names in the folder that no run of ours has are no runs, whatever they hold.
    for name in ["..journal", ".journal", "a b.journal", "\u{1b}[2J.journal", "\u{202e}x.journal", "%2E%2E.journal", "-rf.journal.journal.x"] {
        fs::copy(&journal, bench.path(".switchover/staging/runs").join(name)).unwrap();
    }
    let runs = bench.run(&["runs", "staging", "--json"]).exits(0).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "{runs:#}");
    bench.run(&["resume", "staging"]).exits(0);
}

#[test]
fn files_of_an_environment_stay_below_its_root() {
    let bench = Bench::openverse();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("outside.sql"), "SELECT 'outside'").unwrap();
    symlink(outside.path(), bench.path("environments/folder")).unwrap();
    symlink(outside.path().join("outside.sql"), bench.path("environments/link.sql")).unwrap();
    symlink("link.sql", bench.path("environments/link-to-link.sql")).unwrap();
    symlink("loop.sql", bench.path("environments/loop.sql")).unwrap();
    assert!(Command::new("mkfifo").arg(bench.path("environments/pipe.sql")).status().unwrap().success());
    let absolute = outside.path().join("outside.sql").display().to_string();
    let dots = format!("{}{}", "../".repeat(30), absolute.trim_start_matches('/'));
    let good = bench.read("environments/staging.hcl");
    for path in [
        "folder/outside.sql",
        "link.sql",
        "link-to-link.sql",
        "loop.sql",
        "pipe.sql",
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/environ",
        "../..",
        ".",
        "",
        &absolute,
        &dots,
        "../sql/../../../etc/passwd",
        "a\\u0000b",
    ] {
        for function in ["file(\"PATH\")", "templatefile(\"PATH\", {})"] {
            bench.write("environments/staging.hcl", &good.replace("file(\"../sql/anonymise.sql\")", &function.replace("PATH", path)));
            let said = bench.run(&["plan", "staging"]).exits(1).says("help: ");
            assert!(!said.err.contains("outside'") && !said.err.contains("PATH="), "{path}: {}", said.err);
        }
    }
    // A link that stays inside is as good as the file.
    symlink("../sql/anonymise.sql", bench.path("environments/inside.sql")).unwrap();
    bench.write("environments/staging.hcl", &good.replace("../sql/anonymise.sql", "inside.sql"));
    bench.run(&["validate"]).exits(0);
}
