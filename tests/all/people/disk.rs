//! A full disk, at every journal write, under the plan, under the world, and behind standard output.

use std::collections::BTreeMap;

use super::scenes::{self, Example};
use super::shell::{self, instances, is_declared};
use super::stage::{Stage, Straight, Way, every, straight};

#[tokio::test]
async fn a_disk_that_is_full_at_any_journal_write_loses_nothing() {
    for make in [scenes::refresh as fn() -> Example, scenes::swap] {
        let Straight { writes, declared, .. } = straight(make()).await;
        let mut ends: BTreeMap<(u8, Way), u64> = BTreeMap::new();
        for at in 1..=writes {
            for way in [Way::On, Way::Back] {
                let stage = Stage::new(make()).await;
                let cell = format!("full at write {at} of {writes}, then {way:?}");
                stage.disk_full_at(at);
                let ran = stage.run(Way::New).await;
                *ends.entry((ran.code(), way)).or_default() += 1;
                stage.disk_full_at(u64::MAX);
                if !stage.is_journaled().await {
                    assert_eq!((ran.code(), stage.now()), (1, stage.original.clone()), "{cell}");
                    continue;
                }
                let wrote = ran.code() == 5;
                assert!(wrote || ran.code() == 1, "{cell}: {:?}", ran.summary);
                if wrote {
                    let needs = ran.needs();
                    assert!(needs.contains("the journal cannot be written any more") && needs.contains("`switchover resume"), "{cell}: {needs}");
                }
                if way == Way::Back && stage.is_gone().await {
                    continue;
                }
                let again = stage.run(way).await;
                assert_eq!(again.code(), 0, "{cell}: {:?}", again.summary);
                assert_eq!(stage.now(), if way == Way::On { declared.clone() } else { stage.original.clone() }, "{cell}");
                stage.check_calls(&cell);
                if way == Way::On {
                    stage.nothing_left(&cell).await;
                }
            }
        }
        println!("full disk: {writes} journal writes, {ends:?}");
    }
}

/// Where each record of a run's journal ends, in bytes.
fn record_ends() -> (Vec<u64>, u64) {
    let bench = shell::quick();
    bench.run(&["apply", "staging", "--yes", "--seed", "1"]).exits(0);
    let folder = bench.path(".switchover/staging/runs");
    let journal = std::fs::read(std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()).unwrap();
    let ends = journal.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at as u64 + 1).collect();
    (ends, bench.read("world.json").len() as u64)
}

#[test]
fn a_limit_on_file_sizes_is_an_error_and_not_a_death() {
    let Some(()) = shell::needs("prlimit") else { return };
    let (ends, world) = record_ends();
    println!("{} records in {} bytes, world file of {world} bytes", ends.len(), ends.last().unwrap());
    let mut codes: BTreeMap<i32, u64> = BTreeMap::new();
    for limit in ends.iter().step_by(every(9)).map(|end| end - 1) {
        let bench = shell::quick();
        let before = instances(&bench);
        let script = r#"exec prlimit --fsize="$1" --core=0 "$SWITCHOVER" apply staging --yes --seed 1"#;
        let said = shell::run(&bench, script, &[&limit.to_string()]);
        *codes.entry(said.code).or_default() += 1;
        assert!(said.code == 1 || said.code == 5, "limit {limit}: {said:?}");
        let said =
            if said.code == 1 { said.says("help: ") } else { said.says("the journal cannot be written any more").says("switchover resume staging") };
        if said.code == 1 {
            assert_eq!(instances(&bench), before, "limit {limit}");
        }
        if bench.run(&["resume", "staging"]).exits(0).out.contains("Nothing to resume") {
            assert_eq!(said.code, 1, "limit {limit}: there is nothing to go on with");
            bench.run(&["apply", "staging", "--yes"]).exits(0);
        }
        is_declared(&bench, &before);
        assert_eq!(shell::restores(&bench), 1, "limit {limit}");
    }
    println!("limits on file size: exit codes {codes:?}");
}

/// What a file takes on a small disk is counted in these.
const PAGE: u64 = 4096;

/// A journal folder of its own, small at first and large enough later, on one small disk that goes away with its shell.
const SMALL_DISK: &str = r#"
    mkdir -p .switchover && mount -t tmpfs -o "size=$1" small .switchover || exit 99
    "$SWITCHOVER" apply staging --yes --seed 1 >apply.out 2>apply.err; echo $? >apply.code
    mount -o remount,size=64m small .switchover || exit 99
    "$SWITCHOVER" resume staging >resume.out 2>resume.err; echo $? >resume.code
    "$SWITCHOVER" runs staging --json >runs.json
    cp -r .switchover kept
"#;

/// How `unshare` lets us mount; none where nobody may.
fn may_mount() -> Option<&'static str> {
    shell::needs("unshare")?;
    // Root of its own names and mounts, where the system lets people have that.
    let flags = if shell::is_root() { "-m" } else { "-rm" };
    let tried = shell::run(&shell::quick(), &format!("unshare {flags} sh -c 'mount -t tmpfs small /mnt'"), &[]);
    if tried.code != 0 {
        // The limit on file sizes above tries the same writes everywhere.
        eprintln!("skipped: no file system may be mounted here");
        return None;
    }
    Some(flags)
}

#[test]
fn a_run_goes_on_when_a_small_disk_has_room_again() {
    let Some(flags) = may_mount() else { return };
    let (ends, _) = record_ends();
    let (first, last) = (ends[0].div_ceil(PAGE), ends.last().unwrap().div_ceil(PAGE));
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    // Pages that the lock, its copy and the folders take come on top.
    for pages in first.saturating_sub(1)..=last + 2 {
        let bench = shell::quick();
        let before = instances(&bench);
        let script = format!("exec unshare {flags} sh -c '{SMALL_DISK}' sh \"$1\"");
        shell::run(&bench, &script, &[&format!("{}k", pages * PAGE / 1024)]).exits(0);
        let (applied, resumed) = (bench.read("apply.code").trim().to_owned(), bench.read("resume.code").trim().to_owned());
        let said = bench.read("apply.out") + &bench.read("apply.err");
        let told = format!("{pages} pages: apply {applied}, resume {resumed}:\n{said}\n{}", bench.read("resume.err"));
        assert_eq!(resumed, "0", "{told}");
        *codes.entry(applied.clone()).or_default() += 1;
        match applied.as_str() {
            "0" => is_declared(&bench, &before),
            "1" => assert_eq!(instances(&bench), before, "{told}"),
            "5" => {
                assert!(said.contains("the journal cannot be written any more") && said.contains("switchover resume staging"), "{told}");
                is_declared(&bench, &before);
            }
            _ => panic!("{told}"),
        }
    }
    println!("small disks under the journal: exit codes {codes:?}");
}

/// The world on a small disk, the journal on a large one.
const SMALL_WORLD: &str = r#"
    mkdir small && mount -t tmpfs -o "size=$1" small small || exit 99
    cp world.json small/
    "$SWITCHOVER" apply staging --yes --seed 1 --world small/world.json >apply.out 2>apply.err; echo $? >apply.code
    mount -o remount,size=64m small small || exit 99
    "$SWITCHOVER" resume staging --world small/world.json >resume.out 2>resume.err; echo $? >resume.code
    "$SWITCHOVER" apply staging --yes --world small/world.json >again.out 2>again.err; echo $? >again.code
    cp small/world.json* .
"#;

#[test]
fn what_a_simulated_world_could_not_keep_has_not_happened() {
    let Some(flags) = may_mount() else { return };
    let (_, world) = record_ends();
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    for pages in world.div_ceil(PAGE)..world.div_ceil(PAGE) + 10 {
        let bench = shell::quick();
        let before = instances(&bench);
        let script = format!("exec unshare {flags} sh -c '{SMALL_WORLD}' sh \"$1\"");
        shell::run(&bench, &script, &[&format!("{}k", pages * PAGE / 1024)]).exits(0);
        let applied = bench.read("apply.code").trim().to_owned();
        let told = format!("{pages} pages: apply {applied}:\n{}\n{}", bench.read("apply.err"), bench.read("resume.err"));
        assert!(["0", "1", "4", "5"].contains(&applied.as_str()), "{told}");
        assert!(["0", "4"].contains(&bench.read("resume.code").trim()), "{told}");
        assert_eq!(bench.read("again.code").trim(), "0", "{told}\n{}", bench.read("again.err"));
        if bench.path("world.json.log").exists() {
            // Everything was done and stands in the log, which only a command that writes folds into the file.
            bench.run(&["plan", "staging", "--detailed-exitcode"]).exits(0).says("No changes.");
        } else {
            is_declared(&bench, &before);
        }
        *codes.entry(applied).or_default() += 1;
    }
    println!("small disks under the world: exit codes {codes:?}");
}

#[test]
fn a_plan_that_finds_no_room_is_not_saved_by_half() {
    let Some(()) = shell::needs("prlimit") else { return };
    let bench = shell::quick();
    let limited = r#"exec prlimit --fsize=2000 --core=0 "$SWITCHOVER" plan staging --out plans/next.json"#;
    std::fs::create_dir(bench.path("plans")).unwrap();
    shell::run(&bench, limited, &[]).exits(1).says("cannot write the plan").says("help: ");
    assert_eq!(std::fs::read_dir(bench.path("plans")).unwrap().count(), 0, "nothing is left of it");
    bench.run(&["plan", "staging", "--out", "plans/next.json"]).exits(0);
    let kept = bench.read("plans/next.json");
    shell::run(&bench, limited, &[]).exits(1);
    assert_eq!(bench.read("plans/next.json"), kept, "the plan that was there stays whole");
    bench.run(&["apply", "plans/next.json"]).exits(0);
}

#[test]
fn a_world_that_cannot_be_written_hears_of_nothing() {
    let Some(()) = shell::needs("prlimit") else { return };
    let bench = shell::quick();
    let before = bench.world();
    // Too little for any line of the world's log; the journal is elsewhere.
    let script = r#"ulimit -c 0; exec prlimit --fsize=0 "$SWITCHOVER" apply staging --yes --seed 1 --journal local"#;
    shell::run(&bench, script, &[]).exits(1).says("help: ");
    assert_eq!(bench.world(), before);
    bench.run(&["apply", "staging", "--yes"]).exits(0);
}

#[test]
fn what_could_not_be_told_is_an_error_where_telling_is_all() {
    let bench = shell::quick();
    for command in ["plan staging", "plan staging --json", "validate", "status", "runs staging"] {
        let said = shell::run(&bench, &format!("exec \"$SWITCHOVER\" {command} >/dev/full"), &[]).exits(1);
        said.says("cannot write to standard output").says("help: ");
        shell::run(&bench, &format!("exec \"$SWITCHOVER\" {command} 2>/dev/full"), &[]).exits(0);
    }
    let before = instances(&bench);
    shell::run(&bench, "exec \"$SWITCHOVER\" apply staging --yes >/dev/full", &[]).exits(0).says("warning: cannot write to standard output");
    is_declared(&bench, &before);
    shell::run(&bench, "exec \"$SWITCHOVER\" apply nothing --yes >/dev/full 2>/dev/full", &[]).exits(1);
}
