//! A world in which every string is hostile: names, tags, contents of records, words of services, names of people, files. All commands, all forms of
//! output: nothing that acts on a terminal leaves the program, and nothing that means something to GitHub, GitLab or Slack does either.

use serde_json::{Value, json};

use crate::cli::bench::{Bench, Said};

/// What acts on terminals.
const ACTS: &str = "\u{1b}[2J\u{1b}[31mEVIL\u{1b}[8m\u{1b}]0;t\u{7}\u{1b}]8;;http://evil.example\u{1b}\\x\u{1b}]52;c;ZQ==\u{7}\u{9b}31m\u{85}\u{8}\u{7f}\r\
                    \u{202e}\u{2066}\u{200b}\u{feff}\u{ad}\u{2028}\u{e0041}\u{61c}\t";
/// What means something in Markdown, HTML and Slack.
const MEANS: &str = "\n# evilhead\n/evilclose\n<!-- <img src=x> [x](http://evil.example) ![i](http://evil.example/i) @evilteam #1 `evil ``` | evil | **b** \
                     <!channel> <http://evil.example|x> </details> &lt; $evil$\n> quote\n- [ ] task\n";

fn hostile() -> String {
    format!("{ACTS}{MEANS}{ACTS}")
}

/// Insists that nothing acts, colours of our own aside.
#[track_caller]
fn harmless(place: &str, text: &str) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = rest.strip_prefix("\u{1b}[").and_then(|code| code.split_once('m')).map(|(code, _)| code);
        if let Some(code) = colour.filter(|code| code.chars().all(|c| c.is_ascii_digit() || c == ';')) {
            rest = &rest[code.len() + 3..];
            assert!(!rest.starts_with("EVIL"), "{place}: a colour of theirs: {text:?}");
            continue;
        }
        let hidden = matches!(u32::from(c), 0xad | 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xe0000..=0xe0fff);
        assert!(c == '\n' || !c.is_control() && !hidden, "{place}: {c:?} in {text:?}");
        rest = &rest[c.len_utf8()..];
    }
}

fn run(bench: &Bench, args: &[&str]) -> Said {
    let said = bench.run(args);
    harmless(&format!("stdout of {args:?}"), &said.out);
    harmless(&format!("stderr of {args:?}"), &said.err);
    if args.contains(&"markdown") {
        tame_markdown(&said.out);
    }
    said
}

/// What is left of Markdown outside of code holds no mark of theirs.
#[track_caller]
fn tame_markdown(page: &str) {
    let (mut fence, mut outside) = (None::<String>, Vec::new());
    for line in page.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => outside.push(without_code(line)),
            Some(open) if ticks.len() >= open.len() && line.len() == ticks.len() => fence = None,
            Some(_) => {}
        }
    }
    assert!(fence.is_none(), "a block of code is not closed:\n{page}");
    for line in outside {
        assert!(!line.starts_with("/evil") && !line.starts_with("# evil"), "{line}\n{page}");
        for mark in ["<!--", "<img", "](http", "@evilteam", "| evil", "http://evil", "<!channel", "**b**"] {
            assert!(!line.contains(mark), "{mark}: {line}\n{page}");
        }
        assert!(line.matches("</details>").count() <= 1, "{line}");
    }
}

/// A line without its code spans.
fn without_code(line: &str) -> String {
    let (mut plain, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
        let escaped = rest[..at].ends_with('\\');
        let (before, after) = (&rest[..at], &rest[at + ticks..]);
        plain.push_str(before);
        let mut end = None;
        let mut from = 0;
        while let Some(found) = after[from..].find('`') {
            let run = after[from + found..].chars().take_while(|c| *c == '`').count();
            if run == ticks {
                end = Some(from + found + run);
                break;
            }
            from += found + run;
        }
        match end {
            Some(end) if !escaped => rest = &after[end..],
            _ => rest = after,
        }
    }
    plain + rest
}

/// Every text of a document, by its place.
fn texts(at: &mut Vec<String>, value: &Value, each: &mut Vec<Vec<String>>) {
    match value {
        Value::String(_) => each.push(at.clone()),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                at.push(n.to_string());
                texts(at, item, each);
                at.pop();
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                at.push(key.clone());
                each.push(at.clone());
                texts(at, item, each);
                at.pop();
            }
        }
        _ => {}
    }
}

/// The text or the key at a place, made hostile.
fn poison(value: &mut Value, place: &[String]) {
    let (last, before) = place.split_last().unwrap();
    let mut at = value;
    for part in before {
        at = if at.is_array() { &mut at[part.parse::<usize>().unwrap()] } else { &mut at[part] };
    }
    let own = if at.is_array() { &mut at[last.parse::<usize>().unwrap()] } else { &mut at[last] };
    if let Value::String(text) = own {
        text.push_str(&hostile());
    } else if let Some(entries) = at.as_object_mut() {
        let inner = entries.remove(last).unwrap();
        entries.insert(format!("{last}{}", hostile()), inner);
    }
}

#[test]
fn no_text_of_a_world_acts() {
    // Each place with one command in turn; with all of them by hand: SWITCHOVER_TEST_EVERY=1 cargo test no_text_of_a_world_acts
    let every = std::env::var("SWITCHOVER_TEST_EVERY").is_ok();
    let commands: [&[&str]; 6] = [
        &["plan", "ENV", "-vv"],
        &["plan", "ENV", "--format", "markdown"],
        &["plan", "ENV", "--json", "-vv"],
        &["status", "-vv"],
        &["apply", "ENV", "--yes", "-vv", "--seed", "1", "--color", "always"],
        &["apply", "ENV", "--yes", "--json", "--seed", "1"],
    ];
    let mut tried = 0;
    for (bench, environment, step) in [(Bench::openverse(), "staging", 5), (Bench::gigadb(), "gigadb", 5)] {
        let world = bench.world();
        let mut places = Vec::new();
        texts(&mut Vec::new(), &world, &mut places);
        assert!(places.len() > 100, "{}", places.len());
        for (number, place) in places.iter().enumerate().filter(|(number, _)| every || number % step == 0) {
            let mut changed = world.clone();
            poison(&mut changed, place);
            let turn = (number / step) % commands.len();
            for (_, command) in commands.iter().enumerate().filter(|(at, _)| every || *at == turn) {
                bench.write("world.json", &changed.to_string());
                let args: Vec<&str> = command.iter().map(|word| if *word == "ENV" { environment } else { word }).collect();
                run(&bench, &args);
                tried += 1;
                drop(std::fs::remove_dir_all(bench.path(".switchover")));
                drop(std::fs::remove_file(bench.path("world.json.log")));
            }
        }
    }
    assert!(tried > 80, "{tried}");
}

/// The staging database in a world whose tags, contents, codes and words are hostile wherever a service would let them be.
fn staged(faults: &Value) -> Bench {
    let bench = Bench::openverse().variable("SWITCHOVER_ACTOR", &format!("eve{}", hostile()));
    bench.change_world(|world| {
        let region = &mut world["aws"]["accounts"]["111122223333"]["regions"]["us-east-1"];
        for instance in region["instances"].as_object_mut().unwrap().values_mut() {
            instance["tags"]["Team"] = json!(format!("x{ACTS}"));
            instance["tags"]["Head"] = json!(format!("x{MEANS}").chars().take(256).collect::<String>());
            instance["tags"][format!("k{ACTS}")] = json!("v");
        }
        world["faults"] = faults.clone();
    });
    bench.edit("environments/staging.hcl", "\"Openverse staging\"", &format!("\"{}\"", escaped(&hostile())));
    bench.edit("environments/staging.hcl", "check \"OAuth applications are gone\"", &format!("check \"gone {}\"", escaped(ACTS)));
    bench.edit("environments/staging.hcl", "check \"images came along\"", &format!("check \"came {}\"", escaped(MEANS)));
    bench.edit(
        "environments/staging.hcl",
        "tags                 = { Environment = \"staging\" }",
        &format!("tags = {{ Environment = \"{}\" }}", escaped(ACTS)),
    );
    bench
}

/// As a text of HCL: control characters as escapes, the way somebody would write who wants to hide them.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.chars().map(|c| if c.is_control() { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }).collect()
}

fn refusal(call: &str, nth: u64) -> Value {
    json!([{ "call": call, "nth": nth, "times": 9, "fault": { "kind": "refusal", "code": format!("C{}", hostile()), "message": format!("no{}", hostile()) } }])
}

fn every_view(bench: &Bench) {
    for args in [&["status"][..], &["status", "--json"], &["status", "--offline", "--color", "always"], &["runs", "staging"], &["validate", "--json"]]
    {
        run(bench, args);
    }
    let runs = run(bench, &["runs", "staging", "--json"]).json();
    for one in runs["runs"].as_array().unwrap() {
        let id = one["run"].as_str().unwrap();
        run(bench, &["runs", "staging", id, "--color", "always"]).exits(0);
        for line in run(bench, &["runs", "staging", id, "--json"]).exits(0).out.lines() {
            assert!(serde_json::from_str::<Value>(line).unwrap()["type"].is_string());
        }
    }
}

#[test]
fn a_hostile_life_is_shown_escaped() {
    let bench = staged(&json!([]));
    for args in [
        &["validate"][..],
        &["plan", "staging", "--color", "always"],
        &["plan", "staging", "--format", "markdown"],
        &["plan", "staging", "--json"],
        &["plan", "staging", "--out", "plan.json", "--seed", "1"],
        &["show", "plan.json", "--color", "always"],
        &["show", "plan.json", "--format", "markdown"],
    ] {
        run(&bench, args).exits(0);
    }
    // A saved plan is read as a diff: it is as harmless as what is printed, and the printed one is as good as the saved.
    harmless("the saved plan", &bench.read("plan.json"));
    let printed = run(&bench, &["show", "plan.json", "--json"]).exits(0).out;
    assert_eq!(printed, bench.read("plan.json"));
    bench.write("printed.json", &printed);
    run(&bench, &["apply", "printed.json", "--max-runtime", "30m", "-vv"]).exits(8);
    every_view(&bench);
    let lock = json!({
        "name": "env:staging", "run": format!("r{}", hostile()), "since": "2026-11-21T12:00:00Z", "heartbeat": "2026-11-21T12:00:00Z",
        "expires": "2020-11-21T12:00:00Z", "fence": format!("f{}", hostile()),
        "holder": { "actor": hostile(), "host": hostile(), "boot": hostile(), "pid_namespace": "x", "pid": 1, "process_start": 1 },
    });
    bench.write(".switchover/staging/lock.json", &lock.to_string());
    every_view(&bench);
    run(&bench, &["apply", "staging", "--yes"]).exits(7);
    run(&bench, &["unlock", "staging", "--yes"]).exits(0).says("is held by");
    run(&bench, &["resume", "staging", "--json"]).exits(0);
    every_view(&bench);
}

#[test]
fn hostile_words_of_services_are_told_escaped() {
    for (call, nth, codes) in [
        ("rds:ModifyDBInstance", 1, [4, 5]),
        ("postgres:query", 1, [4, 4]),
        ("rds:DeleteDBInstance", 1, [5, 5]),
        ("rds:DescribeDBInstances", 1, [1, 1]),
    ] {
        let bench = staged(&refusal(call, nth));
        let failed = run(&bench, &["apply", "staging", "--yes", "-vv", "--seed", "1", "--color", "always"]);
        assert!(codes.contains(&failed.code), "{call}: {}\n{}\n{}", failed.code, failed.out, failed.err);
        assert!(failed.err.contains("\\u001b"), "{call}: the words were told: {}", failed.err);
        every_view(&bench);
        run(&bench, &["rollback", "staging", "--yes"]);
        run(&bench, &["resume", "staging"]);
        let messages = bench.world()["slack"]["messages"].clone();
        for message in messages.as_array().into_iter().flatten() {
            let text = message["text"].as_str().unwrap();
            harmless("a notice", text);
            assert!(!text.contains('<') && !text.contains('>') && !text.contains("\n#"), "{text}");
        }
    }
}

#[test]
fn mistakes_in_a_hostile_file_are_shown_escaped() {
    let text = hostile();
    for file in [
        format!("environment \"staging\" {{\n  description = \"{text}\n}}\n"),
        format!("# {ACTS}\nenvironment \"staging\" {{ nothing = 1 }} # {ACTS}\n"),
        format!("environment \"staging\" {{}}\nprovider \"{ACTS}\" {{}}\n"),
        format!("environment \"staging\" {{}}\nlocals {{ a = var.b{ACTS} }}\n"),
        format!("environment \"staging\" {{}}\nlocals {{ a = \"{ACTS}\" + 1 }}\n"),
        format!("environment \"staging\" {{}}\nlocals {{ a = tonumber(\"{ACTS}\"), b = file(\"{ACTS}\") }}\n"),
        format!(
            "environment \"staging\" {{}}\nlocals {{\n a = file(\"{ACTS}\")\n b = env(\"{ACTS}\")\n c = aws[\"{ACTS}\"]\n}}\ndatabase \"{ACTS}\" {{\n provider = local.a\n}}\n"
        ),
        format!("environment \"st{ACTS}aging\" {{}}\n"),
        format!("\u{feff}environment \"staging\" {{}}\n{ACTS}"),
    ] {
        let bench = Bench::openverse();
        bench.write("environments/staging.hcl", &file);
        for args in [&["validate"][..], &["validate", "--json"], &["validate", "--color", "always"], &["plan", "staging"], &["status"]] {
            run(&bench, args);
        }
    }
    // Names of files, and words of the command line.
    let bench = Bench::openverse();
    bench.write(&format!("environments/{}.hcl", ACTS.replace('/', "")), "environment \"x\" {}\n");
    let flag = format!("--{ACTS}");
    let pair = format!("{ACTS}=1");
    for args in [
        &["validate"][..],
        &["status"],
        &[ACTS],
        &[flag.as_str()],
        &["plan", ACTS],
        &["plan", "staging", "--target", ACTS],
        &["plan", "staging", "--format", ACTS],
        &["plan", "staging", "--out", &format!("no/such/{ACTS}")],
        &["plan", "staging", "--var", &pair],
        &["plan", "staging", "--world", ACTS],
        &["plan", "staging", "--pace", ACTS],
        &["status", "--journal", ACTS],
        &["show", ACTS],
        &["apply", ACTS],
        &["apply", "staging", "--yes", "--lease", ACTS],
        &["runs", "staging", ACTS],
        &["rollback", "staging", ACTS, "--yes"],
    ] {
        run(&bench, args).exits(1);
    }
}

#[test]
fn hostile_records_and_comments_are_shown_escaped() {
    let bench = Bench::gigadb();
    bench.change_world(|world| {
        for zone in world["cloudflare"]["zones"].as_object_mut().unwrap().values_mut() {
            for record in zone["records"].as_object_mut().unwrap().values_mut() {
                record["comment"] = json!(format!("c{}", hostile()));
                if record["type"] == "TXT" {
                    record["content"] = json!(format!("t{}", hostile()));
                }
                if record["content"] == "203.0.113.10" {
                    // One that must be changed.
                    record["content"] = json!("203.0.113.99");
                }
            }
        }
    });
    bench.edit(
        "environments/gigadb.hcl",
        "  ttl      = 300\n\n  record \"A\" \"gigadb.org\"",
        "  ttl      = 300\n  answers  = \"all\"\n\n  record \"A\" \"gigadb.org\"",
    );
    for args in [
        &["plan", "gigadb", "-vv", "--color", "always"][..],
        &["plan", "gigadb", "--format", "markdown"],
        &["plan", "gigadb", "--json"],
        &["apply", "gigadb", "--yes", "-vv", "--color", "always", "--seed", "1"],
        &["status"],
    ] {
        let said = run(&bench, args);
        assert!(said.code < 2, "{args:?}: {}\n{}", said.code, said.err);
    }
}
