//! The project's files, and the tree of modules that the compiler makes of them.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::lexer::{Kind, Token, lex};
use super::syntax::{body, closing, matches};

/// One file of Rust.
pub struct Source {
    /// Below the project's root, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// Its code.
    pub tokens: Vec<Token>,
    /// Its module from the root of its crate; none when no `mod` leads to it.
    pub module: Option<Vec<String>>,
    /// Whether it is compiled for tests alone.
    pub test: bool,
    /// Lines of what is compiled for tests alone.
    tests: Vec<RangeInclusive<usize>>,
}

impl Source {
    /// Whether what stands on a line is compiled for tests alone.
    pub fn is_test(&self, line: usize) -> bool {
        self.test || self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// `path:line`, as offenders are listed.
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

/// The project's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder of the project, sorted; neither what git ignores nor what builds leave.
pub fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = vec![root().join(folder)];
    while let Some(folder) = next.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if ["target", ".git", ".switchover", "node_modules"].iter().any(|left_out| name == *left_out) {
                continue;
            }
            if path.is_dir() { next.push(path) } else { found.push(below_root(&path)) }
        }
    }
    found.sort();
    found
}

fn below_root(path: &Path) -> String {
    let below = path.strip_prefix(root()).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Whether a path ends like this.
pub fn ends(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == ending)
}

/// Every file of Rust under `src/` and `tests/`, each with its place in the tree of modules. Read once.
pub fn sources() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(read_all)
}

fn read_all() -> Vec<Source> {
    let mut all: Vec<Source> = ["src", "tests"].iter().flat_map(|folder| files_below(folder)).filter(|path| ends(path, "rs")).map(read).collect();
    for (crate_root, test) in [("src/lib.rs", false), ("src/main.rs", false), ("tests/all/main.rs", true)] {
        reach(&mut all, crate_root, &[], test);
    }
    all
}

fn read(path: String) -> Source {
    let text = fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    let tokens = lex(&text);
    let tests = test_lines(&tokens);
    Source { path, text, tokens, module: None, test: false, tests }
}

fn reach(all: &mut [Source], path: &str, module: &[String], test: bool) {
    let Some(source) = all.iter_mut().find(|source| source.path == path) else { return };
    source.module = Some(module.to_vec());
    source.test = test;
    for child in children(&source.tokens) {
        let mut inner = module.to_vec();
        inner.push(child.name.clone());
        for candidate in candidates(path, &child) {
            reach(all, &candidate, &inner, test || child.test);
        }
    }
}

/// A module in a file of its own.
#[derive(Debug, PartialEq, Eq)]
struct Child {
    name: String,
    path: Option<String>,
    test: bool,
}

/// The `mod name;` of a file, with what their attributes say.
fn children(tokens: &[Token]) -> Vec<Child> {
    let declares =
        |at: &usize| tokens[*at].is("mod") && tokens.get(at + 1).is_some_and(|name| name.kind == Kind::Word) && matches(tokens, at + 2, &[";"]);
    let child = |at: usize| {
        let attributes = attributes_before(tokens, at);
        let path = attributes.iter().find(|attribute| attribute[0].is("path")).and_then(|attribute| attribute.last());
        Child {
            name: tokens[at + 1].text.clone(),
            path: path.map(|token| token.text.clone()),
            test: attributes.iter().any(|attribute| is_cfg_test(attribute)),
        }
    };
    (0..tokens.len()).filter(declares).map(child).collect()
}

/// What stands in the `#[…]` before the item whose keyword is at `at`.
fn attributes_before(tokens: &[Token], mut at: usize) -> Vec<&[Token]> {
    let mut found = Vec::new();
    let opening = |close: usize| (0..close).rev().find(|open| (tokens[*open].is("[") || tokens[*open].is("(")) && closing(tokens, *open) == close);
    while at > 0 {
        let before = &tokens[at - 1];
        let Some(begin) = (if before.is("]") || before.is(")") { opening(at - 1) } else { Some(at - 1) }) else { break };
        if before.is("]") && begin > 0 && tokens[begin - 1].is("#") {
            found.push(&tokens[begin + 1..at - 1]);
            at = begin - 1;
        } else if before.is("pub") || (before.is(")") && begin > 0 && tokens[begin - 1].is("pub")) {
            at = begin;
        } else {
            break;
        }
    }
    found.retain(|attribute| !attribute.is_empty());
    found
}

fn is_cfg_test(attribute: &[Token]) -> bool {
    attribute[0].is("cfg") && attribute.iter().any(|token| token.is("test")) && !attribute.iter().any(|token| token.is("not"))
}

/// Where the file of a child may be.
fn candidates(parent: &str, child: &Child) -> Vec<String> {
    let (folder, file) = parent.rsplit_once('/').unwrap_or(("", parent));
    if let Some(path) = &child.path {
        let joined: PathBuf = Path::new(folder).join(path);
        return vec![joined.to_string_lossy().into_owned()];
    }
    let stem = file.trim_end_matches(".rs");
    let folder = if ["mod", "lib", "main"].contains(&stem) { folder.to_owned() } else { format!("{folder}/{stem}") };
    vec![format!("{folder}/{}.rs", child.name), format!("{folder}/{}/mod.rs", child.name)]
}

/// The lines of every item under `#[cfg(test)]`.
fn test_lines(tokens: &[Token]) -> Vec<RangeInclusive<usize>> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if !matches(tokens, at, &["#", "["]) {
            continue;
        }
        let close = closing(tokens, at + 1);
        if close <= at + 2 || !is_cfg_test(&tokens[at + 2..close]) {
            continue;
        }
        let mut item = close + 1;
        while matches(tokens, item, &["#", "["]) {
            item = closing(tokens, item + 1) + 1;
        }
        let end = match body(tokens, item) {
            Some(open) => closing(tokens, open),
            None => (item..tokens.len()).find(|at| tokens[*at].is(";")).unwrap_or(tokens.len() - 1),
        };
        found.push(tokens[at].line..=tokens[end].line);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_with_their_attributes() {
        let found = children(&lex("pub mod a; #[cfg(test)]\n#[path = \"c_of_x.rs\"]\npub(crate) mod b; mod inline { } #[cfg(not(test))] mod d;"));
        let child = |name: &str, path: Option<&str>, test| Child { name: name.to_owned(), path: path.map(str::to_owned), test };
        assert_eq!(found, [child("a", None, false), child("b", Some("c_of_x.rs"), true), child("d", None, false)]);
        assert_eq!(candidates("src/x/mod.rs", &found[0]), ["src/x/a.rs", "src/x/a/mod.rs"]);
        assert_eq!(candidates("src/x.rs", &found[0]), ["src/x/a.rs", "src/x/a/mod.rs"]);
        assert_eq!(candidates("src/x.rs", &found[1]), ["src/c_of_x.rs"]);
    }

    #[test]
    fn lines_of_tests_are_known() {
        let lines =
            test_lines(&lex("fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nuse x;\nfn d() {}\n"));
        assert_eq!(lines, [2..=6, 8..=9]);
    }

    #[test]
    fn the_tree_of_modules_is_the_compilers() {
        let all = sources();
        let find = |path: &str| all.iter().find(|source| source.path == path).unwrap();
        assert_eq!(find("src/model/mod.rs").module.as_deref(), Some(&["model".to_owned()][..]));
        assert_eq!(find("tests/all/tidy/lexer.rs").module, Some(vec!["tidy".to_owned(), "lexer".to_owned()]));
        assert!(find("tests/all/tidy/lexer.rs").test && !find("src/lib.rs").test);
    }
}
