//! What the tidy tests know of Rust's grammar: functions and their length, calls and their arguments, paths, inner modules.

use super::lexer::{Kind, Token};

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`.
    pub line: usize,
    /// From that line to its closing brace, both counted.
    pub lines: usize,
}

/// The index of what closes the bracket at `open`; the last token when nothing does.
pub fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if ["(", "[", "{"].iter().any(|mark| token.is(mark)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|mark| token.is(mark)) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at;
            }
        }
    }
    tokens.len().saturating_sub(1)
}

/// All functions with a body, inner ones too.
pub fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        // `fn` without a name is a type.
        let Some(name) = tokens.get(at + 1).filter(|next| token.is("fn") && next.kind == Kind::Word) else { continue };
        if let Some(open) = body(tokens, at + 2) {
            let last = tokens[closing(tokens, open)].line;
            found.push(Function { name: name.text.clone(), line: token.line, lines: last - token.line + 1 });
        }
    }
    found
}

/// Where the braces of the item open whose header goes on at `at`; none when it ends with a semicolon.
pub fn body(tokens: &[Token], mut at: usize) -> Option<usize> {
    while let Some(token) = tokens.get(at) {
        if token.is("{") {
            return Some(at);
        }
        if token.is(";") {
            return None;
        }
        at = if token.is("(") || token.is("[") { closing(tokens, at) + 1 } else { at + 1 };
    }
    None
}

/// Whether the tokens at `at` are these words and marks.
pub fn matches(tokens: &[Token], at: usize, wanted: &[&str]) -> bool {
    wanted.iter().enumerate().all(|(ahead, text)| tokens.get(at + ahead).is_some_and(|token| token.is(text)))
}

/// The arguments of the call whose parenthesis opens at `open`, each as its tokens.
pub fn arguments(tokens: &[Token], open: usize) -> Vec<&[Token]> {
    let end = closing(tokens, open);
    let (mut found, mut begin, mut at) = (Vec::new(), open + 1, open + 1);
    while at < end {
        let token = &tokens[at];
        if token.is(",") {
            found.push(&tokens[begin..at]);
            begin = at + 1;
        } else if token.is("(") || token.is("[") || token.is("{") {
            at = closing(tokens, at);
        } else if token.is("|") {
            // The commas between a closure's parameters separate no arguments.
            at = (at + 1..end).find(|at| tokens[*at].is("|")).unwrap_or(at);
        }
        at += 1;
    }
    if begin < end {
        found.push(&tokens[begin..end]);
    }
    found
}

/// A path that code names, from the crate's root.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// Where.
    pub line: usize,
    /// `["plan", "file", "load"]` for `crate::plan::file::load`.
    pub path: Vec<String>,
}

/// Everything named by a path that begins with `crate` or `super`. `module` is the file's own module from the root.
pub fn named(tokens: &[Token], module: &[String]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut inner: Vec<(String, usize)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        inner.retain(|(_, end)| at <= *end);
        if token.is("mod") && matches(tokens, at + 2, &["{"]) {
            inner.push((tokens[at + 1].text.clone(), closing(tokens, at + 2)));
        }
        let begins = !(at > 0 && tokens[at - 1].is(":"));
        if !begins || !matches(tokens, at + 1, &[":", ":"]) {
            continue;
        }
        if token.is("crate") {
            tree(tokens, at + 3, &mut Vec::new(), &mut found);
        } else if token.is("super") {
            let here = module.iter().chain(inner.iter().map(|(name, _)| name));
            let mut path: Vec<String> = here.cloned().collect();
            let mut at = at;
            while tokens.get(at).is_some_and(|token| token.is("super")) {
                path.pop();
                at += 3;
            }
            tree(tokens, at, &mut path, &mut found);
        }
    }
    found
}

/// Follows a path, or the groups of a `use`; gives the index after it.
fn tree(tokens: &[Token], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<Named>) -> usize {
    let depth = prefix.len();
    while let Some(token) = tokens.get(at) {
        if token.is("{") {
            let end = closing(tokens, at);
            at += 1;
            while at < end {
                at = tree(tokens, at, prefix, found).max(at + 1);
            }
            prefix.truncate(depth);
            return end + 1;
        }
        if token.kind != Kind::Word && !token.is("*") {
            break;
        }
        prefix.push(token.text.clone());
        at += 1;
        if !matches(tokens, at, &[":", ":"]) {
            found.push(Named { line: token.line, path: prefix.clone() });
            break;
        }
        at += 2;
    }
    prefix.truncate(depth);
    at
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    #[test]
    fn functions_are_measured_whatever_stands_in_them() {
        let text =
            "trait T {\n fn none(&self);\n}\nfn a(f: fn(u8) -> u8) -> [u8; 2]\nwhere\n T: X,\n{\n let s = \"}\"; // }\n let c = '}';\n}\nfn b() {}\n";
        let found = functions(&lex(text));
        assert_eq!(found, [Function { name: "a".into(), line: 4, lines: 7 }, Function { name: "b".into(), line: 11, lines: 1 }]);
    }

    #[test]
    fn arguments_are_told_apart_at_their_own_level() {
        let tokens = lex("f(a, g(b, c), |x, y| z, \"d, e\", [1, 2])");
        let found: Vec<_> = arguments(&tokens, 1).iter().map(|tokens| tokens.len()).collect();
        assert_eq!(found, [1, 6, 6, 1, 5]);
        assert!(arguments(&lex("f()"), 1).is_empty());
    }

    fn paths(text: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|&name| name.to_owned()).collect();
        named(&lex(text), &module).into_iter().map(|named| named.path.join("/")).collect()
    }

    #[test]
    fn paths_are_followed_through_groups() {
        let text = "use crate::{model::{Error, time::{self}}, plan, apply::*}; fn f() { crate::plan::file::load() }";
        assert_eq!(paths(text, &["x"]), ["model/Error", "model/time/self", "plan", "apply/*", "plan/file/load"]);
    }

    #[test]
    fn super_climbs_from_the_file_and_from_modules_in_it() {
        assert_eq!(paths("use super::b; use super::super::plan::Plan;", &["kinds", "a"]), ["kinds/b", "plan/Plan"]);
        assert_eq!(paths("mod tests { use super::own; use super::super::b; } use super::c;", &["kinds", "a"]), ["kinds/a/own", "kinds/b", "kinds/c"]);
    }
}
