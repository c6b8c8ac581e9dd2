//! Reads scrub SQL far enough to know its statements and what cannot stand in one transaction.

/// One statement: its first words, upper-case, outside quotes and comments. Enough to judge it, not enough to run it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Words(Vec<String>);

/// More words than this say nothing more about a statement.
const WORDS_KEPT: usize = 64;

/// Looks through a script for what cannot be part of the scrub's one transaction.
///
/// # Errors
/// A fragment that names the first such statement and its line, or what is wrong with the text.
pub fn check(script: &str) -> Result<(), String> {
    let mut reader = Reader { rest: script, line: 1, words: Words::default(), depth: 0, line_of_statement: 1, statements: 0 };
    while reader.step()? {}
    reader.end_statement()?;
    if reader.statements == 0 { Err("holds no statement".to_owned()) } else { Ok(()) }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    words: Words,
    /// Inside how many `BEGIN ATOMIC … END` and `CASE … END` of an SQL-standard function body.
    depth: usize,
    line_of_statement: usize,
    statements: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.line += taken.bytes().filter(|b| *b == b'\n').count();
        self.rest = rest;
        taken
    }

    /// One token; false at the end.
    fn step(&mut self) -> Result<bool, String> {
        let Some(c) = self.rest.chars().next() else { return Ok(false) };
        if self.rest.starts_with("--") {
            let length = self.rest.find('\n').unwrap_or(self.rest.len());
            self.take(length);
        } else if self.rest.starts_with("/*") {
            self.comment()?;
        } else if c == '\'' || c == '"' {
            self.quoted(c, false)?;
        } else if c == '$' {
            self.dollar()?;
        } else if c == ';' {
            self.take(1);
            if self.depth == 0 {
                self.end_statement()?;
            }
        } else if c == '\\' {
            return Err(format!("line {}: `\\` commands belong to psql, not to the server", self.line));
        } else if c.is_alphabetic() || c == '_' {
            self.word()?;
        } else {
            self.take(c.len_utf8());
        }
        Ok(true)
    }

    fn word(&mut self) -> Result<(), String> {
        let length = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(self.rest.len());
        if self.words.0.is_empty() {
            self.line_of_statement = self.line;
        }
        let word = self.take(length).to_uppercase();
        if self.rest.starts_with('\'') && matches!(word.as_str(), "E" | "B" | "X" | "N") {
            return self.quoted('\'', word == "E");
        }
        let before = self.words.0.last().map(String::as_str);
        let create = self.words.0.first().is_some_and(|first| first == "CREATE");
        match word.as_str() {
            "ATOMIC" if create && before == Some("BEGIN") => self.depth += 1,
            "CASE" if self.depth > 0 => self.depth += 1,
            "END" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.words.0.len() < WORDS_KEPT {
            self.words.0.push(word);
        }
        Ok(())
    }

    fn quoted(&mut self, quote: char, backslashes: bool) -> Result<(), String> {
        let line = self.line;
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if backslashes && c == '\\' {
                chars.next();
            } else if c == quote {
                if chars.peek().is_some_and(|(_, next)| *next == quote) {
                    chars.next();
                } else {
                    self.take(at + 1);
                    return Ok(());
                }
            }
        }
        Err(format!("line {line}: the quote is never closed"))
    }

    fn dollar(&mut self) -> Result<(), String> {
        let line = self.line;
        let tag_end = self.rest[1..].find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(self.rest.len(), |at| at + 1);
        // `$1` is a parameter, and `$` alone an operator.
        if !self.rest[tag_end..].starts_with('$') || self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            self.take(1);
            return Ok(());
        }
        let delimiter = &self.rest[..=tag_end];
        let body = &self.rest[delimiter.len()..];
        let Some(end) = body.find(delimiter) else { return Err(format!("line {line}: the quote {delimiter} is never closed")) };
        self.take(delimiter.len() * 2 + end);
        Ok(())
    }

    fn comment(&mut self) -> Result<(), String> {
        let line = self.line;
        let mut depth = 0_usize;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
                if depth == 0 {
                    return Ok(());
                }
            } else if let Some(c) = self.rest.chars().next() {
                self.take(c.len_utf8());
            } else {
                return Err(format!("line {line}: the comment is never closed"));
            }
        }
    }

    fn end_statement(&mut self) -> Result<(), String> {
        let words = std::mem::take(&mut self.words);
        self.depth = 0;
        if words.0.is_empty() {
            return Ok(());
        }
        self.statements += 1;
        match forbidden(&words.0) {
            Some(what) => Err(format!("line {}: {what}", self.line_of_statement)),
            None => Ok(()),
        }
    }
}

/// Why a statement cannot stand in the transaction, if it cannot.
fn forbidden(words: &[String]) -> Option<String> {
    let at = |index: usize| words.get(index).map_or("", String::as_str);
    let has = |word: &str| words.iter().any(|known| known == word);
    let (first, second) = (at(0), at(1));
    let control = match first {
        "BEGIN" | "COMMIT" | "ROLLBACK" | "ABORT" | "END" | "SAVEPOINT" | "RELEASE" => true,
        "START" | "PREPARE" => second == "TRANSACTION",
        "SET" => second == "TRANSACTION" || (second == "SESSION" && at(2) == "CHARACTERISTICS"),
        _ => false,
    };
    if control {
        return Some(format!("`{}` is transaction control; the whole scrub is one transaction already", name(words)));
    }
    let alone = match first {
        "VACUUM" => true,
        "CREATE" | "DROP" => matches!(second, "DATABASE" | "TABLESPACE" | "SUBSCRIPTION") || (has("INDEX") && has("CONCURRENTLY")),
        "REINDEX" => has("CONCURRENTLY") || words.iter().take(4).any(|word| word == "DATABASE" || word == "SYSTEM"),
        "ALTER" => {
            second == "SYSTEM"
                || second == "SUBSCRIPTION"
                || (second == "DATABASE" && has("TABLESPACE"))
                || (second == "TABLE" && has("DETACH") && has("CONCURRENTLY"))
        }
        "CLUSTER" => words.len() == 1 || (words.len() == 2 && second == "VERBOSE"),
        _ => false,
    };
    if alone {
        return Some(format!("`{}` cannot run in a transaction", name(words)));
    }
    (first == "COPY" && (has("STDIN") || has("STDOUT"))).then(|| "`COPY` from or to the client cannot be part of a scrub".to_owned())
}

fn name(words: &[String]) -> String {
    let count = match words.first().map(String::as_str) {
        Some("CREATE" | "DROP" | "REINDEX" | "ALTER" | "START" | "PREPARE" | "SET") => 2,
        _ => 1,
    };
    let mut text = words.iter().take(count).cloned().collect::<Vec<_>>().join(" ");
    if words.iter().any(|word| word == "CONCURRENTLY") {
        text.push_str(" … CONCURRENTLY");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_statements_pass() {
        for script in [
            "UPDATE users SET email = 'x; COMMIT; y'",
            "-- BEGIN;\nDELETE FROM a; /* ROLLBACK; /* nested */ */ DELETE FROM b;",
            "DO $body$ BEGIN PERFORM 1; END $body$;",
            "SELECT E'it\\'s; VACUUM'; SELECT \"commit\" FROM \"begin\"",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; DELETE FROM a",
            "PREPARE p AS SELECT $1; SET LOCAL statement_timeout = 0; CREATE INDEX i ON a (b)",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v; CLUSTER a",
        ] {
            assert_eq!(check(script), Ok(()), "{script}");
        }
    }

    #[test]
    fn what_cannot_be_in_one_transaction_is_named_with_its_line() {
        for (script, words) in [
            ("DELETE FROM a;\nCOMMIT;", "line 2: `COMMIT` is transaction control"),
            ("begin; delete from a", "`BEGIN` is transaction control"),
            ("start transaction", "`START TRANSACTION`"),
            ("/* x */ vacuum full a", "`VACUUM` cannot run"),
            ("create unique index concurrently i on a (b)", "CONCURRENTLY` cannot run"),
            ("DROP INDEX CONCURRENTLY i", "CONCURRENTLY` cannot run"),
            ("CREATE DATABASE x", "`CREATE DATABASE` cannot run"),
            ("alter system set a = 1", "`ALTER SYSTEM` cannot run"),
            ("COPY a FROM STDIN", "from or to the client"),
            ("\\connect other", "psql"),
            ("SELECT 'open", "never closed"),
            ("SELECT $a$ open", "never closed"),
            ("SELECT 1 /* open", "never closed"),
            ("  -- nothing\n ;", "holds no statement"),
        ] {
            let said = check(script).expect_err(script);
            assert!(said.contains(words), "{script}: {said}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(script in "[ -~\\n$'\"/*;é]{0,200}") {
            let _ = check(&script);
        }
    }
}
