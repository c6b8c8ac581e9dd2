//! Inputs of a size or kind that no fuzzer tries: for every file that the tool reads, in a process with 256 MiB for itself.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Command;

use switchover::world::live::postgres::{Postgres, SqlLimits};
use switchover::world::sql::SqlTarget;

use super::process::Small;

/// A file that the tool reads, and commands that read it.
struct Place {
    file: &'static str,
    commands: &'static [&'static [&'static str]],
}

const PLACES: &[Place] = &[
    Place { file: "environments/x.hcl", commands: &[&["validate", "x"], &["plan", "./environments/x.hcl", "--world", "world.json"]] },
    Place { file: "environments/data", commands: &[&["validate", "reader"]] },
    Place { file: "v.json", commands: &[&["validate", "x", "--var-file", "v.json"]] },
    Place { file: "v.vars", commands: &[&["validate", "x", "--var-file", "v.vars"]] },
    Place { file: "plan.json", commands: &[&["show", "plan.json"], &["apply", "plan.json", "--world", "world.json"]] },
    Place { file: ".switchover/x/runs/r.journal", commands: &[&["runs", "x"], &["resume", "x", "--world", "world.json"]] },
    Place { file: ".switchover/x/lock.json", commands: &[&["unlock", "x", "--yes"]] },
    Place { file: "w.json", commands: &[&["plan", "x", "--world", "w.json"]] },
    Place { file: "world.json.log", commands: &[&["plan", "x", "--world", "world.json"]] },
];

/// An environment that reads a file in every way there is.
const READER: &str = r#"
environment "reader" { description = join("", [file("data"), templatefile("data", {}), jsondecode(file("data")), yamldecode(file("data"))]) }
"#;

/// Every place with one kind of thing in it.
fn everywhere(what: &str, put: impl Fn(&Small, &str)) {
    for place in PLACES {
        let small = Small::new();
        small.write("environments/reader.hcl", READER.as_bytes());
        small.clear(place.file);
        put(&small, place.file);
        for command in place.commands {
            small.refuses(&format!("{what} as {}", place.file), command);
        }
    }
}

fn sparse(small: &Small, file: &str, bytes: u64) {
    File::create(small.clear(file)).unwrap().set_len(bytes).unwrap();
}

#[test]
fn a_file_of_a_hundred_megabytes() {
    everywhere("100 MB", |small, file| {
        sparse(small, file, 100_000_000);
        // What has no end of a line is a record that was never written.
        if [".journal", ".log"].iter().any(|end| file.ends_with(end)) {
            OpenOptions::new().append(true).open(small.path(file)).unwrap().write_all(b"\n").unwrap();
        }
    });
}

#[test]
fn a_file_that_may_be_read_and_is_more_than_there_is_memory() {
    let small = Small::new();
    sparse(&small, "plan.json", 300 << 20);
    small.refuses("300 MiB", &["show", "plan.json"]);
}

/// The library's reader would take such an object for a text to be parsed anew, from level zero.
#[test]
fn levels_in_a_text_in_a_text() {
    let mut text = "1".to_owned();
    for _ in 0..40 {
        let quoted = text.replace('\\', "\\u005c").replace('"', "\\u0022");
        text = format!("{}{{\"$serde_json::private::RawValue\":\"{quoted}\"}}{}", "[".repeat(100), "]".repeat(100));
    }
    let small = Small::new();
    small.write("plan.json", format!("{{\"format_version\":{text}}}").as_bytes());
    small.refuses("texts in texts", &["show", "plan.json"]);
    small.write("v.json", format!("{{\"a\":{text}}}").as_bytes());
    // Here it may be: it is an object with a text in it.
    let ended = small.run(&["validate", "x", "--var-file", "v.json"]);
    assert!(ended.code == 0 && ended.said.contains("there is no variable `a`"), "{ended:?}");
}

#[test]
fn a_sparse_file_of_ten_gigabytes() {
    everywhere("10 GB", |small, file| sparse(small, file, 10 << 30));
}

#[test]
fn a_device_that_never_ends() {
    everywhere("/dev/zero", |small, file| symlink("/dev/zero", small.clear(file)).unwrap());
}

#[test]
fn a_folder() {
    everywhere("a folder", |small, file| fs::create_dir(small.clear(file)).unwrap());
}

#[test]
fn a_pipe_that_nobody_writes_to() {
    everywhere("a pipe", pipe);
}

fn pipe(small: &Small, file: &str) {
    assert!(Command::new("mkfifo").arg(small.clear(file)).status().unwrap().success());
}

#[test]
fn a_pipe_that_is_never_closed() {
    for (file, command) in [("v.vars", &["validate", "x", "--var-file", "v.vars"][..]), ("plan.json", &["show", "plan.json"])] {
        let small = Small::new();
        pipe(&small, file);
        // Open for both, it does not wait for the other side, and stays open until the run is over.
        let mut open = OpenOptions::new().read(true).write(true).open(small.path(file)).unwrap();
        open.write_all(b"x = 1\n").unwrap();
        small.refuses("an open pipe", command);
    }
}

#[test]
fn files_of_the_system_that_have_no_size() {
    for source in ["/proc/self/mem", "/proc/kmsg", "/proc/self/status"] {
        everywhere(source, |small, file| {
            // A log without a size has nothing in it, and is not read.
            let source = if file == "world.json.log" { "/dev/null" } else { source };
            symlink(source, small.clear(file)).unwrap();
        });
    }
}

#[test]
fn ten_thousand_levels() {
    for level in ["[", "{\"a\":", "{a=", "- ", "(", "\"${", "a {\n", "!"] {
        let text = level.repeat(10_000);
        everywhere(level, |small, file| {
            // A line of a journal or a log is read only where it is whole.
            let text = if file.ends_with(".journal") { checked(&text) } else { format!("x = {text}\n") };
            let text = if file.contains(".json") { text.replacen("x = ", "", 1) } else { text };
            small.write(file, text.as_bytes());
        });
    }
}

/// One line of a journal with the right checksum.
fn checked(json: &str) -> String {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&0_u32.to_be_bytes());
    hasher.update(json.as_bytes());
    format!("{:08x} {json}\n", hasher.finalize())
}

#[test]
fn texts_that_are_small_and_whose_values_are_not() {
    let (elements, objects) = ("[0,0],".repeat(4 << 20), "{\"\":0},".repeat(1 << 20));
    for values in [elements, objects] {
        let small = Small::new();
        let list = format!("[{values}0]");
        for (file, args) in [
            ("plan.json", &["show", "plan.json"][..]),
            ("w.json", &["plan", "x", "--world", "w.json"]),
            (".switchover/x/runs/r.journal", &["runs", "x"]),
            ("world.json.log", &["plan", "x", "--world", "world.json"]),
        ] {
            let text = if file.ends_with("journal") { checked(&list) } else { format!("{list}\n") };
            small.write(file, text.as_bytes());
            small.refuses(file, args);
        }
        small.write("v.json", &list.as_bytes()[..list.len().min(8 << 20)]);
        small.refuses("v.json", &["validate", "x", "--var-file", "v.json"]);
        small.write("environments/x.hcl", format!("environment \"x\" {{}}\nlocals {{ a = {} }}\n", list.replace(':', "=")).as_bytes());
        small.refuses("a list in HCL", &["validate", "x"]);
    }
}

#[test]
fn expressions_that_would_grow_without_end() {
    let million = "9".repeat(1_000_000);
    for expression in [
        "[for a in range(100000) : [for b in range(100000) : b]]".to_owned(),
        "join(\"\", [for a in range(100000) : join(\"\", [for b in range(1000) : \"xxxxxxxxxxxxxxxx\"])])".to_owned(),
        "\"%{ for a in range(100000) }%{ for b in range(100000) }x%{ endfor }%{ endfor }\"".to_owned(),
        "[for a in range(1000) : file(\"data\")]".to_owned(),
        "format(\"%999999999d\", 1)".to_owned(),
        "range(999999999999)".to_owned(),
        "replace(replace(join(\"\", [for a in range(100000) : \"a\"]), \"a\", join(\"\", range(10000))), \"1\", join(\"\", range(10000)))".to_owned(),
        "yamldecode(file(\"aliases\"))".to_owned(),
        "templatefile(\"itself\", {})".to_owned(),
        format!("{million} * {million}"),
    ] {
        let small = Small::new();
        small.write("environments/data", &vec![b'x'; 8 << 20]);
        small.write("environments/itself", b"${templatefile(\"itself\", {})}${templatefile(\"itself\", {})}");
        let aliases: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)).collect::<Vec<_>>().concat();
        small.write("environments/aliases", format!("a0: &a0 [x, x, x, x]\n{aliases}").as_bytes());
        small.write("environments/x.hcl", format!("environment \"x\" {{}}\nlocals {{\n  a = {expression}\n}}\n").as_bytes());
        small.refuses(&expression[..expression.len().min(100)], &["validate", "x"]);
    }
}

#[test]
fn short_texts_of_a_million_characters() {
    for (text, place) in [
        ("1,", "schedule = \"@\""),
        ("* ", "schedule = \"@\""),
        ("9", "max_age = \"@\""),
        ("1h", "max_age = \"@\""),
        ("a/", "schedule = \"daily\"\n    timezone = \"@\""),
        ("a", "schedule = \"daily\"\n    next_name = \"@\""),
    ] {
        let small = Small::new();
        let line = place.replace('@', &text.repeat(1_000_000 / text.len()));
        let database = format!("database \"d\" {{\n  provider = aws\n  refresh {{\n    snapshot_of = \"s\"\n    {line}\n  }}\n}}\n");
        small.write("environments/x.hcl", format!("environment \"x\" {{}}\nprovider \"aws\" {{ region = \"us-east-1\" }}\n{database}").as_bytes());
        small.refuses(place, &["validate", "x"]);
    }
    let small = Small::new();
    for flag in ["--max-runtime", "--lease", "--pace", "--seed", "--parallelism"] {
        small.refuses(flag, &["apply", "x", "--yes", flag, &"9".repeat(100_000)]);
    }
}

#[test]
fn mistakes_by_the_thousand_are_told_soon() {
    let small = Small::new();
    // Each place is a long way into the file.
    let far = "#".repeat(256 << 10);
    for mistake in ["a {}\n", "variable \"v\" {}\n", "provider \"aws\" {}\n", "environment \"x\" {}\n", "locals { a = nothing }\n"] {
        small.write("environments/x.hcl", format!("{far}\n{}", mistake.repeat(20_000)).as_bytes());
        small.refuses(mistake, &["validate", "x"]);
    }
}

#[test]
fn a_file_of_roots_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.pem");
    File::create(&large).unwrap().set_len(10 << 30).unwrap();
    for ca_file in ["/dev/zero", "/", "/proc/self/mem", large.to_str().unwrap()] {
        let target = SqlTarget {
            resource_id: "db-1".into(),
            host: "db.example.org".into(),
            port: 5432,
            sslmode: "verify-full".into(),
            ca_file: Some(ca_file.to_owned()),
            user: "u".into(),
            password: None,
            database: "d".into(),
        };
        let refused = Postgres::open(&target, None, SqlLimits::default()).err().expect("no roots can be read");
        assert!(refused.to_string().contains("ca_file"), "{refused}");
    }
}
