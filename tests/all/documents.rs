//! What the documents show is run: every shell block of README and docs, in order, in a simulated world. A block that is not for here says so in a comment
//! before it (`<!-- not run: why -->`), one that is to fail says with what (`<!-- exit: 6 -->`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory as _;
use switchover::cli::Cli;

/// One shell block.
struct Block {
    line: usize,
    script: String,
    exit: u8,
    run: bool,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "examples/README.md"].iter().map(|name| root().join(name)).collect();
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    found.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    found.sort();
    assert!(found.len() > 5, "this test finds no documents: {found:?}");
    found
}

fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut open) = (Vec::new(), None::<Block>);
    let (mut exit, mut run) = (0, true);
    for (number, line) in text.lines().enumerate() {
        if let Some(mut block) = open.take() {
            if line.trim_start().starts_with("```") {
                blocks.push(block);
                (exit, run) = (0, true);
            } else {
                block.script.push_str(line);
                block.script.push('\n');
                open = Some(block);
            }
        } else if line.trim_start() == "```sh" {
            open = Some(Block { line: number + 1, script: String::new(), exit, run });
        } else if let Some(comment) = line.trim().strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
            exit = comment.strip_prefix("exit: ").map_or(exit, |code| code.parse().expect("an exit code"));
            run &= !comment.starts_with("not run: ");
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// All blocks of a document as one script: what one exports, the next one has.
fn script(blocks: &[Block]) -> String {
    let mut script = "set -eu\n".to_owned();
    for block in blocks.iter().filter(|block| block.run) {
        script.extend(["echo '== line ", &block.line.to_string(), "' >&2\n"]);
        if block.exit == 0 {
            script.push_str(&block.script);
        } else {
            script.extend(["set +e\n( ", &block.script, " )\n[ $? = ", &block.exit.to_string(), " ] || exit 99\nset -e\n"]);
        }
    }
    script
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-R").args([from, to]).status().unwrap().success());
}

#[test]
fn what_the_documents_show_works() {
    let program = Path::new(env!("CARGO_BIN_EXE_switchover")).parent().unwrap();
    let mut run = 0;
    for document in documents() {
        let blocks = blocks(&fs::read_to_string(&document).unwrap());
        run += blocks.iter().filter(|block| block.run).count();
        let folder = tempfile::tempdir().unwrap();
        for name in ["examples", "environments", "plans"] {
            copy(&root().join(name), folder.path());
        }
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", &script(&blocks)]).current_dir(folder.path()).env_clear().env("PATH", path).env("TMPDIR", folder.path());
        let output = shell.env("HOME", folder.path()).env("SWITCHOVER_ACTOR", "reader").output().unwrap();
        let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {}\n{said}", document.display(), output.status);
    }
    assert!(run >= 10, "only {run} blocks were run");
}

#[test]
fn commands_and_flags_that_documents_name_are_there() {
    let cli = Cli::command();
    let mut named = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        // Code in back-ticks, and lines of blocks.
        let spans = text.split('`').skip(1).step_by(2).map(str::trim).chain(text.lines().map(str::trim));
        for words in spans.filter_map(|code| code.strip_prefix("switchover ")) {
            let mut words = words.split([' ', '\n', '|', ')']).filter(|word| !word.is_empty());
            let Some(command) = words.next().filter(|word| word.chars().all(|c| c.is_ascii_lowercase())) else { continue };
            let Some(known) = cli.find_subcommand(command) else { panic!("{}: `switchover {command}` is no command", document.display()) };
            named += 1;
            for flag in words.filter_map(|word| word.strip_prefix("--")) {
                let flag = flag.split(['=', ',', '.', ';', ':', ']', '>']).next().unwrap_or_default();
                let there = |command: &clap::Command| command.get_arguments().any(|argument| argument.get_long() == Some(flag));
                assert!(there(known) || there(&cli), "{}: `switchover {command}` has no --{flag}", document.display());
            }
        }
    }
    assert!(named >= 20, "only {named} commands are named");
}
